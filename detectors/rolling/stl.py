"""STL residual: season and trend by loess, refitted at 00:00 UTC on two weeks and carried forward a day.

Cleveland, Cleveland, McRae and Terpenning 1990, "STL: a seasonal-trend decomposition procedure based on loess",
section 2, by statsmodels, on half-hours of Anscombe-transformed rates. Three silent failures of the procedure are met:
one NaN would make all of it NaN (filled with the median of that time of day first), fewer than two days have no season
(unknown), and a spike inside the window would be taken for season (cut at three robust deviations first). The score
is z squared over two of the residual.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from detectors.contract import Floats
from detectors.rolling.base import RollingDetector, anscombe, normal_p_value, normal_score, whole_hours
from detectors.validation import detector_id

HALF_HOUR = 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class Stl(RollingDetector):
    """Thresholds in nats; window in hours. Refitted once a day, without mentions."""

    daily: ClassVar[bool] = True
    alarm: float = 32.0
    strong: float = 72.0
    window_hours: float = 14 * 24.0
    min_count: float = 4.0

    def __repr__(self) -> str:
        """Return what is stored with a verdict."""
        return detector_id(self, self.version)

    def fit_window(self, past: Floats, start: int, bin_s: int) -> tuple[Floats, Floats]:
        """Return the transformed expectation of each bin of the coming day, and the residual's robust deviation."""
        rates, wide = whole_hours(past, bin_s, HALF_HOUR)
        period, per_day = max(1, 86400 // wide), max(1, 86400 // bin_s)
        location = np.full((per_day, past.shape[1]), np.nan)
        scale = location.copy()
        at = (np.arange(per_day) * bin_s // wide) % period
        for j in range(past.shape[1]):
            line = anscombe(rates[:, j] * bin_s)
            first = int(np.argmax(np.isfinite(line)))
            line = line[first + (len(line) - first) % period :]
            if len(line) < 2 * period or period < 2 or 2 * np.isfinite(line).sum() < len(line):
                continue
            season, trend, deviation = _decompose(line, period)
            location[:, j] = (season[-period:] + trend[-1])[at]
            scale[:, j] = max(1.0, deviation)
        return location, scale

    def score(self, counts: Floats, location: Floats, scale: Floats) -> Floats:
        """Return z^2/2; too few reports score nothing."""
        score = normal_score((anscombe(counts) - location) / scale)
        return np.where(counts < self.min_count, score * 0.0, score)

    def expected(self, location: Floats, scale: Floats) -> Floats:
        """Return season and trend as counts."""
        counts: Floats = np.maximum(0.0, (location / 2.0) ** 2 - 0.375)
        return counts

    def upper_bound(self, location: Floats, scale: Floats) -> Floats:
        """Return the count whose residual reaches the threshold."""
        bound: Floats = np.ceil((np.maximum(0.0, location + scale * np.sqrt(2.0 * self.alarm)) / 2.0) ** 2 - 0.375)
        return np.maximum(self.min_count, bound)

    def p_value(self, counts: Floats, location: Floats, scale: Floats) -> Floats:
        """Return the normal tail of the residual."""
        return normal_p_value((anscombe(counts) - location) / scale)


class _Decomposition(NamedTuple):
    """Season and trend, of the shape of the line, and the robust deviation of what they leave."""

    season: Floats
    trend: Floats
    deviation: float


def _decompose(line: Floats, period: int) -> _Decomposition:
    """Return the decomposition of a line with gaps and spikes; `period` is the length of the season in its values."""
    from statsmodels.tsa.seasonal import STL

    days = line.reshape(-1, period)
    usual = np.nanmedian(days) if np.isfinite(days).all() else np.nanmedian(line)
    hours = np.array([np.nanmedian(column) if np.isfinite(column).any() else usual for column in days.T])
    filled = np.where(np.isfinite(days), days, hours)
    off = filled - hours
    width = max(1.0, 1.4826 * float(np.median(np.abs(off))))
    calm = (hours + np.clip(off, -3 * width, 3 * width)).ravel()
    fit = STL(
        calm, period=period, seasonal=7, seasonal_jump=3, trend_jump=period // 4 or 1, low_pass_jump=period // 4 or 1
    ).fit()
    rest = filled.ravel() - fit.seasonal - fit.trend
    return _Decomposition(fit.seasonal, fit.trend, 1.4826 * float(np.median(np.abs(rest))))
