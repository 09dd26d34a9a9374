"""Which sources hear of a service, and which cannot."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.config.load import Config
from pipeline.core.catalogue import Service


def heard_by(config: Config, config_path: Path | None, service: Service) -> list[tuple[str, bool, str]]:
    """Return (source, whether it will hear of the service, how or why not) of every kind of source.

    What hears is what a run would build, no more.
    """
    from pipeline.http.session import HttpClient
    from pipeline.sources import build_sources, hashtags

    chosen, secrets = config.sources, config.secrets
    built = {source.name for source in build_sources(config, HttpClient(), config_path)}
    named = service.id in config.watch
    unnamed = "" if named else "it is not named in watch"

    def key(name: str, secret: str, note: str) -> str:
        have = getattr(secrets, name) is not None and getattr(secrets, secret) is not None
        return "" if have else f"no key: GROUNDSWELL_{name.upper()} and GROUNDSWELL_{secret.upper()} ({note})"

    def row(source: str, hears: bool, how: str, *reasons: str) -> tuple[str, bool, str]:
        return source, hears, how if hears else next((reason for reason in reasons if reason), "switched off")

    own = f"{re.sub(r'[^a-z0-9_]', '', service.name.lower())}down"
    tags = [tag for tag in hashtags(config) if tag in (own, "outage")] or hashtags(config)
    words = (*service.aliases, *service.vendor_aliases, *service.named_by)[:6]
    slug = service.downdetector or service.downstatus
    return [
        row(
            "status page",
            f"status:{service.id}" in built,
            service.status_page,
            "" if service.status_format else "the catalogue knows no page that speaks Statuspage",
            "" if service.id in config.watched else unnamed,
        ),
        row(
            "DownStatus",
            f"downstatus:{service.id}" in built,
            f"reports an hour, {service.downstatus}",
            unnamed,
            "" if service.downstatus else "no slug in the catalogue",
        ),
        row(
            "Downdetector",
            f"downdetector:{service.id}" in built,
            slug,
            unnamed,
            "" if slug else "no slug in the catalogue",
            key("downdetector_client_id", "downdetector_client_secret", "a contract"),
        ),
        row(
            "Reddit",
            "reddit" in built and named and bool(service.communities),
            ", ".join(f"r/{c}" for c in service.communities),
            unnamed,
            "" if service.communities else "no community in the catalogue",
            key("reddit_client_id", "reddit_client_secret", "needs Reddit's approval"),
        ),
        row(
            "Hacker News",
            "hacker_news" in built and (named or not config.watch),
            f'"{service.name}"' if named else 'only where "outage" or "down" is said',
            unnamed,
        ),
        row(
            "Bluesky",
            "bluesky" in built and named,
            f'"{service.name}"',
            unnamed,
            key("bluesky_identifier", "bluesky_password", "an app password"),
        ),
        row(
            "Mastodon",
            any(name.startswith("mastodon:") for name in built),
            f"#{', #'.join(tags)}",
            "no instance in sources.mastodon",
        ),
        row(
            "Google News",
            f"google_news:{service.id}" in built,
            f'"{service.name}" or "{service.vendor}" in the news of a day',
            unnamed,
        ),
        row("news feeds", any(name.startswith("feed:") for name in built), f"where a title names {', '.join(words)}"),
        row(
            "app charts",
            bool(chosen.charts and service.app_names),
            ", ".join(service.app_names),
            "" if service.app_names else "no app in the catalogue",
            "" if chosen.charts else "no country in sources.charts",
        ),
        row("your counts", bool(chosen.counts), ", ".join(chosen.counts), "no file in sources.counts"),
    ]
