"""A file of counts that is right in every cell, read as columns; whatever is in doubt is left to `counts.read_counts`.

That one goes cell by cell and says of each row what is wrong with it. Here no row is refused: a file is taken only
where it would take every row, too, and with the same result. What is read: delimited ASCII without quotes, comments
and blanks around cells, with one column of times, one of whole counts, and service, interval_s, region or indicator.
Times and names are checked by the same functions, each once, however many rows have it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from pipeline.core.count_columns import CountColumns, CountKey
from pipeline.core.errors import SourceError
from pipeline.core.records import Batch, ComplaintCount
from pipeline.sources.count_frame import NAMES, PlainCells, read_plain
from pipeline.sources.count_intervals import COUNTER, COUNTER_ROWS, LEAST, MOST, RESET, only_grows, settle_widths
from pipeline.sources.count_rows import DEFAULTS, CountsOptions, CountSubject, Resolve, RowReader
from pipeline.sources.count_times import read_start
from pipeline.sources.counts import inferred_state, inferred_widths_note
from pipeline.sources.delimited import as_utf8
from pipeline.sources.parsing import LARGEST_COUNT, not_from_the_future

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_LONGEST_TIME = 40


def parse_count_columns(
    body: bytes,
    *,
    source: str,
    fetched_at: datetime,
    options: CountsOptions = DEFAULTS,
    resolve: Resolve | None = None,
) -> Batch | None:
    """Return what `counts.parse_counts` returns, with the counts in `columns`; None where it has to be asked."""
    if options.time_column or options.value_column or options.time_format or options.time_zone:
        return None
    if options.one_row_per_event or options.bin_s:
        return None
    reader = RowReader(options, fetched_at, resolve, stored=True)
    cells = read_plain(as_utf8(body), reader.known, needs_service=not options.service)
    if cells is None:
        return None
    try:
        return _batch(cells, reader, source=source, fetched_at=fetched_at, options=options)
    except (ValueError, SourceError):
        return None


def rows_of(columns: CountColumns) -> Iterator[ComplaintCount]:
    """Yield the counts of columns as records, in their order."""
    starts, places = np.unique(columns.start, return_inverse=True)
    moments = [datetime.fromtimestamp(start, UTC) for start in starts.tolist()]  # of many services, each once
    seconds, at = np.unique(columns.collected, return_inverse=True)
    collected = [datetime.fromtimestamp(second, UTC) for second in seconds.tolist()]
    lists = (values.tolist() for values in (columns.series, places, columns.total, at))
    for series, place, total, when in zip(*lists, strict=True):
        key = columns.keys[series]
        yield ComplaintCount(
            service=key.service,
            source=key.source,
            region=key.region,
            indicator=key.indicator,
            start=moments[place],
            interval_s=key.interval_s,
            total=total,
            collected=collected[when],
            window=key.window,
        )


def _batch(cells: PlainCells, reader: RowReader, *, source: str, fetched_at: datetime, options: CountsOptions) -> Batch:
    """Return the counts; raises ValueError on anything that a row could be refused for."""
    frame, rows = cells.frame, len(cells.frame)
    total = frame[cells.count_column].to_numpy()
    if total.min() < 0 or total.max() > LARGEST_COUNT:
        raise ValueError("a count is out of range")
    widths = frame["interval_s"].to_numpy() if "interval_s" in frame else np.zeros(rows, dtype=np.int64)
    if "interval_s" in frame and not LEAST <= widths.min() <= widths.max() <= MOST:
        raise ValueError("a width is out of range")
    written = frame[cells.time_column].cat
    start = _seconds(list(written.categories), fetched_at)[written.codes.to_numpy()]
    place, subjects = _subjects(frame, reader)
    if "interval_s" not in frame:
        widths, inferred = _settled(place, start, total, subjects, options)
    else:
        inferred = frozenset()
    series, first = _numbered(place * (MOST + 1) + widths)
    _refuse_repeated(series, start)
    keys = tuple(
        CountKey(source, int(widths[row]), "interval", subject.service, subject.region, subject.indicator)
        for row in first
        for subject in (subjects[place[row]],)
    )
    notes = [inferred_widths_note(inferred)] if inferred else []
    notes += [f"{subject}: {COUNTER}" for subject in _counters(place, start, total, subjects)]
    return Batch(
        source=source,
        rows=(),
        columns=CountColumns(
            keys=keys,
            series=series,
            start=start,
            total=total,
            collected=np.full(rows, int(fetched_at.timestamp() // 1)),
        ),
        outcome="ok",
        detail="; ".join(notes),
        state=inferred_state(rows if inferred else 0, inferred),
    )


def _seconds(texts: Sequence[str], fetched_at: datetime) -> NDArray[np.int64]:
    """Return the seconds of the epoch of times; raises ValueError on one that is no time, or lies ahead."""
    if max(map(len, texts)) > _LONGEST_TIME:
        raise ValueError("a time is too long")
    moments = [read_start(text) for text in texts]
    not_from_the_future(max(moments), fetched_at)
    return np.array([int(moment.timestamp()) for moment in moments], dtype=np.int64)


def _subjects(frame: pd.DataFrame, reader: RowReader) -> tuple[NDArray[np.int64], list[CountSubject]]:
    """Return which subject each row is about, and the subjects in the order in which they come."""
    names = [name for name in NAMES if name in frame]
    code = np.zeros(len(frame), dtype=np.int64)
    for name in names:
        code = code * (len(frame[name].cat.categories) + 1) + frame[name].cat.codes.to_numpy()
    written, first = _numbered(code)
    found = []
    for row in first:
        service, region, indicator = (str(frame[name].iat[row]) if name in frame else "" for name in NAMES)
        found.append(reader.subject(CountSubject(service, region, indicator, "")))
    numbers = {subject: n for n, subject in enumerate(dict.fromkeys(found))}
    return np.array([numbers[subject] for subject in found], dtype=np.int64)[written], list(numbers)


def _numbered(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return a number for each value, in the order in which they first come, and the rows where they do."""
    import pandas as pd

    numbers, uniques = pd.factorize(values)
    first = np.zeros(len(uniques), dtype=np.int64)
    first[numbers[::-1]] = np.arange(len(values))[::-1]
    return numbers, first


