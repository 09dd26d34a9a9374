"""A database as version 0.1 made it, and steps that a later version may take."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from sqlite_utils import Database

from pipeline.store.kept_views import replace_by_view
from pipeline.store.schema import STEPS, Step
from tests.conftest import ROOT

OLD = (ROOT / "tests" / "database_0_1.sql").read_text(encoding="utf-8")


def split_labels(db: Database) -> None:
    """Store the table `labels` otherwise: what a later version may do."""
    db.execute(
        "CREATE TABLE opinions (source TEXT, native_id TEXT, service TEXT, verdict TEXT, said_at TEXT,"
        " PRIMARY KEY (source, native_id, service)) STRICT"
    )
    db.execute(
        "INSERT INTO opinions SELECT source, native_id, service, iif(outage, 'outage', 'none'), labelled_at FROM labels"
    )
    replace_by_view(
        db.conn,
        "labels",
        "SELECT source, native_id, service, verdict = 'outage' AS outage, said_at AS labelled_at FROM opinions",
    )


def rebuild_incidents(db: Database) -> None:
    """Build a table anew that others refer to."""
    db.execute("CREATE TABLE built AS SELECT * FROM incidents")
    (statement,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'incidents'").fetchone()
    db.execute("DROP TABLE incidents")
    db.execute(statement)
    db.execute("INSERT INTO incidents SELECT * FROM built")
    db.execute("DROP TABLE built")


# the steps that the database of version 0.1 has taken, and two of our own
TAKEN = dict(list(STEPS.items())[: list(STEPS).index("cut_states") + 1])
LATER: Mapping[str, Step] = {**TAKEN, "split_labels": split_labels, "rebuild_incidents": rebuild_incidents}


def old_database(path: Path) -> Path:
    """Write a database as version 0.1 made it."""
    with sqlite3.connect(path) as conn:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.executescript(OLD)
    conn.close()
    return path


def open_plain(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def rows_of(path: Path, sql: str) -> list[tuple[object, ...]]:
    conn = open_plain(path)
    try:
        return conn.execute(sql).fetchall()
    finally:
        conn.close()
