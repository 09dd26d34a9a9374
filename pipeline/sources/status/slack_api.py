"""Slack's own API: `/api/v2.0.0/history`, the latest incidents, and `/current`, those that are open."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.sources.status.notices import Notice, Post, Rows, affected, numbered
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.typed_json import (
    Entries,
    Entry,
    Identity,
    Moment,
    Text,
    Texts,
    accepted,
    each,
    has_entry,
    is_empty_list,
    member,
    parsed,
    value_of,
)

IMPACTS = {"notice": "none", "incident": "minor", "outage": "major", "maintenance": "maintenance"}
STATES = {"incident": "degraded_performance", "outage": "major_outage", "maintenance": "under_maintenance"}
STATUS_WORDS = {"active": "investigating", "resolved": "resolved", "scheduled": "scheduled", "completed": "completed"}
WITHDRAWN = "cancelled"


class _Note(Entry):
    date_created: Moment
    body: Text = ""


class _Incident(Entry):
    id: Identity
    date_created: Moment
    title: Text = ""
    type: Text = "incident"
    status: Text = ""
    url: Text = ""
    services: Texts = ()
    notes: Entries = ()


def recognises(answer: Answer) -> bool:
    """Return whether an answer is `current`, or a list of incidents with Slack's notes."""
    value = parsed(answer.body)
    listed = has_entry(value, "notes", "date_created") or is_empty_list(answer, "api/v2.0.0/history")
    return isinstance(member(value, "active_incidents"), list) or listed


def read(answer: Answer, context: PageContext) -> Reading:
    """Read `history` or `current`. Raises SourceError when it is neither."""
    value = value_of(answer, context, recognises)
    rows = Rows(answer, context)
    rows.add(member(value, "active_incidents") if isinstance(value, dict) else value, _Incident, _notice, "incident")
    return rows.reading()


def _notice(incident: _Incident) -> Notice | None:
    stage = incident.status.lower()
    kind = "maintenance" if stage in ("scheduled", "completed") else incident.type.lower()
    if stage == WITHDRAWN:
        return None
    if kind not in IMPACTS or stage not in STATUS_WORDS:
        raise ValueError(f"unknown type {incident.type!r} or status {incident.status!r}")
    notes = list(each(_Note, incident.notes, f"incident {incident.id} note"))
    status = STATUS_WORDS[stage]
    return Notice(
        id=incident.id,
        name=incident.title,
        status=status,
        impact=IMPACTS[kind],
        started_at=incident.date_created if status != "scheduled" else None,
        scheduled_for=incident.date_created if status == "scheduled" else None,
        parts=affected(incident.services, STATES.get(kind, "")),
        also_named=incident.services,
        url=incident.url,
        posts=_posts(accepted(notes), status),
        rejected=[note for note in notes if not isinstance(note, _Note)],
    )


def _posts(notes: Sequence[_Note], status: str) -> list[Post]:
    """Return an incident's notes: none tells the state it was posted in, the last has that of the incident."""
    dated = sorted(((note.date_created, note.body) for note in notes if note.date_created), key=lambda note: note[0])
    used: set[str] = set()
    before = "in_progress" if status == "completed" else "investigating"
    return [
        Post(
            id=numbered(at.isoformat(), used),
            status=status if place == len(dated) - 1 or status == "scheduled" else before,
            at=at,
            body=body,
        )
        for place, (at, body) in enumerate(dated)
    ]


SLACK = Reader(
    name="slack",
    platform="Slack",
    paths=("api/v2.0.0/history", "api/v2.0.0/current"),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin="amureki/statuscheck@97fb4e37/tests/test_services/test_data/slack_incident.json",
)
