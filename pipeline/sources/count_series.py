"""Counts of a file as series a detector can judge: equal bins with their gaps.

Bins are counted from 00:00 UTC; stamps that are off by a constant, or by less than half a bin, are put into
theirs, and that is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.core.errors import SourceError
from pipeline.core.quantities import quantity
from pipeline.sources.count_intervals import COUNTER, duration_text, grid_offset, only_grows
from pipeline.sources.count_rows import CountRow, CountSubject
from pipeline.sources.counts import MOST_BINS, CountsTable


@dataclass(frozen=True, slots=True, kw_only=True)
class CountSeries:
    """A series in equal bins: frames of one column with a frequency, NaN where nothing was counted.

    `mentions` is None where the file has no such column, `baseline`, what the source itself expects, where no row has
    one; `notes` say which stamps were moved.
    """

    counts: pd.DataFrame
    mentions: pd.DataFrame | None
    baseline: pd.DataFrame | None
    notes: tuple[str, ...]


def count_series(table: CountsTable) -> dict[str, CountSeries]:
    """Return the series of a file by name, in its order; raises SourceError where one spans too many bins.

    Counts of one thing in two widths are two series.
    """
    groups: dict[tuple[CountSubject, int], list[CountRow]] = defaultdict(list)
    for row in table.rows:
        groups[row.subject, row.interval_s].append(row)
    subjects = [subject for subject, _ in groups]
    series = {}
    for (subject, width), rows in groups.items():
        label = f"{subject} ({duration_text(width)})" if subjects.count(subject) > 1 else str(subject)
        series[label] = _in_bins(label, rows, width, table.has_mentions)
    return series


def _in_bins(label: str, rows: Sequence[CountRow], width: int, mentions: bool) -> CountSeries:
    stamps = np.array([row.start for row in rows], dtype=np.int64)
    shift = grid_offset(stamps.tolist(), width)
    slots = np.floor((stamps - shift + width // 2) / width).astype(np.int64)
    first = int(slots.min())
    size = int(slots.max()) - first + 1
    if size > MOST_BINS:
        raise SourceError(f"series {label!r} spans {quantity(size, 'bin')}; the most is {MOST_BINS}")
    values = np.array(
        [(row.value, row.mentions, np.nan if row.baseline is None else row.baseline) for row in rows], dtype=np.float64
    )
    dense = np.full((size, 3), np.nan)
    for column in range(3):
        seen = ~np.isnan(values[:, column])
        place = (slots - first)[seen]
        dense[place, column] = np.bincount(place, weights=values[seen, column], minlength=size)[place]
    index = pd.date_range(pd.Timestamp(first * width, unit="s", tz="UTC"), periods=size, freq=f"{width}s")
    counts, mentioned, baseline = (
        pd.DataFrame(dense[:, [column]], index=index, columns=pd.Index([label])) for column in range(3)
    )
    notes = []
    off_grid = int((slots * width + shift != stamps).sum())
    if shift and not off_grid:
        notes.append(
            f"series {label}: its intervals of {duration_text(width)} are shown {duration_text(abs(shift))} "
            f"{'later' if shift < 0 else 'earlier'} than in the file, in those counted from 00:00 UTC"
        )
    elif off_grid:
        notes.append(
            f"series {label}: {off_grid} of {len(stamps)} stamps lie beside their bins of {width} s"
            + (f", all others {shift:+d} s from 00:00 UTC" if shift else "")
            + "; put into the nearest"
        )
    if only_grows(dense[:, 0]):
        notes.append(f"series {label}: {COUNTER}")
    if doubled := len(slots) - len(np.unique(slots)):
        notes.append(f"series {label}: {quantity(doubled, 'bin')} had two counts, which were added up")
    return CountSeries(
        counts=counts,
        mentions=mentioned if mentions else None,
        baseline=baseline if bool(baseline.notna().to_numpy().any()) else None,
        notes=tuple(notes),
    )
