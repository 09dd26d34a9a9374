"""A recorded day as sources: what a folder holds is offered as it would have become public.

At simulated time t a source sees what was public by t less its kind's publication delay. The folder format is in
CONTRIBUTING.md; files of a kind may be cut into several (`posts-1.ndjson`, `posts-2.ndjson.zst`) and rows may lie in
any order. A malformed file or row is told with its file and line; the rest is used. In a folder that `record` wrote,
`collected.csv` says when each row was truly collected and by whom, and `runs.csv` what each run covered.
"""

from __future__ import annotations

import bisect
import dataclasses
import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.config.load import read_toml
from pipeline.config.setting_values import parse_duration
from pipeline.core.catalogue import Catalogue
from pipeline.core.count_columns import CountColumns
from pipeline.core.errors import ConfigError, SourceError
from pipeline.core.records import Batch, ComplaintCount, NewsItem, Post, Record, RejectedRow
from pipeline.core.status_records import OfficialIncident, StatusUpdate, Wording
from pipeline.core.times import END, FIRST, Span, iso
from pipeline.replay.checks import backward_clock, unknown_services
from pipeline.replay.provenance import (
    RecordedRun,
    read_collected,
    read_runs,
    read_wordings,
    restore,
    reworded,
)
from pipeline.replay.recorded_files import read_recorded_file
from pipeline.replay.recorded_rows import CountedRows, by_service, key_of, listed, runs_backwards
from pipeline.replay.truth import Truth, moment, read_truth
from pipeline.sources.count_columns import rows_of

