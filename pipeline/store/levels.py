"""How much was counted of a service in a span: complaints by source, and reports that count as votes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from pipeline.core.times import utc
from pipeline.store import Store
from pipeline.store.count_tables import SERIES
from pipeline.store.counts import OF_SERIES, epoch


class Counter(NamedTuple):
    """What counts: complaints of a source in intervals of one width, or reports of a source (width 0)."""

    channel: str
    source: str
    interval_s: int


class Bin(NamedTuple):
    """Complaints in one interval, by the epoch seconds of its start and end."""

    start: int
    end: int
    total: float


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


def ended_bins(store: Store, service: str, since: datetime, until: datetime) -> dict[Counter, list[Bin]]:
    """Return the intervals of complaints about a service that ended in (since, until], by counter, oldest first."""
    rows = store.rows(
        f"SELECT s.source, s.interval_s, c.start, sum(c.total) FROM {OF_SERIES} WHERE s.service = ?"
        " AND c.start > ? - s.interval_s AND c.start <= ? - s.interval_s"
        " AND s.region = '' AND s.indicator = '' AND s.window != 'rolling'"
        " GROUP BY s.source, s.interval_s, c.start ORDER BY c.start",
        (service, epoch(since), epoch(until)),
    )
    bins: dict[Counter, list[Bin]] = {}
    for source, width, start, total in rows:
        bins.setdefault(Counter("complaints", source, width), []).append(Bin(start, start + width, float(total)))
    return bins


def services_of_count_files(store: Store) -> frozenset[str]:
    """Return the services of which a file of counts had a row when it was read in a run."""
    rows = store.rows(f"SELECT DISTINCT service FROM {SERIES} WHERE source GLOB 'counts:*'")
    return frozenset(row[0] for row in rows)


def newest_data(store: Store, service: str, until: datetime) -> datetime | None:
    """Return when the newest complaint count of a service ended, or its newest counted report; None without any."""
    counts = store.rows(
        f"SELECT max(c.start + s.interval_s) FROM {OF_SERIES} WHERE s.service = ? AND c.start <= ? - s.interval_s",
        (service, epoch(until)),
    )[0][0]
    votes = store.rows("SELECT max(created) FROM votes WHERE service = ? AND created <= ?", (service, until))[0][0]
    known = [datetime.fromtimestamp(counts, tz=UTC)] if counts is not None else []
    return max(known + ([utc(votes)] if votes else []), default=None)
