"""Incidents beside news events: an association with what speaks for it and what against it. Pure.

What the event is about, whom its headline names, which day it speaks of and when it came propose a relation; a nearer
incident, a dependency that had failed long before, or the base rate of such incidents speak against it. No relation is
an allowed answer, and the common one. Nothing here claims causation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from datetime import date, datetime, timedelta

from pipeline.core.catalogue import Service
from pipeline.core.incidents import Incident
from pipeline.core.news_events import CHANCE, Link, NewsEvent
from pipeline.core.quantities import quantity
from pipeline.core.vocabulary import NewsKind, Relation
from pipeline.incidents.chance import EARLY, PastIncident, RandomDates, Window, size_of
from pipeline.incidents.link_context import LinkContext
from pipeline.incidents.link_reasons import burst_of_outlets, lag_in_words, reasons_against, signals_between
from pipeline.text.claims import tells_of_failure
from pipeline.text.named_days import days_named, looks_years_back
from pipeline.text.news import kind_of
from pipeline.text.normalize import normalize

LIVE_AFTER = timedelta(hours=6)  # an article so long after the end still reports rather than looks back
FOLLOW_UP_AFTER = timedelta(days=4)
CONTEXT_BEFORE = timedelta(days=7)
DEPENDENCY_AGE = timedelta(hours=3)  # a dependency's failure older than that began without this incident
CONTEXT_KINDS = (NewsKind.POLITICS_REGULATION, NewsKind.COMPANY_BUSINESS)
OUTAGE_KINDS = (NewsKind.SERVICE_OUTAGE, NewsKind.OUTAGE_FOLLOWUP, NewsKind.INFRASTRUCTURE_OUTAGE)
# what a vendor announces or is told, in headlines whose kind the model takes for another
_ANNOUNCES = re.compile(
    r"\b(?:prices?|pricing|fees?|tari[fv]\w*|preis\w*|precios?|prix|will charge|fine[sd]|multa|amende|watchdog|"
    r"regulators?|court|judge|juez|tribunal|ministry|minister\w*|senat\w*|lawsuit|sues|layoffs?|job cuts|downloads?|"
    r"descargas|app store|charts?|datenschütz\w*|privacy|commission|parliament)\b"
)
WINDOWS = {
    Relation.REPORTS: Window(before=EARLY, after=LIVE_AFTER, from_end=True),
    Relation.FOLLOW_UP: Window(before=EARLY, after=FOLLOW_UP_AFTER, from_end=True),
    Relation.CONTEXT_BEFORE: Window(before=CONTEXT_BEFORE, after=timedelta(0)),
    Relation.SHARED_DEPENDENCY: Window(before=EARLY, after=timedelta(hours=3), from_end=True),
    Relation.OTHER_INCIDENT: Window(before=timedelta(hours=24), after=timedelta(hours=24)),
}
HIDDEN_BY_CHANCE = (Relation.REPORTS, Relation.FOLLOW_UP, Relation.SHARED_DEPENDENCY)


def link(
    incident: Incident, service: Service, events: Sequence[tuple[NewsEvent, str]], context: LinkContext, now: datetime
) -> list[Link]:
    """Return the links of one incident to the news events (event, text of its first item) seen so far."""
    found = []
    days, dates = _days(incident, context, now), _random_dates(incident, context, now)
    naming = sorted(
        (event.first_seen, outlet) for event, _ in events if service.id in event.services for outlet in event.outlets
    )
    for event, text in events:
        if event.first_seen > now:
            continue
        proposed = _relation(incident, service, (event, text), events, context, now, days)
        if proposed is None:
            continue
        relation, reasons = proposed
        chance = dates.p_value(WINDOWS[relation], event.first_seen)
        p = None if chance is None else round(chance[0], 3)  # as it is stored
        against = reasons_against(service, event, relation, context, p)
        outlets = len(event.outlets)
        reasons.append(f"carried by {quantity(outlets, 'outlet')}")
        if relation == Relation.CONTEXT_BEFORE:
            reasons += [*burst_of_outlets(service, event, naming), *signals_between(event, context.between)]
        score = _score(incident, event, relation, outlets) / (1 + 0.15 * len(against))
        shown = relation not in HIDDEN_BY_CHANCE or p is None or p <= CHANCE
        found.append(
            Link(
                incident=incident.id,
                news_event=event.id,
                relation=relation,
                score=score,
                p=p,
                shown=shown,
                evidence_for=tuple(reasons),
                evidence_against=tuple(against),
            )
        )
    return sorted(found, key=lambda k: (k.relation, -k.score, k.news_event))


def _relation(
    incident: Incident,
    service: Service,
    item: tuple[NewsEvent, str],
    events: Sequence[tuple[NewsEvent, str]],
    context: LinkContext,
    now: datetime,
    mine: Set[date],
) -> tuple[Relation, list[str]] | None:
    """Return what an event (with its text) is to the incident and why, None for nothing.

    `mine` are the incident's own days.
    """
    event, text = item
    how = event.ways(service.id)
    headlines = [e.service for e in event.entities if "headline" in e.ways]
    lag = lag_in_words(event.first_seen, incident.onset)
    # a headline that names others and not this service is about them
    about = "headline" in how or (bool(how) and not headlines)
    below = _dependency(incident, service, event, events, context, now)
    if below is not None and below[0] == Relation.SHARED_DEPENDENCY:
        return below
    # the model of headlines is unsure of its kinds: an article of the hours or about the day it fails,
    # and that says so, is about that
    live = event.first_seen - incident.onset >= -EARLY and event.first_seen <= (incident.end or now) + LIVE_AFTER
    days = days_named(text, event.first_seen.date())
    ours = event.first_seen > incident.onset and bool(days & mine)
    failing = event.kind in OUTAGE_KINDS or ((live or ours) and tells_of_failure(text))
    if failing and about and not looks_years_back(text):
        relation = _outage_article(incident, event, days, mine, context, now)
        if relation:
            verb = "is about an outage" if relation == Relation.REPORTS else "looks back at an outage"
            return relation, [f"{verb}, names {service.name}", lag]
    is_context = event.kind in CONTEXT_KINDS or kind_of(event.title) in CONTEXT_KINDS
    is_context = is_context or (event.kind not in OUTAGE_KINDS and _ANNOUNCES.search(normalize(text)) is not None)
    if is_context and about and timedelta(0) > event.first_seen - incident.onset >= -CONTEXT_BEFORE:
        by_name = "name" in how or "component" in how
        whom = service.name if by_name else f"{service.vendor or service.name}, who makes {service.name}"
        return Relation.CONTEXT_BEFORE, [f"names {whom}", lag]
    return below


def _outage_article(
    incident: Incident, event: NewsEvent, days: Set[date], mine: Set[date], context: LinkContext, now: datetime
) -> Relation | None:
    """Return whether an article about an outage of the service reports this one, looks back at it, or neither.

    `days` are those it names, `mine` the incident's own.
    """
    seen = event.first_seen
    end = incident.end or now
    elsewhere = bool(days) and not days & mine
    later = [p for p in context.past if incident.onset < p.onset <= seen + EARLY and p.onset > end]
    if seen < incident.onset - EARLY or elsewhere:
        return None
    reporting = timedelta(hours=1) if event.kind == NewsKind.OUTAGE_FOLLOWUP else LIVE_AFTER
    if seen <= end + reporting and not later:
        return Relation.REPORTS
    if seen > end + FOLLOW_UP_AFTER:
        return None
    if days & mine:
        return Relation.FOLLOW_UP
    # it names no day: it looks back at the largest of the days before it,
    # if nothing has begun since that it may be about
    rivals = [p for p in context.past if p.onset <= seen and seen - p.end <= FOLLOW_UP_AFTER]
    largest = max((p.size for p in rivals), default=(0, 0.0))
    return (
        Relation.FOLLOW_UP
        if event.kind == NewsKind.OUTAGE_FOLLOWUP and _size(incident, context, now) >= largest
        else None
    )


def _days(incident: Incident, context: LinkContext, now: datetime) -> set[date]:
    """Return the days people may call an incident's own: theirs may not be UTC's, unless another story lies there."""
    end = incident.end or now
    own = {(incident.onset + timedelta(days=n)).date() for n in range((end.date() - incident.onset.date()).days + 1)}
    wider = {(incident.onset - timedelta(hours=8)).date(), (end + timedelta(hours=10)).date()} - own
    others = {
        day
        for p in context.past
        if abs(p.onset - incident.onset) > timedelta(hours=1)
        for day in (p.onset.date(), p.end.date())
    }
    return own | (wider - others)


def _dependency(
    incident: Incident,
    service: Service,
    event: NewsEvent,
    events: Sequence[tuple[NewsEvent, str]],
    context: LinkContext,
    now: datetime,
) -> tuple[Relation, list[str]] | None:
    """Return whether a failure of what the service runs on is shared by it, or another incident."""
    named = event.services
    below = sorted(set(service.runs_on) & {e.service for e in event.entities if {"name", "component"} & set(e.ways)})
    if not below or event.kind not in OUTAGE_KINDS or abs(event.first_seen - incident.onset) > timedelta(hours=24):
        return None
    end = incident.end or now
    first = min(
        e.first_seen
        for e, _ in events
        if e.kind in OUTAGE_KINDS and set(below) & e.services and e.first_seen >= incident.onset - timedelta(hours=48)
    )
    why = [f"{service.name} is known to run on {', '.join(below)}", lag_in_words(event.first_seen, incident.onset)]
    at_once = incident.onset - EARLY <= event.first_seen <= end + timedelta(hours=3)
    fresh = first >= incident.onset - DEPENDENCY_AGE
    named_by_provider = any(
        name in f"{u.name} {u.body}".casefold() for name in below for n in context.provider_incidents for u in n.updates
    )
    hits_others = bool(named - set(below))
    said = service.id in named
    if at_once and fresh and (said or named_by_provider or hits_others or set(below) & set(context.failing)):
        why += ["the article names it among those hit"] if said else []
        why += ["the article names others that run on it"] if hits_others and not said else []
        why += [f"the page of {service.vendor or service.name} names it"] if named_by_provider else []
        why += ["it has an incident of its own at the time"] if set(below) & set(context.failing) else []
        return Relation.SHARED_DEPENDENCY, why
    if not fresh:
        why.append(f"its failure was told {lag_in_words(first, incident.onset)} already")
    return Relation.OTHER_INCIDENT, why


def _size(incident: Incident, context: LinkContext, now: datetime) -> tuple[int, float]:
    """Return the size the incident has among the past ones."""
    same = [p.size for p in context.past if abs(p.onset - incident.onset) <= timedelta(hours=1)]
    return max(same, default=size_of(incident.impact, incident.onset, incident.end or now))


def _random_dates(incident: Incident, context: LinkContext, now: datetime) -> RandomDates:
    """Return the random dates that links of an incident are held against."""
    mine = PastIncident(onset=incident.onset, end=incident.end or now, size=_size(incident, context, now))
    others = (p for p in context.past if abs(p.onset - mine.onset) > timedelta(hours=1))
    return RandomDates(others, mine, context.known_since)


def _score(incident: Incident, event: NewsEvent, relation: Relation, outlets: int) -> float:
    """Return 0 to 1: the more outlets, the nearer in time and the more direct, the higher."""
    days = abs(event.first_seen - incident.onset) / timedelta(days=1)
    prominent = min(1.0, 0.2 + outlets / 5)
    if relation == Relation.CONTEXT_BEFORE:
        # what a government says of a vendor moves more people than where its app stands
        weight = 1.0 if event.kind == NewsKind.POLITICS_REGULATION else 0.7
        return weight * (0.4 / (1.0 + days / 7.0) + 0.6 * prominent)
    return {Relation.OTHER_INCIDENT: 0.4}.get(relation, 1.0) * (0.55 / (1.0 + days / 0.5) + 0.45 * prominent)
