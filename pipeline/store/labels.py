"""What people said of single posts: corrections of the model, kept until they are trained on and ever after."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from pipeline.store import Store


class UnlabelledPost(NamedTuple):
    """A post about a service with the model's probability that it reports an outage; `created` is stored text."""

    source: str
    native_id: str
    service: str
    p_outage: float
    created: str
    text: str


class Correction(NamedTuple):
    """What a person says of a post and a service; `language` is empty where it is not known."""

    text: str
    service: str
    outage: bool
    language: str


def least_sure(store: Store, limit: int) -> list[UnlabelledPost]:
    """Return unlabelled posts with p_outage nearest to a half, the nearest first."""
    rows = store.rows(
        "SELECT t.source, t.native_id, t.service, t.p_outage, t.created, trim(p.title || char(10) || p.text)"
        " FROM post_tags t JOIN posts p USING (source, native_id) LEFT JOIN labels l USING (source, native_id, service)"
        " WHERE l.outage IS NULL AND p.deleted = 0"
        " ORDER BY abs(t.p_outage - 0.5), t.created, t.source, t.native_id, t.service LIMIT ?",
        (limit,),
    )
    return [UnlabelledPost(*row) for row in rows]


def put_label(store: Store, key: tuple[str, str, str], outage: bool, now: datetime) -> None:
    """Store what a person says of a post and a service, in place of what was said before."""
    with store.transaction() as conn:
        conn.execute("INSERT OR REPLACE INTO labels VALUES (?,?,?,?,?)", (*key, int(outage), now))


def corrections(store: Store) -> list[Correction]:
    """Return every labelled post that is still there, oldest label first."""
    rows = store.rows(
        "SELECT trim(p.title || char(10) || p.text), l.service, l.outage, ifnull(t.language, '') FROM labels l"
        " JOIN posts p USING (source, native_id) LEFT JOIN post_tags t USING (source, native_id, service)"
        " WHERE p.deleted = 0 ORDER BY l.labelled_at, l.source, l.native_id, l.service"
    )
    return [Correction(row[0], row[1], bool(row[2]), row[3]) for row in rows if row[0]]
