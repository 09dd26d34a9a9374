"""`groundswell record DIR`: what was collected as a folder that `backtest` replays, or a public append-only record."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.commands.common import Setting, common, open_existing_store, parse_time, run_lock
from pipeline.commands.terminal import elapsed_time
from pipeline.core.errors import ConfigError


@click.command("record")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--from", "begin", help="Record rows about this time or later (ISO 8601 with a zone).")
@click.option("--until", help="Record rows collected by this time.  [default: now]")
@click.option("--name", help="Name of the recording; authors are hashed again with it.  [default: the folder's name]")
@click.option("--simulated", is_flag=True, help="Mark the recording as simulated.")
@click.option(
    "--public",
    is_flag=True,
    help="Append to alerts.jsonl, notices.jsonl and forecasts.jsonl in FOLDER instead, without names or posts.",
)
@common
def record_command(
    setting: Setting,
    folder: Path,
    begin: str | None,
    until: str | None,
    name: str | None,
    simulated: bool,
    public: bool,
) -> None:
    """Write a recording into FOLDER, with the times of collection: `groundswell backtest FOLDER` replays it.

    Take --from some weeks before the day of interest: the detector needs to know what is usual. With --public, FOLDER
    is a public record instead: files that are only ever appended to, fit for git (examples/public-record.yml).
    """
    if public:
        if begin or until or name or simulated:
            raise ConfigError("--public: takes no other option; it appends whatever is new")
        _append(setting, folder)
        return
    if begin is None:
        raise ConfigError("--from: is missing")
    from pipeline.replay.recorder import record
    from pipeline.store import must_exist

    since, end = parse_time(begin, "--from"), parse_time(until, "--until") or setting.now
    assert since is not None
    if not since < end:
        raise ConfigError("--from and --until: from has to be the earlier")
    must_exist(setting.db)
    with run_lock(setting.db), elapsed_time("record"), open_existing_store(setting) as store:
        row_counts = record(
            store, folder, since, end, name=name or folder.name, watch=setting.config.watch, simulated=simulated
        )
    click.echo(f"{folder}: " + ", ".join(f"{number} {words}" for words, number in row_counts.items()))


def _append(setting: Setting, folder: Path) -> None:
    from pipeline.reports.public_record import append_record

    with run_lock(setting.db), open_existing_store(setting) as store:
        appended = append_record(store, setting.config, folder, setting.now)
    click.echo(f"{folder}: " + ", ".join(f"{number} new in {file}" for file, number in appended.items()))
