"""z above 3 over seven days, in two independent classes of evidence.

503radar, by the description of its public method (2026): a signal is anomalous at z > 3 against its last seven days,
and an outage is named when two independent classes agree. The classes here are reports (counts), talk (posts by the
hour) and the provider's page; two agree when both are anomalous within an hour. The page itself could not be read
again when this was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from pipeline.evaluation.days.entries import AlertEntry
from pipeline.evaluation.days.recording import HOUR, ServiceRecording, alarms_of_states, width_of

Z, WEEK, FEWEST = 3.0, timedelta(days=7), 24


def alarms(service: ServiceRecording) -> list[AlertEntry]:
    """Return the alarms of a service."""
    classes = [_anomalous(service.counts), _anomalous(service.mentions_by_hour()), _noticed(service)]
    moments = sorted({at for one in classes for at in one})
    checked = sorted({*moments, *(public for public, _ in service.counts)})
    states = [(at, sum(any(at - HOUR < hot <= at for hot in one) for one in classes) >= 2) for at in checked]
    return alarms_of_states(service, states)


def _anomalous(pairs: Sequence[tuple[datetime, int]]) -> list[datetime]:
    """Return when a total became public that lies more than `Z` deviations above the mean of the week before."""
    length = max(1, int(WEEK / width_of(pairs)))
    totals = np.array([total for _, total in pairs], dtype=float)
    hot = []
    for number, (public, total) in enumerate(pairs):
        week = totals[max(0, number - length) : number]
        if len(week) >= FEWEST and total > week.mean() + Z * max(float(week.std()), 1.0):
            hot.append(public)
    return hot


def _noticed(service: ServiceRecording) -> list[datetime]:
    return [notice.public for notice in service.notices if not notice.resolved]
