"""What the kernels of `seasonal_nb` read and write: parameters, counts, the state of many series between bins, results.

The baseline is a weekly profile times a level. The profile is the mean of each half-hour of the week, shrunk to that
half-hour of the day, shrunk to the overall mean, so that it is usable from the first hours of a new series and better
each week. The level is the ratio of observed to profile by two exponentially weighted means: the fast one follows a
day that is busier than its weekday, the slow one growth. The variance of a count of mean mu is clump * mu + alpha *
mu^2: people who report twice, and noise that all share (the sum of the first and second kind of negative binomial:
Cameron and Trivedi 1986, "Econometric models based on count data", section 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from detectors.contract import Floats, IncompatibleStateError
from detectors.seasonal.parameters import SeasonalParameters

HORIZONS_S = (60, 120, 180, 300, 600, 900, 1800, 3600)
DAYS_KEPT = 14
OVERALL, FAST, SLOW = range(3)  # of means
X, MU, SHAPE = range(3)  # of ring and sums
SEEN = 2  # of sums: how many bins of each window were observed
HEAD, DAY, SLOT = range(3)  # of clock
CLUMP, ALPHA, UNSURE, KNOWN, RATE = range(5)  # of slot_stats
STORED_AS = {"slot_stats": "slowly"}  # stored states keep the name they were first written with


class Params(NamedTuple):
    """The detector's parameters in the units of its bins.

    keep_*: share of a sum that is left after a bin (after a visit, of the week's and the day's profile). *_s: seconds.
    frozen_bins, guard_bins: bins. windows: lengths in bins, ascending. penalty: nats taken off every ratio. The rest
    are parameters of `SeasonalParameters`. The compiled kernel is cached by the text of its own file only: whoever
    changes the order of fields here must change that file, too.
    """

    shrink_s: float
    keep_week: float
    keep_day: float
    keep_overall: float
    keep_fast: float
    keep_slow: float
    keep_noise: float
    freeze: float
    frozen_bins: float
    warm_up_s: float
    min_ratio: float
    min_count: float
    repeats: float
    talk_weight: float
    talk_prior: float
    news_variance: float
    usual_maximum: float
    prior_clump: float
    prior_dispersion: float
    noise_prior: float
    baseline_error: float
    new_variance: float
    shared_noise: float
    penalty: float
    guard_bins: int
    slot_s: int
    bin_s: int
    windows: npt.NDArray[np.int64]

    @classmethod
    def of(cls, detector: SeasonalParameters, bin_s: int, *, talk: bool) -> Self:
        """Return the parameters for bins of `bin_s` seconds, with or without a talk channel."""
        slot = max(1800, bin_s)
        visits = max(
            1.0, slot / bin_s
        )  # a slot is visited once a week (or day), for so many bins: each decays its share
        bins_a_day = bin_s / 86400
        return cls(
            shrink_s=float(detector.shrink_visits * slot),
            keep_week=0.5 ** (7.0 / detector.week_half_life / visits),
            keep_day=0.5 ** (1.0 / detector.day_half_life / visits),
            keep_overall=0.5 ** (bins_a_day / detector.week_half_life),
            keep_fast=0.5 ** (bins_a_day / detector.fast_half_life),
            keep_slow=0.5 ** (bins_a_day / detector.slow_half_life),
            keep_noise=0.5 ** (bins_a_day / detector.noise_half_life),
            freeze=float(detector.freeze if talk else detector.freeze_alone),
            frozen_bins=float(detector.frozen_hours * 3600 / bin_s),
            warm_up_s=float(max(detector.warm_up_hours * 3600, detector.warm_up_bins * bin_s) * 0.999),
            min_ratio=float(detector.min_ratio),
            min_count=float(detector.min_count),
            repeats=float(detector.repeats),
            talk_weight=float(detector.talk_weight),
            talk_prior=float(detector.talk_prior),
            news_variance=0.0 if talk else float(detector.news_variance),
            usual_maximum=float("inf") if talk else float(detector.usual_maximum),
            prior_clump=float(detector.prior_clump),
            prior_dispersion=float(detector.prior_dispersion),
            noise_prior=float(detector.noise_prior),
            baseline_error=float(detector.baseline_error),
            new_variance=float(detector.new_variance),
            shared_noise=float(detector.shared_noise),
            # the threshold means as many false alarms a week in narrower bins, which are tested more often
            penalty=max(0.0, float(np.log(300 / bin_s))),
            guard_bins=int(detector.guard_minutes * 60 // bin_s),
            slot_s=slot,
            bin_s=bin_s,
            windows=windows_of(bin_s),
        )


class KernelInput(NamedTuple):
    """Bins in order. starts: epoch seconds. counts: (bins, n), NaN = gap. other: the rest of the talk, or (bins, 0)."""

    starts: npt.NDArray[np.int64]
    counts: Floats
    other: Floats


class KernelOutput(NamedTuple):
    """Arrays that a kernel fills.

    expected, score: (bins, n), score NaN = unknown. slot_params: (slots met, 3, n) alpha, clump and burst, which change
    with the slot of the profile only. best_windows: (bins * n, 4) place (bin * n + series), sum, expectation and size
    of the best window wherever a score is above 0; pages that no row touches are never asked of the machine.
    """

    expected: Floats
    score: Floats
    slot_params: Floats
    best_windows: Floats


class KernelState(NamedTuple):
    """Arrays that a kernel changes in place; n series, m columns.

    m = n or, with a talk channel, 2n (the others' talk behind the complaints).

    week, day: (2, slots, m) decayed counts and seconds of exposure. means: (2, 3, m) numerators and denominators of
    the overall rate and the two levels. noise: (5, m) sums of the regression for clump and alpha. ring: (3, depth, m)
    counts, expectations (0 = not observed) and profile of the last bins. sums: (3, windows, m) of ring's first two,
    and bins observed. frozen: bins learning has been stopped for. calm: bins since it last was. empty: bins without
    one report where many were due. slot_stats: (5, m) refreshed once a slot: clump, alpha, how unsure the mean is, how
    much of the level counts, overall rate. daily: (14, n) largest score of each of the last days observed; today: of
    this one, -1 = unseen; days: how many were. burst: the scale those set. clock: place in the ring, number of the day
    and of the slot.
    """

    week: Floats
    day: Floats
    means: Floats
    noise: Floats
    slot_stats: Floats
    ring: Floats
    sums: Floats
    frozen: Floats
    calm: Floats
    empty: Floats
    daily: Floats
    today: Floats
    days: Floats
    burst: Floats
    clock: npt.NDArray[np.int64]

    @classmethod
    def blank(cls, n: int, params: Params, *, talk: bool) -> Self:
        """Return the state of n series that nothing is known of."""
        m = 2 * n if talk else n
        depth = max(int(params.windows.max()), params.guard_bins + 1)
        return cls(
            week=np.zeros((2, 604800 // params.slot_s, m)),
            day=np.zeros((2, max(1, 86400 // params.slot_s), m)),
            means=np.zeros((2, 3, m)),
            noise=np.zeros((5, m)),
            slot_stats=np.zeros((5, m)),
            ring=np.zeros((3, depth, m)),
            sums=np.zeros((3, len(params.windows), m)),
            frozen=np.zeros(n),
            calm=np.full(n, 1e6),
            empty=np.zeros(n),
            daily=np.zeros((DAYS_KEPT, n)),
            today=np.full(n, -1.0),
            days=np.zeros(n),
            burst=np.ones(n),
            clock=np.array([0, -1, -1], dtype=np.int64),
        )

    def to_arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return the arrays by their stored names, in the order they are stored."""
        return {STORED_AS.get(name, name): array for name, array in zip(self._fields, self, strict=True)}

    def fill(self, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take over stored arrays; raises IncompatibleStateError when one is missing or has another shape or type."""
        for name, own in self.to_arrays().items():
            stored = arrays.get(name)
            if stored is None or stored.shape != own.shape or stored.dtype != own.dtype:
                raise IncompatibleStateError(f"the state's {name} does not fit its series")
            own[...] = stored

    def place(
        self, other: KernelState, places: npt.NDArray[np.int64], own: npt.NDArray[np.int64], *, silent: bool
    ) -> None:
        """Put another state's series at `places` (rows of m) and `own` (rows of n) of this one.

        `silent` says that the rest were observed all the while and never counted anything.
        """
        n = len(self.frozen)
        for name, mine, theirs in zip(self._fields, self, other, strict=True):
            if name == "clock":
                mine[:] = theirs
                continue
            known = silent and theirs.shape[-1] > 0
            if known and name in ("week", "day"):
                mine[1] = theirs[1].max(axis=-1, keepdims=True)
            if known and name == "means":  # the levels' are counts, which silence has none of
                mine[1, OVERALL] = theirs[1, OVERALL].max()
            mine[..., own if mine.shape[-1] == n and theirs.shape[-1] == len(own) else places] = theirs


def windows_of(bin_s: int) -> npt.NDArray[np.int64]:
    """Return the window lengths in bins: one minute to one hour, or one and two bins where an hour is less."""
    lengths = {max(1, horizon // bin_s) for horizon in HORIZONS_S} if bin_s < 3600 else {1, 2}
    return np.array(sorted(lengths), dtype=np.int64)
