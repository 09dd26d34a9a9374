"""Alerts in the outbox, and silences."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pipeline.core.alert_facts import AlertFacts, MessageFacts
from pipeline.core.vocabulary import Transition


def message_id(*parts: str) -> str:
    """Return the Message-ID that what it tells of gives it: the same for ever."""
    return f"<{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:24]}@groundswell>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A row of the outbox: `facts` is everything the message says, fixed when the row is written.

    `route` is whose mail it is; empty where no routes are configured. `pending_recipients`
    are the addresses that were put off while the others have it (empty: all), `refused_recipients` those refused for
    good. `dissolved` are ids of incidents that became part of this one after messages named them.
    """

    message_id: str
    incident: str
    service: str
    transition: Transition
    channel: str
    created: datetime
    due_at: datetime
    subject: str
    facts: MessageFacts
    sent_at: datetime | None = None
    attempts: int = 0
    error: str = ""
    failed: bool = False
    route: str = ""
    pending_recipients: tuple[str, ...] = ()
    refused_recipients: tuple[str, ...] = ()
    dissolved: tuple[str, ...] = ()

    @property
    def incident_facts(self) -> AlertFacts:
        """Return the facts of a message about one incident; raises TypeError on any other message."""
        if not isinstance(self.facts, AlertFacts):
            raise TypeError(f"{self.message_id} is about no single incident")
        return self.facts

    @property
    def named_services(self) -> frozenset[str]:
        """Return the services a message is about: its own, and the members of a shared failure that it names.

        Empty for a message about no single incident; what a summary stands for has rows of its own.
        """
        return frozenset((self.service, *self.facts.hit)) if isinstance(self.facts, AlertFacts) else frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """No message about a service (about one part only, where one is named) is sent in [since, until), and why."""

    id: int
    service: str
    component: str
    since: datetime
    until: datetime
    reason: str
    author: str

    def covers(self, service: str, affected: Iterable[str], at: datetime) -> bool:
        """Return whether it keeps a service quiet at a moment: all parts affected then are the one it names."""
        if service != self.service or not self.since <= at < self.until:
            return False
        return not self.component or set(affected) == {self.component}
