"""Alarms, tags and official updates become incidents: when, how bad, which parts, how sure. Pure.

Every span in which a channel was above expectation, and every incident on the provider's page, is laid on one time
line per service. Spans that touch make an episode; episodes less than three hours apart make one story, which is
one incident with several episodes. A page's incident of impact none, or a maintenance, takes no part.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipeline.model import IMPACTS, ComponentSpan, Evidence, Incident, Interval, Phase, Service, StatusUpdate
from pipeline.times import iso

TOUCH = timedelta(minutes=30)
STORY_GAP = timedelta(hours=3)
COUNTED_IMPACTS = {"minor": "low", "major": "high", "critical": "critical"}
IMPACT_AT_SCORE = ((300.0, "critical"), (80.0, "high"), (25.0, "moderate"), (0.0, "low"))
FAR_ABOVE = 36.0
WORKING = ("operational", "under_maintenance", "")
RECENT = timedelta(minutes=60)
MIN_VOTES = 3
MIN_SHARE = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Official:
    """One incident on the provider's page, as far as it was shown; `spoke` is when it was first posted.

    For an incident written after the fact that is later than `posted`, the time the page shows it under.
    """

    id: str
    name: str
    impact: str
    posted: datetime
    spoke: datetime
    resolved: datetime | None
    updates: tuple[StatusUpdate, ...]


def officials(updates: Iterable[StatusUpdate]) -> list[Official]:
    """Group updates by incident; those of impact none or maintenance are left out."""
    grouped: dict[str, list[StatusUpdate]] = {}
    for update in updates:
        grouped.setdefault(update.incident_id, []).append(update)
    found = []
    for incident_id, rows in grouped.items():
        rows.sort(key=lambda u: (u.displayed_at, u.update_id))
        if rows[-1].impact not in COUNTED_IMPACTS:
            continue
        # closed by the first such update after the last that says otherwise: a page may open an incident again
        other = max((n for n, u in enumerate(rows) if u.status not in ("resolved", "postmortem")), default=-1)
        over = [u.displayed_at for u in rows[other + 1 :]]
        found.append(Official(
            id=incident_id, name=rows[-1].name, impact=rows[-1].impact, posted=rows[0].displayed_at,
            spoke=min(u.created_at if u.after_the_fact else u.displayed_at for u in rows),
            resolved=over[0] if over else None, updates=tuple(rows),
        ))  # fmt: skip
    return sorted(found, key=lambda o: (o.posted, o.id))


@dataclass(slots=True)
class _Episode:
    start: datetime
    end: datetime | None
    intervals: list[Interval]
    officials: list[Official]


def _episodes(intervals: Sequence[Interval], official: Sequence[Official]) -> list[_Episode]:
    """Join spans that touch within half an hour."""
    spans: list[tuple[datetime, datetime | None, Interval | None, Official | None]] = [
        *((i.onset, i.end, i, None) for i in intervals),
        *((o.posted, o.resolved, None, o) for o in official),
    ]
    found: list[_Episode] = []
    for start, end, interval, notice in sorted(spans, key=lambda s: (s[0], s[2] is None, str(s[2] and s[2].series))):
        last = found[-1] if found else None
        if last is None or (last.end is not None and start > last.end + TOUCH):
            last = _Episode(start, end, [], [])
            found.append(last)
        elif last.end is not None:
            last.end = None if end is None else max(last.end, end)
        if interval is not None:
            last.intervals.append(interval)
        if notice is not None:
            last.officials.append(notice)
    return found


def build(
    service: Service, intervals: Sequence[Interval], official: Sequence[Official], reports: Sequence[Mapping[str, Any]],
    known: Sequence[Incident], now: datetime, *, quiet_to_close: timedelta,
) -> tuple[list[Incident], list[str]]:  # fmt: skip
    """Return the incidents of a service in the spans given, and the ids of known ones absorbed by another.

    `intervals` are alarms of the service's totals (complaints, votes); `reports` are posts that count or clear a
    part, oldest first, as dicts of created, components, exonerates, symptom, weight, source, native_id.
    """
    stories: list[list[_Episode]] = []
    for episode in _episodes(intervals, official):
        before = stories[-1][-1] if stories else None
        if before is not None and (before.end is None or episode.start - before.end < STORY_GAP):
            stories[-1].append(episode)
        else:
            stories.append([episode])
    used: set[str] = set()
    found: list[Incident] = []
    absorbed: list[str] = []
    for story in stories:
        begin, last = story[0].start, story[-1].end
        mine = [
            k for k in known
            if k.service == service.id and k.id not in used and k.onset <= (last or now) + STORY_GAP
            and (k.end is None or k.end + STORY_GAP > begin)
        ]  # fmt: skip
        mine.sort(key=lambda k: (k.opened_at, k.onset))
        used |= {k.id for k in mine}
        absorbed += [k.id for k in mine[1:]]
        found.append(_story(service, story, reports, mine[0] if mine else None, now, quiet_to_close))
    return found, absorbed


def _story(
    service: Service, story: Sequence[_Episode], reports: Sequence[Mapping[str, Any]], known: Incident | None,
    now: datetime, quiet_to_close: timedelta,
) -> Incident:  # fmt: skip
    begin, last = story[0].start, story[-1].end
    intervals = [i for episode in story for i in episode.intervals]
    official = [o for episode in story for o in episode.officials]
    over = last is not None and now - last >= quiet_to_close
    within = [r for r in reports if begin - timedelta(minutes=5) <= r["created"] <= (last or now)]
    votes = [r for r in within if r["weight"] > 0]
    components = [*_official_components(service, official), *_voted_components(within, last)]
    state = "resolved" if over else _state(intervals, official)
    phases = tuple(phase for number, episode in enumerate(story, 1) for phase in _phases(number, episode, now))
    best = max((i for i in intervals if i.series.channel == "complaints"), key=lambda i: i.score, default=None)
    best = best or max(intervals, key=lambda i: i.score, default=None)
    return Incident(
        id=known.id if known else f"{service.id}-{iso(begin)[:16].replace(':', '').replace('-', '')}Z",
        service=service.id, state=state, opened_at=known.opened_at if known else now, onset=begin,
        peak=best.peak if best else None, end=last if over else None,
        impact=_impact(intervals, official), symptom=_symptom(votes),
        official_first_at=min((o.spoke for o in official), default=None), episodes=len(story), active=not over,
        phases=phases, components=tuple(sorted(components, key=_component_order)),
        evidence=tuple(sorted(set(_evidence(intervals, official, votes)), key=lambda e: (e.at, e.kind, e.statement))),
    )  # fmt: skip


def _component_order(c: ComponentSpan) -> tuple[datetime, str, str, str]:
    """Return the order in which parts are stored and read back: an unchanged incident then compares equal."""
    return c.since, c.component, c.source, c.status


def _state(intervals: Sequence[Interval], official: Sequence[Official]) -> str:
    """Return how sure: the page confirms; two independent kinds of signal, or one far above its history, are likely."""
    if official:
        return "confirmed"
    kinds = {(i.series.channel, i.series.source) for i in intervals}
    strongest = max((i.score for i in intervals), default=0.0)
    return "likely" if len(kinds) > 1 or strongest >= FAR_ABOVE else "possible"


def _impact(intervals: Sequence[Interval], official: Sequence[Official]) -> str:
    strongest = max((i.score for i in intervals), default=-1.0)
    crowd = next((name for floor, name in IMPACT_AT_SCORE if strongest >= floor), "none")
    said = [COUNTED_IMPACTS[o.impact] for o in official]
    return max([crowd, *said], key=IMPACTS.index)


def _symptom(votes: Sequence[Mapping[str, Any]]) -> str:
    """Return the symptom most reports name, a kind of failure before the mere word that it is down."""
    counted = Counter(r["symptom"] for r in votes if r["symptom"])
    specific = {name: number for name, number in counted.items() if name != "all"}
    ranked = sorted((specific or counted).items(), key=lambda item: (-item[1], item[0]))
    return ranked[0][0] if ranked else ""


def _phases(number: int, episode: _Episode, now: datetime) -> list[Phase]:
    """Cut an episode into onset, peak, easing and over; a phase begins where its reason lies."""
    impact = _impact(episode.intervals, episode.officials)
    peaks = [i for i in episode.intervals if i.series.channel == "complaints"] or episode.intervals
    marks: list[tuple[datetime, str, str]] = []
    posted = min((o.posted for o in episode.officials), default=None)
    if episode.intervals:
        first = min(episode.intervals, key=lambda i: i.onset)
        marks.append((episode.start, "onset", f"{_channel(first)} rise above what is expected"))
    else:
        marks.append((episode.start, "onset", "the provider's page names it"))
    if peaks:
        top = max(peaks, key=lambda i: i.score)
        if top.peak > episode.start:
            marks.append((top.peak, "peak", f"{top.observed_peak:g} {_channel(top)}, {top.expected_peak:.1f} expected"))
    elif posted is not None and posted > episode.start:
        marks.append((posted, "peak", "the provider's page names it"))
    calm = [u.displayed_at for o in episode.officials for u in o.updates if u.status == "monitoring"]
    easing = max(calm, default=None)
    if easing is not None and easing > marks[-1][0] and (episode.end is None or easing < episode.end):
        marks.append((easing, "easing", "the provider says a remedy is in place"))
    if episode.end is not None:
        marks.append(
            (max(episode.end, marks[-1][0]), "over", "no channel is above what is expected and the page lists nothing")
        )
    found = []
    for place, (since, name, why) in enumerate(marks):
        until = marks[place + 1][0] if place + 1 < len(marks) else None
        level = "none" if name == "over" else impact
        found.append(Phase(episode=number, phase=name, since=since, until=until, impact=level, why=why))
    return [phase for phase in found if phase.since <= now]


def _channel(interval: Interval) -> str:
    if interval.series.channel == "complaints":
        return f"complaints in {interval.series.bin_s // 60} min"
    return f"reports on {interval.series.source} a minute"


def _official_components(service: Service, official: Sequence[Official]) -> list[ComponentSpan]:
    """Return when the page listed each component as failing, and when it took it back."""
    changes: dict[str, list[tuple[datetime, str, bool]]] = {}
    for notice in official:
        for update in notice.updates:
            for name, _, new in update.components:
                part = service.component_named(name) or name
                changes.setdefault(part, []).append((update.displayed_at, notice.id, new not in WORKING))
        if notice.resolved is not None:
            for rows in changes.values():
                rows.append((notice.resolved, notice.id, False))
    spans: list[ComponentSpan] = []
    for part, rows in sorted(changes.items()):
        failing: set[str] = set()
        since: datetime | None = None
        first = ""
        for moment, notice_id, fails in sorted(rows, key=lambda row: (row[0], row[1])):
            failing = failing | {notice_id} if fails else failing - {notice_id}
            if failing and since is None:
                since, first = moment, notice_id
            elif not failing and since is not None:
                spans.append(_official_span(part, since, moment, first))
                since = None
        if since is not None:
            spans.append(_official_span(part, since, None, first))
    return spans


def _official_span(part: str, since: datetime, until: datetime | None, notice: str) -> ComponentSpan:
    return ComponentSpan(component=part, source="official", status="affected", since=since, until=until,
                         detail=f"listed by the provider, incident {notice}")  # fmt: skip


def _voted_components(reports: Sequence[Mapping[str, Any]], end: datetime | None) -> list[ComponentSpan]:
    """Return which components people say fail, and which they say work.

    A component is affected from the third report that names it within an hour, if at least 15 % of those reports
    that name any component name it and fewer say it works; it is said to work from the second who says so.
    """
    recent: deque[Mapping[str, Any]] = deque()
    failing: Counter[str] = Counter()
    working: Counter[str] = Counter()
    naming = 0
    since: dict[tuple[str, str], tuple[datetime, str]] = {}
    for report in reports:
        recent.append(report)
        old = []
        while report["created"] - recent[0]["created"] > RECENT:
            old.append(recent.popleft())
        for sign, moved in ((1, [report]), (-1, old)):
            for r in moved:
                counted = r["components"] if r["weight"] > 0 else ()
                naming += sign * bool(counted)
                for part in counted:
                    failing[part] += sign
                for part in r["exonerates"]:
                    working[part] += sign
        for part in sorted({*(report["components"] if report["weight"] > 0 else ()), *report["exonerates"]}):
            fails, works = failing[part], working[part]
            if fails >= MIN_VOTES and fails >= MIN_SHARE * naming and fails > works:
                since.setdefault((part, "affected"), (report["created"], f"{fails} of {naming} reports name it"))
            elif works >= 2 and works > fails:
                words = f"{works} people say it works, {fails} that it fails"
                since.setdefault((part, "works"), (report["created"], words))
    return [
        ComponentSpan(component=part, source="votes", status=status, since=moment,
                      until=None if end is None else max(end, moment), detail=detail)
        for (part, status), (moment, detail) in sorted(since.items())
    ]  # fmt: skip


def _evidence(
    intervals: Sequence[Interval], official: Sequence[Official], votes: Sequence[Mapping[str, Any]]
) -> list[Evidence]:
    """Return the statements an incident rests on, each with the rows behind it."""
    found = []
    for i in sorted(intervals, key=lambda i: (i.onset, str(i.series))):
        mine = [
            r for r in votes if r["source"] == i.series.source and i.onset <= r["created"] <= (i.end or i.last_alarm)
        ]
        if i.series.channel == "votes":
            rows = " ".join(f"votes:{r['source']}/{r['native_id']}" for r in mine[:40])
            usual = "" if math.isnan(i.expected_total) else f", {i.expected_total:.1f} expected"
            statement = f"{len(mine)} people reported trouble on {i.series.source} from {i.onset:%H:%M} UTC{usual} (score {i.score:.0f})"
        else:
            rows = f"verdicts:{i.series}@{iso(i.peak)}"
            statement = (
                f"{i.observed_peak:g} complaints in {i.series.bin_s // 60} min at {i.peak:%H:%M} UTC,"
                f" {i.expected_peak:.1f} expected (score {i.score:.0f})"
            )
        found.append(Evidence(kind=i.series.channel, at=i.onset, statement=statement, rows=rows))
    for notice in official:
        for u in notice.updates:
            found.append(Evidence(
                kind="official", at=u.displayed_at, statement=f"the provider: {u.status}: {notice.name}",
                rows=f"status_updates:{u.page}/{u.incident_id}/{u.update_id}",
            ))  # fmt: skip
    return found
