"""The story: tags and votes, incidents with their parts, news events, links."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pipeline.core.incidents import Claim, ComponentSpan, Episode, Evidence, Incident, Link, NewsEvent, Phase
from pipeline.core.records import Post, Tag
from pipeline.core.reports import Report
from pipeline.core.times import iso, iso_or_none, utc, utc_or_none
from pipeline.core.vocabulary import VoteReason
from pipeline.store import Store

PARTS = {
    "incident_phases": "episode, since, phase = 'over', phase != 'onset'",
    "incident_evidence": "at, kind, statement",
    "incident_components": "since, component, source, status",
    "incident_episodes": "number",
}
Vote = tuple[str, str, str, datetime, float, str, str, str]


def save_tags(store: Store, posts: Sequence[Post], tags: Sequence[Tag], votes: Iterable[Vote], model: str) -> int:
    """Store what a pass read in posts, and which of them count as votes; return how many posts were read.

    A vote is (source, native id, service, created, weight, reason, author key, shape of the text).
    """
    created = {(p.source, p.native_id): iso(p.created) for p in posts}
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
                    iso_or_none(t.began),
                )
                for t in tags
            ],
        )
        conn.executemany(
            "INSERT OR REPLACE INTO votes VALUES (?,?,?,?,?,?,?,?)",
            [(*vote[:3], iso(vote[3]), *vote[4:]) for vote in votes],
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
        (iso(since), iso(until), waiting),
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
        (iso(since), iso(until), *unchecked),
    )
    return [(r[0], r[1], utc(r[2]), utc(r[3])) for r in rows if (r[4], r[5]) not in but]


def reports(store: Store, service: str, since: datetime, until: datetime) -> list[Report]:
    """Return the posts about a service that speak of an outage or clear a part of it, oldest first.

    Those that speak of an outage and were not counted (copies, new accounts) are among them, with weight 0.
    """
    rows = store.rows(
        "SELECT t.service, t.source, t.native_id, t.created, t.p_outage, t.components, t.symptom, t.language,"
        " t.exonerates, t.region, ifnull(v.weight, 0) AS weight, ifnull(v.reason, '') AS reason, p.title, p.text, p.community,"
        " p.author_key, p.author_created FROM post_tags t"
        " LEFT JOIN votes v USING (source, native_id, service) JOIN posts p USING (source, native_id)"
        " WHERE t.service = ? AND t.created >= ? AND t.created < ? AND (v.weight > 0 OR t.exonerates != '[]'"
        " OR (t.p_outage >= 0.5 AND v.weight = 0))"
        " ORDER BY t.created, t.source, t.native_id",
        (service, iso(since), iso(until)),
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


def put_incident(conn: sqlite3.Connection, incident: Incident) -> None:
    """Write an incident and its parts over whatever was known, inside the caller's transaction."""
    i = incident
    conn.execute(
        "INSERT INTO incidents VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET state=excluded.state,"
        ' onset=excluded.onset, peak=excluded.peak, "end"=excluded."end", impact=excluded.impact,'
        " symptom=excluded.symptom, official_first_at=excluded.official_first_at, episodes=excluded.episodes,"
        " active=excluded.active, probability=excluded.probability, part_of=excluded.part_of",
        (
            i.id,
            i.service,
            i.state,
            iso(i.opened_at),
            iso(i.onset),
            iso_or_none(i.peak),
            iso_or_none(i.end),
            i.impact,
            i.symptom,
            iso_or_none(i.official_first_at),
            i.episode_count,
            int(i.active),
            i.probability,
            i.part_of,
        ),
    )
    for table in PARTS:
        conn.execute(f"DELETE FROM {table} WHERE incident=?", (i.id,))
    conn.executemany(
        "INSERT OR REPLACE INTO incident_phases VALUES (?,?,?,?,?,?,?)",
        [(i.id, p.episode, p.phase, iso(p.since), iso_or_none(p.until), p.impact, p.why) for p in i.phases],
    )
    conn.executemany(
        "INSERT OR REPLACE INTO incident_components VALUES (?,?,?,?,?,?,?)",
        [(i.id, c.component, c.source, c.status, iso(c.since), iso_or_none(c.until), c.detail) for c in i.components],
    )
    conn.executemany(
        "INSERT OR REPLACE INTO incident_evidence VALUES (?,?,?,?,?,?,?,?)",
        [(i.id, e.kind, iso(e.at), e.statement, e.rows, e.subject, e.value, e.compared_with) for e in i.evidence],
    )
    conn.executemany(
        "INSERT INTO incident_episodes VALUES (?,?,?,?,?,?,?,?,?,?)",
        [
            (
                i.id,
                e.number,
                iso(e.onset),
                iso_or_none(e.end),
                e.impact,
                json.dumps(e.components),
                iso_or_none(e.official_first_at),
                int(e.by_crowd),
                iso_or_none(e.crowd_since),
                iso_or_none(e.crowd_until),
            )
            for e in i.episodes
        ],
    )


