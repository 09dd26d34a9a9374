"""What posts say of services, and which of them count as reports."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import NamedTuple

from pipeline.core.records import Post, Tag
from pipeline.core.reports import AccountReport, Report, Vote
from pipeline.core.times import utc, utc_or_none
from pipeline.core.vocabulary import VoteReason
from pipeline.store import Store


def save_tags(store: Store, posts: Sequence[Post], tags: Sequence[Tag], votes: Sequence[Vote], model: str) -> int:
    """Store what a pass read in posts, and which of them count as votes; return how many posts were read.

    `votes` may be of earlier posts, too, which count now.
    """
    created = {(p.source, p.native_id): p.created for p in posts}
    if created:
        store.kept.note_posts(min(created.values()), model)
    if written := [*created.values(), *(vote.created for vote in votes)]:
        store.kept.note_reports(min(written))
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
        conn.executemany("INSERT OR REPLACE INTO votes VALUES (?,?,?,?,?,?,?,?)", votes)
        conn.executemany(
            "UPDATE posts SET tagged_by=? WHERE source=? AND native_id=?", [(model, *key) for key in created]
        )
    return len(created)


def votes_collected_after(
    store: Store, service: str, since: datetime, until: datetime, at: datetime, source: str = ""
) -> int:
    """Return how many votes of posts created in [since, until) were collected after a moment, of one source or all."""
    (row,) = store.rows(
        "SELECT count(*) AS n FROM votes v JOIN posts p ON p.source = v.source AND p.native_id = v.native_id"
        " WHERE v.service = :service AND v.weight > 0 AND v.created >= :since AND v.created < :until"
        " AND p.collected > :at AND (:source = '' OR v.source = :source)",
        {"service": service, "since": since, "until": until, "at": at, "source": source},
    )
    return int(row["n"])


def earlier_votes(store: Store, since: datetime, until: datetime, exclude: Collection[tuple[str, str]]) -> list[Vote]:
    """Return the votes of posts created in [since, until) that count or, as halves, may yet, oldest first.

    `exclude` are (source, native id) of posts left out: those that are being read again.
    """
    votes = store.kept.spans.votes.rows("", since, until, partial(_read_votes, store))
    return [vote for vote in votes if (vote.source, vote.native_id) not in exclude]


def _read_votes(store: Store, since: datetime, until: datetime) -> list[Vote]:
    rows = store.rows(
        "SELECT source, native_id, service, created, weight, reason, author_key, shape FROM votes"
        " WHERE created >= ? AND created < ? AND (weight > 0 OR reason = ?) ORDER BY created, source, native_id",
        (since, until, VoteReason.HALF),
    )
    return [
        Vote(
            source=r["source"],
            native_id=r["native_id"],
            service=r["service"],
            created=utc(r["created"]),
            weight=r["weight"],
            reason=VoteReason(r["reason"]),
            author_key=r["author_key"],
            fingerprint=r["shape"],
        )
        for r in rows
    ]


def earlier_accounts(
    store: Store, since: datetime, until: datetime, exclude: Collection[tuple[str, str]]
) -> list[AccountReport]:
    """Return the reports in [since, until), counted or not, of accounts of known age, oldest first.

    Left out are reports whose account's age is not known or was not looked at, and posts that are being read again:
    `exclude`, as (source, native id).
    """
    accounts = store.kept.spans.accounts.rows("", since, until, partial(_read_accounts, store))
    return [account for account in accounts if (account.source, account.native_id) not in exclude]


def _read_accounts(store: Store, since: datetime, until: datetime) -> list[AccountReport]:
    unchecked = [reason.value for reason in VoteReason if not reason.checked_account]
    rows = store.rows(
        "SELECT v.service, v.author_key, p.author_created, v.created, v.source, v.native_id"
        " FROM votes v JOIN posts p USING (source, native_id)"
        " WHERE v.created >= ? AND v.created < ? AND p.author_created IS NOT NULL AND v.author_key != ''"
        f" AND v.reason NOT IN ({','.join('?' * len(unchecked))}) ORDER BY v.created, v.source, v.native_id",
        (since, until, *unchecked),
    )
    return [AccountReport(r[0], r[1], utc(r[2]), utc(r[3]), source=r[4], native_id=r[5]) for r in rows]


def reports(store: Store, service: str, since: datetime, until: datetime) -> list[Report]:
    """Return the posts about a service that speak of an outage or clear a part of it, oldest first.

    Those that speak of an outage and were not counted (copies, new accounts) are among them, with weight 0.
    """
    return store.kept.spans.reports.rows(service, since, until, partial(_read_reports, store, service))


def _read_reports(store: Store, service: str, since: datetime, until: datetime) -> list[Report]:
    rows = store.rows(
        "SELECT t.service, t.source, t.native_id, t.created, t.p_outage, t.components, t.symptom, t.language,"
        " t.exonerates, t.region, ifnull(v.weight, 0) AS weight, ifnull(v.reason, '') AS reason, p.title, p.text, "
        "p.community,"
        " p.author_key, p.author_created, p.url FROM post_tags t"
        " LEFT JOIN votes v USING (source, native_id, service) JOIN posts p USING (source, native_id)"
        " WHERE t.service = ? AND t.created >= ? AND t.created < ? AND (v.weight > 0 OR t.exonerates != '[]'"
        " OR (t.p_outage >= 0.5 AND v.weight = 0))"
        " ORDER BY t.created, t.source, t.native_id",
        (service, since, until),
    )
    return [_report(_ReportRow(*row)) for row in rows]


class _ReportRow(NamedTuple):
    """A report as it is stored, times as text and lists as JSON."""

    service: str
    source: str
    native_id: str
    created: str
    p_outage: float
    components: str
    symptom: str
    language: str
    exonerates: str
    region: str
    weight: float
    reason: str
    title: str
    text: str
    community: str
    author_key: str
    author_created: str | None
    url: str


@lru_cache(maxsize=10_000)  # while an incident lasts, every pass reads its reports again
def _report(r: _ReportRow) -> Report:
    return Report(
        service=r.service,
        source=r.source,
        native_id=r.native_id,
        created=utc(r.created),
        weight=r.weight,
        reason=VoteReason(r.reason),
        p_outage=r.p_outage,
        components=tuple(json.loads(r.components)),
        working_components=tuple(json.loads(r.exonerates)),
        symptom=r.symptom,
        region=r.region,
        language=r.language,
        title=r.title,
        text=r.text,
        community=r.community,
        author_key=r.author_key,
        author_created=utc_or_none(r.author_created),
        url=r.url,
    )
