"""Views that hold rows: what answers under the name of a former table, and what is asked for instead of tables.

They are noted in `stage_memory`, so that the analysts' views can be replaced without them, as those are, so that
views that somebody else has added stay.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

from pipeline.core.errors import StoreError

KEPT_VIEWS = "kept_views"  # the stage in `stage_memory` under which their names are noted
_FORMER_VIEWS = ("silences_now",)  # of versions that did not note the names of the analysts' views
_NOTED = "SELECT value FROM stage_memory WHERE stage = 'views' AND key = 'names'"
_REPLACEABLE = """SELECT name FROM sqlite_master WHERE type = 'view'
 AND name NOT IN (SELECT key FROM stage_memory WHERE stage = ?)"""


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


def drop_analysts_views(conn: sqlite3.Connection, sql: str) -> None:
    """Drop the views that a former version created or the script `sql` will, and note the names of the latter.

    Views of others stay, unless `sql` has one of that name.
    """
    with closing(sqlite3.connect(":memory:")) as empty:
        empty.executescript(sql)
        ours = [row[0] for row in empty.execute("SELECT name FROM sqlite_master WHERE type = 'view'")]
    noted = conn.execute(_NOTED).fetchone()
    former = json.loads(noted[0]) if noted is not None else _FORMER_VIEWS
    replaced = {name.lower() for name in (*ours, *former)}  # names of SQLite mean the same in capitals
    for (name,) in conn.execute(_REPLACEABLE, (KEPT_VIEWS,)).fetchall():
        if name.lower() in replaced:
            conn.execute(f'DROP VIEW "{name}"')
    conn.execute("INSERT OR REPLACE INTO stage_memory VALUES ('views', 'names', ?)", (json.dumps(ours),))


def _columns(conn: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in conn.execute(f'PRAGMA table_info("{table}")')]
