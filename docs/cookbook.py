"""Fill docs/analysts.md with what each of its queries says of the demo's database: `make demo cookbook`."""

from __future__ import annotations

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


def main() -> None:
    """Rewrite the page."""
    if not DEMO.exists():
        sys.exit("needs the demo's output (make demo)")
    conn = sqlite3.connect(f"file:{DEMO}?mode=ro", uri=True)

    def answered(match: re.Match[str]) -> str:
        cursor = conn.execute(match["sql"])
        told = table([column[0] for column in cursor.description], cursor.fetchall())
        return f"```sql\n{match['sql']}```\n\n```text\n{told}\n```\n"

    PAGE.write_text(BLOCK.sub(answered, PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
