"""`groundswell status [SERVICE]`: what is open, what is silent, how fresh sources are; or whether it is only you."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import timedelta

import click

from pipeline.commands.common import PARTIAL, Setting, common, open_store_to_read
from pipeline.commands.service_argument import complete_services, named_service, with_service
from pipeline.commands.terminal import colored, one_line
from pipeline.config.paths import MODELS
from pipeline.core.quantities import quantity
from pipeline.core.times import iso

RECENT = timedelta(days=7)  # what failed before is in the table of alerts, and not news


@click.command("status")
@click.argument("service", required=False, shell_complete=complete_services)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, schema 1.")
@common
def status_command(setting: Setting, service: str | None, as_json: bool) -> None:
    """Show open incidents, silent sources and messages not sent; exit 0 when all is well, else 3.

    With SERVICE: whether others have problems with it too, and what each kind of evidence shows; exit 0.
    """
    if service is not None:
        _of_service(setting, service, as_json=as_json)
        return
    from pipeline.reports.planned_maintenance import maintenance_of
    from pipeline.reports.source_coverage import still_configured
    from pipeline.sources import SOURCES
    from pipeline.store.clock import clock_notes
    from pipeline.store.freshness import freshness
    from pipeline.store.outbox import stuck_alerts
    from pipeline.store.overview import ongoing_incidents
    from pipeline.store.runs import simulated
    from pipeline.store.summary import blind_sources, counts_of_rows, failed_alerts
    from pipeline.text.models.checks import model_problems

    with open_store_to_read(setting) as store:
        ongoing = ongoing_incidents(store)
        blind = still_configured(setting.config, setting.config_path, blind_sources(store, setting.now), SOURCES)
        waiting = [f"{a.subject}{': ' + a.error if a.error else ''}" for a in stuck_alerts(store, setting.now)]
        failed = failed_alerts(store, setting.now - RECENT)
        rows = counts_of_rows(store)
        fresh = freshness(store, setting.now - RECENT, setting.now)
        simulation_note = simulated(store)
        clock = clock_notes(store)
        catalogue = setting.config.catalogue
        planned = maintenance_of(store, [catalogue[name] for name in setting.config.watched], setting.now)
    model = "; ".join(model_problems(MODELS))
    if as_json:
        click.echo(
            json.dumps(
                {
                    "schema": 1,
                    "open": [row._asdict() for row in ongoing],
                    "planned_maintenance": [row._asdict() for row in planned],
                    "silent_sources": [item._asdict() for item in blind],
                    "freshness": [asdict(item) for item in fresh],
                    "waiting": waiting,
                    "failed": failed,
                    "model": model or "ok",
                    "clock": {"wrong": clock.wrong or None, "doubted": clock.doubted or None},
                    "simulated": simulation_note,
                    "rows": rows,
                },
                indent=1,
            )
        )
    else:
        if simulation_note:
            click.echo(f"simulated {one_line(simulation_note)}")
        for row in ongoing:
            mark, impact = colored("open     ", "open"), colored(row.impact)
            click.echo(f"{mark}{row.service}: {row.state_in_words}, impact {impact}, since {row.onset}")
        for maintenance in planned:
            when = "now" if maintenance.under_way else "ahead"
            click.echo(f"{when:<8} {maintenance.service}: {one_line(maintenance.words)}")
        for item in blind:
            error = f"; {item.error}" if item.error else ""
            answered = f"last answered {item.since}" if item.since else "never answered"
            click.echo(colored("silent   ", "silent") + f"{item.source}: {answered}{one_line(error)}")
        for source in fresh:
            alerted = f", alerted {source.alerted} after that" if source.alerted.n else ""
            click.echo(f"fresh    {source.source}: stored {source.stored} after publication{alerted}")
        for words, many in (("waiting", waiting), ("failed", failed)):
            for subject in many:
                click.echo(colored(f"{words:<8} ", words) + one_line(subject))
        if model:
            click.echo(f"model    {model}")
        if clock.wrong or clock.doubted:
            click.echo(f"clock    by the last collect: {one_line(clock.wrong or clock.doubted)}")
        click.echo(
            ("" if ongoing or blind or waiting or failed or model or clock.wrong else colored("well     ", "well"))
            + f"{quantity(rows['posts'], 'post')}, "
            f"{quantity(rows['incidents'], 'incident')}, {quantity(rows['alerts'], 'alert')} on record"
        )
    sys.exit(PARTIAL if blind or waiting or failed or model or clock.wrong else 0)


def _of_service(setting: Setting, name: str, *, as_json: bool) -> None:
    """Print whether others have trouble with a service; raises ConfigError for one that the catalogue lacks."""
    from pipeline.reports.others_too import others_too

    known = named_service(setting, name)
    with open_store_to_read(setting) as store:
        answer = others_too(store, with_service(setting.config, known), known, setting.now)
    if as_json:
        click.echo(json.dumps({"schema": 1, **asdict(answer)}, indent=1, default=iso))
        return
    click.echo(f"{known.name}: {answer.answer}. {answer.reason[:1].upper()}{answer.reason[1:]}.")
    for line in answer.open_incidents:
        click.echo(f"  incident  {one_line(line)}")
    for finding in answer.findings:
        click.echo(f"  {finding.evidence:<10}{one_line(finding.statement)}")
