"""Alert: send what is due. The row was written with the finding; the message is sent, and only then marked.

A kill between sending and marking sends the message again with the same Message-ID: at least once, and never twice
by Message-ID. A failure that may pass keeps the alert due; one that cannot is kept as failed and shown. Many at once,
what quiet hours held, and what is above the hourly cap go as one message that names all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from pipeline.channels import Channel
from pipeline.errors import ChannelError
from pipeline.model import Alert, Run, message_id
from pipeline.notes import together
from pipeline.store import Store
from pipeline.store.outbox import (
    count_alerts,
    due_alerts,
    mark_failed,
    mark_sent,
    overtaken,
    postpone,
    sent_since,
    tell_together,
)
from pipeline.store.runs import record_run

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
HOUR = timedelta(hours=1)
MANY = 3  # incidents at once, from which one message names all


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How many messages a route takes in an hour, and the first of them in a message of its own."""

    max_per_hour: int = 20


def run_alert(store: Store, channels: Mapping[str, Channel], now: datetime, delivery: Delivery = Delivery()) -> Run:
    """Send every due alert through its channel; one that fails never keeps the next from going."""
    arrange(store, due_alerts(store, now), now, delivery)
    due = due_alerts(store, now)
    sent = 0
    problems: list[str] = []
    for alert in due:
        channel = channels.get(alert.channel)
        if channel is None:
            problems.append(f"{alert.channel}: no such channel is configured; {alert.message_id} stays due")
            continue
        try:
            channel.send(alert)
        except ChannelError as error:
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(10, alert.attempts))
            mark_failed(store, alert.message_id, str(error), None if error.permanent else now + wait)
            problems.append(f"{alert.channel}: {error}")
        else:
            mark_sent(store, alert.message_id, now)
            sent += 1
    run = Run(stage="alert", subject="outbox", started=now, outcome="error" if problems else "ok", seen=max(len(due), count_alerts(store)),
              new=sent, rejected=len(due) - sent, error="; ".join(problems)[:500])  # fmt: skip
    record_run(store, run)
    return run


def arrange(store: Store, due: Sequence[Alert], now: datetime, delivery: Delivery) -> None:
    """Put together what belongs in one message, and off what is above the hourly cap.

    What was tried before keeps its Message-ID and goes alone.
    """
    with store.transaction() as conn:
        for alert in due:
            if alert.incident:
                overtaken(conn, alert, now)
    fresh = sorted(
        (a for a in due if a.attempts == 0 and a.incident), key=lambda a: (a.channel, a.route, a.created, a.message_id)
    )
    for (channel, route), group in groupby(fresh, key=lambda a: (a.channel, a.route)):
        alerts = list(group)
        out = sent_since(store, channel, route, now - HOUR)
        room = delivery.max_per_hour - len(out)
        if room <= 0:
            with store.transaction() as conn:
                postpone(conn, alerts, out[-delivery.max_per_hour] + HOUR)
            continue
        held = any(a.due_at > a.created for a in alerts)
        if len(alerts) > 1 and (len({a.incident for a in alerts}) >= MANY or held or len(alerts) > room):
            facts = together(alerts, now)
            summary = Alert(
                message_id=message_id(*sorted(a.message_id for a in alerts)), incident="", service="", transition="summary",
                channel=channel, created=now, due_at=now, subject=str(facts["subject"]), facts=facts, route=route,
            )  # fmt: skip
            with store.transaction() as conn:
                tell_together(conn, summary, alerts)
