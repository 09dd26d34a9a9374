"""`groundswell export FOLDER`: the whole database as Parquet or CSV, for pandas, DuckDB, Spark and spreadsheets."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import click

from pipeline.commands.common import PARTIAL, Setting, common, escape_csv_formula, open_store_to_read
from pipeline.commands.terminal import elapsed_time, printable
from pipeline.core.names import file_stem
from pipeline.core.quantities import quantity
from pipeline.store import Store

CHUNK = 10_000


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
    """Write every table into FOLDER, also those of your own; with csv the views, too. Detector states are left out.

    Exit 3 when a view, such as one of your own over a table that is gone, or a table of your own cannot be read: the
    rest is written.
    """
    failures: list[str] = []
    with elapsed_time("export"), open_store_to_read(setting) as store:
        if form == "csv":
            row_counts = _write_csv(store, folder, failures)
        else:
            from pipeline.scale.transfer import export_added_tables, export_tables

            row_counts = export_tables(store, folder) | export_added_tables(store, folder, failures)
    for failure in failures:
        click.echo(printable(f"groundswell: {failure}; the rest was exported"), err=True)
    click.echo(f"{folder}: {quantity(len(row_counts), 'table')}, {quantity(sum(row_counts.values()), 'row')}")
    sys.exit(PARTIAL if failures else 0)


def _write_csv(store: Store, folder: Path, failures: list[str]) -> dict[str, int]:
    """Write each table and view as one file; return how many rows each has.

    A view, or a table that people added, that cannot be read has no file, and a line is added to `failures`.
    """
    from pipeline.store.bulk import (
        BrokenViewError,
        added_tables_of,
        answer_of_table,
        answer_of_view,
        columns_of_schema,
        rows_of,
        views_of,
    )

    found = {}
    for table, columns in columns_of_schema().items():
        if not table.startswith("detector_state"):
            head = [tuple(columns)]
            found[table] = _write_table(folder, table, chain([head], rows_of(store, table, list(columns), CHUNK)))
    answers = {view: answer_of_view(store, view, CHUNK) for view in views_of(store)}
    answers |= {table: answer_of_table(store, table, CHUNK) for table in added_tables_of(store)}
    for name, answer in answers.items():
        try:
            found[name] = _write_table(folder, name, answer)
        except BrokenViewError as error:
            failures.append(str(error))
            (folder / f"{file_stem(name)}.csv").unlink(missing_ok=True)  # of an earlier export, when it had an answer
    return found


def _write_table(folder: Path, name: str, chunks: Iterable[Sequence[tuple[object, ...]]]) -> int:
    """Write rows, the first of which are the column names, so that no cell is a formula; return how many follow it."""
    from pipeline.core.files import OWN, replacing

    written = -1
    with replacing(folder / f"{file_stem(name)}.csv", mode=OWN) as fresh:
        text = io.TextIOWrapper(fresh, "utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        for rows in chunks:
            writer.writerows([_cell(value) for value in row] for row in rows)
            written += len(rows)
        text.detach()
    return written


def _cell(value: object) -> object:
    """Return a value as a cell of CSV: bytes in hexadecimal digits."""
    if isinstance(value, bytes):
        return value.hex()
    return escape_csv_formula(value) if isinstance(value, str) else value
