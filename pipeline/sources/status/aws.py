"""AWS: `/public/currentevents`, the events that are open now, as JSON in UTF-16.

`date` is the time of the first post, as text. Codes: 0 is well again, 1 informs, 2 is degraded, 3 is disrupted.
"""

from __future__ import annotations

from pipeline.sources.status.notices import Notice, Post, Rows, affected, numbered
from pipeline.sources.status.open_lists import close_absent
from pipeline.sources.status.reader import END, Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.typed_json import (
    Entries,
    Entry,
    EpochMoment,
    Identity,
    Text,
    accepted,
    each,
    has_entry,
    is_empty_list,
    labels,
    parsed,
    value_of,
)

WELL = "0"
IMPACTS = {WELL: "none", "1": "none", "2": "minor", "3": "major"}
STATES = {WELL: "operational", "1": "operational", "2": "degraded_performance", "3": "partial_outage"}


class _Log(Entry):
    summary: Text = ""
    message: Text = ""
    status: Text = ""
    timestamp: EpochMoment = None


class _Event(Entry):
    arn: Text = ""
    service: Text = ""
    date: EpochMoment
    summary: Text = ""
    service_name: Text = ""
    region_name: Text = ""
    status: Identity
    event_log: Entries = ()
    impacted_services: dict[str, object] | None = None


class _Impacted(Entry):
    service_name: Text = ""
    max: Text = ""


def recognises(answer: Answer) -> bool:
    """Return whether an answer is a list of events as AWS has them."""
    value = parsed(answer.body)
    return has_entry(value, "service_name", "summary", "date") or is_empty_list(answer, "public/currentevents")


def read(answer: Answer, context: PageContext) -> Reading:
    """Read the open events; one that is no longer listed is over. Raises SourceError when it is no list of them."""
    rows = Rows(answer, context)
    rows.add(value_of(answer, context, recognises), _Event, _notice, "event")
    return close_absent(rows.reading(), context)


def _notice(event: _Event) -> Notice:
    if event.date is None:
        raise ValueError("no date")
    logged = list(each(_Log, event.event_log, f"event {event.arn or event.service} log"))
    entries = sorted((log for log in accepted(logged) if log.timestamp), key=lambda log: str(log.timestamp))
    worst = max([event.status, *(log.status for log in entries)])
    if worst not in IMPACTS:
        raise ValueError(f"unknown status {worst!r}")
    impacted = accepted(each(_Impacted, (event.impacted_services or {}).values(), "service"))
    parts = [part for item in impacted for part in affected(labels([{"name": item.service_name}]), STATES[worst])]
    posts = _posts(entries)
    over = event.status == WELL
    if over and posts and posts[-1].status != "resolved":
        posts.append(Post(id=END, status="resolved", at=posts[-1].at))
    return Notice(
        id=event.arn or f"{event.service} {event.date.isoformat()}",
        name=f"{event.service_name} ({event.region_name}): {event.summary}" if event.region_name else event.summary,
        status="resolved" if over else "investigating",
        impact=IMPACTS[worst],
        started_at=event.date,
        parts=tuple(parts) or affected(labels([{"name": event.service_name}]), STATES[worst]),
        also_named=(event.service_name, event.region_name, event.service, event.arn.partition("::")[0]),
        posts=posts,
        rejected=[log for log in logged if not isinstance(log, _Log)],
    )


def _posts(entries: list[_Log]) -> list[Post]:
    used: set[str] = set()
    return [
        Post(
            id=numbered(log.timestamp.isoformat(), used),
            status="resolved" if log.status == WELL else "investigating",
            at=log.timestamp,
            body=log.message or log.summary,
        )
        for log in entries
        if log.timestamp is not None
    ]


AWS = Reader(
    name="aws",
    platform="AWS",
    paths=("public/currentevents",),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin="moritalous/cloud-status-history@3abd4d99/app/public/data.json; a trimmed live answer of 2026-09-23",
)
