"""What ties failures that began together: what they run on, a vendor, a cause outside the catalogue, or nothing known.

It is named, not blamed: each tie is an association, with what speaks against it beside it. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from pipeline.core.catalogue import Catalogue
from pipeline.core.incidents import UNKNOWN_CAUSE, Incident
from pipeline.core.news_events import NewsEvent
from pipeline.core.times import clock_and_day
from pipeline.core.vocabulary import EvidenceKind, Impact, NewsKind, State
from pipeline.incidents.episodes import ProviderIncident
from pipeline.text.claims import without_cleared
from pipeline.text.outside_causes import outside_causes_in

MEMBERS = 3
FEWEST = 2  # where the thing they run on fails itself, or what is written of them names it
STRANGERS = 4  # of which nothing is known that ties them, and which cannot be taken for talk
SHARE = 0.6  # of those that failed together, at least, are tied
NAMED_WITHIN = timedelta(hours=12)  # what was written longer ago is about another failure
OUTAGE_NEWS = (NewsKind.SERVICE_OUTAGE, NewsKind.OUTAGE_FOLLOWUP, NewsKind.INFRASTRUCTURE_OUTAGE)


class CauseKind(StrEnum):
    """What ties the members of a shared failure."""

    DEPENDENCY = "dependency"
    VENDOR = "vendor"
    OUTSIDE = "outside"
    UNKNOWN = "unknown"


class SharedCause(NamedTuple):
    """What ties the members: `subject` is a service's id, a vendor's name, a cause in words, or UNKNOWN_CAUSE."""

    kind: CauseKind
    subject: str


class Tie(NamedTuple):
    """A cause and the failures it ties."""

    cause: SharedCause
    members: tuple[Incident, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ties:
    """What services are known to share.

    `named` are the dependencies that notices and news name for a service, `outside` the causes outside the catalogue.
    """

    catalogue: Catalogue
    named: Mapping[str, Set[str]] = field(default_factory=dict)
    outside: Mapping[str, Set[str]] = field(default_factory=dict)

    def below(self, service: str) -> set[str]:
        """Return the ids of what a service may run on: by the catalogue, by notices, by news."""
        return {*self.catalogue[service].runs_on, *self.named.get(service, ())} - {service}

    def binds(self, service: str, cause: SharedCause) -> bool:
        """Return whether a service is tied to a cause; to an unknown one none is."""
        match cause.kind:
            case CauseKind.DEPENDENCY:
                return cause.subject in (service, *self.below(service))
            case CauseKind.VENDOR:
                return self.catalogue[service].vendor == cause.subject
            case CauseKind.OUTSIDE:
                return cause.subject in self.outside.get(service, ())
            case CauseKind.UNKNOWN:
                return False

    def is_named_for(self, service: str, cause: SharedCause) -> bool:
        """Return whether a service's notices, or news, name a cause."""
        return cause.subject in self.named.get(service, ()) or cause.subject in self.outside.get(service, ())


def outside_causes(
    notices: Mapping[str, Sequence[ProviderIncident]], events: Sequence[tuple[NewsEvent, str]], now: datetime
) -> dict[str, set[str]]:
    """Return the causes outside the catalogue that a service's notices, or news of an outage that name it, speak of.

    `notices` are those of each service, `events` news events with the text of their first item.
    """
    since, found = now - NAMED_WITHIN, dict[str, set[str]]()
    for service, posted in notices.items():
        bodies = [u.body for notice in posted for u in notice.updates if since <= u.collected <= now and u.body]
        for body in dict.fromkeys(bodies):
            found.setdefault(service, set()).update(outside_causes_in(without_cleared(body)))
    for event, text in events:
        if event.kind in OUTAGE_NEWS and since <= event.first_seen <= now:
            causes = outside_causes_in(without_cleared(text))
            for entity in event.entities if causes else ():
                if "name" in entity.ways:
                    found.setdefault(entity.service, set()).update(causes)
    return {service: causes for service, causes in found.items() if causes}


def strongest_tie(near: Sequence[Incident], ties: Ties) -> Tie | None:
    """Return what ties most of the failures that began together, with those it ties; None where they are too few.

    A dependency goes before a vendor, a vendor before a cause outside the catalogue, that before none that is known.
    """
    return _dependency(near, ties) or _vendor(near, ties) or _outside(near, ties) or _unknown(near, ties)


def _dependency(near: Sequence[Incident], ties: Ties) -> Tie | None:
    """Return what ties by a dependency: one that fails itself or is named by all goes before one that most have."""
    on = {d: [i for i in near if d in ties.below(i.service)] for i in near for d in ties.below(i.service)}
    found: list[tuple[bool, int, str, Tie]] = []
    for dependency, members in on.items():
        if len(members) < SHARE * sum(i.service != dependency for i in near):
            continue
        failing_itself = [i for i in near if i.service == dependency]
        is_named = all(dependency in ties.named.get(i.service, ()) for i in members)
        is_known = is_named or bool(failing_itself)
        if len(members) >= (FEWEST if is_known else MEMBERS):
            tie = Tie(SharedCause(CauseKind.DEPENDENCY, dependency), (*members, *failing_itself))
            found.append((not is_known, -len(members), dependency, tie))
    return min(found, key=lambda one: one[:3])[3] if found else None


