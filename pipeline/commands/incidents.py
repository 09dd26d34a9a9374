"""`groundswell incidents`: what is on record."""

from __future__ import annotations

import json

import click

from pipeline.commands.common import Setting, common, parse_since
from pipeline.core.times import iso


@click.command("incidents")
@click.option("--since", default="30d", show_default=True, help="How far back, as 7d, or from a date, as 2026-03-02.")
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
    for row in listed:
        lead = f", lead {row.lead_minutes:g} min" if row.lead_minutes is not None else ""
        click.echo(
            f"{row.onset}  {row.service}: {row.state_in_words}, impact {row.impact}"
            f"{', ' + row.symptom if row.symptom else ''}; first alert {row.first_alert_at or 'none'},"
            f" official {row.official_first_at or 'none'}{lead}; {row.incident}"
        )
    if not listed:
        click.echo(f"no incident since {iso(earliest)}")
