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

from pipeline.config.load import Config
from pipeline.core.alerts import Alert, Silence, message_id
from pipeline.core.errors import ChannelError
from pipeline.core.records import Run
from pipeline.notify.channels import Channel
from pipeline.notify.digest import summary_message
from pipeline.notify.routing import active_silence
from pipeline.store import Store
from pipeline.store.operators import silences
from pipeline.store.outbox import (
    count_alerts,
    due_alerts,
    mark_failed,
    mark_sent,
    merge_into_summary,
    postpone,
    sent_since,
    supersede_older,
    waiting,
    withdraw,
)
from pipeline.store.runs import record_run

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
HOUR = timedelta(hours=1)
MACHINES = ("webhook",)
MANY = 3  # incidents at once, from which one message names all


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How many messages a route takes in an hour, and how long the first of an incident waits for others."""

    max_per_hour: int = 20
    group_wait: timedelta = timedelta(0)


def delivery_of(config: Config) -> Delivery:
    """Return how messages leave, as configured."""
    return Delivery(max_per_hour=config.alerts.max_per_hour, group_wait=config.alerts.group_wait)


def run_alert(store: Store, channels: Mapping[str, Channel], now: datetime, delivery: Delivery = Delivery()) -> Run:
    """Send every due alert through its channel; one that fails never keeps the next from going.

    A channel where nobody answers is asked once a run: each further message would only wait as long again.
    """
    due = due_alerts(store, now)
    if delivery.group_wait and any(a.transition == "opened" and a.due_at > a.created for a in due):
        due += waiting(store, now, now - delivery.group_wait)
    prepare(store, due, now, delivery)
    due = due_alerts(store, now)
    sent, down = 0, set()
    problems: list[str] = []
    for alert in due:
        channel = channels.get(alert.channel)
        if channel is None:
            words = f"{alert.channel}: no such channel is configured any more"
            mark_failed(store, alert.message_id, words, None)
            problems.append(f"{words}; {alert.message_id} is kept as failed")
            continue
        if alert.channel in down:
            continue
        try:
            channel.send(alert)
        except ChannelError as error:
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(10, alert.attempts))
            mark_failed(
                store, alert.message_id, str(error), None if error.permanent else now + wait, error.pending_recipients
            )
            problems.append(f"{alert.channel}: {error}")
            if error.down:
                down.add(alert.channel)
        except Exception as error:  # noqa: BLE001 - a bug in one message must not silence all others; its words may hold a secret
            mark_failed(store, alert.message_id, f"{type(error).__name__} while it was sent", now + LONGEST_WAIT)
            problems.append(
                f"{alert.channel}: {type(error).__name__} while {alert.message_id} was sent: a bug, please report it"
            )
        else:
            mark_sent(store, alert, now)
            sent += 1
    run = Run(
        stage="alert",
        subject="outbox",
        started=now,
        outcome="error" if problems else "ok",
        seen=max(len(due), count_alerts(store)),
        new=sent,
        rejected=len(due) - sent,
        error="; ".join(problems)[:500],
    )
    record_run(store, run)
    return run


def prepare(store: Store, due: Sequence[Alert], now: datetime, delivery: Delivery) -> None:
    """Put together what belongs in one message, off what is above the hourly cap, and away what was silenced since.

    What was tried before keeps its Message-ID and goes alone. What a machine reads is never put together or off: a
    pager opens and closes by each.
    """
    silent = silences(store, now)
    muted = [
        a
        for a in due
        if a.incident and a.attempts == 0 and a.transition != "over" and silent and _silenced(silent, a, now)
    ]
    fresh = [a for a in due if a.incident and a.attempts == 0 and a.channel not in MACHINES and a not in muted]
    with store.transaction() as conn:
        withdraw(conn, muted)
        for alert in due:
            if alert.incident and alert.channel not in MACHINES and alert not in muted:
                supersede_older(conn, alert, now)
    fresh.sort(key=lambda a: (a.channel, a.route, a.created, a.message_id))
    for (channel, route), group in groupby(fresh, key=lambda a: (a.channel, a.route)):
        alerts = list(group)
        out = sent_since(store, channel, route, now - HOUR)
        room = delivery.max_per_hour - len(out)
        if room <= 0:
            with store.transaction() as conn:
                postpone(conn, [a for a in alerts if not _urgent(a)], out[-delivery.max_per_hour] + HOUR)
            continue
        held = any(a.due_at - a.created > delivery.group_wait for a in alerts)
        waited = any(a.due_at > a.created for a in alerts)
        if len(alerts) > 1 and (len({a.incident for a in alerts}) >= MANY or waited or len(alerts) > room):
            facts = summary_message(alerts, now, held=held)
            summary = Alert(
                message_id=message_id(*sorted(a.message_id for a in alerts)),
                incident="",
                service="",
                transition="summary",
                channel=channel,
                created=now,
                due_at=now,
                subject=str(facts["subject"]),
                facts=facts,
                route=route,
            )
            with store.transaction() as conn:
                merge_into_summary(conn, summary, alerts)


def _silenced(silent: Sequence[Silence], alert: Alert, now: datetime) -> bool:
    hit = alert.facts.get("hit") or (alert.service,)
    return active_silence(silent, hit, alert.facts.get("affected", ()), now) is not None


def _urgent(alert: Alert) -> bool:
    return alert.transition in ("opened", "worse", "under_way") and alert.facts.get("impact") == "critical"
