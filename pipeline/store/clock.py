"""A clock that stood wrong: which of two runs' clocks is right, and what a run with a clock ahead left behind."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from pipeline.core.errors import ClockError
from pipeline.core.quantities import quantity
from pipeline.core.times import iso, utc
from pipeline.store import Store
from pipeline.store.counts import count_future_intervals, forget_future_counts
from pipeline.store.damage import TIME_COLUMNS
from pipeline.store.runs import checkpoints, delete_checkpoints, run_times, set_checkpoint

WRONG, DOUBTED = "wrong", "doubted"  # notes of what servers showed of the clock
AHEAD = timedelta(minutes=5)  # sources refuse what is dated further ahead of the clock
PAUSE = timedelta(hours=1)  # between two runs: less is no pause
CORRECTED = "corrected"  # the note of when times were last corrected to the clock
WITNESSES = 3  # posts, news and counts dated after now by those who made them; of providers' notices one is enough
# rows that are dated by our own clock are no witnesses: observed states of a page, counts worked out of a rolling total
_DATED_LATER = """SELECT
 (SELECT count(*) FROM posts WHERE created > :at) + (SELECT count(*) FROM news_items WHERE published > :at),
 (SELECT count(*) FROM status_updates WHERE created_at > :at AND timing != 'observed')"""
# dated by our clock alone, or worked out of such rows: offered again, judged again
_MISDATED = (
    ("detector_state", "through"),
    ("verdicts", "bin_start"),
    ("chart_ranks", "observed"),
    ("outside_verdicts", "observed"),
    ("incidents", "onset"),
    ("advisories", "since"),
    ("coverage", "since"),
)
_MAY_LIE_AHEAD = frozenset(
    [
        ("alerts", "due_at"),
        ("count_hours", "hour"),  # as the file or the service says
        ("silences", "since"),
        ("silences", "until"),
        ("advisories", "until"),
        ("official_incidents", "scheduled_for"),
        ("official_incidents", "scheduled_until"),
    ]
)
_TABLES = """SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
 AND name NOT LIKE '%\\_fts%' ESCAPE '\\'"""


class ClockNotes(NamedTuple):
    """What the last collect found of this machine's clock, in words; empty where there was nothing to find."""

    wrong: str = ""
    doubted: str = ""


def clock_notes(store: Store) -> ClockNotes:
    """Return what the last collect found of the clock."""
    known = checkpoints(store, "clock")
    return ClockNotes(known.get(WRONG, ""), known.get(DOUBTED, ""))


def note_clock(store: Store, notes: ClockNotes) -> None:
    """Keep what a collect found of the clock in place of what an earlier one did; it is not dated."""
    if notes == clock_notes(store):
        return
    with store.transaction() as conn:
        delete_checkpoints(conn, "clock", (WRONG, DOUBTED))
        for key, words in ((WRONG, notes.wrong), (DOUBTED, notes.doubted)):
            if words:
                set_checkpoint(conn, "clock", key, words)


def rewind_future_clock(store: Store, now: datetime) -> datetime | None:
    """Undo what a run with a clock ahead left, so that nothing is in the future; return its time, None for none.

    A run is taken for one of those when it is the last one and dated minutes after `now`. Rows stay, dated `now` at
    the latest; what was judged or found after `now` is taken back without a message, and is found again, under the
    same names, if it is true. Raises ClockError where upstreams themselves date rows after `now`: then the clock is
    behind, and nothing is done until it is right.
    """
    last = store.rows("SELECT started FROM runs ORDER BY rowid DESC LIMIT 1")
    if not last or utc(last[0][0]) <= now + AHEAD:
        return None
    ((written, notices),) = store.rows(_DATED_LATER, {"at": now + AHEAD})
    written += count_future_intervals(store, now + AHEAD)
    if written >= WITNESSES or notices:
        raise ClockError(
            f"the clock says {iso(now)}, but upstreams date {quantity(written + notices, 'row')} of theirs later,"
            f" and the last run was dated {last[0][0]}: nothing is done until the clock is right"
        )
    with store.transaction() as conn:
        before = now - timedelta(seconds=1)  # what is judged or collected now comes after it, and is explained
        conn.execute(
            "UPDATE stage_memory SET value = ? WHERE value GLOB '????-??-??T??:??:??Z' AND value > ?", (before, now)
        )
        # what nobody tried to send is planned again from what is true now
        conn.execute(
            "DELETE FROM alerts WHERE sent_at IS NULL AND attempts = 0 AND created > ? AND incident != ''", (now,)
        )
        conn.execute(
            "UPDATE alerts SET due_at = :at WHERE due_at > :at AND (created > :at OR attempts > 0)", {"at": now}
        )
        forget_future_counts(conn, now)
        for table, column in _MISDATED:
            conn.execute(f"DELETE FROM {table} WHERE {column} > ?", (now,))
        # an end that was found in the future is none: explained again even where nothing new is read
        conn.execute("UPDATE stage_memory SET value = ? WHERE stage = 'detect' AND key = 'alarmed'", (now,))
        set_checkpoint(conn, "clock", CORRECTED, iso(now))
        for table, column in _time_columns(conn):
            conn.execute(f'UPDATE OR REPLACE "{table}" SET "{column}" = ? WHERE "{column}" > ?', (now, now))
    return utc(last[0][0])


def follows_pause(store: Store, now: datetime) -> bool:
    """Return whether more time has passed since the last run than lies between runs: or the clock has stepped ahead.

    Which of the two it is shows the next run.
    """
    times = run_times(store, "explain", now, 21)
    gaps = sorted(later - earlier for later, earlier in pairwise(times))
    return bool(gaps) and now - times[0] > max(PAUSE, 3 * gaps[len(gaps) // 2])


def _time_columns(conn: sqlite3.Connection) -> list[tuple[str, str]]:
    """Return the tables and columns that hold times which cannot lie ahead."""
    return [
        (table, row[1])
        for (table,) in conn.execute(_TABLES).fetchall()
        for row in conn.execute(f'PRAGMA table_info("{table}")')
        if row[2] == "TEXT" and row[1] in TIME_COLUMNS and (table, row[1]) not in _MAY_LIE_AHEAD
    ]
