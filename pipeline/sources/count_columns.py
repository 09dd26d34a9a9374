"""A file of counts that is right in every cell, read as columns; whatever is in doubt is left to `counts.read_counts`.

That one goes cell by cell and says of each row what is wrong with it. Here no row is refused: a file is taken only
where it would take every row, too, and with the same result. What is read: delimited ASCII without quotes, comments
and blanks around cells, with one column of times, one of whole counts, and service, interval_s, region or indicator.
Times and names are checked by the same functions, each once, however many rows have it.
"""

from __future__ import annotations

import csv
import io
import string
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from pipeline.core.count_columns import CountColumns, CountKey
from pipeline.core.errors import SourceError
from pipeline.core.records import Batch
from pipeline.sources.count_intervals import COUNTER, COUNTER_ROWS, LEAST, MOST, RESET, only_grows, settle_widths
from pipeline.sources.count_rows import (
    COUNT_COLUMNS,
    DEFAULTS,
    TIME_COLUMNS,
    CountsOptions,
    CountSubject,
    Resolve,
    RowReader,
    read_start,
)
from pipeline.sources.counts import inferred_state, inferred_widths_note
from pipeline.sources.delimited import as_utf8, dialect
from pipeline.sources.parsing import LARGEST_COUNT, not_from_the_future

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_NAMES = ("service", "region", "indicator")
_WORDS = frozenset((*TIME_COLUMNS, *COUNT_COLUMNS, *_NAMES, "interval_s"))
_PLAIN = (string.ascii_letters + string.digits + string.punctuation + " \r\n").encode()
_PLAIN_BYTES = bytes(byte for byte in _PLAIN if byte not in b'"#+')
_LONG = b"0" * 64  # digits that only the other way measures
_LONGEST_TIME = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """A file's cells: names and times by what stands there and which of it each row has, numbers as they are."""

    frame: pd.DataFrame
    time_column: str
    count_column: str


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
    cells = _read(as_utf8(body), reader.known, options)
    if cells is None:
        return None
    try:
        return _batch(cells, reader, source=source, fetched_at=fetched_at, options=options)
    except (ValueError, SourceError):
        return None


def _read(body: bytes, known: frozenset[str], options: CountsOptions) -> _Cells | None:
    """Return the cells of a file that is plain throughout and as wide in every row as its header, else None."""
    import pandas as pd

    if not body or body[:1] in (b"[", b"{", b"\n", b"\r", b" "):
        return None
    separator, skipped = dialect(body, known)
    edge, first = separator.encode(), body.split(b"\n", 1)[0].rstrip(b"\r")
    if skipped or not first.isascii() or not _is_plain(body, edge):
        return None
    header = first.decode().lower().split(separator)
    times = [column for column in header if column in TIME_COLUMNS]
    counts = [column for column in header if column in COUNT_COLUMNS]
    if len(times) != 1 or len(counts) != 1 or len(set(header)) != len(header) or not _WORDS.issuperset(header):
        return None
    if "service" not in header and not options.service:
        return None
    lines = body.count(b"\n") + (not body.endswith(b"\n"))
    if body.count(edge) != (len(header) - 1) * lines:
        return None
    numbers = (*counts, *(["interval_s"] if "interval_s" in header else []))
    kinds = {column: "category" for column in header if column not in numbers}
    try:
        frame = _frame(body, separator, header, kinds)
        numeric = [name for name in kinds if not _are_texts(frame[name])]
        if numeric:  # pandas makes numbers of categories that look like some
            frame = _frame(body, separator, header, {**kinds, **dict.fromkeys(numeric, "str")})
            frame = frame.astype(dict.fromkeys(numeric, "category"))
    except (ValueError, OverflowError, pd.errors.ParserWarning):
        return None
    if len(frame) != lines - 1 or not len(frame) or not all(_are_texts(frame[name]) for name in kinds):
        return None
    if any(frame[name].dtype != "int64" for name in numbers):  # asked for whole numbers, pandas takes 1e3, too
        return None
    return _Cells(frame=frame, time_column=times[0], count_column=counts[0])


def _frame(body: bytes, separator: str, header: Sequence[str], kinds: Mapping[str, str]) -> pd.DataFrame:
    """Return the cells under a header, numbers where no kind is named.

    Raises ValueError or ParserWarning where a row is of another width or kind.
    """
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return pd.read_csv(
            io.BytesIO(body),
            sep=separator,
            header=0,
            names=list(header),
            index_col=False,
            dtype=dict(kinds),
            na_filter=False,
            quoting=csv.QUOTE_NONE,
            skip_blank_lines=False,
            low_memory=False,
            on_bad_lines="error",
        )


def _are_texts(column: pd.Series) -> bool:
    return all(isinstance(text, str) for text in column.cat.categories)


def _is_plain(body: bytes, edge: bytes) -> bool:
    """Return whether a file has no byte and no blank, sign or line end that the other way reads in its own manner."""
    if body.translate(None, _PLAIN_BYTES + (b"\t" if edge == b"\t" else b"")) or _LONG in body:
        return False
    ends = b"\r\n" if b"\r" in body else b"\n"
    if ends == b"\r\n" and not body.count(b"\r") == body.count(ends) == body.count(b"\n"):
        return False
    doubts = [ends + ends, edge + b"-", b"\n-"]
    if b" " in body:
        doubts += [b" " + edge, edge + b" ", b" " + ends, b"\n "]
    return not any(doubt in body for doubt in doubts) and not body.endswith(b" ")


def _batch(cells: _Cells, reader: RowReader, *, source: str, fetched_at: datetime, options: CountsOptions) -> Batch:
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
        columns=CountColumns(keys=keys, series=series, start=start, total=total, collected=fetched_at),
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
    names = [name for name in _NAMES if name in frame]
    code = np.zeros(len(frame), dtype=np.int64)
    for name in names:
        code = code * (len(frame[name].cat.categories) + 1) + frame[name].cat.codes.to_numpy()
    written, first = _numbered(code)
    found = []
    for row in first:
        service, region, indicator = (str(frame[name].iat[row]) if name in frame else "" for name in _NAMES)
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
