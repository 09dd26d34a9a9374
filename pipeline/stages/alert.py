"""Alert: send what is due. The row was written with the finding; the message is sent, and only then marked.

A kill between sending and marking sends the message again with the same Message-ID: at least once, and never twice
by Message-ID. A failure that may pass keeps the alert due; one that cannot is kept as failed and shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from pipeline.channels import Channel
from pipeline.errors import ChannelError
from pipeline.model import Run
from pipeline.store import Store
from pipeline.store.outbox import count_alerts, due_alerts, mark_failed, mark_sent
from pipeline.store.runs import record_run

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)


def run_alert(store: Store, channels: Mapping[str, Channel], now: datetime) -> Run:
    """Send every due alert through its channel; one that fails never keeps the next from going."""
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
