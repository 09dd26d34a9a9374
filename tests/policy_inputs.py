"""An incident, the messages sent about it and the policy, as tests of what is sent next need them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pipeline.commands.test_alert import sample
from pipeline.config.settings import Alerts
from pipeline.core.alerts import Alert
from pipeline.core.incidents import ComponentSpan, Phase
from pipeline.core.times import utc
from pipeline.core.vocabulary import (
    ComponentStatus,
    Impact,
    PhaseName,
    State,
    Transition,
)
from pipeline.notify.policy import NotificationPolicy
from tests.copies import replace
from tests.stored_rows import an_incident

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
BEGAN = utc("2026-03-02T11:00:00Z")
POLICY = NotificationPolicy(
    from_state="possible",
    group_interval=Alerts().group_interval,
    max_group_interval=Alerts().max_group_interval,
    alerting_since=BEGAN - SECOND,
)
INCIDENT = replace(an_incident("svc", BEGAN), id="i")
EASING = Phase(episode=1, phase=PhaseName.EASING, since=BEGAN, until=None, impact=Impact.LOW, why="")


def message(when: datetime, transition: Transition = Transition.OPENED, **facts: Any) -> Alert:
    usual = {"transition": transition, "state": State.POSSIBLE, "impact": Impact.LOW, "affected": ()}
    about = replace(sample(when).incident_facts, **{**usual, **facts})
    return replace(sample(when), incident="i", transition=transition, facts=about)


def messages(count: int, **facts: Any) -> list[Alert]:
    """Return so many messages, a second apart, the last one at BEGAN."""
    return [message(BEGAN - n * SECOND, **facts) for n in reversed(range(count))]


def span(component: str, source: str) -> ComponentSpan:
    return ComponentSpan(
        component=component, source=source, status=ComponentStatus.AFFECTED, since=BEGAN, until=None, detail=""
    )