def put_claims(conn: sqlite3.Connection, claims: Iterable[tuple[str, str, Sequence[Claim]]]) -> None:
    """Write what news items (source, native id) claim, in place of what they claimed before."""
    for source, native_id, said in claims:
        conn.execute("DELETE FROM claims WHERE source=? AND native_id=?", (source, native_id))
        conn.executemany(
            "INSERT OR IGNORE INTO claims VALUES (?,?,?,?,?,?)",
            [(source, native_id, c.kind, c.value, c.said_by, c.definition) for c in said],
        )


def delete_incident(conn: sqlite3.Connection, incident_id: str) -> None:
    """Remove an incident that later rows dissolved into another (its alerts stay)."""
    conn.execute("DELETE FROM incidents WHERE id=?", (incident_id,))


def incidents(store: Store, since: datetime | None = None) -> list[Incident]:
    """Return incidents that lasted beyond a moment (or all), oldest first, with all their parts."""
    where, values = "", ()
    if since is not None:
        where, values = 'WHERE "end" IS NULL OR "end" >= ? OR active', (iso(since),)  # type: ignore[assignment]
    found = store.rows(f"SELECT * FROM incidents {where} ORDER BY onset, id", values)
    parts: dict[str, dict[str, list[sqlite3.Row]]] = {}
    if found:
        marks = ",".join("?" * len(found))
        for table, column in PARTS.items():
            for row in store.rows(
                f"SELECT * FROM {table} WHERE incident IN ({marks}) ORDER BY {column}", tuple(r["id"] for r in found)
            ):
                parts.setdefault(row["incident"], {}).setdefault(table, []).append(row)
    return [_incident(row, parts.get(row["id"], {})) for row in found]


def _incident(row: sqlite3.Row, parts: Mapping[str, list[sqlite3.Row]]) -> Incident:
    return Incident(
        id=row["id"],
        service=row["service"],
        state=row["state"],
        opened_at=utc(row["opened_at"]),
        onset=utc(row["onset"]),
        peak=utc_or_none(row["peak"]),
        end=utc_or_none(row["end"]),
        impact=row["impact"],
        symptom=row["symptom"],
        official_first_at=utc_or_none(row["official_first_at"]),
        episode_count=row["episodes"],
        active=bool(row["active"]),
        probability=row["probability"],
        part_of=row["part_of"],
        episodes=tuple(
            Episode(
                number=e["number"],
                onset=utc(e["onset"]),
                end=utc_or_none(e["end"]),
                impact=e["impact"],
                components=tuple(json.loads(e["components"])),
                official_first_at=utc_or_none(e["official_first_at"]),
                by_crowd=bool(e["by_crowd"]),
                crowd_since=utc_or_none(e["crowd_since"]),
                crowd_until=utc_or_none(e["crowd_until"]),
            )
            for e in parts.get("incident_episodes", [])
        ),
        phases=tuple(
            Phase(
                episode=p["episode"],
                phase=p["phase"],
                since=utc(p["since"]),
                until=utc_or_none(p["until"]),
                impact=p["impact"],
                why=p["why"],
            )
            for p in parts.get("incident_phases", [])
        ),
        components=tuple(
            ComponentSpan(
                component=c["component"],
                source=c["source"],
                status=c["status"],
                since=utc(c["since"]),
                until=utc_or_none(c["until"]),
                detail=c["detail"],
            )
            for c in parts.get("incident_components", [])
        ),
        evidence=tuple(
            Evidence(
                kind=e["kind"],
                at=utc(e["at"]),
                statement=e["statement"],
                rows=e["rows"],
                subject=e["subject"],
                value=e["value"],
                compared_with=e["beside"],
            )
            for e in parts.get("incident_evidence", [])
        ),
    )


def put_news_events(conn: sqlite3.Connection, events: Iterable[NewsEvent]) -> None:
    """Write news events and the items folded into them."""
    for event in events:
        conn.execute(
            "INSERT INTO news_events VALUES (?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET kind=excluded.kind,"
            " title=excluded.title, entities=excluded.entities, outlets=excluded.outlets",
            (event.id, event.kind, event.title, json.dumps(event.entities), len(event.outlets), iso(event.first_seen)),
        )
        conn.executemany(
            "INSERT OR REPLACE INTO news_event_items VALUES (?,?,?)", [(event.id, *item) for item in event.items]
        )


