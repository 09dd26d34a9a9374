"""What is due, made what is to be sent: muted, superseded, capped and merged into one message, before any is sent.

`mute` what a silence covers, `supersede` what newer news replaces, `cap` what is above a route's messages in an hour,
`coalesce` what comes together into one message.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from msgspec import Struct

from pipeline.config.settings import Config
from pipeline.core.alerts import Alert, Silence, message_id
from pipeline.core.vocabulary import Impact, Transition
from pipeline.notify.digest import summary_message
from pipeline.notify.routing import active_silence
from pipeline.store import Store
from pipeline.store.operators import silences
from pipeline.store.outbox import merge_into_summary, postpone, sent_since, supersede_older, withdraw

logger = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
MACHINES = ("webhook", "alertmanager", "pagerduty")
MANY = 3  # incidents at once, from which one message names all


class Delivery(Struct, frozen=True, kw_only=True):
    """How many messages a route takes in an hour, and how long the first of an incident waits for others."""

    max_per_hour: int = 20
    group_wait: timedelta = timedelta(0)


DEFAULT_DELIVERY = Delivery()


def delivery_of(config: Config) -> Delivery:
    """Return how messages leave, as configured."""
    return Delivery(max_per_hour=config.alerts.max_per_hour, group_wait=config.alerts.group_wait)


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
