"""Rows that are ready, many at a time: what a backfill has worked out elsewhere."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from pipeline.core.errors import StoreError
from pipeline.store import Store
from pipeline.store.count_tables import COUNTS_VIEW, PHYSICAL, VIEW_COLUMNS
from pipeline.store.counts import StoredCount, put_count_rows
from pipeline.store.failures import is_damage, store_error
from pipeline.store.user_objects import quoted, user_objects


class BrokenViewError(StoreError):
    """A view of the database asks for what is not there, or a table that people added cannot be read."""


def put_rows(store: Store, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> int:
    """Insert rows into a table, or counts into their view, in one transaction, leaving what is there.

    Returns how many were new. Raises StoreError on a count whose time cannot be stored.
    """
    if table == COUNTS_VIEW:
        places = [columns.index(name) for name in StoredCount._fields]
        try:
            with store.transaction() as conn:
                return put_count_rows(conn, (StoredCount._make(row[place] for place in places) for row in rows))
        except ValueError as error:
            raise StoreError(f"{store.path}: a row of {table} cannot be stored: {error}") from error
    names, marks = ", ".join(f'"{name}"' for name in columns), ",".join("?" * len(columns))
    with store.transaction() as conn:
        before = conn.total_changes
        conn.executemany(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", rows)
        return conn.total_changes - before


def columns_of_schema() -> dict[str, dict[str, str]]:
    """Return the tables of a fresh database, each with its columns and their kinds (TEXT, INTEGER, REAL, BLOB).

    Counts are there as the views that are asked for, not as the tables that these are made of.
    """
    with Store(":memory:") as store:
        names = [
            row[0]
            for row in store.rows(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%\\_fts%' ESCAPE '\\'"
                " AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_%' ESCAPE '\\'"
            )
        ]
        tables = {
            name: {row[1]: row[2] for row in store.rows(f'PRAGMA table_info("{name}")')}
            for name in names
            if name not in PHYSICAL
        }
        return dict(sorted((tables | VIEW_COLUMNS).items()))


def rows_of(store: Store, table: str, columns: Sequence[str], chunk: int) -> Iterator[list[tuple[object, ...]]]:
    """Yield a table's rows, some thousand at a time, in the order they are stored."""
    names = ", ".join(f'"{name}"' for name in columns)
    cursor = store.conn.execute(f"SELECT {names} FROM {table}")
    while rows := cursor.fetchmany(chunk):
        yield [tuple(row) for row in rows]


def views_of(store: Store) -> list[str]:
    """Return the names of a database's views, without those that hold the counts: these are exported as tables."""
    views = store.rows("SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name")
    return [row[0] for row in views if row[0] not in VIEW_COLUMNS]


def added_tables_of(store: Store) -> list[str]:
    """Return the names of the tables that people have added to a database."""
    with Store(":memory:") as schema:
        return [added.name for added in user_objects(store.conn, schema.conn) if added.kind == "table"]


def value_kinds(store: Store, table: str) -> dict[str, frozenset[str]]:
    """Return of each column of a table that people have added the kinds of its values (integer, real, text, blob).

    Raises BrokenViewError where it cannot be read.
    """
    try:
        names = [column[0] for column in store.conn.execute(f"SELECT * FROM {quoted(table)} LIMIT 0").description]
        return {
            name: frozenset(
                row[0] for row in store.conn.execute(f"SELECT DISTINCT typeof({quoted(name)}) FROM {quoted(table)}")
            )
            - {"null"}
            for name in names
        }
    except sqlite3.Error as error:
        raise BrokenViewError(f"the table {table} cannot be read: {error}") from error


def answer_of_table(store: Store, table: str, chunk: int) -> Iterator[Sequence[tuple[object, ...]]]:
    """Yield the names of the columns of a table that people have added as one row, then its rows, as answer_of_view.

    Raises BrokenViewError where it cannot be read, as where it has a text that is none.
    """
    try:
        yield from _answer(store, table, chunk)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise BrokenViewError(f"the table {table} cannot be read: {error}") from error


def _answer(store: Store, name: str, chunk: int) -> Iterator[Sequence[tuple[object, ...]]]:
    cursor = store.conn.execute(f"SELECT * FROM {quoted(name)}")
    yield [tuple(column[0] for column in cursor.description)]
    while rows := cursor.fetchmany(chunk):
        yield [tuple(row) for row in rows]


def answer_of_view(store: Store, view: str, chunk: int) -> Iterator[Sequence[tuple[object, ...]]]:
    """Yield the names of a view's columns as one row, then its rows, some thousand at a time.

    Raises BrokenViewError where the view cannot be answered, as one over a table that is gone; StoreError where the
    database cannot be read.
    """
    try:
        yield from _answer(store, view, chunk)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if is_damage(error):
            raise store_error(store.path, error) from error
        raise BrokenViewError(f"the view {view} cannot be answered: {error}") from error
