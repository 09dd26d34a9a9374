"""The rows a database ends with, the messages of a day, and a scenario that begins later."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any


def dump(db: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table but runs, in key order."""
    conn = sqlite3.connect(db)
    tables = [
        r[0]
        for r in conn.execute(
            "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE '%fts%' AND name NOT LIKE 'sqlite%'"
        )
    ]
    return {
        t: sorted(conn.execute(f"SELECT * FROM {t}").fetchall(), key=repr)
        for t in tables
        if t not in ("runs", "_sqlite_migrations")
    }


def mails_of(result: dict[str, Any], day: str) -> list[dict[str, Any]]:
    return [a for a in result["alerts"] if a["at"].startswith(day)]


def begun_later(folder: Path, day: str) -> Path:
    """Let a scenario begin on another day, which leaves out what was before."""
    head = folder / "scenario.toml"
    head.write_text(head.read_text().replace("start = 2026-02-16", f"start = {day}"))
    assert f"start = {day}" in head.read_text()
    return folder
