"""`groundswell feedback`: record whether an alert was right; of a wrong one, name the setting that would mute it."""

from __future__ import annotations

from datetime import timedelta

import click

from pipeline.commands.common import Setting, common, open_store
from pipeline.core.errors import ConfigError

SPAN = timedelta(days=30)


@click.command("feedback")
@click.argument("incident")
@click.argument("verdict", type=click.Choice(["right", "wrong"]))
@click.option("--note", default="", help="A note to store with it.")
@common
def feedback_command(setting: Setting, incident: str, verdict: str, note: str) -> None:
    """Record that the alerts of INCIDENT were right or wrong; digests count it."""
    from pipeline.reports.tuning import alerted_since, remedies
    from pipeline.store import must_exist
    from pipeline.store.operators import put_feedback
    from pipeline.store.successors import current_id

    must_exist(setting.db)
    with open_store(setting) as store:
        known = current_id(store, incident)
        if known is None:
            raise ConfigError(f"{incident!r} is not an incident; `groundswell incidents` lists them")
        incident = known
        put_feedback(store, incident, verdict, note[:500], setting.now)
        click.echo(f"{incident}: {verdict}")
        if verdict == "wrong":
            for line in remedies(incident, alerted_since(store, setting.now - SPAN, setting.now)):
                click.echo(line)
