"""Alert: send what is due. The row was written with the finding; the message is sent, and only then marked.

The steps: `prepare` what is due, `send` each message, `record` what became of it. A kill between sending and recording
sends the message again with the same Message-ID: at least once, and never twice by Message-ID.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from pipeline.core.alerts import Alert
from pipeline.core.errors import ChannelError
from pipeline.core.records import Run
from pipeline.core.vocabulary import RunOutcome, Transition
from pipeline.stages.alert.prepare import DEFAULT_DELIVERY, Delivery, prepare
from pipeline.stages.alert.repeating import repeat_open_alerts
from pipeline.store import Store
from pipeline.store.outbox import count_alerts, due_alerts, mark_failed, mark_sent, waiting
from pipeline.store.runs import record_run

if TYPE_CHECKING:
    from pipeline.notify.channels import Channel

logger = logging.getLogger(__name__)

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)


class Outcome(Struct, frozen=True, kw_only=True):
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


def run_alert(
    store: Store, channels: Mapping[str, Channel], now: datetime, delivery: Delivery = DEFAULT_DELIVERY
) -> Run:
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
