"""Alert: send what is due. The row was written with the finding; the message is sent, and only then marked.

The steps: `mute` what a silence covers, `supersede` what newer news replaces, `cap` what is above a route's messages in
an hour, `coalesce` what comes together into one message, `send` each, `record` what became of it. A kill between
sending and recording sends the message again with the same Message-ID: at least once, and never twice by Message-ID.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from pipeline.config.settings import Config
from pipeline.core.alerts import Alert, Silence, message_id
from pipeline.core.errors import ChannelError
from pipeline.core.records import Run
from pipeline.core.vocabulary import Impact, RunOutcome, Transition
from pipeline.notify.digest import summary_message
from pipeline.notify.routing import active_silence
from pipeline.stages.alert.repeating import repeat_open_alerts
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

if TYPE_CHECKING:
    from pipeline.notify.channels import Channel

logger = logging.getLogger(__name__)

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
HOUR = timedelta(hours=1)
MACHINES = ("webhook", "alertmanager", "pagerduty")
MANY = 3  # incidents at once, from which one message names all


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How many messages a route takes in an hour, and how long the first of an incident waits for others."""

    max_per_hour: int = 20
    group_wait: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one message: `problem` in one line for people (empty: it was accepted), `error` for its row.

    `retry_after` None: it is given up. `pending_recipients` are the addresses that are still to have it,
    `refused_recipients` those that cannot; `delivered`: others have it. `down`: nobody answers at its channel.
    """

    problem: str = ""
    error: str = ""
    retry_after: timedelta | None = None
    pending_recipients: tuple[str, ...] = ()
    refused_recipients: tuple[str, ...] = ()
    delivered: bool = False
    down: bool = False

    @property
    def accepted(self) -> bool:
        """Return whether the message was accepted."""
        return not self.problem


def delivery_of(config: Config) -> Delivery:
    """Return how messages leave, as configured."""
    return Delivery(max_per_hour=config.alerts.max_per_hour, group_wait=config.alerts.group_wait)


def run_alert(store: Store, channels: Mapping[str, Channel], now: datetime, delivery: Delivery = Delivery()) -> Run:
    """Send every due alert through its channel; one that fails never keeps the next from going.

    A channel where nobody answers is asked once a run: each further message would only wait as long again.
    """
    due = due_alerts(store, now)
    if delivery.group_wait and any(a.transition == Transition.OPENED and a.due_at > a.created for a in due):
        due += waiting(store, now, now - delivery.group_wait)
    if due:
        prepare(store, due, now, delivery)
        due = due_alerts(store, now)
    down: set[str] = set()
    failing: set[str] = set()
    outcomes: list[Outcome] = []
    for alert in due:
        if alert.channel in down:
            continue
        outcome = send(channels.get(alert.channel), alert)
        record(store, alert, outcome, now)
        outcomes.append(outcome)
        if outcome.problem:
            failing.add(alert.channel)
        if outcome.down:
            down.add(alert.channel)
    accepted = sum(outcome.accepted for outcome in outcomes)
    problems = [outcome.problem for outcome in outcomes if outcome.problem]
    problems += repeat_open_alerts(store, {n: c for n, c in channels.items() if n not in failing}, now)
    run = Run(
        stage="alert",
        subject="outbox",
        started=now,
        outcome=RunOutcome.ERROR if problems else RunOutcome.OK,
        seen=max(len(due), count_alerts(store)),
        new=accepted,
        rejected=len(due) - accepted,
        error="; ".join(problems)[:500],
    )
    record_run(store, run)
    return run


def prepare(store: Store, due: Sequence[Alert], now: datetime, delivery: Delivery) -> None:
    """Change the outbox so that what is still due afterwards is what is to be sent now.

    What was tried before keeps its Message-ID and goes alone. What a machine reads is never capped or coalesced: a
    pager opens and closes by each.
    """
    audible = mute(store, due, now)
    supersede(store, audible, now)
    for together in _by_recipient(audible):
        room = cap(store, together, now, delivery)
        if room > 0:
            coalesce(store, together, room, now, delivery)


def mute(store: Store, due: Sequence[Alert], now: datetime) -> list[Alert]:
    """Withdraw what a silence covers that began since it was written; return the rest. An end is never muted."""
    active = silences(store, now)
    silenced = {
        alert.message_id: silence
        for alert in due
        if alert.incident
        and alert.attempts == 0
        and alert.transition != Transition.OVER
        and (silence := _silence_of(active, alert, now)) is not None
    }
    muted = [alert for alert in due if alert.message_id in silenced]
    if muted:
        with store.transaction() as conn:
            withdraw(conn, muted)
        for alert in muted:
            logger.info(
                "%s of %s is muted by silence %d", alert.transition, alert.incident, silenced[alert.message_id].id
            )
    return [alert for alert in due if alert.message_id not in silenced]


def supersede(store: Store, due: Sequence[Alert], now: datetime) -> None:
    """Let each message that is due replace older ones of its incident that were held back."""
    with store.transaction() as conn:
        for alert in due:
            if alert.incident and alert.channel not in MACHINES:
                count = supersede_older(conn, alert, now)
                if count:
                    logger.info("%s of %s supersedes %d older", alert.transition, alert.incident, count)


def cap(store: Store, together: Sequence[Alert], now: datetime, delivery: Delivery) -> int:
    """Return how many messages a route still takes in this hour; without room, postpone all but the urgent ones."""
    first = together[0]
    sent = sent_since(store, first.channel, first.route, now - HOUR)
    room = delivery.max_per_hour - len(sent)
    if room <= 0:
        capped, until = [a for a in together if not _urgent(a)], sent[-delivery.max_per_hour] + HOUR
        with store.transaction() as conn:
            postpone(conn, capped, until)
        logger.info(
            "%d messages by %s%s wait until %s: %d were sent in an hour",
            len(capped),
            first.channel,
            f" on {first.route}" if first.route else "",
            until,
            len(sent),
        )
    return room


def coalesce(store: Store, together: Sequence[Alert], room: int, now: datetime, delivery: Delivery) -> Alert | None:
    """Replace messages to the same recipients by one that names all; return it, or None where each goes alone.

    One message stands for MANY incidents at once, for what waited for others or was held back, and for more than there
    is room for in this hour.
    """
    waited = any(a.due_at > a.created for a in together)
    many = len({a.incident for a in together}) >= MANY
    if len(together) < 2 or not (many or waited or len(together) > room):
        return None
    held = any(a.due_at - a.created > delivery.group_wait for a in together)
    facts = summary_message(together, now, held=held)
    summary = Alert(
        message_id=message_id(*sorted(a.message_id for a in together)),
        incident="",
        service="",
        transition=Transition.SUMMARY,
        channel=together[0].channel,
        created=now,
        due_at=now,
        subject=facts.subject,
        facts=facts,
        route=together[0].route,
    )
    with store.transaction() as conn:
        merge_into_summary(conn, summary, together)
    logger.info("%d messages are merged into %s", len(together), summary.message_id)
    return summary


def send(channel: Channel | None, alert: Alert) -> Outcome:
    """Hand a message to its channel (None: it is not configured any more); a failure is an outcome, never an error."""
    if channel is None:
        error = f"{alert.channel}: no such channel is configured any more"
        return Outcome(problem=f"{error}; {alert.message_id} is kept as failed", error=error)
    try:
        channel.send(alert)
    except ChannelError as error:
        logger.info("%s of %s was not accepted: %s", alert.transition, alert.incident or "no incident", error)
        return Outcome(
            problem=f"{alert.channel}: {error}",
            error=str(error),
            retry_after=None if error.permanent else min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(10, alert.attempts)),
            pending_recipients=error.pending_recipients
            or (() if error.refused_recipients else alert.pending_recipients),
            refused_recipients=error.refused_recipients or alert.refused_recipients,
            delivered=error.delivered,
            down=error.down,
        )
    except Exception as error:  # noqa: BLE001 - a bug in one message must not silence all others
        kind = type(error).__name__
        logger.error("%s while %s was sent by %s:\n%s", kind, alert.message_id, alert.channel, _frames(error))
        return Outcome(
            pending_recipients=alert.pending_recipients,
            refused_recipients=alert.refused_recipients,
            problem=f"{alert.channel}: {kind} while {alert.message_id} was sent: a bug, please report it",
            error=f"{kind} while it was sent",
            retry_after=LONGEST_WAIT,
        )
    logger.info("%s of %s was accepted by %s", alert.transition, alert.incident or "no incident", alert.channel)
    gone = alert.refused_recipients
    return Outcome(
        refused_recipients=gone, error=f"refused for good by {', '.join(gone)}; the others have it" if gone else ""
    )


def record(store: Store, alert: Alert, outcome: Outcome, now: datetime) -> None:
    """Mark a message as sent (to all but those who refuse it), due again, or given up."""
    if outcome.accepted or (outcome.delivered and outcome.retry_after is None):
        mark_sent(store, alert, now, outcome.refused_recipients, outcome.error)
        return
    retry_at = now + outcome.retry_after if outcome.retry_after is not None else None
    tried = replace(
        alert,
        pending_recipients=outcome.pending_recipients,
        refused_recipients=outcome.refused_recipients,
        sent_at=alert.sent_at or (now if outcome.delivered else None),
    )
    mark_failed(store, tried, outcome.error, retry_at)


def _frames(error: BaseException) -> str:
    """Return where an error was raised, and what it was raised from, without their own words.

    The words of a channel's error may hold a credential, such as an address with a token.
    """
    origin = error.__cause__ or error.__context__
    before = f"{_frames(origin)}{type(origin).__name__}, from which was raised:\n" if origin else ""
    return before + "".join(traceback.format_tb(error.__traceback__))


def _by_recipient(due: Sequence[Alert]) -> Iterator[list[Alert]]:
    """Yield the untried messages about incidents that one route and channel carries to people."""
    fresh = [a for a in due if a.incident and a.attempts == 0 and a.channel not in MACHINES]
    fresh.sort(key=lambda a: (a.channel, a.route, a.created, a.message_id))
    for _, group in groupby(fresh, key=lambda a: (a.channel, a.route)):
        yield list(group)


def _silence_of(active: Sequence[Silence], alert: Alert, now: datetime) -> Silence | None:
    facts = alert.incident_facts
    return active_silence(active, facts.hit or (alert.service,), facts.affected, now)


def _urgent(alert: Alert) -> bool:
    begins = (Transition.OPENED, Transition.WORSE, Transition.WORSE_AGAIN, Transition.UNDER_WAY)
    return alert.transition in begins and alert.incident_facts.impact is Impact.CRITICAL
