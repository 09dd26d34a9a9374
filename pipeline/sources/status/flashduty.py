"""Flashduty: `/api/status-page/ID/summary/active`, what is open or planned, and `/change/list`, the history of a time.

Both lie in `data`. Times are seconds of the epoch, 0 where there is none.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator

from pipeline.core.status_records import ComponentChange
from pipeline.sources.parsing import from_epoch, plain
from pipeline.sources.status.notices import Notice, Post, Rows, worst_impact
from pipeline.sources.status.open_lists import close_absent
from pipeline.sources.status.reader import END, Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.typed_json import (
    MOST_PARTS,
    Entries,
    Entry,
    Identity,
    Text,
    accepted,
    each,
    has_entry,
    member,
    parsed,
    value_of,
)

STATES = {
    "operational": "operational",
    "degraded": "degraded_performance",
    "partial_outage": "partial_outage",
    "full_outage": "major_outage",
    "under_maintenance": "under_maintenance",
}
INCIDENT_WORDS = ("investigating", "identified", "monitoring", "resolved")
MAINTENANCE_WORDS = {"scheduled": "scheduled", "ongoing": "in_progress", "completed": "completed"}
WITHDRAWN = "cancelled"


def _seconds(value: object) -> datetime | None:
    return None if value is None or value == 0 else from_epoch(value)


Seconds = Annotated[datetime | None, BeforeValidator(_seconds)]


class _Part(Entry):
    name: Text = ""
    component_name: Text = ""
    status: Text = ""


class _Update(Entry):
    update_id: Identity
    at_seconds: Seconds
    status: Text = ""
    description: Text = ""
    component_changes: Entries = ()


class _Change(Entry):
    change_id: Identity
    type: Text = "incident"
    title: Text = ""
    status: Text = ""
    start_at_seconds: Seconds
    close_at_seconds: Seconds = None
    end_at_seconds: Seconds = None
    affected_components: Entries = ()
    updates: Entries = ()


def recognises(answer: Answer) -> bool:
    """Return whether an answer has Flashduty's active changes, or is a list of its changes."""
    data = member(parsed(answer.body), "data")
    items = member(data, "items")
    nothing_yet = items == [] and urlsplit(answer.url).path.endswith("/change/list")
    return isinstance(member(data, "active_changes"), list) or nothing_yet or has_entry(items, "change_id", "updates")


def read(answer: Answer, context: PageContext) -> Reading:
    """Read what is open, or the history; a change that is no longer open is over.

    Raises SourceError when it is neither.
    """
    data = member(value_of(answer, context, recognises), "data")
    rows = Rows(answer, context)
    rows.add(member(data, "items"), _Change, _notice, "change")
    rows.add(member(data, "active_changes"), _Change, _notice, "change")
    reading = rows.reading()
    return close_absent(reading, context) if isinstance(member(data, "active_changes"), list) else reading


def _notice(change: _Change) -> Notice | None:
    planned = change.type == "maintenance"
    if change.status == WITHDRAWN:
        return None
    status = MAINTENANCE_WORDS.get(change.status, "") if planned else change.status
    if not status or (not planned and status not in INCIDENT_WORDS):
        raise ValueError(f"unknown status {change.status!r}")
    updates = list(each(_Update, change.updates, f"change {change.change_id} update"))
    posts = _posts(accepted(updates), planned)
    over = status in ("resolved", "completed")
    if over and change.close_at_seconds and not any(post.status == status for post in posts):
        posts.append(Post(id=END, status=status, at=change.close_at_seconds))
    parts = _parts(change.affected_components)
    stated = [*parts, *(part for post in posts for part in post.parts)]
    return Notice(
        id=change.change_id,
        name=change.title,
        status=status,
        impact="maintenance" if planned else worst_impact(stated),
        started_at=None if planned else change.start_at_seconds,
        resolved_at=change.close_at_seconds if over and not planned else None,
        scheduled_for=change.start_at_seconds if planned else None,
        scheduled_until=change.end_at_seconds if planned else None,
        parts=parts,
        posts=posts,
        rejected=[update for update in updates if not isinstance(update, _Update)],
    )


def _posts(updates: Iterable[_Update], planned: bool) -> list[Post]:
    words = MAINTENANCE_WORDS if planned else {word: word for word in INCIDENT_WORDS}
    posts = [
        Post(
            id=update.update_id,
            status=words.get(update.status, "in_progress" if planned else "investigating"),
            at=update.at_seconds,
            body=update.description,
            parts=_parts(update.component_changes),
        )
        for update in updates
        if update.at_seconds is not None
    ]
    return sorted(posts, key=lambda post: post.at)


def _parts(entries: Iterable[object]) -> tuple[ComponentChange, ...]:
    named = [(part.name or part.component_name, part.status) for part in accepted(each(_Part, entries, "part"))]
    return tuple(ComponentChange(plain(name, 120), "", STATES.get(state, "")) for name, state in named if name)[
        :MOST_PARTS
    ]


FLASHDUTY = Reader(
    name="flashduty",
    platform="Flashduty",
    paths=("api/status-page",),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin=(
        "status.deepseek.com of July 2026, bentleypark/aiwatch@eceeb39 fixtures/deepseek-flashduty-v4.json; its"
        " scrape-deepseek-feed.mjs@8e84469 for the addresses; maintenance after a public recording"
    ),
    markers=("flashduty", "flashcat"),
)
