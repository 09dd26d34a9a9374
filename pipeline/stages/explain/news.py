"""The first pass of explain: new items of news are folded into events, and their claims read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from pipeline.core.news_events import NewsEvent
from pipeline.core.records import NewsItem
from pipeline.store import Store
from pipeline.store.news import news_events, put_claims, put_news_events
from pipeline.store.observations import news_items
from pipeline.store.runs import get_checkpoint, set_checkpoint
from pipeline.text.claims import claims
from pipeline.text.models.kinds import NewsModel
from pipeline.text.news import fold_items
from pipeline.text.services import ServiceMatcher

NEWS_SPAN = timedelta(days=10)


def fold_news(
    store: Store, matcher: ServiceMatcher, model: Callable[[], NewsModel], now: datetime
) -> list[tuple[NewsEvent, str]]:
    """Fold new items into events when any came; return the events of the last ten days with their first item's text."""
    items = news_items(store, now - NEWS_SPAN, now)
    digest = store.kept.worked_out("digest of the news", items, lambda: _digest(items))
    known = news_events(store, now - NEWS_SPAN, now)
    if get_checkpoint(store, "explain", "news") == digest:
        return known
    stored = {event.id: event for event, _ in known}
    kinds = {event.id: event.kind for event in stored.values()}
    changed = [
        event
        for event in fold_items(items, matcher, lambda title, text: model().kind(title, text), kinds)
        if stored.get(event.id) != event
    ]
    by_key = {(i.source, i.native_id): i for i in items}
    claimed = [
        (*key, claims(f"{item.title}. {item.summary}", item.published.date()))
        for event in changed
        for key in event.items
        if (item := by_key[key]).published is not None
    ]
    store.kept.forget_news()
    with store.transaction() as conn:
        put_news_events(conn, changed)
        put_claims(conn, claimed)
        set_checkpoint(conn, "explain", "news", digest)
    return news_events(store, now - NEWS_SPAN, now)


def _digest(items: Sequence[NewsItem]) -> str:
    return hashlib.sha256(json.dumps([(i.source, i.native_id, i.title) for i in items]).encode()).hexdigest()
