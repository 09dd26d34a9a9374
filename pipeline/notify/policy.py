"""When an incident is worth a message: few, and each says something new. Pure.

Opened, over and reopened are sent at once. The provider's confirmation and a newly affected component wait for
`group_interval` after the last message, so that what comes together is one message. Where that message named a part,
a further part of the same service waits for an hour. What becomes critical never waits for more than `group_interval`.
A second wave (worse again) is a new notice that no fresh message says as much as, or a rise of reports after hours or
after it was easing. A service that joins a shared failure waits for JOIN_WAIT only at first: its readers have had no
message yet. That all services of a shared failure but one are over is news once. Other news (worse, easing) waits for a
gap that doubles with each message; after MAX_ROUTINE_MESSAGES only the urgent ones are sent, and reminders, where
wanted.
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
MAX_BEFORE_EASING = 3  # after more messages only the end is news
MAX_IN_A_DAY = 5  # after so many a rise of reports alone is no second wave
URGENT = Impact.CRITICAL
WORTH_A_MESSAGE = Impact.HIGH  # an impact below that rises without one; a notice of it waits for no others
FRESH = timedelta(hours=1)  # a message so new may say as much as a notice that follows it; a further part waits so long
HOURS = timedelta(hours=2)  # after the last message, a rise of reports is a second wave
WAVE = Impact.MODERATE  # at least so bad
JOIN_WAIT = timedelta(minutes=5)  # a service that joins a shared failure waits so long for others
MAX_EARLY_JOINS = 3  # after more messages it waits for `group_interval`, too
GATHER = timedelta(minutes=15)  # a lesser notice waits so long for others
NAMED_FOR = timedelta(hours=6)  # a part named in a message is no news for so long


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationPolicy:
    """From which state on an incident is notified, and how far apart its messages lie."""

    from_state: str
    group_interval: timedelta
    max_group_interval: timedelta
    alerting_since: datetime
    repeat_interval: timedelta = timedelta(0)  # 0: no reminders


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """Something that began: a provider's notice, or reports or complaints above what is expected.

    `since` is when it was known here (a notice) or began (a rise); `impact` how bad it is.
    """

    since: datetime
    impact: Impact
    by_provider: bool


def next_gap(sent: int, policy: NotificationPolicy) -> timedelta:
    """Return how long ordinary news waits after the `sent`-th message."""
    gap = policy.group_interval
    for _ in range(sent - 1):
        if gap >= policy.max_group_interval or not gap:
            break
        gap *= 2
    return min(policy.max_group_interval, gap)


def next_transition(
    incident: Incident,
    past: Sequence[Alert],
    policy: NotificationPolicy,
    now: datetime,
    rises: Sequence[Rise] = (),
) -> Transition | None:
    """Return the transition to notify now, or None.

    `past` are its messages so far, one each, oldest first; `rises` what began in the course of it.
    """
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
        joins = incident.is_group and waited >= JOIN_WAIT and len(past) <= MAX_EARLY_JOINS
        return Transition.COMPONENT_ADDED if joins and newly_affected(incident, past, now) else None
    if _newly_confirmed(incident, named):
        return Transition.CONFIRMED
    if incident.impact is URGENT and incident.impact.rank > max(facts.impact.rank for facts in named):
        return Transition.WORSE
    few = sum(now - alert.created < timedelta(days=1) for alert in past) < MAX_IN_A_DAY
    waves = [r for r in rises if r.since > last.created and (few or r.by_provider) and _is_wave(r, last)]
    if any(now - wave.since >= _gathering(wave) for wave in waves):
        return Transition.WORSE_AGAIN
    if few and _eased_no_more(incident, last, policy, now):
        return Transition.WORSE_AGAIN
    if newly_affected(incident, past, now) and (
        waited >= FRESH or incident.is_group or not last.incident_facts.affected
    ):
        return Transition.COMPONENT_ADDED
    if incident.is_group and _all_but_one_over(incident) and not any(a.transition is Transition.EASING for a in past):
        return Transition.EASING
    if policy.repeat_interval and waited >= policy.repeat_interval:
        return Transition.REMINDER
    if waves or len(past) >= MAX_ROUTINE_MESSAGES:
        return None
    if waited < next_gap(len(past), policy):
        return None
    if incident.impact.rank > max(named[-1].impact.rank, WORTH_A_MESSAGE.rank - 1):
        return Transition.WORSE
    # of what was never critical only the end is news
    critical = any(facts.impact is URGENT for facts in named)
    if critical and len(past) <= MAX_BEFORE_EASING and _is_easing(incident):
        return Transition.EASING if last.transition is not Transition.EASING else None
    return None


def _all_but_one_over(incident: Incident) -> bool:
    return bool(incident.phases) and incident.phases[-1].phase is PhaseName.EASING


def _is_wave(rise: Rise, last: Alert) -> bool:
    """Return whether something that began after the last message is worth another."""
    eased = last.transition is Transition.EASING
    if not rise.by_provider:
        return rise.impact.rank >= WAVE.rank and (eased or rise.since - last.created >= HOURS)
    return eased or rise.since - last.created > FRESH or rise.impact.rank > last.incident_facts.impact.rank


def _gathering(wave: Rise) -> timedelta:
    """Return how long a second wave waits for others that come with it."""
    return timedelta(0) if not wave.by_provider or wave.impact.rank >= WORTH_A_MESSAGE.rank else GATHER


def _is_easing(incident: Incident) -> bool:
    return bool(incident.phases) and incident.phases[-1].phase in (PhaseName.EASING, PhaseName.OVER)


def _eased_no_more(incident: Incident, last: Alert, policy: NotificationPolicy, now: datetime) -> bool:
    """Return whether what the last message called easing has been worse again for `group_interval`."""
    if last.transition is not Transition.EASING or not incident.phases or _is_easing(incident):
        return False
    return now - max(incident.phases[-1].since, last.created) >= policy.group_interval


def _newly_confirmed(incident: Incident, named: Sequence[AlertFacts]) -> bool:
    """Return whether no message called it confirmed, or none by the provider what the provider confirms now."""
    if incident.state is not State.CONFIRMED:
        return False
    said = {facts.confirmed_by for facts in named if facts.state is State.CONFIRMED}
    return not said or (
        incident.confirmed_by is ConfirmedBy.PROVIDER and said <= {ConfirmedBy.REPORTS, ConfirmedBy.DEPENDENTS}
    )


def newly_affected(incident: Incident, past: Sequence[Alert], now: datetime) -> list[str]:
    """Return the parts affected now that no message of the last hours named and the page lists now.

    Parts that only people name are news while nothing has confirmed the incident: once each. So is, at any time, a
    service that joins a shared failure.
    """
    ever = {part for alert in past for part in alert.incident_facts.affected}
    lately = {part for alert in past if now - alert.created < NAMED_FOR for part in alert.incident_facts.affected}
    lately |= set(past[-1].incident_facts.affected) if past else set()
    listed = {s.component for s in incident.components if s.source == "official"}
    news = incident.is_group or incident.state is not State.CONFIRMED
    return [
        part
        for part in incident.affected(now)
        if (part in listed and part not in lately) or (part not in ever and news)
    ]


def _first(incident: Incident, policy: NotificationPolicy) -> Transition | None:
    """Return the transition of a first message; None where the incident is not sure enough, or over already."""
    if not incident.active or incident.state.rank < State(policy.from_state).rank:
        return None
    if incident.phases and incident.phases[-1].phase == PhaseName.OVER:
        return None
    if incident.probability is not None and incident.probability < LEAST_PROBABILITY:
        return None
    return Transition.UNDER_WAY if incident.opened_at <= policy.alerting_since else Transition.OPENED
