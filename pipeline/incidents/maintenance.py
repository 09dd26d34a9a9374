"""Maintenance that a page announced: how it is put in words, and that it is evidence beside an incident. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from pipeline.core.incidents import Evidence, Incident
from pipeline.core.row_refs import RowRef
from pipeline.core.status_records import OfficialIncident
from pipeline.core.vocabulary import EvidenceKind, RowTable


def announcement(row: OfficialIncident) -> str:
    """Return a planned maintenance in one line, its times in UTC; its name alone where it has no planned start."""
    if row.scheduled_for is None:
        return f"planned maintenance: {row.name}"
    until = row.scheduled_until
    same_day = until is not None and until.date() == row.scheduled_for.date()
    end = "" if until is None else f" to {until:%H:%M}" if same_day else f" to {until:%-d %B %H:%M}"
    return f"planned maintenance on {row.scheduled_for:%-d %B %Y} from {row.scheduled_for:%H:%M}{end} UTC: {row.name}"


def maintenance_evidence(incident: Incident, planned: Iterable[OfficialIncident], now: datetime) -> Iterator[Evidence]:
    """Yield each planned maintenance whose span an incident falls into: what people report may be that."""
    for row in planned:
        span = row.maintenance_span
        if span is not None and incident.onset < span.until and span.since <= (incident.end or now):
            yield Evidence(
                kind=EvidenceKind.MAINTENANCE,
                at=max(span.since, incident.onset),
                subject=row.incident_id,
                rows=(RowRef(RowTable.OFFICIAL_INCIDENTS, f"{row.page}/{row.incident_id}"),),
                statement=f"the provider announced {announcement(row)}",
            )
