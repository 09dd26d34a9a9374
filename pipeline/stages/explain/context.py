"""What an incident is linked to and compared with, read from the store in the form the pure functions take it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from pipeline.config.paths import OUTAGES, PRESS
from pipeline.config.reference_data import PressComparison, known_outages, press_comparisons
from pipeline.core.catalogue import Catalogue, Service
from pipeline.core.incidents import Evidence, Incident
from pipeline.core.news_events import Link, NewsEvent
from pipeline.core.row_refs import RowRef
from pipeline.core.times import floor_to
from pipeline.core.vocabulary import EvidenceKind, Relation, RowTable
from pipeline.incidents.chance import HISTORY, PastIncident, past_provider_incidents, size_of
from pipeline.incidents.competitors import DAYS, CompetitorActivity, competitor_evidence, expected
from pipeline.incidents.discrepancies import (
    ComplaintBins,
    SourcedClaim,
    disagreements,
    provider_discrepancies,
    report_counts,
)
from pipeline.incidents.episodes import ProviderIncident, read_provider_incidents
from pipeline.incidents.link_context import LinkContext
from pipeline.incidents.maintenance import maintenance_evidence
from pipeline.incidents.ordered_shutdown import is_ordered
from pipeline.incidents.places import counted_places, units_of
from pipeline.incidents.similar import EarlierOutages, comparable
from pipeline.incidents.surge import DAY, SurgeInputs, signals
from pipeline.store import Store
from pipeline.store.activity import complaint_bins, complaints_by_hour, complaints_by_region, talk_by_hour
from pipeline.store.detector_input import distinct
from pipeline.store.news import claims_of
from pipeline.store.observation_times import known_since, read_hours
from pipeline.store.observations import chart_ranks
from pipeline.store.official import official_incidents, planned_maintenance, status_updates
from pipeline.store.past_incidents import IncidentSpan, incident_spans, past_outages
from pipeline.store.runs import heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a run's incidents are compared with: all incidents of single services, and the news of the last days."""

    store: Store
    catalogue: Catalogue
    incidents: Sequence[Incident]
    events: Sequence[NewsEvent]
    now: datetime


class IncidentHistory(NamedTuple):
    """A service's incidents of the last months, since when they are known, and the onsets of the single ones.

    An incident that only the provider's page lists is among them; the onsets are those of the page's single incidents,
    and of ours that it does not list.
    """

    past: list[PastIncident]
    known_since: datetime
    onsets: list[datetime]


def incident_history(store: Store, service: Service, built: Sequence[Incident], now: datetime) -> IncidentHistory:
    """Return a service's history; `built` are its incidents as they stand now, which count before the stored ones."""
    since = now - HISTORY
    ours = {i.onset: IncidentSpan(i.onset, i.end, i.impact) for i in built}
    for stored in incident_spans(store, service.id, since):
        ours.setdefault(stored.onset, stored)
    past = [
        PastIncident(onset=i.onset, end=i.end or now, size=size_of(i.impact, i.onset, i.end or now))
        for i in ours.values()
        if i.onset <= now
    ]
    updates = status_updates(store, service.page, since, now) if service.status_page else []
    provider_incidents = read_provider_incidents(updates, now, official_incidents(store, service.page, now))
    past += [
        listed
        for listed in past_provider_incidents(provider_incidents, now)
        if not any(p.onset <= listed.end and p.end >= listed.onset for p in past)
    ]
    hour = timedelta(hours=1)
    unlisted = [p.onset for p in past if not any(p.onset - hour <= n.posted <= p.end for n in provider_incidents)]
    return IncidentHistory(
        past=sorted(past, key=lambda p: (p.onset, p.end)),
        known_since=max(known_since(store, service.id, service.page) or now, since),
        onsets=sorted([*unlisted, *(n.posted for n in provider_incidents)]),
    )


