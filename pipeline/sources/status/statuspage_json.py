"""Statuspage's `/api/v2/…`, which incident.io serves as well: incidents, and planned maintenance.

Every update is kept with its own time, so that the cadence of a page is in the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from pipeline.core.errors import SourceError
from pipeline.core.records import RejectedRow
from pipeline.core.status_records import ComponentChange, OfficialIncident, StatusUpdate
from pipeline.sources.parsing import MOST_ROWS, TITLE_CAP, not_from_the_future, past, plain, read_json, reject, unmarked
from pipeline.sources.status.notices import numbered
from pipeline.sources.status.reader import ENDED, INCIDENT, Answer, PageContext, Reader, Reading, Verification, gather
from pipeline.sources.status.typed_json import member, parsed, time_of

IMPACTS = ("none", "minor", "major", "critical", "maintenance")
_LISTS = ("incidents", "scheduled_maintenances")
_WRONG = (KeyError, TypeError, AttributeError, ValueError)


def recognises(answer: Answer) -> bool:
    """Return whether an answer is an object with a `page` of Statuspage's shape; its lists may be absent when empty."""
    page = member(parsed(answer.body), "page")
    # the page of an Instatus answer has a status of its own
    return isinstance(page, dict) and ("id" in page or "url" in page or "name" in page) and "status" not in page


def read(answer: Answer, context: PageContext) -> Reading:
    """Read incidents.json, summary.json or scheduled-maintenances.json.

    Raises SourceError when it is not such an answer; a bad incident or update is refused alone. An impact that is
    not one of the five is refused, an absent one is `none`. incident.io leaves out collections that are empty, or says
    null; a list of incidents leaves none out back to its last.
    """
    value = read_json(answer.body, context.source)
    if not isinstance(value, dict) or not isinstance(value.get("page"), dict):
        raise SourceError("not a Statuspage answer: no page", source=context.source, head=answer.body[:200])
    lists = {name: value.get(name) or [] for name in _LISTS}
    if not all(isinstance(entries, list) for entries in lists.values()):
        raise SourceError(
            "not a Statuspage answer: no list of incidents", source=context.source, head=answer.body[:200]
        )
    reading = gather(
        row
        for name, entries in lists.items()
        for number, entry in enumerate(entries[:MOST_ROWS])
        for row in _rows(entry, f"{name} {number}", context)
    )
    whole = isinstance(value.get("incidents"), list) and "components" not in value and len(lists["incidents"]) > 0
    return Reading(
        updates=reading.updates,
        incidents=reading.incidents,
        rejected=reading.rejected,
        complete_since=_complete_since(lists["incidents"][-1], context) if whole and not reading.rejected else None,
    )


def _complete_since(oldest: object, context: PageContext) -> datetime | None:
    """Return since when a list leaves nothing out, by its last entry; None where that has no time.

    Lists are in the order in which incidents were created: the start of any may have been set to long before that.
    """
    times = [oldest.get(key) for key in ("created_at", "started_at")] if isinstance(oldest, dict) else []
    return max((moment for value in times if (moment := _past(value, context)) is not None), default=None)


def page_address(body: bytes) -> str:
    """Return the address a Statuspage answer gives its page; empty when it gives none."""
    value = read_json(body, "")
    page = value.get("page") if isinstance(value, dict) else None
    return plain(page.get("url"), 300) if isinstance(page, dict) else ""


def host_without_www(address: str) -> str:
    """Return the host of an address, without `www.`; the address itself where it has none."""
    try:
        return (urlsplit(address).hostname or plain(address, 120)).removeprefix("www.")
    except ValueError:
        return plain(address, 120)


def _components(update: Mapping[str, object]) -> tuple[ComponentChange, ...]:
    parts = update.get("affected_components") or []
    if not isinstance(parts, list):
        raise TypeError
    return tuple(
        ComponentChange(plain(part["name"], 120), plain(part.get("old_status"), 40), plain(part.get("new_status"), 40))
        for part in parts
    )


def _id(value: object) -> str:
    text = plain(value, 60) if isinstance(value, str | int) else ""
    if not text:
        raise ValueError("no id")
    return text


def _past(value: object, context: PageContext) -> datetime | None:
    """Read a time other than those that count; None where there is none, and where it lies ahead."""
    return past(time_of(str(value)), context.fetched_at) if value else None


