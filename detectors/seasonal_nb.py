"""Seasonal negative-binomial scan: is the sum of the last k bins more than the hour, the season and the talk explain?

Statistic: the generalised likelihood ratio of a multiplicative increase over the last k bins, the largest over
several window lengths (window-limited GLR: Lai 1995, "Sequential changepoint detection in quality control and
dynamical systems", section 3; for negative binomial counts: Höhle and Paul 2008, "Count data regression charts for
the monitoring of surveillance time series", section 3). `memory` describes the baseline.

What it does not learn: anything while the ratio is high, so that an outage does not become normal, until the new
level has lasted; anything younger than a guard of minutes, so that an onset is never its own baseline; and holes of
zeros where many reports were due. With a second channel, all talk about the service, the expectation grows with how
much more than usual everybody talks: news alone does not alarm. With one channel news cannot be seen: the variance
then has room for it, and a series whose quiet days are loud has its scores divided by how loud they are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from detectors import base, scan
from detectors.base import Floats, ForeignState, Verdicts
from detectors.memory import Memory, parameters, windows_of

VERSION = 2
# below this many counts the compiled scan's import costs more than it saves
WORTH_COMPILING = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonalNB:
    """Parameters; scores in natural logs, half-lives in days, dispersions as shares of the squared mean.

    alarm, strong: thresholds. freeze, freeze_alone: scores from which nothing is learned, with and without a talk
    channel, for at most frozen_hours. guard_minutes: how old a bin must be to be learned from. min_ratio, min_count:
    gates of a window. talk_weight, talk_prior: how much of the extra talk passes into complaints, and how many
    mentions of evidence it needs. news_variance: what unseen news may do to one channel; usual_maximum: largest score
    of an ordinary day. prior_clump, prior_dispersion (with the weight of noise_prior bins), baseline_error,
    new_variance (in the first hours), shared_noise (between the bins of a window): parts of the variance.
    """

    alarm: float = 9.0
    strong: float = 14.0
    freeze: float = 4.0
    freeze_alone: float = 6.0
    frozen_hours: float = 6.0
    guard_minutes: float = 15.0
    warm_up_hours: float = 1.0
    warm_up_bins: float = 4.0
    min_ratio: float = 1.5
    min_count: float = 4.0
    talk_weight: float = 0.9
    talk_prior: float = 2.0
    news_variance: float = 0.5
    usual_maximum: float = 2.0
    week_half_life: float = 21.0
    day_half_life: float = 10.0
    fast_half_life: float = 0.25
    slow_half_life: float = 2.0
    noise_half_life: float = 7.0
    shrink_visits: float = 10.0 / 3.0
    prior_clump: float = 0.2
    prior_dispersion: float = 0.1
    noise_prior: float = 20.0
    baseline_error: float = 0.02
    new_variance: float = 0.1
    shared_noise: float = 0.2

    def __repr__(self) -> str:
        """Return what is stored beside a verdict: the version and what differs from the defaults."""
        return base.short(self, VERSION)

    def detect(self, counts: pd.DataFrame, mentions: pd.DataFrame | None = None) -> Verdicts:
        """Judge a history; shape (bins, series), NaN = gap. Raises ValueError on unusable counts."""
        return self._fresh(counts, mentions).extend(counts, mentions)

    def start(self, history: pd.DataFrame, mentions: pd.DataFrame | None = None) -> SeasonalState:
        """Learn from a history; whether mentions are given decides whether they always must be."""
        state = self._fresh(history, mentions)
        state.extend(history, mentions)
        return state

    def _fresh(self, counts: pd.DataFrame, mentions: pd.DataFrame | None) -> SeasonalState:
        return SeasonalState(self, base.bin_seconds(base.utc_index(counts)), list(counts.columns), mentions is not None)

    def load(self, blob: bytes) -> SeasonalState:
        """Read a state back; raises ForeignState."""
        header, arrays = base.unpack(blob, detector=repr(self), version=VERSION)
        try:
            state = SeasonalState(self, header["bin_s"], header["series"], header["talk"])
            state.last = header["last"]
            for name, blank in state.memory.arrays().items():
                if arrays[name].shape != blank.shape or arrays[name].dtype != blank.dtype:
                    raise ForeignState(f"the state's {name} does not fit its series")
                setattr(state.memory, name, arrays[name])
        except (KeyError, TypeError) as error:
            raise ForeignState("the state's header is incomplete") from error
        return state


class SeasonalState:
    """The running state of the scan over a fixed list of series; `with_series` widens it."""

    def __init__(self, detector: SeasonalNB, bin_s: int, series: list[str], talk: bool) -> None:
        """Start without history."""
        self.detector, self.bin_s, self.series, self.talk = detector, bin_s, series, talk
        self.columns = pd.Index(series)
        self.last: int | None = None
        self.windows = windows_of(bin_s)
        self.parameters = parameters(detector, bin_s, talk=talk)
        self.memory = Memory.blank(len(series), talk, bin_s, self.windows, int(detector.guard_minutes * 60 // bin_s))

    def with_series(self, series: list[str], *, silent: bool = False) -> SeasonalState:
        """Return this state widened to more series.

        The new ones begin without history, or, when `silent`, as if they had been observed with nothing to count.
        """
        if series == self.series:
            return self
        grown = SeasonalState(self.detector, self.bin_s, series, self.talk)
        own = np.array([series.index(name) for name in self.series], dtype=np.int64)
        places = np.concatenate((own, own + len(series))) if self.talk else own
        grown.last = self.last
        grown.memory.place(self.memory, places, own, silent=silent)
        return grown

    def extend(self, counts: pd.DataFrame, mentions: pd.DataFrame | None = None) -> Verdicts:
        """Judge several bins in order; bins left out since the last call were gaps. Raises LateBin, ValueError."""
        if not counts.columns.equals(self.columns):
            raise ValueError("the columns are not the series of this state")
        index = base.utc_index(counts)
        if base.bin_seconds(index) != self.bin_s:
            raise ValueError(f"bins are not {self.bin_s} s wide")
        talk = None if mentions is None else base.checked(mentions, counts)
        return self._judge(index, index.as_unit("s").asi8, base.checked(counts), talk)

    def update(self, bin_start: pd.Timestamp, counts: Floats, mentions: Floats | None = None) -> Verdicts:
        """Judge the next bin."""
        index = pd.DatetimeIndex([bin_start])
        base.bin_seconds(index, self.bin_s)
        talk = None if mentions is None else base.counted(np.array(mentions, dtype=np.float64, ndmin=2))
        values = base.counted(np.array(counts, dtype=np.float64, ndmin=2))
        if values.shape != (1, len(self.series)) or (talk is not None and talk.shape != values.shape):
            raise ValueError(f"one count for each of the {len(self.series)} series is needed")
        return self._judge(index, np.array([bin_start.timestamp()], dtype=np.int64), values, talk)

    def _judge(
        self, index: pd.DatetimeIndex, starts: npt.NDArray[np.int64], values: Floats, talk: Floats | None
    ) -> Verdicts:
        if (talk is not None) != self.talk:
            raise ValueError("mentions belong to a state from its start on, or never; use NaN where they are unknown")
        other = np.empty((len(values), 0)) if talk is None else np.maximum(talk - values, 0.0)
        missing = min(base.in_step(self.last, starts, self.bin_s), self.memory.ring.shape[1])
        if missing and self.last is not None:
            gap = self.last + self.bin_s * np.arange(1, missing + 1)
            self._scan(gap, np.full((missing, values.shape[1]), np.nan), np.full((missing, other.shape[1]), np.nan))
        out, tail = self._scan(starts, values, other)
        if len(starts):
            self.last = int(starts[-1])
        return Verdicts(
            index, self.columns, observed=values, expected=out[0], score=out[1], upperbound=self._bounds(out),
            p=_chances(out, tail), level=base.levels(out[1], self.detector.alarm, self.detector.strong),
        )  # fmt: skip

    def _scan(self, starts: npt.NDArray[np.int64], values: Floats, other: Floats) -> tuple[Floats, Floats]:
        # pages of the tail that no alarm touches are never asked of the machine
        out, tail = np.empty((5, *values.shape)), np.empty((3, *values.shape))
        judge: Any = scan.scan
        if values.size + other.size >= WORTH_COMPILING or "detectors.scan_compiled" in sys.modules:
            try:
                from detectors import scan_compiled
            except ImportError:
                pass  # numba is absent: slower, and the same figures
            else:
                judge = scan_compiled.scan
        judge(_plain(starts), _plain(values), _plain(other), self.parameters, self.windows, self.memory, out, tail)
        return out, tail

    def _bounds(self, out: Floats) -> Callable[[], Floats]:
        mu, _, alpha, clump, burst = out
        penalty = max(0.0, float(np.log(300 / self.bin_s)))
        return lambda: upper_bound(mu, 1.0 / alpha, clump, self.detector.alarm * burst + penalty, self.detector)

    def to_bytes(self) -> bytes:
        """Return the state as bytes."""
        arrays = self.memory.arrays()
        header = {"detector": repr(self.detector), "version": VERSION, "bin_s": self.bin_s, "series": self.series,
                  "talk": self.talk, "last": self.last, "order": list(arrays)}  # fmt: skip
        return base.pack(header, arrays)


def _plain(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a read-only array in C order, whatever frame it comes from, so that one compiled scan serves all."""
    plain = np.ascontiguousarray(values).view()
    plain.flags.writeable = False
    return plain


