"""What rolling detectors share: a window of counts before each bin, fitted for each bin or, at 00:00 UTC, for a day.

A subclass says how long its window is, what it expects (`fit_window`) and how it scores; this keeps the window, refits,
and gives the same figures for a history as for bin after bin.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import numpy.typing as npt

from detectors.contract import BinnedCounts, Floats, IncompatibleStateError, SeriesName, Verdicts
from detectors.packing import StateHeader, pack, unpack
from detectors.validation import (
    alarm_levels,
    bin_seconds,
    divides_a_day,
    index_of,
    missing_bins,
    supported_width,
    utc_index,
    validate_bins,
    validate_counts,
)

if TYPE_CHECKING:
    import pandas as pd


class RollingDetector(ABC):
    """A detector that is refitted on its window.

    Subclasses are frozen dataclasses with `alarm`, `strong` and `window_hours`.

    It checks `mentions` and does not use them. Its state is the window and, where `daily`, the fit of the day.
    location and scale are what `fit_window` returns, one value a count; their unit is the subclass's (counts, or
    counts after a transform).
    """

    __slots__ = ()
    version: ClassVar[int] = 1
    daily: ClassVar[bool] = False
    alarm: float
    strong: float
    window_hours: float

    @abstractmethod
    def fit_window(self, past: Floats, start: int, bin_s: int) -> tuple[Floats, Floats]:
        """Return location and scale for the bin at `start`, in seconds of the epoch, NaN where they are unknown.

        past: (bins, n) counts of the window, oldest first, NaN = gap. The result has shape (n,), or, where `daily`,
        (bins a day, n) for the day that begins at `start`.
        """

    @abstractmethod
    def score(self, counts: Floats, location: Floats, scale: Floats) -> Floats:
        """Return scores >= 0, NaN where counts, location or scale are."""

    def expected(self, location: Floats, scale: Floats) -> Floats:
        """Return the expected counts."""
        return location

    @abstractmethod
    def upper_bound(self, location: Floats, scale: Floats) -> Floats:
        """Return the smallest count that scores `alarm`."""

    @abstractmethod
    def p_value(self, counts: Floats, location: Floats, scale: Floats) -> Floats:
        """Return the probability of at least so many."""

    def window_bins(self, bin_s: int) -> int:
        """Return the length of the window in bins of `bin_s` seconds."""
        return max(4, int(self.window_hours * 3600 // bin_s))

    def detect(self, counts: pd.DataFrame, mentions: pd.DataFrame | None = None) -> Verdicts:
        """Score a history, shape (bins, series), NaN = gap; `mentions` are checked and not used.

        Raises ValueError on an index that is not of equal bins in UTC, on negative, infinite or too large counts, and
        on mentions of another shape.
        """
        return self._fresh(counts).extend(counts, mentions)

    def start(self, history: pd.DataFrame, mentions: pd.DataFrame | None = None) -> RollingState:
        """Return the state after a history, shape (bins, series), which may have no rows but must have the bins' freq.

        Raises ValueError as `detect` does.
        """
        state = self._fresh(history)
        state.extend(history, mentions)
        return state

    def _fresh(self, counts: pd.DataFrame) -> RollingState:
        return RollingState(self, bin_seconds(utc_index(counts)), list(counts.columns))

    def begin(self, bin_s: int, series: Sequence[SeriesName], *, talk: bool) -> RollingState:
        """Return a state without history for bins of `bin_s` seconds; `talk` is of no use to it.

        Raises ValueError on a width of less than a minute or more than a day.
        """
        return RollingState(self, supported_width(bin_s), list(series))

    def load(self, blob: bytes) -> RollingState:
        """Read a state back; raises IncompatibleStateError."""
        header, arrays = unpack(blob, detector=repr(self), version=self.version)
        state = RollingState(self, header.bin_s, header.series)
        if header.day is None or {"past", "centre", "spread"} - arrays.keys():
            raise IncompatibleStateError("the state's header is incomplete")
        if arrays["past"].shape != state.past.shape:
            raise IncompatibleStateError("the state's window does not fit its series")
        state.last, state.day = header.last, header.day
        state.past, state.location, state.scale = (
            arrays[name].astype(np.float64, copy=False) for name in ("past", "centre", "spread")
        )
        return state


class RollingState:
    """The window, oldest bin first, and where the fit is of a day, that day's."""

    def __init__(self, detector: RollingDetector, bin_s: int, series: list[SeriesName]) -> None:
        """Start without history; raises ValueError when a detector of daily fits gets bins that do not divide a day."""
        if detector.daily:
            divides_a_day(bin_s)
        self.detector, self.bin_s, self.series = detector, bin_s, series
        self.last: int | None = None
        self.day = -1
        self.past: Floats = np.full((detector.window_bins(bin_s), len(series)), np.nan)
        rows = max(1, 86400 // bin_s) if detector.daily else 1
        self.location: Floats = np.full((rows, len(series)), np.nan)
        self.scale: Floats = self.location.copy()

    def with_series(self, series: Sequence[SeriesName], *, silent: bool = False) -> Self:
        """Return this state widened to more series; `silent` ones were observed with nothing to count."""
        series = list(series)
        if series == self.series:
            return self
        grown = type(self)(self.detector, self.bin_s, series)
        places = [series.index(name) for name in self.series]
        if silent and self.series:
            grown.past[:] = np.where(np.isnan(self.past).all(axis=1, keepdims=True), np.nan, 0.0)
        grown.past[:, places] = self.past
        grown.last, grown.day = self.last, self.day
        grown.location[:, places], grown.scale[:, places] = self.location, self.scale
        return grown

    def extend(self, counts: pd.DataFrame, mentions: pd.DataFrame | None = None) -> Verdicts:
        """Score several bins in order; bins left out since the last call are gaps. Raises LateBinError, ValueError."""
        if list(counts.columns) != self.series:
            raise ValueError("the columns are not the series of this state")
        index = utc_index(counts)
        if bin_seconds(index) != self.bin_s:
            raise ValueError(f"bins are not {self.bin_s} s wide")
        values = validate_counts(counts)
        if mentions is not None:
            validate_counts(mentions, counts)
        return self._verdicts(lambda: index, BinnedCounts(index.as_unit("s").asi8, values))

    def extend_arrays(self, bins: BinnedCounts) -> Verdicts:
        """Score several bins in order as `extend` does, given as arrays. Raises LateBinError, ValueError."""
        bins = validate_bins(bins, self.bin_s, len(self.series))
        return self._verdicts(lambda: index_of(bins.starts, self.bin_s), bins)

    def _columns(self) -> pd.Index:
        import pandas as pd

        return pd.Index(self.series)

    def _verdicts(self, index: Callable[[], pd.DatetimeIndex], bins: BinnedCounts) -> Verdicts:
        d, (starts, values, _) = self.detector, bins
        missing = missing_bins(self.last, starts, self.bin_s)
        if missing and self.last is not None:
            # days that no bin was seen of still have their midnights
            gap = self.last + self.bin_s * np.arange(1, missing + 1)
            self._fit(gap, np.full((missing, len(self.series)), np.nan))
        location, scale = self._fit(starts, values)
        score = d.score(values, location, scale)
        return Verdicts(
            index,
            self._columns,
            observed=values,
            score=score,
            level=alarm_levels(score, d.alarm, d.strong),
            expected=lambda: d.expected(location, scale),
            upperbound=lambda: d.upper_bound(location, scale),
            p=lambda: d.p_value(values, location, scale),
        )

    def _fit(self, starts: npt.NDArray[np.int64], values: Floats) -> tuple[Floats, Floats]:
        """Return location and scale of each bin, from the bins before it, and keep the last of them as the window."""
        depth = len(self.past)
        line = np.concatenate((self.past, values))
        location, scale = np.full_like(values, np.nan), np.full_like(values, np.nan)
        for i, start in enumerate(starts):
            past, row = line[i : i + depth], 0
            if self.detector.daily:
                if start // 86400 != self.day:
                    self.day = int(start // 86400)
                    # a day that is joined late is judged by the window up to there
                    self.location, self.scale = self.detector.fit_window(past, self.day * 86400, self.bin_s)
                row = int(start % 86400 // self.bin_s)
            else:
                one, other = self.detector.fit_window(past, int(start), self.bin_s)
                self.location, self.scale = one[None, :], other[None, :]
            location[i], scale[i] = self.location[row], self.scale[row]
        self.past = line[len(values) :].copy()
        if len(starts):
            self.last = int(starts[-1])
        return location, scale

    def update(self, bin_start: pd.Timestamp, counts: Floats, mentions: Floats | None = None) -> Verdicts:
        """Score the next bin; `counts` has shape (series,). Raises LateBinError, ValueError."""
        import pandas as pd

        index = pd.DatetimeIndex([bin_start], freq=f"{self.bin_s}s")
        return self.extend(pd.DataFrame(np.atleast_2d(counts), index=index, columns=pd.Index(self.series)))

    def to_bytes(self) -> bytes:
        """Return the state as bytes."""
        arrays = {"past": self.past, "centre": self.location, "spread": self.scale}
        header = StateHeader(
            detector=repr(self.detector),
            version=self.detector.version,
            bin_s=self.bin_s,
            series=self.series,
            last=self.last,
            day=self.day,
        )
        return pack(header, arrays)


def anscombe(counts: Floats) -> Floats:
    """Return 2 sqrt(x + 3/8): about normal of variance one for a Poisson count.

    Anscombe 1948, "The transformation of Poisson, binomial and negative-binomial data", section 2.
    """
    root: Floats = 2.0 * np.sqrt(counts + 0.375)
    return root


def normal_score(z: Floats) -> Floats:
    """Return the log likelihood ratio of a shift of a unit normal upwards, z^2 / 2, and 0 below."""
    score: Floats = np.where(z > 0, z * z / 2.0, z * 0.0)
    return score


def normal_p_value(z: Floats) -> Floats:
    """Return the upper tail of a unit normal."""
    from scipy.special import ndtr

    tail: Floats = ndtr(-z)
    return tail


def whole_hours(past: Floats, bin_s: int, wide_s: int = 3600) -> tuple[Floats, int]:
    """Return rates a second in stretches of `wide_s` (or a bin) ending where `past` ends; NaN where half is unseen."""
    group = max(1, wide_s // bin_s)
    rows = len(past) // group
    cut = past[len(past) - rows * group :].reshape(rows, group, -1)
    seen = (~np.isnan(cut)).sum(axis=1)
    total = np.nansum(cut, axis=1)
    rates: Floats = np.where(2 * seen >= group, total / np.maximum(seen, 1) / bin_s, np.nan)
    return rates, group * bin_s
