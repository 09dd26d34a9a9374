"""Upper bounds and probabilities of bins that `seasonal_nb` has judged, worked out when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.contract import Floats
from detectors.seasonal.compiled import ScanFigures
from detectors.seasonal.parameters import SeasonalParameters
from detectors.validation import LARGEST

MOST_STEPS = 48
CLOSE = 1e-10  # of a count: the last of Newton's steps is shorter


@dataclass(frozen=True, kw_only=True, slots=True)
class TailFigures:
    """What they are worked out from. slots: place in `slot_params` of each bin. penalty: nats taken off every ratio."""

    detector: SeasonalParameters
    penalty: float
    slots: npt.NDArray[np.int64]
    figures: ScanFigures

    def upper_bounds(self) -> Floats:
        """Return the smallest count of each bin alone that would alarm, shape (bins, series)."""
        dispersion, clump, burst = (self.figures.slot_params[self.slots, :, part] for part in range(3))
        needed = self.detector.alarm * burst + self.penalty
        return upper_bound(self.figures.expected.T, 1.0 / dispersion, clump, needed, self.detector)

    def p_values(self) -> Floats:
        """Return the probability of at least the best window's sum, 1 where no window passes its gates."""
        score = self.figures.score
        p = np.where(np.isnan(score), np.nan, 1.0)
        if not len(self.figures.best_windows):
            return p.T
        from scipy.special import betainc

        place, x, m, size = self.figures.best_windows.T
        at = place.astype(np.int64)
        series, bins = np.divmod(at, score.shape[1])
        clump = self.figures.slot_params[self.slots[bins], series, 1]
        p[series, bins] = betainc(x / clump, size, m / (m + size * clump))
        return p.T


def upper_bound(mu: Floats, size: Floats, clump: Floats, needed: Floats, detector: SeasonalParameters) -> Floats:
    """Return the smallest count of one bin alone whose likelihood ratio is the one needed and that passes the gates."""
    mu = np.maximum(mu, 1e-9)
    r = size * clump
    low = np.maximum(detector.min_count * (1.0 + detector.repeats * (clump - 1.0)), detector.min_ratio * mu)
    high = low + 4 * needed * clump + 20 * mu + 20

    def ratio_and_slope(x: Floats) -> tuple[Floats, Floats]:
        slope: Floats = np.log(x / mu * ((mu + r) / (x + r)))
        return (x * slope - r * np.log((x + r) / (mu + r))) / clump, slope / clump

    while (short := ratio_and_slope(high)[0] < needed).any() and float(high.max()) < LARGEST:
        high = np.where(short, high * 2, high)
    # Newton's method: the ratio is convex, so that from above the steps never pass the count that is looked for
    x = high
    for _ in range(MOST_STEPS):
        ratio, slope = ratio_and_slope(x)
        nearer = np.clip(x - (ratio - needed) / slope, low, high)
        arrived = not (np.abs(x - nearer) > CLOSE * x).any()
        x = nearer
        if arrived:
            break
    return np.ceil(x - 1e-6)
