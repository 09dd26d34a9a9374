"""An episode cut where something changed: onset, worsening, peak, easing, over, each with why and how bad. Pure.

What changes it: the crowd's onset, peak and fall below half of the peak; parts that people newly name; the page's first
notice, its states, and parts it lists or takes back. What comes within the same minute is one change.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from pipeline.core.catalogue import Service, names
from pipeline.core.incidents import ComponentSpan, Phase
from pipeline.core.reports import Report
from pipeline.core.series import Interval, Points, SeriesKey
from pipeline.core.vocabulary import ClaimKind, ComponentStatus, Impact, PhaseName
from pipeline.incidents.episodes import COUNTED_IMPACTS, UPDATE, WORKING, EpisodeDraft
from pipeline.incidents.places import continents
from pipeline.text.claims import claims

Levels = Mapping[SeriesKey, Points]
IMPACT_AT_SCORE = ((300.0, Impact.CRITICAL), (80.0, Impact.HIGH), (25.0, Impact.MODERATE), (0.0, Impact.LOW))
MANY = 3  # parts, or parts of the world
EASED = 0.5  # of the peak's excess: below it for good, it is easing
_BIN_START = attrgetter("start")
WORSE, BETTER, PEAK, START = PhaseName.WORSENING, PhaseName.EASING, PhaseName.PEAK, PhaseName.ONSET


class _Mark(NamedTuple):
    """Something that changed: when, the phase that it begins (None: the one before goes on), and what."""

    at: datetime
    turn: PhaseName | None
    change: str


def phases(
    number: int,
    episode: EpisodeDraft,
    service: Service,
    spans: Sequence[ComponentSpan],
    levels: Levels,
    now: datetime,
    votes: Sequence[Report] = (),
) -> list[Phase]:
    """Return an episode's phases, oldest first; `levels` are the bins of the service's totals, `votes` who reports."""
    marks = [*_crowd(episode, levels), *_voted(episode, spans, service), *_official(episode, service)]
    marks.sort(key=lambda mark: (mark.at, mark.turn or "", mark.change))
    first = min(episode.intervals, key=lambda i: i.onset, default=None)
    cuts: list[list[_Mark]] = []
    if first is not None and first.onset == episode.start:
        cuts.append([_Mark(episode.start, START, f"{_channel(first)} rise above what is expected")])
    for mark in marks:
        if episode.end is not None and mark.at >= episode.end:
            continue
        if cuts and mark.at - cuts[-1][0].at < timedelta(minutes=1):
            cuts[-1].append(mark)
        else:
            cuts.append([mark])
    if cuts and cuts[0][0].turn != START:
        cuts[0].insert(0, _Mark(episode.start, START, ""))
    found: list[Phase] = []
    name: PhaseName = START
    for place, cut in enumerate(cuts):
        since = max(episode.start, cut[0].at)
        if since > now:
            break
        turns = [mark.turn for mark in cut if mark.turn]
        name = next((t for t in (START, PEAK, WORSE, BETTER) if t in turns), name)
        until = cuts[place + 1][0].at if place + 1 < len(cuts) else episode.end
        until = until if until is not None and until <= now else None
        why = "; ".join(dict.fromkeys(mark.change for mark in cut if mark.change))
        found.append(
            Phase(
                episode=number,
                phase=name,
                since=since,
                until=until,
                why=why,
                impact=impact(episode, spans, levels, since, until or now, votes),
            )
        )
    if episode.end is not None and episode.end <= now:
        why = "no channel is above what is expected and the page lists nothing"
        found.append(
            Phase(
                episode=number,
                phase=PhaseName.OVER,
                since=episode.end,
                until=None,
                impact=Impact.NONE,
                why=_last_word(episode, why),
            )
        )
    return found


def impact(
    episode: EpisodeDraft,
    spans: Sequence[ComponentSpan],
    levels: Levels,
    since: datetime,
    until: datetime,
    votes: Sequence[Report] = (),
) -> Impact:
    """Return how bad a stretch is: by how far above expected.

    It is raised by one where channels are many and parts or places too. The page's own word counts while one of its
    notices stands.
    """
    best, loud = -1.0, set()
    for interval in episode.intervals:
        key = interval.series
        first, end = since - timedelta(seconds=key.bin_s), max(until, since + timedelta(seconds=1))
        points = levels.get(key, ())
        begun, over = bisect_right(points, first, key=_BIN_START), bisect_left(points, end, key=_BIN_START)
        bins = [point.score for point in points[begun:over]]
        score = max((s for s in bins if s == s), default=-1.0) if key in levels else interval.score
        if score > 0 and interval.onset < until and (interval.end is None or interval.end > since):
            loud.add((key.channel, key.source))
            best = max(best, score)
    crowd = impact_of_score(best)
    hit = {
        c.component
        for c in spans
        if c.status is ComponentStatus.AFFECTED and c.since < until and (c.until is None or c.until > since)
    }
    if crowd is not Impact.NONE and len(loud) >= 2:
        places = {place for vote in votes if since <= vote.created < until for place in continents(vote)}
        crowd = crowd.raised() if max(len(hit), len(places)) >= MANY else crowd
    posted = [
        COUNTED_IMPACTS[o.impact]
        for o in episode.provider_incidents
        if o.posted <= until and (o.resolved is None or o.resolved > since)
    ]
    return Impact.highest([crowd, *posted])


def impact_of_score(score: float) -> Impact:
    """Return how bad the highest score of a rise is; below 0 nothing."""
    return next((name for floor, name in IMPACT_AT_SCORE if score >= floor), Impact.NONE)


def _crowd(episode: EpisodeDraft, levels: Levels) -> Iterator[_Mark]:
    rising = [i for i in episode.intervals if i.series.channel == "complaints"] or episode.intervals
    if not rising:
        return
    top = max(rising, key=lambda i: i.score)
    if top.peak > episode.start:
        yield _Mark(top.peak, PEAK, f"{top.observed_peak:g} {_channel(top)}, {top.expected_peak:.1f} expected")
    rest = [
        point
        for point in levels.get(top.series, ())
        if point.start > top.peak
        and (top.end is None or point.start < top.end)
        and not math.isnan(point.observed)  # a count that is missing says nothing
    ]
    half = (top.observed_peak - top.expected_peak) * EASED
    loud = [point.start for point in rest if point.observed - point.expected >= half]
    calm = [point for point in rest if not loud or point.start > loud[-1]]
    # one bin may be luck
    if len(calm) >= 2 and top.series.bin_s >= 300:
        yield _Mark(
            calm[0].start, BETTER, f"{calm[0].observed:g} {_channel(top)}, less than half of the peak from here on"
        )


def _voted(episode: EpisodeDraft, spans: Sequence[ComponentSpan], service: Service) -> Iterator[_Mark]:
    named: set[tuple[str, str]] = set()
    for span in spans:
        key = (span.component, span.status)
        if span.source != "votes" or key in named or not episode.start <= span.since:
            continue
        if episode.end is not None and span.since > episode.end:
            continue
        named.add(key)
        verb = "people name" if span.status is ComponentStatus.AFFECTED else "people say it works:"
        yield _Mark(
            span.since,
            WORSE if span.status is ComponentStatus.AFFECTED else None,
            f"{verb} {names([span.component], service)[0]} ({span.detail})",
        )


def _official(episode: EpisodeDraft, service: Service) -> Iterator[_Mark]:
    listed: dict[str, set[str]] = {}
    for number, provider_incident in enumerate(episode.provider_incidents):
        state = ""
        for update in provider_incident.updates:
            # a mere "update" leaves the state as it was; what a look back lists is not failing again
            current = state if state and update.status == UPDATE else update.status
            looks_back = provider_incident.resolved is not None and update.displayed_at > provider_incident.resolved
            before = {part for parts in listed.values() for part in parts}
            failing = listed.setdefault(provider_incident.id, set())
            for official, _, new in () if looks_back else update.components:
                part = service.component_named(official) or official
                (failing.discard if new in WORKING else failing.add)(part)
            if update.displayed_at == provider_incident.resolved:
                failing.clear()
            after = {part for parts in listed.values() for part in parts}
            changes = []
            turn: PhaseName | None = None
            if update.after_the_fact:
                changes.append(
                    f"the provider dates its notice here ({update.status}), written at {update.written:%H:%M}"
                )
            elif not state:
                changes.append(f"the provider posts its {'first' if number == 0 else 'next'} notice ({update.status})")
                turn = WORSE if number else None
            elif current != state:
                changes.append(f"the provider: {current}")
                turn = {"monitoring": BETTER, "resolved": BETTER, "investigating": WORSE}.get(current)
            if state and after - before:
                changes.append(f"it adds {', '.join(names(sorted(after - before), service))}")
                turn = WORSE
            elif state and before - after and current not in ("monitoring", "resolved", "postmortem"):
                changes.append(f"it takes back {', '.join(names(sorted(before - after), service))}")
                turn = BETTER
            changes += _roles_claimed(update.body, update.displayed_at, service)
            state = current
            if changes:
                yield _Mark(update.displayed_at, turn, "; ".join(changes))


def _roles_claimed(body: str, at: datetime, service: Service) -> list[str]:
    """Return which roles an update's own words say fail, and which they say work."""
    roles: dict[ClaimKind, set[str]] = {}
    for claim in claims(body, at.date()) if body else ():
        roles.setdefault(claim.kind, set()).add(claim.value)
    return [
        f"its words: {' and '.join(sorted(roles[kind]))} {verb}"
        for kind, verb in ((ClaimKind.DOWN, "fails"), (ClaimKind.UP, "works"))
        if kind in roles
    ]


def _last_word(episode: EpisodeDraft, why: str) -> str:
    last = max((o.resolved for o in episode.provider_incidents if o.resolved), default=None)
    return f"the provider: resolved; {why}" if last is not None and last == episode.end else why


def _channel(interval: Interval) -> str:
    if interval.series.channel == "complaints":
        return f"complaints in {interval.series.bin_s // 60} min"
    return f"reports on {interval.series.source} a minute"
