"""`groundswell incidents`: what is on record."""

from __future__ import annotations

import json

import click

from pipeline.commands.common import Setting, common, parse_since
from pipeline.commands.terminal import colored, minute_text, print_table
from pipeline.core.times import iso


@click.command("incidents")
@click.option(
    "--since",
    default="30d",
    show_default=True,
    help="How far back: a duration such as 7d, or a date such as 2026-03-02.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, schema 1.")
@common
def incidents_command(setting: Setting, since: str, as_json: bool) -> None:
    """List incidents, newest first."""
    from pipeline.store.overview import incident_overview

    earliest = parse_since(since, setting.now)
    listed = incident_overview(setting.db, earliest)
    if as_json:
        click.echo(json.dumps({"schema": 1, "incidents": [row._asdict() for row in listed]}, indent=1))
        return
    print_table(
        ("incident", "service", "since (UTC)", "state", "impact", "symptom", "first alert", "provider", "lead"),
        [
            (
                row.incident,
                row.service,
                minute_text(row.onset),
                colored(row.state_in_words, row.state),
                colored(row.impact),
                row.symptom or "-",
                minute_text(row.first_alert_at),
                minute_text(row.official_first_at),
                f"{row.lead_minutes:g} min" if row.lead_minutes is not None else "-",
            )
            for row in listed
        ],
    )
    if not listed:
        click.echo(f"no incident since {iso(earliest)}")
