"""Failures of many services at once: what they all run on, and one incident with many members. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from pipeline.core.catalogue import Catalogue
from pipeline.core.incidents import (
    GROUP,
    LEAST_PROBABILITY,
    PAGES_OF_MEMBERS,
    ComponentSpan,
    Evidence,
    Incident,
    NewsEvent,
)
from pipeline.core.row_refs import RowRef
from pipeline.core.vocabulary import ComponentStatus, EvidenceKind, Impact, NewsKind, RowTable, State
from pipeline.incidents.build import in_order, withdrawn
from pipeline.incidents.episodes import ProviderIncident, incident_id
from pipeline.text.claims import without_cleared

TOGETHER = timedelta(minutes=30)
FIRST = timedelta(hours=1)  # who begins in it joins by that alone, and the shared failure lasts as long as they do
LATER = timedelta(hours=6)  # who begins in it joins where its notices or news name the cause, or the cause still fails
MEMBERS = 3
FEWEST = 2  # where the thing they run on fails itself, or what is written of them names it
SHARE = 0.6  # of those that failed together, at least, run on it
NAMED_WITHIN = timedelta(hours=12)  # what was written longer ago is about another failure
OUTAGE_NEWS = (NewsKind.SERVICE_OUTAGE, NewsKind.OUTAGE_FOLLOWUP, NewsKind.INFRASTRUCTURE_OUTAGE)

# the dependencies that notices and news name as failing, by service id
NamedCauses = Mapping[str, Set[str]]


def named_causes(
    notices: Mapping[str, Sequence[ProviderIncident]],
    events: Sequence[NewsEvent],
    entities: Callable[[str], Mapping[str, Sequence[str]]],
    catalogue: Catalogue,
    now: datetime,
) -> NamedCauses:
    """Return which dependencies a service's own notices, or news of an outage that name both, speak of.

    `notices` are those of each service; `entities` gives the services a text names, each with the ways it does. Only
    what some service of the catalogue runs on is a dependency, and no competitor's; a vendor's name alone names none of
    its services.
    """
    dependencies = {below for service in catalogue.values() for below in service.runs_on}
    since = now - NAMED_WITHIN
    named: dict[str, set[str]] = {}
    for service, posted in notices.items():
        texts = [u.body for notice in posted for u in notice.updates if since <= u.collected <= now and u.body]
        for text in dict.fromkeys(texts):
            named.setdefault(service, set()).update(_by_name(entities(without_cleared(text))))
    for event in events:
        if event.kind in OUTAGE_NEWS and since <= event.first_seen <= now:
            spoken_of = _by_name({entity.service: entity.ways for entity in event.entities})
            for service in spoken_of:
                named.setdefault(service, set()).update(spoken_of)
    return {
        service: {c for c in causes & dependencies - {service} if service not in catalogue[c].rivals}
        for service, causes in named.items()
    }


def _by_name(entities: Mapping[str, Sequence[str]]) -> set[str]:
    return {service for service, ways in entities.items() if "name" in ways or "component" in ways}


def groups(
    incidents: Sequence[Incident],
    catalogue: Catalogue,
    now: datetime,
    known: Sequence[Incident] = (),
    named: NamedCauses = MappingProxyType({}),
) -> list[tuple[Incident, list[str]]]:
    """Return an incident for each dependency that many services' failures share, with the ids of its members.

    Three services or more whose onsets lie within half an hour, at least three in five of which run on the same thing,
    fail together; two are enough where the thing fails itself, or where notices or news (`named`) tie both to it. The
    thing is named, not blamed. What is not worth telling alone is no member. A group once told
    (`known`) takes in who joins later, and is over when the thing and those that began in the first hour are: what
    began later and lasts is a member no longer. Without members it is closed. Members keep their own rows; what
    belongs to no group keeps `part_of` empty. A page that says nothing is no reason against.
    """
    own = [i for i in incidents if i.service in catalogue and not i.is_group]
    below_of = {i.service: {*catalogue[i.service].runs_on, *(named.get(i.service, ()))} - {i.service} for i in own}
    found: list[tuple[Incident, list[str]]] = []
    taken: set[str] = set()

    def add(group: Incident | None, dependency: str, members: Sequence[Incident]) -> None:
        members = sorted(members, key=lambda i: (i.onset, i.id))
        taken.update(i.id for i in members)
        found.append((_group(group, dependency, members, catalogue), [i.id for i in members]))

    for group in sorted(known, key=lambda g: (g.onset, g.id)):
        members = [i for i in own if i.part_of == group.id]
        if members:
            there = {i.service for i in members}
            free = [i for i in own if not i.part_of and i.id not in taken and i.service not in there and _credible(i)]
            members += [i for i in free if _joins(i, group, members, below_of[i.service], named.get(i.service, ()))]
            lasts = any(i.active for i in _first(members, group.service))
            add(group, group.service, [i for i in members if lasts or not i.active])
        elif group.active:
            found.append((withdrawn(group), []))
    for first in sorted(own, key=lambda i: (i.onset, i.id)):
        if first.id in taken or first.part_of:
            continue
        near = [
            i
            for i in own
            if i.id not in taken
            and not i.part_of
            and _credible(i)
            and timedelta(0) <= i.onset - first.onset <= TOGETHER
        ]
        near = list({i.service: i for i in reversed(near)}.values())
        on = {d: [i for i in near if d in below_of[i.service]] for i in near for d in below_of[i.service]}
        best = max(sorted(on), key=lambda d: len(on[d]), default=None)
        if best is None or len(on[best]) < SHARE * sum(i.service != best for i in near):
            continue
        spoken_of = all(best in named.get(i.service, ()) for i in on[best])
        known_to_fail = spoken_of or any(i.service == best for i in near)
        if len(on[best]) < (FEWEST if known_to_fail else MEMBERS):
            continue
        add(None, best, [*on[best], *(i for i in near if i.service == best)])
    return found


def _first(members: Sequence[Incident], dependency: str) -> list[Incident]:
    """Return the members that a shared failure lasts with: the dependency, and who began in the first hour.

    The hour begins when the second of them failed, since a member may turn out to have begun long before.
    """
    shared_since = sorted(i.onset for i in members)[:FEWEST][-1]
    return [i for i in members if i.service == dependency or i.onset <= shared_since + FIRST]


def _joins(
    incident: Incident, group: Incident, members: Sequence[Incident], below: Set[str], named: Collection[str]
) -> bool:
    """Return whether an incident belongs to a shared failure that is known: `below` is what it may run on."""
    after = incident.onset - group.onset
    if group.service not in (incident.service, *below) or not -TOGETHER <= after <= LATER:
        return False
    if after <= FIRST:
        return incident.active or after <= TOGETHER
    first = _first(members, group.service)
    cause = [i for i in first if i.service == group.service] or first
    fails_still = any(i.active or (i.end is not None and i.end > incident.onset) for i in cause)
    return incident.active and (group.service in named or fails_still)


def _credible(incident: Incident) -> bool:
    return incident.probability is None or incident.probability >= LEAST_PROBABILITY


def _group(known: Incident | None, dependency: str, members: Sequence[Incident], catalogue: Catalogue) -> Incident:
    onset = min(i.onset for i in members)
    lasting = _first(members, dependency)
    over = not any(i.active for i in lasting)
    running = [i for i in members if i.service != dependency] or list(members)
    posted = sorted(
        ((i.official_first_at, i) for i in members if i.official_first_at is not None), key=lambda pair: pair[0]
    )
    # what is over has lost how sure it was, but for its page
    sure = [i.state for i in members if i.state is not State.RESOLVED] + [State.CONFIRMED] * bool(posted)
    statement = _in_words(members, dependency, catalogue)
    said = Evidence(
        kind=EvidenceKind.SHARED,
        at=onset,
        subject=dependency,
        value=len(running),
        statement=statement,
        rows=tuple(RowRef(RowTable.INCIDENTS, i.id) for i in members),
    )
    evidence = [said, *_pages_in_words([i for _, i in posted if i.service != dependency], catalogue)]
    return replace(
        members[0],
        id=known.id if known else incident_id(dependency, onset) + GROUP,
        service=dependency,
        state=State.RESOLVED if over else State.highest([State.LIKELY, *sure]),
        opened_at=known.opened_at if known else max(sorted(i.opened_at for i in members)[:MEMBERS]),
        onset=onset,
        peak=None,
        end=max(i.end for i in lasting if i.end is not None) if over else None,
        active=not over,
        impact=Impact.highest(i.impact for i in members),
        symptom="",
        official_first_at=next((at for at, i in posted if i.service == dependency), None),
        episode_count=1,
        probability=max((i.probability for i in members if i.probability is not None), default=None),
        part_of="",
        episodes=(),
        evidence=in_order(evidence),
        components=tuple(
            ComponentSpan(
                component=catalogue[i.service].name,
                source="votes",
                status=ComponentStatus.AFFECTED,
                since=i.onset,
                until=i.end,
                detail=f"incident {i.id}",
            )
            for i in members
        ),
        phases=(replace(members[0].phases[0], why=statement),) if members[0].phases else (),
    )


def _in_words(members: Sequence[Incident], dependency: str, catalogue: Catalogue) -> str:
    """Return what fails: who runs on the dependency by the catalogue, who is only tied to it by name, and itself."""
    name = catalogue[dependency].name if dependency in catalogue else dependency
    services = [catalogue[i.service] for i in members if i.service != dependency]
    running = [s.name for s in services if dependency in s.runs_on]
    tied = [s.name for s in services if dependency not in s.runs_on]
    since = f"since {min(i.onset for i in members):%H:%M} UTC"
    parts = []
    if running:
        fail = f"{len(running)} services that run on {name} fail"
        parts.append(f"{fail if running[1:] else f'a service that runs on {name} fails'} {since}: {', '.join(running)}")
    if tied:
        parts.append(f"notices or news name {name} for {', '.join(tied)}" + ("" if running else f", failing {since}"))
    if len(services) < len(members):
        parts.append(f"{name} itself, too" if parts else f"{name} fails {since}")
    return "; ".join(parts)


def _pages_in_words(posted: Sequence[Incident], catalogue: Catalogue) -> Iterator[Evidence]:
    """Yield that status pages of members list trouble, the first of them first; nothing where none does."""
    if not posted or posted[0].official_first_at is None:
        return
    named = ", ".join(
        f"{catalogue[i.service].name} ({i.official_first_at:%H:%M} UTC)" for i in posted if i.official_first_at
    )
    yield Evidence(
        kind=EvidenceKind.SHARED,
        at=posted[0].official_first_at,
        subject=PAGES_OF_MEMBERS,
        value=len(posted),
        statement=f"the status {'page lists' if len(posted) == 1 else 'pages list'} trouble of {named}",
        rows=tuple(RowRef(RowTable.INCIDENTS, i.id) for i in posted),
    )
