"""A story becomes one incident: when, how bad, which parts, how sure, and the rows each statement rests on. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from msgspec import structs

from pipeline.core.catalogue import Service
from pipeline.core.incidents import ComponentSpan, CrowdSpan, Episode, Evidence, Incident, Phase
from pipeline.core.news_events import NewsEvent
from pipeline.core.reports import Report
from pipeline.core.row_refs import RowRef
from pipeline.core.series import Interval
from pipeline.core.vocabulary import ComponentStatus, EvidenceKind, Impact, PhaseName, RowTable, State
from pipeline.incidents import confidence as certainty
from pipeline.incidents import scope
from pipeline.incidents.closing import ClosingRule
from pipeline.incidents.component_spans import official_components, voted_components
from pipeline.incidents.episodes import (
    COUNTED_IMPACTS,
    LONGEST_STORY,
    STORY_GAP,
    EpisodeDraft,
    ProviderIncident,
    group_into_incidents,
    incident_id,
    merge_into_episodes,
)
from pipeline.incidents.evidence import doubtful_share, page_in_words, signals_in_words
from pipeline.incidents.phases import Levels, phases


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentInputs:
    """What a service's incidents are built from.

    `intervals` are alarms of the service's totals (complaints, votes), `levels` their bins; `reports` are posts that
    count or clear a component, oldest first; `articles` are news events about outages of the service.
    """

    intervals: Sequence[Interval] = ()
    provider_incidents: Sequence[ProviderIncident] = ()
    reports: Sequence[Report] = ()
    levels: Levels = field(default_factory=dict)
    articles: Sequence[NewsEvent] = ()


def build(
    service: Service,
    inputs: IncidentInputs,
    known: Sequence[Incident],
    now: datetime,
    *,
    closing: ClosingRule,
    alerted: Collection[str] = (),
) -> tuple[list[Incident], dict[str, str]]:
    """Return the incidents of a service in the spans given, and of known ones absorbed by another that one's id.

    Of several that become one it keeps the id that messages name (`alerted` are such ids), else the oldest. `known` are
    also those that ended in the day before: an incident that follows one has to be quiet for longer.
    """
    used: set[str] = set()
    built: list[Incident] = []
    absorbed: dict[str, str] = {}
    for story in group_into_incidents(merge_into_episodes(inputs.intervals, inputs.provider_incidents)):
        begin, last = story[0].start, story[-1].end
        mine = [
            k
            for k in known
            if k.service == service.id
            and k.id not in used
            and k.onset < (last or now) + STORY_GAP
            and k.onset <= begin + LONGEST_STORY
            and (k.end is None or k.end + STORY_GAP > begin)
        ]
        mine.sort(key=lambda k: (k.id not in alerted, k.opened_at, k.onset))
        used |= {k.id for k in mine}
        absorbed |= {k.id: mine[0].id for k in mine[1:]}
        own = {k.id for k in mine}
        earlier = [k for k in known if k.service == service.id and k.id not in own]
        quiet = closing.quiet_needed(story, [*earlier, *built])
        made = _incident(service, story, inputs, mine[0] if mine else None, now, quiet)
        taken = {k.id for k in known} | {i.id for i in built}
        if not mine and made.id in taken:
            # another story has kept the id of this minute
            made = structs.replace(made, id=next(i for n in count(2) if (i := f"{made.id}-{n}") not in taken))
        built.append(made)
    return built, absorbed


def withdrawn(incident: Incident) -> Incident:
    """Return an open incident closed at the last thing known of it: what it rested on is no longer there."""
    last = max(
        [incident.onset, *(p.since for p in incident.phases), *(e.end for e in incident.episodes if e.end is not None)]
    )
    open_ones = [structs.replace(e, end=max(e.onset, last)) if e.end is None else e for e in incident.episodes]
    why = "what it rested on is no longer there: the notice was withdrawn or the counts were corrected"
    withdrawal = Evidence(
        kind=EvidenceKind.WITHDRAWN, at=last, statement=why, rows=(RowRef(RowTable.INCIDENTS, incident.id),)
    )
    phases = [structs.replace(p, until=last) if p.until is None else p for p in incident.phases]
    over = Phase(
        episode=incident.episode_count, phase=PhaseName.OVER, since=last, until=None, impact=Impact.NONE, why=why
    )
    return structs.replace(
        incident,
        state=State.RESOLVED,
        active=False,
        end=last,
        episodes=tuple(open_ones),
        evidence=in_order([*incident.evidence, withdrawal]),
        phases=(*phases, over),
        components=tuple(
            structs.replace(c, until=max(c.since, last)) if c.until is None else c for c in incident.components
        ),
    )


def _incident(
    service: Service,
    story: Sequence[EpisodeDraft],
    inputs: IncidentInputs,
    known: Incident | None,
    now: datetime,
    quiet_needed: timedelta,
) -> Incident:
    begin, last = story[0].start, story[-1].end
    intervals = [i for draft in story for i in draft.intervals]
    provider_incidents = [o for draft in story for o in draft.provider_incidents]
    over = last is not None and now - last >= quiet_needed
    earliest, latest = begin - timedelta(minutes=5), last or now
    within = [r for r in inputs.reports if earliest <= r.created <= latest]
    votes = [r for r in within if r.counted]
    blamed = {part for r in votes for part in r.components}
    telling = [r for r in within if r.counted or r.working_components]
    spans = [
        *official_components(service, provider_incidents),
        *voted_components(telling, last, now),
    ]
    once = {(c.component, c.source, c.status, c.since): c for c in spans}  # of two that begin together, the later
    spans = sorted(once.values(), key=lambda c: (c.since, c.component, c.source, c.status))
    outlets = sorted(
        {
            o
            for e in inputs.articles
            if begin - timedelta(minutes=15) <= e.first_seen <= latest + timedelta(hours=1)
            and "name" in e.ways(service.id)
            for o in e.outlets
        }
    )
    rests = certainty.signals(
        intervals,
        provider_incidents,
        voters=len(votes),
        works=sum(len(blamed & set(r.working_components)) for r in within),
        fails=sum(len(r.components) for r in votes),
        doubtful=doubtful_share(within),
        outlets=len(outlets),
        minutes=(now - begin) / timedelta(minutes=1),
    )
    p, parts = certainty.probability(rests)
    cut = tuple(
        phase
        for number, draft in enumerate(story, 1)
        for phase in phases(number, draft, service, spans, inputs.levels, now, votes)
    )
    best = max((i for i in intervals if i.series.channel == "complaints"), key=lambda i: i.score, default=None)
    best = best or max(intervals, key=lambda i: i.score, default=None)
    own_id = known.id if known else incident_id(service.id, begin)
    evidence = [
        *signals_in_words(intervals, provider_incidents, votes),
        *certainty.parts_in_words(p, parts, rests, begin, RowRef(RowTable.INCIDENTS, own_id)),
        *scope.shares(service, votes, begin),
        *scope.parts_in_words(service, spans, telling, begin, scope.parts_in_notices(service, provider_incidents)),
        *page_in_words(provider_incidents, begin),
    ]
    return Incident(
        id=own_id,
        service=service.id,
        state=State.RESOLVED if over else certainty.state(intervals, rests),
        opened_at=known.opened_at if known else now,
        onset=begin,
        peak=best.peak if best else None,
        end=last if over else None,
        impact=Impact.highest([*(p.impact for p in cut), *(COUNTED_IMPACTS[o.impact] for o in provider_incidents)]),
        part_of=known.part_of if known else "",
        symptom=scope.symptom_of(votes, provider_incidents),
        official_first_at=min((o.first_posted_at for o in provider_incidents), default=None),
        episode_count=len(story),
        active=not over,
        probability=round(p, 3),
        phases=cut,
        components=tuple(spans),
        episodes=tuple(_episode(number, draft, service, spans, cut) for number, draft in enumerate(story, 1)),
        evidence=in_order(evidence),
    )


def in_order(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Return statements once each, in the order they are stored: an unchanged incident then compares equal."""
    once = {(e.kind, e.at, e.statement): e for e in evidence}
    return tuple(once[key] for key in sorted(once, key=lambda k: (k[1], k[0], k[2])))


