"""What detectors judge: which series there are, their counts and baselines, and what was collected since."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import NamedTuple

from pipeline.core.count_columns import CountArrays, SeriesCounts, to_arrays
from pipeline.core.series import Mention, SeriesColumn, SeriesCount, SeriesKey, totals
from pipeline.core.times import utc
from pipeline.core.vocabulary import VoteReason
from pipeline.store import Store
from pipeline.store.count_tables import SERIES, VALUES
from pipeline.store.counts import OF_SERIES, epoch, from_epoch
from pipeline.store.kept_answers import DistinctQuestion
from pipeline.store.runs import heard

_COUNTED = f"EXISTS (SELECT 1 FROM {VALUES} WHERE series = id)"
_OF_GROUP = "s.source = ? AND s.interval_s = ? AND s.window = ?"


def mentions(store: Store, source: str, since: datetime, until: datetime) -> list[Mention]:
    """Return every mention of a service in posts of a source's users created in [since, until), oldest first."""
    return store.kept.spans.mentions.rows(source, since, until, partial(_read_mentions, store, source))


def _read_mentions(store: Store, source: str, since: datetime, until: datetime) -> list[Mention]:
    rows = store.rows(
        "SELECT t.service, t.created, ifnull(v.weight, 0) > 0, ifnull(v.shape, '') FROM post_tags t"
        " LEFT JOIN votes v USING"
        " (source, native_id, service) WHERE t.source = ? AND t.created >= ? AND t.created < ?"
        " AND ifnull(v.reason, '') != ? ORDER BY t.created, t.native_id, t.service",
        (source, since, until, VoteReason.NOT_A_USER),
    )
    return [Mention(service, utc(stamp), bool(counted), fingerprint) for service, stamp, counted, fingerprint in rows]


def distinct(store: Store, table: str, column: str, where: str = "1", values: tuple[object, ...] = ()) -> list[str]:
    """Return the distinct values of an indexed column as text, in order.

    It hops from one to the next: the cost is in values, not rows.
    """
    kept, question = store.kept.distinct_values, DistinctQuestion(table, column, where, values)
    if question in kept:
        return kept[question]
    distinct_values: list[str] = []
    row = store.rows(f"SELECT min({column}) FROM {table} WHERE {where}", values)[0]
    while row[0] is not None:
        distinct_values.append(str(row[0]))
        row = store.rows(f"SELECT min({column}) FROM {table} WHERE {where} AND {column} > ?", (*values, row[0]))[0]
    kept[question] = distinct_values
    return distinct_values


def post_sources(store: Store) -> list[str]:
    """Return the sources that have brought posts, sorted."""
    return distinct(store, "posts", "source")


def series_sources(store: Store, service: str) -> list[str]:
    """Return the sources of a service's series."""
    return [row[0] for row in store.rows("SELECT DISTINCT source FROM series WHERE service = ?", (service,))]


def series_columns(store: Store, channel: str, source: str, bin_s: int) -> list[SeriesColumn]:
    """Return the columns of the known series of a channel, source and bin width."""
    sql = "SELECT DISTINCT service, indicator FROM series WHERE channel = ? AND source = ? AND bin_s = ?"
    return [SeriesColumn(*row) for row in store.rows(sql, (channel, source, bin_s))]


class CountGroup(NamedTuple):
    """The complaint counts of one source, width and window."""

    source: str
    interval_s: int
    window: str


def count_groups(store: Store) -> list[CountGroup]:
    """Return every kind of complaint count that is judged: rolling ones are not."""
    groups = []
    for source in count_sources(store):
        for width in map(int, distinct(store, SERIES, "interval_s", f"{_COUNTED} AND source = ?", (source,))):
            of_width = f"{_COUNTED} AND source = ? AND interval_s = ?"
            windows = distinct(store, SERIES, "window", of_width, (source, width))
            groups += [CountGroup(source, width, window) for window in windows if window != "rolling"]
    return groups


def count_sources(store: Store) -> list[str]:
    """Return the sources that have counted anything, sorted."""
    return distinct(store, SERIES, "source", _COUNTED)


def counts_collected_after(
    store: Store, service: str, source: str, since: datetime, until: datetime, at: datetime
) -> int:
    """Return how many complaint counts of intervals that began in [since, until) were collected after a moment."""
    (row,) = store.rows(
        f"SELECT count(*) AS n FROM {OF_SERIES} WHERE s.service = ? AND s.source = ? AND c.start >= ? AND c.start < ?"
        " AND c.collected > ?",
        (service, source, epoch(since), epoch(until), epoch(at)),
    )
    return int(row["n"])


def zero_counts_until(store: Store, key: SeriesKey, since: datetime, until: datetime) -> datetime | None:
    """Return up to when the complaint counts of a service from `since` on were zero; None where none are stored.

    That is the end of the last one before `until`, or the start of the first that is not zero.
    """
    (row,) = store.rows(
        f"SELECT max(c.start) AS last, min(CASE WHEN c.total > 0 THEN c.start END) AS counted FROM {OF_SERIES}"
        " WHERE s.service = ? AND s.source = ? AND s.interval_s = ? AND s.window != 'rolling'"
        " AND c.start >= ? AND c.start < ?",
        (key.service, key.source, key.bin_s, epoch(since), epoch(until)),
    )
    if row["last"] is None:
        return None
    return from_epoch(row["last"] + key.bin_s if row["counted"] is None else row["counted"])


