"""Instatus: `/summary.json`, the incidents and maintenances that are open now; both lists are left out when empty."""

from __future__ import annotations

from datetime import timedelta

from pipeline.sources.status.feed_entries import named_by
from pipeline.sources.status.notices import Notice, Post, Rows, affected
from pipeline.sources.status.open_lists import close_absent
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.typed_json import Entries, Entry, Moment, Text, labels, member, parsed, value_of

PAGE_WORDS = ("UP", "HASISSUES", "UNDERMAINTENANCE", "ALLUNDERMAINTENANCE", "SOMEUNDERMAINTENANCE")
IMPACTS = {
    "OPERATIONAL": "none",
    "DEGRADEDPERFORMANCE": "minor",
    "MINOROUTAGE": "minor",
    "PARTIALOUTAGE": "major",
    "MAJOROUTAGE": "critical",
}
STATES = {
    "DEGRADEDPERFORMANCE": "degraded_performance",
    "MINOROUTAGE": "degraded_performance",
    "PARTIALOUTAGE": "partial_outage",
    "MAJOROUTAGE": "major_outage",
}
INCIDENT_WORDS = ("INVESTIGATING", "IDENTIFIED", "MONITORING", "RESOLVED")
MAINTENANCE_WORDS = {"NOTSTARTEDYET": "scheduled", "INPROGRESS": "in_progress", "COMPLETED": "completed"}


class _Incident(Entry):
    id: Text = ""
    started: Moment
    name: Text = ""
    status: Text = ""
    impact: Text = ""
    url: Text = ""
    updatedAt: Moment = None  # noqa: N815  as the answer writes it
    affectedComponents: Entries = ()  # noqa: N815


class _Maintenance(Entry):
    id: Text = ""
    start: Moment
    name: Text = ""
    status: Text = ""
    duration: Text = ""
    url: Text = ""
    affectedComponents: Entries = ()  # noqa: N815


def recognises(answer: Answer) -> bool:
    """Return whether an answer is a page with one of Instatus's words for how it is."""
    return member(parsed(answer.body), "page", "status") in PAGE_WORDS


def read(answer: Answer, context: PageContext) -> Reading:
    """Read what is open; an incident that is no longer listed is over. Raises SourceError when it is no such answer."""
    value = value_of(answer, context, recognises)
    rows = Rows(answer, context)
    rows.add(member(value, "activeIncidents"), _Incident, _incident, "incident")
    rows.add(member(value, "activeMaintenances"), _Maintenance, _maintenance, "maintenance")
    return close_absent(rows.reading(), context)


def _incident(incident: _Incident) -> Notice:
    if incident.impact not in IMPACTS or incident.status not in INCIDENT_WORDS or incident.started is None:
        raise ValueError(f"unknown impact {incident.impact!r}, status {incident.status!r} or start")
    status = incident.status.lower()
    posts = [Post(id="investigating", status="investigating", at=incident.started)]
    if status != "investigating" and incident.updatedAt is not None:
        posts.append(Post(id=status, status=status, at=max(incident.updatedAt, incident.started)))
    return Notice(
        id=incident.id or named_by(incident.url) or f"{incident.started.isoformat()} {incident.name}",
        name=incident.name,
        status=status,
        impact=IMPACTS[incident.impact],
        started_at=incident.started,
        parts=affected(labels(incident.affectedComponents), STATES.get(incident.impact, "")),
        url=incident.url,
        posts=posts,
    )


def _maintenance(maintenance: _Maintenance) -> Notice:
    if maintenance.status not in MAINTENANCE_WORDS or maintenance.start is None:
        raise ValueError(f"unknown status {maintenance.status!r} or start")
    minutes = maintenance.duration
    length = timedelta(minutes=int(minutes)) if minutes.isdecimal() and len(minutes) < 7 else None
    return Notice(
        id=maintenance.id or named_by(maintenance.url) or f"{maintenance.start.isoformat()} {maintenance.name}",
        name=maintenance.name,
        status=MAINTENANCE_WORDS[maintenance.status],
        impact="maintenance",
        scheduled_for=maintenance.start,
        scheduled_until=maintenance.start + length if length is not None else None,
        parts=affected(labels(maintenance.affectedComponents), "under_maintenance"),
        url=maintenance.url,
    )


INSTATUS = Reader(
    name="instatus",
    platform="Instatus",
    paths=("summary.json", "v3/summary.json"),
    recognises=recognises,
    read=read,
    verification=Verification.CLIENT,
    origin="a live answer without incidents of 2026-09-23; public clients and the documented form for open ones",
    markers=("instatus",),
)
