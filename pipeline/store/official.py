"""What providers' status pages say: incidents, their updates, each update's wordings, and what was taken back."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from pipeline.core.records import Batch, Listing
from pipeline.core.status_records import ComponentChange, OfficialIncident, StatusUpdate, Wording
from pipeline.core.times import utc, utc_or_none
from pipeline.store import Store
from pipeline.store.official_forms import in_stored_ids, rows_by_page

# what the newest answer says counts, whatever order answers are stored in; `collected` stays when it was first read
# an answer without posting times corrects none that was read before
_POSTED = "CASE WHEN excluded.timing = 'unposted' AND timing = '' THEN created_at ELSE excluded.created_at END"
_UPDATE = f"""INSERT INTO status_updates (page, incident_id, update_id, name, status, impact, components, displayed_at,
 created_at, collected, body, timing, read_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)
 ON CONFLICT DO UPDATE SET name=excluded.name, status=excluded.status, impact=excluded.impact,
 components=excluded.components, body=excluded.body, displayed_at=excluded.displayed_at,
 created_at={_POSTED}, read_at=excluded.read_at
 WHERE excluded.read_at >= ifnull(read_at, collected) AND
 (excluded.name, excluded.status, excluded.impact, excluded.components, excluded.body, excluded.displayed_at,
 {_POSTED}) != (name, status, impact, components, body, displayed_at, created_at)"""
_OLD_WORDING = """INSERT OR IGNORE INTO status_wordings SELECT page, incident_id, update_id, collected, body
 FROM status_updates WHERE page=? AND incident_id=? AND update_id=? AND body != ? AND ? >= ifnull(read_at, collected)"""
_NEW_WORDING = """INSERT INTO status_wordings SELECT ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM status_updates
 WHERE page=?1 AND incident_id=?2 AND update_id=?3 AND body != ?5 AND ?4 >= ifnull(read_at, collected))
 ON CONFLICT DO NOTHING"""
_INCIDENT = """INSERT INTO official_incidents (page, incident_id, name, status, impact, started_at, resolved_at,
 scheduled_for, scheduled_until, components, url, collected, read_at, taken_back_at)
 VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)
 ON CONFLICT DO UPDATE SET name=excluded.name, status=excluded.status, impact=excluded.impact,
 started_at=excluded.started_at, resolved_at=excluded.resolved_at, scheduled_for=excluded.scheduled_for,
 scheduled_until=excluded.scheduled_until, components=excluded.components, url=excluded.url,
 read_at=excluded.read_at, taken_back_at=ifnull(excluded.taken_back_at, taken_back_at)
 WHERE excluded.read_at >= read_at"""
_TAKEN_BACK = """UPDATE official_incidents SET taken_back_at = ? WHERE page = ? AND taken_back_at IS NULL
 AND impact != 'maintenance' AND read_at < ? AND ? < ifnull(started_at, (SELECT min(u.displayed_at)
 FROM status_updates u WHERE u.page = official_incidents.page AND u.incident_id = official_incidents.incident_id))
 AND incident_id NOT IN (SELECT value FROM json_each(?))"""
_SHOWN_AGAIN = """UPDATE official_incidents SET taken_back_at = NULL WHERE page = ? AND taken_back_at <= ?
 AND incident_id IN (SELECT value FROM json_each(?))"""
_NOT_TAKEN_BACK = """incident_id NOT IN (SELECT incident_id FROM official_incidents
 WHERE page = :page AND taken_back_at <= :until)"""


class UpdateKey(NamedTuple):
    """What an update of a page is known by."""

    page: str
    incident_id: str
    update_id: str


def key_of_update(update: StatusUpdate) -> UpdateKey:
    """Return what an update is known by."""
    return UpdateKey(update.page, update.incident_id, update.update_id)


def save_official(conn: sqlite3.Connection, batch: Batch) -> int:
    """Store what a batch holds of status pages; return how many updates were new or changed, and incidents new."""
    updates = [row for row in batch.rows if isinstance(row, StatusUpdate)]
    incidents = [row for row in batch.rows if isinstance(row, OfficialIncident)]
    listing = batch.listing
    if not updates and not incidents and listing is None:
        return 0
    pages = rows_by_page(updates, incidents)
    for rows in pages:
        listing = in_stored_ids(conn, rows, listing)
    updates = [update for rows in pages for update in rows.updates]
    incidents = [incident for rows in pages for incident in rows.incidents]
    new = sum(_save_updates(conn, readings) for readings in _readings(updates))
    known = conn.execute("SELECT count(*) FROM official_incidents").fetchone()[0] if incidents else 0
    conn.executemany(_INCIDENT, [_incident_row(i) for i in incidents])
    if incidents:
        new = max(0, new) + conn.execute("SELECT count(*) FROM official_incidents").fetchone()[0] - known
    if listing is not None:
        _take_back(conn, listing)
    return max(0, new)


def _readings(updates: Sequence[StatusUpdate]) -> list[list[StatusUpdate]]:
    """Part updates so that each stands once in a list: a recording may bring several wordings of one at once."""
    readings: list[list[StatusUpdate]] = []
    count_of: Counter[UpdateKey] = Counter()
    for update in sorted(updates, key=lambda u: u.collected):
        key = key_of_update(update)
        if count_of[key] == len(readings):
            readings.append([])
        readings[count_of[key]].append(update)
        count_of[key] += 1
    return readings


def _save_updates(conn: sqlite3.Connection, updates: Sequence[StatusUpdate]) -> int:
    """Store updates, each there once, with their wordings; return how many were new or changed."""
    for sql, rows in (
        (_NEW_WORDING, [(*key_of_update(u), u.collected, u.body) for u in updates]),
        (_OLD_WORDING, [(*key_of_update(u), u.body, u.collected) for u in updates]),
    ):
        conn.executemany(sql, rows)
    return conn.executemany(_UPDATE, [_update_row(u) for u in updates]).rowcount


def _take_back(conn: sqlite3.Connection, listing: Listing) -> None:
    """Mark the incidents that a complete list no longer holds, and unmark those that it holds again.

    Planned maintenance is not marked: pages list it apart, and not at every read.
    """
    ids = json.dumps(sorted(listing.incident_ids))
    conn.execute(_SHOWN_AGAIN, (listing.page, listing.at, ids))
    conn.execute(_TAKEN_BACK, (listing.at, listing.page, listing.at, listing.since, ids))


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
        i.taken_back_at,
    )


@lru_cache(maxsize=4096)  # the updates of the last months are read again whenever an incident is explained
def _component_changes(text: str) -> tuple[ComponentChange, ...]:
    """Read the stored changes of components back."""
    return tuple(ComponentChange(name, old, new) for name, old, new in json.loads(text))


def status_of(r: sqlite3.Row) -> StatusUpdate:
    """Read a stored status update back."""
    return StatusUpdate(
        page=r["page"],
        incident_id=r["incident_id"],
        update_id=r["update_id"],
        name=r["name"],
        status=r["status"],
        impact=r["impact"],
        components=_component_changes(r["components"]),
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


def notice_impacts(store: Store) -> dict[str, str]:
    """Return how bad each provider's incident is called, by its id, as its newest update says."""
    rows = store.rows("SELECT incident_id, impact FROM status_updates ORDER BY displayed_at, update_id")
    return {r["incident_id"]: r["impact"] for r in rows}


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


