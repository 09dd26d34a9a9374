"""The rolling detectors against figures printed by R, on short series written out here.

R 4.2.2 with surveillance 1.20.3 (`earsC`, `farringtonFlexible`) and stats (`stl`). Each test quotes its R call. R is
not needed to run the tests: its figures are stored in them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from detectors.contract import Verdicts
from detectors.registry import DETECTORS

MONDAY = "2026-02-16"
EXACT = 1e-9  # relative: closed formulas, and the same smoother on the same points
FITTED = 3e-5  # relative: two solvers of the same regression, R's stopping at a relative deviance change of 1e-8
Z = 3.090232306167813  # qnorm(1 - 0.001), R's default for EARS


def detected(name: str, values: npt.ArrayLike, freq: str, **parameters: float) -> Verdicts:
    """Judge one series that begins on a Monday at 00:00 UTC."""
    counts = np.asarray(values, dtype=np.float64)
    index = pd.date_range(MONDAY, periods=len(counts), freq=freq, tz="UTC")
    return DETECTORS[name](**parameters).detect(pd.DataFrame({"s": counts}, index=index))


def column(verdicts: Verdicts, field: str) -> npt.NDArray[np.float64]:
    values: npt.NDArray[np.float64] = getattr(verdicts, field)["s"].to_numpy(dtype=np.float64)
    return values


def figures(printed: str) -> npt.NDArray[np.float64]:
    """Read figures as R prints them."""
    return np.array(printed.split(), dtype=np.float64)


# Two outlying counts in a row, the 17th and the 18th: the guard band of two bins keeps them out of the window until the
# third bin after each.
EARS_COUNTS = figures("3 5 4 6 2 4 5 3 7 4 5 6 3 4 2 5 30 28 6 4 5 3 2 4 6 5 4 3 5 4")

# library(surveillance); y <- c(3, 5, 4, ..., 4)  # EARS_COUNTS
# s <- earsC(sts(y), control = list(method = "C2", baseline = 7, minSigma = 1, alpha = 0.001))  # then baseline = 12
# upperbound(s); which(alarms(s)) + baseline + 2
EARS_UPPER = {
    7: figures("""
        8.29979258017817  8.29979258017817  9.73836119114414  9.73836119114414  9.24111022938012  9.01407829446389
        9.33735508320128  9.24342067173580  9.73836119114414  8.29979258017817 38.31480499455350 49.09230947667163
       49.09230947667163 48.91024064124411 48.76190068397840 48.51907891856669 49.09230947667163 35.74298930207652
        8.90878365462985  8.29979258017817  8.29979258017817"""),
    12: figures("""
        8.96846853203762  8.96846853203762  8.87703280122783  9.20226654900976  8.88707448600399 29.75620297486606
       38.41741863100647 38.41235870992851 38.34615998981335 38.33023801254407 38.39085808218275 38.55434780214098
       38.56334765657829 38.50287066489913 38.47720155603021 38.33023801254407"""),
}

# y <- c(4, 4, 5, ..., 4)  # QUIET_COUNTS
# earsC(sts(y), control = list(method = "C2", baseline = 7, minSigma = 1, alpha = 0.001)) raises no alarm; with
# minSigma = 0 it raises one at the 11th count, 7, against an upper bound of 5.79359325222283
QUIET_COUNTS = figures("4 4 5 4 4 4 5 4 4 4 7 4 4 5 4")
QUIET_UPPER = figures("7.37594659188210 7.37594659188210 7.37594659188210 7.23308944902496 8.07542264665899")


def ears_upper(counts: npt.NDArray[np.float64], baseline: int, at: int, **parameters: float) -> float:
    """Return mean + Z standard deviations for one bin, unrounded, from the score of a large count there."""
    one = detected("ears", [*counts[:at], 1000.0], "1h", window_hours=baseline, **parameters)
    expected, score = column(one, "expected")[-1], column(one, "score")[-1]
    return float(expected + Z * (1000.0 - expected) / np.sqrt(2.0 * score))


@pytest.mark.parametrize("baseline", [7, 12])
def test_ears_c2_has_the_upper_bounds_and_alarms_of_r(baseline: int) -> None:
    printed, first = EARS_UPPER[baseline], baseline + 2
    ours = [ears_upper(EARS_COUNTS, baseline, at) for at in range(first, len(EARS_COUNTS))]
    assert ours == pytest.approx(list(printed), rel=EXACT)
    verdicts = detected("ears", EARS_COUNTS, "1h", window_hours=baseline, alarm=Z**2 / 2)
    # ours is the smallest whole count that alarms
    assert list(column(verdicts, "upperbound")[first:]) == list(np.ceil(printed))
    assert list(np.flatnonzero(column(verdicts, "level")) + 1) == [17, 18]


def test_ears_floor_of_the_standard_deviation_is_min_sigma_of_r() -> None:
    ours = [ears_upper(QUIET_COUNTS, 7, at) for at in range(9, 14)]
    assert ours == pytest.approx(list(QUIET_UPPER), rel=EXACT)
    assert ears_upper(QUIET_COUNTS, 7, 10, min_sigma=0.0) == pytest.approx(5.79359325222283, rel=EXACT)
    for floor, alarms in [(1.0, []), (0.0, [10])]:
        verdicts = detected("ears", QUIET_COUNTS, "1h", window_hours=7, alarm=Z**2 / 2, min_sigma=floor)
        assert list(np.flatnonzero(column(verdicts, "level"))) == alarms


def test_ears_differs_from_r_before_the_window_is_full() -> None:
    """R gives no bound before the tenth count (baseline + 3); ours gives one when half of the window is there."""
    known = np.isfinite(column(detected("ears", EARS_COUNTS, "1h", window_hours=7), "score"))
    assert list(np.flatnonzero(~known)) == [0, 1, 2, 3, 4, 5]


# Two days of hours in eight periods of three hours, one outlying count (90) in the first period of the second day, and
# two hours of the third day: with noPeriods = 8 and w = 1 the periods of R around 01:00 are those of the clock, and
# pastWeeksNotIncluded = 1 leaves out what came after midnight.
HOURS = figures("""
     3  9 14  5 16 11 20 31 12 37 22 25 28 41 19 30 44 23 15 27 20  6 16  9
    11 90  6 17  7 12 29 14 21 24 35 18 40 22 29 47 26 32 12 29 18 13  5 12
     9 33""")

# library(surveillance); h <- c(3, 9, 14, ..., 33)  # HOURS
# s <- farringtonFlexible(sts(h, frequency = 24), control = list(range = 50, b = 2, w = 1, noPeriods = 8,
#   pastWeeksNotIncluded = 1, reweight = TRUE, weightsThreshold = 2.58, trend = FALSE, alpha = 1e-5, limit54 = c(0, 4),
#   thresholdMethod = "nbPlugin"))  # then alpha = 0.001 and 0.05
# s@control$expected; upperbound(s)
HOURS_EXPECTED = 9.542465070376
HOURS_UPPER = {1e-5: 51, 0.001: 35, 0.05: 20}
# the same with reweight = FALSE: 22.166666829905, and 129, 87, 48

# Four weeks of days and the 29th, rising, weekends lower, one outlying count (120).
DAYS = figures("""
    20 31 17 26 40 9 4   24 38 21 33 120 6 14   36 25 44 30 27 16 8   42 29 51 33 46 11 20   60""")

# d <- c(20, 31, 17, ..., 60)  # DAYS
# m <- surveillance:::algo.farrington.fitGLM.flexible(data.frame(response = d[1:28], wtime = 1:28, population = 1,
#   seasgroups = factor(rep(c(0, 0, 0, 0, 0, 1, 1), 4))), TRUE, FALSE, TRUE, TRUE, 2.58, TRUE, FALSE, list())
# mu <- exp(predict.glm(m, data.frame(wtime = 29, seasgroups = factor(0)))); mu
# qnbinom(1 - alpha, mu / (m$phi - 1), 1 / m$phi)
DAYS_EXPECTED = 44.73645266785
DAYS_UPPER = {1e-5: 105, 0.001: 85, 0.05: 64}
# the same without reweighting: 47.1828095478, and 200, 143, 88

# d[rep(1:7, 4, length.out = 29) > 5] <- NA  # weekends not observed
# s <- farringtonFlexible(sts(d, frequency = 1), control = list(range = 29, b = 28, w = 0, noPeriods = 1,
#   pastWeeksNotIncluded = 0, reweight = TRUE, weightsThreshold = 2.58, trend = TRUE, pThresholdTrend = 1, alpha = 1e-5,
#   limit54 = c(0, 1), thresholdMethod = "nbPlugin"))
WORKDAYS_EXPECTED = 43.413864457762
WORKDAYS_UPPER = {1e-5: 113, 0.001: 90, 0.05: 65}
# the same with reweight = FALSE: 45.51227699972, and 230, 159, 92


def workdays() -> npt.NDArray[np.float64]:
    return np.where(np.arange(len(DAYS)) % 7 > 4, np.nan, DAYS)


@pytest.mark.parametrize("alpha", [1e-5, 0.001, 0.05])
@pytest.mark.parametrize(
    ("counts", "freq", "parameters", "expected", "upper"),
    [
        pytest.param(HOURS, "1h", {"window_hours": 48.0, "periods": 8}, HOURS_EXPECTED, HOURS_UPPER, id="periods"),
        pytest.param(DAYS, "1D", {}, DAYS_EXPECTED, DAYS_UPPER, id="weekend and trend"),
        pytest.param(workdays(), "1D", {}, WORKDAYS_EXPECTED, WORKDAYS_UPPER, id="trend over gaps"),
    ],
)
def test_farrington_has_the_expectation_and_upper_bound_of_r(
    counts: npt.NDArray[np.float64],
    freq: str,
    parameters: dict[str, float],
    expected: float,
    upper: dict[float, int],
    alpha: float,
) -> None:
    verdicts = detected("farrington", counts, freq, quantile=1.0 - alpha, **parameters)
    assert column(verdicts, "expected")[-1] == pytest.approx(expected, rel=FITTED)
    assert column(verdicts, "upperbound")[-1] == upper[alpha]
    score = (counts[-1] - expected) / (upper[alpha] - expected)
    assert column(verdicts, "score")[-1] == pytest.approx(score, rel=3 * FITTED)


@pytest.mark.parametrize("extra", [200.0, 1500.0])
def test_farrington_keeps_no_past_outage_in_its_bound(extra: float) -> None:
    """R does: its one round of weights leaves a hundred times as many complaints a say in the dispersion."""
    quiet = np.random.default_rng(0).poisson(5.0, 28 * 24 + 1).astype(float)
    outage = quiet.copy()
    outage[400:404] += extra
    bounds = [column(detected("farrington", counts, "1h"), "upperbound")[-1] for counts in (quiet, outage)]
    assert abs(bounds[1] - bounds[0]) <= 1


@pytest.mark.parametrize(("last", "level"), [(50, 0), (51, 1), (52, 1)])
def test_farrington_differs_from_r_at_the_upper_bound_itself(last: int, level: int) -> None:
    """R alarms above a score of 1, at 52 and not at 51; ours alarms at 1, the bound being the first count that does."""
    counts = np.append(HOURS[:-1], last)
    verdicts = detected("farrington", counts, "1h", window_hours=48.0, periods=8)
    assert column(verdicts, "level")[-1] == level


def test_farrington_score_is_of_counts_where_r_mixes_them_with_a_logarithm() -> None:
    """For HOURS with alpha = 1e-5 `s@control$score` is 0.630725661357, which takes log(expected) for the expectation.

    Noufaily et al. 2013, section 3.6, has (observed - expected) / (upper bound - expected), as ours.
    """
    verdicts = detected("farrington", HOURS, "1h", window_hours=48.0, periods=8)
    log = np.log(HOURS_EXPECTED)
    assert (33 - log) / (51 - log) == pytest.approx(0.630725661357, rel=EXACT)
    assert column(verdicts, "score")[-1] == pytest.approx((33 - HOURS_EXPECTED) / (51 - HOURS_EXPECTED), rel=FITTED)


def test_farrington_poisson_tail_is_that_of_r() -> None:
    # ppois(29, 20, lower.tail = FALSE); qpois(0.99999, 20)
    verdicts = detected("farrington", [20.0] * 48 + [30.0], "1h")
    assert column(verdicts, "p")[-1] == pytest.approx(0.0218182175255574, rel=1e-8)
    assert column(verdicts, "upperbound")[-1] == 42


# Five days of three-hour bins with an outlying count (400) and a gap, which is filled and cut before the smoothing.
THREE_HOURS = figures("""
     9  32 41  90 52 28 19  4
    22  15 57  66 79 41 13  9
     4  29 24 400 50 65 20  1
    14 nan 70  40 35 54  8 19
     3  44 27 103 30 39 45 10""")

# x <- c(9, 32, ..., 14, NA, 70, ..., 10); z <- matrix(2 * sqrt(x + 0.375), 8)  # THREE_HOURS
# usual <- apply(z, 1, median, na.rm = TRUE); filled <- ifelse(is.na(z), usual, z); off <- filled - usual
# w <- max(1, 1.4826 * median(abs(off))); calm <- usual + pmax(pmin(off, 3 * w), -3 * w)
# f <- stl(ts(c(calm), frequency = 8), s.window = 7, s.degree = 1, t.window = 17, t.degree = 1, l.window = 9,
#   l.degree = 1, s.jump = 3, t.jump = 2, l.jump = 2, inner = 5, outer = 0)$time.series
# tail(f[, "seasonal"], 8) + tail(f[, "trend"], 1)
# 1.4826 * median(abs(c(filled) - f[, "seasonal"] - f[, "trend"]))
STL_CENTRE = figures("""
     5.16413180878 13.64459636834 12.97181824449 19.15176887556
    11.32518672571 14.29584537189 11.53047610606  7.60346852107""")
STL_DEVIATION = 2.23254117842


def test_stl_carries_forward_the_season_and_trend_of_r() -> None:
    verdicts = detected("stl", [*THREE_HOURS, *[500.0] * 8], "3h")
    expected, score = column(verdicts, "expected")[-8:], column(verdicts, "score")[-8:]
    assert 2.0 * np.sqrt(expected + 0.375) == pytest.approx(STL_CENTRE, rel=1e-9)
    z = (2.0 * np.sqrt(500.375) - STL_CENTRE) / STL_DEVIATION
    assert score == pytest.approx(z**2 / 2.0, rel=1e-9)


def test_stl_is_that_of_statsmodels_where_there_is_nothing_to_fill_or_to_cut() -> None:
    from statsmodels.tsa.seasonal import STL

    rhythm = np.array([9.0, 22.0, 41.0, 60.0, 52.0, 38.0, 19.0, 8.0])
    counts = np.concatenate([rhythm + k for k in (0, 1, -1, 2, 1)])
    line = 2.0 * np.sqrt(counts + 0.375)
    fit = STL(line, period=8, seasonal=7, seasonal_jump=3, trend_jump=2, low_pass_jump=2).fit()
    expected = column(detected("stl", [*counts, *rhythm], "3h"), "expected")[-8:]
    assert 2.0 * np.sqrt(expected + 0.375) == pytest.approx(fit.seasonal[-8:] + fit.trend[-1], rel=1e-12)
