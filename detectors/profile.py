"""What is normal at this hour: a weekly profile times a two-speed level, with its dispersion, for many series.

The profile is the mean of each half-hour of the week, shrunk to that half-hour of the day, shrunk to the overall
mean, so that it is usable from the first hours of a new series and better each week. Shrinkage weights are seconds
of exposure, which makes them mean the same at every bin width. The level is the ratio of observed to profile by two
exponentially weighted means: the fast one follows a day that is busier than its weekday, the slow one growth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.base import Floats

SLOT = 1800
WEEK = 7 * 86400 // SLOT
DAY = 86400 // SLOT
ALL, FAST, SLOW, DISP = range(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSettings:
    """Half-lives in days, weights in seconds of exposure."""

    week_half_life: float = 21.0
    day_half_life: float = 10.0
    shrink_s: float = 6000.0
    fast_half_life: float = 0.25
    slow_half_life: float = 2.0
    dispersion_half_life: float = 7.0
    prior_dispersion: float = 0.1
    baseline_error: float = 0.02


class Profile:
    """The running profile of `n` series in bins of `bin_s` seconds.

    `week` and `day` have shape (2, slots, n): decayed counts, and seconds of exposure. `means` has shape (2, 4, n):
    numerators and denominators of the overall rate, the fast and the slow level, and the dispersion.
    """

    def __init__(self, n: int, bin_s: int, settings: ProfileSettings) -> None:
        """Start knowing nothing: the expectation is then half a count a day."""
        self.bin_s = bin_s
        self.settings = settings
        self.week: Floats = np.zeros((2, WEEK, n))
        self.day: Floats = np.zeros((2, DAY, n))
        self.means: Floats = np.zeros((2, 4, n))
        # a slot is visited once a week (or day), for `per_slot` bins: each visit decays by its own share
        per_slot = max(1.0, SLOT / bin_s)
        self._week_keep = 0.5 ** (7.0 / settings.week_half_life / per_slot)
        self._day_keep = 0.5 ** (1.0 / settings.day_half_life / per_slot)
        lives = (
            settings.week_half_life,
            settings.fast_half_life,
            settings.slow_half_life,
            settings.dispersion_half_life,
        )
        self._means_keep = np.array([0.5 ** (bin_s / 86400 / life) for life in lives])[:, None]

    def exposure(self) -> Floats:
        """Return the seconds each series was observed, older ones counting less."""
        exposure: Floats = self.means[1, ALL]
        return exposure

    def _slot(self, slot: int, overall: Floats) -> Floats:
        """Return the rate per second in a slot of the week, shrunk to the day's, shrunk to the overall."""
        k = self.settings.shrink_s
        day = self.day[:, slot % DAY]
        week = self.week[:, slot % WEEK]
        shrunk: Floats = (week[0] + k * (day[0] + k * overall) / (day[1] + k)) / (week[1] + k)
        return shrunk

    def shape(self, start: int) -> Floats:
        """Return the profile's expected count in the bin that starts at `start` (seconds of the epoch), level 1."""
        overall = (self.means[0, ALL] + 0.5) / (self.means[1, ALL] + 86400.0)
        if self.bin_s >= 86400:
            whole: Floats = overall * self.bin_s
            return whole
        # the epoch was a Thursday; a week of slots may begin on any day as long as it always does
        position = (start + self.bin_s / 2) / SLOT - 0.5
        low = int(position // 1)
        share = position - low
        between: Floats = (1 - share) * self._slot(low, overall) + share * self._slot(low + 1, overall)
        return between * self.bin_s

    def level(self) -> Floats:
        """Return observed over profile lately: the fast mean, held near the slow one."""
        # two counts' worth of prior keep a sparse series from chasing single reports
        slow = np.minimum(np.maximum((self.means[0, SLOW] + 2.0) / (self.means[1, SLOW] + 2.0), 0.3), 5.0)
        fast = (self.means[0, FAST] + 2.0 * slow) / (self.means[1, FAST] + 2.0)
        level: Floats = np.minimum(np.maximum(fast, 0.6 * slow), 1.7 * slow)
        return level

    def dispersion(self) -> Floats:
        """Return 1/r of the negative binomial: excess variance over the squared mean, shrunk to a prior."""
        weight = 50.0
        alpha = (self.means[0, DISP] + weight * self.settings.prior_dispersion) / (self.means[1, DISP] + weight)
        shrunk: Floats = np.minimum(np.maximum(alpha, 0.001), 1.0) + self.settings.baseline_error
        return shrunk

    def learn(
        self, start: int, shape: Floats, mu: Floats, alpha: Floats, counts: Floats, mask: npt.NDArray[np.bool_]
    ) -> None:
        """Take a bin in for the series in `mask`, its counts cut at two standard deviations above expectation."""
        x = np.minimum(counts, mu + 2.0 * np.sqrt(mu + alpha * mu * mu) + 1.0)
        slot = start // SLOT
        wide = max(1, self.bin_s // SLOT)
        taken = np.stack((x, np.full_like(x, self.bin_s))) / wide
        for one in range(slot, slot + wide):
            for table, size, keep in ((self.week, WEEK, self._week_keep), (self.day, DAY, self._day_keep)):
                cell = table[:, one % size]
                cell[:] = np.where(mask, cell * keep + taken, cell)
        off = x - mu
        fresh = np.array((
            (x, x, x, off * off - mu),
            (np.full_like(x, self.bin_s), shape, shape, mu * mu),
        ))  # fmt: skip
        self.means = np.where(mask, self.means * self._means_keep + fresh, self.means)

    def widened(self, n: int, places: npt.NDArray[np.int64], *, silent: bool) -> Profile:
        """Return a profile of `n` series; those known go to `places`, the others start anew.

        `silent` says that the new series were observed all the while and never counted anything.
        """
        wide = Profile(n, self.bin_s, self.settings)
        for name in ("week", "day", "means"):
            old, new = getattr(self, name), getattr(wide, name)
            if silent and old.shape[2]:
                new[1] = old[1].max(axis=-1, keepdims=True)
            new[:, :, places] = old
        return wide
