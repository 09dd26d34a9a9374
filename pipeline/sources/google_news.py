"""Google News: a day's search for each watched service and its vendor, read as a feed."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from pipeline.config.settings import Config
from pipeline.core.catalogue import Service
from pipeline.http.session import HttpClient
from pipeline.sources.feed import GOOGLE, FeedSource
from pipeline.sources.spec import (
    MOST_SEARCHES,
    Coverage,
    DocsRow,
    ReadPlan,
    SourceSpec,
    first_reason,
    searched_services,
    unsearched,
)

ABOUT = "(outage OR down OR hacked OR ban OR ordered OR directive OR sanctions OR lawsuit)"


def search_address(name: str, vendor: str) -> str:
    """Return the address of Google News' search for a service or its vendor, with what makes either newsworthy."""
    who = f'("{name}" OR "{vendor}")' if vendor and vendor != name else f'"{name}"'
    query = urlencode({"q": f"{who} {ABOUT} when:1d", "hl": "en-US", "gl": "US", "ceid": "US:en"})
    return f"https://{GOOGLE}/rss/search?{query}"


def _build(config: Config, client: HttpClient, config_path: Path | None) -> list[FeedSource]:
    if not config.sources.google_news:
        return []
    base = config.sources.google_news_base.rstrip("/")
    return [
        FeedSource(
            search_address(s.name, s.vendor).replace(f"https://{GOOGLE}", base),
            client,
            name=f"google_news:{s.id}",
            stored_as="google_news",
        )
        for s in searched_services(config)
    ]


def _covers(plan: ReadPlan, service: Service) -> Coverage:
    how = f'"{service.name}" or "{service.vendor}" in the news of a day'
    return first_reason(f"google_news:{service.id}" in plan.built, how, unsearched(plan, service))


SPEC = SourceSpec(
    kind="google_news",
    label="Google News",
    build=_build,
    covers=_covers,
    remedy="wait an hour; sources.google_news = false leaves it out",
    docs=DocsRow(
        "Google News (`google_news`)",
        "a day's search for each watched service and its vendor, folded by headline and outlet",
        "none",
        f"one search a service, of the first {MOST_SEARCHES}",
        "at once",
    ),
)
