"""News events, what their items claim, and their links to incidents."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from pipeline.core.news_events import Claim, Link, LinkRow, NewsEntity, NewsEvent
from pipeline.core.times import utc
from pipeline.core.vocabulary import ClaimKind, Relation, SaidBy
from pipeline.store import Store
from pipeline.store.kept_rows import SECOND


def put_claims(conn: sqlite3.Connection, claims: Iterable[tuple[str, str, Sequence[Claim]]]) -> None:
    """Write what news items (source, native id) claim, in place of what they claimed before."""
    for source, native_id, said in claims:
        conn.execute("DELETE FROM claims WHERE source=? AND native_id=?", (source, native_id))
        conn.executemany(
            "INSERT OR IGNORE INTO claims VALUES (?,?,?,?,?,?)",
            [(source, native_id, c.kind, c.value, c.said_by, c.definition) for c in said],
        )


def put_news_events(conn: sqlite3.Connection, events: Iterable[NewsEvent]) -> None:
    """Write news events and the items folded into them, inside the caller's transaction."""
    for event in events:
        conn.execute(
            "INSERT INTO news_events VALUES (?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET kind=excluded.kind,"
            " title=excluded.title, entities=excluded.entities, outlets=excluded.outlets",
            (
                event.id,
                event.kind,
                event.title,
                json.dumps([str(entity) for entity in event.entities]),
                len(event.outlets),
                event.first_seen,
            ),
        )
        conn.executemany(
            "INSERT OR REPLACE INTO news_event_items (news_event, source, native_id) VALUES (?,?,?)",
            [(event.id, *item) for item in event.items],
        )


def news_events(store: Store, since: datetime, until: datetime) -> list[tuple[NewsEvent, str]]:
    """Return news events first seen in [since, until], oldest first, each with the text of its first item."""
    return store.kept.spans.news_events.rows("", since, until + SECOND, partial(_read_news_events, store))


def _read_news_events(store: Store, since: datetime, until: datetime) -> list[tuple[NewsEvent, str]]:
    rows = store.rows(
        "SELECT e.id, e.kind, e.title, e.entities, e.first_seen, i.source, i.native_id, n.outlet, "
        "n.title AS item_title,"
        " n.summary FROM news_events e JOIN news_event_items i ON i.news_event = e.id JOIN news_items n USING"
        " (source, native_id) WHERE e.first_seen >= ? AND e.first_seen < ? ORDER BY e.first_seen, e.id,"
        " n.published, i.source, i.native_id",
        (since, until),
    )
    grouped: dict[str, list[sqlite3.Row]] = {}
    for row in rows:
        grouped.setdefault(row["id"], []).append(row)
    events = []
    for members in grouped.values():
        head = members[0]
        event = NewsEvent(
            id=head["id"],
            kind=head["kind"],
            title=head["title"],
            entities=tuple(map(NewsEntity.parse, json.loads(head["entities"]))),
            outlets=tuple(sorted({m["outlet"] for m in members})),
            first_seen=utc(head["first_seen"]),
            items=tuple((m["source"], m["native_id"]) for m in members),
        )
        events.append((event, f"{head['item_title']}. {head['summary']}"))
    return events


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


def links_of(store: Store, incident: str) -> list[LinkRow]:
    """Return an incident's links with the event's kind, title, outlets, first seen and first item, strongest first."""
    rows = store.rows(
        "SELECT l.*, e.kind, e.title, e.outlets, e.first_seen FROM links l JOIN news_events e ON e.id = l.news_event"
        " WHERE l.incident=? ORDER BY l.relation, l.score DESC, e.first_seen, e.id",
        (incident,),
    )
    first_items: dict[str, sqlite3.Row] = {}
    for item in store.rows(
        "SELECT i.news_event, n.outlet, n.url FROM links l JOIN news_event_items i USING (news_event)"
        " JOIN news_items n USING (source, native_id) WHERE l.incident=? ORDER BY n.published, i.source, i.native_id",
        (incident,),
    ):
        first_items.setdefault(item["news_event"], item)
    return [
        LinkRow(
            incident=r["incident"],
            news_event=r["news_event"],
            relation=Relation(r["relation"]),
            score=r["score"],
            evidence_for=tuple(json.loads(r["evidence_for"])),
            evidence_against=tuple(json.loads(r["evidence_against"])),
            p=r["p"],
            shown=bool(r["shown"]),
            kind=r["kind"],
            title=r["title"],
            outlets=r["outlets"],
            first_seen=utc(r["first_seen"]),
            outlet=first_items[r["news_event"]]["outlet"] if r["news_event"] in first_items else "",
            url=first_items[r["news_event"]]["url"] if r["news_event"] in first_items else "",
        )
        for r in rows
    ]


class PublishedClaim(NamedTuple):
    """A claim of a news item: the item's source and id there, its outlet, and when it was published."""

    source: str
    native_id: str
    outlet: str
    published: datetime
    claim: Claim


def claims_of(store: Store, news_events: Sequence[str]) -> list[PublishedClaim]:
    """Return the claims of the items of news events, oldest first."""
    marks = ",".join("?" * len(news_events))
    rows = store.rows(
        "SELECT c.*, n.outlet, n.published FROM claims c JOIN news_items n USING (source, native_id)"
        " JOIN news_event_items e"
        f" USING (source, native_id) WHERE e.news_event IN ({marks}) ORDER BY n.published, n.outlet, c.kind, c.value",
        tuple(news_events),
    )
    return [
        PublishedClaim(
            source=r["source"],
            native_id=r["native_id"],
            outlet=r["outlet"],
            published=utc(r["published"]),
            claim=Claim(
                kind=ClaimKind(r["kind"]), value=r["value"], said_by=SaidBy(r["said_by"]), definition=r["definition"]
            ),
        )
        for r in rows
    ]
