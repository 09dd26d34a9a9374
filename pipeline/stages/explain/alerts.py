"""From an incident to rows of the outbox: which route hears what, when, and what keeps it quiet."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipeline.config.settings import Config, Route
from pipeline.core.alerts import Alert, message_id
from pipeline.core.catalogue import Service
from pipeline.core.incidents import Incident
from pipeline.core.news_events import Link, NewsEvent
from pipeline.core.reports import Report
from pipeline.core.series import Interval
from pipeline.core.vocabulary import EvidenceKind, Transition
from pipeline.incidents.episodes import COUNTED_IMPACTS, ProviderIncident
from pipeline.incidents.levels import comparison, new_level
from pipeline.incidents.phases import impact_of_score
from pipeline.notify.payload import AlertContext, alert_facts
from pipeline.notify.policy import NotificationPolicy, Rise, next_gap, next_transition
from pipeline.notify.routing import active_silence, muted_until, route_mismatches, routes_of
from pipeline.notify.subject import subject
from pipeline.store import Store
from pipeline.store.levels import counted
from pipeline.store.operators import silences
from pipeline.store.outbox import alerts_of
from pipeline.store.verdicts import verdicts

logger = logging.getLogger(__name__)

CHART_BEFORE = timedelta(hours=4)
AFTER_THIS_RUN = timedelta(seconds=1)
KEYED_CHANNELS = ("webhook", "apprise", "alertmanager", "pagerduty")  # open there until the same incident's end is sent


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertingContext:
    """Whether and how findings become alerts; `since` None stores and learns without alerting anybody.

    `resolves` false: ends are written and sent by the next run, since the clock may have stepped ahead.
    """

    since: datetime | None
    channels: Sequence[str]
    simulated: bool = False
    resolves: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertInputs:
    """What a message about an incident is made of, beside the incident."""

    service: Service
    reports: Sequence[Report]
    intervals: Sequence[Interval]
    provider_incidents: Sequence[ProviderIncident]
    links: Sequence[Link]
    events: Sequence[tuple[NewsEvent, str]]
    hit: tuple[str, ...] = ()  # the services of a shared failure


def policy_for(config: Config, route: Route, since: datetime) -> NotificationPolicy:
    """Return how few a route's messages are."""
    a = config.alerts
    return NotificationPolicy(
        from_state=route.from_state or a.from_state,
        group_interval=a.group_interval,
        max_group_interval=a.max_group_interval,
        alerting_since=since,
        repeat_interval=a.repeat_interval,
    )


def plan_alerts(
    store: Store,
    config: Config,
    alerting: AlertingContext,
    incident: Incident,
    inputs: AlertInputs,
    now: datetime,
    *,
    eligible: bool = True,
) -> list[Alert]:
    """Return the rows to write about an incident now, for every route and channel that it concerns.

    Who was notified of its begin is notified of its end, whatever has changed since: routes, channels, silences, what
    is watched, and (`eligible` false) that it is part of another by now. People read of that end in the messages of the
    other one; what keeps alerts open by incident (KEYED_CHANNELS) is sent it all the same.
    """
    if alerting.since is None:
        return []
    past = alerts_of(store, incident.id)
    if not (eligible or past):
        return []
    # the messages of a shared failure tell of the members they name, and of no others
    elsewhere = {
        (a.route, a.channel)
        for a in (alerts_of(store, incident.part_of) if incident.part_of else ())
        if incident.service in a.incident_facts.hit
    }
    hit = inputs.hit or (incident.service,)
    configured = {route.name for route in routes_of(config)}
    silence = active_silence(silences(store, now), hit, incident.affected(now), now)
    rises = _rises(incident, inputs)
    found: list[Alert] = []
    for route in _ever(config, past):
        mine = [alert for alert in past if alert.route == route.name]
        channels = route.channels or alerting.channels
        if not channels:
            continue
        covered = (route.name, channels[0]) in elsewhere
        if covered and not (channels := tuple(c for c in channels if c in KEYED_CHANNELS)):
            continue
        # what one channel was told stands for all; the one that is asked first now may be new
        sent = [a for a in mine if a.channel == channels[0]] or [a for a in mine if a.channel == mine[-1].channel]
        policy = policy_for(config, route, alerting.since)
        transition = next_transition(incident, sent, policy, now, rises)
        if transition is None:
            continue
        must_send_resolved = bool(sent) and transition is Transition.OVER
        if covered and not must_send_resolved:
            continue
        if not must_send_resolved:
            if not eligible or route.name not in configured:
                continue
            if silence is not None:
                logger.info("%s of %s is muted by silence %d", transition, incident.id, silence.id)
                continue
            if (mismatch := next(route_mismatches(route, incident, now, hit), None)) is not None:
                logger.debug("%s of %s: %s", transition, incident.id, mismatch)
                continue
        next_after = now + next_gap(len(sent) + 1, policy)
        context = _context(store, alerting, incident, inputs, next_after, now)
        level = _new_level(store, incident, now) if transition is Transition.OVER else ()
        context = replace(
            context,
            sure_from=config.alerts.sure_from,
            new_level=level,
            language=config.alerts.language,
            public_url=config.report.public_url,
            first_message_at=sent[0].created if sent else now,
            last_message_at=sent[-1].created if sent else None,
            failing=[inputs.service, *(config.catalogue[name] for name in hit if name != inputs.service.id)],
        )
        facts = alert_facts(context, transition, now)
        wait = config.alerts.group_wait if transition is Transition.OPENED else timedelta(0)
        until = muted_until(route, incident.impact, now)
        if until is not None:
            logger.info("%s of %s is muted on %s until %s", transition, incident.id, route.name or "all", until)
        due = until or now + wait
        if transition is Transition.OVER and not alerting.resolves:
            due = max(due, now + AFTER_THIS_RUN)  # a clock that was ahead takes it back before it is sent
        for channel in channels:
            mark = (incident.id, transition, str(len(sent)), channel, *([route.name] if route.name else []))
            found.append(
                Alert(
                    message_id=message_id(*mark),
                    incident=incident.id,
                    service=inputs.service.id,
                    transition=transition,
                    channel=channel,
                    created=now,
                    due_at=due,
                    subject=subject(facts),
                    facts=facts,
                    route=route.name,
                )
            )
    return found


