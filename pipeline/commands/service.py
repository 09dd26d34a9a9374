"""`groundswell service show NAME`: what is known of a service, which sources will hear of it and which cannot."""

from __future__ import annotations

import json

import click

from pipeline.commands.common import Setting, common
from pipeline.core.errors import ConfigError
from pipeline.reports.source_coverage import heard_by


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
    ears = heard_by(setting.config, setting.config_path, service)
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
