"""Rules that others publish, each in a file of its own, with where and when it was read. `RULES` names the rows."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.evaluation.days.entries import AlertEntry
from pipeline.evaluation.days.recording import ServiceRecording
from pipeline.evaluation.days.rules import (
    aiwatch_spikes,
    aiwatch_titles,
    baseline_of_the_hour,
    keyword_counts,
    median_plus,
    status_pages,
    two_classes,
)

Rule = Callable[[ServiceRecording], list[AlertEntry]]

RULES: dict[str, Rule] = {
    "status pages only": status_pages.alarms,
    "baseline of the hour (Downdetector's method)": baseline_of_the_hour.alarms,
    "z > 3 in two classes (503radar)": two_classes.alarms,
    "3 x median, three times (AIWatch)": aiwatch_spikes.alarms,
    "words in titles (AIWatch)": aiwatch_titles.alarms,
    "max(10, 3 x median + 8)": median_plus.alarms,
    "keyword counts": keyword_counts.alarms,
}
