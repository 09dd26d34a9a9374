"""`groundswell service`: the catalogue; what is known of a service, which sources cover it and which cannot."""

from __future__ import annotations

import json

import click

from pipeline.commands.common import Setting, common, open_store_to_read
from pipeline.commands.service_argument import complete_services
from pipeline.commands.terminal import colored, one_line, print_table
from pipeline.core.catalogue import resolve_service
from pipeline.reports.planned_maintenance import announcements
from pipeline.reports.source_coverage import as_read, coverage_of_all, source_coverage
from pipeline.store.levels import services_of_count_files


@click.group("service")
def service_command() -> None:
    """The catalogue of services."""


@service_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, schema 1.")
@common
def list_(setting: Setting, as_json: bool) -> None:
    """List the services of the catalogue with the sources that cover each in this configuration."""
    from pipeline.sources import SOURCES

    watched = set(setting.config.watched)
    rows = [
        (service, [row.source for row in covering if row.covered])
        for service, covering in coverage_of_all(setting.config, setting.config_path, SOURCES)
    ]
    if as_json:
        services = [
            {
                "id": service.id,
                "name": service.name,
                "kind": service.kind,
                "aliases": list(service.aliases),
                "watched": service.id in watched,
                "sources": sources,
            }
            for service, sources in rows
        ]
        click.echo(json.dumps({"schema": 1, "services": services}, indent=1, ensure_ascii=False))
        return
    print_table(
        ("id", "name", "watched", "sources"),
        [
            (service.id, service.name, "yes" if service.id in watched else "no", ", ".join(sources) or "none")
            for service, sources in rows
        ],
    )


@service_command.command("show")
@click.argument("name", shell_complete=complete_services)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, schema 1.")
@common
def show(setting: Setting, name: str, as_json: bool) -> None:
    """Show which sources cover the service NAME (id, name or alias), and why others do not."""
    from pipeline.sources import SOURCES

    service = resolve_service(setting.config.catalogue, name)
    planned: list[str] = []
    file_services: frozenset[str] = frozenset()
    if setting.db.exists():
        with open_store_to_read(setting) as store:
            planned = announcements(store, service, setting.now)
            file_services = services_of_count_files(store)
    rows_of_specs = source_coverage(setting.config, setting.config_path, service, SOURCES)
    coverage = as_read(rows_of_specs, service.id, file_services)
    if as_json:
        rows = [{"source": row.source, "covered": row.covered, "how": row.how} for row in coverage]
        click.echo(
            json.dumps(
                {
                    "schema": 1,
                    "service": service.id,
                    "watched": service.id in setting.config.watched,
                    "sources": rows,
                    "planned_maintenance": planned,
                },
                indent=1,
            )
        )
        return
    parts = ", ".join(part.name for part in service.components) or "none known"
    click.echo(f"{service.name} ({service.id}), {service.kind}, by {service.vendor or 'unknown'}")
    click.echo(
        f"known as       {', '.join(service.aliases)}"
        + ("; also a common word, so it needs other evidence" if service.homograph else "")
        + (f"; {service.name!r} alone in {', '.join(service.named_in)}" if service.named_in else "")
    )
    click.echo(f"named by       {', '.join((*service.vendor_aliases, *service.named_by)) or '-'}")
    click.echo(f"parts          {parts}")
    click.echo(
        "watched        "
        f"{'yes' if service.id in setting.config.watched else 'no: it is stored and judged, and never alerted'}"
    )
    for line in planned:
        click.echo(one_line(line))
    for row in coverage:
        verdict = colored("covered  ", "covered") if row.covered else colored("not      ", "none")
        click.echo(f"{verdict}{row.source:<15}{row.how}")
