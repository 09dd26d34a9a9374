"""`groundswell record DIR`: write what was collected in a span as a scenario folder that `backtest` replays."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.commands.common import Setting, common, open_existing_store, parse_time, run_lock
from pipeline.core.errors import ConfigError


@click.command("record")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--from", "begin", required=True, help="Rows that speak of this time or later, ISO with a zone.")
@click.option("--until", help="Rows collected by this time; default: now.")
@click.option("--name", help="Name of the recording; default: the folder's. Authors are hashed with it once more.")
@click.option("--simulated", is_flag=True, help="Mark it as simulated, as what came from stand-ins is.")
@common
def record_command(
    setting: Setting, folder: Path, begin: str, until: str | None, name: str | None, simulated: bool
) -> None:
    """Write a recording into FOLDER, with the times of collection: `groundswell backtest FOLDER` replays it.

    Take --from some weeks before the day of interest: the detector needs to know what is usual.
    """
    from pipeline.replay.recorder import record
    from pipeline.store import must_exist

    since, end = parse_time(begin, "--from"), parse_time(until, "--until") or setting.now
    assert since is not None
    if not since < end:
        raise ConfigError("--from and --until: from has to be the earlier")
    must_exist(setting.db)
    with run_lock(setting.db), open_existing_store(setting) as store:
        row_counts = record(
            store, folder, since, end, name=name or folder.name, watch=setting.config.watch, simulated=simulated
        )
    click.echo(f"{folder}: " + ", ".join(f"{number} {words}" for words, number in row_counts.items()))
