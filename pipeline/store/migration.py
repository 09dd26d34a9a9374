"""Bring a database up to date: the old file is kept, all missing steps are one transaction, a kill loses nothing.

sqlite-utils applies the steps and records them. It is imported only where a step is missing:
it costs half a second that a run need not pay.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pipeline.core.errors import StoreError
from pipeline.store.schema import MIGRATION_SET, STEPS, Step
from pipeline.store.user_objects import quoted

logger = logging.getLogger(__name__)

MARGIN_BYTES = 16 << 20
ROOM = 2.5  # in sizes of the database: the copy is one, the write-ahead log of a step that writes all of it another
LOCK_WAIT_MS = 10 * 60 * 1000  # another process that migrates the same file copies all of it first
RECORD = "_sqlite_migrations"  # where sqlite-utils keeps which steps were taken, and when


def free_bytes_of(folder: Path) -> int:
    """Return the free bytes of the disk a folder lies on."""
    return shutil.disk_usage(folder).free


def missing_steps(conn: sqlite3.Connection, path: str, steps: Mapping[str, Step] = STEPS) -> list[str]:
    """Return the names of the steps a database lacks, in their order; reads only.

    Raises StoreError on a database of another program, and on one with a step that this version does not know.
    """
    tables = {row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    applied = set(applied_steps(conn)) if RECORD in tables else set()
    if tables - {RECORD} and not applied:
        raise StoreError(f"{path}: is a database, but not one of Groundswell's; name another file")
    if applied - steps.keys():
        raise StoreError(f"{path}: was written by a newer version; upgrade before using it")
    return [name for name in steps if name not in applied]


def migrate(
    conn: sqlite3.Connection,
    path: str,
    steps: Mapping[str, Step] = STEPS,
    free_bytes: Callable[[Path], int] = free_bytes_of,
) -> Path | None:
    """Take the steps a database lacks; return the copy of the old file, None for a new database or one up to date.

    The write lock is held from before the copy to the end: nothing can be written in between, and a second starter
    waits, then finds nothing to do. `conn` must be outside a transaction. `free_bytes` returns the free bytes of a
    folder's disk. Raises StoreError when the disk has no room for the copy and the steps, or a step breaks references
    between tables; the database is then as it was, and the copy is removed.
    """
    from sqlite_utils import Database, Migrations

    migrations = Migrations(MIGRATION_SET)
    for name, step in steps.items():
        migrations(name=name)(step)
    backup = None
    (patience,) = conn.execute("PRAGMA busy_timeout").fetchone()
    conn.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_MS}")
    # a table that a step drops or builds anew must not take the rows that refer to it with it
    conn.execute("PRAGMA foreign_keys = OFF")
    try:
        conn.execute("BEGIN IMMEDIATE")
        missing = missing_steps(conn, path, steps)
        if missing and len(missing) < len(steps):
            backup = _back_up(conn, path, missing[0], free_bytes)
        if missing:
            broken = _broken_references(conn)
            views = _drop_views(conn)
            migrations.apply(Database(conn, recursive_triggers=False, execute_plugins=False))
            _create_views(conn, views)
            if _broken_references(conn) > broken:
                raise StoreError(f"{path}: cannot be brought up to date: rows would refer to rows that are gone")
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        with suppress(sqlite3.Error):  # what failed before is what is to be reported
            if backup is not None and missing_steps(conn, path, steps) == missing:
                backup.unlink(missing_ok=True)  # else it takes the room of the next attempt
        raise
    finally:
        conn.execute("PRAGMA foreign_keys = ON")
        conn.execute(f"PRAGMA busy_timeout = {patience}")
    if backup is not None:
        logger.info("%s: brought up to date (%s); the old database is kept as %s", path, ", ".join(missing), backup)
    return backup


def applied_steps(conn: sqlite3.Connection) -> dict[str, str]:
    """Return when each step was taken, by its name, in the order they were taken."""
    sql = f"SELECT name, applied_at FROM {RECORD} WHERE migration_set = ? ORDER BY rowid"
    return dict(conn.execute(sql, (MIGRATION_SET,)).fetchall())


def backup_path(path: str, step: str) -> Path:
    """Return where the database is kept as it was before a step: one file a step, in the same folder."""
    return Path(f"{path}.before-{step}.backup")


def _back_up(conn: sqlite3.Connection, path: str, step: str, free_bytes: Callable[[Path], int]) -> Path | None:
    """Copy the database as it is now; None for one in memory. A half-written copy never has the final name."""
    (pages, page_bytes) = (conn.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    (file,) = (row[2] for row in conn.execute("PRAGMA database_list") if row[1] == "main")
    if not file:
        return None
    backup = backup_path(path, step)
    partial = backup.with_name(backup.name + ".partial")
    partial.unlink(missing_ok=True)  # of a start that was killed
    replaced = backup.stat().st_size if backup.exists() else 0  # of a start that was killed after the copy
    lacking = int(pages * page_bytes * ROOM) + MARGIN_BYTES - free_bytes(backup.parent) - replaced
    if lacking > 0:
        raise StoreError(
            f"{path}: bringing the database up to date takes room for a copy and for what is rewritten, and the disk of"
            f" {backup.parent.resolve()} has too little: {-(-lacking // 1_000_000)} MB more must be free"
        )
    backup.unlink(missing_ok=True)
    # by a second connection: VACUUM cannot run inside the transaction that keeps writers out
    reader = sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        partial.touch(mode=0o600)
        shutil.copymode(path, partial)
        reader.execute("VACUUM INTO ?", (str(partial),))
        with partial.open("rb+") as copy:
            os.fsync(copy.fileno())  # SQLite leaves that out for VACUUM INTO
        partial.replace(backup)
    except OSError as error:
        raise StoreError(f"{path}: cannot be copied to {backup}: {error.strerror}") from error
    finally:
        reader.close()
        partial.unlink(missing_ok=True)
    return backup


def _drop_views(conn: sqlite3.Connection) -> Sequence[tuple[str, str]]:
    """Drop every view, since SQLite refuses to alter tables under some; return their names and statements."""
    views = [(row[0], row[1]) for row in conn.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view'")]
    for name, _ in views:
        conn.execute(f"DROP VIEW {quoted(name)}")
    return views


def _create_views(conn: sqlite3.Connection, views: Sequence[tuple[str, str]]) -> None:
    """Create the dropped views again, but for those whose name a step has taken."""
    taken = {row[0] for row in conn.execute("SELECT name FROM sqlite_master")}
    for name, statement in views:
        if name not in taken:
            conn.execute(statement)


def _broken_references(conn: sqlite3.Connection) -> int:
    return sum(1 for _ in conn.execute("PRAGMA foreign_key_check"))
