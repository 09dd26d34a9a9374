"""What provider's pages told and what crowds measured, as entries of the ledger."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

from pipeline.model import Catalogue, Service, StatusUpdate
from pipeline.store import Store
from pipeline.store.collected import status_of
from pipeline.store.runs import heard, joined
from pipeline.story.episodes import closed_at, in_order
from pipeline.story.ledger import Entry, months, reach
from pipeline.story.scope import WORKING
from pipeline.times import iso, utc, utc_or_none


def official_entries(store: Store, service: Service, page: str, until: datetime) -> list[Entry]:
    """Return every incident of a page up to a moment, maintenance and doubtful ones among them, oldest first."""
    rows = store.rows("SELECT * FROM status_updates WHERE page = ? AND displayed_at <= ?", (page, iso(until)))
    grouped: dict[str, list[StatusUpdate]] = {}
    for row in rows:
        grouped.setdefault(row["incident_id"], []).append(status_of(row))
    found = []
    for incident_id, told in sorted(grouped.items()):
        updates = in_order(told)
        hit = {name for u in updates for name, _, new in u.components if new not in WORKING}
        timing = max(u.timing for u in updates)
        found.append(Entry(
            id=incident_id, began=updates[0].displayed_at, ended=closed_at(updates), impact=updates[-1].impact, timing=timing,
            posted=None if timing == "unposted" else min(u.created_at for u in updates),
            components=frozenset(service.component_named(name) or name for name in hit),
        ))  # fmt: skip
    return sorted(found, key=lambda e: (e.began, e.id))


def crowd_entries(store: Store, service: Service, until: datetime) -> list[Entry]:
    """Return the episodes in which a crowd rose, oldest first, as incidents of their own; doubtful ones are left out."""
    rows = store.rows(
        "SELECT e.*, i.id FROM incident_episodes e JOIN incidents i ON i.id = e.incident WHERE i.service = ? AND e.by_crowd"
        " AND e.onset <= ? AND i.id NOT LIKE '%-shared' AND (i.official_first_at IS NOT NULL OR ifnull(i.probability, 1) >= 0.5)"
        " ORDER BY e.onset",
        (service.id, iso(until)),
    )
    return [
        Entry(id=f"{r['id']}/{r['number']}", began=utc(r["crowd_since"] or r["onset"]), ended=utc_or_none(r["crowd_until"] if r["crowd_since"] else r["end"]), posted=utc_or_none(r["official_first_at"]),
              impact="major", components=frozenset(json.loads(r["components"])), crowd=utc(r["crowd_since"] or r["onset"]), by="crowd") for r in rows
    ]  # fmt: skip


def graded_entries(store: Store, service: Service, page: str, until: datetime) -> list[Entry]:
    """Return the page's incidents, each with the crowd's onset where one rose, and crowds the page never spoke of."""
    official = official_entries(store, service, page, until) if page else []
    crowds = crowd_entries(store, service, until)
    found: list[Entry] = []
    heard: set[str] = set()
    for entry in official:
        if not entry.counted:
            found.append(entry)
            continue
        near = [c for c in crowds if c.began <= (entry.ended or until) and (c.ended or until) >= entry.began]
        first = next((c for c in near if c.id not in heard), None)
        heard |= {c.id for c in near}
        found.append(entry if first is None else replace(entry, crowd=first.began))
    return sorted([*found, *(c for c in crowds if c.id not in heard)], key=lambda e: (e.began, e.id))


def listened(store: Store, service: str) -> list[tuple[datetime, datetime]]:
    """Return the spans in which any source of complaints or posts about a service was read, apart from each other."""
    sources = [r[0] for r in store.rows("SELECT DISTINCT source FROM series WHERE service = ?", (service,))]
    return joined(span for source in sources for span in heard(store, source))


def put_availability(store: Store, catalogue: Catalogue, now: datetime) -> int:
    """Work out availability by month of every service of which anything is known; return how many rows there are."""
    rows = []
    last = store.rows("SELECT max(until) FROM coverage")[0][0]
    read_last = utc(last) if last else None
    for service in catalogue.values():
        page = service.page
        for said_by, entries, watched in (
            ("page", official_entries(store, service, page, now) if page else [], None),
            ("crowd", crowd_entries(store, service, now), listened(store, service.id)),
        ):
            # what was not read since then is not known, be it by a clock or by an archive that ended
            until = min(reach(entries, now), read_last) if read_last and said_by == "page" else reach(entries, now)
            rows += [(service.id, m.month, said_by, m.incidents, round(m.down_minutes, 1), round(m.availability, 6),
                      None if m.mttr is None else round(m.mttr, 1), None if m.mtbf is None else round(m.mtbf / 60, 1), round(m.observed_minutes, 1))
                     for m in months(entries, until, watched=watched or None)]  # fmt: skip
    with store.transaction() as conn:
        conn.execute("DELETE FROM availability")
        conn.executemany("INSERT INTO availability VALUES (?,?,?,?,?,?,?,?,?)", rows)
    return len(rows)
