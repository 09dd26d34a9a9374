"""Every reader of a status page, in the order in which they are asked whether an answer is theirs."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.sources.status.apis import API_READERS
from pipeline.sources.status.feeds import FEED_READERS
from pipeline.sources.status.reader import Answer, Reader
from pipeline.sources.status.statuspage_json import STATUSPAGE

READERS: tuple[Reader, ...] = (STATUSPAGE, *API_READERS, *FEED_READERS)
BY_NAME = {reader.name: reader for reader in READERS}
AUTO, NOT_READ, ATOM = "auto", "none", "atom"  # values of status_format other than the readers' names
# where pages of an unknown platform are asked, the likeliest first; an empty path is the page itself
FIRST_PATHS = ("api/v2/incidents.json", "")
FURTHER_PATHS = ("history.atom", "feed.rss", "feed.atom", "index.json", "en/feed.atom", "feed", "rss", "incidents.json")
FEED_PATHS = ("history.atom", "feed.atom", "feed.rss", "", "en/feed.atom", "feed", "rss", "history.rss", "feed.xml")


def reader_of(answer: Answer, first: Reader | None = None) -> Reader | None:
    """Return the reader that recognises an answer, None when none does.

    `first`, the one that read the page last, is asked before the others; the general reader of feeds is always last.
    """
    known = [] if first is None or first is READERS[-1] else [first]
    return next((reader for reader in (*known, *READERS) if reader.recognises(answer)), None)


def first_paths(status_format: str) -> tuple[str, ...]:
    """Return the paths that are asked after those of the configured format; for `atom`, the page alone."""
    return ("",) if status_format == ATOM else FIRST_PATHS


def further_paths(status_format: str) -> tuple[str, ...]:
    """Return the paths that are asked last; for `atom`, none but those of feeds, which were asked before."""
    return () if status_format == ATOM else FURTHER_PATHS


def feed_paths(status_format: str) -> tuple[str, ...]:
    """Return where the feed of a configured format's platform is; of an unknown platform, where most have theirs."""
    platform = BY_NAME[status_format].platform if status_format in BY_NAME else ""
    own = tuple(path for reader in FEED_READERS if reader.platform == platform for path in reader.paths)
    return own[:2] or FURTHER_PATHS[:1]


def chosen_data(status_format: str, data: Sequence[str]) -> tuple[str, ...]:
    """Return the addresses of data a configured format leaves to be asked: `atom` is chosen over a page's API."""
    is_api = [status_format == ATOM and ("/api/" in f"/{path}" or path.endswith(".json")) for path in data]
    return tuple(path for path, left_out in zip(data, is_api, strict=True) if not left_out)


def is_chosen(reader: Reader, status_format: str) -> bool:
    """Return whether what a reader reads may be read under a configured format."""
    return status_format != ATOM or reader in FEED_READERS


def paths_of(status_format: str, page_body: bytes = b"") -> list[str]:
    """Return the paths to try for a configured format; for `auto`, those of platforms the page's own text names."""
    if status_format == ATOM:
        return list(FEED_PATHS)
    if status_format in BY_NAME:
        return list(BY_NAME[status_format].paths)
    text = page_body[:500_000].lower()
    named = [reader for reader in READERS if any(marker.encode() in text for marker in reader.markers)]
    return [path for reader in named for path in reader.paths]
