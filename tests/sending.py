"""Channels that keep or refuse what they are given, and what a test does with messages before they are sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.commands.test_alert import sample
from pipeline.config.settings import Alerts, Route
from pipeline.core.alerts import Alert
from pipeline.core.errors import ChannelError
from pipeline.core.vocabulary import Transition
from pipeline.stages.alert.stage import run_alert
from pipeline.store import Store
from pipeline.store.outbox import alerts_of, put_alerts
from tests.copies import replace
from tests.world import QUIET, World, at


class ScriptedChannel:
    """A channel that does as it is told, in order."""

    name = "file"

    def __init__(self, *steps: Callable[[], None]) -> None:
        self.steps, self.sent = list(steps), []

    def send(self, alert: Alert) -> None:
        if self.steps:
            self.steps.pop(0)()
        self.sent.append(alert.message_id)


def fail(*, permanent: bool) -> Callable[[], None]:
    def step() -> None:
        raise ChannelError("no", permanent=permanent)

    return step


class RecordingChannel:
    """A channel that keeps what it is given."""

    name = "file"

    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    def send(self, alert: Alert) -> None:
        self.alerts.append(alert)


def routed(world: World, *routes: Route, **more: Any) -> None:
    alerts = Alerts(channels=("file",), routes=routes, quiet_to_close=QUIET, **more)
    world.config = replace(world.config, alerts=alerts)


def send_due(world: World, clock: str, day: int = 2) -> list[Alert]:
    """Let what is due be sent, and return it."""
    channel = RecordingChannel()
    run_alert(world.store, {"file": channel}, at(clock, day))
    return channel.alerts


def routes_and_transitions(world: World) -> list[tuple[str, str]]:
    return [(a.route, a.transition) for a in alerts_of(world.store)]


def alert_row(name: str, when: str, transition: str = "opened", **more: Any) -> Alert:
    return replace(
        sample(at(when)),
        message_id=f"<{name}-{transition}@x>",
        incident=name,
        transition=Transition(transition),
        channel="file",
        created=at(when),
        due_at=at(more.pop("due", when)),
        **more,
    )


def queue_alerts(store: Store, *rows: Alert) -> None:
    with store.transaction() as conn:
        put_alerts(conn, rows)