def put_links(conn: sqlite3.Connection, incident_id: str, links: Iterable[Link]) -> None:
    """Replace an incident's links."""
    conn.execute("DELETE FROM links WHERE incident=?", (incident_id,))
    conn.executemany(
        "INSERT INTO links VALUES (?,?,?,?,?,?,?,?)",
        [
            (
                k.incident,
                k.news_event,
                k.relation,
                round(k.score, 3),
                json.dumps(k.evidence_for, ensure_ascii=False),
                json.dumps(k.evidence_against, ensure_ascii=False),
                k.p,
                int(k.shown),
            )
            for k in links
        ],
    )


def links_of(store: Store, incident: str) -> list[dict[str, Any]]:
    """Return an incident's links with the event's kind, title, outlets and first seen, strongest first."""
    rows = store.rows(
        "SELECT l.*, e.kind, e.title, e.outlets, e.first_seen FROM links l JOIN news_events e ON e.id = l.news_event"
        " WHERE l.incident=? ORDER BY l.relation, l.score DESC, e.first_seen, e.id",
        (incident,),
    )
    return [
        {
            **dict(r),
            "evidence_for": json.loads(r["evidence_for"]),
            "evidence_against": json.loads(r["evidence_against"]),
        }
        for r in rows
    ]


def news_events(store: Store, since: datetime, until: datetime) -> list[tuple[NewsEvent, str]]:
    """Return news events first seen in a span, oldest first, each with the text of its first item."""
    rows = store.rows(
        "SELECT e.id, e.kind, e.title, e.entities, e.first_seen, i.source, i.native_id, n.outlet, n.title AS item_title,"
        " n.summary FROM news_events e JOIN news_event_items i ON i.news_event = e.id JOIN news_items n USING"
        " (source, native_id) WHERE e.first_seen BETWEEN ? AND ? ORDER BY e.first_seen, e.id, n.published, i.source,"
        " i.native_id",
        (iso(since), iso(until)),
    )
    grouped: dict[str, list[sqlite3.Row]] = {}
    for row in rows:
        grouped.setdefault(row["id"], []).append(row)
    found = []
    for members in grouped.values():
        head = members[0]
        event = NewsEvent(
            id=head["id"],
            kind=head["kind"],
            title=head["title"],
            entities=tuple(json.loads(head["entities"])),
            outlets=tuple(sorted({m["outlet"] for m in members})),
            first_seen=utc(head["first_seen"]),
            items=tuple((m["source"], m["native_id"]) for m in members),
        )
        found.append((event, f"{head['item_title']}. {head['summary']}"))
    return found


def anything_open(store: Store) -> bool:
    """Return whether an incident is still open."""
    return bool(store.rows("SELECT 1 FROM incidents WHERE active LIMIT 1"))


def anything_to_explain(store: Store, through: datetime) -> bool:
    """Return whether anything since a moment can change the story: an open incident, an alarm, a notice, an item."""
    at = iso(through)
    return anything_open(store) or any(
        store.rows(sql, values)
        for sql, values in (
            ("SELECT 1 FROM stage_memory WHERE stage = 'detect' AND key = 'alarmed' AND value > ?", (at,)),
            ("SELECT 1 FROM status_updates WHERE collected > ? LIMIT 1", (at,)),
            ("SELECT 1 FROM news_items WHERE collected > ? LIMIT 1", (at,)),
        )
    )


def anything_said(store: Store, since: datetime) -> bool:
    """Return whether a post or a chart is stored from a moment on."""
    asked = ("SELECT 1 FROM posts WHERE created >= ? LIMIT 1", "SELECT 1 FROM chart_ranks WHERE observed >= ? LIMIT 1")
    return any(store.rows(sql, (iso(since),)) for sql in asked)


def may_change(store: Store, now: datetime) -> bool:
    """Return whether the story of the last days may change by the hour: something ended, was said, posted or charted.

    The spans are those the story is told with, and some more.
    """
    asked = (
        ('SELECT 1 FROM incidents WHERE "end" IS NULL OR "end" >= ?', 4),
        ("SELECT 1 FROM verdicts WHERE alarm = 1 AND bin_start >= ?", 2),
        ("SELECT 1 FROM status_updates WHERE displayed_at >= ?", 4),
        ("SELECT 1 FROM news_items WHERE published >= ?", 11),
        ("SELECT 1 FROM posts WHERE created >= ?", 18),
        ("SELECT 1 FROM chart_ranks WHERE observed >= ?", 18),
        ("SELECT 1 FROM advisories WHERE until IS NULL OR until >= ?", 2),
    )
    return any(store.rows(f"{sql} LIMIT 1", (iso(now - timedelta(days=days)),)) for sql, days in asked)
