"""`groundswell run`: all stages once. Silent when all is well and nobody watches."""

from __future__ import annotations

import sys

import click

from pipeline.commands.common import PARTIAL, Setting, common, tell_troubles
from pipeline.commands.stage import run_stages


@click.command("run")
@common
@click.option("--quiet", is_flag=True, help="Print nothing when all is well, on a terminal too.")
def run_command(setting: Setting, quiet: bool) -> None:
    """Collect, tag, detect, explain, alert and publish once."""
    runs = run_stages(setting)
    well = all(run.outcome != "error" for run in runs if run.stage != "collect")
    code = max(tell_troubles(runs), _heartbeat(setting) if well else 0)
    if sys.stdout.isatty() and not quiet:
        collected = [r for r in runs if r.stage == "collect"]
        alerts = sum(r.new for r in runs if r.stage == "alert")
        click.echo(
            f"{len(collected)} sources read, {sum(r.seen for r in collected)} rows seen, "
            f"{sum(r.new for r in collected)} new, {sum(r.rejected for r in runs)} refused; {alerts} alerts sent; "
            f"report in {setting.config.report}/index.html"
        )
    sys.exit(code)


def _heartbeat(setting: Setting) -> int:
    """Ask for the address of a dead-man switch, where one is set; return an exit code."""
    from pipeline.core.errors import SourceError
    from pipeline.http.session import HttpClient

    url = setting.config.secrets.heartbeat_url
    if url is None:
        return 0
    with HttpClient(allow=setting.config.sources.allow_hosts, deadline=10.0).session_for(
        "heartbeat", {}, setting.now, limit=1
    ) as session:
        try:
            code = session.request("GET", url.get_secret_value()).status_code
            answer = "" if 200 <= code < 300 else f"answered {code}"
        except (SourceError, OSError, ValueError) as error:
            answer = error.__class__.__name__  # its words may name the address, which is a secret
    if answer:
        click.echo(f"groundswell: heartbeat: {answer}", err=True)
        return PARTIAL
    return 0
