"""The labelled posts of all files, and texts in batches."""

from __future__ import annotations

import csv

from pipeline.config.paths import LABELS


def labelled() -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for path in sorted(LABELS.glob("posts*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows += csv.DictReader(file)
    return rows


def chunked(texts: list[str], size: int) -> list[list[str]]:
    return [texts[start : start + size] for start in range(0, len(texts), size)]
