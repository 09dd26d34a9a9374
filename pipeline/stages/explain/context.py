"""What lies around an incident in the store, in the form the story's pure functions take it. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from pipeline.config.reference_data import PressComparison
from pipeline.core.catalogue import Catalogue, Service
from pipeline.core.incidents import Evidence, Incident, Link, NewsEvent, PastOutage
from pipeline.core.times import floor_to, iso
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
from pipeline.incidents.news_links import LinkContext
from pipeline.incidents.scope import counted_places
from pipeline.incidents.similar import comparable
from pipeline.incidents.surge import DAY, SurgeInputs, signals
from pipeline.store import Store
from pipeline.store.activity import (
    claims_of,
    complaint_bins,
    complaints_by_country,
    complaints_by_hour,
    known_since,
    past_outages,
    read_hours,
    stories_between,
    talk_by_hour,
)
from pipeline.store.observations import chart_ranks, status_updates
from pipeline.store.runs import heard
from pipeline.store.verdicts import distinct


def incident_history(
    store: Store, service: Service, built: Sequence[Incident], now: datetime
) -> tuple[list[PastIncident], datetime, list[datetime]]:
    """Return the service's stories of the last months, ours and those only its page tells, since when they are known, and onsets.

    The onsets are those of the page's single incidents, and of ours that it does not name.
    """
    since = now - HISTORY
    ours = {i.onset: (i.end, i.impact) for i in built}
    for onset, end, impact in stories_between(store, service.id, since):
        ours.setdefault(onset, (end, impact))
    found = [
        PastIncident(onset=o, end=e or now, size=size_of(impact, o, e or now))
        for o, (e, impact) in ours.items()
        if o <= now
    ]
    provider_incidents = (
        read_provider_incidents(status_updates(store, service.page, since, now), now) if service.status_page else []
    )
    found += [
        told
        for told in past_provider_incidents(provider_incidents, now)
        if not any(p.onset <= told.end and p.end >= told.onset for p in found)
    ]
    first = known_since(store, service.id, service.page) or now
    alone = [
        p.onset for p in found if not any(p.onset - timedelta(hours=1) <= n.posted <= p.end for n in provider_incidents)
    ]
    return (
        sorted(found, key=lambda p: (p.onset, p.end)),
        max(first, since),
        sorted([*alone, *(n.posted for n in provider_incidents)]),
    )


def link_context(
    store: Store,
    service: Service,
    incident: Incident,
    history: tuple[list[PastIncident], datetime, list[datetime]],
    provider_incidents: Sequence[ProviderIncident],
    failing: Sequence[str],
    events: Sequence[NewsEvent],
    now: datetime,
) -> LinkContext:
    """Return what the incident's links are held against; `history` is what incident_history returns of its service."""
    past, since, onsets = history
    inside = [n for n in provider_incidents if incident.onset - timedelta(hours=3) <= n.posted <= (incident.end or now)]
    mechanism = _between(store, service, incident, events)
    return LinkContext(
        past=past, known_since=since, onsets=onsets, provider_incidents=inside, failing=failing, between=mechanism
    )


