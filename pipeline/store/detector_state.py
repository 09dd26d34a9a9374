"""The stored states of detectors, in parts: a pass writes those parts only that changed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from pipeline.core.times import utc
from pipeline.store import Store


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
