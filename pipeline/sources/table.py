"""Anyone's counts as a table: `timestamp_utc,value[,series][,mentions]` to equal bins with their gaps.

A series keeps its own commonest spacing, or is summed into wider bins. An empty value or an absent bin is a gap; a wide
bin is a gap unless every part of it was observed. Bins are counted from 00:00 UTC; stamps that lie beside them by a
constant, or by less than half a bin, are put into theirs, and that is said.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.core.errors import SourceError
from pipeline.core.records import RejectedRow
from pipeline.sources.complaints import COUNT_COLUMNS, TIME_COLUMNS
from pipeline.sources.delimited import CsvLine, csv_lines
from pipeline.sources.parsing import reject

MOST_BINS = 20_000_000
_Rows = dict[int, tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Series by name, in the order of the file, each as (counts, mentions or None) frames of one column."""

    series: dict[str, tuple[pd.DataFrame, pd.DataFrame | None]]
    rejected: list[RejectedRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def parse_table(body: bytes, *, name: str, bin_s: int | None = None) -> Table:
    """Parse the table; a row that is not right is refused with its line. Raises SourceError without its columns."""
    lines = csv_lines(body)
    header = [cell.strip().lower() for cell in next(lines, CsvLine(0, [], "")).cells]
    when = next((column for column in TIME_COLUMNS if column in header), "")
    what = next((column for column in COUNT_COLUMNS if column in header), "")
    if not when or not what:
        raise SourceError("needs the columns timestamp_utc, value", source=f"{name}:1")
    if len(set(header)) != len(header):
        raise SourceError("a column comes twice", source=f"{name}:1")
    places = {column: header.index(column) for column in (when, what, "series", "mentions") if column in header}
    rows: dict[str, _Rows] = {}
    bad: list[RejectedRow] = []
    for line, cells, problem in lines:
        try:
            if problem:
                raise ValueError(problem)
            if len(cells) != len(header):
                raise ValueError(f"{len(cells)} cells where the header has {len(header)}")
            series = cells[places["series"]].strip() if "series" in places else "value"
            stamp = _seconds(cells[places[when]])
            pair = (_count(cells[places[what]]), _count(cells[places["mentions"]]) if "mentions" in places else np.nan)
            known = rows.setdefault(series, {}).setdefault(stamp, pair)
            if known != pair and not np.array_equal(known, pair, equal_nan=True):
                raise ValueError(f"a second and different count for {cells[places[when]].strip()}")
        except ValueError as error:
            bad.append(reject(f"{name}:{line}", error, ",".join(cells)))
    notes: list[str] = []
    made = {
        series: _binned(series, found, bin_s, "mentions" in places, notes) for series, found in rows.items() if found
    }
    return Table(series=made, rejected=bad, notes=notes)


def _seconds(text: str) -> int:
    """Read an ISO stamp with its zone as seconds of the epoch."""
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        raise ValueError(f"{text.strip()[:40]!r} has no time zone; write it as 2026-03-02T11:37:00Z")
    if not 1970 <= moment.year < 2100:
        raise ValueError(f"{text.strip()[:40]!r} is not a time between 1970 and 2100")
    return int(moment.astimezone(UTC).timestamp())


def _count(text: str) -> float:
    """Read a count in ASCII, NaN when empty; counts may be means, so that fractions are allowed."""
    text = text.strip()
    if not text:
        return float("nan")
    if not text.isascii() or "_" in text:
        raise ValueError(f"{text[:40]!r} is not a count")
    value = float(text)
    if not 0 <= value <= 2.0**53:
        raise ValueError(f"{text[:40]!r} is not a count from 0 to 2**53; leave it empty where nothing was observed")
    return value


def _binned(
    series: str, rows: _Rows, bin_s: int | None, mentions: bool, notes: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    stamps = np.array(sorted(rows), dtype=np.int64)
    own = _spacing(stamps) or bin_s or 0
    if not 60 <= (bin_s or own) <= 86400:
        raise SourceError(f"series {series!r}: counts {own} s apart; from 1 minute to 1 day is supported (--bin)")
    if bin_s and bin_s < own:
        raise SourceError(f"series {series!r}: counts {own} s apart do not fit bins of {bin_s} s")
    # the commonest place within a bin is where this series' bins begin
    offset = Counter((stamps % own).tolist()).most_common(1)[0][0] if own else 0
    shift = offset if offset < own / 2 else offset - own
    slots = np.floor((stamps - shift + own // 2) / own).astype(np.int64)
    off_grid = int((slots * own + shift != stamps).sum())
    if shift or off_grid:
        notes.append(
            f"series {series}: {off_grid} of {len(stamps)} stamps lie beside their bins of {own} s"
            + (f", all others {shift:+d} s from 00:00 UTC" if shift else "")
            + "; put into the nearest"
        )
    if len(np.unique(slots)) != len(slots):
        notes.append(f"series {series}: {len(slots) - len(np.unique(slots))} bins had two counts, which were added up")
    size = int(slots[-1] - slots[0]) + 1
    if size > MOST_BINS:
        raise SourceError(f"series {series!r} spans {size} bins; the most is {MOST_BINS}")
    values = np.array([rows[stamp] for stamp in stamps.tolist()])
    begin = int(slots[0]) * own
    dense = np.full((size, 2), np.nan)
    for column in range(2):
        seen = ~np.isnan(values[:, column])
        place = (slots - slots[0])[seen]
        dense[place, column] = np.bincount(place, weights=values[seen, column], minlength=size)[place]
    if bin_s and bin_s > own:
        dense, begin = _widened(dense, begin, own, bin_s)
    width = bin_s or own
    index = pd.date_range(pd.Timestamp(begin, unit="s", tz="UTC"), periods=len(dense), freq=f"{width}s")
    frames = [pd.DataFrame(dense[:, [column]], index=index, columns=pd.Index([series])) for column in range(2)]
    return frames[0], frames[1] if mentions else None


def _spacing(stamps: npt.NDArray[np.int64]) -> int:
    """Return the commonest distance between neighbours, to the nearest minute where minutes are meant; 0 for one."""
    if len(stamps) < 2:
        return 0
    steps = Counter(np.diff(stamps).tolist()).most_common()
    best = max(count for _, count in steps)
    step = min(step for step, count in steps if count == best)
    return int(round(step / 60) * 60 if step >= 60 and best < len(stamps) / 2 else step)


def _widened(dense: npt.NDArray[np.float64], begin: int, own: int, bin_s: int) -> tuple[npt.NDArray[np.float64], int]:
    """Sum into bins of `bin_s`; a bin any part of which was not observed is a gap."""
    if bin_s % own:
        raise SourceError(f"bins of {bin_s} s are no multiple of the counts' {own} s")
    first = begin // bin_s * bin_s
    lead = (begin - first) // own
    parts = bin_s // own
    padded = np.full((-(-(lead + len(dense)) // parts) * parts, 2), np.nan)
    padded[lead : lead + len(dense)] = dense
    return padded.reshape(-1, parts, 2).sum(axis=1), first
