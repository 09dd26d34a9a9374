"""Farrington's regression with Noufaily's reweighting: a quasi-Poisson GLM of the past, refitted at 00:00 UTC.

Farrington, Andrews, Beale and Catchpole 1996, "A statistical algorithm for the early detection of outbreaks of
infectious disease", section 3; Noufaily et al. 2013, "An improved algorithm for outbreak detection in multiple
surveillance systems", sections 3.2 (weights: Anscombe residuals above 2.58 are weighted down), 3.3 (periods of the
season as factors, here of the day, with weekends) and 3.5 (negative-binomial upper bound). Fitted on hourly sums.
Past outages are left out, which the paper's single round of weights does not do: one of them would raise the bound for
as long as it is in the window.
The score is the exceedance score of section 3.6, (observed - expected) / (upper bound - expected): 1 is the alarm.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from detectors import VERSIONS
from detectors.contract import Floats
from detectors.rolling.base import RollingDetector, whole_hours
from detectors.validation import detector_id

OUTBREAK = 12.0  # robust deviations from which a past count is left out of the fit
LARGE = 1e9  # mean or dispersion from which the negative binomial is taken for its limit, the gamma distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Farrington(RollingDetector):
    """Thresholds as exceedance scores; `quantile` sets the bound; window in hours, periods of the day in number.

    Refitted once a day, without mentions.
    """

    version: ClassVar[int] = VERSIONS["farrington"]
    daily: ClassVar[bool] = True
    alarm: float = 1.0
    strong: float = 2.0
    window_hours: float = 28 * 24.0
    periods: int = 12
    quantile: float = 0.99999
    min_count: float = 4.0

    def __repr__(self) -> str:
        """Return what is stored with a verdict."""
        return detector_id(self, self.version)

    @staticmethod
    def is_available() -> bool:
        """Return whether the library that fits the regression is installed."""
        return find_spec("statsmodels") is not None

    def fit_window(self, past: Floats, start: int, bin_s: int) -> tuple[Floats, Floats]:
        """Return the expectation of each bin of the coming day, and how far above it the bound lies."""
        rates, wide = whole_hours(past, bin_s)
        times = start - wide * np.arange(len(rates), 0, -1)
        per_day = max(1, 86400 // bin_s)
        coming = start + bin_s * np.arange(per_day)
        design, ahead = self._design(times, start), self._design(coming, start)
        location = np.full((per_day, past.shape[1]), np.nan)
        bound = location.copy()
        for j in range(past.shape[1]):
            seen = np.isfinite(rates[:, j])
            if seen.sum() * wide < 86400:
                continue
            mean, dispersion = _fitted(rates[seen, j] * wide, design[seen], ahead)
            mu = np.maximum(mean * bin_s / wide, 1e-6)
            location[:, j] = mu
            bound[:, j] = count_quantile(self.quantile, mu, dispersion)
        return location, np.maximum(bound, self.min_count) - location

    def _design(self, times: npt.NDArray[np.int64], start: int) -> Floats:
        """Return intercept, periods of the day, weekend and weeks before `start`."""
        period = (times % 86400 * self.periods // 86400).astype(int)
        weekend = (times // 86400 + 3) % 7 >= 5  # the epoch was a Thursday
        columns = [
            np.ones(len(times)),
            *(period == k for k in range(1, self.periods)),
            weekend,
            (times - start) / 604800,
        ]
        return np.column_stack(columns).astype(np.float64)

    def score(self, counts: Floats, location: Floats, scale: Floats) -> Floats:
        """Return the exceedance score, at least 0; too few reports score nothing."""
        score = np.maximum(0.0, (counts - location) / np.maximum(scale, 1e-9))
        return np.where(counts < self.min_count, score * 0.0, score)

    def upper_bound(self, location: Floats, scale: Floats) -> Floats:
        """Return the count whose exceedance score is the threshold."""
        return np.maximum(self.min_count, np.ceil(location + self.alarm * scale))

    def p_value(self, counts: Floats, location: Floats, scale: Floats) -> Floats:
        """Return the Poisson tail at the expectation, which is an upper estimate of how sure the rule is."""
        from scipy.special import gammainc

        return np.where(counts > 0, gammainc(np.maximum(counts, 1.0), location), 1.0 + 0.0 * location * counts)


def count_quantile(quantile: float, mean: Floats, dispersion: float) -> Floats:
    """Return the quantile of counts of a mean, and of a variance of `dispersion` times it.

    SciPy's quantile of large negative binomial counts does not end, or ends the process; the gamma distribution of the
    same mean and variance has the same quantile there.
    """
    from scipy.special import gammaincinv
    from scipy.stats import nbinom

    large = mean > LARGE if dispersion < LARGE else np.ones(len(mean), dtype=bool)
    found = dispersion * gammaincinv(np.maximum(mean / dispersion, 1e-12), quantile)
    small = mean[~large]
    found[~large] = nbinom.ppf(quantile, small / max(dispersion - 1.0, 1e-3), 1.0 / max(dispersion, 1.001))
    return np.asarray(found, dtype=np.float64)


def _outbreak(y: Floats, mu: Floats) -> npt.NDArray[np.bool_]:
    """Return which counts lie so far above the fit that no weight keeps them from deciding the dispersion.

    Measured in robust deviations, at least one, of Anscombe's residuals without a dispersion.
    """
    residual = 1.5 * (y ** (2 / 3) - mu ** (2 / 3)) / mu ** (1 / 6)
    spread = max(1.0, 1.4826 * float(np.median(np.abs(residual - np.median(residual)))))
    return np.asarray(residual > OUTBREAK * spread)


def _fitted(y: Floats, design: Floats, ahead: Floats) -> tuple[Floats, float]:
    """Return the forecast and the dispersion after one round of reweighting; the mean alone where the GLM fails."""
    import statsmodels.api as sm

    used = [k for k in range(design.shape[1]) if k == 0 or np.ptp(design[:, k]) > 0]
    if np.ptp(design[:, -1]) < 1.0:  # less than a week has no trend to speak of
        used = [k for k in used if k != design.shape[1] - 1]
    if y.sum() <= len(used):
        return np.full(len(ahead), y.mean()), 1.0
    weights = np.ones(len(y))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a period without a report has no finite effect: its forecast is then 0
        try:
            for _ in range(2):
                fit = sm.GLM(y, design[:, used], family=sm.families.Poisson(), freq_weights=weights).fit(maxiter=25)
                mu = np.maximum(fit.fittedvalues, 1e-9)
                dispersion = max(1.0, float((weights * (y - mu) ** 2 / mu).sum() / max(1.0, len(y) - len(used))))
                free = np.maximum(1.0 - fit.get_hat_matrix_diag(), 1e-9)  # a period seen once is fitted exactly
                residual = 1.5 * (y ** (2 / 3) - mu ** (2 / 3)) / (mu ** (1 / 6) * np.sqrt(dispersion * free))
                weights = np.where(residual > 2.58, np.maximum(residual, 1.0) ** -2.0, 1.0)
                weights *= len(y) / weights.sum()
            outbreak = _outbreak(y, mu)
            if outbreak.any():
                return _fitted(y[~outbreak], design[~outbreak], ahead)
            forecast: Floats = np.clip(fit.predict(ahead[:, used]), 0.0, 10.0 * max(1.0, float(y.max())))
        except (np.linalg.LinAlgError, ValueError):
            return np.full(len(ahead), y.mean()), max(1.0, float(y.var() / max(y.mean(), 1e-9)))
    return forecast, dispersion
