"""Seasonal negative-binomial scan: is the sum of the last k bins more than the hour, the season and the talk explain?

Statistic: the generalised likelihood ratio of a multiplicative increase over the last k bins, the largest over
several window lengths (window-limited GLR: Lai 1995, "Sequential changepoint detection in quality control and
dynamical systems", section 3; for negative binomial counts: Höhle and Paul 2008, "Count data regression charts for
the monitoring of surveillance time series", section 3). Learning stops while the ratio is high, so that an outage
does not become normal, and resumes when a new level lasts. With a second channel, all talk about the service, the
expectation grows with how much more than usual everybody talks: news alone does not alarm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from detectors.base import Floats, LateBin, Verdicts, bin_seconds, checked, frames, pack, unpack
from detectors.profile import Profile, ProfileSettings

VERSION = 1
HORIZONS_S = (60, 120, 180, 300, 600, 900, 1800, 3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonalNB:
    """Parameters in natural logs (scores), ratios, counts and hours."""

    alarm: float = 8.0
    strong: float = 12.0
    freeze: float = 4.0
    freeze_alone: float = 12.0
    frozen_hours: float = 6.0
    warm_up_hours: float = 6.0
    warm_up_bins: float = 24.0
    min_ratio: float = 1.5
    min_count: float = 4.0
    talk_weight: float = 0.6
    talk_prior: float = 5.0

    def detect(self, counts: pd.DataFrame, mentions: pd.DataFrame | None = None) -> Verdicts:
        """Judge a history; shape (bins, series), NaN = gap. Raises ValueError on unusable counts."""
        return SeasonalState(self, bin_seconds(_index(counts)), list(counts.columns)).extend(counts, mentions)

    def start(self, history: pd.DataFrame, mentions: pd.DataFrame | None = None) -> SeasonalState:
        """Learn from a history."""
        state = SeasonalState(self, bin_seconds(_index(history)), list(history.columns))
        state.extend(history, mentions)
        return state

    def load(self, blob: bytes) -> SeasonalState:
        """Read a state back; raises ForeignState."""
        header, arrays = unpack(blob, detector=repr(self), version=VERSION)
        state = SeasonalState(self, header["bin_s"], header["series"])
        state.last, state.ring, state.frozen = header["last"], arrays["ring"], arrays["frozen"]
        for name in ("week", "day", "means"):
            setattr(state.profile, name, arrays[name])
        return state


def _index(counts: pd.DataFrame) -> pd.DatetimeIndex:
    if not isinstance(counts.index, pd.DatetimeIndex):
        raise ValueError("counts need a DatetimeIndex of bin starts in UTC")
    return counts.index


class SeasonalState:
    """The running state of the scan over a fixed list of series; `with_series` widens it.

    One profile holds the n series and behind them the n series of other talk (mentions that are not complaints).
    """

    def __init__(self, detector: SeasonalNB, bin_s: int, series: list[str]) -> None:
        """Start without history."""
        self.detector = detector
        self.bin_s = bin_s
        self.series = series
        self.last: int | None = None
        n = len(series)
        self.windows = sorted({max(1, h // bin_s) for h in HORIZONS_S}) if bin_s < 3600 else [1, 2]
        self.profile = Profile(2 * n, bin_s, ProfileSettings())
        # (observed, expected) x bins x (series, other talk); newest bin last
        self.ring: Floats = np.zeros((2, max(self.windows), 2 * n))
        self.frozen: Floats = np.zeros(n)
        k = np.array(self.windows, dtype=np.float64)
        # part of the noise is shared between the bins of a window, so its sum is less than k times as sure
        self._sure = (1 + (k - 1) / (1 + 0.35 * (k - 1)))[:, None]
        # the threshold means the same number of false alarms a week in narrower bins, which are tested more often
        self._penalty = max(0.0, float(np.log(300 / bin_s)))

    def with_series(self, series: list[str], *, silent: bool = False) -> SeasonalState:
        """Return this state widened to more series.

        The new ones begin without history, or, when `silent`, as if they had been observed with nothing to count.
        """
        if series == self.series:
            return self
        n = len(series)
        grown = SeasonalState(self.detector, self.bin_s, series)
        own = np.array([series.index(name) for name in self.series], dtype=np.int64)
        places = np.concatenate((own, own + n))
        grown.last = self.last
        grown.profile = self.profile.widened(2 * n, places, silent=silent)
        grown.ring[:, :, places] = self.ring
        grown.frozen[own] = self.frozen
        return grown

    def _step(self, start: int, counts: Floats, mentions: Floats | None) -> tuple[Floats, Floats, Floats, Floats]:
        """Judge one bin; return expected (with the talk multiplier), size r, score and p."""
        d, n = self.detector, len(self.series)
        if self.last is not None and start <= self.last:
            raise LateBin(f"bin {pd.Timestamp(start, unit='s', tz='UTC')} was already judged")
        self.last = start
        seen = ~np.isnan(counts)
        x = np.where(seen, counts, 0.0)
        heard = np.zeros(n, dtype=bool) if mentions is None else seen & ~np.isnan(mentions)
        other = np.zeros(n) if mentions is None else np.where(heard, np.maximum(mentions - x, 0.0), 0.0)
        both, on = np.concatenate((x, other)), np.concatenate((seen, heard))
        shape = self.profile.shape(start)
        mu = shape * self.profile.level()
        alpha = self.profile.dispersion()
        warm = self.profile.exposure()[:n] >= max(d.warm_up_hours * 3600, d.warm_up_bins * self.bin_s) * 0.999
        self.ring[:, :-1] = self.ring[:, 1:]
        self.ring[0, -1], self.ring[1, -1] = both, np.where(on, mu, 0.0)
        sums = np.cumsum(self.ring[:, ::-1], axis=1)[:, [k - 1 for k in self.windows]]
        X, M, T, E = sums[0, :, :n], sums[1, :, :n], sums[0, :, n:], sums[1, :, n:]
        talk = 1.0 + d.talk_weight * np.maximum(0.0, (T + d.talk_prior) / (E + d.talk_prior) - 1.0)
        M = np.maximum(M * talk, 1e-9)
        r = 1.0 / alpha[:n]
        R = r * self._sure
        llr = X * np.log(np.maximum(X, 1e-9) / M) - (X + R) * np.log((X + R) / (M + R)) - self._penalty
        open_gate = (d.min_count <= X) & (d.min_ratio * M <= X) & (llr > 0)
        llr = np.where(open_gate, llr, 0.0)
        best = llr.argmax(axis=0)
        cols = np.arange(n)
        ratio = np.where(warm, llr[best, cols], 0.0)
        score = np.where(seen & warm, ratio, np.nan)
        p = self._tail(X[best, cols], M[best, cols], R[best, cols], score)
        hot = ratio >= (d.freeze_alone if mentions is None else d.freeze)
        self.frozen = np.where(seen, np.where(hot, self.frozen + 1, 0.0), self.frozen)
        calm = ~hot | (self.frozen > d.frozen_hours * 3600 / self.bin_s)
        self.profile.learn(start, shape, mu, alpha, both, on & np.concatenate((calm, calm)))
        return mu[:n] * talk[0], r, score, p

    @staticmethod
    def _tail(X: Floats, M: Floats, R: Floats, score: Floats) -> Floats:
        """Return the probability of at least X under the negative binomial of mean M and size R (1 where X is 0)."""
        p = np.where(np.isnan(score), np.nan, 1.0)
        some = np.nan_to_num(score) > 0
        if some.any():
            from scipy.special import betainc

            p[some] = betainc(X[some], R[some], M[some] / (M[some] + R[some]))
        return p

    def extend(self, counts: pd.DataFrame, mentions: pd.DataFrame | None = None) -> Verdicts:
        """Judge several bins in order."""
        if list(counts.columns) != self.series:
            raise ValueError("the columns are not the series of this state")
        index = _index(counts)
        if bin_seconds(index) != self.bin_s:
            raise ValueError(f"bins are not {self.bin_s} s wide")
        values = checked(counts)
        talk = checked(mentions, counts) if mentions is not None else None
        starts = index.as_unit("s").asi8
        steps = [self._step(int(start), values[i], None if talk is None else talk[i]) for i, start in enumerate(starts)]
        expected, r, score, p = (np.array(part).reshape(values.shape) for part in zip(*steps, strict=True)) if steps else (
            values.copy(), values.copy(), values.copy(), values.copy())  # fmt: skip
        level = (np.nan_to_num(score) >= self.detector.alarm).astype(float) + (
            np.nan_to_num(score) >= self.detector.strong
        )
        bound = upper_bound(expected, r, self.detector.alarm + self._penalty, self.detector)
        return frames(
            {"observed": values, "expected": expected, "upperbound": bound, "score": score, "p": p, "level": level},
            index, counts.columns,
        )  # fmt: skip

    def update(self, bin_start: pd.Timestamp, counts: Floats, mentions: Floats | None = None) -> Verdicts:
        """Judge the next bin."""
        index = pd.DatetimeIndex([bin_start], freq=f"{self.bin_s}s")
        frame = pd.DataFrame(np.atleast_2d(counts), index=index, columns=pd.Index(self.series))
        talk = None if mentions is None else pd.DataFrame(np.atleast_2d(mentions), index=index, columns=frame.columns)
        return self.extend(frame, talk)

    def to_bytes(self) -> bytes:
        """Return the state as bytes."""
        arrays = {"ring": self.ring, "frozen": self.frozen, "week": self.profile.week, "day": self.profile.day,
                  "means": self.profile.means}  # fmt: skip
        header = {"detector": repr(self.detector), "version": VERSION, "bin_s": self.bin_s, "series": self.series,
                  "last": self.last, "order": list(arrays)}  # fmt: skip
        return pack(header, arrays)


def upper_bound(mu: Floats, r: Floats, threshold: float, detector: SeasonalNB) -> Floats:
    """Return the smallest count of one bin alone whose likelihood ratio reaches the threshold and passes the gates."""
    low = np.maximum(np.maximum(detector.min_count, detector.min_ratio * mu), mu)
    high = low + 10 * threshold + 20 * mu + 20
    mu = np.maximum(mu, 1e-9)
    for _ in range(24):  # counts to within a hundred-thousandth
        middle = (low + high) / 2
        llr = middle * np.log(middle / mu) - (middle + r) * np.log((middle + r) / (mu + r))
        enough = llr >= threshold
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    return np.ceil(high)
