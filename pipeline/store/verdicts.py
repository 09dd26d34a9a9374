"""What the detector works on and what it found: counts by series, verdicts, detector state."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple

from pipeline.core.series import Mention, SeriesColumn, SeriesCount, SeriesKey, VerdictPoint, VerdictRow, totals
from pipeline.core.times import iso, utc
from pipeline.core.vocabulary import VoteReason
from pipeline.store import Store
from pipeline.store.count_tables import SERIES, VALUES
from pipeline.store.counts import OF_SERIES, epoch, from_epoch
from pipeline.store.kept_answers import DistinctQuestion
from pipeline.store.runs import get_checkpoint, heard, set_checkpoint

_COUNTED = f"EXISTS (SELECT 1 FROM {VALUES} WHERE series = id)"
_OF_GROUP = "s.source = ? AND s.interval_s = ? AND s.window = ?"


def mentions(store: Store, source: str, since: datetime, until: datetime) -> list[Mention]:
    """Return every mention of a service in posts of a source's users created in [since, until), oldest first."""
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


def alarm_starts(store: Store) -> list[datetime]:
    """Return the starts of the bins in which any series was in alarm, oldest first, one for each series."""
    return [utc(row[0]) for row in store.rows("SELECT bin_start FROM verdicts WHERE alarm = 1 ORDER BY bin_start")]


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


def counts(
    store: Store, source: str, interval_s: int, window: str, since: datetime, until: datetime
) -> list[SeriesCount]:
    """Return the counts of all regions together in a span.

    Where a total exists for an interval it is the count; else the count is the sum of its regions, or of its
    indicators when no region is told.
    """
    rows = store.rows(
        "SELECT s.service, s.indicator, c.start, max(CASE WHEN s.region = '' THEN c.total END),"
        f" sum(CASE WHEN s.region != '' THEN c.total END) FROM {OF_SERIES} WHERE {_OF_GROUP}"
        " AND c.start >= ? AND c.start < ? GROUP BY s.service, s.indicator, c.start"
        " ORDER BY c.start, s.service, s.indicator",
        (source, interval_s, window, epoch(since), epoch(until)),
    )
    return totals((row[0], row[1], from_epoch(row[2]), int(row[3] if row[3] is not None else row[4])) for row in rows)


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


class StateMark(NamedTuple):
    """Of which detector a stored state is, and the moment up to which it judged."""

    detector: str
    through: datetime


