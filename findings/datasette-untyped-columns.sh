#!/usr/bin/env bash
# Datasette 0.65.5: a table made by CREATE TABLE AS SELECT, sorted by a count, ends after its first page.
#
# One expects the pages of a sorted table to hold each row once; the same rows in a typed table and in a view do.
#
# Seen with Datasette 0.65.5, 300 rows and 100 a page: sorted by a column that holds count(*) or avg(), the first page
# says that a next one exists, and the next one is empty. The CSV file of "stream all rows" holds 100 rows and no sign
# that 200 are missing. In descending order the second page is the first one again. The cause lies in two places that
# are right by themselves: SQLite gives a computed column of CREATE TABLE AS no type, and Datasette hands the last value
# of a page to the next one as text. Without a type no conversion takes place, and in SQLite each number is less than
# each text.
#
# Why it matters here: the usual way to keep a summary (complaints a service, minutes an outage) is CREATE TABLE AS, and
# the usual next step is to sort it by the number and to download it. Summaries need declared types, or a view.
#
# Needs Python 3.11 and pip; writes to a temporary folder only. Exits 0 while the behaviour holds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/check.py" <<'PY'
import asyncio
import csv
import io
import sqlite3
import sys
from pathlib import Path

import datasette
from datasette.app import Datasette

path = Path(sys.argv[1]) / "complaints.db"
database = sqlite3.connect(path)
database.execute("CREATE TABLE complaint (id INTEGER PRIMARY KEY, service TEXT NOT NULL)")
names = [(f"service {number:03}",) for number in range(300) for _ in range(1 + number % 7)]
database.executemany("INSERT INTO complaint (service) VALUES (?)", names)
database.executescript("""
    CREATE TABLE summary AS SELECT service, count(*) AS n FROM complaint GROUP BY service;
    CREATE TABLE typed (service TEXT PRIMARY KEY, n INTEGER NOT NULL);
    INSERT INTO typed SELECT service, n FROM summary;
    CREATE VIEW viewed AS SELECT service, count(*) AS n FROM complaint GROUP BY service;
""")
database.commit()


async def two_pages(site: Datasette, table: str, order: str) -> tuple[list[str], list[str], str | None]:
    """Return the services of the first and the second page, and the address of a third one."""
    first = (await site.client.get(f"/complaints/{table}.json?{order}=n&_shape=objects&_size=100")).json()
    second = (await site.client.get(first["next_url"].replace("http://localhost", ""))).json()
    services = [[row["service"] for row in page["rows"]] for page in (first, second)]
    return services[0], services[1], second["next_url"]


async def rows_of_csv(site: Datasette, table: str) -> int:
    body = (await site.client.get(f"/complaints/{table}.csv?_sort=n&_stream=on&_size=max")).text
    return len(list(csv.DictReader(io.StringIO(body))))


async def main() -> bool:
    site = Datasette([str(path)], settings={"max_returned_rows": 100})
    holds = True
    for table in ("summary", "typed", "viewed"):
        first, second, third = await two_pages(site, table, "_sort")
        downloaded = await rows_of_csv(site, table)
        print(f"  {table:8} by n: first page {len(first)} rows, second {len(second)}, CSV of all rows {downloaded}")
        if table == "summary":
            holds &= (len(first), second, third, downloaded) == (100, [], None, 100)
        else:
            holds &= (len(first), len(second), downloaded) == (100, 100, 300) and not set(first) & set(second)
    first, second, _ = await two_pages(site, "summary", "_sort_desc")
    print(f"  summary  descending: the second page is the first again: {first == second}")
    return holds and first == second


print(f"datasette {datasette.__version__}, SQLite {sqlite3.sqlite_version}")
sys.exit(0 if asyncio.run(main()) else 1)
PY
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check 'datasette==0.65.5' 'setuptools<81'
"$folder/venv/bin/python" -W ignore "$folder/check.py" "$folder"
