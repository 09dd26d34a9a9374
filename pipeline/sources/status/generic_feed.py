"""Every other feed: one incident an entry, with title, link, first and last time, and a state where words tell one."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from pipeline.sources.parsing import reject, unmarked
from pipeline.sources.status.feed_entries import FeedEntry, digest, feed_text, named_by, read_entries
from pipeline.sources.status.feed_incidents import BODY_CAP, EntryIncident, EntryUpdate, Row, reading_of, rows_of
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.text.status_words import MAINTENANCE, is_maintenance, split_state, state_from_words

_JSON_FEED = b"https://jsonfeed.org/version/"


def recognises(answer: Answer) -> bool:
    """Return whether an answer is a feed of any kind."""
    return bool(feed_text(answer.body)) or _JSON_FEED in answer.body[:2000]


def read(answer: Answer, context: PageContext) -> Reading:
    """Read a feed. Raises SourceError when the bytes are no feed."""
    feed = read_entries(answer, context)
    grouped: dict[str, list[FeedEntry]] = {}
    shared = _shared(feed.entries)
    for entry in feed.entries:
        grouped.setdefault(_incident_id(entry, shared), []).append(entry)
    rows = (row for incident_id, entries in grouped.items() for row in _rows(incident_id, entries, context))
    return reading_of(feed, rows)


def _shared(entries: Sequence[FeedEntry]) -> frozenset[str]:
    """Return the names of ids and links that stand for several incidents, as that of a page all entries link to."""
    meant: dict[str, set[str]] = {}
    for entry in entries:
        own = entry.id if entry.id != entry.link else ""
        meant.setdefault(named_by(entry.id or entry.link), set()).add(own or split_state(entry.title).title)
    return frozenset(name for name, several in meant.items() if len(several) > 1)


def _incident_id(entry: FeedEntry, shared: Container[str]) -> str:
    """Return the last part of an entry's id or link, where that names it alone; else a digest of what it has."""
    name = named_by(entry.id or entry.link)
    if name and name not in shared:
        return name
    own = entry.id if entry.id != entry.link else ""
    return digest(own or entry.link + split_state(entry.title).title)


def _rows(incident_id: str, entries: Sequence[FeedEntry], context: PageContext) -> Iterator[Row]:
    """Yield the rows of entries with one id, which are updates of one incident, the newest first."""
    updates: list[EntryUpdate] = []
    for entry in reversed(entries):
        found = _updates(entry, first=not updates)
        if not found:
            yield reject(entry.place, "no time that is certain", entry.title or entry.html)
        updates += found
    newest = entries[0]
    if updates:
        planned = is_maintenance(newest.title) or any(update.status in MAINTENANCE for update in updates)
        yield from rows_of(
            EntryIncident(
                place=newest.place,
                id=incident_id,
                title=split_state(newest.title).title or unmarked(newest.html, 120),
                also_named=(newest.title,),
                url=newest.link,
                updates=updates,
                impact="maintenance" if planned else "minor",
            ),
            context,
        )


def _updates(entry: FeedEntry, *, first: bool) -> list[EntryUpdate]:
    """Return an entry's first and last update, as far as they differ; none where no time is certain.

    What the entry says now belongs to its last time, the first one shows only that there was something.
    """
    times = sorted({moment for moment in (entry.published, entry.updated) if moment is not None})
    if not times:
        return []
    text = unmarked(entry.html, BODY_CAP)
    begins = "scheduled" if is_maintenance(entry.title) else "investigating"
    now = state_from_words(entry.title, text) or (begins if first and len(times) == 1 else "update")
    last = EntryUpdate(shown=times[-1], status=now, body=text, native_id=f"{times[-1]:%Y%m%dT%H%M%S}-{now}")
    if len(times) == 1:
        return [last]
    return [EntryUpdate(shown=times[0], status=begins, native_id=f"{times[0]:%Y%m%dT%H%M%S}-{begins}"), last]


GENERIC_FEED = Reader(
    name="feed",
    platform="feed",
    paths=("feed.atom", "feed.rss", "rss", "feed.xml"),
    recognises=recognises,
    read=read,
    verification=Verification.NONE,
    origin="any Atom, RSS or JSON Feed; PayPal's states before titles after a client",
)
