"""Reports well above the mean of that time of day, for long enough.

Downdetector's method page (bg.downdetector.com/en/methodology, as read in March 2026): a baseline is the average of
reports "for that given time of day, measured over the last six months"; an incident is reported when reports are
significantly above it, and the duration counts. Its factor and duration are not published: three times the baseline in
two intervals one after the other, and ten reports at least, are assumed here. A recording has days of history, not six
months.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from pipeline.evaluation.days.entries import AlertEntry
from pipeline.evaluation.days.recording import ServiceRecording, alarms_of_states, totals_of

FACTOR, INTERVALS, LEAST = 3.0, 2, 10
DAY = timedelta(days=1)


def alarms(service: ServiceRecording) -> list[AlertEntry]:
    """Return the alarms of a service."""
    return alarms_of_states(service, _states(service))


def _states(service: ServiceRecording) -> Iterator[tuple[datetime, bool]]:
    totals = totals_of(service.counts)
    same_time: dict[timedelta, list[int]] = {}
    above = 0
    for number, (public, total) in enumerate(service.counts):
        midnight = public.replace(hour=0, minute=0, second=0)
        before = same_time.setdefault(public - midnight, [])
        # the first day has no day before it: all that is known stands in
        usual = float(np.mean(totals[before])) if before else float(np.mean(totals[:number])) if number else np.inf
        above = above + 1 if total >= max(LEAST, FACTOR * usual) else 0
        before.append(number)
        yield public, above >= INTERVALS
