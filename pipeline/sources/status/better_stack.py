"""Better Stack: `/index.json`, JSON:API with the page's resources, reports and updates.

Whether a report is over is in its `aggregate_state`: `ends_at` may be absent of one that is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.core.status_records import ComponentChange
from pipeline.sources.parsing import plain, reject
from pipeline.sources.status.notices import CLOSING, IMPACT_OF_STATE, Notice, Post, Rows
from pipeline.sources.status.reader import END, START, Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.typed_json import (
    Entries,
    Entry,
    Identity,
    Moment,
    Text,
    accepted,
    each,
    listed,
    member,
    parsed,
    value_of,
)

STATES = {
    "operational": "operational",
    "resolved": "operational",
    "degraded": "degraded_performance",
    "downtime": "major_outage",
    "maintenance": "under_maintenance",
}
IMPACTS = {"degraded": "minor", "downtime": "major"}
_ORDER = ("minor", "major")


class _Object(Entry):
    """An object of JSON:API."""

    id: Identity
    type: Text = ""
    attributes: dict[str, object]


class _Affected(Entry):
    status_page_resource_id: Text = ""
    status: Text = ""


class _Report(Entry):
    title: Text = ""
    report_type: Text = ""
    starts_at: Moment = None
    ends_at: Moment = None
    aggregate_state: Text = ""
    affected_resources: Entries = ()


class _Update(Entry):
    message: Text = ""
    published_at: Moment
    affected_resources: Entries = ()


class _Listed(Entry):
    """A report with its updates, by id."""

    id: Identity
    report: _Report
    updates: dict[str, object]


class _Names:
    """What the page's resources are called, and the sections they stand in."""

    def __init__(self, objects: Sequence[_Object]) -> None:
        self._parts = {item.id: item.attributes for item in objects if item.type == "status_page_resource"}
        self._sections = {item.id: item.attributes for item in objects if item.type == "status_page_section"}

    def name(self, resource: str) -> str:
        return plain(self._parts.get(resource, {}).get("public_name"), 120)

    def section(self, resource: str) -> str:
        section = plain(self._parts.get(resource, {}).get("status_page_section_id"), 60)
        return plain(self._sections.get(section, {}).get("name"), 120)


def recognises(answer: Answer) -> bool:
    """Return whether an answer is a status page as JSON:API."""
    value = parsed(answer.body)
    return member(value, "data", "type") == "status_page" and isinstance(member(value, "included"), list)


def read(answer: Answer, context: PageContext) -> Reading:
    """Read the reports with their updates. Raises SourceError when it is no such answer."""
    included = listed(member(value_of(answer, context, recognises), "included"))
    objects = accepted(each(_Object, included, "object"))
    names = _Names(objects)
    updates = {item.id: item.attributes for item in objects if item.type == "status_update"}
    rows = Rows(answer, context)
    reports = [
        {"id": item.id, "report": item.attributes, "updates": _own_updates(entry, updates)}
        for entry in included
        for item in accepted(each(_Object, [entry], "object"))
        if item.type == "status_report"
    ]
    rows.add(reports, _Listed, lambda report: _notice(report, names), "report")
    return rows.reading()


def _own_updates(entry: object, updates: Mapping[str, object]) -> dict[str, object]:
    """Return the updates that a report refers to."""
    references = listed(member(entry, "relationships", "status_updates", "data"))
    ids = [str(member(reference, "id")) for reference in references]
    return {update_id: updates[update_id] for update_id in ids if update_id in updates}


def _notice(entry: _Listed, names: _Names) -> Notice:
    report = entry.report
    planned = report.report_type == "maintenance"
    posts, rejected = [], []
    states = [report.aggregate_state, *_states(report.affected_resources)]
    for update_id, attributes in entry.updates.items():
        for update in each(_Update, [attributes], f"report {entry.id} update {update_id},"):
            if not isinstance(update, _Update) or update.published_at is None:
                rejected.append(reject(f"report {entry.id} update {update_id}", "no time", attributes))
                continue
            states += _states(update.affected_resources)
            posts.append(_post(update_id, update, names, planned))
    posts.sort(key=lambda post: post.at)
    over = report.aggregate_state == "resolved"
    closing = "completed" if planned else "resolved"
    if posts and posts[-1].status in CLOSING and not over:
        posts[-1] = _reopened(posts[-1], planned)
    if over and posts and posts[-1].status not in CLOSING:
        posts.append(Post(id=END, status=closing, at=report.ends_at or posts[-1].at))
    if posts and report.starts_at is not None and report.starts_at < posts[0].at and not planned:
        posts.insert(0, Post(id=START, status="investigating", at=report.starts_at, posted=posts[0].at))
    resources = [item.status_page_resource_id for item in accepted(each(_Affected, report.affected_resources, "part"))]
    return Notice(
        id=entry.id,
        name=report.title,
        status=closing if over else posts[-1].status if posts else "scheduled" if planned else "investigating",
        impact="maintenance" if planned else _impact(states),
        started_at=report.starts_at if not planned else None,
        resolved_at=report.ends_at if over and not planned else None,
        scheduled_for=report.starts_at if planned else None,
        scheduled_until=report.ends_at if planned else None,
        parts=_parts(report.affected_resources, names),
        also_named=tuple(filter(None, (names.section(resource) for resource in resources))),
        posts=posts,
        rejected=rejected,
    )


def _states(resources: Sequence[object]) -> list[str]:
    return [item.status for item in accepted(each(_Affected, resources, "part"))]


def _impact(states: Sequence[str]) -> str:
    """Return the worst that was ever said of a part; a report that says nothing of any is minor."""
    return max(["minor", *(IMPACTS[state] for state in states if state in IMPACTS)], key=_ORDER.index)


def _parts(resources: Sequence[object], names: _Names) -> tuple[ComponentChange, ...]:
    return tuple(
        ComponentChange(names.name(item.status_page_resource_id), "", STATES.get(item.status, ""))
        for item in accepted(each(_Affected, resources, "part"))
        if names.name(item.status_page_resource_id)
    )


def _post(update_id: str, update: _Update, names: _Names, planned: bool) -> Post:
    """Return an update: it is closing when it names parts and all of them work again."""
    if update.published_at is None:
        raise ValueError("no time")
    states = _states(update.affected_resources)
    well = bool(states) and all(STATES.get(state) == "operational" for state in states)
    working = any(state in states for state in ("degraded", "downtime", "maintenance"))
    if planned:
        status = "completed" if well else "in_progress" if working else "scheduled"
    else:
        status = "resolved" if well else "investigating"
    parts = tuple(part for part in _parts(update.affected_resources, names) if part.new in IMPACT_OF_STATE or well)
    return Post(id=update_id, status=status, at=update.published_at, body=update.message, parts=parts)


def _reopened(post: Post, planned: bool) -> Post:
    status = "in_progress" if planned else "monitoring"
    return Post(id=post.id, status=status, at=post.at, body=post.body, parts=post.parts)


BETTER_STACK = Reader(
    name="better_stack",
    platform="Better Stack",
    paths=("index.json",),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin="a trimmed live answer of status.betterstack.com of 2026-09-23; public clients for the states of resources",
    markers=("betterstack", "betteruptime"),
)
