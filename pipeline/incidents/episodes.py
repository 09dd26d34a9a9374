"""Spans above expectation and a page's notices on one time line: joined into episodes, episodes into stories. Pure.

Spans that touch within half an hour make an episode; episodes less than three hours apart make one story. Nothing that
begins a day after a story did belongs to it, or a provider with trouble every day would have one endless story.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, structs

from pipeline.core.row_refs import RowRef
from pipeline.core.series import Interval
from pipeline.core.status_records import ComponentChange, OfficialIncident, StatusUpdate
from pipeline.core.vocabulary import Impact, RowTable

TOUCH = timedelta(minutes=30)
STORY_GAP = timedelta(hours=3)
LONGEST_STORY = timedelta(hours=24)
CLOSED = ("resolved", "postmortem", "completed")
USUAL_ORDER = ("investigating", "identified", "monitoring")  # a feed tells times to the minute
UPDATE = "update"  # a feed's word for an update that leaves the state as it was
WORKING = ("operational", "under_maintenance", "")
PARTLY_DOWN = "partial_outage"
FORGOTTEN = timedelta(days=3)
COUNTED_IMPACTS = {"minor": Impact.LOW, "major": Impact.HIGH, "critical": Impact.CRITICAL}


class ProviderIncident(Struct, frozen=True, kw_only=True):
    """One incident on the provider's page, as far as it was shown; `spoke` is when it was first posted.

    For an incident written after the fact that is later than `posted`, the time the page shows it under. `url` is where
    the page shows it; empty where that is not known.
    """

    id: str
    name: str
    impact: str
    posted: datetime
    first_posted_at: datetime
    resolved: datetime | None
    updates: tuple[StatusUpdate, ...]
    url: str = ""


class EpisodeDraft(Struct):
    """Spans and notices that touch; `end` is None while one of them lasts."""

    start: datetime
    end: datetime | None
    intervals: list[Interval]
    provider_incidents: list[ProviderIncident]


def incident_id(service: str, onset: datetime) -> str:
    """Return the id of an incident first seen with an onset: service and minute."""
    return f"{service}-{onset:%Y%m%dT%H%M}Z"


def update_ref(update: StatusUpdate) -> RowRef:
    """Return the reference to the stored row of an update."""
    return RowRef(RowTable.STATUS_UPDATES, f"{update.page}/{update.incident_id}/{update.update_id}")


def read_provider_incidents(
    updates: Iterable[StatusUpdate], now: datetime | None = None, incidents: Iterable[OfficialIncident] = ()
) -> list[ProviderIncident]:
    """Return the stretches in which a page's incidents were open; impact none, maintenance, doubtful timing left out.

    An incident that the page opened again is several stretches of one id. One still open of which the page has not
    spoken for days before `now` ended with its last word: pages forget, and delete. `incidents` tell the parts that a
    page lists for an incident without an update that changes their state.
    """
    whole = list(incidents)
    listed = {incident.incident_id: incident.components for incident in whole}
    urls = {incident.incident_id: incident.url for incident in whole}
    found = []
    for incident_id, rows in by_incident(updates).items():
        if rows[-1].impact not in COUNTED_IMPACTS or rows[-1].timing == "doubtful":
            continue
        for stretch in stretches(with_listed_parts(rows, listed.get(incident_id, ()))):
            over = closed_at(stretch)
            if over is None and now is not None and now - stretch[-1].displayed_at > FORGOTTEN:
                over = stretch[-1].displayed_at
            found.append(
                ProviderIncident(
                    id=incident_id,
                    name=rows[-1].name,
                    impact=rows[-1].impact,
                    posted=stretch[0].displayed_at,
                    first_posted_at=min(u.written for u in stretch),
                    resolved=over,
                    updates=tuple(stretch),
                    url=urls.get(incident_id, ""),
                )
            )
    return sorted(found, key=lambda o: (o.posted, o.id))


def by_incident(updates: Iterable[StatusUpdate]) -> dict[str, list[StatusUpdate]]:
    """Return each incident's updates in order; those made of its times only where the page posted none."""
    grouped: dict[str, list[StatusUpdate]] = {}
    for update in updates:
        grouped.setdefault(update.incident_id, []).append(update)
    return {incident_id: in_order(_posted(rows)) for incident_id, rows in grouped.items()}


