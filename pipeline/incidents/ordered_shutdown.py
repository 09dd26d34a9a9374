"""Whether a service was switched off on purpose, as news of these days says: by law, by a court, by its owner. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from pipeline.core.incidents import Incident
from pipeline.core.news_events import NewsEvent
from pipeline.text.normalize import normalize
from pipeline.text.patterns import PatternSet

BEFORE = timedelta(days=7)  # an order is known so long before it takes effect
_ORDERED = PatternSet("ordered_shutdown")


def is_ordered(incident: Incident, events: Iterable[NewsEvent], now: datetime) -> bool:
    """Return whether a headline that names the service, from a week before the onset to the end, tells of an order."""
    until = incident.end or now
    return any(
        incident.service in event.services
        and incident.onset - BEFORE <= event.first_seen <= until
        and bool(_ORDERED.matched(normalize(event.title)))
        for event in events
    )
