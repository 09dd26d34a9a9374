"""Apple's system status: `data/system_status_en_US.js`, JSON or a call of a function with it.

An event that concerns several services stands under each of them; it is one incident. It is listed for a day or so.
`datePosted` is when the file was last published: all its events have the same, those that ended days before too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from pipeline.sources.status.notices import Notice, Post, Rows, affected
from pipeline.sources.status.open_lists import close_absent
from pipeline.sources.status.reader import BEGAN, ENDED, Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.typed_json import (
    Entries,
    Entry,
    EpochMilliseconds,
    Identity,
    Text,
    accepted,
    each,
    has_entry,
    jsonp_body,
    labels,
    listed,
    member,
    parsed,
    value_of,
)

IMPACTS = {"Outage": "major", "Issue": "minor", "Performance": "minor", "Maintenance": "maintenance"}
STATES = {
    "Outage": "major_outage",
    "Issue": "partial_outage",
    "Performance": "degraded_performance",
    "Maintenance": "under_maintenance",
}
WORDS = {"ongoing": "investigating", "resolved": "resolved", "upcoming": "scheduled", "completed": "completed"}
_ZONES = {" PDT": " -0700", " PST": " -0800"}


class _Event(Entry):
    messageId: Identity  # noqa: N815  as the answer writes it
    statusType: Text = ""  # noqa: N815
    eventStatus: Text = ""  # noqa: N815
    message: Text = ""
    datePosted: Text = ""  # noqa: N815
    epochStartDate: EpochMilliseconds  # noqa: N815
    epochEndDate: EpochMilliseconds = None  # noqa: N815
    affectedServices: Entries = ()  # noqa: N815


class _Service(Entry):
    serviceName: Text = ""  # noqa: N815
    events: Entries = ()


class _Listed(Entry):
    """An event with the names of the services it stands under."""

    event: _Event
    services: tuple[str, ...]


def recognises(answer: Answer) -> bool:
    """Return whether an answer lists services by Apple's field, each with events."""
    return has_entry(member(parsed(jsonp_body(answer.body)), "services"), "serviceName", "events")


def read(answer: Answer, context: PageContext) -> Reading:
    """Read the events of all services. Raises SourceError when it is no such answer."""
    value = value_of(replace(answer, body=jsonp_body(answer.body)), context, recognises)
    rows = Rows(answer, context)
    merged = list(_merged(accepted(each(_Service, listed(member(value, "services")), "service"))))
    rows.add(merged, _Listed, _notice, "event")
    return close_absent(rows.reading(), context)


def _merged(services: Iterable[_Service]) -> Iterable[dict[str, object]]:
    """Yield every event once, with the services it stands under; one without a usable id as it is."""
    events: dict[object, dict[str, object]] = {}
    names: dict[object, list[str]] = {}
    for service in services:
        for number, event in enumerate(service.events):
            message = event.get("messageId") if isinstance(event, dict) else None
            key: object = message if isinstance(message, str | int) else (service.serviceName, number)
            events.setdefault(key, {"event": event})
            names.setdefault(key, []).append(service.serviceName)
    for key, entry in events.items():
        yield {**entry, "services": names[key]}


def _notice(listed: _Listed) -> Notice:
    event = listed.event
    if event.statusType not in IMPACTS or event.eventStatus not in WORDS:
        raise ValueError(f"unknown type {event.statusType!r} or status {event.eventStatus!r}")
    names = labels({"name": name} for name in listed.services)
    planned = event.statusType == "Maintenance"
    status = "in_progress" if planned and event.eventStatus == "ongoing" else WORDS[event.eventStatus]
    begun = event.eventStatus != "upcoming"
    return Notice(
        id=event.messageId,
        name=f"{', '.join(names)}: {event.statusType}",
        status=status,
        impact=IMPACTS[event.statusType],
        started_at=event.epochStartDate if begun else None,
        resolved_at=event.epochEndDate if begun and event.eventStatus in ("resolved", "completed") else None,
        scheduled_for=event.epochStartDate if planned else None,
        scheduled_until=event.epochEndDate if planned else None,
        parts=affected(names, STATES[event.statusType]),
        also_named=labels({"name": name} for name in event.affectedServices if isinstance(name, str)),
        posts=_posts(event, status) if begun else (),
    )


def _posts(event: _Event, status: str) -> list[Post]:
    if event.epochStartDate is None:
        raise ValueError("no start")
    over = event.eventStatus in ("resolved", "completed")
    began = Post(
        id=BEGAN,
        status="in_progress" if event.statusType == "Maintenance" else "investigating",
        at=event.epochStartDate,
        posted=None if over else _posted(event.datePosted),
        body="" if over else event.message,
        timing="unposted" if over else "",
    )
    if not over or event.epochEndDate is None:
        return [began]
    return [began, Post(id=ENDED, status=status, at=event.epochEndDate, body=event.message)]


def _posted(text: str) -> datetime | None:
    """Return when the file was published, written as 08/18/2026 13:01 PDT; None where it is not written like that."""
    for zone, offset in _ZONES.items():
        text = text.replace(zone, offset)
    try:
        return datetime.strptime(text, "%m/%d/%Y %H:%M %z").astimezone(UTC)
    except ValueError:
        return None


APPLE = Reader(
    name="apple",
    platform="Apple",
    paths=("data/system_status_en_US.js",),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin=(
        "rudrankriyam/App-Store-Connect-CLI systemstatus_test; KKodiac/AppleStatusBar AppleStatus.swift; events of 2017"
        " to 2022 (four public recordings)"
    ),
)
