"""UptimeRobot: `/api/getMonitorList/ID`, which monitors are down now, and `/api/getEventFeed/ID`, announcements.

A list of monitors is one page of several. A monitor that is down is one place that one robot cannot reach: minor.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.sources.status.notices import Notice, Post, Rows
from pipeline.sources.status.present_state import Part, parts_of, read_present_state
from pipeline.sources.status.reader import BEGAN, ENDED, Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.typed_json import (
    Entry,
    EpochMoment,
    Identity,
    Text,
    has_entry,
    member,
    parsed,
    value_of,
)

STATES = {
    "success": "operational",
    "warning": "degraded_performance",
    "danger": "major_outage",
    "black": "operational",  # paused: nobody looks
    "paused": "operational",
}


class _Monitor(Entry):
    monitorId: Identity  # noqa: N815  as the answer writes it
    name: Text = ""
    statusClass: Text = ""  # noqa: N815


class _Event(Entry):
    title: Text = ""
    content: Text = ""
    ts: EpochMoment
    endDateGMT: Text = ""  # noqa: N815


def recognises(answer: Answer) -> bool:
    """Return whether an answer is a list of monitors, or a feed of events."""
    value = parsed(answer.body)
    events = has_entry(member(value, "results"), "eventType", "ts")
    empty = member(value, "results") == [] and isinstance(member(value, "meta", "total"), int)
    return isinstance(member(value, "psp", "monitors"), list) or events or empty


def read(answer: Answer, context: PageContext) -> Reading:
    """Read monitors or events. Raises SourceError when it is neither."""
    value = value_of(answer, context, recognises)
    if isinstance(member(value, "results"), list):
        rows = Rows(answer, context)
        rows.add(member(value, "results"), _Event, _notice, "event")
        return rows.reading()
    monitors = member(value, "psp", "monitors")
    return read_present_state(parts_of(monitors, _Monitor, _part, answer, context), context, complete=False)


def _part(monitor: _Monitor) -> Part:
    return Part(
        id=monitor.monitorId,
        name=monitor.name,
        state=STATES.get(monitor.statusClass, ""),
        words=monitor.statusClass,
        impact="minor",
    )


def _notice(event: _Event) -> Notice:
    """Return an announcement: it has no id, so it is known by its time and title."""
    if event.ts is None:
        raise ValueError("no time")
    began = Post(id=BEGAN, status="investigating", at=event.ts, body=event.content)
    ended = _ended(event.endDateGMT)
    return Notice(
        id=f"{event.ts.isoformat()} {event.title}"[:250],
        name=event.title,
        also_named=(event.title,),
        status="resolved" if ended else "investigating",
        impact="minor",
        started_at=event.ts,
        resolved_at=ended,
        posts=[began, Post(id=ENDED, status="resolved", at=ended)] if ended else [began],
    )


def _ended(text: str) -> datetime | None:
    """Return the end of an announcement, written as April 24, 2025, 23:38; None where it has none."""
    if not text:
        return None
    return datetime.strptime(text, "%B %d, %Y, %H:%M").replace(tzinfo=UTC)


UPTIMEROBOT = Reader(
    name="uptimerobot",
    platform="UptimeRobot",
    paths=("api/getMonitorList", "api/getEventFeed"),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin="answers of status.bsky.app of April 2025 in the test data of a public Bluesky status client",
    markers=("uptimerobot",),
)
