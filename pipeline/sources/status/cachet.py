"""Cachet: `/api/v1/incidents` and `/api/v1/components`.

Older versions write times without a zone, which mean no instant: such incidents are refused. The components tell what
is down now, without a time.
"""

from __future__ import annotations

from pipeline.sources.status.notices import Notice, Post, Rows
from pipeline.sources.status.present_state import Part, parts_of, read_present_state
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.typed_json import (
    Entries,
    Entry,
    Identity,
    Moment,
    Text,
    accepted,
    each,
    has_entry,
    member,
    parsed,
    value_of,
)

INCIDENT_WORDS = {"0": "scheduled", "1": "investigating", "2": "identified", "3": "monitoring", "4": "resolved"}
STATES = {"1": "operational", "2": "degraded_performance", "3": "partial_outage", "4": "major_outage"}


class _Update(Entry):
    id: Identity
    status: Text = ""
    message: Text = ""
    created_at: Moment


class _Incident(Entry):
    id: Identity
    name: Text = ""
    status: Text = ""
    message: Text = ""
    created_at: Moment = None
    occurred_at: Moment = None
    scheduled_at: Moment = None
    permalink: Text = ""
    updates: Entries = ()


class _Component(Entry):
    id: Identity
    name: Text = ""
    status: Text = ""
    status_name: Text = ""


def recognises(answer: Answer) -> bool:
    """Return whether an answer is a list of Cachet's incidents or components."""
    value = parsed(answer.body)
    data = member(value, "data")
    if isinstance(member(value, "meta", "pagination"), dict) and data == []:
        return True
    return has_entry(data, "status", "name", "status_name") or has_entry(data, "status", "name", "human_status")


def read(answer: Answer, context: PageContext) -> Reading:
    """Read incidents or components. Raises SourceError when it is neither."""
    data = member(value_of(answer, context, recognises), "data")
    if has_entry(data, "status_name"):
        return read_present_state(parts_of(data, _Component, _part, answer, context), context, complete=False)
    rows = Rows(answer, context)
    rows.add(data, _Incident, _notice, "incident")
    return rows.reading()


def _part(component: _Component) -> Part:
    state = STATES.get(component.status, "")
    return Part(id=component.id, name=component.name, state=state, words=component.status_name)


def _notice(incident: _Incident) -> Notice:
    status = INCIDENT_WORDS.get(incident.status)
    if status is None:
        raise ValueError(f"unknown status {incident.status!r}")
    updates = list(each(_Update, incident.updates, f"incident {incident.id} update"))
    began = incident.occurred_at or incident.created_at
    planned = incident.scheduled_at is not None
    posts = [
        Post(
            id=update.id,
            status=INCIDENT_WORDS.get(update.status, "investigating"),
            at=update.created_at,
            body=update.message,
        )
        for update in accepted(updates)
        if update.created_at is not None
    ]
    if began is not None and not planned:
        first = status if not posts else "investigating"
        posts.append(Post(id="incident", status=first, at=began, posted=incident.created_at, body=incident.message))
    return Notice(
        id=incident.id,
        name=incident.name,
        status=status,
        impact="maintenance" if planned else "minor",
        started_at=None if planned else began,
        scheduled_for=incident.scheduled_at,
        also_named=(incident.name,),
        url=incident.permalink,
        posts=posts,
        rejected=[update for update in updates if not isinstance(update, _Update)],
    )


CACHET = Reader(
    name="cachet",
    platform="Cachet",
    paths=("api/v1/incidents?sort=id&order=desc&per_page=50", "api/v1/components?per_page=100"),
    recognises=recognises,
    read=read,
    verification=Verification.CLIENT,
    origin="inket/stts@7fb55018/stts/Services/Super/CachetService.swift and the documented API of version 2",
    markers=("cachet",),
)
