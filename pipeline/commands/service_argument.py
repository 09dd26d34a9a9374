"""Services on the command line: which one a name means, and completion of ids as they are typed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from pipeline.commands.common import Setting, open_store_to_read
from pipeline.config.settings import Config
from pipeline.core.catalogue import Service, resolve_service
from pipeline.core.errors import ConfigError


def named_service(setting: Setting, name: str) -> Service:
    """Return the service that a name means; one that left the catalogue by the id that the database has, with a note.

    Raises ConfigError that names the nearest services where neither has it.
    """
    from pipeline.store.overview import service_on_record

    try:
        return resolve_service(setting.config.catalogue, name)
    except ConfigError:
        if not (setting.db.is_file() and setting.db.stat().st_size):
            raise
        with open_store_to_read(setting) as store:
            service = service_on_record(store, name)
        if service is None:
            raise
        click.echo(f"groundswell: {service.id} is not in the catalogue any more; the database knows it", err=True)
        return service


def with_service(config: Config, service: Service) -> Config:
    """Return a configuration whose catalogue has a service, too; what is watched stays."""
    if service.id in config.catalogue:
        return config
    return replace(config, catalogue={**config.catalogue, service.id: service}, watch=config.watched)


def complete_services(context: click.Context, option: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the services whose id begins as typed; of several separated by commas the last one is completed."""
    from pipeline.config.load import load_catalogue, load_config

    here = Path("groundswell.toml")
    try:
        catalogue = load_config(here, {}).catalogue if here.exists() else load_catalogue()
    except ConfigError:
        catalogue = load_catalogue()
    before, comma, begun = incomplete.rpartition(",")
    return [
        CompletionItem(before + comma + service.id, help=service.name)
        for service in sorted(catalogue.values(), key=lambda service: service.id)
        if service.id.startswith(begun.lower())
    ]
