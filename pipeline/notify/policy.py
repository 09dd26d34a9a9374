"""When an incident is worth a message: few, and each says something new. Pure.

Opened, over and reopened are told at once. The provider's confirmation and a newly affected component wait for
`group_interval` after the last message, so that what comes together is told together. Other news (worse, easing) waits for
a gap that doubles with each message; after five messages only the urgent ones are sent, and reminders, where wanted.
What becomes critical never waits for more than `group_interval`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.core.alerts import Alert
from pipeline.core.incidents import LEAST_PROBABILITY, Incident
from pipeline.core.vocabulary import IMPACTS, STATES

TALKATIVE = 5
URGENT = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Which states are told and how far apart messages lie."""

    from_state: str
    group_interval: timedelta
    max_group_interval: timedelta
    alerting_since: datetime
    repeat_interval: timedelta = timedelta(0)  # 0: no reminders


def next_gap(sent: int, rules: Rules) -> timedelta:
    """Return how long ordinary news waits after the `sent`-th message."""
    gap = rules.group_interval
    for _ in range(sent - 1):
        if gap >= rules.max_group_interval or not gap:
            break
        gap *= 2
    return min(rules.max_group_interval, gap)


def decide(incident: Incident, told: Sequence[Alert], rules: Rules, now: datetime) -> str | None:
    """Return the transition to tell now, or None. `told` are the messages so far, one each, oldest first."""
    if not told:
        return _first(incident, rules)
    last = told[-1]
    if not incident.active:
        return "over" if last.transition != "over" else None
    if last.transition == "over":
        return "reopened"
    waited = now - last.created
    if waited < rules.group_interval:
        return None
    if incident.state == "confirmed" and not any(alert.facts.get("state") == "confirmed" for alert in told):
        return "confirmed"
    impact = IMPACTS.index(incident.impact)
    if incident.impact == URGENT and impact > max(IMPACTS.index(str(a.facts.get("impact", "none"))) for a in told):
        return "worse"
    if newly_affected(incident, told, now):
        return "component_added"
    if rules.repeat_interval and waited >= rules.repeat_interval:
        return "reminder"
    if len(told) >= TALKATIVE:
        return None
    if waited < next_gap(len(told), rules):
        return None
    if impact > IMPACTS.index(str(last.facts.get("impact", "none"))):
        return "worse"
    easing = bool(incident.phases) and incident.phases[-1].phase in ("easing", "over")
    if easing and last.transition != "easing":
        return "easing"
    return None


def newly_affected(incident: Incident, told: Sequence[Alert], now: datetime) -> list[str]:
    """Return the parts affected now that no message told of, or that the last one did not and the page lists now.

    A part that people stop naming and name again is no news.
    """
    ever = {part for alert in told for part in alert.facts.get("affected", ())}
    last = set(told[-1].facts.get("affected", ())) if told else set()
    listed = {s.component for s in incident.components if s.source == "official"}
    return [part for part in incident.affected(now) if part not in ever or (part not in last and part in listed)]


def _first(incident: Incident, rules: Rules) -> str | None:
    """Tell an incident for the first time, unless it is not sure enough or is over already: the past never alerts."""
    if not incident.active or STATES.index(incident.state) < STATES.index(rules.from_state):
        return None
    if incident.phases and incident.phases[-1].phase == "over":
        return None
    if incident.probability is not None and incident.probability < LEAST_PROBABILITY:
        return None
    return "under_way" if incident.opened_at <= rules.alerting_since else "opened"
