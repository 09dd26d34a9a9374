"""`groundswell ledger`: how soon providers post incidents, and how long they are down by notices and by reports."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from pipeline.commands.common import Setting, common, open_store_to_read
from pipeline.commands.service_argument import complete_services
from pipeline.core.catalogue import resolve_service
from pipeline.core.times import iso
from pipeline.reports.ledger import LEGEND, ledger_lines, service_ledger


@click.command("ledger")
@click.option(
    "--service",
    "name",
    shell_complete=complete_services,
    help="Only this service (id, name or alias).  [default: every service with data]",
)
@click.option(
    "--months",
    "month_count",
    type=click.IntRange(1, 600),
    default=12,
    show_default=True,
    help="Number of months to list.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, schema 1.")
@common
def ledger_command(setting: Setting, name: str | None, month_count: int, as_json: bool) -> None:
    """Grade how soon each provider posts on its status page (90 days), and list availability, MTTR and MTBF by month.

    Uses collected or imported status pages (`groundswell import incidents`) and episodes of many user reports.
    """
    catalogue = setting.config.catalogue
    services = [resolve_service(catalogue, name)] if name is not None else list(catalogue.values())
    with open_store_to_read(setting) as store:
        ledgers = [
            ledger for service in services if (ledger := service_ledger(store, service, setting.now, month_count))
        ]
    if as_json:
        body = {"schema": 1, "services": [asdict(ledger) for ledger in ledgers]}
        click.echo(json.dumps(body, indent=1, default=iso))
        return
    for ledger in ledgers:
        for line in ledger_lines(ledger):
            click.echo(line)
    if ledgers:
        click.echo(LEGEND)
    else:
        click.echo(
            "no incident is known; `groundswell import incidents FILE --service ID` brings a provider's history in"
        )
