"""A count of max(10, 3 x median + 8) and more, the median of the last 24 intervals.

The floor that a few lines of code reach, as scripts around counts use it; the same in form as the threshold on
Downdetector windows of the Cloud Uptime Archive's authors (75th percentile of the window), which needs the future.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import numpy as np

from pipeline.evaluation.days.entries import AlertEntry
from pipeline.evaluation.days.recording import ServiceRecording, alarms_of_states, totals_of

LEAST, FACTOR, ADDED, INTERVALS = 10, 3.0, 8, 24


def alarms(service: ServiceRecording) -> list[AlertEntry]:
    """Return the alarms of a service."""
    return alarms_of_states(service, _states(service))


def _states(service: ServiceRecording) -> Iterator[tuple[datetime, bool]]:
    totals = totals_of(service.counts)
    for number, (public, total) in enumerate(service.counts):
        before = totals[max(0, number - INTERVALS) : number]
        yield public, len(before) > 0 and total >= max(LEAST, FACTOR * float(np.median(before)) + ADDED)
