#!/usr/bin/env bash
# Datasette 0.65.5: a table with a text key, sorted by a column with equal values, loses rows between its pages.
#
# One expects the pages of a sorted table to hold each row once. Datasette takes care of equal values: the link to the
# next page names the last value and the last key, and the next page begins behind both.
#
# Seen with Datasette 0.65.5, 300 rows, 100 a page, sorted by a column with three values: 31 rows are on no page, and 40
# are on two. The CSV file of "stream all rows" has the same faults, without a sign. It happens where the primary key is
# text, or has several columns, and the rows were not inserted in its order, as with most ids of posts and notices. It
# also happens with an integer key, when a filter is answered by an index in another order. Right are a table WITHOUT
# ROWID and one whose rows were inserted in the order of the key. The cause: only the later pages are sorted by the
# column and the key. The first is sorted by the column alone, so SQLite returns equal values in the order in which it
# reads them, and the second begins behind the key of the row that happened to be last. 1.0a41 does the same.
#
# Why it matters here: "sort by service, download as CSV" is how reports get into a spreadsheet. The total is wrong,
# differs with the column, and no page looks incomplete. Sort by the key, or write the SQL.
#
# Needs Python 3.11 and pip; writes to a temporary folder only. Exits 0 while the behaviour holds.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/check.py" <<'PY'
import asyncio
import csv
import hashlib
import io
import sqlite3
import sys
from pathlib import Path

import datasette
from datasette.app import Datasette

path = Path(sys.argv[1]) / "reports.db"
database = sqlite3.connect(path)
database.executescript("""
    CREATE TABLE posts (id TEXT PRIMARY KEY, service TEXT NOT NULL);
    CREATE TABLE without_rowid (id TEXT PRIMARY KEY, service TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE in_order (id TEXT PRIMARY KEY, service TEXT NOT NULL);
    CREATE TABLE numbered (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, place TEXT NOT NULL, service TEXT NOT NULL);
    CREATE INDEX numbered_kind ON numbered (kind, place);
""")
services = ("claude", "claude", "github", "slack")
rows = [(hashlib.sha256(str(n).encode()).hexdigest()[:8], services[n % 4]) for n in range(300)]
for table in ("posts", "without_rowid"):
    database.executemany(f"INSERT INTO {table} VALUES (?, ?)", rows)
database.executemany("INSERT INTO in_order VALUES (?, ?)", sorted(rows))
database.executemany("INSERT INTO numbered (kind, place, service) VALUES ('post', ?, ?)", rows)
database.commit()


async def ids_of_csv(site: Datasette, address: str) -> list[str]:
    body = (await site.client.get(f"/reports/{address}&_stream=on&_size=max")).text
    return [row["id"] for row in csv.DictReader(io.StringIO(body))]


async def ids_of_pages(site: Datasette, address: str) -> list[str]:
    ids, following = [], f"/reports/{address}&_shape=objects&_size=100"
    while following:
        page = (await site.client.get(following)).json()
        ids += [str(row["id"]) for row in page["rows"]]
        following = (page["next_url"] or "").replace("http://localhost", "")
    return ids


async def main() -> bool:
    site = Datasette([str(path)], settings={"max_returned_rows": 100})
    holds = True
    for query, right in (
        ("posts.{}?_sort=service", False),
        ("posts.{}?_sort_desc=service", False),
        ("numbered.{}?kind=post&_sort=service", False),
        ("without_rowid.{}?_sort=service", True),
        ("in_order.{}?_sort=service", True),
        ("numbered.{}?_sort=service", True),
        ("posts.{}?_sort=id", True),
    ):
        paged, downloaded = await ids_of_pages(site, query.format("json")), await ids_of_csv(site, query.format("csv"))
        found = f"pages {len(paged)}, different {len(set(paged))}, CSV {len(downloaded)}"
        print(f"  {query.format('csv'):38} 300 rows: {found}")
        if right:
            holds &= len(paged) == len(set(paged)) == len(downloaded) == len(set(downloaded)) == 300
        else:
            holds &= len(set(paged)) < min(300, len(paged)) and len(set(downloaded)) < 300
    return holds


print(f"datasette {datasette.__version__}, SQLite {sqlite3.sqlite_version}")
sys.exit(0 if asyncio.run(main()) else 1)
PY
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check 'datasette==0.65.5' 'setuptools<81' 2>"$folder/log" ||
  { tail -2 "$folder/log" >&2; echo "datasette 0.65.5 could not be installed" >&2; exit 2; }
"$folder/venv/bin/python" -W ignore "$folder/check.py" "$folder"