def link_context(
    around: Surroundings,
    service: Service,
    incident: Incident,
    history: IncidentHistory,
    provider_incidents: Sequence[ProviderIncident],
) -> LinkContext:
    """Return what an incident's links are tested against; `provider_incidents` are those of its service."""
    begin, end = incident.onset, incident.end or around.now
    return LinkContext(
        past=history.past,
        known_since=history.known_since,
        onsets=history.onsets,
        provider_incidents=[n for n in provider_incidents if begin - timedelta(hours=3) <= n.posted <= end],
        failing=_failing(around, incident),
        between=_between(around, service, incident),
    )


def _failing(around: Surroundings, incident: Incident) -> list[str]:
    """Return which other services had an incident while this one lasted, by service id."""
    begin, end, now = incident.onset - timedelta(minutes=15), incident.end or around.now, around.now
    others = {i.service for i in around.incidents if i.onset <= end and (i.end or now) >= begin}
    return sorted(others - {incident.service})


def _between(around: Surroundings, service: Service, incident: Incident) -> list[tuple[datetime, dict[str, str]]]:
    """Return which signals of a surge stood out on each day of the week before the onset, oldest first, in words."""
    hour = floor_to(incident.onset, 3600)
    # news are no signal here: what an incident is linked to is asked of each item
    inputs = surge_inputs(around.store, service, (), incident.onset, days=16)
    moments = [hour - n * DAY for n in range(8, -1, -1)]
    return around.store.kept.worked_out(
        ("between", service.id, hour),
        inputs,
        lambda: [
            (
                at,
                {
                    name: signal.statement
                    for name, signal in signals(service.id, inputs, at).items()
                    if signal.stands_out
                },
            )
            for at in moments
        ],
    )


def surge_inputs(
    store: Store, service: Service, events: Sequence[NewsEvent], now: datetime, days: int = 8
) -> SurgeInputs:
    """Return what a surge is judged by, of so many days."""
    hour = floor_to(now, 3600)
    return SurgeInputs(
        posts=talk_by_hour(store, service.id, hour - days * DAY, hour),
        ranks=[(at, rank) for _, at, rank in chart_ranks(store, list(service.app_names), now - (days + 2) * DAY, now)],
        events=[e for e in events if e.first_seen <= now],
        read=read_hours(store, service.id, hour - days * DAY, hour),
    )


def supplementary_evidence(
    around: Surroundings,
    service: Service,
    incident: Incident,
    links: Sequence[Link],
    provider_incidents: Sequence[ProviderIncident],
) -> list[Evidence]:
    """Return the evidence that other rows give: maintenance, claims, counts by definition, competitors, like outages.

    `provider_incidents` are those the provider posted within the incident.
    """
    store, now = around.store, around.now
    claimed = _claims(store, links)
    ours = past_outages(store, incident.onset)
    earlier = store.kept.worked_out(
        ("earlier outages", incident.id),
        (incident.onset, ours),
        lambda: EarlierOutages(incident, [*known_outages(OUTAGES), *ours]),
    )
    press = [
        c for c in press_comparisons(PRESS) if c.about_service == service.id and c.about_day == incident.onset.date()
    ]
    planned = planned_maintenance(store, service.page, incident.onset, now) if service.status_page else []
    return [
        *maintenance_evidence(incident, planned, now),
        *disagreements(incident, claimed, provider_incidents, service),
        *provider_discrepancies(incident, provider_incidents, service, now),
        *report_counts(incident, _complaints(store, service, incident, now), claimed),
        *_places(store, service, incident, now),
        *competitor_evidence(incident, _competitors(around, service, incident), around.catalogue, now),
        *(_compared(comparison, around.catalogue, incident) for comparison in press),
        *(
            ()  # what failed by accident says nothing of how long an order lasts
            if is_ordered(incident, around.events, now)
            else comparable(incident, service, earlier, now, provider_incidents)
        ),
    ]


def _claims(store: Store, links: Sequence[Link]) -> list[SourcedClaim]:
    """Return what the articles about an incident claim.

    An article that chance explains as well is named only for what another one claims, too.
    """
    about = {k.news_event: k.shown for k in links if k.relation in (Relation.REPORTS, Relation.FOLLOW_UP)}
    found = {
        shown: _sourced(store, [event for event, is_shown in about.items() if is_shown is shown])
        for shown in (True, False)
    }
    claimed = {(c.claim.kind, c.claim.value) for c in found[True]}
    return [*found[True], *(c for c in found[False] if (c.claim.kind, c.claim.value) in claimed)]


