"""Salesforce's Trust API: `/v1/incidents/active`, the incidents that are open.

An incident has no title. Its impacts are the intervals in which something failed, its events are what was posted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pipeline.sources.status.notices import Notice, Post, Rows, affected
from pipeline.sources.status.open_lists import close_absent
from pipeline.sources.status.reader import BEGAN, ENDED, Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.typed_json import (
    Entries,
    Entry,
    Identity,
    Moment,
    Text,
    accepted,
    each,
    has_entry,
    is_empty_list,
    parsed,
    value_of,
)

SEVERITIES = {"minor": "minor", "major": "major", "critical": "critical"}
STATES = {"minor": "degraded_performance", "major": "partial_outage", "critical": "major_outage"}
KINDS = {
    "serviceDisruption": "Service disruption",
    "performanceDegradation": "Performance degradation",
    "featureDisruption": "Feature disruption",
    "featurePerfDegradation": "Feature performance degradation",
}
_ORDER = ("minor", "major", "critical")


class _Impact(Entry):
    id: Identity
    startTime: Moment  # noqa: N815  as the API writes it
    endTime: Moment = None  # noqa: N815
    type: Text = ""
    severity: Text = ""
    createdAt: Moment = None  # noqa: N815
    endTimeCreatedAt: Moment = None  # noqa: N815


class _Event(Entry):
    id: Identity
    type: Text = ""
    message: Text = ""
    createdAt: Moment = None  # noqa: N815


class _Incident(Entry):
    id: Identity
    createdAt: Moment = None  # noqa: N815
    status: Text = ""
    serviceKeys: tuple[Text, ...] | None = None  # noqa: N815
    instanceKeys: tuple[Text, ...] | None = None  # noqa: N815
    IncidentImpacts: Entries = ()
    IncidentEvents: Entries = ()


def recognises(answer: Answer) -> bool:
    """Return whether an answer is a list of incidents with impacts and events."""
    return has_entry(parsed(answer.body), "IncidentImpacts") or is_empty_list(answer, "v1/incidents/active")


def read(answer: Answer, context: PageContext) -> Reading:
    """Read the open incidents; one that is no longer listed is over. Raises SourceError when it is no list of them."""
    rows = Rows(answer, context)
    rows.add(value_of(answer, context, recognises), _Incident, _notice, "incident")
    return close_absent(rows.reading(), context)


def _notice(incident: _Incident) -> Notice:
    impacts = list(each(_Impact, incident.IncidentImpacts, f"incident {incident.id} impact"))
    events = list(each(_Event, incident.IncidentEvents, f"incident {incident.id} event"))
    spans = [impact for impact in accepted(impacts) if impact.startTime is not None]
    severities = [SEVERITIES[impact.severity] for impact in spans if impact.severity in SEVERITIES]
    severity = max(severities, key=_ORDER.index, default="minor")
    services, instances = incident.serviceKeys or (), incident.instanceKeys or ()
    kind = next((KINDS.get(impact.type, impact.type) for impact in spans if impact.type), "Incident")
    ends = [impact.endTime for impact in spans]
    ended = max(filter(None, ends), default=None) if len(spans) == len(impacts) and all(ends) else None
    return Notice(
        id=incident.id,
        name=f"{kind}: {', '.join(services)}" if services else kind,
        status="resolved" if ended or incident.status == "Resolved" else "investigating",
        impact=severity,
        started_at=min((impact.startTime for impact in spans if impact.startTime), default=incident.createdAt),
        resolved_at=ended,
        parts=affected(services, STATES[severity]),
        also_named=(*services, *instances),
        posts=[*_ends(spans, incident.createdAt), *_events(accepted(events), spans)],
        rejected=[row for row in (*impacts, *events) if not isinstance(row, _Impact | _Event)],
    )


def _ends(spans: Sequence[_Impact], created: datetime | None) -> list[Post]:
    """Return the starts and ends of an incident's intervals, which are entered after the fact."""
    posts = []
    for span in spans:
        if span.startTime is not None:
            posted = max(span.startTime, span.createdAt or created or span.startTime)
            posts.append(Post(id=f"{BEGAN} {span.id}", status="investigating", at=span.startTime, posted=posted))
        if span.endTime is not None:
            posted = max(span.endTime, span.endTimeCreatedAt or created or span.endTime)
            posts.append(Post(id=f"{ENDED} {span.id}", status="resolved", at=span.endTime, posted=posted))
    return posts


def _events(events: Sequence[_Event], spans: Sequence[_Impact]) -> list[Post]:
    return [
        Post(id=event.id, status=_status_at(event.createdAt, spans), at=event.createdAt, body=event.message)
        for event in events
        if event.createdAt is not None
    ]


def _status_at(moment: datetime, spans: Sequence[_Impact]) -> str:
    """Return whether something failed at a moment: what is posted after an end does not open an incident again."""
    over = [span for span in spans if span.endTime is not None and span.endTime <= moment]
    failing = [span for span in spans if span not in over and span.startTime and span.startTime <= moment]
    return "resolved" if over and not failing else "investigating"


SALESFORCE = Reader(
    name="salesforce",
    platform="Salesforce Trust",
    paths=("v1/incidents/active",),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin="amureki/statuscheck@b67715c1 (instances); an incident recorded in the mock of a public Commerce client",
)
