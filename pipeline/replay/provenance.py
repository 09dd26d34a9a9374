"""When each row of a recorded folder was truly collected, what each run covered, how updates were reworded.

`collected.csv`, `runs.csv` and `wordings.csv` are written by `record`. `collected.csv` names a row by its file and its
key there; what is empty is as the file says; `other` is a JSON object of fields that the file's format cannot carry as
they were.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from msgspec import structs

from pipeline.core.errors import SourceError
from pipeline.core.records import Batch, ComplaintCount, NewsItem, Post, Record, RejectedRow
from pipeline.core.status_records import OfficialIncident, StatusUpdate, Wording
from pipeline.core.times import Span, utc, utc_or_none
from pipeline.sources.parsing import not_from_the_future, reject

COLLECTED = ("file", "key", "collected_utc", "source", "window", "other")
WORDINGS = ("file", "key", "first_seen_utc", "body")
RUNS = ("kind", "stream", "at_utc", "covered_from", "covered_until")
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """What one run covered of a stream."""

    kind: str
    stream: str
    at: datetime
    covered: Span


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[Row]:
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        reader = csv.DictReader(file)
        try:
            if not set(columns) <= set(reader.fieldnames or ()):
                raise SourceError(f"needs the columns {', '.join(columns)}", source=f"{path}:1")
            for row in reader:
                if None in row.values() or None in row:
                    raise SourceError("not as many cells as columns", source=f"{path}:{reader.line_num}")
                yield row
        except csv.Error as error:
            raise SourceError(f"not CSV: {error}", source=f"{path}:{reader.line_num}") from error


def read_collected(folder: Path) -> dict[str, dict[str, Row]]:
    """Return the rows of collected.csv by file and key; raises SourceError when it is not as `record` wrote it."""
    found: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in _rows(folder / "collected.csv", COLLECTED):
        try:
            utc(row["collected_utc"])
        except ValueError as error:
            raise SourceError(
                f"{row['file']}: {row['key'][:60]}: {error}", source=str(folder / "collected.csv")
            ) from error
        found[row["file"]][row["key"]] = row
    return found


def read_wordings(folder: Path) -> dict[str, dict[str, list[Wording]]]:
    """Return the wordings of updates that were reworded, oldest first, by file and key.

    Raises SourceError when wordings.csv is not as `record` wrote it.
    """
    wordings: dict[str, dict[str, list[Wording]]] = defaultdict(lambda: defaultdict(list))
    try:
        for row in _rows(folder / "wordings.csv", WORDINGS):
            wordings[row["file"]][row["key"]].append(Wording(utc(row["first_seen_utc"]), row["body"]))
    except ValueError as error:
        raise SourceError(str(error), source=str(folder / "wordings.csv")) from error
    for of_file in wordings.values():
        for of_update in of_file.values():
            of_update.sort()
    return wordings


def reworded(update: StatusUpdate, wordings: Sequence[Wording]) -> list[StatusUpdate]:
    """Return an update once for each of its wordings, as it was read then; as it is where it has one only."""
    return [structs.replace(update, collected=at, body=body) for at, body in wordings] or [update]


def read_runs(folder: Path) -> list[RecordedRun]:
    """Return the runs of runs.csv, oldest first; raises SourceError when it is not as `record` wrote it."""
    try:
        found = [
            RecordedRun(
                row["kind"],
                row["stream"],
                utc(row["at_utc"]),
                Span(utc(row["covered_from"]), utc(row["covered_until"])),
            )
            for row in _rows(folder / "runs.csv", RUNS)
        ]
    except ValueError as error:
        raise SourceError(str(error), source=str(folder / "runs.csv")) from error
    return sorted(found, key=lambda run: run.at)


@cache
def _restorable(kind: type[Record]) -> Set[str]:
    """Return the fields of a kind of row that `other` may give: text and flags. Worked out once a kind, it is slow."""
    return frozenset(field.name for field in structs.fields(kind) if field.type in (str, bool))


def restore(row: Record, told: Row | None) -> Record:
    """Return a row as it was collected; one that collected.csv does not name stays as its file says.

    Raises ValueError when `other` is no JSON object of the row's own fields.
    """
    if told is None:
        return row
    row = structs.replace(row, collected=utc(told["collected_utc"]))
    if told["source"] and isinstance(row, Post | NewsItem | ComplaintCount):
        row = structs.replace(row, source=told["source"])
    if told["window"] and isinstance(row, ComplaintCount):
        row = structs.replace(row, window=told["window"])
    other = json.loads(told["other"]) if told["other"] else {}
    if not isinstance(other, dict) or not set(other) <= _restorable(type(row)):
        raise ValueError(f"collected.csv: {told['file']}: {told['key'][:60]}: other fields than the row's")
    return structs.replace(row, **other)


def parse_official(body: bytes, *, fetched_at: datetime, name: str) -> Batch:
    """Parse planned maintenance and incidents that were taken back as `record` writes them, one JSON object a line.

    A bad line is refused with its number.
    """
    rows: list[OfficialIncident] = []
    bad: list[RejectedRow] = []
    for number, line in enumerate(body.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
            rows.append(
                OfficialIncident(
                    page=str(item["page"]),
                    incident_id=str(item["incident_id"]),
                    name=str(item["name"]),
                    status=str(item["status"]),
                    impact=str(item["impact"]),
                    url=str(item["url"]),
                    collected=not_from_the_future(utc(str(item["collected"])), fetched_at),
                    started_at=utc_or_none(item.get("started_at")),
                    resolved_at=utc_or_none(item.get("resolved_at")),
                    scheduled_for=utc_or_none(item.get("scheduled_for")),
                    scheduled_until=utc_or_none(item.get("scheduled_until")),
                    components=tuple(map(str, item["components"])),
                    taken_back_at=utc_or_none(item.get("taken_back_at")),
                )
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            bad.append(reject(f"{name}:{number}", error, line.decode("utf-8", "replace")))
    return Batch(source="status", rows=tuple(rows), rejected=tuple(bad), outcome="ok" if rows else "empty")


def parse_items(body: bytes, *, fetched_at: datetime, name: str) -> Batch:
    """Parse news items as `record` writes them, one JSON object a line; a bad line is refused with its number."""
    rows: list[NewsItem] = []
    bad: list[RejectedRow] = []
    for number, line in enumerate(body.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
            text = {key: str(item[key]) for key in ("source", "native_id", "outlet", "title", "summary", "url")}
            stamp = item["published"]  # null: its time is unknown
            published = None if stamp is None else not_from_the_future(utc(str(stamp)), fetched_at)
            rows.append(NewsItem(**text, published=published, collected=utc(str(item["collected"]))))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            bad.append(reject(f"{name}:{number}", error, line.decode("utf-8", "replace")))
    return Batch(source="feeds", rows=tuple(rows), rejected=tuple(bad), outcome="ok" if rows else "empty")
