"""Taking back what may not be kept: the words and the author of a post, never that it was counted."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.core.times import utc
from pipeline.store import Store
from pipeline.store.migration import applied_steps, backup_path
from pipeline.store.runs import set_checkpoint

BACKUPS_KEPT = timedelta(days=31)
_FORGET = """UPDATE posts SET title='', text='', author_key='', url='', deleted=1
 WHERE source=? AND native_id=? AND deleted=0"""
_VOTE = "UPDATE votes SET author_key='', shape='' WHERE source=? AND native_id=?"


def kept_ids(store: Store, source: str, since: datetime) -> list[str]:
    """Return the ids of a source's stored posts since a moment that still have their words, oldest first."""
    sql = "SELECT native_id FROM posts WHERE source=? AND created >= ? AND deleted=0 ORDER BY created, native_id"
    return [str(row[0]) for row in store.rows(sql, (source, since))]


def forget(store: Store, source: str, ids: Sequence[str]) -> int:
    """Remove words and author of posts; their tags and votes stay as numbers. Return how many were changed."""
    keys = [(source, native) for native in ids]
    store.kept.forget_reports()
    with store.transaction() as conn:
        changed = conn.executemany(_FORGET, keys).rowcount
        conn.executemany(_VOTE, keys)
        for service, created in {
            (r[0], r[1])
            for key in keys
            for r in conn.execute("SELECT service, created FROM votes WHERE source=? AND native_id=?", key)
        }:
            _unquote(conn, service, created)
    return max(0, changed)


def _unquote(conn: sqlite3.Connection, service: str, created: str) -> None:
    """Take the quotes out of the messages of the incidents a post lay in, and have their pages written anew."""
    rows = conn.execute(
        "SELECT id FROM incidents WHERE service = ? AND onset <= ? AND ifnull(\"end\", '9999') >= ?",
        (service, created, created),
    ).fetchall()
    for (incident,) in rows:
        conn.execute(
            "UPDATE alerts SET facts = json_set(facts, '$.quotes', json('[]'), '$.quoted_at', json('[]'))"
            " WHERE incident = ? AND json_type(facts, '$.quotes') = 'array'",
            (incident,),
        )
        set_checkpoint(conn, "publish", f"again:{incident}", "1")


def forget_refused(store: Store, until: datetime) -> int:
    """Remove refused rows seen before a moment from the quarantine; return how many."""
    with store.transaction() as conn:
        return max(0, conn.execute("DELETE FROM quarantine WHERE seen_at < ?", (until,)).rowcount)


def forget_runs(store: Store, until: datetime) -> int:
    """Remove the record of runs that began before a moment; return how many."""
    with store.transaction() as conn:
        return max(0, conn.execute("DELETE FROM runs WHERE started < ?", (until,)).rowcount)


def remove_old_backups(store: Store, now: datetime) -> list[Path]:
    """Remove the copies of the database that migrations left over a month ago; return those removed."""
    removed = []
    for step, applied_at in applied_steps(store.conn).items():
        backup = backup_path(store.path, step)
        if utc(applied_at) <= now - BACKUPS_KEPT and backup.is_file():
            backup.unlink()
            removed.append(backup)
    return removed


def ids_before(store: Store, until: datetime) -> dict[str, list[str]]:
    """Return by source the ids of posts created before a moment that still have their words."""
    columns_of_tables: dict[str, list[str]] = {}
    sql = "SELECT source, native_id FROM posts WHERE created < ? AND deleted=0 ORDER BY source, native_id"
    for row in store.rows(sql, (until,)):
        columns_of_tables.setdefault(row[0], []).append(row[1])
    return columns_of_tables
