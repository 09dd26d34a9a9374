"""The steps of a decision trace that show evidence: counts, reports, silent sources and the status page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.core.catalogue import Service
from pipeline.core.records import SilentSource, source_kind
from pipeline.core.series import SeriesKey
from pipeline.core.times import Span
from pipeline.detection.joint_alarms import ALARM, JOINT_MARGIN, REACH, with_joint_alarms, without_alarm
from pipeline.incidents.episodes import UPDATE, by_incident, closed_at, stretches
from pipeline.incidents.maintenance import announcement
from pipeline.incidents.scope import deduplicate_clearances
from pipeline.store import Store
from pipeline.store.detector_input import counts_collected_after
from pipeline.store.official import planned_maintenance, status_updates
from pipeline.store.reports import reports, votes_collected_after
from pipeline.store.verdicts import verdicts

BEFORE = timedelta(hours=1)
NEAR = timedelta(minutes=90)
PAGE_BEFORE = timedelta(days=1)
CONTEXT = ("feed", "google_news", "charts")  # kinds of sources that open no incident


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceStep:
    """One step of the trail: what was asked, what was found, and whether it let an alert pass (None: it only tells)."""

    name: str
    words: str
    passed: bool | None = None


def signal_steps(
    store: Store, service: Service, at: datetime, alarm: float, sent: Sequence[Span] = ()
) -> Iterator[TraceStep]:
    """Yield the loudest bin of each total that ended in the hour before.

    `sent` are the spans from the onsets of incidents to the first messages about them.

    `passed` is None where it is above the alarm threshold as it stands now and has rows that were collected later.
    """
    points_of_series = verdicts(store, at - BEFORE, at, service=service.id)
    for key, points in sorted(points_of_series.items(), key=lambda pair: str(pair[0])):
        width = timedelta(seconds=key.bin_s)
        known = [point for point in points if not math.isnan(point.score) and point.start + width <= at]
        if not key.is_total or not known:
            continue
        loudest = max(known, key=lambda point: (point.score, point.start))
        unit = f"{key.channel} of {key.source} in {key.bin_s // 60} min"
        usual = "nothing to compare with yet" if math.isnan(loudest.expected) else f"{loudest.expected:.1f} expected"
        later = _came_later(store, key, loudest.start, at)
        above = loudest.score >= alarm
        yield TraceStep(
            name="signal",
            passed=None if above and later else above,
            words=f"{unit}: {loudest.observed:g} at {loudest.start:%H:%M} UTC, {usual},"
            f" score {loudest.score:.1f} of {alarm:g}{later}",
        )
    yield from _joint_step(store, service, at, alarm, sent)
    if not points_of_series:
        yield TraceStep(name="signal", words="no counts or votes of the hour before are kept", passed=False)


def _joint_step(
    store: Store, service: Service, at: datetime, alarm: float, sent: Sequence[Span]
) -> Iterator[TraceStep]:
    """Yield the highest score of counts and posts together, where they alarmed in the hour before."""
    ended = {
        key: [point for point in points if point.start + timedelta(seconds=key.bin_s) <= at]
        for key, points in verdicts(store, at - BEFORE - REACH, at, service=service.id).items()
        if key.is_total
    }
    joint = with_joint_alarms(ended, alarm)
    starts = [p.start for points in [*ended.values(), *joint.values()] for p in points if p.score >= alarm]
    if lost := without_alarm(sent, starts):
        joint = with_joint_alarms(ended, alarm, sent=lost)
    together = [
        (point.score, point.start, key)
        for key, points in joint.items()
        for point in points
        if point.joint and point.start >= at - BEFORE
    ]
    if together:
        score, _, _ = max(together, key=lambda found: found[:2])
        later = next((words for _, start, key in together if (words := _came_later(store, key, start, at))), "")
        needed = alarm * (1 + JOINT_MARGIN / ALARM)
        words = f"counts and posts together: score {score:.1f} of {needed:g}{later}"
        yield TraceStep(name="signal", passed=None if later else True, words=words)


def _came_later(store: Store, key: SeriesKey, start: datetime, at: datetime) -> str:
    """Return a mark where a bin holds what was collected after a moment: it was judged otherwise then."""
    end = start + timedelta(seconds=key.bin_s)
    if key.channel == "votes":
        later = votes_collected_after(store, key.service, start, end, at, key.source)
    else:
        later = counts_collected_after(store, key.service, key.source, start, end, at)
    return f" (as it stands now: {later} of them came later)" if later else ""


def report_step(store: Store, service: Service, at: datetime) -> TraceStep:
    service_reports = deduplicate_clearances(reports(store, service.id, at - BEFORE, at))
    counted = [r for r in service_reports if r.counted]
    refused = Counter(r.reason.value for r in service_reports if not r.counted and r.reason)
    cleared = sum(bool(r.working_components) for r in service_reports)
    later = votes_collected_after(store, service.id, at - BEFORE, at, at)
    words = (
        f"{len(counted)} reports counted in the hour before{f', {later} of which came later' if later else ''}"
        + "".join(f"; {n} not: {why}" for why, n in refused.most_common())
    )
    return TraceStep(name="votes", words=words + (f"; {cleared} say that a part works" if cleared else ""))


def silent_source_steps(
    silent: Sequence[SilentSource], service: Service, at: datetime, now: datetime
) -> Iterator[TraceStep]:
    """Yield which sources of counts, posts and notices about a service are silent, where the moment is the present."""
    if now - at > BEFORE:
        return
    names = [item.source for item in silent]
    own = [name for name in names if name.endswith(f":{service.id}") or name == source_kind(name)]
    own = [name for name in own if source_kind(name) not in CONTEXT]
    if own:
        yield TraceStep(name="sources", words=f"not answering, so nothing can be seen by them: {', '.join(own)}")


def page_steps(store: Store, service: Service, at: datetime) -> Iterator[TraceStep]:
    """Yield what the status page said by then, as it was worded then: its newest updates, and planned maintenance."""
    if not service.status_page:
        return
    read = [u for u in status_updates(store, service.page, at - PAGE_BEFORE, at) if u.collected <= at]
    for updates in by_incident(read).values():
        over, last = closed_at(stretches(updates)[-1]), updates[-1]
        if over is None or at - over <= NEAR:
            state = next((u.status for u in reversed(updates) if u.status != UPDATE), last.status)
            words = f"{last.name}: {state}, {last.displayed_at:%H:%M} UTC"
            yield TraceStep(name="page", words=f"{words}: {last.body}" if last.body else words)
    for row in planned_maintenance(store, service.page, at, at):
        if row.maintenance_span is not None and row.maintenance_span.since <= at:
            yield TraceStep(name="page", words=announcement(row))
