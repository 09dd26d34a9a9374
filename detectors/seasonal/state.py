"""The running state of `SeasonalNB`: bins in, verdicts out, one kernel call for each stretch of bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from detectors.contract import Floats, SeriesName, Verdicts
from detectors.packing import StateHeader, pack
from detectors.seasonal.kernel_numpy import refresh_slot_stats
from detectors.seasonal.kernel_state import KernelInput, KernelOutput, KernelState, Params
from detectors.seasonal.kernels import KERNELS, KernelSelector
from detectors.seasonal.parameters import VERSION, SeasonalParameters
from detectors.validation import (
    LARGEST,
    alarm_levels,
    bin_seconds,
    divides_a_day,
    missing_bins,
    utc_index,
    validate_counts,
    validate_values,
)

Number = TypeVar("Number", np.float64, np.int64)


class SeasonalState:
    """The running state of the scan over a fixed list of series; `with_series` widens it."""

    def __init__(
        self,
        detector: SeasonalParameters,
        bin_s: int,
        series: list[SeriesName],
        *,
        talk: bool,
        kernels: KernelSelector = KERNELS,
    ) -> None:
        """Start without history; `talk` says whether mentions come with the counts, `kernels` what scores them.

        Raises ValueError when bins wider than half an hour do not divide a day.
        """
        if bin_s > 1800:  # narrower ones lie in the half-hours of the profile, whatever their width
            divides_a_day(bin_s)
        self.detector, self.bin_s, self.series, self.talk = detector, bin_s, series, talk
        self.columns = pd.Index(series)
        self.last: int | None = None
        self.params = Params.of(detector, bin_s, talk=talk)
        self._kernels = kernels
        self.kernel_state = KernelState.blank(len(series), self.params, talk=talk)

    def with_series(self, series: Sequence[SeriesName], *, silent: bool = False) -> Self:
        """Return this state widened to more series.

        The new ones begin without history, or, when `silent`, as if they had been observed with nothing to count.
        """
        series = list(series)
        if series == self.series:
            return self
        grown = type(self)(self.detector, self.bin_s, series, talk=self.talk, kernels=self._kernels)
        own = np.array([series.index(name) for name in self.series], dtype=np.int64)
        places = np.concatenate((own, own + len(series))) if self.talk else own
        grown.last = self.last
        grown.kernel_state.place(self.kernel_state, places, own, silent=silent)
        refresh_slot_stats(grown.kernel_state, grown.params)
        grown.kernel_state.slot_stats[:, places] = self.kernel_state.slot_stats
        return grown

    def extend(self, counts: pd.DataFrame, mentions: pd.DataFrame | None = None) -> Verdicts:
        """Score several bins in order; bins left out since the last call are gaps. Raises LateBinError, ValueError."""
        if not counts.columns.equals(self.columns):
            raise ValueError("the columns are not the series of this state")
        index = utc_index(counts)
        if bin_seconds(index) != self.bin_s:
            raise ValueError(f"bins are not {self.bin_s} s wide")
        talk = None if mentions is None else validate_counts(mentions, counts)
        return self._verdicts(index, index.as_unit("s").asi8, validate_counts(counts), talk)

    def update(self, bin_start: pd.Timestamp, counts: Floats, mentions: Floats | None = None) -> Verdicts:
        """Score the next bin; `counts` and `mentions` have shape (series,). Raises LateBinError, ValueError."""
        index = pd.DatetimeIndex([bin_start])
        bin_seconds(index, self.bin_s)
        talk = None if mentions is None else validate_values(np.array(mentions, dtype=np.float64, ndmin=2))
        values = validate_values(np.array(counts, dtype=np.float64, ndmin=2))
        if values.shape != (1, len(self.series)) or (talk is not None and talk.shape != values.shape):
            raise ValueError(f"one count for each of the {len(self.series)} series is needed")
        return self._verdicts(index, np.array([bin_start.timestamp()], dtype=np.int64), values, talk)

    def _verdicts(
        self, index: pd.DatetimeIndex, starts: npt.NDArray[np.int64], values: Floats, talk: Floats | None
    ) -> Verdicts:
        if (talk is not None) != self.talk:
            raise ValueError("mentions belong to a state from its start on, or never; use NaN where they are unknown")
        other = np.empty((len(values), 0)) if talk is None else np.maximum(talk - values, 0.0)
        # a ring's length of gaps forgets all there is to forget, and within another one the window sums
        # are taken afresh, so that no rounding is left of them; the rest only turns the ring
        missing, depth = missing_bins(self.last, starts, self.bin_s), self.kernel_state.ring.shape[1]
        missing = missing if missing <= 2 * depth else 2 * depth + missing % depth
        if missing and self.last is not None:
            gap = self.last + self.bin_s * np.arange(1, missing + 1)
            self._scan(gap, np.full((missing, values.shape[1]), np.nan), np.full((missing, other.shape[1]), np.nan))
        output, tails = self._scan(starts, values, other)
        if len(starts):
            self.last = int(starts[-1])
        return Verdicts(
            index,
            self.columns,
            observed=values,
            expected=output.expected,
            score=output.score,
            upperbound=tails.upper_bounds,
            p=tails.p_values,
            level=alarm_levels(output.score, self.detector.alarm, self.detector.strong),
        )

    def _scan(self, starts: npt.NDArray[np.int64], values: Floats, other: Floats) -> tuple[KernelOutput, _TailFigures]:
        slots = starts // self.params.slot_s
        rows = np.cumsum(np.diff(slots, prepend=slots[:1]) != 0)
        output = KernelOutput(
            expected=np.empty(values.shape),
            score=np.empty(values.shape),
            slot_params=np.empty((int(rows[-1]) + 1 if len(rows) else 0, 3, values.shape[1])),
            best_windows=np.empty((values.size, 4)),
        )
        scan = self._kernels.choose(values.size + other.size)
        counts = KernelInput(_plain(starts), _plain(values), _plain(other))
        found = scan(counts, self.params, self.kernel_state, output)
        output = output._replace(best_windows=output.best_windows[:found].copy())
        return output, _TailFigures(detector=self.detector, penalty=self.params.penalty, rows=rows, output=output)

    def to_bytes(self) -> bytes:
        """Return the state as bytes."""
        header = StateHeader(
            detector=repr(self.detector),
            version=VERSION,
            bin_s=self.bin_s,
            series=self.series,
            last=self.last,
            talk=self.talk,
        )
        return pack(header, self.kernel_state.to_arrays())


def _plain(values: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """Return a read-only array in C order, whatever frame it comes from, so that one compiled scan serves all."""
    plain = np.ascontiguousarray(values).view()
    plain.flags.writeable = False
    return plain


@dataclass(frozen=True, kw_only=True)
class _TailFigures:
    """What upper bounds and probabilities are worked out from when asked; rows: place in `slot_params` of a bin."""

    detector: SeasonalParameters
    penalty: float
    rows: npt.NDArray[np.int64]
    output: KernelOutput

    def upper_bounds(self) -> Floats:
        """Return the smallest count of each bin alone that would alarm."""
        alpha, clump, burst = (self.output.slot_params[self.rows, part] for part in range(3))
        needed = self.detector.alarm * burst + self.penalty
        return upper_bound(self.output.expected, 1.0 / alpha, clump, needed, self.detector)

    def p_values(self) -> Floats:
        """Return the probability of at least the best window's sum, 1 where no window passes its gates."""
        from scipy.special import betainc

        score = self.output.score
        p = np.where(np.isnan(score), np.nan, 1.0)
        place, x, m, size = self.output.best_windows.T
        at = place.astype(np.int64)
        clump = self.output.slot_params[self.rows[at // score.shape[1]], 1, at % score.shape[1]]
        known = ~np.isnan(score.ravel()[at])
        p.ravel()[at[known]] = betainc(x / clump, size, m / (m + size * clump))[known]
        return p


def upper_bound(mu: Floats, size: Floats, clump: Floats, needed: Floats, detector: SeasonalParameters) -> Floats:
    """Return the smallest count of one bin alone whose likelihood ratio is the one needed and that passes the gates."""
    mu = np.maximum(mu, 1e-9)
    r = size * clump
    low = np.maximum(detector.min_count * (1.0 + detector.repeats * (clump - 1.0)), detector.min_ratio * mu)
    high = low + 4 * needed * clump + 20 * mu + 20

    def ratio(x: Floats) -> Floats:
        found: Floats = (x * np.log(x / mu * ((mu + r) / (x + r))) - r * np.log((x + r) / (mu + r))) / clump
        return found

    while (short := ratio(high) < needed).any() and float(high.max()) < LARGEST:
        high = np.where(short, high * 2, high)
    for _ in range(48):
        middle = (low + high) / 2
        enough = ratio(middle) >= needed
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    return np.ceil(high - 1e-6)
