"""Incidents beside news events: an association with what speaks for it and what against it. Pure.

A first form: the event's kind and the entities it names propose a relation; time and prominence score it; evidence
against is computed from the incidents and notices around it. No relation is an allowed answer, and common one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pipeline.incidents import Official
from pipeline.model import Incident, Link, NewsEvent, Service
from pipeline.text.claims import claims
from pipeline.text.news import entity_services
from pipeline.times import minutes_between

REPORT_BEFORE, REPORT_AFTER = timedelta(minutes=15), timedelta(hours=9)
FOLLOW_UP_AFTER = timedelta(days=3)
CONTEXT_BEFORE = timedelta(days=7)
CONTEXT_KINDS = ("politics_regulation", "company_business")


def link(
    incident: Incident, service: Service, events: Sequence[tuple[NewsEvent, str]], history: Sequence[datetime],
    notices: Sequence[Official], now: datetime,
) -> list[Link]:  # fmt: skip
    """Return the links of one incident to the news events seen so far.

    `events` are (event, text of its first item); `history` are onsets of the service's earlier incidents, ours and
    the provider's; `notices` are the provider's incidents within this one.
    """
    found = []
    for event, text in events:
        if event.first_seen > now:
            continue
        how = entity_services(event.entities).get(service.id, ())
        proposed = _relation(incident, service, event, how, now)
        if proposed is None:
            continue
        relation, reasons = proposed
        against = _against(incident, service, event, relation, text, history, notices)
        outlets = len(event.outlets)
        score = _score(incident, event, relation, how, outlets) / (1 + 0.15 * len(against))
        reasons.append(f"carried by {outlets} outlet{'s' if outlets > 1 else ''}")
        found.append(Link(incident=incident.id, news_event=event.id, relation=relation, score=score,
                          evidence_for=tuple(reasons), evidence_against=tuple(against)))  # fmt: skip
    return sorted(found, key=lambda k: (k.relation, -k.score, k.news_event))


def _relation(
    incident: Incident, service: Service, event: NewsEvent, how: Sequence[str], now: datetime
) -> tuple[str, list[str]] | None:
    after = event.first_seen - incident.onset
    by_name = "name" in how or "component" in how
    end = incident.end or now
    if event.kind in ("service_outage", "outage_followup") and by_name and after >= -REPORT_BEFORE:
        at_once = event.first_seen <= min(end, incident.onset + REPORT_AFTER) + timedelta(hours=1)
        if at_once and after <= REPORT_AFTER + timedelta(hours=3):
            return "reports", [f"is about an outage, names {service.name}", _lag(event.first_seen, incident.onset)]
        if after <= FOLLOW_UP_AFTER and incident.impact in ("moderate", "high", "critical"):
            return "follow_up", [f"looks back at an outage of {service.name}", _lag(event.first_seen, incident.onset)]
    if event.kind in CONTEXT_KINDS and how and timedelta(0) > after >= -CONTEXT_BEFORE:
        named = service.name if by_name else f"{service.vendor}, who makes {service.name}"
        return "context_before", [f"names {named}", _lag(event.first_seen, incident.onset)]
    others = set(entity_services(event.entities)) & set(service.runs_on)
    near = abs(event.first_seen - incident.onset) <= timedelta(hours=24)
    if event.kind in ("infrastructure_outage", "service_outage") and others and not how and near:
        return "other_incident", [f"{service.name} is known to run on {', '.join(sorted(others))}",
                                  _lag(event.first_seen, incident.onset)]  # fmt: skip
    return None


def _lag(seen: datetime, onset: datetime) -> str:
    minutes = minutes_between(onset, seen)
    size = abs(minutes)
    words = f"{size:.0f} min" if size < 120 else (f"{size / 60:.0f} h" if size < 2880 else f"{size / 1440:.1f} days")
    return f"{words} {'after' if minutes >= 0 else 'before'} the onset"


def _score(incident: Incident, event: NewsEvent, relation: str, how: Sequence[str], outlets: int) -> float:
    """Return 0 to 1: the more outlets, the nearer in time and the more direct the name, the higher."""
    direct = 1.0 if "name" in how or "component" in how else (0.8 if how else 0.4)
    days = abs(event.first_seen - incident.onset) / timedelta(days=1)
    prominent = min(1.0, 0.2 + outlets / 5)
    if relation == "context_before":
        # what a government says of a vendor moves more people than where its app stands
        weight = 1.0 if event.kind == "politics_regulation" else 0.7
        return weight * (0.4 / (1.0 + days / 7.0) + 0.6 * prominent)
    return direct * (0.55 / (1.0 + days / 0.5) + 0.45 * prominent)


def _against(
    incident: Incident, service: Service, event: NewsEvent, relation: str, text: str, history: Sequence[datetime],
    notices: Sequence[Official],
) -> list[str]:  # fmt: skip
    if relation == "context_before":
        return _against_context(service, event, history)
    if relation == "other_incident":
        return [f"no notice of {service.vendor or service.name} mentions it" if notices else "no notice speaks of a shared cause",
                "services elsewhere that run on it are not known to have failed with it"]  # fmt: skip
    return _disagreements(incident, text, notices) if relation == "reports" else []


def _against_context(service: Service, event: NewsEvent, history: Sequence[datetime]) -> list[str]:
    """Say how often such incidents began without, and before, the announcement."""
    found = []
    day = event.first_seen.replace(hour=0, minute=0, second=0)
    same_day = [onset for onset in history if day <= onset < event.first_seen]
    if same_day:
        times = ", ".join(f"{onset:%H:%M}" for onset in sorted(same_day))
        found.append(
            f"{len(same_day)} incident{'s' if len(same_day) > 1 else ''} of {service.name} began that day before it ({times} UTC)"
        )
    span = timedelta(days=7)
    before = [onset for onset in history if event.first_seen - span <= onset < event.first_seen]
    if before:
        found.append(
            f"{len(before)} incidents of {service.name} began in the seven days before it: they need no announcement"
        )
    if event.kind == "politics_regulation":
        found.append(f"no notice of {service.vendor or service.name} names it")
    return found


def _disagreements(incident: Incident, text: str, notices: Sequence[Official]) -> list[str]:
    """Say where an article's claims part from what was measured and posted."""
    found = []
    onset, posted = incident.onset, min((n.posted for n in notices), default=None)
    day = onset.replace(hour=0, minute=0, second=0)
    for claim in claims(text, onset.date()):
        if claim.kind == "up" and claim.value == "api":
            listed = [
                s.since
                for s in incident.components
                if s.component == "api" and s.source == "official" and s.status == "affected"
            ]
            if listed:
                times = " and ".join(f"{moment:%H:%M}" for moment in sorted(set(listed))[:2])
                found.append(f"says the API stayed up; the provider listed it as failing at {times} UTC")
        elif claim.kind == "start":
            said = _at(day, claim.value)
            late = minutes_between(onset, said)
            if 20 < late < 600:
                official = (
                    f", {minutes_between(posted, said):.0f} min after the provider's first notice" if posted else ""
                )
                found.append(f"puts the start at {said:%H:%M} UTC, {late:.0f} min after the first reports{official}")
        elif claim.kind == "end":
            said = _at(day, claim.value)
            resolved = [n.resolved for n in notices if n.resolved and n.posted - onset < timedelta(hours=1)]
            if resolved and abs(minutes_between(resolved[0], said)) > 30:
                found.append(
                    f"puts the end at {said:%H:%M} UTC; the provider closed its first notice at {resolved[0]:%H:%M}"
                )
    return list(dict.fromkeys(found))


def _at(day: datetime, clock: str) -> datetime:
    hour, _, minute = clock.partition(":")
    return day + timedelta(hours=int(hour), minutes=int(minute))
