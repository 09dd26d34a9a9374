"""One status page read in two forms, its API and its feed: their incidents and updates are the same, their ids are not.

Of an update the ids of both forms show from which form they are: some pages give an id, else it is made of a time. Two
updates of one incident in one minute whose ids are of different forms are one update; that of the richer form stays.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from msgspec import structs

from pipeline.core.records import Listing
from pipeline.core.status_records import BEGAN, END, ENDED, INCIDENT, START, OfficialIncident, StatusUpdate
from pipeline.core.times import utc, utc_or_none

_STAND_INS = (BEGAN, END, ENDED, INCIDENT, START)  # ids of updates that a page does not have
_LINKS = "SELECT incident_id, url FROM official_incidents WHERE page = ? AND url != ''"
_STORED = """SELECT incident_id, update_id, status, displayed_at FROM status_updates
 WHERE page = ? AND incident_id IN (SELECT value FROM json_each(?))"""
_RENAMES = tuple(
    f"UPDATE OR IGNORE {table} SET update_id = ? WHERE page = ? AND incident_id = ? AND update_id = ?"
    for table in ("status_updates", "status_wordings")
)
_KNOWN = "SELECT impact, started_at, components, url FROM official_incidents WHERE page = ? AND incident_id = ?"


class _Key(NamedTuple):
    """What updates of two forms have in common."""

    incident_id: str
    minute: datetime


class _Stored(NamedTuple):
    """A stored update, as far as another form has it too."""

    update_id: str
    status: str
    form: int


@dataclass(slots=True)
class PageRows:
    """The rows of one page, as read or in the ids under which the store has them."""

    page: str
    updates: list[StatusUpdate] = field(default_factory=list)
    incidents: list[OfficialIncident] = field(default_factory=list)


def rows_by_page(updates: Iterable[StatusUpdate], incidents: Iterable[OfficialIncident]) -> list[PageRows]:
    """Return rows by the page they are of."""
    pages: dict[str, PageRows] = {}
    for update in updates:
        pages.setdefault(update.page, PageRows(update.page)).updates.append(update)
    for incident in incidents:
        pages.setdefault(incident.page, PageRows(incident.page)).incidents.append(incident)
    return list(pages.values())


def in_stored_ids(conn: sqlite3.Connection, rows: PageRows, listing: Listing | None) -> Listing | None:
    """Give rows the ids under which the store has them from another form; return the listing with those ids.

    An incident is known by its link. An update that the store has in a richer form is left out; one that it has in a
    poorer form takes its place, under its own id.
    """
    names = _known_by_link(conn, rows)
    if names:
        rows.updates = [structs.replace(u, incident_id=names.get(u.incident_id, u.incident_id)) for u in rows.updates]
        rows.incidents = [
            structs.replace(i, incident_id=names.get(i.incident_id, i.incident_id)) for i in rows.incidents
        ]
        if listing is not None:
            listing = listing._replace(incident_ids=frozenset(names.get(name, name) for name in listing.incident_ids))
    _match_updates(conn, rows)
    return listing


def _known_by_link(conn: sqlite3.Connection, rows: PageRows) -> Mapping[str, str]:
    """Return the stored id of each incident that the store has under another id with the same link."""
    if not any(_path(incident.url) for incident in rows.incidents):
        return {}
    stored = {incident_id: _path(url) for incident_id, url in conn.execute(_LINKS, (rows.page,))}
    read = {incident.incident_id: _path(incident.url) for incident in rows.incidents}
    new = {name: path for name, path in read.items() if path and name not in stored}
    old = {path: name for name, path in stored.items() if path and name not in read}
    # a link that several incidents share, as that of the page itself, tells none of them: it ends with the id of one
    shared = Counter([*read.values(), *(path for name, path in stored.items() if name not in read)])
    both = {name: (path, old[path]) for name, path in new.items() if path in old and shared[path] == 2}
    return {name: other for name, (path, other) in both.items() if path.endswith((f"/{name}", f"/{other}"))}


def _path(address: str) -> str:
    """Return the path of a link, without regard to its host: pages have several; empty where it is the page's own."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    path = "/".join(filter(None, parts.path.split("/")))
    return f"/{path}{parts.fragment and '#'}{parts.fragment}" if path else ""


