"""What `seasonal_nb` remembers of many series between bins, in arrays whose last axis is the series.

The baseline is a weekly profile times a level. The profile is the mean of each half-hour of the week, shrunk to that
half-hour of the day, shrunk to the overall mean, so that it is usable from the first hours of a new series and better
each week. The level is the ratio of observed to profile by two exponentially weighted means: the fast one follows a
day that is busier than its weekday, the slow one growth. The variance of a count of mean mu is clump * mu + alpha *
mu^2: people who report twice, and noise that all share (the sum of the first and second kind of negative binomial:
Cameron and Trivedi 1986, "Econometric models based on count data", section 3).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from detectors.base import Floats

if TYPE_CHECKING:
    from detectors.seasonal.detector import SeasonalNB

HORIZONS_S = (60, 120, 180, 300, 600, 900, 1800, 3600)
DAYS_KEPT = 14
OVERALL, FAST, SLOW = range(3)
X, MU, SHAPE = range(3)
SEEN = 2  # of the window sums: how many bins of each were observed
HEAD, DAY, TURN = range(3)
CLUMP, ALPHA, UNSURE, KNOWN, RATE = range(5)
# parameters as the kernels read them, by position
(
    SHRINK,
    KEEP_WEEK,
    KEEP_DAY,
    KEEP_OVERALL,
    KEEP_FAST,
    KEEP_SLOW,
    KEEP_NOISE,
    FREEZE,
    FROZEN_BINS,
    WARM_UP_S,
    MIN_RATIO,
    MIN_COUNT,
    TALK_WEIGHT,
    TALK_PRIOR,
    NEWS,
    BURST,
    PRIOR_CLUMP,
    PRIOR_ALPHA,
    NOISE_PRIOR,
    BASELINE_ERROR,
    NEW,
    PENALTY,
    GUARD,
    SLOT,
    BIN,
    SHARED,
    REPEATS,
) = range(27)


@dataclass(slots=True, kw_only=True)
class Memory:
    """The arrays; n series, m = n or, with a talk channel, 2n (the others' talk behind the complaints).

    week, day: (2, slots, m) decayed counts and seconds of exposure. means: (2, 3, m) numerators and denominators of
    the overall rate and the two levels. noise: (5, m) sums of the regression for clump and alpha. ring: (3, depth, m)
    counts, expectations (0 = not observed) and profile of the last bins. sums: (3, windows, m) of ring's first two, and bins observed.
    frozen: bins learning has been stopped for. calm: bins since it last was. empty: bins without one report where
    many were due. slowly: (5, m) what is worked out once a slot: clump, alpha, how unsure the mean is, how much of the level
    counts, overall rate. daily: (14, n) largest score of each of the last days observed; today: of this one, -1 = unseen;
    days: how many were. burst: the scale those set. clock: place in the ring, day and slot number.
    """

    week: Floats
    day: Floats
    means: Floats
    noise: Floats
    slowly: Floats
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
    def blank(cls, n: int, talk: bool, bin_s: int, windows: npt.NDArray[np.int64], guard: int) -> Memory:
        """Return the memory of series nothing is known of."""
        m = 2 * n if talk else n
        slot = max(1800, bin_s)
        depth = max(int(windows.max()), guard + 1)
        return cls(
            week=np.zeros((2, 604800 // slot, m)),
            day=np.zeros((2, max(1, 86400 // slot), m)),
            means=np.zeros((2, 3, m)),
            noise=np.zeros((5, m)),
            slowly=np.zeros((5, m)),
            ring=np.zeros((3, depth, m)),
            sums=np.zeros((3, len(windows), m)),
            frozen=np.zeros(n),
            calm=np.full(n, 1e6),
            empty=np.zeros(n),
            daily=np.zeros((DAYS_KEPT, n)),
            today=np.full(n, -1.0),
            days=np.zeros(n),
            burst=np.ones(n),
            clock=np.array([0, -1, -1], dtype=np.int64),
        )

    def arrays(self) -> dict[str, npt.NDArray[np.float64] | npt.NDArray[np.int64]]:
        """Return the arrays by name, in the order they are stored."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def place(self, other: Memory, places: npt.NDArray[np.int64], own: npt.NDArray[np.int64], *, silent: bool) -> None:
        """Put another memory's series at `places` (rows of m) and `own` (rows of n) of this one.

        `silent` says that the rest were observed all the while and never counted anything.
        """
        for name, mine in self.arrays().items():
            theirs = getattr(other, name)
            if name == "clock":
                mine[:] = theirs
                continue
            known = silent and theirs.shape[-1] > 0
            if known and name in ("week", "day"):
                mine[1] = theirs[1].max(axis=-1, keepdims=True)
            if known and name == "means":  # the levels' are counts, which silence has none of
                mine[1, OVERALL] = theirs[1, OVERALL].max()
            mine[..., own if mine.shape[-1] == len(self.frozen) and theirs.shape[-1] == len(own) else places] = theirs


def windows_of(bin_s: int) -> npt.NDArray[np.int64]:
    """Return the window lengths in bins: one minute to one hour, or one and two bins where an hour is less."""
    lengths = {max(1, horizon // bin_s) for horizon in HORIZONS_S} if bin_s < 3600 else {1, 2}
    return np.array(sorted(lengths), dtype=np.int64)


def parameters(d: SeasonalNB, bin_s: int, *, talk: bool) -> Floats:
    """Return the detector's parameters in the units of its bins, as the kernels read them."""
    slot = max(1800, bin_s)
    visits = max(1.0, slot / bin_s)  # a slot is visited once a week (or day), for so many bins: each decays its share
    p = np.zeros(27)
    p[SHRINK] = d.shrink_visits * slot
    p[KEEP_WEEK] = 0.5 ** (7.0 / d.week_half_life / visits)
    p[KEEP_DAY] = 0.5 ** (1.0 / d.day_half_life / visits)
    lives = (d.week_half_life, d.fast_half_life, d.slow_half_life, d.noise_half_life)
    for place, life in zip((KEEP_OVERALL, KEEP_FAST, KEEP_SLOW, KEEP_NOISE), lives, strict=True):
        p[place] = 0.5 ** (bin_s / 86400 / life)
    p[FREEZE] = d.freeze if talk else d.freeze_alone
    p[FROZEN_BINS] = d.frozen_hours * 3600 / bin_s
    p[WARM_UP_S] = max(d.warm_up_hours * 3600, d.warm_up_bins * bin_s) * 0.999
    p[MIN_RATIO], p[MIN_COUNT], p[REPEATS] = d.min_ratio, d.min_count, d.repeats
    p[TALK_WEIGHT], p[TALK_PRIOR] = d.talk_weight, d.talk_prior
    p[NEWS], p[BURST] = (0.0, np.inf) if talk else (d.news_variance, d.usual_maximum)
    p[PRIOR_CLUMP], p[PRIOR_ALPHA], p[NOISE_PRIOR] = d.prior_clump, d.prior_dispersion, d.noise_prior
    p[BASELINE_ERROR], p[NEW] = d.baseline_error, d.new_variance
    # the threshold means as many false alarms a week in narrower bins, which are tested more often
    p[PENALTY] = max(0.0, np.log(300 / bin_s))
    p[GUARD], p[SLOT], p[BIN], p[SHARED] = int(d.guard_minutes * 60 // bin_s), slot, bin_s, d.shared_noise
    return p
