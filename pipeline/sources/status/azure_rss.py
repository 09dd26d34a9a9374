"""Azure's `/en-us/status/feed/`: one item an open incident, none when all is well."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.sources.parsing import unmarked
from pipeline.sources.status.feed_entries import StatusFeed, feed_head, read_entries
from pipeline.sources.status.feed_incidents import BODY_CAP, EntryIncident, EntryUpdate
from pipeline.sources.status.open_items import read_open_items
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.text.status_words import state_from_words

_HOMES = ("<title>azure status</title>", "azure.status.microsoft", "status.azure.com", "azure.microsoft.com")


def recognises(answer: Answer) -> bool:
    """Return whether an RSS feed says that it is Azure's."""
    head = feed_head(answer.body)
    return "<rss" in head and any(home in head for home in _HOMES)


def read(answer: Answer, context: PageContext) -> Reading:
    """Read the feed. Raises SourceError when the bytes are no feed."""
    feed = read_entries(answer, context)
    return read_open_items(feed, _incidents(feed), context)


def _incidents(feed: StatusFeed) -> Iterator[EntryIncident]:
    for entry in feed.entries:
        text = unmarked(entry.html, BODY_CAP)
        updates = []
        if entry.published is not None:
            status = state_from_words(entry.title, text) or "investigating"
            updates.append(EntryUpdate(shown=entry.published, status=status, body=text))
        yield EntryIncident(place=entry.place, id=entry.id, title=entry.title, url=entry.link, updates=updates)


AZURE_FEED = Reader(
    name="azure_rss",
    platform="Azure",
    paths=("en-us/status/feed/", "status/feed/"),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin=(
        "an empty feed of August 2026 and items of October 2018 in clients (public files 60764801699, 27217359529);"
        " an item of an open incident after clients' tests alone"
    ),
)
