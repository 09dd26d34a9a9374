"""What providers' status pages say: incidents, their updates, each update's wordings, and what was taken back."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from pipeline.core.records import Batch, ComponentChange, Listing, OfficialIncident, StatusUpdate
from pipeline.core.times import utc, utc_or_none
from pipeline.store import Store

# what the newest answer says counts, whatever order answers are stored in; `collected` stays when it was first read
_UPDATE = """INSERT INTO status_updates (page, incident_id, update_id, name, status, impact, components, displayed_at,
 created_at, collected, body, timing, read_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)
 ON CONFLICT DO UPDATE SET name=excluded.name, status=excluded.status, impact=excluded.impact,
 components=excluded.components, body=excluded.body, displayed_at=excluded.displayed_at,
 created_at=excluded.created_at, read_at=excluded.read_at
 WHERE excluded.read_at >= ifnull(read_at, collected) AND
 (excluded.name, excluded.status, excluded.impact, excluded.components, excluded.body, excluded.displayed_at,
 excluded.created_at) != (name, status, impact, components, body, displayed_at, created_at)"""
_OLD_WORDING = """INSERT OR IGNORE INTO status_wordings SELECT page, incident_id, update_id, collected, body
 FROM status_updates WHERE page=? AND incident_id=? AND update_id=? AND body != ? AND ? >= ifnull(read_at, collected)"""
_NEW_WORDING = """INSERT INTO status_wordings SELECT ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM status_updates
 WHERE page=?1 AND incident_id=?2 AND update_id=?3 AND body != ?5 AND ?4 >= ifnull(read_at, collected))
 ON CONFLICT DO NOTHING"""
_INCIDENT = """INSERT INTO official_incidents (page, incident_id, name, status, impact, started_at, resolved_at,
 scheduled_for, scheduled_until, components, url, collected, read_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)
 ON CONFLICT DO UPDATE SET name=excluded.name, status=excluded.status, impact=excluded.impact,
 started_at=excluded.started_at, resolved_at=excluded.resolved_at, scheduled_for=excluded.scheduled_for,
 scheduled_until=excluded.scheduled_until, components=excluded.components, url=excluded.url,
 read_at=excluded.read_at WHERE excluded.read_at >= read_at"""
_TAKEN_BACK = """UPDATE official_incidents SET taken_back_at = ? WHERE page = ? AND taken_back_at IS NULL
 AND impact != 'maintenance' AND started_at > ? AND read_at < ?
 AND incident_id NOT IN (SELECT value FROM json_each(?))"""
_SHOWN_AGAIN = """UPDATE official_incidents SET taken_back_at = NULL WHERE page = ? AND taken_back_at <= ?
 AND incident_id IN (SELECT value FROM json_each(?))"""
_NOT_TAKEN_BACK = """incident_id NOT IN (SELECT incident_id FROM official_incidents
 WHERE page = :page AND taken_back_at <= :until)"""


def save_official(conn: sqlite3.Connection, batch: Batch) -> int:
    """Store what a batch holds of status pages; return how many updates were new or changed, and incidents new."""
    updates = [row for row in batch.rows if isinstance(row, StatusUpdate)]
    incidents = [row for row in batch.rows if isinstance(row, OfficialIncident)]
    keys = [(u.page, u.incident_id, u.update_id) for u in updates]
    for sql, rows in (
        (_NEW_WORDING, [(*key, u.collected, u.body) for key, u in zip(keys, updates, strict=True)]),
        (_OLD_WORDING, [(*key, u.body, u.collected) for key, u in zip(keys, updates, strict=True)]),
    ):
        conn.executemany(sql, rows)
    new = conn.executemany(_UPDATE, [_update_row(u) for u in updates]).rowcount if updates else 0
    known = conn.execute("SELECT count(*) FROM official_incidents").fetchone()[0] if incidents else 0
    conn.executemany(_INCIDENT, [_incident_row(i) for i in incidents])
    if incidents:
        new = max(0, new) + conn.execute("SELECT count(*) FROM official_incidents").fetchone()[0] - known
    if batch.listing is not None:
        _take_back(conn, batch.listing, max([*(u.collected for u in updates), *(i.collected for i in incidents)]))
    return max(0, new)


def _take_back(conn: sqlite3.Connection, listing: Listing, at: datetime) -> None:
    """Mark the incidents that a complete list no longer holds, and unmark those that it holds again.

    Planned maintenance is not marked: pages list it apart, and not at every read.
    """
    ids = json.dumps(sorted(listing.incident_ids))
    conn.execute(_SHOWN_AGAIN, (listing.page, at, ids))
    conn.execute(_TAKEN_BACK, (at, listing.page, listing.since, at, ids))


def _update_row(u: StatusUpdate) -> tuple[object, ...]:
    return (
        u.page,
        u.incident_id,
        u.update_id,
        u.name,
        u.status,
        u.impact,
        json.dumps(u.components),
        u.displayed_at,
        u.created_at,
        u.collected,
        u.body,
        u.timing,
        u.collected,
    )


def _incident_row(i: OfficialIncident) -> tuple[object, ...]:
    return (
        i.page,
        i.incident_id,
        i.name,
        i.status,
        i.impact,
        i.started_at,
        i.resolved_at,
        i.scheduled_for,
        i.scheduled_until,
        json.dumps(i.components),
        i.url,
        i.collected,
        i.collected,
    )


def status_of(r: sqlite3.Row) -> StatusUpdate:
    """Read a stored status update back."""
    return StatusUpdate(
        page=r["page"],
        incident_id=r["incident_id"],
        update_id=r["update_id"],
        name=r["name"],
        status=r["status"],
        impact=r["impact"],
        components=tuple(ComponentChange(n, old, new) for n, old, new in json.loads(r["components"])),
        displayed_at=utc(r["displayed_at"]),
        created_at=utc(r["created_at"]),
        collected=utc(r["collected"]),
        body=r["body"],
        timing=r["timing"],
    )


def incident_of(r: sqlite3.Row) -> OfficialIncident:
    """Read a stored incident of a page back."""
    return OfficialIncident(
        page=r["page"],
        incident_id=r["incident_id"],
        name=r["name"],
        status=r["status"],
        impact=r["impact"],
        collected=utc(r["collected"]),
        started_at=utc_or_none(r["started_at"]),
        resolved_at=utc_or_none(r["resolved_at"]),
        scheduled_for=utc_or_none(r["scheduled_for"]),
        scheduled_until=utc_or_none(r["scheduled_until"]),
        components=tuple(json.loads(r["components"])),
        url=r["url"],
    )


_WORDED = """SELECT u.page, u.incident_id, u.update_id, u.name, u.status, u.impact, u.components, u.displayed_at,
 u.created_at, u.collected, u.timing, ifnull((SELECT w.body FROM status_wordings w WHERE w.page = u.page
 AND w.incident_id = u.incident_id AND w.update_id = u.update_id AND w.first_seen <= :until
 ORDER BY w.first_seen DESC LIMIT 1), u.body) AS body FROM status_updates u"""


def status_updates(store: Store, page: str, since: datetime, until: datetime) -> list[StatusUpdate]:
    """Return every update of a page's incidents that had one displayed in [since, until], in order of display.

    Each has the wording it had at `until`; incidents that the page had taken back by then are left out.
    """
    rows = store.rows(
        f"{_WORDED} WHERE u.page = :page AND u.displayed_at <= :until AND u.incident_id IN (SELECT"
        " incident_id FROM status_updates WHERE page = :page AND displayed_at BETWEEN :since AND :until)"
        f" AND {_NOT_TAKEN_BACK} ORDER BY displayed_at, incident_id, update_id",
        {"page": page, "since": since, "until": until},
    )
    return [status_of(row) for row in rows]


def updates_of_page(store: Store, page: str, until: datetime) -> list[StatusUpdate]:
    """Return every update of a page displayed by a moment, with the wording of then, in no particular order."""
    rows = store.rows(
        f"{_WORDED} WHERE u.page = :page AND u.displayed_at <= :until AND {_NOT_TAKEN_BACK}",
        {"page": page, "until": until},
    )
    return [status_of(row) for row in rows]


def official_incidents(store: Store, page: str, until: datetime) -> list[OfficialIncident]:
    """Return the incidents of a page that were read by a moment and not taken back by then, in no particular order."""
    rows = store.rows(
        f"SELECT * FROM official_incidents WHERE page = :page AND collected <= :until AND {_NOT_TAKEN_BACK}",
        {"page": page, "until": until},
    )
    return [incident_of(row) for row in rows]


def pages_between(store: Store, since: datetime, until: datetime) -> set[str]:
    """Return the status pages with an update displayed in a span."""
    sql = "SELECT DISTINCT page FROM status_updates WHERE displayed_at BETWEEN ? AND ?"
    return {row[0] for row in store.rows(sql, (since, until))}
