"""What an incident is linked to and compared with, read from the store in the form the pure functions take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from pipeline.core.catalogue import Catalogue, Service
from pipeline.core.incidents import Incident
from pipeline.core.news_events import NewsEvent
from pipeline.core.times import floor_to
from pipeline.incidents.chance import HISTORY, PastIncident, past_provider_incidents, size_of
from pipeline.incidents.episodes import ProviderIncident, read_provider_incidents
from pipeline.incidents.link_context import LinkContext
from pipeline.incidents.surge import DAY, SurgeInputs, signals
from pipeline.store import Store
from pipeline.store.activity import talk_by_hour
from pipeline.store.observation_times import known_since, read_hours
from pipeline.store.observations import chart_ranks
from pipeline.store.official import official_incidents, status_updates
from pipeline.store.past_incidents import IncidentSpan, incident_spans


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
