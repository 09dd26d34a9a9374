"""`groundswell repair`: write what is readable of a damaged database into a new one."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipeline.commands.common import PARTIAL, Setting, common, run_lock
from pipeline.commands.terminal import elapsed_time, printable
from pipeline.config.paths import DASHBOARDS
from pipeline.core.errors import StoreError
from pipeline.core.quantities import quantity


@click.command("repair")
@click.option(
    "--into", type=click.Path(path_type=Path), help="Database to write.  [default: NAME-repaired.db in the same folder]"
)
@common
def repair_command(setting: Setting, into: Path | None) -> None:
    """Save what is readable of a damaged database. The damaged file is never written.

    Exit 0 when nothing was lost, 3 when something was, 1 when nothing can be read or the file is no database.
    """
    from pipeline.sources.author_keys import note_salt
    from pipeline.store import Store, must_exist
    from pipeline.store.damage import damage_of
    from pipeline.store.file_format import is_database_file
    from pipeline.store.salvage import loss_in_words, salvage

    must_exist(setting.db)
    if not is_database_file(setting.db):
        raise StoreError(f"{setting.db}: is not a database")
    fault = damage_of(setting.db)
    if not fault:
        click.echo(f"{setting.db}: nothing is damaged")
        return
    fresh = into or setting.db.with_name(f"{setting.db.stem}-repaired{setting.db.suffix}")
    with run_lock(setting.db), elapsed_time("repair"):
        done = salvage(setting.db, fresh, setting.now)
        with Store(fresh, views=DASHBOARDS / "views.sql") as store:
            note_salt(store, setting.db)
    lost = loss_in_words(done)
    click.echo(f"{setting.db}: {' '.join(fault.split())[:200]}")
    for line in lost:
        click.echo(printable(line))
    rows, tables = sum(table.rows for table in done), sum(table.rows > 0 for table in done)
    click.echo(
        f"{fresh}: {quantity(rows, 'row')} of {quantity(tables, 'table')}."
        f" To go on: move {setting.db} away with its -wal and -shm files, and"
        f" move {fresh} to {setting.db}; the next run reads again what sources still tell"
    )
    sys.exit(PARTIAL if lost else 0)
