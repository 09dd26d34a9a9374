"""The configured sources pointed at their stand-ins, for every test that speaks over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from pipeline.config.load import load_config
from pipeline.config.settings import Config
from pipeline.core.times import utc
from pipeline.http.session import HttpClient
from pipeline.sources import Source, build_sources
from tests.conftest import SCENARIO
from tests.copies import replace
from tests.fakes import complaints, reddit, social
from tests.fakes.__main__ import KINDS
from tests.fakes.base import Fake
from tests.fakes.recording import Recording

NOW = utc("2026-03-02T12:00:00Z")
TWO_HOURS = NOW - timedelta(hours=2)
KEYS = {
    "GROUNDSWELL_REDDIT_CLIENT_ID": reddit.KEY[0],
    "GROUNDSWELL_REDDIT_CLIENT_SECRET": reddit.KEY[1],
    "GROUNDSWELL_DOWNDETECTOR_CLIENT_ID": complaints.KEY[0],
    "GROUNDSWELL_DOWNDETECTOR_CLIENT_SECRET": complaints.KEY[1],
    "GROUNDSWELL_BLUESKY_IDENTIFIER": social.BLUESKY[0],
    "GROUNDSWELL_BLUESKY_PASSWORD": social.BLUESKY[1],
}


def client(**options: float) -> HttpClient:
    """Return a client that may reach the stand-ins and does not wait long."""
    return HttpClient(allow=["127.0.0.1"], pause=0.01, **{"deadline": 20.0, **options})  # type: ignore[arg-type]


@cache
def recorded_day() -> Recording:
    """Return the recorded day, read once."""
    return Recording(SCENARIO)


def settings(kind: str, url: str) -> dict[str, Any]:
    """Return what [sources] says when one kind is read, from a stand-in."""
    return {
        "reddit": {"reddit_base": url},
        "statuspage": {"statuspage_base": url},
        "atom": {"statuspage_base": url},
        "downdetector": {"downdetector_base": f"{url}/v2"},
        "downstatus": {"downstatus_base": url},
        "hacker_news": {"hacker_news_base": url},
        "mastodon": {"mastodon": (url,)},
        "bluesky": {"bluesky_base": url},
        "feeds": {"feeds": (f"{url}/tech-daily.xml",)},
        "google_news": {"google_news_base": url},
        "charts": {"charts": ("us",), "charts_base": url},
        "legacy charts": {"charts": ("us:6007",), "charts_legacy_base": url},
    }[kind]


NAMES = {"statuspage": "status", "atom": "status", "feeds": "feed", "legacy charts": "charts"}
SERVED_BY = {"atom": "statuspage", "legacy charts": "charts"}


@cache
def _usual() -> Config:
    return load_config(None, KEYS)


def config_for(kind: str, url: str, **more: Any) -> Config:
    config = _usual()
    changed = {"news_desks": False, "allow_hosts": ("127.0.0.1",), **settings(kind, url), **more}
    sources = replace(config.sources, **changed)
    claude = replace(config.catalogue["claude"], status_format="atom" if kind == "atom" else "statuspage")
    catalogue = {**config.catalogue, "claude": claude}
    return replace(config, watch=("claude",), sources=sources, catalogue=catalogue)


def source_of(kind: str, url: str, client: HttpClient, **more: Any) -> Source:
    """Return the one source of a kind, as the configuration builds it."""
    (source,) = build_sources(config_for(kind, url, **more), client, None, [NAMES.get(kind, kind)])
    return source


@contextmanager
def serving(kind: str, *, now: datetime = NOW, recording: Recording | None = None, **options: Any) -> Iterator[Fake]:
    """Run the stand-in of a kind while the block lasts."""
    fake = KINDS[SERVED_BY.get(kind, kind)](recording or recorded_day(), **options)
    fake.now = now
    fake.start()
    try:
        yield fake
    finally:
        fake.close()