def _sourced(store: Store, events: Sequence[str]) -> list[SourcedClaim]:
    return [
        SourcedClaim(
            claim=c.claim,
            where=c.outlet,
            published=c.published,
            row=RowRef(RowTable.CLAIMS, f"{c.source}/{c.native_id}/{c.claim.kind}/{c.claim.value}"),
        )
        for c in (claims_of(store, events) if events else [])
    ]


def _complaints(store: Store, service: Service, incident: Incident, now: datetime) -> ComplaintBins:
    """Return the complaints of the incident's first two days."""
    begin = incident.onset.replace(hour=0, minute=0, second=0)
    end = min(now, begin + 2 * DAY)
    bins = complaint_bins(store, service.id, begin, end)
    return ComplaintBins(bins=bins, row=RowRef(RowTable.COMPLAINT_COUNTS, service.id, begin, end))


def _competitors(around: Surroundings, service: Service, incident: Incident) -> list[CompetitorActivity]:
    """Return what is stored about each competitor of a service that the catalogue holds."""
    store = around.store
    spans = [span for source in distinct(store, "posts", "source") for span in heard(store, source)]
    posts_read_to = max((end for _, end in spans), default=None)
    known = [around.catalogue[name] for name in service.rivals if name in around.catalogue]
    return [_competitor(around, competitor, incident, posts_read_to) for competitor in known]


def _places(store: Store, service: Service, incident: Incident, now: datetime) -> Iterator[Evidence]:
    """Yield where the complaints came from, where a source tells it."""
    since, until = incident.onset.replace(minute=0, second=0) - (DAYS + 1) * DAY, min(incident.end or now, now)
    regions, counted_to = complaints_by_region(store, service.id, since, until)
    unit_of = units_of(regions)
    totals: dict[str, Counter[datetime]] = {}
    for region, unit in unit_of.items():
        totals.setdefault(unit, Counter()).update(regions[region])
    by_unit = {
        unit: (activity.observed, activity.usual)
        for unit, hours in sorted(totals.items())
        if (activity := expected(hours, incident.onset, counted_to, counted=True)) is not None
    }
    yield from counted_places(by_unit, incident.onset, RowRef(RowTable.COMPLAINT_COUNTS, service.id, since, until))


def _compared(c: PressComparison, catalogue: Catalogue, incident: Incident) -> Evidence:
    """Return an earlier outage the press compared this one with, and whether a public record holds it."""
    name = catalogue[c.service].name if c.service in catalogue else c.service
    words = f"found in {c.record}" if c.found else f"not found: {c.record}"
    return Evidence(
        kind=EvidenceKind.COMPARISON,
        at=incident.onset,
        subject=c.service,
        value=float(len(c.incidents)),
        rows=(RowRef(RowTable.PRESS_CLAIMS, f"{c.service}/{c.month}"),),
        statement=f"the press compared it with an outage of {name} in {c.month}; {words}",
    )


def _competitor(
    around: Surroundings, competitor: Service, incident: Incident, posts_read_to: datetime | None
) -> CompetitorActivity:
    store, now = around.store, around.now
    since, until = incident.onset.replace(minute=0, second=0) - (DAYS + 1) * DAY, incident.end or now
    complaints, counted_to = complaints_by_hour(store, competitor.id, since, until)
    ranks = chart_ranks(store, list(competitor.app_names), since, min(now, until + DAY))
    return CompetitorActivity(
        service=competitor.id,
        hours={h: n for h, (n, _) in talk_by_hour(store, competitor.id, since, until).items()},
        complaints=complaints,
        ranks=[(at, rank) for _, at, rank in ranks],
        incidents=[i for i in around.incidents if i.service == competitor.id],
        heard_to=posts_read_to,
        counted_to=counted_to,
    )
