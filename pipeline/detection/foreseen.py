"""Counts of a replay judged before their time, many bins at once, for the steps that judge them in theirs.

A detector is causal: a verdict is the same whether later counts are known or not. A step is given verdicts that were
found before only where it judges the very bins that they were found for; otherwise it judges by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt

from detectors.contract import BinnedCounts, Detector, DetectorState, Floats, SeriesName, Verdicts
from pipeline.core.series import SeriesColumn
from pipeline.core.verdict_columns import VerdictColumns
from pipeline.detection.binning import verdict_columns
from pipeline.detection.series_groups import SeriesGroup

if TYPE_CHECKING:
    import pandas as pd

KEPT_S = 3 * 86400  # seconds before the newest bin asked for, in which a state can still be gone back to


class _Batch(NamedTuple):
    """Bins that were judged at once, and the detector's state before them.

    offsets: the place in `verdicts` of the first verdict of each bin, and after the last.
    """

    before: bytes
    columns: Sequence[SeriesColumn]
    bins: BinnedCounts
    verdicts: VerdictColumns
    offsets: npt.NDArray[np.int64]


class ForeseenGroup:
    """The bins of a group of series, judged in order and ahead of the steps."""

    def __init__(self, group: SeriesGroup, detector: Detector) -> None:
        """Judge nothing yet."""
        self.group, self.detector = group, detector
        self._batches: list[_Batch] = []
        self._state: DetectorState | None = None
        self.columns: list[SeriesColumn] = []

    def judge(self, columns: Sequence[SeriesColumn], bins: BinnedCounts) -> npt.NDArray[np.bool_]:
        """Judge the bins after those judged before, of the series known so far and new ones after them.

        Returns whether any series is in alarm, for each bin.
        """
        state = self._state or self.detector.begin(self.group.bin_s, columns, talk=False)
        before = state.to_bytes()
        state = state.with_series(columns)
        found = state.extend_arrays(bins)
        self._state, self.columns = state, list(columns)
        verdicts = verdict_columns(self.group, columns, bins, found, repr(self.detector))
        offsets = np.searchsorted(verdicts.bin_start, _stamps(bins.starts))
        offsets = np.append(offsets, len(verdicts.bin_start))
        self._batches.append(_Batch(before, self.columns, bins, verdicts, offsets))
        return np.asarray(found.values("level").any(axis=1))

    def verdicts(self, columns: Sequence[SeriesColumn], bins: BinnedCounts) -> list[VerdictColumns] | None:
        """Return the verdicts on bins; None where not exactly these were judged ahead. Much older ones are forgotten.

        `bins` are at least one.
        """
        found: list[VerdictColumns] = []
        done = 0
        for batch in self._batches:
            starts = batch.bins.starts
            first = int(np.searchsorted(starts, bins.starts[done]))
            many = min(len(starts) - first, len(bins.starts) - done)
            if many <= 0:
                continue
            here, given = slice(first, first + many), slice(done, done + many)
            if (
                list(columns) != batch.columns
                or not np.array_equal(starts[here], bins.starts[given])
                or not np.array_equal(batch.bins.counts[here], bins.counts[given], equal_nan=True)
            ):
                return None
            low, high = batch.offsets[first], batch.offsets[first + many]
            found.append(batch.verdicts.where(slice(low, high)))
            done += many
            if done == len(bins.starts):
                oldest = bins.starts[-1] - KEPT_S
                self._batches = [kept for kept in self._batches if kept.bins.starts[-1] >= oldest]
                return found
        return None

    def state_after(self, last: int | None) -> DetectorState:
        """Return a state that has judged the bins up to the one that starts at `last`, seconds of the epoch."""
        if last is None:
            return self.detector.begin(self.group.bin_s, self._batches[0].columns, talk=False)
        batch = next(batch for batch in self._batches if batch.bins.starts[-1] >= last)
        many = int(np.searchsorted(batch.bins.starts, last)) + 1
        if many == len(batch.bins.starts):
            later = next((after.before for after in self._batches if after.bins.starts[0] > last), None)
            if later is None and self._state is not None:
                later = self._state.to_bytes()
            if later is not None:
                return self.detector.load(later)
        state = self.detector.load(batch.before).with_series(batch.columns)
        state.extend_arrays(BinnedCounts(batch.bins.starts[:many], batch.bins.counts[:many]))
        return state


def _stamps(starts: npt.NDArray[np.int64]) -> npt.NDArray[np.str_]:
    return np.char.add(np.datetime_as_string(starts.astype("datetime64[s]")), "Z")


@dataclass(slots=True)
class ForeseenState:
    """The state of a detector whose next bins were judged ahead: a `DetectorState` that is worked out when needed.

    last: start of the last bin judged, None for none. own: the state itself, once bins were judged by it.
    """

    group: ForeseenGroup
    columns: Sequence[SeriesColumn]
    last: int | None = None
    own: DetectorState | None = None

    @property
    def series(self) -> list[SeriesName]:
        """The columns of the series."""
        return list(self.columns)

    def judge(self, bins: BinnedCounts) -> list[VerdictColumns]:
        """Return the verdicts on the bins after those judged before; `bins` are at least one."""
        if self.own is None:
            foreseen = self.group.verdicts(self.columns, bins)
            if foreseen is not None:
                self.last = int(bins.starts[-1])
                return foreseen
        found, detector = self.extend_arrays(bins), self.group.detector
        return [verdict_columns(self.group.group, self.columns, bins, found, repr(detector))]

    def settled(self) -> DetectorState:
        """Return the detector's own state at this point, worked out where bins were judged ahead."""
        return self.own or self.group.state_after(self.last).with_series(self.columns)

    def _settle(self) -> DetectorState:
        self.own = self.settled()
        return self.own

    def extend_arrays(self, bins: BinnedCounts) -> Verdicts:
        """Score bins by the state itself."""
        return self._settle().extend_arrays(bins)

    def extend(self, counts: pd.DataFrame, mentions: pd.DataFrame | None = None) -> Verdicts:
        """Score bins by the state itself."""
        return self._settle().extend(counts, mentions)

    def update(self, bin_start: pd.Timestamp, counts: Floats, mentions: Floats | None = None) -> Verdicts:
        """Score the next bin by the state itself."""
        return self._settle().update(bin_start, counts, mentions)

    def with_series(self, series: Sequence[SeriesName], *, silent: bool = False) -> Self:
        """Return the state widened to more series; `silent` ones are none of counts."""
        own = self.own.with_series(series, silent=silent) if self.own is not None else None
        columns = [SeriesColumn(*name) for name in series if not isinstance(name, str)]
        return replace(self, columns=columns, own=own)

    def to_bytes(self) -> bytes:
        """Return the state itself as bytes."""
        return self.settled().to_bytes()


def judged_columns(
    group: SeriesGroup, columns: Sequence[SeriesColumn], bins: BinnedCounts, state: DetectorState, detector: str
) -> list[VerdictColumns]:
    """Judge bins and return the verdicts worth keeping; `detector` is the name they are stored with."""
    if isinstance(state, ForeseenState):
        return state.judge(bins)
    return [verdict_columns(group, columns, bins, state.extend_arrays(bins), detector)]


class Foresight(Protocol):
    """Knows which groups are judged ahead."""

    def of(self, group: SeriesGroup, detector: Detector) -> ForeseenGroup | None:
        """Return what was judged ahead of a group by an equal detector; None where nothing was."""
        ...