def _between(
    store: Store, service: Service, incident: Incident, events: Sequence[NewsEvent]
) -> list[tuple[datetime, dict[str, str]]]:
    """Return which signals of a surge stood out on each day of the week before the onset, oldest first, in words."""
    hour = floor_to(incident.onset, 3600)
    lies = surge_inputs(store, service, events, incident.onset, days=16)
    moments = [hour - n * DAY for n in range(8, -1, -1)]
    return [
        (
            at,
            {name: told for name, (_, _, out, told) in signals(service.id, lies, at).items() if out and name != "news"},
        )
        for at in moments
    ]


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
    store: Store,
    catalogue: Catalogue,
    service: Service,
    incident: Incident,
    links: Sequence[Link],
    provider_incidents: Sequence[ProviderIncident],
    others: Sequence[Incident],
    records: Sequence[PastOutage],
    press: Sequence[PressComparison],
    now: datetime,
) -> list[Evidence]:
    """Return what else an incident is told with: who said what, counts by definition, rivals, comparable outages.

    `notices` are the page's incidents within it.
    """
    begin = incident.onset.replace(hour=0, minute=0, second=0)
    wanted = [k.news_event for k in links if k.shown and k.relation in ("reports", "follow_up")]
    said = [
        SourcedClaim(
            claim=claim,
            where=outlet,
            published=published,
            rows=f"claims:{source}/{native_id}/{claim.kind}/{claim.value}",
        )
        for source, native_id, outlet, published, claim in (claims_of(store, wanted) if wanted else [])
    ]
    known = min(now, begin + 2 * DAY)
    _, bins = complaint_bins(store, service.id, begin, known)
    counted = ComplaintBins(bins=bins, rows=f"complaint_counts:{service.id}@{iso(begin)}/{iso(known)}")
    found = [
        *disagreements(incident, said, provider_incidents, service),
        *provider_discrepancies(incident, provider_incidents, service, now),
    ]
    found += [*report_counts(incident, counted, said), *_places(store, service, incident, now)]
    heard_to = max((b for source in distinct(store, "posts", "source") for _, b in heard(store, source)), default=None)
    found += competitor_evidence(
        incident,
        [
            _rival(store, catalogue[name], incident, others, heard_to, now)
            for name in service.rivals
            if name in catalogue
        ],
        catalogue,
        now,
    )
    found += [
        _compared(c, catalogue, incident)
        for c in press
        if (c.about_service, c.about_day) == (service.id, incident.onset.date())
    ]
    return [*found, *comparable(incident, service, [*records, *past_outages(store, incident.onset)], now)]


def _places(store: Store, service: Service, incident: Incident, now: datetime) -> Iterator[Evidence]:
    """Yield where the complaints came from, where a source tells it."""
    since, until = incident.onset.replace(minute=0, second=0) - (DAYS + 1) * DAY, min(incident.end or now, now)
    countries, counted_to = complaints_by_country(store, service.id, since, until)
    found = {
        country: (told[0], told[1])
        for country, hours in sorted(countries.items())
        if (told := expected(hours, incident.onset, counted_to, counted=True)) is not None
    }
    yield from counted_places(found, incident.onset, f"complaint_counts:{service.id}@{iso(since)}/{iso(until)}")


def _compared(c: PressComparison, catalogue: Catalogue, incident: Incident) -> Evidence:
    """Return an earlier outage the press compared this one with, and whether a public record holds it."""
    name = catalogue[c.service].name if c.service in catalogue else c.service
    words = f"found in {c.record}" if c.found else f"not found: {c.record}"
    return Evidence(
        kind="comparison",
        at=incident.onset,
        subject=c.service,
        value=float(len(c.incidents)),
        rows=f"press_claims.csv:{c.service}/{c.month}",
        statement=f"the press compared it with an outage of {name} in {c.month}; {words}",
    )


def _rival(
    store: Store,
    rival: Service,
    incident: Incident,
    others: Sequence[Incident],
    heard_to: datetime | None,
    now: datetime,
) -> CompetitorActivity:
    since, until = incident.onset.replace(minute=0, second=0) - (DAYS + 1) * DAY, incident.end or now
    by_hour, counted_to = complaints_by_hour(store, rival.id, since, until)
    return CompetitorActivity(
        service=rival.id,
        hours={h: n for h, (n, _) in talk_by_hour(store, rival.id, since, until).items()},
        complaints=by_hour,
        ranks=[(at, rank) for _, at, rank in chart_ranks(store, list(rival.app_names), since, min(now, until + DAY))],
        incidents=[i for i in others if i.service == rival.id],
        heard_to=heard_to,
        counted_to=counted_to,
    )
