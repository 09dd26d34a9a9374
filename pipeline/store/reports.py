"""What posts say of services, and which of them count as reports."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from pipeline.core.records import Post, Tag
from pipeline.core.reports import Report
from pipeline.core.times import utc, utc_or_none
from pipeline.core.vocabulary import VoteReason
from pipeline.store import Store

Vote = tuple[str, str, str, datetime, float, str, str, str]


def save_tags(store: Store, posts: Sequence[Post], tags: Sequence[Tag], votes: Iterable[Vote], model: str) -> int:
    """Store what a pass read in posts, and which of them count as votes; return how many posts were read.

    A vote is (source, native id, service, created, weight, reason, author key, shape of the text).
    """
    created = {(p.source, p.native_id): p.created for p in posts}
    with store.transaction() as conn:
        for table in ("post_tags", "votes"):
            conn.executemany(f"DELETE FROM {table} WHERE source=? AND native_id=?", list(created))
        conn.executemany(
            "INSERT INTO post_tags VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            [
                (
                    t.source,
                    t.native_id,
                    t.service,
                    created[t.source, t.native_id],
                    round(t.p_outage, 4),
                    json.dumps(t.components),
                    t.symptom,
                    t.region,
                    t.language,
                    round(t.anger, 3),
                    json.dumps(t.exonerates),
                    t.model,
                    json.dumps(t.codes),
                    t.began,
                )
                for t in tags
            ],
        )
        conn.executemany(
            "INSERT OR REPLACE INTO votes VALUES (?,?,?,?,?,?,?,?)",
            votes,
        )
        conn.executemany(
            "UPDATE posts SET tagged_by=? WHERE source=? AND native_id=?", [(model, *key) for key in created]
        )
    return len(created)


def earlier_votes(
    store: Store, since: datetime, until: datetime, waiting: str, but: Collection[tuple[str, str]]
) -> list[tuple[str, str, str, datetime, str]]:
    """Return (service, author key, shape, created, reason) of votes in a span that counted or, for `waiting`, may yet.

    `but` are (source, native id) of posts left out: those that are being read again.
    """
    rows = store.rows(
        "SELECT service, author_key, shape, created, reason, source, native_id FROM votes"
        " WHERE created >= ? AND created < ? AND (weight > 0 OR reason = ?) ORDER BY created, source, native_id",
        (since, until, waiting),
    )
    return [(r[0], r[1], r[2], utc(r[3]), r[4]) for r in rows if (r[5], r[6]) not in but]


def earlier_accounts(
    store: Store, since: datetime, until: datetime, but: Collection[tuple[str, str]]
) -> list[tuple[str, str, datetime, datetime]]:
    """Return (service, author key, account made, created) of reports in a span, counted or not, oldest first.

    Left out are reports whose account's age is not known or was not looked at.
    """
    unchecked = [reason.value for reason in VoteReason if not reason.checked_account]
    rows = store.rows(
        "SELECT v.service, v.author_key, p.author_created, v.created, v.source, v.native_id"
        " FROM votes v JOIN posts p USING (source, native_id)"
        " WHERE v.created >= ? AND v.created < ? AND p.author_created IS NOT NULL AND v.author_key != ''"
        f" AND v.reason NOT IN ({','.join('?' * len(unchecked))}) ORDER BY v.created, v.source, v.native_id",
        (since, until, *unchecked),
    )
    return [(r[0], r[1], utc(r[2]), utc(r[3])) for r in rows if (r[4], r[5]) not in but]


def reports(store: Store, service: str, since: datetime, until: datetime) -> list[Report]:
    """Return the posts about a service that speak of an outage or clear a part of it, oldest first.

    Those that speak of an outage and were not counted (copies, new accounts) are among them, with weight 0.
    """
    rows = store.rows(
        "SELECT t.service, t.source, t.native_id, t.created, t.p_outage, t.components, t.symptom, t.language,"
        " t.exonerates, t.region, ifnull(v.weight, 0) AS weight, ifnull(v.reason, '') AS reason, p.title, p.text, "
        "p.community,"
        " p.author_key, p.author_created FROM post_tags t"
        " LEFT JOIN votes v USING (source, native_id, service) JOIN posts p USING (source, native_id)"
        " WHERE t.service = ? AND t.created >= ? AND t.created < ? AND (v.weight > 0 OR t.exonerates != '[]'"
        " OR (t.p_outage >= 0.5 AND v.weight = 0))"
        " ORDER BY t.created, t.source, t.native_id",
        (service, since, until),
    )
    return [
        Report(
            service=r["service"],
            source=r["source"],
            native_id=r["native_id"],
            created=utc(r["created"]),
            weight=r["weight"],
            reason=VoteReason(r["reason"]),
            p_outage=r["p_outage"],
            components=tuple(json.loads(r["components"])),
            working_components=tuple(json.loads(r["exonerates"])),
            symptom=r["symptom"],
            region=r["region"],
            language=r["language"],
            title=r["title"],
            text=r["text"],
            community=r["community"],
            author_key=r["author_key"],
            author_created=utc_or_none(r["author_created"]),
        )
        for r in rows
    ]
