"""Views that hold rows: what answers under the name of a former table, and what is asked for instead of tables.

They are noted in `stage_memory`, so that the analysts' views can be replaced without them.
"""

from __future__ import annotations

import sqlite3

from pipeline.core.errors import StoreError

KEPT_VIEWS = "kept_views"  # the stage in `stage_memory` under which their names are noted


def replace_by_view(conn: sqlite3.Connection, table: str, select: str) -> None:
    """Drop a table whose rows a step has moved elsewhere, and keep its name as a view over `select`.

    Old queries keep working: raises StoreError when the view's columns are not the table's, in the same order.
    """
    columns = _columns(conn, table)
    conn.execute(f'DROP TABLE "{table}"')
    add_kept_view(conn, table, select)
    if _columns(conn, table) != columns:
        raise StoreError(f"the view {table} must have the columns of the former table: {', '.join(columns)}")


def add_kept_view(conn: sqlite3.Connection, name: str, select: str) -> None:
    """Create a view that stays when the analysts' views are replaced."""
    conn.execute(f'CREATE VIEW "{name}" AS {select}')
    conn.execute("INSERT OR REPLACE INTO stage_memory VALUES (?, ?, '')", (KEPT_VIEWS, name))


def _columns(conn: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in conn.execute(f'PRAGMA table_info("{table}")')]
