"""When an incident is worth a message: few, and each says something new. Pure.

Opened, over and reopened are sent at once. The provider's confirmation and a newly affected component wait for
`group_interval` after the last message, so that what comes together is one message. Other news (worse, easing) waits
for a gap that doubles with each message; after MAX_ROUTINE_MESSAGES only the urgent ones are sent, and reminders, where
wanted. What becomes critical never waits for more than `group_interval`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.core.alert_facts import AlertFacts
from pipeline.core.alerts import Alert
from pipeline.core.incidents import LEAST_PROBABILITY, Incident
from pipeline.core.vocabulary import ConfirmedBy, Impact, PhaseName, State, Transition

MAX_ROUTINE_MESSAGES = 5
URGENT = Impact.CRITICAL


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationPolicy:
    """From which state on an incident is notified, and how far apart its messages lie."""

    from_state: str
    group_interval: timedelta
    max_group_interval: timedelta
    alerting_since: datetime
    repeat_interval: timedelta = timedelta(0)  # 0: no reminders


def next_gap(sent: int, policy: NotificationPolicy) -> timedelta:
    """Return how long ordinary news waits after the `sent`-th message."""
    gap = policy.group_interval
    for _ in range(sent - 1):
        if gap >= policy.max_group_interval or not gap:
            break
        gap *= 2
    return min(policy.max_group_interval, gap)


def next_transition(
    incident: Incident, past: Sequence[Alert], policy: NotificationPolicy, now: datetime
) -> Transition | None:
    """Return the transition to notify now, or None. `past` are its messages so far, one each, oldest first."""
    if not past:
        return _first(incident, policy)
    last = past[-1]
    if not incident.active:
        return Transition.OVER if last.transition != Transition.OVER else None
    if last.transition == Transition.OVER:
        return Transition.REOPENED
    waited = now - last.created
    named = [alert.incident_facts for alert in past]
    if waited < policy.group_interval:
        return None
    if _newly_confirmed(incident, named):
        return Transition.CONFIRMED
    if incident.impact is URGENT and incident.impact.rank > max(facts.impact.rank for facts in named):
        return Transition.WORSE
    if newly_affected(incident, past, now):
        return Transition.COMPONENT_ADDED
    if policy.repeat_interval and waited >= policy.repeat_interval:
        return Transition.REMINDER
    if len(past) >= MAX_ROUTINE_MESSAGES:
        return None
    if waited < next_gap(len(past), policy):
        return None
    if incident.impact.rank > named[-1].impact.rank:
        return Transition.WORSE
    easing = bool(incident.phases) and incident.phases[-1].phase in (PhaseName.EASING, PhaseName.OVER)
    if easing and last.transition != Transition.EASING:
        return Transition.EASING
    return None


def _newly_confirmed(incident: Incident, named: Sequence[AlertFacts]) -> bool:
    """Return whether no message called it confirmed, or none by the provider what the provider confirms now."""
    if incident.state is not State.CONFIRMED:
        return False
    said = {facts.confirmed_by for facts in named if facts.state is State.CONFIRMED}
    return not said or (
        incident.confirmed_by is ConfirmedBy.PROVIDER and said <= {ConfirmedBy.REPORTS, ConfirmedBy.DEPENDENTS}
    )


def newly_affected(incident: Incident, past: Sequence[Alert], now: datetime) -> list[str]:
    """Return the parts affected now that no message named, or that the last one did not and the page lists now.

    A part that people stop naming and name again is no news.
    """
    ever = {part for alert in past for part in alert.incident_facts.affected}
    last = set(past[-1].incident_facts.affected) if past else set()
    listed = {s.component for s in incident.components if s.source == "official"}
    return [part for part in incident.affected(now) if part not in ever or (part not in last and part in listed)]


def _first(incident: Incident, policy: NotificationPolicy) -> Transition | None:
    """Return the transition of a first message; None where the incident is not sure enough, or over already."""
    if not incident.active or incident.state.rank < State(policy.from_state).rank:
        return None
    if incident.phases and incident.phases[-1].phase == PhaseName.OVER:
        return None
    if incident.probability is not None and incident.probability < LEAST_PROBABILITY:
        return None
    return Transition.UNDER_WAY if incident.opened_at <= policy.alerting_since else Transition.OPENED
