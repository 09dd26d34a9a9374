"""Every reader of a status page, in the order in which they are asked whether an answer is theirs."""

from __future__ import annotations

from collections.abc import Sequence

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
    """Return the reader that recognises an answer, asking `first` before the others; None when none does."""
    asked: Sequence[Reader] = READERS if first is None else (first, *READERS)
    return next((reader for reader in asked if reader.recognises(answer)), None)


def paths_of(status_format: str, page_body: bytes = b"") -> list[str]:
    """Return the paths to try for a configured format; for `auto`, those of platforms the page's own text names."""
    if status_format == ATOM:
        return list(FEED_PATHS)
    if status_format in BY_NAME:
        return list(BY_NAME[status_format].paths)
    text = page_body[:500_000].lower()
    named = [reader for reader in READERS if any(marker.encode() in text for marker in reader.markers)]
    return [path for reader in named for path in reader.paths]
