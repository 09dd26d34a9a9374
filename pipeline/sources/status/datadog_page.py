"""Datadog's hosted status pages: `/config.json`, the whole page with its incidents and maintenances.

`startedAt` of an update is when it happened, `createdAt` when it was written: incidents are also entered days later.
The parts of an incident have their present state, those of its updates the one of then.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.core.status_records import ComponentChange
from pipeline.sources.parsing import plain
from pipeline.sources.status.notices import CLOSING, Notice, Post, Rows, worst_impact
from pipeline.sources.status.reader import END, Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.typed_json import (
    MOST_PARTS,
    Entries,
    Entry,
    Identity,
    Moment,
    Text,
    accepted,
    each,
    member,
    parsed,
    value_of,
)

STATES = {
    "operational": "operational",
    "degraded": "degraded_performance",
    "partial_outage": "partial_outage",
    "major_outage": "major_outage",
    "maintenance": "under_maintenance",
}
STAGES = ("investigating", "identified", "monitoring", "resolved", "scheduled", "in_progress", "completed")
WITHDRAWN = "canceled"


class _Part(Entry):
    name: Text = ""
    status: Text = ""


class _Update(Entry):
    id: Identity
    status: Text = ""
    startedAt: Moment = None  # noqa: N815  as the answer writes it
    createdAt: Moment = None  # noqa: N815
    description: Text = ""
    componentsAffected: Entries = ()  # noqa: N815


class _Incident(Entry):
    id: Identity
    title: Text = ""
    currentStatus: Text = ""  # noqa: N815
    publishedDate: Moment = None  # noqa: N815
    resolvedDate: Moment = None  # noqa: N815
    startDate: Moment = None  # noqa: N815
    completedDate: Moment = None  # noqa: N815
    timeline: Entries = ()
    componentsAffected: Entries = ()  # noqa: N815


def recognises(answer: Answer) -> bool:
    """Return whether an answer is a page of Datadog's: its domain prefix, parts and incidents."""
    value = parsed(answer.body)
    named = isinstance(member(value, "domainPrefix"), str) and isinstance(member(value, "components"), list)
    return named and isinstance(value, dict) and "incidents" in value


def read(answer: Answer, context: PageContext) -> Reading:
    """Read the incidents and maintenances. Raises SourceError when it is no such answer."""
    value = value_of(answer, context, recognises)
    rows = Rows(answer, context)
    rows.add(member(value, "incidents"), _Incident, _incident, "incident")
    rows.add(member(value, "maintenances"), _Incident, _maintenance, "maintenance")
    return rows.reading()


def _incident(incident: _Incident) -> Notice | None:
    if incident.currentStatus == WITHDRAWN:
        return None
    if incident.currentStatus not in STAGES:
        raise ValueError(f"unknown status {incident.currentStatus!r}")
    updates = list(each(_Update, incident.timeline, f"incident {incident.id} update"))
    posts = _posts(accepted(updates))
    over = incident.currentStatus in CLOSING
    if over and incident.resolvedDate is not None and not any(post.status in CLOSING for post in posts):
        posts.append(Post(id=END, status="resolved", at=incident.resolvedDate))
    parts = _parts(incident.componentsAffected)
    stated = [*(part for post in posts for part in post.parts), *(() if over else parts)]
    return Notice(
        id=incident.id,
        name=incident.title,
        status=incident.currentStatus,
        impact=worst_impact(stated),
        started_at=incident.publishedDate,
        resolved_at=incident.resolvedDate if over else None,
        parts=parts,
        posts=posts,
        rejected=[update for update in updates if not isinstance(update, _Update)],
    )


def _maintenance(maintenance: _Incident) -> Notice | None:
    if maintenance.currentStatus == WITHDRAWN:
        return None
    if maintenance.currentStatus not in STAGES:
        raise ValueError(f"unknown status {maintenance.currentStatus!r}")
    updates = list(each(_Update, maintenance.timeline, f"maintenance {maintenance.id} update"))
    return Notice(
        id=maintenance.id,
        name=maintenance.title,
        status=maintenance.currentStatus,
        impact="maintenance",
        scheduled_for=maintenance.startDate,
        scheduled_until=maintenance.completedDate,
        parts=_parts(maintenance.componentsAffected),
        posts=_posts(accepted(updates)),
        rejected=[update for update in updates if not isinstance(update, _Update)],
    )


def _posts(updates: Iterable[_Update]) -> list[Post]:
    posts = []
    for update in updates:
        at = update.startedAt or update.createdAt
        if at is None or update.status == WITHDRAWN:
            continue
        status = update.status if update.status in STAGES else "investigating"
        posts.append(
            Post(
                id=update.id,
                status=status,
                at=at,
                posted=update.createdAt,
                body=update.description,
                parts=_parts(update.componentsAffected),
            )
        )
    return sorted(posts, key=lambda post: post.at)


def _parts(entries: Iterable[object]) -> tuple[ComponentChange, ...]:
    named = [part for part in accepted(each(_Part, entries, "part")) if part.name][:MOST_PARTS]
    return tuple(ComponentChange(plain(part.name, 120), "", STATES.get(part.status, "")) for part in named)


DATADOG_PAGE = Reader(
    name="datadog",
    platform="Datadog",
    paths=("config.json",),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin=(
        "bentleypark/aiwatch@654cede fixtures/openrouter-datadog-2026-09-15.json; maintenance after"
        " Futureppo/astrbot_plugin_global_status@328eeee"
    ),
    markers=("statuspage.datadoghq.com",),
)