def _rises(incident: Incident, inputs: AlertInputs) -> list[Rise]:
    """Return what began in the course of an incident: notices still open, and rises of reports and complaints.

    What belongs to another incident of the service is left out; of a shared failure all counts that its members have.
    """
    named = {e.subject for e in incident.evidence if e.kind is EvidenceKind.OFFICIAL}
    spans = [span for episode in incident.episodes for span in episode.crowd_spans]
    notices = [
        Rise(
            since=max(notice.first_posted_at, min(update.collected for update in notice.updates)),
            impact=COUNTED_IMPACTS[notice.impact],
            by_provider=True,
        )
        for notice in inputs.provider_incidents
        if notice.resolved is None and (notice.id in named or (incident.is_group and notice.posted >= incident.onset))
    ]
    rising = [
        Rise(since=i.onset, impact=impact_of_score(i.score), by_provider=False)
        for i in inputs.intervals
        if any(s.since <= i.onset and (s.until is None or i.onset < s.until) for s in spans)
        or (incident.is_group and i.onset >= incident.onset)
    ]
    return [*notices, *rising]


def _new_level(store: Store, incident: Incident, now: datetime) -> tuple[str, ...]:
    """Return which counts did not come back near what they were before an incident that is over."""
    spans = comparison(incident, now)
    if spans is None:
        return ()
    since_end = counted(store, incident.service, spans.since, spans.until)
    before = [counted(store, incident.service, since, until) for since, until in spans.before]
    return tuple(new_level(since_end, before, spans.until - spans.since))


def _ever(config: Config, past: Sequence[Alert]) -> list[Route]:
    """Return the routes configured, and those gone that were told of an incident: an end is owed to them."""
    routes = list(routes_of(config))
    names = {route.name for route in routes}
    gone = {alert.route: None for alert in past if alert.route not in names}
    used = config.alerts.channels or next((r.channels for r in routes if r.channels), ())
    return [*routes, *(Route(name=name, channels=used) for name in gone)]


def _context(
    store: Store,
    alerting: AlertingContext,
    incident: Incident,
    inputs: AlertInputs,
    next_after: datetime,
    now: datetime,
) -> AlertContext:
    return AlertContext(
        incident=incident,
        service=inputs.service,
        reports=inputs.reports,
        intervals=[i for i in inputs.intervals if i.span_end(now) >= incident.onset],
        series={
            key: points
            for service in dict.fromkeys((inputs.service.id, *inputs.hit))
            for key, points in verdicts(store, incident.onset - CHART_BEFORE, now, service=service).items()
        },
        links=inputs.links,
        news={event.id: event for event, _ in inputs.events},
        hit=inputs.hit,
        next_after=next_after,
        simulated=alerting.simulated,
        notices=inputs.provider_incidents,
    )
