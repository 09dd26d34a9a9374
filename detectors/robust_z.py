"""Robust z-score over the last day: median and median absolute deviation of variance-stabilised counts.

Anscombe's transform 2*sqrt(x + 3/8) (Anscombe 1948, "The transformation of Poisson, binomial and negative-binomial
data", section 2) makes counts roughly normal with unit variance; the median and the MAD over a trailing day
(Rousseeuw and Croux 1993, "Alternatives to the median absolute deviation", section 1) are not moved by a short
outage. No season: it is the plain rival, kept for comparison. The score is z squared over two, the log likelihood
ratio of a shift in a normal mean, so that thresholds mean the same as elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from detectors.base import Floats, LateBin, Verdicts, bin_seconds, checked, frames, pack, unpack

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustZ:
    """Thresholds in nats; window and warm-up in hours."""

    alarm: float = 18.0
    strong: float = 32.0
    window_hours: float = 24.0
    warm_up_hours: float = 6.0
    min_count: float = 4.0

    def detect(self, counts: pd.DataFrame, mentions: pd.DataFrame | None = None) -> Verdicts:
        """Judge a history; `mentions` is not used. Raises ValueError on unusable counts."""
        return self._fresh(counts).extend(counts, mentions)

    def start(self, history: pd.DataFrame, mentions: pd.DataFrame | None = None) -> RobustState:
        """Learn from a history."""
        state = self._fresh(history)
        state.extend(history, mentions)
        return state

    def _fresh(self, counts: pd.DataFrame) -> RobustState:
        if not isinstance(counts.index, pd.DatetimeIndex):
            raise ValueError("counts need a DatetimeIndex of bin starts in UTC")
        return RobustState(self, bin_seconds(counts.index), list(counts.columns))

    def load(self, blob: bytes) -> RobustState:
        """Read a state back; raises ForeignState."""
        header, arrays = unpack(blob, detector=repr(self), version=VERSION)
        state = RobustState(self, header["bin_s"], header["series"])
        state.last, state.ring = header["last"], arrays["ring"]
        return state


class RobustState:
    """The transformed counts of the last day, newest last; NaN = not observed."""

    def __init__(self, detector: RobustZ, bin_s: int, series: list[str]) -> None:
        """Start without history."""
        self.detector, self.bin_s, self.series = detector, bin_s, series
        self.last: int | None = None
        depth = max(4, int(detector.window_hours * 3600 / bin_s))
        self._warm_up = min(depth, max(3, int(detector.warm_up_hours * 3600 / bin_s)))
        self.ring: Floats = np.full((depth, len(series)), np.nan)

    def with_series(self, series: list[str], *, silent: bool = False) -> RobustState:
        """Return this state widened to more series; `silent` ones were observed with nothing to count."""
        if series == self.series:
            return self
        grown = RobustState(self.detector, self.bin_s, series)
        if silent and self.series:
            grown.ring[:] = np.where(np.isnan(self.ring).all(axis=1, keepdims=True), np.nan, 2.0 * np.sqrt(0.375))
        grown.ring[:, [series.index(name) for name in self.series]] = self.ring
        grown.last = self.last
        return grown

    def _step(self, start: int, counts: Floats) -> tuple[Floats, Floats, Floats]:
        if self.last is not None and start <= self.last:
            raise LateBin(f"bin {pd.Timestamp(start, unit='s', tz='UTC')} was already judged")
        self.last = start
        now = 2.0 * np.sqrt(counts + 0.375)
        enough = (~np.isnan(self.ring)).sum(axis=0) >= self._warm_up
        centre = np.full(len(self.series), np.nan)
        spread = centre.copy()
        if enough.any():
            past = self.ring[:, enough]
            centre[enough] = np.nanmedian(past, axis=0)
            # unit variance is what the transform promises a Poisson count: never surer than that
            spread[enough] = np.maximum(1.0, 1.4826 * np.nanmedian(np.abs(past - centre[enough]), axis=0))
        z = np.maximum(0.0, (now - centre) / spread)
        score = np.where(np.nan_to_num(counts) >= self.detector.min_count, z * z / 2.0, z * 0.0)
        self.ring[:-1] = self.ring[1:]
        self.ring[-1] = now
        return centre, spread, score

    def extend(self, counts: pd.DataFrame, mentions: pd.DataFrame | None = None) -> Verdicts:
        """Judge several bins in order; `mentions` is not used."""
        d = self.detector
        if list(counts.columns) != self.series:
            raise ValueError("the columns are not the series of this state")
        if not isinstance(counts.index, pd.DatetimeIndex) or bin_seconds(counts.index) != self.bin_s:
            raise ValueError(f"bins are not {self.bin_s} s wide")
        values = checked(counts)
        if mentions is not None:
            checked(mentions, counts)
        starts = counts.index.as_unit("s").asi8
        steps = np.array([self._step(int(start), values[i]) for i, start in enumerate(starts)])
        centre, spread, score = (steps[:, part] for part in range(3)) if len(steps) else (values, values, values)
        bound = ((centre + spread * np.sqrt(2.0 * d.alarm)) / 2.0) ** 2 - 0.375
        from scipy.special import ndtr

        level = (np.nan_to_num(score) >= d.alarm).astype(float) + (np.nan_to_num(score) >= d.strong)
        parts = {
            "observed": values, "expected": np.maximum(0.0, (centre / 2.0) ** 2 - 0.375),
            "upperbound": np.maximum(d.min_count, np.ceil(bound)), "score": score,
            "p": ndtr(-np.sqrt(2.0 * score)), "level": level,
        }  # fmt: skip
        return frames(parts, counts.index, counts.columns)

    def update(self, bin_start: pd.Timestamp, counts: Floats, mentions: Floats | None = None) -> Verdicts:
        """Judge the next bin."""
        index = pd.DatetimeIndex([bin_start], freq=f"{self.bin_s}s")
        return self.extend(pd.DataFrame(np.atleast_2d(counts), index=index, columns=pd.Index(self.series)))

    def to_bytes(self) -> bytes:
        """Return the state as bytes."""
        header = {"detector": repr(self.detector), "version": VERSION, "bin_s": self.bin_s, "series": self.series,
                  "last": self.last, "order": ["ring"]}  # fmt: skip
        return pack(header, {"ring": self.ring})
