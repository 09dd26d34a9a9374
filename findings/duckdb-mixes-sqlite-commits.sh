#!/usr/bin/env bash
# DuckDB 1.5.5: one SELECT over an attached SQLite table returns rows of two different commits.
#
# One expects each statement to see one state of the database: SQLite gives every statement a snapshot, WAL mode exists so
# that readers and a writer do not disturb each other, and DuckDB's own tables are read in snapshots too.
#
# Seen with duckdb 1.5.5 and duckdb_extension_sqlite_scanner 1.5.5, the database in WAL mode, attached read only, written by
# another process: every commit gives all rows of a table the same number, yet `SELECT min(v), max(v)` gives two different
# numbers in several of a hundred statements. The scanner cuts a table by rowid into parts of 122,880, each thread opens a
# connection of its own, and each connection begins its snapshot when it gets there. With `SET threads = 1`, and read by
# SQLite itself, all statements agree.
#
# Why it matters here: analysts attach DuckDB to a database that a scheduled run writes to. Counts before and after a commit
# are added to each other, and no error is raised. Read a copy or an export, or with one thread.
#
# Needs Python 3.11 and pip; writes to a temporary folder only. Exits 0 while the behaviour holds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/write.py" <<'PY'
import sqlite3
import sys

writer = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
for number in range(1, 1000):
    writer.execute("UPDATE t SET v = ?", (number,))
PY
cat >"$folder/check.py" <<'PY'
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
from duckdb_extensions import import_extension

folder = Path(sys.argv[1])
path = folder / "t.db"
ROWS = 500_000  # several parts of 122,880 rows

filled = sqlite3.connect(path, isolation_level=None)
filled.execute("PRAGMA journal_mode = wal")
filled.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER NOT NULL)")
filled.execute("BEGIN")
filled.executemany("INSERT INTO t VALUES (?, 0)", ((i,) for i in range(ROWS)))
filled.execute("COMMIT")
filled.close()

import_extension("sqlite_scanner")
duck = duckdb.connect(config={"threads": 4})
duck.execute("LOAD sqlite_scanner")
duck.execute(f"ATTACH '{path}' AS s (TYPE sqlite, READ_ONLY)")


def mixed(answer: Callable[[], tuple[int, int]], seconds: float) -> tuple[int, int]:
    """Return how many statements saw two commits at once, and how many there were."""
    until, answers = time.monotonic() + seconds, []
    while time.monotonic() < until:
        answers.append(answer())
    return sum(low != high for low, high in answers), len(answers)


def by_duckdb() -> tuple[int, int]:
    return duck.execute("SELECT min(v), max(v) FROM s.t").fetchone()


def by_sqlite() -> tuple[int, int]:
    code = f"import sqlite3; print(*sqlite3.connect({str(path)!r}, timeout=30).execute('SELECT min(v), max(v) FROM t').fetchone())"
    low, high = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    return int(low), int(high)


writer = subprocess.Popen([sys.executable, str(folder / "write.py"), str(path)])
try:
    threads = mixed(by_duckdb, 15)
    duck.execute("SET threads = 1")
    one_thread = mixed(by_duckdb, 8)
    sqlite = mixed(by_sqlite, 8)
finally:
    writer.kill()
    writer.wait()
print(f"duckdb {duckdb.__version__}, sqlite {sqlite3.sqlite_version}")
for name, (bad, number) in (("four threads", threads), ("one thread", one_thread), ("SQLite itself", sqlite)):
    print(f"  {name}: {bad} of {number} statements saw two commits at once")
sys.exit(0 if threads[0] and not one_thread[0] and not sqlite[0] and sqlite[1] else 1)
PY
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check 'duckdb==1.5.5' 'duckdb_extension_sqlite_scanner==1.5.5' 'duckdb_extensions==1.5.5'
"$folder/venv/bin/python" "$folder/check.py" "$folder"
