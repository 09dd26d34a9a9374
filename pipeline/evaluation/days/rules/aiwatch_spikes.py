"""Three times the median, three times one after the other.

AIWatch (github.com/bentleypark/aiwatch, issue 83 and `detectConsecutiveSpikes`, as read in November 2026): a probe is a
spike above three times the median of the last 72 hours; three in a row are an early sign. It measures round trips; a
recorded day has none, so that the rule is applied to complaint counts, of five at least.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from pipeline.evaluation.days.entries import AlertEntry
from pipeline.evaluation.days.recording import ServiceRecording, alarms_of_states, totals_of, width_of

FACTOR, IN_A_ROW, MEMORY, LEAST = 3.0, 3, timedelta(hours=72), 5


def alarms(service: ServiceRecording) -> list[AlertEntry]:
    """Return the alarms of a service."""
    return alarms_of_states(service, _states(service))


def _states(service: ServiceRecording) -> Iterator[tuple[datetime, bool]]:
    totals = totals_of(service.counts)
    length = max(1, int(MEMORY / width_of(service.counts)))
    spikes = 0
    for number, (public, total) in enumerate(service.counts):
        before = totals[max(0, number - length) : number]
        above = len(before) > 0 and total > FACTOR * float(np.median(before)) and total >= LEAST
        spikes = spikes + 1 if above else 0
        yield public, spikes >= IN_A_ROW
