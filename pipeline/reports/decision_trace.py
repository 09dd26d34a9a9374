"""Why a service alerted at a moment, or why it did not: the stored trail, step by step, as lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import structs

from pipeline.config.settings import Config
from pipeline.core.alerts import Alert
from pipeline.core.catalogue import Service
from pipeline.core.incidents import LEAST_PROBABILITY, Incident
from pipeline.core.records import SilentSource
from pipeline.core.times import Span, iso, utc
from pipeline.core.vocabulary import State, Transition
from pipeline.incidents import counts_usual, unreported_counts
from pipeline.incidents.attention import BEFORE_ONSET, overshadowing
from pipeline.incidents.counts_usual import counts_are_usual
from pipeline.incidents.holds import in_words, press_reports_it
from pipeline.incidents.unreported_counts import counts_are_unreported
from pipeline.notify.routing import active_silence, muted_until, route_mismatches, routes_of
from pipeline.render.formatting import in_percent
from pipeline.reports.trace_evidence import (
    BEFORE,
    NEAR,
    TraceStep,
    page_steps,
    report_step,
    signal_steps,
    silent_source_steps,
)
from pipeline.store import Store
from pipeline.store.incidents import incidents
from pipeline.store.news import links_of
from pipeline.store.operators import silences
from pipeline.store.outbox import alerts_of
from pipeline.store.reports import reports
from pipeline.store.runs import get_checkpoint
from pipeline.store.service_history import service_history
from pipeline.store.verdicts import verdicts
from pipeline.text.services import ServiceMatcher


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
    alerts = _alerts_naming(store, incident) if incident is not None else []
    sent = [a for a in alerts if a.created <= at]
    spans = [Span(incident.onset, sent[0].created)] if incident is not None and sent else []
    steps = [
        _watched(config, service),
        *signal_steps(store, service, at, alarm, spans),
        report_step(store, service, at),
    ]
    steps += [*silent_source_steps(silent, service, at, now), *page_steps(store, service, at)]
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


def _alerts_naming(store: Store, incident: Incident) -> list[Alert]:
    """Return the messages about an incident in order, with those of its shared failure that name its service."""
    of_group = alerts_of(store, incident.part_of) if incident.part_of else []
    alerts = [*alerts_of(store, incident.id), *(a for a in of_group if incident.service in a.named_services)]
    return sorted(alerts, key=lambda alert: alert.created)


def _watched(config: Config, service: Service) -> TraceStep:
    inside = service.id in config.watched
    return TraceStep(name="watch", words=f"{service.id} is {'' if inside else 'not '}watched", passed=inside)


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
    """Yield what explains or denies the reports: another service, usual counts, silent posts; nothing once sent."""
    if any(alert.created <= at for alert in alerts):
        return
    others = [_as_it_was(store, config, i, at) for i in incidents(store, incident.onset) if i.onset <= at]
    as_it_was = structs.replace(
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
    links = [row.link for row in links_of(store, incident.id) if row.first_seen <= at]
    if press_reports_it(links):
        return
    if counts_are_usual(as_it_was, judged, at, alarm):
        yield TraceStep(name="held", words=counts_usual.IN_WORDS, passed=False)
    elif counts_are_unreported(as_it_was, mine, judged, service_history(store, incident.service, at), at, alarm):
        yield TraceStep(name="held", words=unreported_counts.IN_WORDS, passed=False)


def _as_it_was(store: Store, config: Config, other: Incident, at: datetime) -> Incident:
    """Return another incident as a run at a moment saw it: its end is seen with the message that it is over."""
    if other.end is None:
        return other
    over = [a.created for a in alerts_of(store, other.id) if a.transition is Transition.OVER and a.created >= other.end]
    seen = min(over, default=other.end + config.alerts.quiet_to_close)
    return other if seen <= at else structs.replace(other, active=True, end=None)


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
    signals = [s.passed for s in steps if s.name == "signal"]
    if not any(signals) and None in signals and later:
        return f"it had not alerted yet: some rows of the signal above the alarm threshold came later{afterwards}"
    if not any(signals) and later:
        return f"it had not alerted yet: no signal was above the alarm threshold, and there was no notice{afterwards}"
    kept = [s.words for s in steps if s.passed is False and s.name != "signal"]
    if kept:
        return f"it did not alert: {'; '.join(kept)}{afterwards}"
    if later:
        return f"it had not alerted yet: the next run sent it{afterwards}"
    return "it did not alert: it was over before it could be reported, or is history from an import"
