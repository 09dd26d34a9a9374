"""The messages of a replay as entries of the benchmark: what Groundswell itself is scored by."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType

from pipeline.core.alert_facts import AlertFacts
from pipeline.core.vocabulary import Transition
from pipeline.evaluation.days.entries import AlertEntry, EntryKind
from pipeline.store import Store
from pipeline.store.news import news_events
from pipeline.store.outbox import alerts_of

KINDS = MappingProxyType(
    {
        Transition.OPENED: EntryKind.ALARM,
        Transition.UNDER_WAY: EntryKind.ALARM,
        Transition.REOPENED: EntryKind.ALARM,
        Transition.CONFIRMED: EntryKind.UPDATE,
        Transition.WORSE: EntryKind.UPDATE,
        Transition.WORSE_AGAIN: EntryKind.UPDATE,
        Transition.COMPONENT_ADDED: EntryKind.UPDATE,
        Transition.EASING: EntryKind.EASING,
        Transition.REMINDER: EntryKind.EASING,
        Transition.OVER: EntryKind.OVER,
    }
)
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)


def entries_of(store: Store, day: str) -> list[AlertEntry]:
    """Return an entry for each message about an incident that was sent, oldest first; `day` is the recording's name.

    Links are the ids of the news items folded into the events that a message shows. That services of a shared failure
    are restored is their end; the message that ends the whole names the end of the others.
    """
    items = {event.title: tuple(native for _, native in event.items) for event, _ in news_events(store, _FIRST, _LAST)}
    entries: dict[str, AlertEntry] = {}
    over: dict[str, set[str]] = {}  # of each shared failure, the services whose end a message has named
    for alert in alerts_of(store):
        facts = alert.facts
        if alert.sent_at is None or alert.transition not in KINDS or not isinstance(facts, AlertFacts):
            continue
        kind, services = KINDS[alert.transition], alert.named_services
        ended = over.setdefault(alert.incident, set())
        if kind.warns:
            ended.clear()
        if facts.restored:
            kind, services = EntryKind.OVER, frozenset(facts.restored)
            ended |= services
        elif kind is EntryKind.OVER:
            services = services - ended or services
        entries[alert.message_id] = AlertEntry(
            at=alert.sent_at,
            services=tuple(sorted(services)),
            kind=kind,
            alarm=alert.incident,
            components=() if facts.hit else tuple(facts.affected),  # of a shared failure they are its members
            links=tuple(native for link in facts.links for native in items.get(link.title, ())),
            day=day,
        )
    return sorted(entries.values(), key=lambda entry: entry.at)