class StoredState(NamedTuple):
    """A detector's state to be stored: which detector, the version of the form, the moment up to which it judged.

    parts: how many it has. content: those of them that are not stored already, by number.
    """

    detector: str
    version: int
    through: datetime
    parts: int
    content: Mapping[int, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What one pass over a group of series concluded.

    `states` are by slot (`now`, `day`). `redo_from` is from when older verdicts are replaced, None for none.
    `collected` is when the newest row that was seen was collected: what is collected later is looked at again.
    """

    subject: str
    keys: Sequence[SeriesKey]
    verdicts: Sequence[VerdictRow]
    states: Mapping[str, StoredState]
    redo_from: datetime | None
    now: datetime
    collected: datetime | None


def save_judgement(store: Store, judgement: Judgement) -> int:
    """Store series, verdicts and detector state in one transaction; return how many verdicts changed."""
    subject, keys, now = judgement.subject, judgement.keys, judgement.now
    with store.transaction() as conn:
        new_keys = {name: k for k in keys if (name := str(k)) not in store.kept.series}
        conn.executemany(
            "INSERT OR IGNORE INTO series VALUES (?,?,?,?,?,?,?)",
            [(name, k.service, k.channel, k.source, k.region, k.indicator, k.bin_s) for name, k in new_keys.items()],
        )
        store.kept.series.update(new_keys)
        if judgement.redo_from is not None:
            conn.executemany(
                "DELETE FROM verdicts WHERE series=? AND bin_start >= ?", [(str(k), judgement.redo_from) for k in keys]
            )
            store.kept.note_verdicts(dict.fromkeys(map(str, keys), judgement.redo_from))
        new = conn.executemany(
            "INSERT OR REPLACE INTO verdicts VALUES (?,?,?,?,?,?,?,?,?,?)", judgement.verdicts
        ).rowcount
        if judgement.verdicts:
            oldest = utc(min(verdict.bin_start for verdict in judgement.verdicts))
            store.kept.note_verdicts(dict.fromkeys(map(str, keys), oldest))
        for slot, state in judgement.states.items():
            put_state(conn, subject, slot, state)
        set_checkpoint(conn, "detect", subject, iso(min(judgement.collected or now, now)))
        alarmed = [verdict.bin_start for verdict in judgement.verdicts if verdict.alarm]
        if alarmed:
            # explain is woken by when an alarm was written, not by where its bin lies: wide and late bins count too
            set_checkpoint(conn, "detect", "alarmed", max(iso(now), get_checkpoint(store, "detect", "alarmed") or ""))
            set_checkpoint(conn, "detect", "alarmed_bin", min(alarmed))
    return max(0, new)


def has_state(store: Store) -> bool:
    """Return whether a detector has judged anything here."""
    return bool(store.rows("SELECT 1 FROM detector_state LIMIT 1"))


def put_state(conn: sqlite3.Connection, subject: str, slot: str, state: StoredState) -> None:
    """Store a detector's state, inside the caller's transaction."""
    conn.execute(
        "INSERT INTO detector_state VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET detector=excluded.detector,"
        " version=excluded.version, through=excluded.through",
        (subject, slot, state.detector, state.version, state.through),
    )
    conn.executemany(
        "INSERT INTO detector_state_parts VALUES (?,?,?,?) ON CONFLICT DO UPDATE SET bytes=excluded.bytes",
        [(subject, slot, part, content) for part, content in state.content.items()],
    )
    conn.execute(
        "DELETE FROM detector_state_parts WHERE subject=? AND slot=? AND part >= ?", (subject, slot, state.parts)
    )


def state_mark(store: Store, subject: str, slot: str) -> StateMark | None:
    """Return what a stored detector state is, without reading it; None where there is none."""
    known = store.rows("SELECT detector, through FROM detector_state WHERE subject=? AND slot=?", (subject, slot))
    return StateMark(known[0][0], utc(known[0][1])) if known else None


def state_version(store: Store, subject: str, slot: str) -> int | None:
    """Return the version of the form of a stored detector state; None where there is none."""
    known = store.rows("SELECT version FROM detector_state WHERE subject=? AND slot=?", (subject, slot))
    return int(known[0][0]) if known else None


def state_parts(store: Store, subject: str, slot: str, parts: Sequence[int] | None = None) -> dict[int, bytes]:
    """Return the stored parts of a state by number, None for all; those that there are not are left out."""
    sql = "SELECT part, bytes FROM detector_state_parts WHERE subject=? AND slot=?"
    if parts is None:
        return dict(map(tuple, store.rows(sql + " ORDER BY part", (subject, slot))))
    chosen = sql + " AND part IN (SELECT value FROM json_each(?))"
    return dict(map(tuple, store.rows(chosen, (subject, slot, json.dumps(list(parts))))))


def forget_old_verdicts(store: Store, before: datetime) -> int:
    """Delete verdicts older than a moment that say nothing unusual; return how many went.

    Those around incidents stay: without them a chart drawn later would show holes where all was quiet.
    """
    sql = (
        "WITH kept AS MATERIALIZED (SELECT s.series, strftime('%Y-%m-%dT%H:%M:%SZ', i.onset, '-6 hours') AS since,"
        " ifnull(strftime('%Y-%m-%dT%H:%M:%SZ', i.\"end\", '+3 hours'), '9') AS until FROM incidents i"
        " JOIN series s USING (service))"
        " DELETE FROM verdicts WHERE bin_start < ? AND (score IS NULL OR score < 2) AND alarm = 0"
        " AND NOT EXISTS (SELECT 1 FROM kept"
        " WHERE kept.series = verdicts.series AND bin_start >= kept.since AND bin_start < kept.until)"
    )
    with store.transaction() as conn:
        store.kept.forget_verdicts()
        return conn.execute(sql, (before,)).rowcount


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
        points = store.kept.points(row["series"], since, until, partial(_read_points, store, row["series"]))
        if points:
            points_of_series[_series_key(row)] = points
    return points_of_series


def _read_points(store: Store, series: str, since: datetime, until: datetime) -> list[VerdictPoint]:
    sql = (
        "SELECT bin_start, observed, expected, upperbound, score, level FROM verdicts"
        " WHERE series = ? AND bin_start >= ? AND bin_start < ? ORDER BY bin_start"
    )
    return [_point(*found) for found in store.rows(sql, (series, since, until))]


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
