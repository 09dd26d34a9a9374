"""The rows that an incident of a feed is stored as: what all readers of feeds share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from pipeline.core.records import RejectedRow
from pipeline.core.status_records import ComponentChange, OfficialIncident, StatusUpdate
from pipeline.core.times import iso
from pipeline.sources.parsing import FUTURE, plain, reject, unmarked
from pipeline.sources.status.feed_entries import HTML_CAP, StatusFeed
from pipeline.sources.status.reader import PageContext, Reading, gather
from pipeline.text.status_words import MAINTENANCE, OVER

BODY_CAP = 2000
MOST_UPDATES = 500  # of one incident
PARTS_CAP = 200
Row = StatusUpdate | OfficialIncident | RejectedRow
_LIST_ITEM = re.compile(r"(?is)<li[^<>]{0,100}>(.{1,300}?)</li>")
_STATED = re.compile(r"^(?P<name>.{1,200}?)\s*\((?P<state>[^()]{2,40})\)$")


class Part(NamedTuple):
    """A part that an entry lists, and its state in Statuspage's words; empty where none is given."""

    name: str
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryUpdate:
    """One update of an incident.

    `posted` is when it was posted where that differs from `shown`; `native_id` its own id, where the feed has one.
    """

    shown: datetime
    status: str
    body: str = ""
    posted: datetime | None = None
    parts: Sequence[Part] = ()
    native_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryIncident:
    """One incident of a feed; `updates` oldest first; None where a time is not given.

    One that is planned may have no update. `also_named` are further names by which the component filter may choose it:
    regions, its title where the form of the feed has no parts.
    """

    place: str
    id: str
    title: str
    url: str
    updates: Sequence[EntryUpdate]
    impact: str = "minor"
    parts: Sequence[Part] = ()
    also_named: Sequence[str] = ()
    started_at: datetime | None = None
    resolved_at: datetime | None = None
    scheduled_for: datetime | None = None
    scheduled_until: datetime | None = None


def reading_of(feed: StatusFeed, rows: Iterable[Row]) -> Reading:
    """Return a feed's rows as a Reading, with since when it leaves nothing out, where it was read whole."""
    reading = gather([*feed.rejected, *rows])
    whole = not reading.rejected and not feed.detail
    return replace(reading, detail=feed.detail, complete_since=_complete_since(reading) if whole else None)


def _complete_since(reading: Reading) -> datetime | None:
    """Return a moment: no incident that began after it can have left the end of the feed; None where that is not known.

    A feed holds the newest so many incidents, by their first or their last time: which of the two is not known, and the
    last time of its last incident is later than both. That incident has to be over: a feed of open ones drops others.
    """
    listed = [incident for incident in reading.incidents if incident.impact != "maintenance"]
    last = next((incident.incident_id for incident in reversed(listed) if incident.status in OVER), None)
    times = [max(row.displayed_at, row.created_at) for row in reading.updates if row.incident_id == last]
    return max(times, default=None)


def rows_of(incident: EntryIncident, context: PageContext) -> Iterator[Row]:
    """Yield an incident's rows, and what of it is refused and why; nothing when it concerns others.

    An update without an id of its own is known by its minute and state, and by its place among those that share both,
    counted from the oldest: what is added on top changes no id. A part whose state is not given counts as affected
    until the incident is over.
    """
    listed = (*incident.parts, *(part for update in incident.updates for part in update.parts))
    names = tuple(dict.fromkeys(part.name for part in listed))[:PARTS_CAP]
    if not context.concerns([*names, *incident.also_named]):
        return
    if not incident.id:
        yield reject(incident.place, "neither link nor id", incident.title)
        return
    planned = incident.impact == "maintenance" or any(update.status in MAINTENANCE for update in incident.updates)
    impact = "maintenance" if planned else incident.impact
    rows: list[StatusUpdate] = []
    seen: Counter[str] = Counter()
    for update in sorted(incident.updates[-MOST_UPDATES:], key=lambda update: update.shown):
        latest = max(update.shown, update.posted or update.shown)
        if latest > context.fetched_at + FUTURE:
            yield reject(incident.place, f"time {iso(latest)} is in the future", update.body or incident.title)
            continue
        key = update.native_id or f"{update.shown:%Y%m%dT%H%M}-{update.status}"
        seen[key] += 1
        rows.append(
            StatusUpdate(
                page=context.page,
                incident_id=incident.id,
                update_id=key if seen[key] == 1 else f"{key}-{seen[key]:02}",
                name=incident.title,
                status=update.status,
                impact=impact,
                components=_changes(update.parts or incident.parts, update.status, planned),
                displayed_at=update.shown,
                created_at=update.posted or update.shown,
                collected=context.fetched_at,
                body=update.body[:BODY_CAP],
            )
        )
    if not rows and incident.scheduled_for is None:
        yield reject(incident.place, "no update with a state and a time that is certain", incident.title)
        return
    yield from rows
    yield OfficialIncident(
        page=context.page,
        incident_id=incident.id,
        name=incident.title,
        status=rows[-1].status if rows else "scheduled",
        impact=impact,
        collected=context.fetched_at,
        started_at=_past(incident.started_at, context),
        resolved_at=_past(incident.resolved_at, context),
        scheduled_for=incident.scheduled_for,
        scheduled_until=incident.scheduled_until,
        components=names,
        url=incident.url,
    )


def _past(moment: datetime | None, context: PageContext) -> datetime | None:
    return moment if moment is not None and moment <= context.fetched_at + FUTURE else None


def _changes(parts: Sequence[Part], status: str, planned: bool) -> tuple[ComponentChange, ...]:
    affected = "under_maintenance" if planned else "partial_outage"
    not_given = "operational" if status in OVER else affected
    return tuple(ComponentChange(part.name, "", part.state or not_given) for part in parts[:PARTS_CAP])


def listed_parts(fragment: str) -> tuple[Part, ...]:
    """Return the parts of a list `<li>Login (Degraded performance)</li>`, their states in Statuspage's words."""
    parts = []
    for item in _LIST_ITEM.finditer(fragment[:HTML_CAP]):
        text = unmarked(item[1], 240)
        stated = _STATED.match(text)
        name, state = (stated["name"], stated["state"]) if stated else (text, "")
        words = "_".join(state.lower().split())
        parts.append(Part(plain(name, 120), "major_outage" if words == "full_outage" else words))
    return tuple(dict.fromkeys(part for part in parts if part.name))


def worst_impact(updates: Iterable[EntryUpdate]) -> str:
    """Return the impact that the states of listed parts amount to, as Statuspage reckons it; minor at least."""
    states = {part.state for update in updates for part in update.parts}
    if "major_outage" in states:
        return "critical"
    return "major" if "partial_outage" in states else "minor"
