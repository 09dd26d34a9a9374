"""`groundswell export FOLDER`: the whole database as Parquet or CSV, for pandas, DuckDB, Spark and spreadsheets."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import click

from pipeline.commands.common import Setting, common, escape_csv_formula, open_existing_store
from pipeline.commands.terminal import elapsed_time
from pipeline.store import Store


@click.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--format",
    "form",
    type=click.Choice(["parquet", "csv"]),
    default="parquet",
    show_default=True,
    help="parquet: times are timestamps in UTC; `groundswell sql --parquet` reads the files. csv: times are ISO 8601.",
)
@common
def export_command(setting: Setting, folder: Path, form: str) -> None:
    """Write every table into FOLDER; with csv the views, too."""
    with elapsed_time("export"), open_existing_store(setting) as store:
        if form == "csv":
            row_counts = _write_csv(store, folder)
        else:
            from pipeline.scale.transfer import export_tables

            row_counts = export_tables(store, folder)
    click.echo(f"{folder}: {len(row_counts)} tables, {sum(row_counts.values())} rows")


def _write_csv(store: Store, folder: Path) -> dict[str, int]:
    """Write each table and view as one file, no cell of which is a formula; return how many rows each has."""
    from pipeline.core.files import OWN, replacing
    from pipeline.store.bulk import columns_of_schema, columns_of_views, rows_of

    found = {}
    tables = {name: list(columns) for name, columns in columns_of_schema().items()} | columns_of_views(store)
    for table, columns in tables.items():
        if table.startswith("detector_state"):
            continue
        found[table] = 0
        with replacing(folder / f"{table}.csv", mode=OWN) as fresh:
            text = io.TextIOWrapper(fresh, "utf-8", newline="", write_through=True)
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(columns)
            for rows in rows_of(store, table, columns, 10_000):
                writer.writerows(
                    [escape_csv_formula(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
                )
                found[table] += len(rows)
            text.detach()
    return found
