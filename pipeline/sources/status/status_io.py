"""Status.io: `api.status.io/1.0/status/ID`, the incidents and maintenances that are open or planned.

`status` of a message says how bad it is, `state` where it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pipeline.sources.status.notices import Notice, Post, Rows, affected, numbered
from pipeline.sources.status.open_lists import close_absent
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.typed_json import (
    Entries,
    Entry,
    Identity,
    Moment,
    Text,
    accepted,
    each,
    labels,
    listed,
    member,
    parsed,
    value_of,
)

IMPACTS = {100: "none", 200: "maintenance", 300: "minor", 400: "major", 500: "critical", 600: "major"}
STATES = {
    100: "operational",
    200: "under_maintenance",
    300: "degraded_performance",
    400: "partial_outage",
    500: "major_outage",
    600: "partial_outage",  # a security event
}
INCIDENT_WORDS = {100: "investigating", 200: "identified", 300: "monitoring", 400: "resolved"}
MAINTENANCE_WORDS = {100: "scheduled", 200: "in_progress", 300: "verifying", 400: "completed"}
_RANK = ("none", "minor", "major", "critical")


class _Message(Entry):
    datetime: Moment
    details: Text = ""
    state: int = 0
    status: int = 0


class _Incident(Entry):
    id: Identity
    name: Text = ""
    datetime_open: Moment = None
    datetime_planned_start: Moment = None
    datetime_planned_end: Moment = None
    messages: Entries = ()
    components_affected: Entries = ()
    containers_affected: Entries = ()


Kind = Literal["incident", "active", "upcoming"]


def recognises(answer: Answer) -> bool:
    """Return whether an answer has Status.io's overall status."""
    return isinstance(member(parsed(answer.body), "result", "status_overall"), dict)


def read(answer: Answer, context: PageContext) -> Reading:
    """Read the open incidents and the maintenances. Raises SourceError when it is no such answer."""
    result = member(value_of(answer, context, recognises), "result")
    rows = Rows(answer, context)
    maintenance = member(result, "maintenance")
    rows.add(_with_id(member(result, "incidents")), _Incident, lambda entry: _notice(entry, "incident"), "incident")
    active = _with_id(member(maintenance, "active"))
    rows.add(active, _Incident, lambda entry: _notice(entry, "active"), "maintenance")
    upcoming = _with_id(member(maintenance, "upcoming"))
    rows.add(upcoming, _Incident, lambda entry: _notice(entry, "upcoming"), "maintenance")
    return close_absent(rows.reading(), context)


def _with_id(entries: object) -> list[object]:
    """Return the entries of a list under `id`, where the answer has `_id`."""
    return [{**entry, "id": entry.get("_id")} if isinstance(entry, dict) else entry for entry in listed(entries)]


def _notice(incident: _Incident, kind: Kind) -> Notice:
    messages = list(each(_Message, incident.messages, f"incident {incident.id} message"))
    sent = sorted((message for message in accepted(messages) if message.datetime), key=lambda m: str(m.datetime))
    codes = [message.status for message in sent if message.status in IMPACTS]
    planned = kind != "incident"
    impacts = [IMPACTS[code] for code in codes if IMPACTS[code] in _RANK]
    impact = "maintenance" if planned else max(impacts, key=_RANK.index, default="minor")
    names = labels(incident.components_affected)
    state = "under_maintenance" if planned else STATES[codes[-1]] if codes else "degraded_performance"
    posts = _posts(sent, names, planned)
    status = {"active": "in_progress", "upcoming": "scheduled", "incident": "investigating"}[kind]
    if posts and not planned:
        status = posts[-1].status
    return Notice(
        id=incident.id,
        name=incident.name,
        status=status,
        impact=impact,
        started_at=None if planned else incident.datetime_open,
        scheduled_for=incident.datetime_planned_start,
        scheduled_until=incident.datetime_planned_end,
        parts=affected(names, state),
        also_named=labels(incident.containers_affected),
        posts=posts,
        rejected=[message for message in messages if not isinstance(message, _Message)],
    )


def _posts(messages: Sequence[_Message], names: Sequence[str], planned: bool) -> list[Post]:
    used: set[str] = set()
    words = MAINTENANCE_WORDS if planned else INCIDENT_WORDS
    return [
        Post(
            id=numbered(message.datetime.isoformat(), used),
            status=words.get(message.state, "in_progress" if planned else "investigating"),
            at=message.datetime,
            body=message.details,
            parts=affected(names, STATES.get(message.status, "")),
        )
        for message in messages
        if message.datetime is not None
    ]


STATUS_IO = Reader(
    name="status_io",
    platform="Status.io",
    paths=("1.0/status",),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin="amureki/statuscheck@97fb4e37/tests/test_services/test_data/gitlab_security.json, gitlab_maintenance.json",
    markers=("api.status.io", "statusio"),
)