def planned_maintenance(store: Store, page: str, since: datetime, until: datetime) -> list[OfficialIncident]:
    """Return the maintenance that lasts beyond `since`, announced and not taken back by `until`, the next one first."""
    announced = (row for row in official_incidents(store, page, until) if row.scheduled_for is not None)
    lasting = [row for row in announced if (span := row.maintenance_span) is not None and span.until > since]
    return sorted(lasting, key=lambda row: (row.scheduled_for or row.collected, row.incident_id))


def wordings_until(store: Store, until: datetime) -> Mapping[UpdateKey, list[Wording]]:
    """Return the wordings, in the order of their times, of each update that was reworded; those read by a moment."""
    wordings: dict[UpdateKey, list[Wording]] = defaultdict(list)
    rows = store.rows("SELECT * FROM status_wordings WHERE first_seen <= ? ORDER BY first_seen", (until,))
    for row in rows:
        key = UpdateKey(row["page"], row["incident_id"], row["update_id"])
        wordings[key].append(Wording(utc(row["first_seen"]), row["body"]))
    return wordings


def pages_between(store: Store, since: datetime, until: datetime) -> set[str]:
    """Return the status pages with an update displayed in a span."""
    sql = "SELECT DISTINCT page FROM status_updates WHERE displayed_at BETWEEN ? AND ?"
    return {row[0] for row in store.rows(sql, (since, until))}
