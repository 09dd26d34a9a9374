"""`groundswell run`: all stages once. It prints a failure when it begins and when it is over, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

import click

from pipeline.commands.common import PARTIAL, Setting, common, failure_line, open_store, run_lock
from pipeline.commands.stage import run_in
from pipeline.commands.terminal import elapsed_time
from pipeline.core.errors import ConfigError
from pipeline.core.quantities import quantity
from pipeline.core.records import Run

if TYPE_CHECKING:
    from pipeline.stages.failure_log import FailureReport

MOST_LINES = 5  # more sources that fail at once are one line: most often it is the network


class FailOn(StrEnum):
    """Which failures make a run end with exit code 3."""

    ANY = "any"
    NEW = "new"
    STAGE = "stage"


@click.command("run")
@common
@click.option("--quiet", is_flag=True, help="Print no summary on a terminal.")
@click.option(
    "--fail-on",
    type=click.Choice([choice.value for choice in FailOn]),
    default=FailOn.ANY.value,
    show_default=True,
    help="When to exit with 3: any failure; new: only a failure not reported before; stage: only failures of what"
    " this program does (messages that cannot be sent, the clock, the heartbeat), not of a source.",
)
@click.option(
    "--defaults", is_flag=True, help="Run without a configuration: watch all services, write messages as files."
)
def run_command(setting: Setting, quiet: bool, fail_on: str, defaults: bool) -> None:
    """Collect, tag, detect, explain, alert and publish once.

    A source that fails is reported once, and once more when it has answered again for half an hour.
    """
    from pipeline.stages.failure_log import report_failures

    if setting.config_path is None and not setting.db.exists() and not defaults:
        raise ConfigError(
            f"neither a configuration (groundswell.toml) nor a database ({setting.db}) is here: "
            "`groundswell init` writes a configuration; `groundswell run --defaults` watches all services"
        )
    with run_lock(setting.db), elapsed_time("run"), open_store(setting) as store:
        runs = run_in(setting, store)
        if all(run.outcome != "error" for run in runs if run.stage != "collect"):
            runs += _heartbeat(setting)
        report = report_failures(store, runs, setting.now)
    for line in report_lines(report, len([run for run in runs if run.stage == "collect"])):
        click.echo(f"groundswell: {line}", err=True)
    if sys.stdout.isatty() and not quiet:
        _print_summary(setting, runs, report)
    sys.exit(exit_code(report, FailOn(fail_on)))


def exit_code(report: FailureReport, fail_on: FailOn) -> int:
    """Return 3 where there are failures of the chosen kind, else 0."""
    failed = (*report.began, *report.lasting)
    chosen = {
        FailOn.ANY: failed,
        FailOn.NEW: report.began,
        FailOn.STAGE: [run for run in failed if run.stage != "collect"],
    }
    return PARTIAL if chosen[fail_on] else 0


def report_lines(report: FailureReport, sources: int) -> list[str]:
    """Return what a run reports: new failures, then what works again; many sources together are one line.

    `sources` is how many were read.
    """
    began = [run for run in report.began if run.stage == "collect"]
    lines = [failure_line(run) for run in report.began if run.stage != "collect" or len(began) <= MOST_LINES]
    if len(began) > MOST_LINES:
        lines.insert(
            0,
            f"collect: {len(began)} of {sources} sources failed; the first is {began[0].subject}: {began[0].error};"
            " `groundswell status` lists them, `groundswell doctor` says what to do",
        )
    recovered = [item for item in report.recovered if item.run.stage == "collect"]
    if len(recovered) > MOST_LINES:
        lines.append(f"collect: {len(recovered)} of {sources} sources answer again")
    for item in report.recovered:
        since = f"it had failed since {item.failing_since:%Y-%m-%d %H:%M} UTC"
        if item.run.stage != "collect":
            lines.append(f"{item.run.stage}: works again; {since}")
        elif len(recovered) <= MOST_LINES:
            lines.append(f"collect: {item.run.subject}: answers again; {since}")
    return lines


def _print_summary(setting: Setting, runs: Sequence[Run], report: FailureReport) -> None:
    collected = [run for run in runs if run.stage == "collect"]
    alerts = sum(run.new for run in runs if run.stage == "alert")
    lasting = f"; {len(report.lasting)} failures of earlier runs last, see groundswell status" if report.lasting else ""
    click.echo(
        f"{quantity(len(collected), 'source')} read, {quantity(sum(run.seen for run in collected), 'row')} seen, "
        f"{sum(run.new for run in collected)} new, {sum(run.rejected for run in runs)} refused; "
        f"{quantity(alerts, 'alert')} sent; "
        f"report in {setting.config.report.folder}/index.html{lasting}"
    )


def _heartbeat(setting: Setting) -> list[Run]:
    """Ask for the address of a dead-man switch; return what came of it, nothing where none is set."""
    url = setting.config.secrets.heartbeat_url
    if url is None:
        return []
    from pipeline.core.errors import SourceError
    from pipeline.http.session import HttpClient

    with HttpClient(allow=setting.config.sources.allow_hosts, deadline=10.0).session_for(
        "heartbeat", {}, setting.now, limit=1
    ) as session:
        try:
            code = session.request("GET", url.get_secret_value()).status_code
            answer = "" if 200 <= code < 300 else f"answered {code}"
        except (SourceError, OSError, ValueError) as error:
            answer = error.__class__.__name__  # its words may name the address, which is a secret
    outcome = "error" if answer else "ok"
    return [Run(stage="heartbeat", subject="heartbeat", started=setting.now, outcome=outcome, error=answer)]
