"""Archives of posts and counts that tests of the backfill write, and what it made of them."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.conftest import Groundswell

NOW = "2026-03-05T00:00:00Z"
BEGIN = 1772409600  # 2 March 2026, 00:00 UTC
TABLES = ("posts", "post_tags", "votes", "complaint_counts", "series", "verdicts", "coverage")


def write_posts(path: Path, number: int = 600, *, first: int = 0, begin: int = BEGIN) -> None:
    """Write posts over a day, of which an hour is full of people who cannot log in."""
    dice = random.Random(7 + first)
    lines = []
    for n in range(first, first + number):
        bad = 0.4 < n % 600 / 600 < 0.5
        text = (
            f"cannot log in to Claude since {dice.random():.6f}"
            if bad
            else f"my garden {dice.random():.6f}, Claude is nice"
            if n % 3
            else "nothing"
        )
        lines.append(
            {
                "id": f"p{n}",
                "title": "Claude is down" if bad else "hello",
                "selftext": text,
                "author": f"u{n}",
                "subreddit": "ClaudeAI",
                "created_utc": begin + n * 144,
            }
        )
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def write_counts(path: Path, services: int = 3, bins: int = 400) -> None:
    dice = random.Random(3)
    stamps = [BEGIN - 3 * 86400 + n * 900 for n in range(bins)]
    rows = [
        (f"s{s}", t, 90 if s == 1 and n > bins - 5 else dice.randrange(3, 9))
        for s in range(services)
        for n, t in enumerate(stamps)
    ]
    table = pa.table(
        {
            "service": [r[0] for r in rows],
            "start_utc": pa.array([r[1] for r in rows]).cast(pa.timestamp("s", "UTC")),
            "interval_s": [900] * len(rows),
            "total": [r[2] for r in rows],
        }
    )
    pq.write_table(table, path, row_group_size=500)


def rows_of(db: Path) -> dict[str, list[tuple[object, ...]]]:
    conn = sqlite3.connect(db)
    return {table: sorted(conn.execute(f"SELECT * FROM {table}").fetchall(), key=repr) for table in TABLES}


def same(one: dict[str, Any], two: dict[str, Any], but: tuple[str, ...] = ()) -> None:
    for table in TABLES:
        if table not in but:
            assert one[table] == two[table], table


def backfill(groundswell: Groundswell, out: str, *more: str) -> Any:
    return groundswell(
        "backfill",
        out,
        "--posts",
        "posts.ndjson",
        "--counts",
        "counts.parquet",
        "--new",
        "--now",
        NOW,
        "--into-db",
        "--db",
        f"{out}.db",
        *more,
    )
