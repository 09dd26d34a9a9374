"""Where a reader of a message can look for themselves: the provider's page and notices, posts, articles. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipeline.core.alert_facts import OutLink
from pipeline.core.catalogue import Service
from pipeline.core.incidents import NewsEvent
from pipeline.core.reports import Report
from pipeline.incidents.episodes import ProviderIncident

NOTICES, ARTICLES, PAGES = 2, 3, 4
_ADDRESS = re.compile(r"https?://[^\s<>\"'\\^`{|}]{1,500}")


def out_links(
    services: Sequence[Service],
    notices: Sequence[ProviderIncident],
    posts: Sequence[Report],
    articles: Sequence[NewsEvent],
) -> tuple[OutLink, ...]:
    """Return addresses of status pages, notices, posts and articles, and of where users of a service talk, each once.

    `services` are the one that fails, or those of a shared failure. What is no address of the web is left out.
    """
    links: dict[str, OutLink] = {}
    for link in _links(services, notices, posts, articles):
        if _ADDRESS.fullmatch(link.url):
            links.setdefault(link.url, link)
    return tuple(links.values())


def _links(
    services: Sequence[Service],
    notices: Sequence[ProviderIncident],
    posts: Sequence[Report],
    articles: Sequence[NewsEvent],
) -> Iterator[OutLink]:
    for service in services[:PAGES]:
        yield OutLink(f"status page of {service.name}", service.status_page)
    for notice in notices[-NOTICES:]:
        yield OutLink(f"notice of the provider: {notice.name}", notice.url)
    for post in posts:
        where = post.community or post.source
        yield OutLink(f"report on {where}, {post.created:%H:%M} UTC", post.url)
    for event in articles[:ARTICLES]:
        yield OutLink(f"article: {event.title}", event.url)
    for service in services[:PAGES]:
        for community in service.communities[:1]:
            yield OutLink(f"what users of {service.name} write", f"https://www.reddit.com/r/{community}/new/")
        if service.downdetector:
            yield OutLink(
                f"complaints about {service.name}", f"https://downdetector.com/status/{service.downdetector}/"
            )
