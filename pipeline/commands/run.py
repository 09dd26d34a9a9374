"""`groundswell run`: all stages once. Silent when all is well and nobody watches."""

from __future__ import annotations

import sys

import click

from pipeline.commands.common import Setting, common, tell_troubles
from pipeline.commands.stage import STAGES, run_stages


@click.command("run")
@common
@click.option("--quiet", is_flag=True, help="Print nothing when all is well, on a terminal too.")
def run_command(setting: Setting, quiet: bool) -> None:
    """Collect, tag, detect, explain, alert and publish once."""
    runs = run_stages(setting, list(STAGES))
    code = tell_troubles(runs)
    if sys.stdout.isatty() and not quiet:
        collected = [r for r in runs if r.stage == "collect"]
        alerts = sum(r.new for r in runs if r.stage == "alert")
        click.echo(
            f"{len(collected)} sources read, {sum(r.seen for r in collected)} rows seen, {sum(r.new for r in collected)} new,"
            f" {sum(r.rejected for r in runs)} refused; {alerts} alerts sent; report in {setting.config.report}/index.html"
        )
    sys.exit(code)
