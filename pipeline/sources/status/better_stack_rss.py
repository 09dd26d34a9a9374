"""Better Stack's `/feed` and `/feed.rss`: one item an update, known by an incident's address or by a digest of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from pipeline.sources.parsing import FUTURE, reject, unmarked
from pipeline.sources.status.feed_entries import FeedEntry, digest, feed_head, feed_text, named_by, read_entries
from pipeline.sources.status.feed_incidents import BODY_CAP, EntryIncident, EntryUpdate, Row, reading_of, rows_of
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.text.status_words import is_maintenance, state_from_words

_INCIDENT = re.compile(r"/incident/\d{3,12}(?=[#/?<\s]|$)")
_GUID = re.compile(r"<guid[^<>]{0,60}>[^<]{4,200}#[0-9a-z]{6,64}</guid>")
_PLANNED = "maintenance"


def recognises(answer: Answer) -> bool:
    """Return whether the ids of an RSS feed's items are addresses with a digest, as Better Stack's are."""
    text = feed_text(answer.body)
    items = text[len(feed_head(answer.body)) :]
    return "<rss" in text[:4000] and bool(_GUID.search(items))


def read(answer: Answer, context: PageContext) -> Reading:
    """Read the feed. Raises SourceError when the bytes are no feed."""
    feed = read_entries(answer, context)
    return reading_of(feed, _rows(feed.entries, context))


def _rows(entries: Sequence[FeedEntry], context: PageContext) -> Iterator[Row]:
    grouped: dict[str, list[FeedEntry]] = {}
    for entry in entries:
        if entry.published is None:
            yield reject(entry.place, "no time that is certain", entry.title)
        else:
            grouped.setdefault(_incident_id(entry), []).append(entry)
    for incident_id, group in grouped.items():
        yield from rows_of(_incident(incident_id, group, context.fetched_at), context)


def _incident_id(entry: FeedEntry) -> str:
    """Return the number in an incident's address; else the guid, which updates of one incident share."""
    match = _INCIDENT.search(entry.link) or _INCIDENT.search(entry.id)
    return named_by(f"https://page{match[0]}") if match else digest(entry.id or entry.title)


def _incident(incident_id: str, entries: Sequence[FeedEntry], now: datetime) -> EntryIncident:
    """Return an incident; one that lies ahead is planned, and its time is when it is planned for."""
    ahead = [entry.published for entry in entries if entry.published and entry.published > now + FUTURE]
    planned = bool(ahead) or any(is_maintenance(entry.title) for entry in entries)
    updates = []
    for entry in reversed(entries):
        text = unmarked(entry.html, BODY_CAP)
        status = state_from_words(entry.title, text) or ("scheduled" if planned else "investigating")
        if entry.published is not None and entry.published <= now + FUTURE:
            updates.append(EntryUpdate(shown=entry.published, status=status, body=text or entry.title))
    return EntryIncident(
        place=entries[0].place,
        id=incident_id,
        title=entries[-1].title,
        also_named=(entries[-1].title,),
        url=entries[0].link,
        updates=updates,
        impact=_PLANNED if planned else "minor",
        scheduled_for=min(ahead, default=None),
    )


BETTER_STACK_FEED = Reader(
    name="better_stack_rss",
    platform="Better Stack",
    paths=("feed", "feed.rss"),
    recognises=recognises,
    read=read,
    verification=Verification.CLIENT,
    origin="bentleypark/aiwatch, its parser; a watcher of HighLevel's page",
)
