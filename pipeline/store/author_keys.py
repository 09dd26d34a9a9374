"""Under which keys authors are stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable


def rekey_authors(conn: sqlite3.Connection, new_key: Callable[[str], str]) -> None:
    """Replace the key of every stored author, inside the caller's transaction."""
    conn.create_function("new_author_key", 1, new_key, deterministic=True)
    for table in ("posts", "votes"):
        conn.execute(f"UPDATE {table} SET author_key = new_author_key(author_key) WHERE author_key != ''")