def _vendor(near: Sequence[Incident], ties: Ties) -> Tie | None:
    counted = Counter(vendor for i in near if (vendor := ties.catalogue[i.service].vendor))
    if not counted:
        return None
    vendor, many = min(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    if many < MEMBERS or many < SHARE * len(near):
        return None
    members = tuple(i for i in near if ties.catalogue[i.service].vendor == vendor)
    return Tie(SharedCause(CauseKind.VENDOR, vendor), members)


def _outside(near: Sequence[Incident], ties: Ties) -> Tie | None:
    counted = Counter(cause for i in near for cause in ties.outside.get(i.service, ()))
    if not counted:
        return None
    cause, many = min(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    if many < FEWEST or many < SHARE * len(near):
        return None
    return Tie(
        SharedCause(CauseKind.OUTSIDE, cause), tuple(i for i in near if cause in ties.outside.get(i.service, ()))
    )


def _unknown(near: Sequence[Incident], ties: Ties) -> Tie | None:
    """Return that nothing known ties many grave failures that are more than talk."""
    grave = [i for i in near if i.state.rank >= State.LIKELY.rank and i.impact.rank >= Impact.MODERATE.rank]
    solid = tuple(i for i in grave if {e.kind for e in i.evidence} & {EvidenceKind.COMPLAINTS, EvidenceKind.OFFICIAL})
    if len(solid) < STRANGERS or len({ties.catalogue[i.service].vendor or i.service for i in solid}) < MEMBERS:
        return None
    return Tie(SharedCause(CauseKind.UNKNOWN, UNKNOWN_CAUSE), solid)


def cause_now(stored: SharedCause, members: Sequence[Incident], ties: Ties) -> SharedCause:
    """Return what ties the members of a shared failure that is known: of an unknown cause it may be known by now."""
    if stored.kind is not CauseKind.UNKNOWN:
        return stored
    tie = strongest_tie(members, ties)
    return tie.cause if tie is not None else stored


def stored_cause(group: Incident, ties: Ties) -> SharedCause:
    """Return what a shared failure's statement names; older ones name the dependency."""
    subject = group.shared_cause or group.service
    if subject == UNKNOWN_CAUSE:
        return SharedCause(CauseKind.UNKNOWN, subject)
    if subject in ties.catalogue or any(subject in service.runs_on for service in ties.catalogue.values()):
        return SharedCause(CauseKind.DEPENDENCY, subject)
    is_vendor = any(service.vendor == subject for service in ties.catalogue.values())
    return SharedCause(CauseKind.VENDOR if is_vendor else CauseKind.OUTSIDE, subject)


def tie_in_words(cause: SharedCause, members: Sequence[Incident], catalogue: Catalogue) -> str:
    """Return what fails together since when, and what is known to tie it."""
    since, services = f"since {clock_and_day(min(i.onset for i in members))}", _names(members, catalogue)
    match cause.kind:
        case CauseKind.DEPENDENCY:
            return _dependents_in_words(cause.subject, members, catalogue, since)
        case CauseKind.VENDOR:
            return f"{len(members)} services of {cause.subject} have been failing {since}: {services}"
        case CauseKind.OUTSIDE:
            return f"notices or news name {cause.subject} for {services}, failing {since}"
        case CauseKind.UNKNOWN:
            return f"{len(members)} services have been failing together {since}, {UNKNOWN_CAUSE}: {services}"


def against_in_words(
    cause: SharedCause, members: Sequence[Incident], ties: Ties, watched: Collection[str]
) -> Iterator[str]:
    """Yield what speaks against a tie; `watched` are the services that would be known to fail."""
    failing = {i.service for i in members}
    match cause.kind:
        case CauseKind.DEPENDENCY:
            name = _name(cause.subject, ties.catalogue)
            if cause.subject not in failing:
                yield f"{name} itself is not known to fail"
            if not any(ties.is_named_for(service, cause) for service in failing):
                yield f"no notice or news names {name}"
            spared = [s for s in watched if s not in failing and cause.subject in ties.catalogue[s].runs_on]
            yield from _spared(spared, f"which {'run' if len(spared) > 1 else 'runs'} on {name}, too", ties.catalogue)
        case CauseKind.VENDOR:
            yield "no dependency common to them is known"
            spared = [s for s in watched if s not in failing and ties.catalogue[s].vendor == cause.subject]
            yield from _spared(spared, f"of {cause.subject}, too", ties.catalogue)
        case CauseKind.OUTSIDE:
            yield "no dependency or vendor common to them is known"
        case CauseKind.UNKNOWN:
            yield "no dependency or vendor is common to them, and no notice or news names one"


def _spared(services: Sequence[str], why: str, catalogue: Catalogue) -> Iterator[str]:
    if services:
        names = ", ".join(sorted(catalogue[service].name for service in services))
        yield f"{names}, {why}, {'are' if len(services) > 1 else 'is'} not known to fail"


def _name(service: str, catalogue: Catalogue) -> str:
    return catalogue[service].name if service in catalogue else service


def _names(members: Sequence[Incident], catalogue: Catalogue) -> str:
    return ", ".join(dict.fromkeys(catalogue[i.service].name for i in members))


def _dependents_in_words(dependency: str, members: Sequence[Incident], catalogue: Catalogue, since: str) -> str:
    """Return what fails: who runs on it by the catalogue, who is only tied to it by name, and itself."""
    name = _name(dependency, catalogue)
    services = [catalogue[i.service] for i in members if i.service != dependency]
    running = [s.name for s in services if dependency in s.runs_on]
    tied = [s.name for s in services if dependency not in s.runs_on]
    parts = []
    if running:
        several = f"{len(running)} services that run on {name} have"
        who = several if running[1:] else f"a service that runs on {name} has"
        parts.append(f"{who} been failing {since}: {', '.join(running)}")
    if tied:
        parts.append(f"notices or news name {name} for {', '.join(tied)}" + ("" if running else f", failing {since}"))
    if len(services) < len(members):
        parts.append(f"{name} itself, too" if parts else f"{name} has been failing {since}")
    return "; ".join(parts)
