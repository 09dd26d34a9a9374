"""Failures of many services at once, as one incident with many members. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from datetime import datetime, timedelta
from types import MappingProxyType

from msgspec import structs

from pipeline.core.catalogue import Catalogue
from pipeline.core.incidents import (
    AGAINST,
    GROUP,
    LEAST_PROBABILITY,
    PAGES_OF_MEMBERS,
    ComponentSpan,
    Evidence,
    Incident,
    Phase,
)
from pipeline.core.news_events import NewsEvent
from pipeline.core.row_refs import RowRef
from pipeline.core.times import clock_and_day
from pipeline.core.vocabulary import ComponentStatus, EvidenceKind, Impact, PhaseName, RowTable, State
from pipeline.incidents.build import in_order, withdrawn
from pipeline.incidents.episodes import ProviderIncident, incident_id
from pipeline.incidents.shared_cause import (
    FEWEST,
    MEMBERS,
    NAMED_WITHIN,
    OUTAGE_NEWS,
    CauseKind,
    SharedCause,
    Ties,
    against_in_words,
    cause_now,
    stored_cause,
    strongest_tie,
    tie_in_words,
)
from pipeline.text.claims import without_cleared

TOGETHER = timedelta(minutes=30)
FIRST = timedelta(hours=1)  # who begins in it joins by that alone, and the shared failure lasts as long as they do
LATER = timedelta(hours=6)  # who begins in it joins where its notices or news name the cause, or the cause still fails

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
    outside: NamedCauses = MappingProxyType({}),
    watched: Collection[str] = (),
) -> list[tuple[Incident, list[str]]]:
    """Return an incident for each failure that many services share, with the ids of its members.

    Three services or more whose onsets lie within half an hour, at least three in five of which run on the same thing,
    fail together; two are enough where the thing fails itself, or where notices or news (`named`) tie both to it. So do
    three of one vendor, two for which notices or news name the same cause outside the catalogue (`outside`), and four
    grave ones that nothing known ties. The cause is named, not blamed, with what speaks against it; `watched` are the
    services that would be known to fail. What is held is no member: the caller leaves it out. A group that is `known`
    takes in who joins later, and is over when the thing and those that began in the first hour are: what began later
    and lasts is a member no longer. Without members it is closed. Members keep their own rows; what belongs to no group
    keeps `part_of` empty. A page that says nothing is no reason against.
    """
    own = [i for i in incidents if i.service in catalogue and not i.is_group]
    ties = Ties(catalogue=catalogue, named=named, outside=outside)
    found: list[tuple[Incident, list[str]]] = []
    taken: set[str] = set()

    def add(group: Incident | None, cause: SharedCause, members: Sequence[Incident]) -> None:
        members = sorted(members, key=lambda i: (i.onset, i.id))
        taken.update(i.id for i in members)
        found.append((_group(group, cause, members, ties, watched), [i.id for i in members]))

    for group in sorted(known, key=lambda g: (g.onset, g.id)):
        members = [i for i in own if i.part_of == group.id]
        if members:
            cause = cause_now(stored_cause(group, ties), members, ties)
            there = {i.service for i in members}
            free = [i for i in own if not i.part_of and i.id not in taken and i.service not in there and _credible(i)]
            members += [i for i in free if _joins(i, group, members, cause, ties)]
            lasts = any(i.active for i in _first(members, cause.subject))
            add(group, cause, [i for i in members if lasts or not i.active])
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
        tie = strongest_tie(list({i.service: i for i in reversed(near)}.values()), ties)
        if tie is not None:
            add(None, tie.cause, tie.members)
    return found


def _first(members: Sequence[Incident], dependency: str) -> list[Incident]:
    """Return the members that a shared failure lasts with: the dependency, and who began in the first hour.

    The hour begins when the second of them failed, since a member may turn out to have begun long before.
    """
    shared_since = sorted(i.onset for i in members)[:FEWEST][-1]
    return [i for i in members if i.service == dependency or i.onset <= shared_since + FIRST]


def _joins(incident: Incident, group: Incident, members: Sequence[Incident], cause: SharedCause, ties: Ties) -> bool:
    """Return whether an incident belongs to a shared failure that is known."""
    after = incident.onset - group.onset
    if not ties.binds(incident.service, cause) or not -TOGETHER <= after <= LATER:
        return False
    if after <= FIRST:
        return incident.active or after <= TOGETHER
    first = _first(members, cause.subject)
    of_the_cause = [i for i in first if i.service == cause.subject] or first
    fails_still = any(i.active or (i.end is not None and i.end > incident.onset) for i in of_the_cause)
    return incident.active and (ties.is_named_for(incident.service, cause) or fails_still)


def _credible(incident: Incident) -> bool:
    return incident.probability is None or incident.probability >= LEAST_PROBABILITY


def _group(
    known: Incident | None, cause: SharedCause, members: Sequence[Incident], ties: Ties, watched: Collection[str]
) -> Incident:
    onset, catalogue = min(i.onset for i in members), ties.catalogue
    lasting = _first(members, cause.subject)
    over = not any(i.active for i in lasting)
    posted = sorted(
        ((i.official_first_at, i) for i in members if i.official_first_at is not None), key=lambda pair: pair[0]
    )
    # the page of a vendor's service is the provider's; that of a service which runs on another's tells of itself
    by_provider = [at for at, i in posted if i.service == cause.subject or cause.kind is CauseKind.VENDOR]
    # what is over has lost how sure it was, but for its page
    sure = [i.state for i in members if i.state is not State.RESOLVED] + [State.CONFIRMED] * bool(posted)
    statement = tie_in_words(cause, members, catalogue)
    rows = tuple(RowRef(RowTable.INCIDENTS, i.id) for i in members)
    evidence = [
        Evidence(
            kind=EvidenceKind.SHARED,
            at=onset,
            subject=cause.subject,
            value=sum(i.service != cause.subject for i in members) or len(members),
            statement=statement,
            rows=rows,
        ),
        *(
            Evidence(
                kind=EvidenceKind.SHARED,
                at=onset,
                subject=AGAINST,
                statement=f"what speaks against it: {words}",
                rows=rows,
            )
            for words in against_in_words(cause, members, ties, watched)
        ),
        *_pages_in_words([i for at, i in posted if at not in by_provider], catalogue),
    ]
    # a failure keeps the service that its id names; one that nothing in the catalogue ties is filed under its first
    filed_under = cause.subject if cause.kind is CauseKind.DEPENDENCY else members[0].service
    service = known.service if known else filed_under
    return structs.replace(
        members[0],
        id=known.id if known else incident_id(service, onset) + GROUP,
        service=service,
        state=State.RESOLVED if over else State.highest([State.LIKELY, *sure]),
        opened_at=known.opened_at if known else max(sorted(i.opened_at for i in members)[:MEMBERS]),
        onset=onset,
        peak=None,
        end=max(i.end for i in lasting if i.end is not None) if over else None,
        active=not over,
        impact=Impact.highest(i.impact for i in members),
        symptom="",
        official_first_at=min(by_provider, default=None),
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
        phases=_phases(members, statement),
    )


def _phases(members: Sequence[Incident], statement: str) -> tuple[Phase, ...]:
    """Return the phases of a shared failure: its onset, and easing from when all but one of its services are over."""
    if not members[0].phases:
        return ()
    onset = structs.replace(members[0].phases[0], why=statement)
    lasting = [i for i in members if i.active]
    ended = [i.end for i in members if i.end is not None]
    if len(lasting) != 1 or len(ended) < FEWEST:
        return (onset,)
    last = lasting[0].phases[-1].phase if lasting[0].phases else PhaseName.ONSET
    name = PhaseName.OVER if last is PhaseName.OVER else PhaseName.EASING  # it may be about to be over, too
    since = max(*ended, onset.since)
    easing = structs.replace(onset, phase=name, since=since, until=None, why="all of its services but one are over")
    return (structs.replace(onset, until=since), easing)


def _pages_in_words(posted: Sequence[Incident], catalogue: Catalogue) -> Iterator[Evidence]:
    """Yield that status pages of members list trouble, the first of them first; nothing where none does."""
    if not posted or posted[0].official_first_at is None:
        return
    named = ", ".join(
        f"{catalogue[i.service].name} ({clock_and_day(i.official_first_at)})" for i in posted if i.official_first_at
    )
    yield Evidence(
        kind=EvidenceKind.SHARED,
        at=posted[0].official_first_at,
        subject=PAGES_OF_MEMBERS,
        value=len(posted),
        statement=f"the status {'page lists' if len(posted) == 1 else 'pages list'} trouble of {named}",
        rows=tuple(RowRef(RowTable.INCIDENTS, i.id) for i in posted),
    )
