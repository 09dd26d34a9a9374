"""`groundswell sql 'select …'`: one question to the database, opened for reading only."""

from __future__ import annotations

import csv
import json
import sqlite3
import sys

import click

from pipeline.commands.common import Setting, common, tame
from pipeline.errors import StoreError


@click.command("sql")
@click.argument("query")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, schema 1, instead of CSV.")
@common
def sql_command(setting: Setting, query: str, as_json: bool) -> None:
    """Run QUERY and print its rows as CSV, safe to open in a spreadsheet."""
    from pipeline.store import open_readonly

    conn = open_readonly(setting.db)
    # a database opened for reading could still be made to open, and so create, others
    conn.set_authorizer(
        lambda action, *_: sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK
    )
    try:
        cursor = conn.execute(query)
        rows = cursor.fetchmany(100_000)
        header = [column[0] for column in cursor.description or ()]
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise StoreError(f"{setting.db}: {error}") from error
    finally:
        conn.close()
    if as_json:
        click.echo(
            json.dumps(
                {"schema": 1, "rows": [dict(zip(header, row, strict=True)) for row in rows]}, indent=1, default=str
            )
        )
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([[tame(cell) if isinstance(cell, str) else cell for cell in row] for row in rows])
