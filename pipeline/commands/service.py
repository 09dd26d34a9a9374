"""`groundswell service show NAME`: what is known of a service, which sources will hear of it and which cannot."""

from __future__ import annotations

import json

import click

from pipeline.commands.common import Setting, common
from pipeline.config import Config
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
    ears = heard_by(setting.config, service)
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


def heard_by(config: Config, service: Service) -> list[tuple[str, bool, str]]:
    """Return (source, whether it will hear of the service, how or why not) of every kind of source."""
    from pipeline.sources import hashtags

    chosen, secrets, named = config.sources, config.secrets, service.id in config.watch
    listed = "it is not named in watch"
    rows = [
        ("status page", chosen.statuspage and bool(service.status_format) and service.id in config.watched,
         service.status_page if service.status_format else "the catalogue knows no page that speaks Statuspage"),
        ("DownStatus", chosen.downstatus and named and bool(service.downstatus),
         f"reports an hour, {service.downstatus}" if named and service.downstatus else listed if service.downstatus else "no slug in the catalogue"),
        ("Downdetector", chosen.downdetector and named and secrets.downdetector_client_id is not None,
         listed if not named else service.downdetector or service.downstatus if secrets.downdetector_client_id else "no key: GROUNDSWELL_DOWNDETECTOR_CLIENT_ID and …_SECRET (a contract)"),
        ("Reddit", chosen.reddit and named and bool(service.communities) and secrets.reddit_client_id is not None,
         listed if not named else "no key: GROUNDSWELL_REDDIT_CLIENT_ID and …_SECRET (needs Reddit's approval)" if secrets.reddit_client_id is None
         else ", ".join(f"r/{c}" for c in service.communities) or "no community in the catalogue"),
        ("Hacker News", chosen.hacker_news, f'"{service.name}"' if named else 'only where "outage" or "down" stands beside it' if not config.watch else listed),
        ("Bluesky", chosen.bluesky and named and secrets.bluesky_identifier is not None,
         listed if not named else f'"{service.name}"' if secrets.bluesky_identifier else "no account: GROUNDSWELL_BLUESKY_IDENTIFIER and …_PASSWORD (an app password)"),
        ("Mastodon", bool(chosen.mastodon), "#" + ", #".join(hashtags(config)) if chosen.mastodon else "no instance in sources.mastodon"),
        ("Google News", chosen.google_news and named, f'"{service.name}" or "{service.vendor}" in the news of a day' if named else listed),
        ("news feeds", bool(chosen.feeds) or chosen.news_desks, f"where a title names {', '.join((*service.aliases, *service.vendor_aliases, *service.named_by)[:6])}"),
        ("app charts", bool(chosen.charts and service.app_names),
         ", ".join(service.app_names) if chosen.charts and service.app_names else "no country in sources.charts" if service.app_names else "no app in the catalogue"),
        ("your counts", bool(chosen.counts), ", ".join(chosen.counts) or "no file in sources.counts"),
    ]  # fmt: skip
    return [(source, hears, how if hears or how else "switched off") for source, hears, how in rows]
