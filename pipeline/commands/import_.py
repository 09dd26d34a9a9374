"""`groundswell import counts|posts FILE`: history from a file. Stores and learns; never alerts."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipeline.commands.common import PARTIAL, Setting, common, open_store, run_lock
from pipeline.errors import SourceError, StoreError
from pipeline.model import Batch, Run


@click.group("import")
def import_command() -> None:
    """Bring in history from a file; offering it again changes nothing."""


@import_command.command("counts")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--interval", type=int, help="Seconds each count covers, when the file has no column interval_s.")
@common
def counts(setting: Setting, file: Path, interval: int | None) -> None:
    """Complaint counts from CSV: service,start_utc,interval_s,total[,baseline][,region][,indicator]."""
    from pipeline.sources.complaints import parse_csv

    body = _read(file)
    try:
        batch = parse_csv(
            body, source=f"counts:{file.name}", fetched_at=setting.now, name=str(file), interval_s=interval
        )
    except SourceError as error:
        click.echo(f"groundswell: {error}", err=True)
        sys.exit(PARTIAL)
    _store(setting, batch)


@import_command.command("posts")
@click.argument("file", type=click.Path(path_type=Path))
@common
def posts(setting: Setting, file: Path) -> None:
    """Posts from a file of the Reddit archive format: one JSON object a line."""
    from pipeline.sources import author_salt
    from pipeline.sources.reddit import parse_archive

    salt = author_salt(setting.config)
    _store(setting, parse_archive(_read(file), source="reddit", fetched_at=setting.now, salt=salt, name=str(file)))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}") from error


def _store(setting: Setting, batch: Batch) -> None:
    from pipeline.store.collected import save_batch
    from pipeline.store.runs import record_run

    with run_lock(setting.db), open_store(setting) as store:
        new = save_batch(store, batch, setting.now)
        record_run(store, Run(stage="import", subject=batch.source, started=setting.now, outcome=batch.outcome,
                              seen=len(batch.rows), new=new, rejected=len(batch.rejected)))  # fmt: skip
    for bad in batch.rejected[:20]:
        click.echo(f"groundswell: {bad.where}: {bad.reason}", err=True)
    if len(batch.rejected) > 20:
        click.echo(f"groundswell: {len(batch.rejected) - 20} more rows refused; see the table quarantine", err=True)
    click.echo(f"{len(batch.rows)} rows seen, {new} new, {len(batch.rejected)} refused")
    sys.exit(PARTIAL if batch.rejected else 0)
