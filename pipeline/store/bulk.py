"""Rows that are ready, many at a time: what a backfill has worked out elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.store import Store


def put_rows(store: Store, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> int:
    """Insert rows into a table in one transaction, leaving what is there; return how many were new."""
    names, marks = ", ".join(f'"{name}"' for name in columns), ",".join("?" * len(columns))
    with store.transaction() as conn:
        before = conn.total_changes
        conn.executemany(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", rows)
        return conn.total_changes - before


def columns_of_schema() -> dict[str, dict[str, str]]:
    """Return the tables of a fresh database, each with its columns and their kinds (TEXT, INTEGER, REAL, BLOB)."""
    with Store(":memory:") as store:
        names = [
            row[0]
            for row in store.rows(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%\\_fts%' ESCAPE '\\'"
                " AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_%' ESCAPE '\\'"
            )
        ]
        return {name: {row[1]: row[2] for row in store.rows(f'PRAGMA table_info("{name}")')} for name in sorted(names)}


def rows_of(store: Store, table: str, columns: Sequence[str], chunk: int) -> Iterator[list[tuple[object, ...]]]:
    """Yield a table's rows, some thousand at a time, in the order they are stored."""
    names = ", ".join(f'"{name}"' for name in columns)
    cursor = store.conn.execute(f"SELECT {names} FROM {table}")
    while rows := cursor.fetchmany(chunk):
        yield [tuple(row) for row in rows]


def columns_of_views(store: Store) -> dict[str, list[str]]:
    """Return the views of a database, each with its columns in their order."""
    names = [row[0] for row in store.rows("SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name")]
    return {name: [row[1] for row in store.rows(f'PRAGMA table_info("{name}")')] for name in names}
