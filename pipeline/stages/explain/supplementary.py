"""The evidence about an incident that other rows than its own give, read from the store for the pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from pipeline.config.paths import OUTAGES, PRESS
from pipeline.config.reference_data import PressComparison, known_outages, press_comparisons
from pipeline.core.catalogue import Catalogue, Service
from pipeline.core.incidents import Evidence, Incident
from pipeline.core.news_events import Link
from pipeline.core.row_refs import RowRef
from pipeline.core.vocabulary import EvidenceKind, Relation, RowTable
from pipeline.incidents.competitors import DAYS, CompetitorActivity, competitor_evidence, expected
from pipeline.incidents.discrepancies import (
    ComplaintBins,
    SourcedClaim,
    disagreements,
    provider_discrepancies,
    report_counts,
)
from pipeline.incidents.episodes import ProviderIncident
from pipeline.incidents.maintenance import maintenance_evidence
from pipeline.incidents.ordered_shutdown import is_ordered
from pipeline.incidents.places import counted_places, units_of
from pipeline.incidents.similar import EarlierOutages, comparable
from pipeline.incidents.surge import DAY
from pipeline.stages.explain.context import Surroundings
from pipeline.store import Store
from pipeline.store.activity import complaint_bins, complaints_by_hour, complaints_by_region, talk_by_hour
from pipeline.store.detector_input import distinct
from pipeline.store.news import claims_of
from pipeline.store.observations import chart_ranks
from pipeline.store.official import planned_maintenance
from pipeline.store.past_incidents import past_outages
from pipeline.store.runs import heard


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