def _chances(out: Floats, tail: Floats) -> Callable[[], Floats]:
    """Return how to find the probability of at least the best window's sum (1 where no window passes its gates)."""

    def chances() -> Floats:
        from scipy.special import betainc

        score, clump = out[1], out[3]
        p = np.where(np.isnan(score), np.nan, 1.0)
        some = np.nan_to_num(score) > 0
        x, m, size = (part[some] for part in tail)
        p[some] = betainc(x / clump[some], size, m / (m + size * clump[some]))
        return p

    return chances


def upper_bound(mu: Floats, size: Floats, clump: Floats, needed: Floats, detector: SeasonalNB) -> Floats:
    """Return the smallest count of one bin alone whose likelihood ratio is the one needed and that passes the gates."""
    mu = np.maximum(mu, 1e-9)
    r = size * clump
    low = np.maximum(detector.min_count * (2.0 * clump - 1.0), detector.min_ratio * mu)
    high = low + 4 * needed * clump + 20 * mu + 20

    def ratio(x: Floats) -> Floats:
        found: Floats = (x * np.log(x / mu) - (x + r) * np.log((x + r) / (mu + r))) / clump
        return found

    while (short := ratio(high) < needed).any() and float(high.max()) < base.LARGEST:
        high = np.where(short, high * 2, high)
    for _ in range(48):
        middle = (low + high) / 2
        enough = ratio(middle) >= needed
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    return np.ceil(high - 1e-6)
