"""Where rows come from: one upstream kind a file, each with pure `parse_…` functions and a class with `fetch`.

`SOURCES` maps a kind to the function that builds its sources from the configuration. A source that needs a key it
does not have builds nothing: the product works without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from pipeline.config.load import Config, resolve_near
from pipeline.core.catalogue import Service
from pipeline.core.records import Batch
from pipeline.http.session import HttpClient
from pipeline.sources.bluesky import BlueskySource
from pipeline.sources.charts import ChartSource
from pipeline.sources.complaints import CountsFileSource
from pipeline.sources.downdetector import DowndetectorSource, Token
from pipeline.sources.downstatus import DownStatusSource
from pipeline.sources.feed import GOOGLE, FeedSource, feed_sources, google_news
from pipeline.sources.hacker_news import HackerNewsSource
from pipeline.sources.mastodon import MastodonSource
from pipeline.sources.reddit import RedditSource
from pipeline.sources.statuspage import StatuspageSource


class Source(Protocol):
    """One upstream."""

    name: str

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        """Return what is new since a moment; raises SourceError."""
        ...


# read unless sources.news_desks is off: an announcement that makes a vendor famous, or bans it, comes from a
# ministry, a regulator or a wire before a technology desk has it
NEWS_DESKS = {
    "politics": (
        "https://feeds.bbci.co.uk/news/politics/rss.xml",
        "https://www.theguardian.com/politics/rss",
        "https://www.theguardian.com/us-news/rss",
        "https://rss.politico.com/politics-news.xml",
        "https://thehill.com/feed/",
        "https://rss.nytimes.com/services/xml/rss/nyt/Politics.xml",
        "https://feeds.npr.org/1014/rss.xml",
    ),
    "regulators": (
        "https://www.ftc.gov/feeds/press-release.xml",
        "https://www.justice.gov/news/rss",
        "https://www.sec.gov/news/pressreleases.rss",
        "https://www.gov.uk/search/news-and-communications.atom",
        "https://ec.europa.eu/commission/presscorner/api/rss",
        "https://www.federalregister.gov/api/v1/documents.rss",
    ),
    "wires and world": (
        "https://feeds.bbci.co.uk/news/world/rss.xml",
        "https://www.aljazeera.com/xml/rss/all.xml",
        "https://rss.dw.com/rdf/rss-en-all",
        "https://www.france24.com/en/rss",
        "https://www3.nhk.or.jp/rss/news/cat0.xml",
        "https://www.cbc.ca/webfeed/rss/rss-world",
    ),
    "technology": (
        "https://feeds.bbci.co.uk/news/technology/rss.xml",
        "https://www.theguardian.com/technology/rss",
        "https://rss.nytimes.com/services/xml/rss/nyt/Technology.xml",
        "https://techcrunch.com/feed/",
        "https://www.theregister.com/headlines.atom",
        "https://tech.slashdot.org/slashdot.rss",
    ),
}
MOST_QUERIES = 60


def author_salt(config: Config) -> bytes:
    """Return the key under which authors' names are hashed."""
    salt = config.secrets.author_salt
    return salt.get_secret_value().encode() if salt else b"groundswell"


def _named(config: Config) -> list[Service]:
    """Return the services the configuration names; none when the whole catalogue is watched."""
    return [config.catalogue[service] for service in config.watch]


def _pair(key: SecretStr | None, secret: SecretStr | None) -> tuple[str, str] | None:
    return None if key is None or secret is None else (key.get_secret_value(), secret.get_secret_value())


def _statuspages(config: Config, client: HttpClient, near: Path | None) -> Sequence[Source]:
    chosen = [config.catalogue[service] for service in config.watched]
    base = config.sources.statuspage_base.rstrip("/")
    return [
        StatuspageSource(s.id, f"{base}/{s.id}" if base else s.status_page, client, atom=s.status_format == "atom")
        for s in chosen
        if config.sources.statuspage and s.status_format
    ]


def _feeds(config: Config, client: HttpClient, near: Path | None) -> Sequence[Source]:
    desks = [url for urls in NEWS_DESKS.values() for url in urls] if config.sources.news_desks else []
    return feed_sources([*config.sources.feeds, *desks], client)


def _google_news(config: Config, client: HttpClient, near: Path | None) -> Sequence[Source]:
    if not config.sources.google_news:
        return []
    base = config.sources.google_news_base.rstrip("/")
    return [
        FeedSource(
            google_news(s.name, s.vendor).replace(f"https://{GOOGLE}", base),
            client,
            name=f"google_news:{s.id}",
            stored_as="google_news",
        )
        for s in _named(config)[:MOST_QUERIES]
    ]


