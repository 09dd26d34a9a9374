"""`groundswell why`: why a service alerted, or why it did not."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from pipeline.commands.common import Setting, common, open_store_to_read, parse_time
from pipeline.commands.service_argument import complete_services, named_service, with_service
from pipeline.core.times import iso

CAP = 1000
MARKS = {True: "+", False: "-", None: " "}


@click.command("why")
@click.argument("service", shell_complete=complete_services)
@click.option("--at", "at_time", help="The time to explain (ISO 8601 with a zone).  [default: now]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, schema 1.")
@common
def why_command(setting: Setting, service: str, at_time: str | None, as_json: bool) -> None:
    """Explain the decisions about SERVICE step by step.

    Shows counts, expectations, votes, thresholds, routes, silences and messages.
    """
    from pipeline.detection.factory import make_detector
    from pipeline.render.formatting import header_safe
    from pipeline.reports.decision_trace import decision_trace
    from pipeline.reports.source_coverage import still_configured
    from pipeline.sources import SOURCES
    from pipeline.store.summary import blind_sources

    known = named_service(setting, service)
    at = parse_time(at_time, "--at") or setting.now
    alarm = make_detector(setting.config).alarm
    with open_store_to_read(setting) as store:
        silent = still_configured(setting.config, setting.config_path, blind_sources(store, setting.now), SOURCES)
        config = with_service(setting.config, known)
        steps = decision_trace(store, config, known, at, setting.now, alarm, silent)
    if as_json:
        click.echo(
            json.dumps({"schema": 1, "service": known.id, "at": iso(at), "steps": [asdict(s) for s in steps]}, indent=1)
        )
        return
    click.echo(f"{known.name} at {iso(at)}")
    for step in steps[:-1]:
        click.echo(f"  {MARKS[step.passed]} {step.name}: {header_safe(step.words, CAP)}")
    click.echo(header_safe(steps[-1].words, CAP))
