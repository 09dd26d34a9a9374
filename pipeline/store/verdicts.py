"""What detectors concluded: verdicts by series, and how a pass over a group of series is saved."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial

from msgspec import Struct

from pipeline.core.series import SeriesKey, VerdictPoint
from pipeline.core.times import iso, utc
from pipeline.core.verdict_columns import VerdictColumns
from pipeline.store import Store
from pipeline.store.detector_state import StoredState, put_state
from pipeline.store.runs import get_checkpoint, set_checkpoint


def alarm_starts(store: Store) -> list[datetime]:
    """Return the starts of the bins in which any series was in alarm, oldest first, one for each series."""
    return [utc(row[0]) for row in store.rows("SELECT bin_start FROM verdicts WHERE alarm = 1 ORDER BY bin_start")]


class Judgement(Struct, frozen=True, kw_only=True):
    """What one pass over a group of series concluded.

    `states` are by slot (`now`, `day`). `redo_from` is from when older verdicts are replaced, None for none.
    `collected` is when the newest row that was seen was collected: what is collected later is looked at again.
    """

    subject: str
    keys: Sequence[SeriesKey]
    verdicts: Sequence[VerdictColumns]
    states: Mapping[str, StoredState]
    redo_from: datetime | None
    now: datetime
    collected: datetime | None


def save_judgement(store: Store, judgement: Judgement) -> int:
    """Store series, verdicts and detector state in one transaction; return how many verdicts there were."""
    subject, keys, now = judgement.subject, judgement.keys, judgement.now
    names, found = list(map(str, keys)), [part for part in judgement.verdicts if part.size]
    with store.transaction() as conn:
        new_keys = {name: k for name, k in zip(names, keys, strict=True) if name not in store.kept.series}
        conn.executemany(
            "INSERT OR IGNORE INTO series VALUES (?,?,?,?,?,?,?)",
            [(name, k.service, k.channel, k.source, k.region, k.indicator, k.bin_s) for name, k in new_keys.items()],
        )
        store.kept.series.update(new_keys)
        if store.held.is_judged_elsewhere(subject, names):
            _put(conn, store.held.release())
            store.held.holds = False
        if judgement.redo_from is not None:
            _put(conn, store.held.release())
            conn.executemany(
                "DELETE FROM verdicts WHERE series=? AND bin_start >= ?",
                [(name, judgement.redo_from) for name in names],
            )
            store.kept.note_verdicts(dict.fromkeys(names, judgement.redo_from))
        _put(conn, store.held.hold(found))
        if found:
            oldest = utc(min(str(part.bin_start[0]) for part in found))
            store.kept.note_verdicts(dict.fromkeys(names, oldest))
        for slot, state in judgement.states.items():
            put_state(conn, subject, slot, state)
        set_checkpoint(conn, "detect", subject, iso(min(judgement.collected or now, now)))
        alarmed = [start for part in found for start in part.bin_start[part.alarm != 0].tolist()]
        if alarmed:
            # explain is woken by when an alarm was written, not by where its bin lies: wide and late bins count too
            set_checkpoint(conn, "detect", "alarmed", max(iso(now), get_checkpoint(store, "detect", "alarmed") or ""))
            set_checkpoint(conn, "detect", "alarmed_bin", min(alarmed))
    return sum(part.size for part in found)


def _put(conn: sqlite3.Connection, verdicts: Iterable[VerdictColumns]) -> None:
    rows = [row for part in verdicts for row in part.rows()]
    conn.executemany("INSERT OR REPLACE INTO verdicts VALUES (?,?,?,?,?,?,?,?,?,?)", rows)


@contextmanager
def holding_verdicts(store: Store) -> Iterator[None]:
    """Hold quiet verdicts within, and write at the end those that were not forgotten.

    Nobody else may read or write the database's verdicts meanwhile. Where there are verdicts already all are written
    at once: a quiet one may replace one that is not.
    """
    store.held.holds = not store.rows("SELECT 1 FROM verdicts LIMIT 1")
    try:
        yield
    finally:
        try:
            write_held_verdicts(store)
        finally:
            store.held.holds = False


def write_held_verdicts(store: Store) -> None:
    """Write the verdicts that are held, in a transaction: the database itself is read next."""
    with store.transaction() as conn:
        _put(conn, store.held.release())


_AROUND_INCIDENTS = (
    "WITH kept AS MATERIALIZED (SELECT s.series, strftime('%Y-%m-%dT%H:%M:%SZ', i.onset, '-6 hours') AS since,"
    " ifnull(strftime('%Y-%m-%dT%H:%M:%SZ', i.\"end\", '+3 hours'), '9') AS until FROM incidents i"
    " JOIN series s USING (service))"
)


def forget_old_verdicts(store: Store, before: datetime) -> None:
    """Delete verdicts older than a moment that say nothing unusual.

    Those around incidents stay: without them a chart drawn later would show holes where all was quiet.
    """
    sql = (
        f"{_AROUND_INCIDENTS} DELETE FROM verdicts WHERE bin_start < ? AND (score IS NULL OR score < 2) AND alarm = 0"
        " AND NOT EXISTS (SELECT 1 FROM kept"
        " WHERE kept.series = verdicts.series AND bin_start >= kept.since AND bin_start < kept.until)"
    )
    with store.transaction() as conn:
        store.kept.forget_verdicts()
        if (oldest := store.held.oldest) is not None:
            touched = f"{_AROUND_INCIDENTS} SELECT DISTINCT series FROM kept WHERE since < ? AND until > ?"
            kept = {row[0] for row in conn.execute(touched, (before, oldest))}
            _put(conn, store.held.forget(iso(before), kept))
        conn.execute(sql, (before,))


def verdicts(
    store: Store, since: datetime, until: datetime, *, service: str | None = None, minimum: float | None = None
) -> dict[SeriesKey, list[VerdictPoint]]:
    """Return the judged bins that were kept in [since, until), by series, oldest first.

    `minimum` restricts to series with at least one such score in the span.
    """
    # the series first, then each one's stretch of the key: by time alone every series would be read
    chosen, values = "SELECT * FROM series WHERE 1", [since, until, minimum] if minimum is not None else []
    if minimum is not None:
        chosen += (
            " AND series IN (SELECT series FROM verdicts WHERE bin_start >= ? AND bin_start < ?"
            " AND score >= ? AND score >= 2)"
        )
    if service is not None:
        chosen, values = chosen + " AND service = ?", [*values, service]
    points_of_series: dict[SeriesKey, list[VerdictPoint]] = {}
    for row in store.rows(chosen + " ORDER BY series", tuple(values)):
        points = store.kept.spans.points.rows(row["series"], since, until, partial(_read_points, store, row["series"]))
        if points:
            points_of_series[_series_key(row)] = points
    return points_of_series


def _read_points(store: Store, series: str, since: datetime, until: datetime) -> list[VerdictPoint]:
    sql = (
        "SELECT bin_start, observed, expected, upperbound, score, level FROM verdicts"
        " WHERE series = ? AND bin_start >= ? AND bin_start < ? ORDER BY bin_start"
    )
    written = [_point(*found) for found in store.rows(sql, (series, since, until))]
    held = [
        VerdictPoint(utc(start), *known)
        for part in store.held.of_series(series, iso(since), iso(until))
        for start, *known in zip(*(values.tolist() for values in part[1:6]), part.level.tolist(), strict=True)
    ]
    return sorted([*written, *held]) if held else written


def services_near_alarm(store: Store, since: datetime, until: datetime, least: float, alarm: float) -> list[str]:
    """Return the services with a complaint count in [since, until) that scores from `least` to below `alarm`."""
    rows = store.rows(
        "SELECT DISTINCT s.service FROM verdicts v CROSS JOIN series s WHERE s.series = v.series AND v.score >= 2"
        " AND v.bin_start >= ? AND v.bin_start < ? AND v.score >= ? AND v.score < ?"
        " AND s.channel = 'complaints' AND s.region = '' AND s.indicator = '' ORDER BY s.service",
        (since, until, least, alarm),
    )
    return [row[0] for row in rows]


def _series_key(row: sqlite3.Row) -> SeriesKey:
    return SeriesKey(
        service=row["service"],
        channel=row["channel"],
        source=row["source"],
        region=row["region"],
        indicator=row["indicator"],
        bin_s=row["bin_s"],
    )


def _point(
    start: str,
    observed: float | None,
    expected: float | None,
    upperbound: float | None,
    score: float | None,
    level: int,
) -> VerdictPoint:
    return VerdictPoint(
        utc(start),
        math.nan if observed is None else observed,
        math.nan if expected is None else expected,
        math.nan if upperbound is None else upperbound,
        math.nan if score is None else score,
        level,
    )
