"""The files of a recorded day as sources.

Files of a kind may be cut into several (`posts-1.ndjson`, `posts-2.ndjson.zst`) and rows may lie in any order. A
malformed file or row is told with its file and line; the rest is used. In a folder that `record` wrote,
`collected.csv` says when each row was truly collected and by whom, and `runs.csv` what each run covered.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import structs

from pipeline.core.catalogue import Catalogue
from pipeline.core.count_columns import CountColumns
from pipeline.core.errors import SourceError
from pipeline.core.records import ComplaintCount, NewsItem, Post, Record, RejectedRow
from pipeline.core.status_records import OfficialIncident, StatusUpdate, Wording
from pipeline.replay.checks import backward_clock, unknown_services
from pipeline.replay.provenance import RecordedRun, Row, read_collected, read_runs, read_wordings, restore, reworded
from pipeline.replay.recorded_files import read_recorded_file
from pipeline.replay.recorded_rows import CountedRows, by_service, key_of, runs_backwards
from pipeline.replay.recorded_source import RecordedSource
from pipeline.replay.scenario import KINDS, Scenario
from pipeline.sources.count_columns import rows_of

ONE_AFTER_ANOTHER = ("posts", "complaints", "charts")  # kinds of files whose rows lie by time
SOURCE_NAMES = {"posts": "reddit", "complaints": "complaints", "feeds": "feeds", "status": "status", "charts": "charts"}
_PATTERNS = {
    "posts": ("posts*.ndjson", "posts*.ndjson.zst"),
    "complaints": ("complaints*.csv",),
    "feeds": ("news/*.xml", "news/*.ndjson"),
    "status": ("status/*.json", "status/*.ndjson"),
    "charts": ("charts*.csv",),
}


class _Provenance(NamedTuple):
    """What a folder that `record` wrote says of its rows, by file and key, and what its runs covered."""

    collected: Mapping[str, Mapping[str, Row]]
    wordings: Mapping[str, Mapping[str, Sequence[Wording]]]
    runs: Sequence[RecordedRun]


@dataclass
class _FilesOfKind:
    """What the files of one kind hold; `counted`: a single file of counts, as columns; `problems`: what is not used."""

    rows: list[Record] = field(default_factory=list)
    counted: CountColumns | None = None
    rejected: list[RejectedRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def load_recorded(scenario: Scenario, catalogue: Catalogue | None = None) -> tuple[list[RecordedSource], list[str]]:
    """Read every file of a scenario; return its sources and one line for each file that could not be used.

    A status page that services share belongs to the service of the `catalogue` whose id the file bears.
    """
    collecting = gc.isenabled()
    gc.disable()  # all that is read stays: to look through millions of rows for garbage costs a third of the time
    try:
        return _load(scenario, catalogue or {})
    finally:
        if collecting:
            gc.enable()


def _load(scenario: Scenario, catalogue: Catalogue) -> tuple[list[RecordedSource], list[str]]:
    sources: list[RecordedSource] = []
    problems: list[str] = []
    try:
        told = _Provenance(read_collected(scenario.folder), read_wordings(scenario.folder), read_runs(scenario.folder))
    except SourceError as error:
        problems.append(str(error))
        told = _Provenance({}, {}, ())
    for kind in KINDS:
        found = _read_files(scenario, kind, told, catalogue)
        problems += found.problems
        sources += _sources(scenario, kind, found, [run for run in told.runs if run.kind == kind])
    return sources, problems


def _read_files(scenario: Scenario, kind: str, told: _Provenance, catalogue: Catalogue) -> _FilesOfKind:
    found = _FilesOfKind()
    paths = sorted({path for pattern in _PATTERNS[kind] for path in scenario.folder.glob(pattern)})
    for path in paths:
        name = str(path.relative_to(scenario.folder))
        collected, wordings = told.collected.get(name, {}), told.wordings.get(name, {})
        try:
            batch = read_recorded_file(kind, path, name, _unknown(scenario), scenario.name.encode(), catalogue)
        except SourceError as error:
            found.problems.append(str(error))
            continue
        if batch.columns is not None:
            if len(paths) == 1 and not collected and not scenario.delays[kind].microseconds:
                found.counted = batch.columns
                found.problems += unknown_services(name, by_service(batch.columns), catalogue)
                if runs_backwards(batch.columns):
                    found.notes += backward_clock(name, ((_public(row), row) for row in rows_of(batch.columns)))
                continue
            batch = structs.replace(batch, rows=tuple(rows_of(batch.columns)), columns=None)
        try:
            restored = list(_restored(batch.rows, collected, wordings))
        except ValueError as error:
            found.problems.append(str(error))
            continue
        services = Counter(row.service for row in batch.rows if isinstance(row, ComplaintCount))
        found.problems += unknown_services(name, services, catalogue)
        if kind in ONE_AFTER_ANOTHER:
            found.notes += backward_clock(name, ((_public(row), row) for row in batch.rows))
        found.rows += [row for row in restored if _public(row) >= scenario.start]
        found.rejected += batch.rejected
    return found


def _restored(
    rows: Sequence[Record], collected: Mapping[str, Row], wordings: Mapping[str, Sequence[Wording]]
) -> Iterator[Record]:
    """Yield rows as collected, an update as often as its text was replaced; raises ValueError on a malformed one."""
    if not collected and not wordings:
        yield from rows
        return
    for row in rows:
        key = key_of(row)
        known = restore(row, collected.get(key)) if collected else row
        yield from reworded(known, wordings.get(key, ())) if isinstance(known, StatusUpdate) else (known,)


def _sources(
    scenario: Scenario, kind: str, found: _FilesOfKind, runs: Sequence[RecordedRun]
) -> Iterator[RecordedSource]:
    delay, unknown = scenario.delays[kind], _unknown(scenario)
    public = [(row.collected if row.collected != unknown else _public(row) + delay, row) for row in found.rows]
    if kind != "posts":
        rows = CountedRows(found.counted, scenario.start, delay) if found.counted else public
        yield RecordedSource(SOURCE_NAMES[kind], scenario, kind, rows, found.rejected, notes=found.notes)
        return
    # each stream of posts is judged by itself, and has its own gaps; what is odd is told with the first
    streams = sorted({row.source for row in found.rows if isinstance(row, Post)} | {run.stream for run in runs})
    for place, stream in enumerate(streams or [SOURCE_NAMES[kind]]):
        yield RecordedSource(
            stream,
            scenario,
            kind,
            [(at, row) for at, row in public if isinstance(row, Post) and row.source == stream],
            () if place else found.rejected,
            [run for run in runs if run.stream == stream],
            notes=() if place else found.notes,
        )


def _unknown(scenario: Scenario) -> datetime:
    """Return what stands for an unknown time of collection while files are read: it lies after the scenario."""
    return scenario.end + timedelta(days=1)


def _public(row: Record) -> datetime:
    """Return when a record's content came to be, before its kind's publication delay."""
    if isinstance(row, Post):
        return row.created
    if isinstance(row, ComplaintCount):
        return row.start + timedelta(seconds=row.interval_s)
    if isinstance(row, NewsItem):
        return row.published or row.collected
    if isinstance(row, StatusUpdate):
        return max(row.displayed_at, row.created_at)
    if isinstance(row, OfficialIncident):
        return row.collected
    return row.observed
