"""Why a service alerted at a moment, or why it did not: the stored trail, step by step, as lines."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipeline.config.settings import Config
from pipeline.core.alerts import Alert
from pipeline.core.catalogue import Service
from pipeline.core.incidents import LEAST_PROBABILITY, Incident
from pipeline.core.records import SilentSource, source_kind
from pipeline.core.series import SeriesKey
from pipeline.core.times import iso, utc
from pipeline.core.vocabulary import State, Transition
from pipeline.incidents.attention import BEFORE_ONSET, overshadowing
from pipeline.incidents.counts_usual import IN_WORDS, counts_are_usual
from pipeline.incidents.episodes import UPDATE, by_incident, closed_at, stretches
from pipeline.incidents.holds import in_words
from pipeline.incidents.maintenance import announcement
from pipeline.incidents.scope import deduplicate_clearances
from pipeline.notify.routing import active_silence, muted_until, route_mismatches, routes_of
from pipeline.render.formatting import in_percent
from pipeline.store import Store
from pipeline.store.incidents import incidents
from pipeline.store.news import links_of
from pipeline.store.official import planned_maintenance, status_updates
from pipeline.store.operators import silences
from pipeline.store.outbox import alerts_of
from pipeline.store.reports import reports, votes_collected_after
from pipeline.store.runs import get_checkpoint
from pipeline.store.verdicts import counts_collected_after, verdicts
from pipeline.text.services import ServiceMatcher

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


def decision_trace(
    store: Store,
    config: Config,
    service: Service,
    at: datetime,
    now: datetime,
    alarm: float,
    silent: Sequence[SilentSource] = (),
) -> list[TraceStep]:
    """Return the steps from counts to messages as they stood at a moment; the last one is the answer.

    `silent` are the configured sources that do not answer at `now`.
    """
    incident = _incident_at(store, service, at)
    alerts = alerts_of(store, incident.part_of or incident.id) if incident is not None else []
    sent = [a for a in alerts if a.created <= at]
    steps = [_watched(config, service), *_signals(store, service, at, alarm), _votes(store, service, at)]
    steps += [*_silent_sources(silent, service, at, now), *_page(store, service, at)]
    if incident is None:
        steps.append(
            TraceStep(
                name="incident",
                words="none, for no signal was above the alarm threshold and no notice was open",
                passed=False,
            )
        )
        return [*steps, TraceStep(name="answer", words="it did not alert: there was no incident")]
    steps += [
        *_judged(incident, at, now),
        *_held(store, config, incident, alerts, at, alarm),
        *_gates(store, config, incident, at),
    ]
    steps += [TraceStep(name="message", words=_message(a), passed=True) for a in sent]
    return [
        *steps,
        TraceStep(name="answer", words=_answer(incident, sent, [a for a in alerts if a.created > at], steps)),
    ]


def _incident_at(store: Store, service: Service, at: datetime) -> Incident | None:
    """Return the incident that lasts at a moment, or whose last messages were due then."""
    mine = [
        i
        for i in incidents(store)
        if i.service == service.id
        and not i.is_group
        and i.onset - timedelta(minutes=15) <= at
        and (i.end is None or at <= i.end + NEAR)
    ]
    return mine[-1] if mine else None


def _watched(config: Config, service: Service) -> TraceStep:
    inside = service.id in config.watched
    return TraceStep(name="watch", words=f"{service.id} is {'' if inside else 'not '}watched", passed=inside)


def _signals(store: Store, service: Service, at: datetime, alarm: float) -> Iterator[TraceStep]:
    """Yield the loudest bin of each total in the hour before."""
    points_of_series = verdicts(store, at - BEFORE, at, service=service.id)
    for key, points in sorted(points_of_series.items(), key=lambda pair: str(pair[0])):
        known = [point for point in points if not math.isnan(point.score)]
        if not key.is_total or not known:
            continue
        loudest = max(known, key=lambda point: (point.score, point.start))
        unit = f"{key.channel} of {key.source} in {key.bin_s // 60} min"
        usual = "nothing to compare with yet" if math.isnan(loudest.expected) else f"{loudest.expected:.1f} expected"
        yield TraceStep(
            name="signal",
            passed=loudest.score >= alarm,
            words=f"{unit}: {loudest.observed:g} at {loudest.start:%H:%M} UTC, {usual},"
            f" score {loudest.score:.1f} of {alarm:g}{_came_later(store, key, loudest.start, at)}",
        )
    if not points_of_series:
        yield TraceStep(name="signal", words="no counts or votes of the hour before are kept", passed=False)


def _came_later(store: Store, key: SeriesKey, start: datetime, at: datetime) -> str:
    """Return a mark where a bin holds what was collected after a moment: it was judged otherwise then."""
    end = start + timedelta(seconds=key.bin_s)
    if key.channel == "votes":
        later = votes_collected_after(store, key.service, start, end, at, key.source)
    else:
        later = counts_collected_after(store, key.service, key.source, start, end, at)
    return f" (as it stands now: {later} of them came later)" if later else ""


def _votes(store: Store, service: Service, at: datetime) -> TraceStep:
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


def _silent_sources(
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


def _page(store: Store, service: Service, at: datetime) -> Iterator[TraceStep]:
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


def _judged(incident: Incident, at: datetime, now: datetime) -> Iterator[TraceStep]:
    later = " (as it stands now)" if now - at > timedelta(minutes=5) else ""
    yield TraceStep(
        name="incident",
        words=f"{incident.id}, since {iso(incident.onset)}: {incident.state}, impact {incident.impact}{later}",
        passed=True,
    )
    for e in incident.evidence:
        if e.kind in ("complaints", "votes", "official", "shared") and e.at <= at:
            yield TraceStep(name="evidence", words=e.statement + later)
    if incident.probability is not None:
        yield TraceStep(
            name="probability",
            words=f"of an outage {in_percent(incident.probability)}{later};"
            f" a message needs {in_percent(LEAST_PROBABILITY)}",
            passed=incident.probability >= LEAST_PROBABILITY,
        )
        for e in incident.evidence:
            if e.kind == "certainty":
                yield TraceStep(name="confidence", words=e.statement + later)
    if incident.part_of:
        yield TraceStep(name="group", words=f"its messages are those of {incident.part_of}")


def _held(
    store: Store, config: Config, incident: Incident, alerts: Sequence[Alert], at: datetime, alarm: float
) -> Iterator[TraceStep]:
    """Yield what explains the reports: another service, or usual counts; nothing once a message was written."""
    if any(alert.created <= at for alert in alerts):
        return
    others = [_as_it_was(store, config, i, at) for i in incidents(store, incident.onset) if i.onset <= at]
    as_it_was = replace(
        incident,
        state=incident.state if incident.active else State.POSSIBLE,
        evidence=tuple(e for e in incident.evidence if e.at <= at),
    )
    mine = reports(store, incident.service, incident.onset - BEFORE_ONSET, min(incident.end or at, at))
    levels = verdicts(store, incident.onset - BEFORE, at, minimum=alarm)
    named_in = ServiceMatcher(config.catalogue).entities
    hold = overshadowing(as_it_was, others, config.catalogue, mine, named_in, levels)
    if hold is not None:
        until = f"; it was held until {iso(alerts[0].created)}" if alerts else ""
        words = in_words(hold, config.catalogue[hold.other.service].name)
        yield TraceStep(name="held", words=words + until, passed=False)
        return
    judged = verdicts(store, incident.onset, at, service=incident.service)
    if counts_are_usual(as_it_was, [row.link for row in links_of(store, incident.id)], judged, at, alarm):
        yield TraceStep(name="held", words=IN_WORDS, passed=False)


def _as_it_was(store: Store, config: Config, other: Incident, at: datetime) -> Incident:
    """Return another incident as a run at a moment saw it: its end is seen with the message that it is over."""
    if other.end is None:
        return other
    over = [a.created for a in alerts_of(store, other.id) if a.transition is Transition.OVER and a.created >= other.end]
    seen = min(over, default=other.end + config.alerts.quiet_to_close)
    return other if seen <= at else replace(other, active=True, end=None)


def _gates(store: Store, config: Config, incident: Incident, at: datetime) -> Iterator[TraceStep]:
    since = get_checkpoint(store, "alert", "since")
    if since is not None and incident.opened_at <= utc(since):
        yield TraceStep(
            name="first run", words="it began before the first run: reported once as ongoing, or not at all"
        )
    silence = active_silence(silences(store), (incident.service,), incident.affected(at), at)
    if silence is not None:
        yield TraceStep(
            name="silence",
            words=f"silence {silence.id} until {iso(silence.until)}, {silence.author}: {silence.reason}",
            passed=False,
        )
    for route in routes_of(config) if incident.service in config.watched else ():
        name = f"route {route.name}" if route.name else "route"
        why = list(route_mismatches(route, incident, at))
        for words in why:
            yield TraceStep(name=name, words=words, passed=False)
        until = muted_until(route, incident.impact, at)
        if until is not None:
            yield TraceStep(name=name, words=f"quiet hours until {iso(until)}", passed=False)
        if not why and until is None:
            yield TraceStep(
                name=name, words=f"matches; sent by {', '.join(route.channels or config.alerts.channels)}", passed=True
            )


def _message(alert: Alert) -> str:
    state = (
        f"sent {iso(alert.sent_at)}"
        if alert.sent_at
        else (f"failed: {alert.error}" if alert.failed else f"due {iso(alert.due_at)}")
    )
    return (
        f"{iso(alert.created)} {alert.transition} by {alert.channel}{f' on {alert.route}' if alert.route else ''}, "
        f"{state}: {alert.subject}"
    )


def _answer(incident: Incident, sent: Sequence[Alert], later: Sequence[Alert], steps: Sequence[TraceStep]) -> str:
    out = [a for a in (*sent, *later) if a.sent_at is not None]
    if sent:
        lines = "; ".join(sent[0].incident_facts.evidence[:2])
        why = ": " + lines if lines else ""
        if out:
            late = (
                f", first delivered at {iso(first)}"
                if (first := min(a.sent_at for a in out if a.sent_at)) > sent[0].created
                else ""
            )
            return f"it alerted at {iso(sent[0].created)}{late}{why}"
        state = (
            f"it failed for good: {sent[0].error}"
            if sent[0].failed
            else f"it waits until {iso(sent[0].due_at)}{': ' + sent[0].error if sent[0].error else ''}"
        )
        return f"it wrote a message at {iso(sent[0].created)} that was not delivered: {state}{why}"
    afterwards = f"; it alerted at {iso(later[0].created)}" if later else ""
    if not any(s.passed for s in steps if s.name == "signal") and later:
        return f"it had not alerted yet: no signal was above the alarm threshold, and there was no notice{afterwards}"
    kept = [s.words for s in steps if s.passed is False and s.name != "signal"]
    if kept:
        return f"it did not alert: {'; '.join(kept)}{afterwards}"
    if later:
        return f"it had not alerted yet: the next run sent it{afterwards}"
    return "it did not alert: it was over before it could be reported, or is history from an import"
