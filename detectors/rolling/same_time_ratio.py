"""The ratio to what was reported at the same time of day: what a public complaint site shows as its baseline.

Downdetector describes its baseline as the mean number of reports at that time of day (its methodology page); here the
mean of the same time of the week over the last weeks, and of the same time of day until there is a week. Refitted at
00:00 UTC. The score is the natural log of the ratio, with one report added to both sides: no likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from detectors.contract import Floats
from detectors.rolling.base import RollingDetector
from detectors.validation import detector_id


@dataclass(frozen=True, slots=True, kw_only=True)
class SameTimeRatio(RollingDetector):
    """Thresholds as natural logs of ratios (1.4 = four times); window in hours. Refitted daily, without mentions."""

    daily: ClassVar[bool] = True
    alarm: float = 1.4
    strong: float = 2.3
    window_hours: float = 4 * 168.0
    smooth_minutes: float = 30.0
    min_count: float = 4.0

    def __repr__(self) -> str:
        """Return what is stored with a verdict."""
        return detector_id(self, self.version)

    def fit_window(self, past: Floats, start: int, bin_s: int) -> tuple[Floats, Floats]:
        """Return the mean at each bin of the day, smoothed over half an hour, and the number of days it is of."""
        per_day = max(1, 86400 // bin_s)
        days = np.concatenate((np.full((-len(past) % per_day, past.shape[1]), np.nan), past)).reshape(
            -1, per_day, past.shape[1]
        )
        same = days[::-1][6::7]
        chosen = np.where(np.isfinite(same).any(axis=(0, 1)), _mean(same), _mean(days))
        reach = max(1, int(self.smooth_minutes * 60 // bin_s)) // 2
        rolled = [np.roll(chosen, shift, axis=0) for shift in range(-reach, reach + 1)]
        return _mean(np.stack(rolled)), np.broadcast_to(
            np.isfinite(days).any(axis=1).sum(axis=0) * 1.0, chosen.shape
        ).copy()

    def score(self, counts: Floats, location: Floats, scale: Floats) -> Floats:
        """Return the log ratio, at least 0; too few reports score nothing."""
        score = np.maximum(0.0, np.log((counts + 1.0) / (location + 1.0)))
        return np.where(counts < self.min_count, score * 0.0, score)

    def upper_bound(self, location: Floats, scale: Floats) -> Floats:
        """Return the count whose ratio reaches the threshold."""
        bound: Floats = np.maximum(self.min_count, np.ceil((location + 1.0) * np.exp(self.alarm) - 1.0))
        return bound

    def p_value(self, counts: Floats, location: Floats, scale: Floats) -> Floats:
        """Return the Poisson tail at the baseline, which the rule itself does not look at."""
        from scipy.special import gammainc

        return np.where(counts > 0, gammainc(np.maximum(counts, 1.0), location), 1.0 + 0.0 * location * counts)


def _mean(days: Floats) -> Floats:
    """Return the mean over the first axis of what was observed, NaN where nothing was."""
    seen = np.isfinite(days).sum(axis=0)
    mean: Floats = np.where(seen > 0, np.nansum(days, axis=0) / np.maximum(seen, 1), np.nan)
    return mean
