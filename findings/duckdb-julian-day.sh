#!/usr/bin/env bash
# DuckDB: julian() is half a day ahead of the Julian day, and a cast to TIMESTAMP drops an offset.
#
# One expects julian(TIMESTAMP '2000-01-01 12:00:00') to be 2451545.0: a Julian day begins at noon, the epoch J2000 is noon of
# 1 January 2000, and SQLite's julianday() says so. And CAST('2026-03-02T12:00:00+02:00' AS TIMESTAMP) to be 10:00 UTC, or an error.
#
# Seen with duckdb 2.0.0: julian() gives 2451545.5, for it counts days from midnight. Differences of two moments are right; the
# day of the week from `julian(t) + 0.5` is not, and as DuckDB's CAST AS INTEGER rounds a half to the even number, it is wrong on
# every other date only. The cast gives 12:00, without a word.
#
# Why it matters here: the same views run in SQLite and DuckDB, and `hour_of_week` was a day off on every other date.
#
# Needs Python 3.11 and pip; writes to a temporary folder only. Exits 0 while the behaviour holds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --no-deps --target "$folder/site" "duckdb==2.0.0" 2>"$folder/log" ||
  { tail -2 "$folder/log" >&2; echo "duckdb could not be installed" >&2; exit 2; }
PYTHONPATH=$folder/site python3 - <<'PY'
import sqlite3
import sys

import duckdb

duck = duckdb.execute("SELECT julian(TIMESTAMP '2000-01-01 12:00:00')").fetchone()[0]
lite = sqlite3.connect(":memory:").execute("SELECT julianday('2000-01-01T12:00:00Z')").fetchone()[0]
print(f"noon of 1 January 2000: expected 2451545.0; SQLite {lite}, DuckDB {duckdb.__version__} {duck}")
cast = duckdb.execute("SELECT CAST('2026-03-02T12:00:00+02:00' AS TIMESTAMP)").fetchone()[0]
print(f"2026-03-02T12:00:00+02:00 as TIMESTAMP: expected 10:00, DuckDB {cast:%H:%M}")
sys.exit(0 if (lite, duck, f"{cast:%H:%M}") == (2451545.0, 2451545.5, "12:00") else 1)
PY