def _refuse_repeated(series: NDArray[np.int64], start: NDArray[np.int64]) -> None:
    """Raise ValueError where an interval comes twice: the other way compares what is said of it."""
    span = int(start.max()) - int(start.min()) + 1
    keys = np.sort(series * span + (start - start.min()))
    if (keys[1:] == keys[:-1]).any():
        raise ValueError("an interval comes twice")


def _settled(
    place: NDArray[np.int64],
    start: NDArray[np.int64],
    total: NDArray[np.int64],
    subjects: Sequence[CountSubject],
    options: CountsOptions,
) -> tuple[NDArray[np.int64], frozenset[int]]:
    """Return what each count covers, and which widths were taken from the distances.

    Raises ValueError where a width is unknown.
    """
    stamps = {subject: np.sort(start[place == n]).tolist() for n, subject in enumerate(subjects)}
    settled = settle_widths(stamps, asked=options.interval_s, bin_s=None, ones=bool((total == 1).all()))
    widths = np.array([settled[subject] for subject in subjects], dtype=np.int64)[place]
    return widths, frozenset(settled.values()) if options.interval_s is None else frozenset()


def _counters(
    place: NDArray[np.int64], start: NDArray[np.int64], total: NDArray[np.int64], subjects: Sequence[CountSubject]
) -> list[CountSubject]:
    """Return the subjects whose counts only grow."""
    order = np.lexsort((start, place))
    ordered, values = place[order], total[order]
    same = ordered[1:] == ordered[:-1]
    falls = same & (values[1:] < values[:-1]) & ~(values[1:] < RESET * values[:-1])
    fallen = set(np.unique(ordered[1:][falls]).tolist())
    few = set(np.flatnonzero(np.bincount(place) < COUNTER_ROWS).tolist())
    return [
        subject
        for n, subject in enumerate(subjects)
        if n not in fallen and n not in few and only_grows(values[ordered == n].tolist())
    ]
