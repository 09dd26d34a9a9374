"""EARS C2: how many standard deviations above the mean of the last hours, with a guard band of two bins.

Hutwagner, Thompson, Seeman and Treadwell 2003, "The bioterrorism preparedness and response Early Aberration Reporting
System (EARS)", methods, with hours for days. The best single-channel rule of the ones compared here before; no
season, so that a busy morning looks like news. The standard deviation is never taken as below one report.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.contract import Floats
from detectors.rolling.base import RollingDetector, normal_p_value, normal_score
from detectors.validation import detector_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Ears(RollingDetector):
    """Thresholds in nats (z squared over two); window in hours, guard in bins. Refitted each bin, without mentions."""

    alarm: float = 32.0
    strong: float = 72.0
    window_hours: float = 3.0
    guard_bins: int = 2
    min_sigma: float = 1.0

    def __repr__(self) -> str:
        """Return what is stored with a verdict."""
        return detector_id(self, self.version)

    def window_bins(self, bin_s: int) -> int:
        """Return window and guard in bins; never fewer than seven and the guard, as in the paper."""
        return max(7, int(self.window_hours * 3600 // bin_s)) + self.guard_bins

    def fit_window(self, past: Floats, start: int, bin_s: int) -> tuple[Floats, Floats]:
        """Return mean and standard deviation of the window before the guard; unknown when half of it is unseen."""
        window = past[: len(past) - self.guard_bins]
        seen = (~np.isnan(window)).sum(axis=0)
        mean = np.nansum(window, axis=0) / np.maximum(seen, 1)
        square = np.nansum((window - mean) ** 2, axis=0) / np.maximum(seen - 1, 1)
        enough = 2 * seen >= len(window)
        return np.where(enough, mean, np.nan), np.where(enough, np.maximum(np.sqrt(square), self.min_sigma), np.nan)

    def score(self, counts: Floats, location: Floats, scale: Floats) -> Floats:
        """Return z^2/2."""
        return normal_score((counts - location) / scale)

    def upper_bound(self, location: Floats, scale: Floats) -> Floats:
        """Return the count whose z reaches the threshold."""
        bound: Floats = np.ceil(location + scale * np.sqrt(2.0 * self.alarm))
        return bound

    def p_value(self, counts: Floats, location: Floats, scale: Floats) -> Floats:
        """Return the normal tail of z."""
        return normal_p_value((counts - location) / scale)
