"""`groundswell export FOLDER`: the whole database as Parquet, for pandas, DuckDB and Spark."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.commands.common import Setting, common, open_existing_store


@click.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@common
def export_command(setting: Setting, folder: Path) -> None:
    """Write every table into FOLDER; `groundswell sql --parquet FOLDER` asks it, with the same views."""
    from pipeline.scale.transfer import export_tables

    with open_existing_store(setting) as store:
        row_counts = export_tables(store, folder)
    click.echo(f"{folder}: {len(row_counts)} tables, {sum(row_counts.values())} rows")
