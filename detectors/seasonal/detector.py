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
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from detectors import base
from detectors.base import Floats, ForeignState, Verdicts
from detectors.seasonal import kernel_numpy as scan
from detectors.seasonal.kernel_state import PENALTY, SLOT, Memory, parameters, windows_of

VERSION = 3
# below this many counts the compiled scan's import costs more than it saves
WORTH_COMPILING = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonalNB:
    """Parameters; scores in natural logs, half-lives in days, dispersions as shares of the squared mean.

    alarm, strong: thresholds. freeze, freeze_alone: scores from which nothing is learned, with and without a talk
    channel, for at most frozen_hours. guard_minutes: how old a bin must be to be learned from. min_ratio, min_count:
    gates of a window; repeats: how much more is asked for where people repeat themselves (0 where each counts once).
    talk_weight, talk_prior: how much of the extra talk passes into complaints, and how many
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
    repeats: float = 2.0
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
        if bin_s > 1800:  # narrower ones lie in the half-hours of the profile, whatever their width
            base.divides_a_day(bin_s)
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
        scan.turn_slot(grown.memory, grown.parameters)
        grown.memory.slowly[:, places] = self.memory.slowly
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
        # a ring's length of gaps forgets all there is to forget; the rest only turns the ring
        missing, depth = base.in_step(self.last, starts, self.bin_s), self.memory.ring.shape[1]
        missing = missing if missing <= depth else depth + missing % depth
        if missing and self.last is not None:
            gap = self.last + self.bin_s * np.arange(1, missing + 1)
            self._scan(gap, np.full((missing, values.shape[1]), np.nan), np.full((missing, other.shape[1]), np.nan))
        out, rest = self._scan(starts, values, other)
        if len(starts):
            self.last = int(starts[-1])
        return Verdicts(
            index,
            self.columns,
            observed=values,
            expected=out[0],
            score=out[1],
            upperbound=rest.bounds,
            p=rest.chances,
            level=base.levels(out[1], self.detector.alarm, self.detector.strong),
        )

    def _scan(self, starts: npt.NDArray[np.int64], values: Floats, other: Floats) -> tuple[Floats, _Rest]:
        slots = starts // int(self.parameters[SLOT])
        rows = np.cumsum(np.diff(slots, prepend=slots[:1]) != 0)
        out, hits = np.empty((2, *values.shape)), np.empty((values.size, 4))
        turns = np.empty((int(rows[-1]) + 1 if len(rows) else 0, 3, values.shape[1]))
        judge: Any = scan.scan
        if values.size + other.size >= WORTH_COMPILING or "detectors.seasonal.kernel_numba" in sys.modules:
            try:
                from detectors.seasonal import kernel_numba as scan_compiled
            except (ImportError, RuntimeError):
                pass  # numba is absent or has nowhere to keep what it compiled: slower, and the same figures
            else:
                judge = scan_compiled.scan
        plain = (_plain(part) for part in (starts, values, other))
        found = judge(*plain, self.parameters, self.windows, self.memory, out, turns, hits)
        return out, _Rest(
            detector=self.detector,
            penalty=float(self.parameters[PENALTY]),
            out=out,
            rows=rows,
            turns=turns,
            hits=hits[:found].copy(),
        )

    def to_bytes(self) -> bytes:
        """Return the state as bytes."""
        arrays = self.memory.arrays()
        header = {
            "detector": repr(self.detector),
            "version": VERSION,
            "bin_s": self.bin_s,
            "series": self.series,
            "talk": self.talk,
            "last": self.last,
            "order": list(arrays),
        }
        return base.pack(header, arrays)


def _plain(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a read-only array in C order, whatever frame it comes from, so that one compiled scan serves all."""
    plain = np.ascontiguousarray(values).view()
    plain.flags.writeable = False
    return plain


@dataclass(frozen=True, kw_only=True)
class _Rest:
    """What upper bounds and probabilities are worked out from when somebody asks; arrays as `scan.scan` fills them."""

    detector: SeasonalNB
    penalty: float
    out: Floats
    rows: npt.NDArray[np.int64]
    turns: Floats
    hits: Floats

    def bounds(self) -> Floats:
        """Return the smallest count of each bin alone that would alarm."""
        alpha, clump, burst = (self.turns[self.rows, part] for part in range(3))
        return upper_bound(self.out[0], 1.0 / alpha, clump, self.detector.alarm * burst + self.penalty, self.detector)

    def chances(self) -> Floats:
        """Return the probability of at least the best window's sum, 1 where no window passes its gates."""
        from scipy.special import betainc

        score = self.out[1]
        p = np.where(np.isnan(score), np.nan, 1.0)
        place, x, m, size = self.hits.T
        at = place.astype(np.int64)
        clump = self.turns[self.rows[at // score.shape[1]], 1, at % score.shape[1]]
        known = ~np.isnan(score.ravel()[at])
        p.ravel()[at[known]] = betainc(x / clump, size, m / (m + size * clump))[known]
        return p


def upper_bound(mu: Floats, size: Floats, clump: Floats, needed: Floats, detector: SeasonalNB) -> Floats:
    """Return the smallest count of one bin alone whose likelihood ratio is the one needed and that passes the gates."""
    mu = np.maximum(mu, 1e-9)
    r = size * clump
    low = np.maximum(detector.min_count * (1.0 + detector.repeats * (clump - 1.0)), detector.min_ratio * mu)
    high = low + 4 * needed * clump + 20 * mu + 20

    def ratio(x: Floats) -> Floats:
        found: Floats = (x * np.log(x / mu * ((mu + r) / (x + r))) - r * np.log((x + r) / (mu + r))) / clump
        return found

    while (short := ratio(high) < needed).any() and float(high.max()) < base.LARGEST:
        high = np.where(short, high * 2, high)
    for _ in range(48):
        middle = (low + high) / 2
        enough = ratio(middle) >= needed
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    return np.ceil(high - 1e-6)
