"""Every reader of a status page, in the order in which they are asked whether an answer is theirs."""

from __future__ import annotations

from pipeline.sources.status.apis import API_READERS
from pipeline.sources.status.feeds import FEED_READERS
from pipeline.sources.status.reader import Answer, Reader
from pipeline.sources.status.statuspage_json import STATUSPAGE

READERS: tuple[Reader, ...] = (STATUSPAGE, *API_READERS, *FEED_READERS)
BY_NAME = {reader.name: reader for reader in READERS}
AUTO, NOT_READ, ATOM = "auto", "none", "atom"  # values of status_format beside the readers' names
# where pages of an unknown platform are asked, the likeliest first; an empty path is the page itself
FIRST_PATHS = ("api/v2/incidents.json", "")
FURTHER_PATHS = ("history.atom", "feed.rss", "feed.atom", "index.json", "en/feed.atom", "feed", "rss", "incidents.json")
FEED_PATHS = ("history.atom", "feed.atom", "feed.rss", "en/feed.atom", "feed", "rss", "history.rss", "feed.xml")


def reader_of(answer: Answer, first: Reader | None = None) -> Reader | None:
    """Return the reader that recognises an answer, None when none does.

    `first`, the one that read the page last, is asked before the others; the general reader of feeds is always last.
    """
    known = [] if first is None or first is READERS[-1] else [first]
    return next((reader for reader in (*known, *READERS) if reader.recognises(answer)), None)


def paths_of(status_format: str, page_body: bytes = b"") -> list[str]:
    """Return the paths to try for a configured format; for `auto`, those of platforms the page's own text names."""
    if status_format == ATOM:
        return list(FEED_PATHS)
    if status_format in BY_NAME:
        return list(BY_NAME[status_format].paths)
    text = page_body[:500_000].lower()
    named = [reader for reader in READERS if any(marker.encode() in text for marker in reader.markers)]
    return [path for reader in named for path in reader.paths]
