"""Databases as each earlier form of the schema left them: all come to the same form, and no fact is lost.

Each file of `tests/databases` was written by the code that had that form, from the same small import.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest

from pipeline.config.paths import DASHBOARDS
from pipeline.store import Store
from pipeline.store.incidents import incidents
from pipeline.store.migration import RECORD
from pipeline.store.outbox import alerts_of
from tests.conftest import ROOT

OLD = sorted((ROOT / "tests" / "databases").glob("*.sql"))
# what steps change on purpose: states are kept in parts
MOVED = {("detector_state", "blob")}


def made(path: Path, script: Path) -> Path:
    with closing(sqlite3.connect(path)) as conn:
        conn.executescript(script.read_text(encoding="utf-8"))
    return path


def tables(conn: sqlite3.Connection) -> list[str]:
    """Return the tables with facts: not those of full-text search, and not the record of steps."""
    rows = conn.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%\\_fts%' ESCAPE '\\'")
    return [name for (name,) in rows if name != RECORD and not name.startswith("sqlite_")]


def columns(conn: sqlite3.Connection, table: str) -> list[tuple[str, ...]]:
    return [tuple(row) for row in conn.execute("SELECT name, type, pk FROM pragma_table_info(?)", (table,))]


def schema(conn: sqlite3.Connection) -> Mapping[str, object]:
    """Return columns by table, and the names of indexes, triggers and views."""
    others = conn.execute("SELECT name FROM sqlite_master WHERE type IN ('index', 'trigger', 'view')").fetchall()
    return {table: sorted(columns(conn, table)) for table in tables(conn)} | {name: None for (name,) in others}


@cache
def new_schema() -> Mapping[str, object]:
    with Store(":memory:", views=DASHBOARDS / "views.sql") as store:
        return schema(store.conn)


def facts(conn: sqlite3.Connection, named: Mapping[str, list[str]]) -> dict[str, Counter[tuple[object, ...]]]:
    """Return the rows of each table, in the named columns."""
    return {
        table: Counter(tuple(row) for row in conn.execute(f'SELECT {", ".join(map(json.dumps, names))} FROM "{table}"'))
        for table, names in named.items()
    }


def test_every_form_that_the_schema_had_is_there() -> None:
    assert len(OLD) == 20


@pytest.mark.parametrize("script", OLD, ids=lambda script: script.stem)
def test_a_database_of_an_earlier_form_has_the_present_one_and_the_same_facts(tmp_path: Path, script: Path) -> None:
    path = made(tmp_path / "x.db", script)
    with closing(sqlite3.connect(path)) as conn:
        named = {
            table: [name for name, *_ in columns(conn, table) if (table, name) not in MOVED] for table in tables(conn)
        }
        before = facts(conn, named)
    assert sum(map(len, before.values())) >= 15
    with Store(path, views=DASHBOARDS / "views.sql") as store:
        assert store.backup is not None, "the old file is kept"
        after = facts(store.conn, named)
        for table in before:
            assert not before[table] - after[table], f"rows of {table} are gone"
            assert table == "stage_memory" or before[table] == after[table], f"rows of {table} are new"
        assert schema(store.conn) == new_schema()
        assert store.rows("PRAGMA integrity_check")[0][0] == "ok"
        assert store.rows("PRAGMA foreign_key_check") == []
        assert len(incidents(store)) == len(before["incidents"])
        assert len(alerts_of(store)) == len(before["alerts"])
        for (view,) in store.rows("SELECT name FROM sqlite_master WHERE type = 'view'"):
            store.rows(f'SELECT * FROM "{view}" LIMIT 5')
        found = store.rows("SELECT count(*) FROM posts_fts WHERE posts_fts MATCH 'claude OR \"of old\"'")
        assert found[0][0] == len(before["posts"]), "posts are found by their words"
    with closing(sqlite3.connect(store.backup)) as conn:
        assert facts(conn, named) == before
