"""Completion of services: ids of the catalogue and of the configuration in this folder."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from pipeline.core.errors import ConfigError


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
