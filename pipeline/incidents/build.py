"""A story becomes one incident: when, how bad, which parts, how sure, and the rows each statement rests on. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count, pairwise

from pipeline.core.catalogue import Service
from pipeline.core.incidents import ComponentSpan, CrowdSpan, Episode, Evidence, Incident, Phase
from pipeline.core.news_events import NewsEvent
from pipeline.core.reports import Report
from pipeline.core.row_refs import RowRef
from pipeline.core.series import Interval
from pipeline.core.times import clock_and_day
from pipeline.core.vocabulary import ComponentStatus, EvidenceKind, Impact, PhaseName, RowTable, State
from pipeline.incidents import confidence as certainty
from pipeline.incidents import scope
from pipeline.incidents.closing import ClosingRule
from pipeline.incidents.episodes import (
    COUNTED_IMPACTS,
    LONGEST_STORY,
    STORY_GAP,
    EpisodeDraft,
    ProviderIncident,
    group_into_incidents,
    incident_id,
    merge_into_episodes,
    update_ref,
)
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
            made = replace(made, id=next(i for n in count(2) if (i := f"{made.id}-{n}") not in taken))
        built.append(made)
    return built, absorbed


def withdrawn(incident: Incident) -> Incident:
    """Return an open incident closed at the last thing known of it: what it rested on is no longer there."""
    last = max(
        [incident.onset, *(p.since for p in incident.phases), *(e.end for e in incident.episodes if e.end is not None)]
    )
    open_ones = [replace(e, end=max(e.onset, last)) if e.end is None else e for e in incident.episodes]
    why = "what it rested on is no longer there: the notice was withdrawn or the counts were corrected"
    withdrawal = Evidence(
        kind=EvidenceKind.WITHDRAWN, at=last, statement=why, rows=(RowRef(RowTable.INCIDENTS, incident.id),)
    )
    phases = [replace(p, until=last) if p.until is None else p for p in incident.phases]
    over = Phase(
        episode=incident.episode_count, phase=PhaseName.OVER, since=last, until=None, impact=Impact.NONE, why=why
    )
    return replace(
        incident,
        state=State.RESOLVED,
        active=False,
        end=last,
        episodes=tuple(open_ones),
        evidence=in_order([*incident.evidence, withdrawal]),
        phases=(*phases, over),
        components=tuple(replace(c, until=max(c.since, last)) if c.until is None else c for c in incident.components),
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
    within = [r for r in inputs.reports if begin - timedelta(minutes=5) <= r.created <= (last or now)]
    votes = [r for r in within if r.counted]
    blamed = {part for r in votes for part in r.components}
    telling = [r for r in within if r.counted or r.working_components]
    spans = [*scope.official_components(service, provider_incidents), *scope.voted_components(telling, last, now)]
    once = {(c.component, c.source, c.status, c.since): c for c in spans}  # of two that begin together, the later
    spans = sorted(once.values(), key=lambda c: (c.since, c.component, c.source, c.status))
    outlets = sorted(
        {
            o
            for e in inputs.articles
            if begin - timedelta(minutes=15) <= e.first_seen <= (last or now) + timedelta(hours=1)
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
        doubtful=_doubtful(within),
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
        *_signals_in_words(intervals, provider_incidents, votes),
        *certainty.parts_in_words(p, parts, rests, begin, RowRef(RowTable.INCIDENTS, own_id)),
        *scope.shares(service, votes, begin),
        *scope.parts_in_words(service, spans, telling, begin, scope.parts_in_notices(service, provider_incidents)),
        *_page_in_words(provider_incidents, begin),
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


def _doubtful(within: Sequence[Report]) -> float:
    """Return the share of reports left uncounted for their author or their wording; 0 where there are few."""
    dropped = [r for r in within if not r.counted and r.reason.doubts_origin]
    spoke = dropped + [r for r in within if r.counted]
    return len(dropped) / len(spoke) if len(spoke) >= 4 else 0.0


def _signals_in_words(
    intervals: Sequence[Interval], provider_incidents: Sequence[ProviderIncident], votes: Sequence[Report]
) -> Iterator[Evidence]:
    """Yield the statements an incident rests on, each with the rows behind it."""
    for i in sorted(intervals, key=lambda i: (i.onset, str(i.series))):
        mine = [r for r in votes if r.source == i.series.source and i.onset <= r.created <= (i.end or i.last_alarm)]
        if i.series.channel == "votes":
            usual = None if math.isnan(i.expected_total) else i.expected_total
            words = "" if usual is None else f", {usual:.1f} expected"
            yield Evidence(
                kind=EvidenceKind.VOTES,
                at=i.onset,
                subject=i.series.source,
                value=len(mine),
                compared_with=usual,
                rows=scope.cite(mine),
                statement=f"{len(mine)} {'person' if len(mine) == 1 else 'people'} reported trouble on"
                f" {i.series.source} from {clock_and_day(i.onset)}{words} "
                f"(score {i.score:.0f}{' together with complaints' if i.joint else ''})",
            )
        else:
            yield Evidence(
                kind=EvidenceKind.COMPLAINTS,
                at=i.onset,
                subject=i.series.source,
                value=i.observed_peak,
                compared_with=round(i.expected_peak, 1),
                rows=(RowRef(RowTable.VERDICTS, str(i.series), i.peak),),
                statement=f"{i.observed_peak:g} complaints in {i.series.bin_s // 60} min at {clock_and_day(i.peak)},"
                f" {i.expected_peak:.1f} expected (score {i.score:.0f}{' together with posts' if i.joint else ''})",
            )
    for provider_incident in provider_incidents:
        for u in provider_incident.updates:
            yield Evidence(
                kind=EvidenceKind.OFFICIAL,
                at=u.displayed_at,
                statement=f"the provider: {u.status}: {provider_incident.name}",
                subject=provider_incident.id,
                rows=(update_ref(u),),
            )


def _page_in_words(provider_incidents: Sequence[ProviderIncident], onset: datetime) -> Iterator[Evidence]:
    """Yield the delay of the provider's first notice, the number of updates, and the longest interval between two."""
    if not provider_incidents:
        return
    first = min(provider_incidents, key=lambda o: o.first_posted_at)
    lead = (first.first_posted_at - onset) / timedelta(minutes=1)
    yield Evidence(
        kind=EvidenceKind.PAGE,
        at=first.first_posted_at,
        subject="first notice",
        value=round(lead, 1),
        rows=(update_ref(first.updates[0]),),
        statement=f"the provider's first notice came {abs(lead):.0f} min {'after' if lead >= 0 else 'before'} "
        "the onset",
    )
    # an interval counts while a notice stands, from when its text was written
    updates = [u for o in provider_incidents for u in o.updates]
    gaps = [
        (abs(b.written - a.written), a)
        for o in provider_incidents
        for a, b in pairwise(o.updates)
        if o.resolved is None or b.displayed_at <= o.resolved
    ]
    if not any(gap for gap, _ in gaps):
        return
    longest, before = max(gaps, key=lambda pair: pair[0])
    middle = statistics.median_high(gap for gap, _ in gaps)
    yield Evidence(
        kind=EvidenceKind.PAGE,
        at=before.written,
        subject="silence",
        value=round(longest / timedelta(minutes=1), 1),
        compared_with=round(middle / timedelta(minutes=1), 1),
        rows=tuple(update_ref(u) for u in updates[: scope.CITED]),
        statement=f"{len(updates)} provider updates, median interval {middle / timedelta(minutes=1):.0f} min,"
        f" longest {longest / timedelta(minutes=1):.0f} min from {clock_and_day(before.written)}",
    )