def _episode(
    number: int, draft: EpisodeDraft, service: Service, spans: Sequence[ComponentSpan], cut: Sequence[Phase]
) -> Episode:
    hit = {
        c.component
        for c in spans
        if c.status is ComponentStatus.AFFECTED
        and (draft.end is None or c.since < draft.end)
        and (c.until is None or c.until > draft.start)
    }
    return Episode(
        number=number,
        onset=draft.start,
        end=draft.end,
        impact=Impact.highest(p.impact for p in cut if p.episode == number),
        components=tuple(sorted(hit)),
        official_first_at=min((o.first_posted_at for o in draft.provider_incidents), default=None),
        by_crowd=bool(draft.intervals),
        crowd_since=min((i.onset for i in draft.intervals), default=None),
        crowd_until=None
        if any(i.end is None for i in draft.intervals)
        else max((i.end for i in draft.intervals if i.end is not None), default=None),
        crowd_spans=_apart(draft.intervals),
    )


def _apart(intervals: Sequence[Interval]) -> tuple[CrowdSpan, ...]:
    """Return what intervals cover together as spans apart from each other, oldest first."""
    spans: list[CrowdSpan] = []
    for interval in sorted(intervals, key=lambda i: i.onset):
        last = spans[-1] if spans else None
        if last is None or (last.until is not None and interval.onset > last.until):
            spans.append(CrowdSpan(interval.onset, interval.end))
        elif last.until is not None:
            until = None if interval.end is None else max(last.until, interval.end)
            spans[-1] = CrowdSpan(last.since, until)
    return tuple(spans)