def _match_updates(conn: sqlite3.Connection, rows: PageRows) -> None:
    read = {(update.incident_id, update.update_id) for update in rows.updates}
    names = json.dumps(sorted({incident_id for incident_id, _ in read}))
    stored: dict[_Key, list[_Stored]] = defaultdict(list)
    known: set[tuple[str, str]] = set()
    for incident_id, update_id, status, displayed in conn.execute(_STORED, (rows.page, names)):
        known.add((incident_id, update_id))
        if (incident_id, update_id) not in read and update_id not in _STAND_INS:
            shown = utc(displayed)
            stored[_key(incident_id, shown)].append(_Stored(update_id, status, _form(update_id, shown)))
    if not stored:
        return
    new = [u for u in rows.updates if (u.incident_id, u.update_id) not in known and u.update_id not in _STAND_INS]
    poorer: set[tuple[str, str]] = set()
    in_both: set[str] = set()
    for update, same in _pairs(new, stored):
        in_both.add(update.incident_id)
        if _form(update.update_id, update.displayed_at) > same.form:
            for sql in _RENAMES:
                conn.execute(sql, (update.update_id, rows.page, update.incident_id, same.update_id))
        else:
            poorer.add((update.incident_id, update.update_id))
    rows.updates = [update for update in rows.updates if (update.incident_id, update.update_id) not in poorer]
    for incident_id in in_both:
        _keep_known(conn, rows, incident_id)


def _pairs(new: Sequence[StatusUpdate], stored: dict[_Key, list[_Stored]]) -> Iterator[tuple[StatusUpdate, _Stored]]:
    """Yield which stored update of another form each new one is: one of the same state, else any of its minute."""
    left = sorted(new, key=lambda update: update.displayed_at)
    for same_state in (True, False):
        unpaired = []
        for update in left:
            candidates = stored.get(_key(update.incident_id, update.displayed_at), [])
            form = _form(update.update_id, update.displayed_at)
            others = (s for s in candidates if s.form != form and (s.status == update.status or not same_state))
            same = next(others, None)
            if same is None:
                unpaired.append(update)
            else:
                candidates.remove(same)
                yield update, same
        left = unpaired


def _keep_known(conn: sqlite3.Connection, rows: PageRows, incident_id: str) -> None:
    """Keep what one form said of an incident where the other says nothing; a form without impacts calls all minor."""
    known = conn.execute(_KNOWN, (rows.page, incident_id)).fetchone()
    if known is None:
        return
    impact, started_at, components, url = known
    read = [row.impact for row in rows.incidents if row.incident_id == incident_id]
    impact = next(iter(read), impact) if impact == "minor" else impact
    rows.updates = [structs.replace(u, impact=impact) if u.incident_id == incident_id else u for u in rows.updates]
    rows.incidents = [
        structs.replace(
            incident,
            impact=impact,
            started_at=incident.started_at or utc_or_none(started_at),
            components=incident.components or tuple(json.loads(components)),
            url=url or incident.url,
        )
        if incident.incident_id == incident_id
        else incident
        for incident in rows.incidents
    ]


def _key(incident_id: str, shown: datetime) -> _Key:
    return _Key(incident_id, shown.replace(second=0, microsecond=0))


def _form(update_id: str, shown: datetime) -> int:
    """Return of which form an id is, the richer the higher: made of the minute, of the second, or the page's own."""
    made = (f"{shown:%Y%m%dT%H%M}-", f"{shown:%Y%m%dT%H%M%S}", shown.isoformat())
    return next((form for form, begins in enumerate(made) if update_id.startswith(begins)), len(made))
