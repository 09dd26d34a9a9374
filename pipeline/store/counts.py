"""Complaint counts, written and read; `count_tables` says how they are stored."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby, repeat
from typing import NamedTuple

from pipeline.core.count_columns import CountColumns, CountKey
from pipeline.core.records import ComplaintCount
from pipeline.core.times import iso, utc
from pipeline.store import Store
from pipeline.store.count_retention import rolled_up_hours, rolled_up_until
from pipeline.store.count_tables import ADD_GAPS, FILL_HOURS, HOUR_S, HOURS, SERIES, VALUES

_INSERT = f"INSERT INTO {VALUES} VALUES (?,?,?,?,?)"
_REPLACE = f"""{_INSERT} ON CONFLICT DO UPDATE SET total=excluded.total, baseline=excluded.baseline,
 collected=excluded.collected WHERE (excluded.total, ifnull(excluded.baseline, -1)) != (total, ifnull(baseline, -1))"""
_LEAVE = f"{_INSERT} ON CONFLICT DO NOTHING"
_HOURS = FILL_HOURS.format(" AND c.series IN (SELECT value FROM json_each(?)) AND c.start >= ? AND c.start < ?")
OF_SERIES = f"{SERIES} s CROSS JOIN {VALUES} c ON c.series = s.id"  # the few series first, then a part of each


class StoredCount(NamedTuple):
    """A row of the view `complaint_counts`: times as text in UTC, None where the source expects nothing."""

    service: str
    source: str
    region: str
    indicator: str
    start: str
    interval_s: int
    total: int
    baseline: float | None
    window: str
    collected: str


class CountValue(NamedTuple):
    """A count of a series: `start` and `collected` in seconds of the epoch, `baseline` None where none is known."""

    series: int
    start: int
    total: int
    baseline: float | None
    collected: int


def epoch(moment: datetime) -> int:
    """Return a moment as whole seconds of the epoch, fractions dropped; raises ValueError on one without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return int(moment.timestamp() // 1)


def from_epoch(seconds: int) -> datetime:
    """Return the moment of seconds of the epoch, in UTC."""
    return datetime.fromtimestamp(seconds, tz=UTC)


def count_key(row: ComplaintCount | StoredCount) -> CountKey:
    """Return the series that a count belongs to."""
    return CountKey(row.source, row.interval_s, row.window, row.service, row.region, row.indicator)


def series_ids(conn: sqlite3.Connection, keys: Iterable[CountKey]) -> dict[CountKey, int]:
    """Return the number of each series of the keys' sources, inside the caller's transaction; new ones are added."""
    wanted = dict.fromkeys(keys)
    select = f"SELECT source, interval_s, window, service, region, indicator, id FROM {SERIES} WHERE source = ?"
    insert = f"INSERT INTO {SERIES} (source, interval_s, window, service, region, indicator) VALUES (?,?,?,?,?,?)"
    sources = dict.fromkeys(key.source for key in wanted)
    known = {CountKey(*row[:6]): int(row[6]) for source in sources for row in conn.execute(select, (source,))}
    for key in wanted:
        if key not in known:
            known[key] = int(conn.execute(insert, key).lastrowid or 0)
    return known


def put_counts(conn: sqlite3.Connection, counts: Sequence[ComplaintCount]) -> int:
    """Write counts over what is known of their intervals, inside the caller's transaction; return how many changed."""
    keys = [count_key(count) for count in counts]
    if not keys:
        return 0
    ids = series_ids(conn, keys)
    values = [
        CountValue(ids[key], epoch(c.start), c.total, c.baseline, epoch(c.collected))
        for key, c in zip(keys, counts, strict=True)
    ]
    return put_values(conn, values)


def put_columns(conn: sqlite3.Connection, columns: CountColumns) -> int:
    """Write counts over what is known of their intervals, inside the caller's transaction; return how many changed."""
    import numpy as np

    ids = series_ids(conn, columns.keys)
    if columns.start.min() < rolled_up_until(conn):
        listed = (column.tolist() for column in (columns.series, columns.start, columns.total, columns.collected))
        known = [ids[key] for key in columns.keys]
        places = zip(*listed, strict=True)
        return put_values(conn, [CountValue(known[n], start, total, None, at) for n, start, total, at in places])
    series = np.array([ids[key] for key in columns.keys], dtype=np.int64)[columns.series]
    order = np.lexsort((columns.start, series))  # as they lie in the table
    lists = [column[order].tolist() for column in (series, columns.start, columns.total, columns.collected)]
    changed = max(0, conn.executemany(_REPLACE, zip(*lists[:3], repeat(None), lists[3], strict=False)).rowcount)
    if changed:
        series, starts = series[order], columns.start[order]
        hours = starts // HOUR_S
        begins = np.flatnonzero((np.diff(series, prepend=-1) != 0) | (np.diff(hours, prepend=-1) != 0))
        _put_hours(conn, zip(series[begins].tolist(), hours[begins].tolist(), strict=True))
        widths = np.array([key.interval_s for key in columns.keys])[columns.series][order]
        breaks = np.flatnonzero((np.diff(series) != 0) | (np.diff(starts) > widths[1:])) + 1
        firsts, lasts = np.concatenate(([0], breaks)), np.concatenate((breaks, [len(series)])) - 1
        runs = (values.tolist() for values in (series[firsts], starts[firsts], starts[lasts]))
        conn.executemany(ADD_GAPS, [_Run(*run)._asdict() for run in zip(*runs, strict=True)])
    return changed


def _not_rolled_up(conn: sqlite3.Connection, values: Sequence[CountValue]) -> Sequence[CountValue]:
    """Leave out counts of hours that were rolled up: offered again, they are known in their sum."""
    until = rolled_up_until(conn)
    old = {value.series for value in values if value.start < until}
    if not old:
        return values
    known = rolled_up_hours(conn, old, until)
    return [value for value in values if (value.series, value.start // HOUR_S) not in known]


def put_values(conn: sqlite3.Connection, values: Sequence[CountValue], *, replace: bool = True) -> int:
    """Write counts of known series and the sums of their hours, inside the caller's transaction.

    Returns how many changed; `replace` False leaves what is there.
    """
    values = _not_rolled_up(conn, values)
    if not values:
        return 0
    changed = max(0, conn.executemany(_REPLACE if replace else _LEAVE, values).rowcount)
    if changed:
        _put_hours(conn, {(value.series, value.start // HOUR_S) for value in values})
        conn.executemany(ADD_GAPS, [_Run(value.series, value.start, value.start)._asdict() for value in values])
    return changed


class _Run(NamedTuple):
    """Counts of a series from `first` to `last`, seconds of the epoch, between which none is missing."""

    series: int
    first: int
    last: int


class _Span(NamedTuple):
    """Whole hours from `since` up to `until`, seconds of the epoch."""

    since: int
    until: int


def _put_hours(conn: sqlite3.Connection, hours: Iterable[tuple[int, int]]) -> None:
    """Write the sums of hours, each a series and a number of hours of the epoch.

    Neighbouring hours are one span, and the series that have the same span are one statement.
    """
    by_span: dict[_Span, list[int]] = {}
    for (series, _), run in groupby(enumerate(sorted(hours)), key=lambda place: (place[1][0], place[1][1] - place[0])):
        touched = [hour for _, (_, hour) in run]
        by_span.setdefault(_Span(touched[0] * HOUR_S, (touched[-1] + 1) * HOUR_S), []).append(series)
    conn.executemany(_HOURS, [(json.dumps(series), *span) for span, series in by_span.items()])


def put_count_rows(conn: sqlite3.Connection, rows: Iterable[StoredCount]) -> int:
    """Write rows of the view `complaint_counts`, inside the caller's transaction, leaving what is there.

    Returns how many were new.
    """
    kept = list(rows)
    keys = [count_key(row) for row in kept]
    ids = series_ids(conn, keys)
    values = [
        CountValue(ids[key], epoch(utc(row.start)), row.total, row.baseline, epoch(utc(row.collected)))
        for key, row in zip(keys, kept, strict=True)
    ]
    return put_values(conn, values, replace=False)


def forget_future_counts(conn: sqlite3.Connection, now: datetime) -> None:
    """Drop counts worked out of moving totals after a moment, and date what is collected later to it.

    Inside the caller's transaction. Counts of intervals stay: when they start is what their source says.
    """
    at, hour = epoch(now), epoch(now) // HOUR_S * HOUR_S
    ours = f"SELECT id FROM {SERIES} WHERE window != 'interval'"
    conn.execute(f"DELETE FROM {VALUES} WHERE start > ? AND series IN ({ours})", (at,))
    conn.execute(f"DELETE FROM {HOURS} WHERE hour >= ? AND series IN ({ours})", (iso(from_epoch(hour)),))
    _put_hours(conn, {(row[0], hour // HOUR_S) for row in conn.execute(ours).fetchall()})
    conn.execute(f"UPDATE {VALUES} SET collected = ? WHERE collected > ?", (at, at))


def count_future_intervals(store: Store, at: datetime) -> int:
    """Return how many counts of intervals start after a moment."""
    sql = f"SELECT count(*) FROM {OF_SERIES} WHERE s.window = 'interval' AND c.start > ?"
    return int(store.rows(sql, (epoch(at),))[0][0])


def first_counted(store: Store, service: str) -> datetime | None:
    """Return the start of the oldest interval in which anything was counted of a service, None for never.

    Of counts that were rolled up it is the hour.
    """
    row = store.rows(
        f"SELECT min((SELECT min(start) FROM {VALUES} WHERE series = s.id)) AS start,"
        f" min((SELECT min(hour) FROM {HOURS} WHERE series = s.id)) AS hour FROM {SERIES} s WHERE s.service = ?",
        (service,),
    )[0]
    start = from_epoch(row["start"]) if row["start"] is not None else None
    hour = utc(row["hour"]) if row["hour"] is not None else None
    if start is None or hour is None or start - hour < timedelta(seconds=HOUR_S):
        return start or hour  # the hour that the oldest count lies in begins before it
    return hour
