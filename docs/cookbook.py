"""Fill docs/analysts.md with what each of its queries says of the demo's database: `make demo cookbook`."""

from __future__ import annotations

import argparse
import difflib
import re
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "analysts.md"
DEMO = ROOT / "out" / "demo" / "groundswell.db"
BLOCK = re.compile(r"```sql\n(?P<sql>.*?)```\n(?:\n```text\n.*?```\n)?", re.S)
WIDEST, MOST = 92, 8


def queries(text: str) -> list[str]:
    """Return the queries of the page."""
    return [match["sql"] for match in BLOCK.finditer(text)]


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return an answer as a table of plain text, cut to what a page holds."""
    cells = [[_cut("" if value is None else str(value)) for value in row] for row in rows[:MOST]]
    widths = [max(len(line[n]) for line in [list(columns), *cells]) for n in range(len(columns))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [list(columns), *cells]
    ]
    return "\n".join(
        lines + (["(none)"] if not rows else []) + ([f"… {len(rows) - MOST} more"] if len(rows) > MOST else [])
    )


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def answered(text: str, database: Path) -> str:
    """Return a page with the answers that its queries get from a database."""
    conn = sqlite3.connect(f"file:{database}?mode=ro", uri=True)

    def block(match: re.Match[str]) -> str:
        cursor = conn.execute(match["sql"])
        answer = table([column[0] for column in cursor.description], cursor.fetchall())
        return f"```sql\n{match['sql']}```\n\n```text\n{answer}\n```\n"

    try:
        return BLOCK.sub(block, text)
    finally:
        conn.close()


def main() -> None:
    """Rewrite the page; with --check, print what differs and exit 1 instead."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--db", type=Path, default=DEMO)
    given = parser.parse_args()
    if not given.db.exists():
        sys.exit("needs the demo's output (make demo)")
    page = PAGE.read_text(encoding="utf-8")
    fresh = answered(page, given.db)
    if given.check:
        differences = list(
            difflib.unified_diff(page.splitlines(), fresh.splitlines(), str(PAGE), "the demo", lineterm="")
        )
        sys.stdout.write("".join(f"{line}\n" for line in differences))
        sys.exit(1 if differences else 0)
    PAGE.write_text(fresh, encoding="utf-8")


if __name__ == "__main__":
    main()