KINDS = ("posts", "complaints", "feeds", "status", "charts")
ONE_AFTER_ANOTHER = ("posts", "complaints", "charts")  # kinds of files whose rows lie by time
DELAYS = {"posts": "60s", "complaints": "120s", "feeds": "5min", "status": "30s", "charts": "0s"}
SOURCE_NAMES = {"posts": "reddit", "complaints": "complaints", "feeds": "feeds", "status": "status", "charts": "charts"}


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What scenario.toml and truth.toml say.

    blind: whoever wrote the facts of this simulated day had not seen the detector.
    """

    folder: Path
    name: str
    start: datetime
    end: datetime
    step: timedelta
    delays: Mapping[str, timedelta]
    watch: tuple[str, ...]
    simulated: bool
    note: str
    first_run: datetime | None
    truth: Truth
    blind: bool = False


def read_scenario(folder: Path) -> Scenario:
    """Read the head of a scenario folder; raises ConfigError naming file and key."""
    path = folder / "scenario.toml"
    table = read_toml(path)
    try:
        start, end = (moment(table[key]) for key in ("start", "end"))
        if not (FIRST <= start < END and FIRST <= end < END):
            raise ValueError(f"start and end: must lie between {FIRST.year} and {END.year}")
        if not isinstance(table.get("publication_delay", {}), dict):
            raise ValueError('publication_delay: must be a table, as posts = "60s" under [publication_delay]')
        delays = {kind: parse_duration(table.get("publication_delay", {}).get(kind, DELAYS[kind])) for kind in KINDS}
        step = parse_duration(table.get("step", "5min"))
        first_run = moment(table["first_run"]) if "first_run" in table else None
        watch = table.get("watch", [])
        if not isinstance(watch, list) or not all(isinstance(name, str) for name in watch):
            raise ValueError('watch: must be a list of services, as ["claude"]')
    except KeyError as error:
        raise ConfigError(f"{path}: {error.args[0]}: is missing") from error
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error
    unknown = set(table.get("publication_delay", {})) - set(KINDS)
    if unknown:
        raise ConfigError(f"{path}: publication_delay.{sorted(unknown)[0]}: unknown key; one of {', '.join(KINDS)}")
    return Scenario(
        folder=folder,
        name=str(table.get("name", folder.name)),
        start=start,
        end=end,
        step=step,
        delays=delays,
        watch=tuple(watch),
        simulated=bool(table.get("simulated", False)),
        note=str(table.get("note", "")),
        first_run=first_run,
        truth=read_truth(folder / "truth.toml", end),
        blind=bool(table.get("blind", False)),
    )


class RecordedSource:
    """One kind of a scenario's records, offered by the time they became public."""

    def __init__(
        self,
        name: str,
        scenario: Scenario,
        kind: str,
        rows: Iterable[tuple[datetime, Record]] | CountedRows,
        bad: Iterable[RejectedRow],
        runs: Sequence[RecordedRun] = (),
        notes: Sequence[str] = (),
    ) -> None:
        """Sort the rows by when they became public; `runs` are what recorded runs covered, where that is known.

        `notes` say what is odd in the files, and does not matter.
        """
        self.notes = tuple(notes)
        self.name, self.kind = name, kind
        self._delay = scenario.delays[kind]
        self._start = scenario.start
        self._runs = runs
        self._rows = rows if isinstance(rows, CountedRows) else listed(rows)
        self.rejected = tuple(bad)

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        """Return what became public in (since, now]; refused rows come with the first fetch of a replay."""
        first = state.get("begun") is None
        low = 0 if first else self._rows.after(since)
        high = self._rows.after(now)
        columns = self._rows.columns(low, high) if low < high else None
        rows = tuple(self._rows.between(low, high)) if columns is None else ()
        spans = [self._span(since, now, first=first)]
        if self._runs:
            spans = [run.covered for run in self._runs if (first or run.at > since) and run.at <= now]
        return Batch(
            source=self.name,
            rows=rows,
            columns=columns,
            rejected=self.rejected if first else (),
            coverage=tuple(spans),
            outcome="ok" if low < high else "empty",
            state={"begun": iso(since)} if first else {},
        )

    def rows(self, since: datetime | None = None, until: datetime | None = None) -> Iterator[tuple[datetime, Record]]:
        """Yield (when it became public, row) in that order, of all or of what became public in (since, until]."""
        return ((row.collected, row) for row in self._rows.between(*self._places(since, until)))

    def counts(self, since: datetime | None = None, until: datetime | None = None) -> CountColumns | None:
        """Return the counts of all or of what became public in (since, until]; None where they are kept as records."""
        return self._rows.columns(*self._places(since, until))

    def _places(self, since: datetime | None, until: datetime | None) -> tuple[int, int]:
        return self._rows.after(since) if since else 0, self._rows.after(until) if until else len(self._rows)

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def first(self) -> datetime | None:
        """Return when the first row became public; None where there is none."""
        return self._rows.public(0) if len(self._rows) else None

    def next_after(self, moment: datetime) -> datetime | None:
        """Return when the next row after a moment became public, or the next recorded run was; None for never."""
        at = self._rows.after(moment)
        run = bisect.bisect_right(self._runs, moment, key=lambda told: told.at)
        public = [self._rows.public(at)] if at < len(self._rows) else []
        return min([*public, *(told.at for told in self._runs[run : run + 1])], default=None)

    def last_until(self, moment: datetime) -> datetime | None:
        """Return when the newest row up to a moment became public; None when there was none."""
        at = self._rows.after(moment)
        return self._rows.public(at - 1) if at else None

    def _span(self, since: datetime, now: datetime, *, first: bool) -> Span:
        begin = self._start if first else max(since - self._delay, self._start)
        return Span(begin, max(begin, now - self._delay))  # nothing is public within the first delay


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
    problems: list[str] = []
    counted: CountColumns | None = None
    rows: dict[str, list[Record]] = {kind: [] for kind in KINDS}
    bad: dict[str, list[RejectedRow]] = {kind: [] for kind in KINDS}
    notes: dict[str, list[str]] = {kind: [] for kind in KINDS}
    end = scenario.end + timedelta(days=1)
    salt = scenario.name.encode()
    try:
        known, told = read_collected(scenario.folder), read_runs(scenario.folder)
        wordings = read_wordings(scenario.folder)
    except SourceError as error:
        problems.append(str(error))
        known, told, wordings = {}, [], {}
    for kind, patterns in _PATTERNS.items():
        paths = sorted({p for pattern in patterns for p in scenario.folder.glob(pattern)})
        for path in paths:
            name = str(path.relative_to(scenario.folder))
            try:
                batch = read_recorded_file(kind, path, name, end, salt, catalogue)
            except SourceError as error:
                problems.append(str(error))
                continue
            mine, of_file = known.get(name, {}), wordings.get(name, {})
            if batch.columns is not None:
                if len(paths) == 1 and not mine and not scenario.delays[kind].microseconds:
                    counted = batch.columns
                    problems += unknown_services(name, by_service(counted), catalogue)
                    if runs_backwards(counted):
                        notes[kind] += backward_clock(name, ((_public(row), row) for row in rows_of(counted)))
                    continue
                batch = dataclasses.replace(batch, rows=tuple(rows_of(batch.columns)), columns=None)
            try:
                restored: Sequence[Record] = batch.rows
                if mine or of_file:
                    keyed = ((row, key_of(row)) for row in batch.rows)
                    restored = [
                        version
                        for row, key in keyed
                        for version in _versions(restore(row, mine.get(key)) if mine else row, of_file, key)
                    ]
            except ValueError as error:
                problems.append(str(error))
                continue
            services = Counter(row.service for row in batch.rows if isinstance(row, ComplaintCount))
            problems += unknown_services(name, services, catalogue)
            if kind in ONE_AFTER_ANOTHER:
                notes[kind] += backward_clock(name, ((_public(row), row) for row in batch.rows))
            rows[kind] += [row for row in restored if _public(row) >= scenario.start]
            bad[kind] += batch.rejected
    sources = []
    for kind in KINDS:
        public = [
            (row.collected if row.collected != end else _public(row) + scenario.delays[kind], row) for row in rows[kind]
        ]
        runs = [run for run in told if run.kind == kind]
        if kind != "posts":
            found = (
                CountedRows(counted, scenario.start, scenario.delays[kind])
                if kind == "complaints" and counted
                else public
            )
            sources.append(RecordedSource(SOURCE_NAMES[kind], scenario, kind, found, bad[kind], notes=notes[kind]))
            continue
        # each stream of posts is judged by itself, and has its own gaps
        streams = {row.source for row in rows[kind] if isinstance(row, Post)} | {run.stream for run in runs}
        for stream in sorted(streams) or [SOURCE_NAMES[kind]]:
            here = [(at, row) for at, row in public if isinstance(row, Post) and row.source == stream]
            refused = bad[kind] if stream == (sorted(streams) or [stream])[0] else []
            mine_of_runs = [r for r in runs if r.stream == stream]
            told_here = notes[kind] if stream == (sorted(streams) or [stream])[0] else []
            sources.append(RecordedSource(stream, scenario, kind, here, refused, mine_of_runs, notes=told_here))
    return sources, problems


def _versions(row: Record, wordings: Mapping[str, Sequence[Wording]], key: str) -> Sequence[Record]:
    """Return a row as often as its text was replaced, each with the time from which it stood."""
    return reworded(row, wordings.get(key, ())) if isinstance(row, StatusUpdate) else (row,)


_PATTERNS = {
    "posts": ("posts*.ndjson", "posts*.ndjson.zst"),
    "complaints": ("complaints*.csv",),
    "feeds": ("news/*.xml", "news/*.ndjson"),
    "status": ("status/*.json", "status/*.ndjson"),
    "charts": ("charts*.csv",),
}


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
