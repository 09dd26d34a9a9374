"""What providers' pages said and what crowds measured, as records, and availability by month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct, structs

from pipeline.core.catalogue import Catalogue, Service
from pipeline.core.incidents import CrowdSpan, Episode
from pipeline.core.records import Availability
from pipeline.core.status_records import OfficialIncident
from pipeline.incidents.episodes import WORKING, by_incident, closed_at, opens, stretches, with_listed_parts
from pipeline.incidents.reliability import Month, ReliabilityRecord, Span, months, observed_until
from pipeline.incidents.root_cause import stated_in_root_cause
from pipeline.store import Store
from pipeline.store.availability import crowd_episodes, replace_availability
from pipeline.store.detector_input import series_sources
from pipeline.store.official import official_incidents, updates_of_page
from pipeline.store.runs import covered, heard, joined

STATUS = "status"  # the kind of source that reads pages; a recording has one for all of them


def official_entries(store: Store, service: Service, page: str, until: datetime) -> list[ReliabilityRecord]:
    """Return every stretch of a page's incidents up to a moment, maintenance and doubtful ones too, oldest first.

    An incident of which the page posted only that it was over lasted from its `started_at` to its `resolved_at`, where
    these do not contradict each other; else its duration is unknown.
    """
    incidents = {incident.incident_id: incident for incident in official_incidents(store, page, until)}
    records = []
    for incident_id, updates in sorted(by_incident(updates_of_page(store, page, until)).items()):
        incident = incidents.get(incident_id)
        timing = max(u.timing for u in updates)
        cut = stretches(with_listed_parts(updates, incident.components if incident else ()))
        stated = stated_in_root_cause(updates) if len(cut) == 1 and timing != "doubtful" else None
        for number, stretch in enumerate(cut, 1):
            hit = {name for u in stretch for name, _, new in u.components if new not in WORKING}
            began, ended = stretch[0].displayed_at, closed_at(stretch)
            duration_known = ended is None or any(map(opens, stretch)) or ended > began
            if not duration_known and incident is not None and len(cut) == 1 and (span := own_span(incident)):
                (began, ended), duration_known = span, True
            records.append(
                ReliabilityRecord(
                    id=incident_id if number == 1 else f"{incident_id}/{number}",
                    began=began,
                    ended=ended,
                    impact=updates[-1].impact,
                    timing=timing,
                    posted=None if timing == "unposted" else min(u.created_at for u in stretch),
                    components=frozenset(service.component_named(name) or name for name in hit),
                    stated_start=stated.start if stated else None,
                    duration_known=duration_known,
                )
            )
    return sorted(records, key=lambda record: (record.began, record.id))


def own_span(incident: OfficialIncident) -> tuple[datetime, datetime] | None:
    """Return a page's own fields of when an incident began and was over; None where they lack or contradict."""
    start, end = incident.started_at, incident.resolved_at
    return (start, end) if start is not None and end is not None and start < end else None


def crowd_entries(store: Store, service: Service, until: datetime) -> list[ReliabilityRecord]:
    """Return the spans in which reports rose, oldest first, each as an incident; doubtful ones are left out."""
    return [
        ReliabilityRecord(
            id=f"{incident}/{e.number}" + (f".{number}" if number > 1 else ""),
            began=span.since,
            ended=span.until,
            posted=e.official_first_at,
            impact="major",
            components=frozenset(e.components),
            crowd=span.since,
            by="crowd",
        )
        for incident, e in crowd_episodes(store, service.id, until)
        for number, span in enumerate(_crowd_spans(e), 1)
    ]


def _crowd_spans(episode: Episode) -> tuple[CrowdSpan, ...]:
    """Return where the crowd was above in an episode; its whole course where older versions did not keep that."""
    if episode.crowd_spans:
        return episode.crowd_spans
    if episode.crowd_since:
        return (CrowdSpan(episode.crowd_since, episode.crowd_until),)
    return (CrowdSpan(episode.onset, episode.end),)


