"""`groundswell ledger`: how soon providers own up, and how long they are down by their own word and by the crowd's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from pipeline.commands.common import Setting, common, open_store
from pipeline.core.catalogue import resolve_service
from pipeline.reports.reliability import _sheet

FRONT, BACK = ("web", "mobile", "desktop", "login"), ("api",)


@click.command("ledger")
@click.option("--service", "name", help="One service (id, name or alias); without it, all of whom anything is known.")
@click.option(
    "--months", "how_many", type=click.IntRange(1, 600), default=12, show_default=True, help="How many months to list."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, schema 1.")
@common
def ledger_command(setting: Setting, name: str | None, how_many: int, as_json: bool) -> None:
    """Grade how soon each provider's page speaks (90 days), and list availability, MTTR and MTBF by month.

    Reads pages collected or imported (`groundswell import incidents`) and the episodes in which a crowd rose.
    """
    from pipeline.store import must_exist

    catalogue = setting.config.catalogue
    chosen = [resolve_service(catalogue, name)] if name is not None else list(catalogue.values())
    must_exist(setting.db)
    with open_store(setting) as store:
        found = [sheet for service in chosen if (sheet := _sheet(store, service, setting.now, how_many))]
    if as_json:
        click.echo(json.dumps({"schema": 1, "services": found}, indent=1))
        return
    for sheet in found:
        for line in _lines(sheet):
            click.echo(line)
    if not found:
        click.echo(
            "no incident is known; `groundswell import incidents FILE --service ID` brings a provider's history in"
        )


def _lines(sheet: dict[str, Any]) -> Iterator[str]:
    told = sheet["acknowledgement"]
    if told["grade"]:
        yield (
            f"{sheet['name']} ({sheet['provider']}): {told['grade']}, the page speaks {told['mean_minutes']:g} min "
            "after the start on average"
            f" ({told['incidents']} incidents in the 90 days from {told['since'][:10]}; {told['left_out']} left out)"
        )
    elif not sheet["page"]:
        yield f"{sheet['name']} ({sheet['provider']}): no grade, no status page is known"
    else:
        yield f"{sheet['name']} ({sheet['provider']}): no grade, no posting time is known in the last 90 days"
    yield (
        f"  {sheet['incidents']} incidents on the page, {sheet['not_counted']} not counted (maintenance, no impact, "
        f"{sheet['doubtful']} of doubtful timing)"
    )
    crowd = {m["month"]: m for m in sheet["crowd"]}
    gap = {m["month"]: m["minutes"] for m in sheet["front_minus_back"]}
    yield (
        f"  {'month':<9}{'incidents':>10}{'down min':>10}{'available':>11}{'nines':>7}{'MTTR min':>10}{'MTBF h':>8}"
        f"{'by crowd min':>14}{'front - API':>13}"
    )
    by_page = {m["month"]: m for m in sheet["official"]}
    for month in sorted({*by_page, *crowd}):
        m, heard = by_page.get(month), crowd.get(month)
        provider_columns = f"{'-':>10}{'-':>10}{'-':>11}{'-':>7}{'-':>10}{'-':>8}"
        if m is not None:
            nines = "all" if m["nines"] is None else f"{m['nines']:.2f}"
            provider_columns = (
                f"{m['incidents']:>10}{m['down_minutes']:>10.0f}{m['availability']:>11.3%}{nines:>7}{_or_dash(m['mttr_minutes']):>10}"
                f"{_or_dash(m['mtbf_hours']):>8}"
            )
        yield (
            f"  {month:<9}{provider_columns}{_or_dash(heard and heard['down_minutes']):>14}"
            f"{_or_dash(gap.get(month)):>13}"
        )
    if sheet["crowd"]:
        hours = ", ".join(f"{region} {minutes:.0f}" for region, minutes in sheet["working_minutes_by_crowd"].items())
        yield f"  minutes measured by crowds that fell into working hours (Monday to Friday, 9 to 17): {hours}"


def _or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
