"""How much was counted of a service in a span: complaints by source, and reports that count as votes."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from pipeline.store import Store
from pipeline.store.counts import OF_SERIES, epoch


class Counter(NamedTuple):
    """What counts: complaints of a source in intervals of one width, or reports of a source (width 0)."""

    channel: str
    source: str
    interval_s: int


def counted(store: Store, service: str, since: datetime, until: datetime) -> dict[Counter, float]:
    """Return what was counted of a service in [since, until); a counter of complaints without a row is not named."""
    complaints = store.rows(
        f"SELECT s.source, s.interval_s, sum(c.total) FROM {OF_SERIES} WHERE s.service = ? AND c.start >= ?"
        " AND c.start < ? AND s.region = '' AND s.indicator = '' AND s.window != 'rolling'"
        " GROUP BY s.source, s.interval_s",
        (service, epoch(since), epoch(until)),
    )
    votes = store.rows(
        "SELECT source, sum(weight) FROM votes WHERE service = ? AND created >= ? AND created < ? GROUP BY source",
        (service, since, until),
    )
    totals = {Counter("complaints", row[0], row[1]): float(row[2]) for row in complaints}
    return totals | {Counter("votes", row[0], 0): float(row[1] or 0.0) for row in votes}
