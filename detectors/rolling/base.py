"""What the rivals share: a trailing window of counts, and a model made of it for each bin or, at 00:00 UTC, for a day.

A rival says how long its window is, what it expects (`model`), and how it scores; this keeps the window, refits, and
gives the same figures for a history as for bin after bin.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from detectors import base
from detectors.base import Floats, ForeignState, Verdicts


class Trailing(ABC):
    """A detector by its window; subclasses are frozen dataclasses with `alarm`, `strong`, `window_hours`.

    model(past, start, bin_s) has `past` of shape (bins, n), oldest first, NaN = gap, and returns centre and spread of
    shape (n,) for the bin at `start`, or, where `daily`, (bins a day, n) for the day that begins there; NaN = unknown.
    """

    __slots__ = ()
    version: ClassVar[int] = 1
    daily: ClassVar[bool] = False
    alarm: float
    strong: float
    window_hours: float

    @abstractmethod
    def model(self, past: Floats, start: int, bin_s: int) -> tuple[Floats, Floats]:
        """Return centre and spread."""

    @abstractmethod
    def scored(self, counts: Floats, centre: Floats, spread: Floats) -> Floats:
        """Return scores >= 0, NaN where counts or model are unknown."""

    def expected(self, centre: Floats, spread: Floats) -> Floats:
        """Return the counts the model expects."""
        return centre

    @abstractmethod
    def bound(self, centre: Floats, spread: Floats) -> Floats:
        """Return the smallest count that scores `alarm`."""

    @abstractmethod
    def chance(self, counts: Floats, centre: Floats, spread: Floats) -> Floats:
        """Return the probability of at least so many."""

    def depth(self, bin_s: int) -> int:
        """Return the window in bins."""
        return max(4, int(self.window_hours * 3600 // bin_s))

    def detect(self, counts: pd.DataFrame, mentions: pd.DataFrame | None = None) -> Verdicts:
        """Judge a history; `mentions` is checked and not used. Raises ValueError on unusable counts."""
        return self._fresh(counts).extend(counts, mentions)

    def start(self, history: pd.DataFrame, mentions: pd.DataFrame | None = None) -> TrailingState:
        """Learn from a history."""
        state = self._fresh(history)
        state.extend(history, mentions)
        return state

    def _fresh(self, counts: pd.DataFrame) -> TrailingState:
        return TrailingState(self, base.bin_seconds(base.utc_index(counts)), list(counts.columns))

    def load(self, blob: bytes) -> TrailingState:
        """Read a state back; raises ForeignState."""
        header, arrays = base.unpack(blob, detector=repr(self), version=self.version)
        try:
            state = TrailingState(self, header["bin_s"], header["series"])
            state.last, state.day = header["last"], header["day"]
            if arrays["past"].shape != state.past.shape:
                raise ForeignState("the state's window does not fit its series")
            state.past, state.centre, state.spread = arrays["past"], arrays["centre"], arrays["spread"]
        except KeyError as error:
            raise ForeignState("the state's header is incomplete") from error
        return state


class TrailingState:
    """The window, oldest bin first, and where the model is of a day, that day's."""

    def __init__(self, detector: Trailing, bin_s: int, series: list[str]) -> None:
        """Start without history."""
        if detector.daily:
            base.divides_a_day(bin_s)
        self.detector, self.bin_s, self.series = detector, bin_s, series
        self.last: int | None = None
        self.day = -1
        self.past: Floats = np.full((detector.depth(bin_s), len(series)), np.nan)
        rows = max(1, 86400 // bin_s) if detector.daily else 1
        self.centre: Floats = np.full((rows, len(series)), np.nan)
        self.spread: Floats = self.centre.copy()

    def with_series(self, series: list[str], *, silent: bool = False) -> TrailingState:
        """Return this state widened to more series; `silent` ones were observed with nothing to count."""
        if series == self.series:
            return self
        grown = TrailingState(self.detector, self.bin_s, series)
        places = [series.index(name) for name in self.series]
        if silent and self.series:
            grown.past[:] = np.where(np.isnan(self.past).all(axis=1, keepdims=True), np.nan, 0.0)
        grown.past[:, places] = self.past
        grown.last, grown.day = self.last, self.day
        grown.centre[:, places], grown.spread[:, places] = self.centre, self.spread
        return grown

    def extend(self, counts: pd.DataFrame, mentions: pd.DataFrame | None = None) -> Verdicts:
        """Judge several bins in order; bins left out since the last call were gaps. Raises LateBin, ValueError."""
        d = self.detector
        if list(counts.columns) != self.series:
            raise ValueError("the columns are not the series of this state")
        index = base.utc_index(counts)
        if base.bin_seconds(index) != self.bin_s:
            raise ValueError(f"bins are not {self.bin_s} s wide")
        values = base.checked(counts)
        if mentions is not None:
            base.checked(mentions, counts)
        starts = index.as_unit("s").asi8
        missing = base.in_step(self.last, starts, self.bin_s)
        if missing and self.last is not None:
            # days that no bin was seen of still have their midnights
            gap = self.last + self.bin_s * np.arange(1, missing + 1)
            self._model(gap, np.full((missing, len(self.series)), np.nan))
        centre, spread = self._model(starts, values)
        score = d.scored(values, centre, spread)
        return Verdicts(
            index,
            counts.columns,
            observed=values,
            score=score,
            level=base.levels(score, d.alarm, d.strong),
            expected=lambda: d.expected(centre, spread),
            upperbound=lambda: d.bound(centre, spread),
            p=lambda: d.chance(values, centre, spread),
        )

    def _model(self, starts: npt.NDArray[np.int64], values: Floats) -> tuple[Floats, Floats]:
        """Return centre and spread of each bin, from the bins before it, and remember the last of them."""
        depth = len(self.past)
        line = np.concatenate((self.past, values))
        centre, spread = np.full_like(values, np.nan), np.full_like(values, np.nan)
        for i, start in enumerate(starts):
            past, row = line[i : i + depth], 0
            if self.detector.daily:
                if start // 86400 != self.day:
                    self.day = int(start // 86400)
                    # a day that is joined late is judged by the window up to there
                    self.centre, self.spread = self.detector.model(past, self.day * 86400, self.bin_s)
                row = int(start % 86400 // self.bin_s)
            else:
                one, other = self.detector.model(past, int(start), self.bin_s)
                self.centre, self.spread = one[None, :], other[None, :]
            centre[i], spread[i] = self.centre[row], self.spread[row]
        self.past = line[len(values) :].copy()
        if len(starts):
            self.last = int(starts[-1])
        return centre, spread

    def update(self, bin_start: pd.Timestamp, counts: Floats, mentions: Floats | None = None) -> Verdicts:
        """Judge the next bin."""
        index = pd.DatetimeIndex([bin_start], freq=f"{self.bin_s}s")
        return self.extend(pd.DataFrame(np.atleast_2d(counts), index=index, columns=pd.Index(self.series)))

    def to_bytes(self) -> bytes:
        """Return the state as bytes."""
        arrays = {"past": self.past, "centre": self.centre, "spread": self.spread}
        header: dict[str, Any] = {
            "detector": repr(self.detector),
            "version": self.detector.version,
            "bin_s": self.bin_s,
            "series": self.series,
            "last": self.last,
            "day": self.day,
            "order": list(arrays),
        }
        return base.pack(header, arrays)


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


def normal_chance(z: Floats) -> Floats:
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
