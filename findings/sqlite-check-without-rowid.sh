#!/usr/bin/env bash
# SQLite 3.40.1: quick_check and integrity_check report "NULL value" in a sound WITHOUT ROWID table.
#
# One expects `ok` for a table that was created and filled a moment ago, and that holds no NULL at all.
#
# Seen with apsw 3.40.1.0, which carries SQLite 3.40.1: where a NOT NULL column stands before the columns of the primary
# key, both checks report "NULL value in TABLE.COLUMN" for every row. With the key's columns first the table is "ok". The
# check looks columns up in declared order, while such a table stores its key first. SQLite 3.41.2 (apsw 3.41.2.0)
# answers "ok" for both.
#
# Why it matters here: Debian 12 ships 3.40.1. Whoever checks a database's health with these pragmas, as we do, tells
# users of sound databases that they are damaged; rewriting or restoring such a database changes nothing.
#
# Needs Python 3.11 and pip; writes to a temporary folder only. Exits 0 while the behaviour holds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/check.py" <<'PY'
import sys

import apsw

KEY_LAST = "CREATE TABLE t (value TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (id)) WITHOUT ROWID"
KEY_FIRST = "CREATE TABLE t (id TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (id)) WITHOUT ROWID"


def answers(table: str) -> set[str]:
    cursor = apsw.Connection(":memory:").cursor()
    cursor.execute(table)
    cursor.execute("INSERT INTO t (id, value) VALUES ('one', 'something')")
    assert list(cursor.execute("SELECT count(*) FROM t WHERE id IS NULL OR value IS NULL")) == [(0,)]
    return {row[0] for check in ("quick_check", "integrity_check") for row in cursor.execute(f"PRAGMA {check}")}


last, first = answers(KEY_LAST), answers(KEY_FIRST)
print(f"SQLite {apsw.sqlitelibversion()}: key last: {sorted(last)}; key first: {sorted(first)}")
expected = {"NULL value in t.value"} if sys.argv[1] == "wrong" else {"ok"}
sys.exit(0 if last == expected and first == {"ok"} else 1)
PY
holds=0
for pair in 3.40.1.0=wrong 3.41.2.0=right; do
  target=$folder/${pair%=*}
  python3 -m pip install --quiet --disable-pip-version-check --no-deps --target "$target" "apsw==${pair%=*}" 2>"$folder/log" ||
    { tail -2 "$folder/log" >&2; echo "apsw ${pair%=*} could not be installed" >&2; exit 2; }
  PYTHONPATH=$target python3 "$folder/check.py" "${pair#*=}" || holds=1
done
exit $holds
