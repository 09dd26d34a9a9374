"""Where rows come from: one upstream kind a file, each a pure `parse_…` and a class with `fetch`.

`SOURCES` maps a kind to the function that builds its sources from the configuration. A source that needs a key it
does not have builds nothing: the product works without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from pipeline.config import Config, resolve_near
from pipeline.fetch import Fetcher
from pipeline.model import Batch
from pipeline.sources.complaints import CountsFileSource, DownStatusSource
from pipeline.sources.feed import FeedSource
from pipeline.sources.hacker_news import HackerNewsSource
from pipeline.sources.reddit import RedditSource
from pipeline.sources.statuspage import StatuspageSource


class Source(Protocol):
    """One upstream."""

    name: str

    def fetch(self, since: datetime, now: datetime, memory: Mapping[str, str]) -> Batch:
        """Return what is new since a moment; raises SourceError."""
        ...


# news that names a vendor, a regulator or a whole sector; a reader may add feeds of their own in groundswell.toml
DEFAULT_FEEDS = (
    "https://feeds.bbci.co.uk/news/technology/rss.xml",
    "https://www.theguardian.com/technology/rss",
    "https://rss.nytimes.com/services/xml/rss/nyt/Technology.xml",
    "https://techcrunch.com/feed/",
    "https://www.theregister.com/headlines.atom",
    "https://tech.slashdot.org/slashdot.rss",
)


def author_salt(config: Config) -> bytes:
    salt = config.secrets.author_salt
    return salt.get_secret_value().encode() if salt else b"groundswell"


def _statuspages(config: Config, fetcher: Fetcher, near: Path | None) -> Sequence[Source]:
    chosen = [config.catalogue[service] for service in config.watched]
    base = config.sources.statuspage_base
    return [
        StatuspageSource(s.id, f"{base.rstrip('/')}/{s.id}" if base else s.status_page, fetcher)
        for s in chosen
        if config.sources.statuspage and s.status_format == "statuspage"
    ]


def _feeds(config: Config, fetcher: Fetcher, near: Path | None) -> Sequence[Source]:
    return [FeedSource(url, fetcher) for url in (config.sources.feeds or DEFAULT_FEEDS)]


def _hacker_news(config: Config, fetcher: Fetcher, near: Path | None) -> Sequence[Source]:
    if not config.sources.hacker_news:
        return []
    # with nothing named to watch, two words find what is talked of as broken; the catalogue says what it is about
    names = tuple(config.catalogue[service].name for service in config.watch) or ("outage", "down")
    return [HackerNewsSource(names, fetcher, salt=author_salt(config), base=config.sources.hacker_news_base)]


def _complaints(config: Config, fetcher: Fetcher, near: Path | None) -> Sequence[Source]:
    files: list[Source] = [CountsFileSource(resolve_near(near, name)) for name in config.sources.counts]
    if not config.sources.downstatus:
        return files
    base = config.sources.downstatus_base
    return files + [
        DownStatusSource(service, config.catalogue[service].downstatus, fetcher, base)
        for service in config.watch
        if config.catalogue[service].downstatus
    ]


def _reddit(config: Config, fetcher: Fetcher, near: Path | None) -> Sequence[Source]:
    key, secret = config.secrets.reddit_client_id, config.secrets.reddit_client_secret
    communities = sorted({name for service in config.watch for name in config.catalogue[service].communities})
    if not config.sources.reddit or key is None or secret is None or not communities:
        return []
    return [
        RedditSource(communities, client_id=key.get_secret_value(), client_secret=secret.get_secret_value(),
                     salt=author_salt(config), base=config.sources.reddit_base,
                     session=fetcher.session("reddit"))
    ]  # fmt: skip


SOURCES: dict[str, Callable[[Config, Fetcher, Path | None], Sequence[Source]]] = {
    "statuspage": _statuspages,
    "feed": _feeds,
    "complaints": _complaints,
    "hacker_news": _hacker_news,
    "reddit": _reddit,
}