def records_with_crowd_onset(store: Store, service: Service, page: str, until: datetime) -> list[ReliabilityRecord]:
    """Return the page's incidents, each with the crowd's onset where one rose, and crowds without a notice."""
    official = official_entries(store, service, page, until) if page else []
    crowds = crowd_entries(store, service, until)
    records: list[ReliabilityRecord] = []
    matched: set[str] = set()
    for record in official:
        if not record.counted:
            records.append(record)
            continue
        near = [c for c in crowds if c.began <= (record.ended or until) and (c.ended or until) >= record.began]
        first = next((c for c in near if c.id not in matched), None)
        matched |= {c.id for c in near}
        records.append(record if first is None else structs.replace(record, crowd=first.began))
    records += [crowd for crowd in crowds if crowd.id not in matched]
    return sorted(records, key=lambda record: (record.began, record.id))


def observed_spans(store: Store, service: str) -> list[tuple[datetime, datetime]]:
    """Return the spans in which any source of complaints or posts about a service was read, apart from each other."""
    return joined(span for source in series_sources(store, service) for span in heard(store, source))


class Observation(Struct, frozen=True, kw_only=True):
    """Incidents by one side, the page or the crowd, up to `until`; `spans` is when they were looked for.

    `spans` None: that was not kept; it counts from the first incident on.
    """

    entries: Sequence[ReliabilityRecord]
    until: datetime
    spans: Sequence[Span] | None

    def months(self, component: str | None = None) -> list[Month]:
        """Return each month of the whole service, or of one component."""
        return months(self.entries, self.until, component, self.spans)

    def only(self, entries: Sequence[ReliabilityRecord]) -> Observation:
        """Return the same time with some of the incidents."""
        return structs.replace(self, entries=entries)


def by_page(store: Store, service: Service, now: datetime) -> Observation:
    """Return what a service's page said.

    The page was observed while it was read. Of the time before its first reading it tells from its first incident on.
    """
    page = service.page
    entries = official_entries(store, service, page, now) if page else []
    until = observed_until(entries, now)
    read = joined([*covered(store, STATUS), *covered(store, f"{STATUS}:{service.id}")]) if page else []
    if not read:
        return Observation(entries=entries, until=until, spans=None)
    first = min((entry.began for entry in entries), default=read[0][0])
    before = [(first, read[0][0])] if first < read[0][0] else []
    # what was not read since then is not known, be it by a clock or by an archive that ended
    return Observation(entries=entries, until=min(until, read[-1][1]), spans=joined([*before, *read]))


def by_crowd(store: Store, service: Service, now: datetime) -> Observation:
    """Return what people reported of a service: observed while any source of reports was read."""
    entries = crowd_entries(store, service, now)
    spans = observed_spans(store, service.id)
    return Observation(entries=entries, until=observed_until(entries, now), spans=spans or None)


def put_availability(store: Store, catalogue: Catalogue, now: datetime) -> int:
    """Work out availability by month of every service of which anything is known; return how many rows there are."""
    availability: list[Availability] = []
    for service in catalogue.values():
        for said_by, observation in (("page", by_page(store, service, now)), ("crowd", by_crowd(store, service, now))):
            availability += [
                Availability(
                    service=service.id,
                    month=m.month,
                    said_by=said_by,
                    incidents=m.incidents,
                    down_minutes=round(m.down_minutes, 1),
                    availability=round(m.availability, 6),
                    mttr_minutes=rounded(m.mttr),
                    mtbf_hours=rounded(m.mtbf, 60),
                    observed_minutes=round(m.observed_minutes, 1),
                )
                for m in observation.months()
            ]
    replace_availability(store, availability)
    return len(availability)


def rounded(value: float | None, by: float = 1.0) -> float | None:
    """Return a value in units of `by`, to one decimal place; None stays None."""
    return None if value is None else round(value / by, 1)
