"""Robust z-score over the last day: median and median absolute deviation of variance-stabilised counts.

The median and the MAD over a trailing day (Rousseeuw and Croux 1993, "Alternatives to the median absolute deviation",
section 1) of Anscombe's transform are not moved by a short outage. No season: the plainest rival. The score is z
squared over two, the log likelihood ratio of a shift in a normal mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.contract import Floats
from detectors.rolling.base import RollingDetector, anscombe, normal_p_value, normal_score
from detectors.validation import detector_id


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustZ(RollingDetector):
    """Thresholds in nats; window and warm-up in hours. Refitted for each bin, without mentions."""

    alarm: float = 18.0
    strong: float = 32.0
    window_hours: float = 24.0
    warm_up_hours: float = 6.0
    min_count: float = 4.0

    def __repr__(self) -> str:
        """Return what is stored with a verdict."""
        return detector_id(self, self.version)

    def fit_window(self, past: Floats, start: int, bin_s: int) -> tuple[Floats, Floats]:
        """Return median and MAD of the transformed counts; the scale is never below the one of a Poisson count."""
        need = min(len(past), max(3, int(self.warm_up_hours * 3600 / bin_s)))
        # NaN sorts last: the middle of those observed is found by their number
        ordered, seen = np.sort(anscombe(past), axis=0), (~np.isnan(past)).sum(axis=0)
        location = _middle(ordered, seen)
        scale = 1.4826 * _middle(np.sort(np.abs(ordered - location), axis=0), seen)
        enough = seen >= need
        return np.where(enough, location, np.nan), np.where(enough, np.maximum(1.0, scale), np.nan)

    def score(self, counts: Floats, location: Floats, scale: Floats) -> Floats:
        """Return z^2/2; too few reports score nothing."""
        score = normal_score((anscombe(counts) - location) / scale)
        return np.where(counts < self.min_count, score * 0.0, score)

    def expected(self, location: Floats, scale: Floats) -> Floats:
        """Return the median as a count."""
        counts: Floats = np.maximum(0.0, (location / 2.0) ** 2 - 0.375)
        return counts

    def upper_bound(self, location: Floats, scale: Floats) -> Floats:
        """Return the count whose z reaches the threshold."""
        bound: Floats = np.ceil(((location + scale * np.sqrt(2.0 * self.alarm)) / 2.0) ** 2 - 0.375)
        return np.maximum(self.min_count, bound)

    def p_value(self, counts: Floats, location: Floats, scale: Floats) -> Floats:
        """Return the normal tail of z."""
        return normal_p_value((anscombe(counts) - location) / scale)


def _middle(ordered: Floats, seen: npt.NDArray[np.int64]) -> Floats:
    """Return the median of the first `seen` rows of each column."""
    columns, last = np.arange(ordered.shape[1]), np.maximum(seen - 1, 0)
    middle: Floats = 0.5 * (ordered[last // 2, columns] + ordered[np.maximum(seen, 1) // 2 * (seen > 1), columns])
    return middle
