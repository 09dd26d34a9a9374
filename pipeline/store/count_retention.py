"""Rolling up old counts: their sums by hour stay, the counts themselves go.

What stays as it is: the counts of a service that a source tells in parts only, since their sum is taken interval by
interval (the view `complaints_in_parts`). Of moving totals, which are never summed, the last of each hour stays.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime

from pipeline.core.times import iso
from pipeline.store import Store
from pipeline.store.count_tables import FILL_HOURS, HOUR_S, HOURS, SECONDS, SERIES, VALUES

_STAGE, _KEY = "counts", "rolled_up_until"
_DAY_S = 86400
_OF_WHOLES = f"""SELECT s.id FROM {SERIES} s WHERE s.window != 'rolling' AND EXISTS (SELECT 1 FROM {SERIES} t
 WHERE (t.source, t.service, t.region, t.indicator) = (s.source, s.service, '', '') AND t.window != 'rolling')"""
_LATER_IN_THE_HOUR = f"""EXISTS (SELECT 1 FROM {VALUES} l WHERE l.series = {VALUES}.series
 AND l.start > {VALUES}.start AND l.start < ({VALUES}.start / {HOUR_S} + 1) * {HOUR_S})"""
# it never moves back: of what was rolled up under a shorter `[keep] counts` only the sums are left
_NOTE_UNTIL = """INSERT INTO stage_memory VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value
 WHERE CAST(excluded.value AS INTEGER) > CAST(value AS INTEGER)"""
_BEGIN = SECONDS.format("h.hour")
_ROLLED_HOURS = f"""SELECT {_BEGIN} / {HOUR_S} AS hour FROM {HOURS} h WHERE h.series = ? AND h.hour < ?
 AND NOT EXISTS (SELECT 1 FROM {VALUES} c WHERE c.series = h.series
 AND c.start >= {_BEGIN} AND c.start < {_BEGIN} + {HOUR_S})"""


def roll_up_counts(store: Store, until: datetime) -> int:
    """Drop the counts of whole days (UTC) before a moment, whose sums by hour stay; return how many."""
    day = int(until.timestamp()) // _DAY_S * _DAY_S
    with store.transaction() as conn:
        conn.execute(FILL_HOURS.format(f" AND c.start < ? AND c.series IN ({_OF_WHOLES})"), (day,))
        gone = conn.execute(f"DELETE FROM {VALUES} WHERE start < ? AND series IN ({_OF_WHOLES})", (day,)).rowcount
        gone += conn.execute(
            f"DELETE FROM {VALUES} WHERE start < ? AND series IN (SELECT id FROM {SERIES} WHERE window = 'rolling')"
            f" AND {_LATER_IN_THE_HOUR}",
            (day,),
        ).rowcount
        conn.execute(_NOTE_UNTIL, (_STAGE, _KEY, str(day)))
    if gone:
        store.kept.forget_counts()
    return gone


def rolled_up_until(conn: sqlite3.Connection) -> int:
    """Return before which second of the epoch counts were rolled up; 0 where none were."""
    row = conn.execute("SELECT value FROM stage_memory WHERE stage = ? AND key = ?", (_STAGE, _KEY)).fetchone()
    return int(row[0]) if row is not None else 0


def rolled_up_hours(conn: sqlite3.Connection, series: Iterable[int], until: int) -> set[tuple[int, int]]:
    """Return the hours of which only the sum is left: the number of a series, and hours since the epoch.

    `until` is what `rolled_up_until` returned. A count of such an hour that is offered again is known already.
    """
    end = iso(datetime.fromtimestamp(until, tz=UTC))
    return {(one, row[0]) for one in series for row in conn.execute(_ROLLED_HOURS, (one, end))}
