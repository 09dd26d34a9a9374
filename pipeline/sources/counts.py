"""Counts from anyone's file: CSV, JSON, NDJSON; a row a bin or a row an event. Right to the number, or refused."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct, structs

from pipeline.core.errors import SourceError
from pipeline.core.quantities import quantity
from pipeline.core.records import Batch, ComplaintCount, RejectedRow
from pipeline.sources.count_cells import read_cells
from pipeline.sources.count_intervals import COUNTER, SURE_ROWS, duration_text, grid_offset, only_grows, settle_widths
from pipeline.sources.count_rows import DEFAULTS, CountRow, CountsOptions, CountSubject, Resolve, RowReader
from pipeline.sources.parsing import reject

EVENT_BIN_S = 900
MOST_BINS = 5_000_000  # of one file of events, of one series to be judged


class CountsTable(Struct, frozen=True, kw_only=True):
    """What a file holds: its counts, the rows refused, sentences about it.

    `inferred_rows` is for how many rows the width was taken from their distances, `inferred_widths` which widths.
    """

    rows: Sequence[CountRow]
    rejected: Sequence[RejectedRow]
    notes: Sequence[str]
    inferred_rows: int = 0
    inferred_widths: frozenset[int] = frozenset()
    has_mentions: bool = False


class _Key(NamedTuple):
    """Rows of the same key count the same thing."""

    subject: CountSubject
    start: int
    interval_s: int


def read_counts(
    body: bytes,
    *,
    name: str = "line",
    options: CountsOptions = DEFAULTS,
    now: datetime | None = None,
    resolve: Resolve | None = None,
    stored: bool = False,
) -> CountsTable:
    """Read `timestamp_utc,value[,service][,series][,interval_s][,baseline][,region][,indicator][,mentions]`.

    Times may be called start_utc, ts, time, timestamp, datetime, date, point_in_time, counts total or count;
    separators , ; tab and |, a line `sep=;`, UTF-8 and UTF-16, JSON and NDJSON are understood. A row that is not right
    to the number (a thousands separator, a time without a zone, a date that reads two ways, a second and different
    count) is refused with its line; an empty count is a gap. `now` refuses later times, `resolve` gives the id of a
    service's name or raises ValueError; `stored` wants a service and whole counts, as the database does.

    Raises SourceError when the file lacks a column, has one twice, or does not tell what a count covers.
    """
    reader = RowReader(options, now, resolve, stored)
    table = read_cells(body, name, reader.known)
    reader.choose_columns(table, name)
    kept: dict[_Key, CountRow] = {}
    events: list[CountRow] = []
    written: dict[_Key, str] = {}
    bad: list[RejectedRow] = []
    refused_starts: dict[CountSubject, set[int]] = defaultdict(set)
    for line, cells, problem, head in table.rows:
        try:
            if problem:
                raise ValueError(problem)
            row = reader.row(cells)
            if options.one_row_per_event:
                events.append(row)
                continue
            key = _Key(row.subject, row.start, row.interval_s)
            if (known := kept.setdefault(key, row)) is not row:
                _same(known, row)
            if resolve is not None and written.setdefault(key, alias := cells.get("service", "")) != alias:
                raise ValueError(f"the service under two names: {written[key]!r} before, {alias!r} here")
        except ValueError as error:
            bad.append(reject(f"{name}:{line}", error, head))
            if (place := reader.place(cells)) is not None:
                refused_starts[place.subject].add(place.start)
    try:
        if options.one_row_per_event:
            done = _counted(events, options)
        else:
            done = _sized(list(kept.values()), options, refused_starts)
    except ValueError as error:
        first = f"; {quantity(len(bad), 'row')} refused, the first at {bad[0].where}: {bad[0].reason}" if bad else ""
        where = "; a run has none of these options, `groundswell import counts` has" if options.in_run else ""
        raise SourceError(f"{error}{where}{first}", source=name) from error
    return structs.replace(done, rejected=tuple(bad), has_mentions="mentions" in table.columns)


def parse_counts(
    body: bytes,
    *,
    source: str,
    fetched_at: datetime,
    name: str = "line",
    options: CountsOptions = DEFAULTS,
    resolve: Resolve | None = None,
) -> Batch:
    """Read a file of counts into a batch; see `read_counts` and `to_batch`."""
    table = read_counts(body, name=name, options=options, now=fetched_at, resolve=resolve, stored=True)
    return to_batch(table, source=source, fetched_at=fetched_at)


def to_batch(table: CountsTable, *, source: str, fetched_at: datetime) -> Batch:
    """Return the counts as records; gaps are none. The state keeps a width that enough rows showed."""
    rows = tuple(
        ComplaintCount(
            service=row.subject.service,
            source=source,
            region=row.subject.region,
            indicator=row.subject.indicator,
            start=_moment(row.start),
            interval_s=row.interval_s,
            total=int(row.value),
            collected=fetched_at,
            baseline=row.baseline,
        )
        for row in table.rows
        if not math.isnan(row.value)
    )
    notes = list(table.notes)
    if gaps := len(table.rows) - len(rows):
        notes.append(f"{quantity(gaps, 'bin')} without a count: a gap each")
    of_subject: dict[CountSubject, list[tuple[int, float]]] = defaultdict(list)
    for row in table.rows:
        of_subject[row.subject].append((row.start, row.value))
    notes += [
        f"{subject}: {COUNTER}" for subject, found in of_subject.items() if only_grows(v for _, v in sorted(found))
    ]
    return Batch(
        source=source,
        rows=rows,
        rejected=tuple(table.rejected),
        outcome="ok" if rows else "empty",
        detail="; ".join(notes),
        state=inferred_state(table.inferred_rows, table.inferred_widths),
    )


def inferred_widths_note(widths: frozenset[int]) -> str:
    """Return the sentence that says which widths, in seconds, were taken from the distances of rows."""
    listed = ", ".join(f"{width} s" for width in sorted(widths))
    return f"each count taken to cover {listed}; a column interval_s or --interval says otherwise"


def inferred_state(rows: int, widths: frozenset[int]) -> dict[str, str]:
    """Return what a source keeps of the widths taken from the distances of so many rows: one that enough showed."""
    return {"interval_s": str(next(iter(widths)))} if rows >= SURE_ROWS and len(widths) == 1 else {}


@lru_cache(maxsize=1 << 16)
def _moment(stamp: int) -> datetime:
    """Return the moment of a stamp; series share theirs."""
    return datetime.fromtimestamp(stamp, tz=UTC)


def _same(known: CountRow, row: CountRow) -> None:
    """Raise ValueError where two rows of one interval say different things."""
    for one, other, what in (
        (known.value, row.value, "count"),
        (known.mentions, row.mentions, "number of mentions"),
        (known.baseline, row.baseline, "baseline"),
    ):
        if one != other and not (one is not None and other is not None and math.isnan(one) and math.isnan(other)):
            raise ValueError(f"a second {what} for this interval: {_shown(one)} before, {_shown(other)} here")


def _shown(value: float | None) -> str:
    return "none" if value is None or math.isnan(value) else f"{value:.15g}"


def _sized(
    rows: list[CountRow], options: CountsOptions, refused_starts: Mapping[CountSubject, set[int]]
) -> CountsTable:
    """Give each count the width it covers and sum into bins where asked; raises ValueError where none is known.

    `refused_starts` are those of rows that are refused, in seconds of the epoch: a count ends where they begin.
    """
    stamps: dict[CountSubject, list[int]] = defaultdict(list)
    for row in rows:
        if not row.interval_s:
            stamps[row.subject].append(row.start)
    for subject in stamps.keys() & refused_starts.keys():
        stamps[subject] += refused_starts[subject].difference(stamps[subject])
    ones = all(row.value == 1 for row in rows if not row.interval_s and not math.isnan(row.value))
    settled = settle_widths(
        {name: sorted(starts) for name, starts in stamps.items()},
        asked=options.interval_s,
        bin_s=options.bin_s,
        ones=ones,
    )
    rows = [row if row.interval_s else row._replace(interval_s=settled[row.subject]) for row in rows]
    inferred = frozenset(settled.values()) if options.interval_s is None else frozenset()
    notes = []
    if inferred:
        notes.append(inferred_widths_note(inferred))
    if options.bin_s:
        rows = list(_summed(rows, options.bin_s))
        notes.append(f"summed into bins of {duration_text(options.bin_s)}")
    count = sum(map(len, stamps.values())) if inferred else 0
    return CountsTable(rows=rows, rejected=(), notes=notes, inferred_rows=count, inferred_widths=inferred)


def _summed(rows: Iterable[CountRow], bin_s: int) -> Iterable[CountRow]:
    """Yield the sums of counts in bins of `bin_s`; a bin any part of which was not counted is a gap."""
    by_series: dict[tuple[CountSubject, int], list[CountRow]] = defaultdict(list)
    for row in rows:
        by_series[row.subject, row.interval_s].append(row)
    for (subject, own), found in by_series.items():
        if bin_s < own:
            raise ValueError(f"counts {duration_text(own)} apart do not fit bins of {duration_text(bin_s)}")
        if bin_s % own:
            raise ValueError(f"bins of {duration_text(bin_s)} are no multiple of the counts' {duration_text(own)}")
        offset = grid_offset([row.start for row in found], own)
        slots: dict[int, CountRow] = {}
        for row in found:
            slot = (row.start - offset + own // 2) // own * own
            before = slots.get(slot)
            slots[slot] = (
                row
                if before is None
                else before._replace(value=before.value + row.value, mentions=before.mentions + row.mentions)
            )
        bins: dict[int, list[CountRow]] = defaultdict(list)
        for slot, row in sorted(slots.items()):
            bins[slot // bin_s * bin_s].append(row)
        for start, parts in bins.items():
            complete = len(parts) == bin_s // own
            yield CountRow(
                subject=subject,
                start=start,
                value=sum(row.value for row in parts) if complete else math.nan,
                mentions=sum(row.mentions for row in parts) if complete else math.nan,
                baseline=None,
                interval_s=bin_s,
            )


def _counted(events: Sequence[CountRow], options: CountsOptions) -> CountsTable:
    """Count rows that are an event each; a bin without one, between the first and the last of the file, is a zero."""
    width = options.bin_s or options.interval_s or EVENT_BIN_S
    tally: dict[CountSubject, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in events:
        tally[row.subject][row.start // width * width] += 1
    bins = {start for starts in tally.values() for start in starts}
    span = range(min(bins), max(bins) + 1, width) if bins else range(0)
    if len(span) * len(tally) > MOST_BINS:
        raise ValueError(f"{len(tally)} series of {len(span)} bins; the most is {MOST_BINS} in all: a wider --bin")
    rows = [
        CountRow(subject, start, float(starts.get(start, 0)), math.nan, None, width)
        for subject, starts in tally.items()
        for start in span
    ]
    note = f"{len(events)} events counted into bins of {duration_text(width)}; --bin says otherwise"
    return CountsTable(rows=rows, rejected=(), notes=[note] if events else [])
