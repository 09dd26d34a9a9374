"""Taking back what may not be kept: the words and the author of a post, never that it was counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pipeline.store import Store
from pipeline.times import iso

_FORGET = """UPDATE posts SET title='', text='', author_key='', url='', deleted=1
 WHERE source=? AND native_id=? AND deleted=0"""
_VOTE = "UPDATE votes SET author_key='', shape='' WHERE source=? AND native_id=?"


def kept_ids(store: Store, source: str, since: datetime) -> list[str]:
    """Return the ids of a source's stored posts since a moment that still have their words, oldest first."""
    sql = "SELECT native_id FROM posts WHERE source=? AND created >= ? AND deleted=0 ORDER BY created, native_id"
    return [str(row[0]) for row in store.rows(sql, (source, iso(since)))]


def forget(store: Store, source: str, ids: Sequence[str]) -> int:
    """Remove words and author of posts; their tags and votes stay as numbers. Return how many were changed."""
    keys = [(source, native) for native in ids]
    with store.transaction() as conn:
        changed = conn.executemany(_FORGET, keys).rowcount
        conn.executemany(_VOTE, keys)
    return max(0, changed)


def forget_refused(store: Store, until: datetime) -> int:
    """Remove refused rows seen before a moment from the quarantine; return how many."""
    with store.transaction() as conn:
        return max(0, conn.execute("DELETE FROM quarantine WHERE seen_at < ?", (iso(until),)).rowcount)


def ids_before(store: Store, until: datetime) -> dict[str, list[str]]:
    """Return by source the ids of posts created before a moment that still have their words."""
    found: dict[str, list[str]] = {}
    sql = "SELECT source, native_id FROM posts WHERE created < ? AND deleted=0 ORDER BY source, native_id"
    for row in store.rows(sql, (iso(until),)):
        found.setdefault(row[0], []).append(row[1])
    return found