def _hacker_news(config: Config, client: HttpClient, near: Path | None) -> Sequence[Source]:
    if not config.sources.hacker_news:
        return []
    # with nothing named to watch, two words find what is talked of as broken; the catalogue says what it is about
    names = tuple(service.name for service in _named(config)) or ("outage", "down")
    return [HackerNewsSource(names, client, salt=author_salt(config), base=config.sources.hacker_news_base)]


def _downstatus(config: Config, client: HttpClient, near: Path | None) -> Sequence[Source]:
    base = config.sources.downstatus_base
    return [
        DownStatusSource(s.id, s.downstatus, client, base)
        for s in _named(config)
        if config.sources.downstatus and s.downstatus
    ]


def _downdetector(config: Config, client: HttpClient, near: Path | None) -> Sequence[Source]:
    key = _pair(config.secrets.downdetector_client_id, config.secrets.downdetector_client_secret)
    if not config.sources.downdetector or key is None:
        return []
    token = Token(config.sources.downdetector_base, *key)
    return [
        DowndetectorSource(s.id, s.downdetector or s.downstatus, token, client, config.sources.downdetector_countries)
        for s in _named(config)
        if s.downdetector or s.downstatus
    ]


def _counts(config: Config, client: HttpClient, near: Path | None) -> Sequence[Source]:
    paths = [resolve_near(near, name) for name in config.sources.counts]
    shared = {path.name for path in paths if [p.name for p in paths].count(path.name) > 1}
    # two files of one name are two sources
    return [
        CountsFileSource(path, f"counts:{path.parent.name}-{path.name}" if path.name in shared else "")
        for path in paths
    ]


def _reddit(config: Config, client: HttpClient, near: Path | None) -> Sequence[Source]:
    key = _pair(config.secrets.reddit_client_id, config.secrets.reddit_client_secret)
    own = {name for service in _named(config) for name in service.communities}
    communities = sorted({*own, *config.sources.communities}, key=str.lower)
    if not config.sources.reddit or key is None or not communities:
        return []
    return [
        RedditSource(
            communities,
            client,
            client_id=key[0],
            client_secret=key[1],
            salt=author_salt(config),
            base=config.sources.reddit_base,
        )
    ]


def hashtags(config: Config) -> list[str]:
    """Return the hashtags to read: those of the configuration, else `…down` of each service named, and #outage."""
    made = [re.sub(r"\W", "", s.name.lower()) + "down" for s in _named(config)]
    return list(config.sources.mastodon_tags) or [*made, "outage"]


def _mastodon(config: Config, client: HttpClient, near: Path | None) -> Sequence[Source]:
    tags = hashtags(config)
    return [MastodonSource(url, tags, client, salt=author_salt(config)) for url in config.sources.mastodon]


def _bluesky(config: Config, client: HttpClient, near: Path | None) -> Sequence[Source]:
    key = _pair(config.secrets.bluesky_identifier, config.secrets.bluesky_password)
    names = [service.name for service in _named(config)]
    if not config.sources.bluesky or key is None or not names:
        return []
    return [
        BlueskySource(
            names,
            client,
            identifier=key[0],
            password=key[1],
            salt=author_salt(config),
            base=config.sources.bluesky_base,
        )
    ]


def _charts(config: Config, client: HttpClient, near: Path | None) -> Sequence[Source]:
    base, legacy = config.sources.charts_base, config.sources.charts_legacy_base
    return [ChartSource(where, client, base=base, legacy_base=legacy) for where in config.sources.charts]


SOURCES: dict[str, Callable[[Config, HttpClient, Path | None], Sequence[Source]]] = {
    "statuspage": _statuspages,
    "feed": _feeds,
    "google_news": _google_news,
    "counts": _counts,
    "downstatus": _downstatus,
    "downdetector": _downdetector,
    "hacker_news": _hacker_news,
    "reddit": _reddit,
    "mastodon": _mastodon,
    "bluesky": _bluesky,
    "charts": _charts,
}


def build_sources(config: Config, client: HttpClient, near: Path | None, only: Sequence[str] = ()) -> list[Source]:
    """Return every configured source, or those whose name or kind (the part before the colon) is in `only`."""
    found = [source for build in SOURCES.values() for source in build(config, client, near)]
    return [s for s in found if not only or s.name in only or s.name.split(":")[0] in only]