def _incident(entry: Mapping[str, object], context: PageContext) -> OfficialIncident:
    impact = plain(entry.get("impact"), 20).lower() or "none"
    scheduled = entry.get("scheduled_for")
    impact = "maintenance" if scheduled else impact
    if impact not in IMPACTS:
        raise ValueError(f"unknown impact {impact!r}")
    parts = entry.get("components") or []
    if not isinstance(parts, list):
        raise TypeError
    until = entry.get("scheduled_until")
    return OfficialIncident(
        page=context.page,
        incident_id=_id(entry["id"]),
        name=plain(entry.get("name"), TITLE_CAP),
        status=plain(entry.get("status"), 40),
        impact=impact,
        collected=context.fetched_at,
        started_at=_past(entry.get("started_at") or entry.get("created_at"), context),
        resolved_at=_past(entry.get("resolved_at"), context),
        scheduled_for=time_of(str(scheduled)) if scheduled else None,
        scheduled_until=time_of(str(until)) if until else None,
        components=tuple(plain(part["name"], 120) for part in parts),
        url=plain(entry.get("shortlink"), 300),
    )


def _rows(entry: object, where: str, context: PageContext) -> Iterator[StatusUpdate | OfficialIncident | RejectedRow]:
    """Yield an incident and its updates, and what of it is refused and why; nothing when it concerns others."""
    try:
        if not isinstance(entry, dict):
            raise TypeError
        incident = _incident(entry, context)
        updates = entry.get("incident_updates") or []
        if not isinstance(updates, list):
            raise TypeError
    except _WRONG as error:
        yield reject(where, error, entry)
        return
    rows: list[StatusUpdate | RejectedRow] = []
    used: set[str] = set()
    # from the oldest: where ids are made of the times, what is added on top changes none
    for place, update in reversed(list(enumerate(updates))):
        try:
            rows.append(_update(update, incident, context, used))
        except _WRONG as error:
            rows.append(reject(f"{where} update {place}", error, update))
    rows.reverse()
    parts = [
        *incident.components,
        *(part.name for row in rows if isinstance(row, StatusUpdate) for part in row.components),
    ]
    if not context.concerns(parts):
        return
    yield incident
    if rows:
        yield from rows
        return
    if incident.started_at is None:
        yield reject(where, "neither updates nor a time", entry)
        return
    over = incident.status in ("resolved", "postmortem", "completed")
    yield _standing_for(incident, INCIDENT, "investigating" if over else incident.status, incident.started_at)
    if over:
        yield _standing_for(incident, ENDED, incident.status, incident.resolved_at or incident.started_at)


def _standing_for(incident: OfficialIncident, update_id: str, status: str, at: datetime) -> StatusUpdate:
    """Return an update that stands for the start or the end of an incident without any."""
    return StatusUpdate(
        page=incident.page,
        incident_id=incident.incident_id,
        update_id=update_id,
        name=incident.name,
        status=status or "investigating",
        impact=incident.impact,
        components=(),
        displayed_at=at,
        created_at=at,
        collected=incident.collected,
    )


def _update(
    update: Mapping[str, object], incident: OfficialIncident, context: PageContext, used: set[str]
) -> StatusUpdate:
    """Return an update; one without an id, as pages in Statuspage's form may have, is known by its time and state."""
    created = not_from_the_future(time_of(str(update.get("created_at") or update["display_at"])), context.fetched_at)
    shown = not_from_the_future(time_of(str(update.get("display_at") or created.isoformat())), context.fetched_at)
    status = plain(update["status"], 40).lower() or "update"
    given = update.get("id")
    return StatusUpdate(
        page=incident.page,
        incident_id=incident.incident_id,
        update_id=numbered(f"{created:%Y%m%dT%H%M%S}-{status}", used) if given is None else _id(given),
        name=incident.name,
        status=status,
        impact=incident.impact,
        components=_components(update),
        displayed_at=shown,
        created_at=created,
        collected=context.fetched_at,
        body=unmarked(update.get("body"), 2000),
    )


STATUSPAGE = Reader(
    name="statuspage",
    platform="Statuspage",
    paths=("api/v2/incidents.json",),
    also=("api/v2/scheduled-maintenances.json",),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin="crazy-max/ghaction-github-status@d011975c tests/fixtures; GitHub and Claude histories of 2020 to 2026",
    markers=("statuspage.io", "status.incident.io", "incident.io"),
)