def _posted(updates: Sequence[StatusUpdate]) -> Sequence[StatusUpdate]:
    return [u for u in updates if not u.stands_in] if any(u.is_post for u in updates) else updates


def in_order(updates: Iterable[StatusUpdate]) -> list[StatusUpdate]:
    """Return the updates of an incident as they are to be read; of the same second, in the usual order of states."""
    return sorted(updates, key=lambda u: (u.displayed_at, u.created_at, _usual_place(u.status), u.update_id))


def _usual_place(status: str) -> int:
    if status in CLOSED:
        return len(USUAL_ORDER)
    return USUAL_ORDER.index(status) if status in USUAL_ORDER else len(USUAL_ORDER) - 1


def stretches(updates: Sequence[StatusUpdate]) -> list[list[StatusUpdate]]:
    """Cut an incident's updates, in order, into the stretches in which it was open.

    A word that opens the incident again more than half an hour after it was closed begins another stretch; a mere
    "update" or a root cause after the closing word opens nothing.
    """
    cut: list[list[StatusUpdate]] = [[]]
    for update in updates:
        if opens(update) and cut[-1]:
            over = closed_at(cut[-1])
            if over is not None and update.displayed_at - over > TOUCH:
                cut.append([])
        cut[-1].append(update)
    return cut


def opens(update: StatusUpdate) -> bool:
    """Return whether an update says by itself that the incident is open."""
    return update.status not in CLOSED and update.status != UPDATE


def closed_at(stretch: Sequence[StatusUpdate]) -> datetime | None:
    """Return when a page closed an incident: by the first closing word after the last opening one. None while open."""
    last = max((n for n, update in enumerate(stretch) if opens(update)), default=-1)
    return next((u.displayed_at for u in stretch[last + 1 :] if u.status in CLOSED), None)


def with_listed_parts(updates: Sequence[StatusUpdate], listed: Sequence[str]) -> list[StatusUpdate]:
    """Return the updates with the parts that the page lists for the incident, where no update says any part is down.

    Such a part is what the incident is about: it counts as affected from each opening word to the closing one.
    """
    if not listed or any(new not in WORKING for u in updates for _, _, new in u.components):
        return list(updates)
    found: list[StatusUpdate] = []
    is_open = False
    for update in updates:
        changes = update.components
        if update.status in CLOSED:
            if is_open:
                changes = tuple(ComponentChange(name, PARTLY_DOWN, "operational") for name in listed)
            is_open = False
        elif not is_open and (update.status != UPDATE or not found):
            changes = tuple(ComponentChange(name, "operational", PARTLY_DOWN) for name in listed)
            is_open = True
        found.append(structs.replace(update, components=changes))
    return found


def merge_into_episodes(
    intervals: Sequence[Interval], provider_incidents: Sequence[ProviderIncident]
) -> list[EpisodeDraft]:
    """Join spans that touch, oldest first."""
    spans: list[tuple[datetime, datetime | None, Interval | None, ProviderIncident | None]] = [
        *((i.onset, i.end, i, None) for i in intervals),
        *((o.posted, o.resolved, None, o) for o in provider_incidents),
    ]
    found: list[EpisodeDraft] = []
    for start, end, interval, provider_incident in sorted(
        spans, key=lambda s: (s[0], s[2] is None, str(s[2] and s[2].series))
    ):
        last = found[-1] if found else None
        if last is None or (last.end is not None and start > last.end + TOUCH) or start > last.start + LONGEST_STORY:
            last = EpisodeDraft(start, end, [], [])
            found.append(last)
        elif last.end is not None:
            last.end = None if end is None else max(last.end, end)
        if interval is not None:
            last.intervals.append(interval)
        if provider_incident is not None:
            last.provider_incidents.append(provider_incident)
    return found


def group_into_incidents(drafts: Sequence[EpisodeDraft]) -> list[list[EpisodeDraft]]:
    """Put episodes less than three hours apart together."""
    found: list[list[EpisodeDraft]] = []
    for draft in drafts:
        story = found[-1] if found else None
        near = story is not None and (story[-1].end is None or draft.start - story[-1].end < STORY_GAP)
        if story is not None and near and draft.start <= story[0].start + LONGEST_STORY:
            story.append(draft)
        else:
            found.append([draft])
    return found
