"""The same questions over Parquet: DuckDB with the tables of a folder and the analysts' views."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config.paths import DASHBOARDS
from pipeline.core.errors import StoreError
from pipeline.store import split_statements
from pipeline.store.bulk import columns_of_schema
from pipeline.store.count_tables import COUNTS_VIEW, GAPS_VIEW, HOURS_VIEW

if TYPE_CHECKING:
    import duckdb

# of folders without sums by hour: a backfill writes none, and neither did former versions
_HOURS = f"""CREATE VIEW {HOURS_VIEW} AS SELECT service, source, region, indicator,
 substr(start, 1, 13) || ':00:00Z' AS hour, interval_s, CAST(sum(total) AS BIGINT) AS total,
 CAST(count(*) AS BIGINT) AS intervals, "window" FROM {COUNTS_VIEW} WHERE "window" != 'rolling' GROUP BY ALL"""
_GAPS = f"""CREATE VIEW {GAPS_VIEW} AS SELECT service, source, region, indicator, interval_s, "window",
 start AS last_before, next AS first_after FROM (SELECT *, lead(start) OVER (PARTITION BY source, service, region,
 indicator, interval_s, "window" ORDER BY start) AS next FROM {COUNTS_VIEW} WHERE "window" != 'rolling') c
 WHERE round((julianday(next) - julianday(start)) * 86400) > interval_s"""
KINDS = {"TEXT": "VARCHAR", "INTEGER": "BIGINT", "REAL": "DOUBLE", "BLOB": "BLOB"}


def open_parquet(root: Path) -> duckdb.DuckDBPyConnection:
    """Open a folder of Parquet tables for reading: every table and every view of the database.

    A table without files is empty. Raises StoreError when the folder holds no table.
    """
    import duckdb

    schema = columns_of_schema()
    there = {name: _glob(root, name) for name in schema}
    if not any(there.values()):
        raise StoreError(f"{root}: holds no Parquet tables; `groundswell backfill` or `groundswell export` makes them")
    conn = duckdb.connect(":memory:")
    conn.execute("SET integer_division = true")  # as in SQLite
    # as in SQLite: a Julian day begins at noon, DuckDB's julian() counts from midnight
    conn.execute("CREATE MACRO julianday(t) AS julian(CAST(t AS TIMESTAMP)) - 0.5")
    conn.execute("CREATE MACRO iif(c, a, b) AS CASE WHEN c THEN a ELSE b END")
    for name, columns in schema.items():
        if name != HOURS_VIEW or there[name] or not there[COUNTS_VIEW]:
            conn.execute(_table(conn, name, columns, there[name]))
    if there[COUNTS_VIEW] and not there[HOURS_VIEW]:
        conn.execute(_HOURS)
    conn.execute(_GAPS)
    for statement in split_statements((DASHBOARDS / "views.sql").read_text(encoding="utf-8")):
        conn.execute(statement)
    # nothing but the folder is read, and no file is written, whatever is asked
    conn.execute(f"SET allowed_directories = ['{_quoted(root.resolve())}/']")
    conn.execute("SET enable_external_access = false")
    conn.execute("SET lock_configuration = true")
    return conn


def _glob(root: Path, table: str) -> str:
    if next((root / table).glob("**/*.parquet"), None) is not None:
        return f"{_quoted((root / table).resolve())}/**/*.parquet"
    return ""


def _table(conn: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, str], files: str) -> str:
    """Return the statement that makes a table; timestamps are text in UTC, as in the database."""
    if files:
        once = "DISTINCT " if name == "series" else ""
        source = f"read_parquet('{files}', hive_partitioning = false, union_by_name = true)"
        kinds = conn.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        texts = [
            f'strftime(make_timestamp(epoch_us("{column}")), \'%Y-%m-%dT%H:%M:%SZ\') AS "{column}"'
            for column, kind, *_ in kinds
            if kind.startswith("TIMESTAMP")
        ]
        replaced = f" REPLACE ({', '.join(texts)})" if texts else ""
        return f'CREATE VIEW "{name}" AS SELECT {once}*{replaced} FROM {source}'
    empty = ", ".join(f'CAST(NULL AS {KINDS[kind]}) AS "{column}"' for column, kind in columns.items())
    return f'CREATE VIEW "{name}" AS SELECT {empty} WHERE false'


def _quoted(path: Path) -> str:
    if re.search(r"['\0*?\[]", str(path)):
        raise StoreError(f"{path}: a folder for Parquet must have a name without quotes and wildcards")
    return str(path)
