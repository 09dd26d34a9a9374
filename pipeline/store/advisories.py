"""Surge advisories: stored as they begin, rise and end."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from pipeline.core.incidents import Advisory
from pipeline.core.times import utc, utc_or_none
from pipeline.store import Store


def advisories(store: Store, *, lasting: bool = False) -> list[Advisory]:
    """Return surge advisories, oldest first; `lasting` leaves out those that ended."""
    rows = store.rows(f"SELECT * FROM advisories {'WHERE until IS NULL' if lasting else ''} ORDER BY since, service")
    return [
        Advisory(
            service=r["service"],
            since=utc(r["since"]),
            until=utc_or_none(r["until"]),
            level=r["level"],
            reasons=tuple(json.loads(r["reasons"])),
            signals=tuple(tuple(s) for s in json.loads(r["signals"])),
        )
        for r in rows
    ]


def put_advisories(conn: sqlite3.Connection, rows: Iterable[Advisory]) -> None:
    """Write advisories over what was known of them, inside the caller's transaction."""
    conn.executemany(
        "INSERT OR REPLACE INTO advisories VALUES (?,?,?,?,?,?)",
        [
            (
                a.service,
                a.since,
                a.until,
                a.level,
                json.dumps(a.reasons, ensure_ascii=False),
                json.dumps(a.signals),
            )
            for a in rows
        ],
    )
