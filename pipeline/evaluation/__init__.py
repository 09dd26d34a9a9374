"""Trials of what the program decides, with figures: on simulated data, and on other people's where EVAL_DATA points."""

from __future__ import annotations

import csv
from pathlib import Path


def csv_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file by the names in its header."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
