"""`groundswell service show NAME`: what is known of a service, which sources will hear of it and which cannot."""

from __future__ import annotations

import json
import re

import click

from pipeline.commands.common import Setting, common
from pipeline.errors import ConfigError
from pipeline.model import Service


@click.group("service")
def service_command() -> None:
    """The catalogue of services."""


@service_command.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, schema 1.")
@common
def show(setting: Setting, name: str, as_json: bool) -> None:
    """Say of the service NAME (id, name or alias) where it is heard of, and where not and why."""
    from pipeline.text.services import ServiceMatcher

    catalogue = setting.config.catalogue
    found = ServiceMatcher(catalogue).id_of(name)
    if found not in catalogue:
        near = [s for s in sorted(catalogue) if name.lower()[:3] in s][:5]
        raise ConfigError(f"{name!r} is not in the catalogue{'; near: ' + ', '.join(near) if near else ''}")
    service = catalogue[found]
    ears = heard_by(setting, service)
    if as_json:
        told = [{"source": source, "hears": hears, "how": how} for source, hears, how in ears]
        click.echo(
            json.dumps(
                {"schema": 1, "service": service.id, "watched": service.id in setting.config.watched, "sources": told},
                indent=1,
            )
        )
        return
    parts = ", ".join(part.name for part in service.components) or "none known"
    click.echo(f"{service.name} ({service.id}), {service.kind}, by {service.vendor or 'unknown'}")
    click.echo(
        f"known as       {', '.join(service.aliases)}"
        + ("; also a common word, so it needs other evidence" if service.homograph else "")
    )
    click.echo(f"named by       {', '.join((*service.vendor_aliases, *service.named_by)) or '-'}")
    click.echo(f"parts          {parts}")
    click.echo(
        f"watched        {'yes' if service.id in setting.config.watched else 'no: it is stored and judged, and never alerted'}"
    )
    for source, hears, how in ears:
        click.echo(f"{'hears' if hears else 'cannot':<7}{source:<15}{how}")


def heard_by(setting: Setting, service: Service) -> list[tuple[str, bool, str]]:
    """Return (source, whether it will hear of the service, how or why not) of every kind of source.

    What hears is what a run would build, no more.
    """
    from pipeline.fetch import Fetcher
    from pipeline.sources import build_sources, hashtags

    config = setting.config
    chosen, secrets = config.sources, config.secrets
    built = {source.name for source in build_sources(config, Fetcher(), setting.config_path)}
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
        row("status page", f"status:{service.id}" in built, service.status_page,
            "" if service.status_format else "the catalogue knows no page that speaks Statuspage",
            "" if service.id in config.watched else unnamed),
        row("DownStatus", f"downstatus:{service.id}" in built, f"reports an hour, {service.downstatus}", unnamed,
            "" if service.downstatus else "no slug in the catalogue"),
        row("Downdetector", f"downdetector:{service.id}" in built, slug, unnamed, "" if slug else "no slug in the catalogue",
            key("downdetector_client_id", "downdetector_client_secret", "a contract")),
        row("Reddit", "reddit" in built and named and bool(service.communities), ", ".join(f"r/{c}" for c in service.communities), unnamed,
            "" if service.communities else "no community in the catalogue", key("reddit_client_id", "reddit_client_secret", "needs Reddit's approval")),
        row("Hacker News", "hacker_news" in built and (named or not config.watch),
            f'"{service.name}"' if named else 'only where "outage" or "down" is said', unnamed),
        row("Bluesky", "bluesky" in built and named, f'"{service.name}"', unnamed, key("bluesky_identifier", "bluesky_password", "an app password")),
        row("Mastodon", any(name.startswith("mastodon:") for name in built), f"#{', #'.join(tags)}", "no instance in sources.mastodon"),
        row("Google News", f"google_news:{service.id}" in built, f'"{service.name}" or "{service.vendor}" in the news of a day', unnamed),
        row("news feeds", any(name.startswith("feed:") for name in built), f"where a title names {', '.join(words)}"),
        row("app charts", bool(chosen.charts and service.app_names), ", ".join(service.app_names),
            "" if service.app_names else "no app in the catalogue", "" if chosen.charts else "no country in sources.charts"),
        row("your counts", bool(chosen.counts), ", ".join(chosen.counts), "no file in sources.counts"),
    ]  # fmt: skip
