"""Where a reader of a message can look for themselves: the provider's page and notices, posts, articles. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote, quote_plus

from pipeline.core.alert_facts import OutLink
from pipeline.core.catalogue import Service
from pipeline.core.news_events import NewsEvent
from pipeline.core.reports import Report
from pipeline.incidents.episodes import ProviderIncident

NOTICES, ARTICLES, PAGES, COMMUNITIES = 2, 3, 4, 2
FEWEST = 3
SEARCHES = (
    ("Reddit", "https://www.reddit.com/search/?sort=new&q="),
    ("Google News", "https://news.google.com/search?q="),
    ("Bluesky", "https://bsky.app/search?q="),
)
_ADDRESS = re.compile(r"https?://[^\s<>\"'\\^`{|}]{1,500}")


def out_links(
    services: Sequence[Service],
    notices: Sequence[ProviderIncident],
    posts: Sequence[Report],
    articles: Sequence[NewsEvent],
) -> tuple[OutLink, ...]:
    """Return addresses of status pages, notices, posts and articles, and of where users of a service talk, each once.

    `services` are the one that fails, or those of a shared failure, the first of which is named where fewer than FEWEST
    are known: searches for it are added. What is no address of the web is left out.
    """
    links: dict[str, OutLink] = {}
    for link in _links(services, notices, posts, articles):
        if _ADDRESS.fullmatch(link.url):
            links.setdefault(link.url, link)
    searches = [] if len(links) >= FEWEST else _searches(services[0].name)[: FEWEST - len(links)]
    return (*links.values(), *searches)


def _searches(name: str) -> list[OutLink]:
    return [OutLink(f"search for {name} on {where}", address + quote_plus(name)) for where, address in SEARCHES]


def _links(
    services: Sequence[Service],
    notices: Sequence[ProviderIncident],
    posts: Sequence[Report],
    articles: Sequence[NewsEvent],
) -> Iterator[OutLink]:
    for service in services[:PAGES]:
        yield OutLink(f"status page of {service.name}", service.status_page)
    for notice in notices[-NOTICES:]:
        yield OutLink(f"notice of the provider: {notice.name}", notice.url or _statuspage_address(notice, services))
    for post in posts:
        where = post.community or post.source
        yield OutLink(f"report on {where}, {post.created:%H:%M} UTC", post.url)
    for event in articles[:ARTICLES]:
        yield OutLink(f"article: {event.title}", event.url)
    for service in services[:PAGES]:
        for community in service.communities[: COMMUNITIES if len(services) == 1 else 1]:
            yield OutLink(f"what users write on r/{community}", f"https://www.reddit.com/r/{community}/new/")
        if service.downdetector:
            yield OutLink(
                f"complaints about {service.name}", f"https://downdetector.com/status/{service.downdetector}/"
            )


def _statuspage_address(notice: ProviderIncident, services: Sequence[Service]) -> str:
    """Return where Statuspage shows an incident whose address is not known; empty where the page is no such one."""
    page = notice.updates[0].page
    for service in services:
        if service.page == page and service.status_format == "statuspage":
            return f"{service.status_page}/incidents/{quote(notice.id, safe='')}"
    return ""