def counts(store: Store, source: str, interval_s: int, window: str, since: datetime, until: datetime) -> SeriesCounts:
    """Return the counts of all regions together in a span, those of a series in their order.

    Where a total exists for an interval it is the count; else the count is the sum of its regions, or of its
    indicators when no region is told.
    """
    import numpy as np

    kind, span = (source, interval_s, window), (epoch(since), epoch(until))
    if any(distinct(store, f"{SERIES} s", part, _OF_GROUP, kind) not in ([], [""]) for part in ("region", "indicator")):
        return _counts_of_parts(store, (*kind, *span))
    rows = store.rows(
        f"SELECT s.service, c.start, c.total FROM {OF_SERIES} WHERE {_OF_GROUP} AND s.region = '' AND s.indicator = ''"
        " AND c.start >= ? AND c.start < ?",
        (*kind, *span),
    )
    place_of: dict[str, int] = {}
    place = np.array([place_of.setdefault(row[0], len(place_of)) for row in rows], dtype=np.int64)
    at = np.array([row[1] for row in rows], dtype=np.int64)
    total = np.array([row[2] for row in rows], dtype=np.float64)
    found = [SeriesColumn(service) for service in place_of]
    columns = sorted(found)
    return SeriesCounts(columns, CountArrays(place, at, total).moved(found, columns))


def _counts_of_parts(store: Store, asked: tuple[object, ...]) -> SeriesCounts:
    """Return the counts of a source, width, window and span, of which some are of regions or indicators."""
    rows = store.rows(
        "SELECT s.service, s.indicator, c.start, max(CASE WHEN s.region = '' THEN c.total END),"
        f" sum(CASE WHEN s.region != '' THEN c.total END) FROM {OF_SERIES} WHERE {_OF_GROUP}"
        " AND c.start >= ? AND c.start < ? GROUP BY s.service, s.indicator, c.start"
        " ORDER BY c.start, s.service, s.indicator",
        asked,
    )
    raw = totals((row[0], row[1], from_epoch(row[2]), int(row[3] if row[3] is not None else row[4])) for row in rows)
    columns = sorted({count.column for count in raw})
    return SeriesCounts(columns, to_arrays(raw, columns))


def baselines(
    store: Store, source: str, interval_s: int, window: str, since: datetime, until: datetime
) -> list[SeriesCount]:
    """Return what a source itself expects in the intervals of a span, of services as a whole, where it says."""
    rows = store.rows(
        f"SELECT s.service, c.start, c.baseline FROM {OF_SERIES} WHERE {_OF_GROUP}"
        " AND c.start >= ? AND c.start < ? AND s.region = '' AND s.indicator = '' AND c.baseline IS NOT NULL"
        " ORDER BY c.start",
        (source, interval_s, window, epoch(since), epoch(until)),
    )
    return [SeriesCount(SeriesColumn(row[0]), from_epoch(row[1]), float(row[2])) for row in rows]


def newest_start(store: Store, source: str, interval_s: int, window: str) -> datetime | None:
    """Return the start of the newest interval a source has counted."""
    sql = f"SELECT max((SELECT max(start) FROM {VALUES} WHERE series = s.id)) FROM {SERIES} s WHERE {_OF_GROUP}"
    (newest,) = store.rows(sql, (source, interval_s, window))[0]
    return from_epoch(newest) if newest is not None else None


def first_bin(store: Store, source: str, interval_s: int, window: str) -> datetime | None:
    """Return the oldest moment a source knows of: for posts (no window) the first covered, else its first interval."""
    if not window:
        spans = heard(store, source)
        return spans[0][0] if spans else None
    sql = f"SELECT min((SELECT min(start) FROM {VALUES} WHERE series = s.id)) FROM {SERIES} s WHERE {_OF_GROUP}"
    (first,) = store.rows(sql, (source, interval_s, window))[0]
    return from_epoch(first) if first is not None else None


def oldest_change(store: Store, source: str, interval_s: int, window: str, since: datetime) -> datetime | None:
    """Return the oldest time of rows collected after a moment (posts when no window): what may need judging again."""
    if not window:
        row = store.rows("SELECT min(created) FROM posts WHERE source=? AND collected > ?", (source, since))[0]
        return utc(row[0]) if row[0] else None
    # by the index of what was collected when: a span of it for each series
    sql = f"SELECT min(c.start) FROM {OF_SERIES} WHERE {_OF_GROUP} AND c.collected > ?"
    (oldest,) = store.rows(sql, (source, interval_s, window, epoch(since)))[0]
    return from_epoch(oldest) if oldest is not None else None


def newest_collected(store: Store, source: str, window: str) -> datetime | None:
    """Return when the newest row of a source was collected (posts when no window)."""
    if not window:
        row = store.rows("SELECT max(collected) FROM posts WHERE source=?", (source,))[0]
        return utc(row[0]) if row[0] else None
    sql = f"SELECT max((SELECT max(collected) FROM {VALUES} WHERE series = s.id)) FROM {SERIES} s WHERE s.source = ?"
    (newest,) = store.rows(sql, (source,))[0]
    return from_epoch(newest) if newest is not None else None
