"""`groundswell sql 'select …'`: one question to the database, opened for reading only."""

from __future__ import annotations

import csv
import itertools
import json
import math
import sqlite3
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from pipeline.commands.common import Setting, common, escape_csv_formula
from pipeline.commands.terminal import print_table
from pipeline.config.setting_values import parse_duration
from pipeline.core.errors import ConfigError, StoreError
from pipeline.render.formatting import header_safe

ROWS_ON_TERMINAL = 1000
CELL_WIDTH = 60


@click.command("sql")
@click.argument("query")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, schema 1, instead of CSV.")
@click.option(
    "--parquet",
    type=click.Path(path_type=Path, file_okay=False),
    help="Query a folder of Parquet tables with DuckDB instead of --db.",
)
@click.option("--timeout", help="Stop the query after this time, such as 30s or 5min. Ctrl-C always stops it.")
@common
def sql_command(setting: Setting, query: str, as_json: bool, parquet: Path | None, timeout: str | None) -> None:
    """Run QUERY, read-only. Prints a table on a terminal, else CSV that is safe to open in a spreadsheet."""
    from pipeline.store import open_readonly
    from pipeline.store.failures import damaged, is_damage

    limit = _TimeLimit(_seconds(timeout) if timeout else None)
    if parquet is not None:
        _ask_parquet(parquet, query, as_json, limit)
        return
    conn = open_readonly(setting.db)
    conn.set_progress_handler(limit.is_over, 10_000)
    # a database opened for reading could still be made to open, and so create, others
    conn.set_authorizer(
        lambda action, *_: sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK
    )
    conn.text_factory = lambda content: content.decode("utf-8", "replace")  # what a query casts need be no text
    try:
        cursor = conn.execute(query)
        header = [column[0] for column in cursor.description or ()]
        _print_answer(header, cursor, as_json=as_json)
    except (sqlite3.Error, sqlite3.Warning, UnicodeDecodeError) as error:
        limit.raise_if_stopped(interrupted=getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT)
        raise (
            damaged(str(setting.db), str(error)) if is_damage(error) else StoreError(f"{setting.db}: {error}")
        ) from error
    finally:
        conn.close()


class _TimeLimit:
    """Ends a query at its deadline. SQLite calls `is_over` while it works, which also lets Ctrl-C through."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds if seconds is not None else math.inf

    def is_over(self) -> bool:
        """Return whether the query is to be stopped."""
        return time.monotonic() > self._end

    def raise_if_stopped(self, *, interrupted: bool) -> None:
        """Raise what an interrupted query means: StoreError after the deadline, else click's Abort."""
        if interrupted and self.is_over():
            raise StoreError(f"the query was stopped after {self.seconds:g} s (--timeout)")
        if interrupted:
            raise click.Abort


def _seconds(timeout: str) -> float:
    try:
        return parse_duration(timeout).total_seconds()
    except ValueError as error:
        raise ConfigError(f"--timeout: {error}") from error


def _ask_parquet(folder: Path, query: str, as_json: bool, limit: _TimeLimit) -> None:
    import duckdb

    from pipeline.scale.duckdb_views import open_parquet

    with open_parquet(folder) as conn:
        timer = threading.Timer(limit.seconds, conn.interrupt) if limit.seconds is not None else None
        try:
            if timer is not None:
                timer.start()
            kinds = {one.type for one in conn.extract_statements(query)}
            if not kinds <= {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}:
                raise StoreError(f"{folder}: only questions are answered: SELECT, WITH, EXPLAIN")
            answer = conn.execute(query)
            header = [column[0] for column in answer.description or ()]
            rows = iter(answer.fetchone, None)
            _print_answer(header, rows, as_json=as_json)
        except duckdb.Error as error:
            limit.raise_if_stopped(interrupted=isinstance(error, duckdb.InterruptException))
            raise StoreError(f"{folder}: {' '.join(str(error).split())[:300]}") from error
        except RuntimeError as error:  # what DuckDB makes of Ctrl-C, which it sees with one thread only
            raise click.Abort from error
        finally:
            if timer is not None:
                timer.cancel()


def _print_answer(header: list[str], rows: Iterable[Sequence[object]], *, as_json: bool) -> None:
    """Print JSON, on a terminal a table of the first rows, else CSV."""
    if as_json:
        _json(header, rows)
    elif not sys.stdout.isatty():
        _csv(header, rows)
    else:
        rest = iter(rows)
        shown = list(itertools.islice(rest, ROWS_ON_TERMINAL))
        print_table(header, [[_on_terminal(cell) for cell in row] for row in shown])
        if not shown:
            click.echo("no rows", err=True)
        elif next(rest, None) is not None:
            click.echo(f"the first {ROWS_ON_TERMINAL} rows; all are in the CSV of a pipe, and in --json", err=True)


def _on_terminal(cell: object) -> str:
    """Return a cell in one short line without control characters, which could steer the terminal."""
    text = header_safe("" if cell is None else str(_shown(cell)), CELL_WIDTH + 1)
    return text if len(text) <= CELL_WIDTH else f"{text[: CELL_WIDTH - 1]}…"


def _csv(header: list[str], rows: Iterable[Sequence[object]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([escape_csv_formula(name) for name in header])
    writer.writerows(
        [escape_csv_formula(cell) if isinstance(cell, str) else _shown(cell) for cell in row] for row in rows
    )


def _json(header: list[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows one by one: an answer may be larger than memory. A name that comes twice gets its place."""
    names = [name if header.index(name) == i else f"{name}:{i + 1}" for i, name in enumerate(header)]
    click.echo('{"schema": 1, "rows": [', nl=False)
    for number, row in enumerate(rows):
        line = json.dumps(dict(zip(names, map(_shown, row), strict=True)), allow_nan=False)
        click.echo(("," if number else "") + f"\n {line}", nl=False)
    click.echo("\n]}")


def _shown(cell: object) -> object:
    """Return bytes as hexadecimal digits, and what is no number in JSON as text."""
    if isinstance(cell, bytes):
        return cell.hex()
    return str(cell) if isinstance(cell, float) and not math.isfinite(cell) else cell
