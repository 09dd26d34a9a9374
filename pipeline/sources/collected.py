"""When each row of a recorded folder was truly collected, and what each run covered: `collected.csv` and `runs.csv`.

Both are written by `record`. `collected.csv` names a row by its file and its key there; what is empty is as the file
says.
"""

from __future__ import annotations

import csv
import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.errors import SourceError
from pipeline.model import ComplaintCount, NewsItem, Post, Record
from pipeline.times import utc

COLLECTED = ("file", "key", "collected_utc", "source", "native_id", "url", "window")
RUNS = ("kind", "stream", "at_utc", "covered_from", "covered_until")
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """What one run covered of a stream."""

    kind: str
    stream: str
    at: datetime
    covered: tuple[datetime, datetime]


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[Row]:
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        reader = csv.DictReader(file)
        try:
            if not set(columns) <= set(reader.fieldnames or ()):
                raise SourceError(f"{path}:1: needs the columns {', '.join(columns)}")
            for row in reader:
                if None in row.values() or None in row:
                    raise SourceError(f"{path}:{reader.line_num}: not as many cells as columns")
                yield row
        except csv.Error as error:
            raise SourceError(f"{path}:{reader.line_num}: not CSV: {error}") from error


def read_collected(folder: Path) -> dict[str, dict[str, Row]]:
    """Return the rows of collected.csv by file and key; raises SourceError when it is not as `record` wrote it."""
    found: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in _rows(folder / "collected.csv", COLLECTED):
        try:
            utc(row["collected_utc"])
        except ValueError as error:
            raise SourceError(f"{folder / 'collected.csv'}: {row['file']}: {row['key'][:60]}: {error}") from error
        found[row["file"]][row["key"]] = row
    return found


def read_runs(folder: Path) -> list[RecordedRun]:
    """Return the runs of runs.csv, oldest first; raises SourceError when it is not as `record` wrote it."""
    try:
        found = [
            RecordedRun(
                row["kind"], row["stream"], utc(row["at_utc"]), (utc(row["covered_from"]), utc(row["covered_until"]))
            )
            for row in _rows(folder / "runs.csv", RUNS)
        ]
    except ValueError as error:
        raise SourceError(f"{folder / 'runs.csv'}: {error}") from error
    return sorted(found, key=lambda run: run.at)


def restore(row: Record, told: Row | None) -> Record:
    """Return a row as it was collected; one that collected.csv does not name stays as its file says."""
    if told is None:
        return row
    change: dict[str, Any] = {"collected": utc(told["collected_utc"])}
    if told["source"] and isinstance(row, Post | NewsItem | ComplaintCount):
        change["source"] = told["source"]
    if isinstance(row, Post):
        change |= {name: told[name] for name in ("native_id", "url") if told[name]}
    if told["window"] and isinstance(row, ComplaintCount):
        change["window"] = told["window"]
    return dataclasses.replace(row, **change)
