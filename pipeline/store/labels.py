"""What people said of single posts: corrections of the model, kept until they are trained on and ever after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pipeline.store import Store


def least_sure(store: Store, limit: int) -> list[tuple[str, str, str, float, str, str]]:
    """Return unlabelled posts with p_outage nearest to a half: (source, native id, service, p, created, text)."""
    rows = store.rows(
        "SELECT t.source, t.native_id, t.service, t.p_outage, t.created, trim(p.title || char(10) || p.text)"
        " FROM post_tags t JOIN posts p USING (source, native_id) LEFT JOIN labels l USING (source, native_id, service)"
        " WHERE l.outage IS NULL AND p.deleted = 0"
        " ORDER BY abs(t.p_outage - 0.5), t.created, t.source, t.native_id, t.service LIMIT ?",
        (limit,),
    )
    return [tuple(row) for row in rows]


def put_label(store: Store, key: tuple[str, str, str], outage: bool, now: datetime) -> None:
    """Store what a person says of a post and a service, in place of what was said before."""
    with store.transaction() as conn:
        conn.execute("INSERT OR REPLACE INTO labels VALUES (?,?,?,?,?)", (*key, int(outage), now))


def corrections(store: Store) -> Sequence[tuple[str, str, bool, str]]:
    """Return every labelled post that is still there as (text, service, outage, language), oldest label first."""
    rows = store.rows(
        "SELECT trim(p.title || char(10) || p.text), l.service, l.outage, ifnull(t.language, '') FROM labels l"
        " JOIN posts p USING (source, native_id) LEFT JOIN post_tags t USING (source, native_id, service)"
        " WHERE p.deleted = 0 ORDER BY l.labelled_at, l.source, l.native_id, l.service"
    )
    return [(row[0], row[1], bool(row[2]), row[3]) for row in rows if row[0]]
