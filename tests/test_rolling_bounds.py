"""The constants of the rolling detectors, each held just below and just above where it decides."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from detectors.contract import Verdicts
from detectors.registry import DETECTORS
from detectors.rolling.farrington import LARGE, count_quantile

Floats = npt.NDArray[np.float64]
MONDAY = pd.Timestamp("2026-02-16", tz="UTC")
ROLLING = ["ears", "farrington", "robust_z", "same_time_ratio", "stl"]
nan = np.nan


def judged(
    name: str, past: npt.ArrayLike, ahead: npt.ArrayLike, freq: str = "1h", end: int = 0, **own: float
) -> Verdicts:
    """Learn from `past`, which ends at midnight, `end` days after Wednesday 00:00, and judge the bins `ahead` of it."""
    before, after = np.asarray(past, dtype=np.float64), np.atleast_1d(np.asarray(ahead, dtype=np.float64))
    middle, width = MONDAY + pd.Timedelta(days=2 + end), pd.Timedelta(freq)
    index = pd.date_range(middle - len(before) * width, periods=len(before) + len(after), freq=freq)
    counts = pd.DataFrame({"s": np.concatenate((before, after))}, index=index)
    state = DETECTORS[name](**own).start(counts.iloc[: len(before)])
    verdicts: Verdicts = state.extend(counts.iloc[len(before) :].asfreq(freq))
    return verdicts


def values(verdicts: Verdicts, field: str) -> Floats:
    column: Floats = getattr(verdicts, field)["s"].to_numpy(dtype=np.float64)
    return column


def first(name: str, field: str, past: npt.ArrayLike, count: float = 5.0, freq: str = "1h", **own: float) -> float:
    """Return one figure of the bin after `past`."""
    return float(values(judged(name, past, count, freq, **own), field)[0])


def root(count: float) -> float:
    return float(2.0 * np.sqrt(count + 0.375))


def count_at(z: float) -> float:
    """Return the count that lies `z` above 20 on Anscombe's scale."""
    return float(((root(20.0) + z) / 2.0) ** 2 - 0.375)


LEVEL = [  # name, the counts at which `alarm` and `strong` are reached after two or three days of 20 in each bin
    ("ears", 28.0, 32.0),  # a standard deviation of 1 at least: z of 8 and 12
    ("farrington", 42.0, 64.0),  # qpois(0.99999, 20) is 42: once and twice as far
    ("robust_z", count_at(6.0), count_at(8.0)),  # a spread of 1 at least
    ("same_time_ratio", 21.0 * np.exp(1.4) - 1.0, 21.0 * np.exp(2.3) - 1.0),
    ("stl", count_at(8.0), count_at(12.0)),  # a deviation of 1 at least
]


@pytest.mark.parametrize(("name", "alarm", "strong"), LEVEL)
def test_levels_change_at_the_default_thresholds(name: str, alarm: float, strong: float) -> None:
    past = np.full(24, 20.0) if name == "stl" else np.full(48, 20.0)
    freq = "3h" if name == "stl" else "1h"
    # of each threshold a thousandth of a count below, and the least above it
    ahead = [alarm - 0.001, alarm + 1e-9, strong - 0.001, strong + 1e-9]
    assert [first(name, "level", past, count, freq) for count in ahead] == [0, 1, 1, 2]


@pytest.mark.parametrize("name", ROLLING)
def test_upper_bound_is_the_first_count_that_alarms(name: str) -> None:
    past = np.random.default_rng(4).poisson(12.0, size=96 if name != "stl" else 40)
    freq = "1h" if name != "stl" else "3h"
    bound = first(name, "upperbound", past, 0.0, freq)
    assert bound == int(bound)
    assert [first(name, "level", past, count, freq) for count in (bound - 1, bound)] == [0, 1]


@pytest.mark.parametrize("name", ["farrington", "robust_z", "same_time_ratio", "stl"])
def test_fewer_than_four_reports_score_nothing(name: str) -> None:
    past, freq = np.zeros(24), "3h" if name == "stl" else "1h"
    assert first(name, "score", past, 3.99, freq) == 0.0
    assert first(name, "score", past, 4.0, freq) > 0.5
    assert first(name, "upperbound", past, 0.0, freq, alarm=0.01) == 4.0


WINDOWS = {  # name and width of a bin in seconds: bins that are remembered
    ("ears", 300): 38,
    ("ears", 900): 14,
    ("ears", 1800): 9,  # seven at least, and the guard
    ("ears", 3600): 9,
    ("farrington", 3600): 672,
    ("robust_z", 3600): 24,
    ("robust_z", 18000): 4,
    ("robust_z", 86400): 4,  # four at least
    ("same_time_ratio", 3600): 672,
    ("stl", 3600): 336,
}


@pytest.mark.parametrize(("name", "bin_s", "length"), [(*key, length) for key, length in WINDOWS.items()])
def test_windows_have_their_length_in_bins(name: str, bin_s: int, length: int) -> None:
    assert DETECTORS[name]().window_bins(bin_s) == length


@pytest.mark.parametrize(
    ("freq", "ago", "counts"),
    [("1h", 9, True), ("1h", 10, False), ("15min", 14, True), ("15min", 15, False)]
    + [(freq, ago, ago > 2) for freq in ("1h", "15min") for ago in (1, 2, 3)],
)
def test_ears_takes_the_window_and_leaves_out_the_guard(freq: str, ago: int, counts: bool) -> None:
    past = np.full(20, 6.0)
    past[-ago] = 60.0
    assert (first("ears", "expected", past, freq=freq) > 6.0) is counts


@pytest.mark.parametrize(
    ("freq", "seen", "known"), [("1h", 3, False), ("1h", 4, True), ("15min", 5, False), ("15min", 6, True)]
)
def test_ears_knows_nothing_when_more_than_half_of_its_window_is_unseen(freq: str, seen: int, known: bool) -> None:
    past = np.full(20, nan)
    past[len(past) - 2 - seen : -2] = 6.0
    assert np.isfinite(first("ears", "score", past, freq=freq)) == known
    if known:
        assert first("ears", "expected", past, freq=freq) == 6.0


@pytest.mark.parametrize("min_sigma", [0.5, 1.0, 3.0])
def test_ears_standard_deviation_is_never_below_its_floor(min_sigma: float) -> None:
    score = first("ears", "score", np.full(9, 6.0), 18.0, min_sigma=min_sigma)
    assert score == pytest.approx((12.0 / min_sigma) ** 2 / 2.0)
    assert first("ears", "score", np.full(9, 6.0), 5.0, min_sigma=min_sigma) == 0.0


# Farrington -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hours", "known"), [(23, False), (24, True)])
@pytest.mark.parametrize("after", [0, 648, 649])
def test_farrington_needs_a_day_of_hours_within_four_weeks(hours: int, known: bool, after: int) -> None:
    past = np.concatenate((np.full(hours, 5.0), np.full(after, nan)))
    # 24 hours and 648 unseen ones are four weeks
    assert np.isfinite(first("farrington", "score", past)) == (known and after <= 648)


@pytest.mark.parametrize(("freq", "least"), [("15min", 2), ("5min", 6), ("20min", 2)])
def test_farrington_takes_an_hour_when_half_of_its_bins_were_seen(freq: str, least: int) -> None:
    bins = int(pd.Timedelta("1h") / pd.Timedelta(freq))
    past = np.full((24, bins), nan)
    past[:, :least] = 5.0
    assert first("farrington", "expected", past.ravel(), freq=freq) == pytest.approx(5.0)
    past[7, least - 1] = nan
    assert np.isnan(first("farrington", "expected", past.ravel(), freq=freq))


@pytest.mark.parametrize("group", range(12))
def test_farrington_has_twelve_periods_a_day(group: int) -> None:
    day = np.repeat(np.arange(10.0, 130.0, 10.0), 2)
    expected = values(judged("farrington", np.tile(day, 2), np.zeros(24)), "expected")
    assert expected[2 * group : 2 * group + 2] == pytest.approx([10.0 * (group + 1)] * 2)


def test_farrington_weekend_is_saturday_and_sunday() -> None:
    # two weeks of days that end before Wednesday, then a week
    days = np.arange(-14, 7) + 2
    counts = np.where(days % 7 >= 5, 20.0, 100.0)
    expected = [first("farrington", "expected", counts[k : 14 + k], freq="1D", end=k) for k in range(7)]
    assert expected == pytest.approx(list(counts[14:]), rel=1e-3)


@pytest.mark.parametrize(("days", "trend"), [(7, False), (8, True)])
def test_farrington_trend_needs_a_week_between_first_and_last(days: int, trend: bool) -> None:
    counts = 100.0 * 1.2 ** np.arange(days)
    assert (first("farrington", "expected", counts, freq="1D") > counts[-1]) == trend


@pytest.mark.parametrize(("growth", "limit"), [(8.0, 8.0), (20.0, 10.0)])
def test_farrington_expects_at_most_ten_times_the_largest_count(growth: float, limit: float) -> None:
    counts = growth ** np.arange(8)
    assert first("farrington", "expected", counts, freq="1D") == pytest.approx(limit * counts[-1], rel=1e-6)


@pytest.mark.parametrize(("reports", "expected"), [(12.0, 12.0 / 48.0), (13.0, 0.0)])
def test_farrington_takes_the_mean_where_reports_are_no_more_than_coefficients(reports: float, expected: float) -> None:
    past = np.zeros(48)
    past[[0, 24]] = reports / 2.0
    ahead = values(judged("farrington", past, np.zeros(24)), "expected")
    assert ahead[12] == pytest.approx(expected, abs=1e-5)


def anscombe_residual(counts: Floats, at: int) -> float:
    """Return the residual of Noufaily et al. 2013 for one count where the model is a mean."""
    n, mean = len(counts), float(counts.mean())
    dispersion = max(1.0, float(((counts - mean) ** 2 / mean).sum() / (n - 1)))
    difference = counts[at] ** (2 / 3) * mean ** (-1 / 6) - mean**0.5
    return float(1.5 * difference / np.sqrt(dispersion * (1.0 - 1.0 / n)))


@pytest.mark.parametrize(("aside", "lighter"), [(-0.005, False), (0.005, True)])
def test_farrington_weighs_down_what_lies_above_2_58(aside: float, lighter: bool) -> None:
    past = np.full(48, 20.0)
    low, high = 20.0, 60.0
    for _ in range(60):
        past[10] = (low + high) / 2.0
        low, high = (past[10], high) if anscombe_residual(past, 10) < 2.58 + aside else (low, past[10])
    assert anscombe_residual(past, 10) == pytest.approx(2.58 + aside)
    weight = anscombe_residual(past, 10) ** -2.0 if lighter else 1.0
    weights = np.where(np.arange(48) == 10, weight, 1.0)
    expected = first("farrington", "expected", past, periods=1)
    assert expected == pytest.approx(np.average(past, weights=weights), rel=1e-7)


@pytest.mark.parametrize("freq", ["1h", "15min"])
def test_farrington_expects_counts_of_a_bin(freq: str) -> None:
    bins = int(pd.Timedelta("2D") / pd.Timedelta(freq))
    assert first("farrington", "expected", np.full(bins, 7.0), freq=freq) == pytest.approx(7.0)


@pytest.mark.parametrize("dispersion", [1.0, 3.0, 1e4])
def test_farrington_bound_of_large_counts_is_that_of_the_limit_of_the_distribution(dispersion: float) -> None:
    mean = np.array([0.9 * LARGE, 1.1 * LARGE])
    below, above = (count_quantile(0.99999, mean, dispersion) - mean) / np.sqrt(dispersion * mean)
    assert above == pytest.approx(below, rel=2e-3)


def test_farrington_judges_counts_at_which_the_negative_binomial_has_its_limit() -> None:
    past = 1e12 + np.random.default_rng(1).poisson(1e6, 60) * 1e3
    verdicts = judged("farrington", past, [1.001e12, 2e12], "1D")
    assert list(values(verdicts, "level")) == [0, 2]


# Robust z -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("freq", "seen"), [("1h", 6), ("15min", 24), ("6h", 3)])
def test_robust_z_warms_up_in_six_hours_and_three_bins(freq: str, seen: int) -> None:
    assert np.isnan(first("robust_z", "score", np.full(seen - 1, 6.0), freq=freq))
    assert np.isfinite(first("robust_z", "score", np.full(seen, 6.0), freq=freq))


@pytest.mark.parametrize("length", [23, 24])
def test_robust_z_is_of_median_and_median_absolute_deviation(length: int) -> None:
    from scipy.stats import median_abs_deviation

    past = np.random.default_rng(2).uniform(0.0, 90.0, size=length)
    line = 2.0 * np.sqrt(past + 0.375)
    z = (root(400.0) - np.median(line)) / median_abs_deviation(line, scale="normal")
    # 1.4826 is the normal scale to five figures
    assert first("robust_z", "score", past, 400.0) == pytest.approx(z**2 / 2.0, rel=1e-5)
    assert root(first("robust_z", "expected", past)) == pytest.approx(np.median(line))


@pytest.mark.parametrize(("ago", "counts"), [(24, True), (25, False)])
def test_robust_z_window_is_a_day(ago: int, counts: bool) -> None:
    past = np.tile([4.0, 9.0], 15)
    past[-ago] = 7.0
    assert (first("robust_z", "expected", past) != first("robust_z", "expected", np.tile([4.0, 9.0], 15))) is counts


# Ratio to the same time -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "expected"),
    [(6, 3.5), (7, 1.0), (8, 2.0), (14, 4.5), (28, (1 + 8 + 15 + 22) / 4), (29, (2 + 9 + 16 + 23) / 4), (35, 18.5)],
)
def test_same_time_ratio_is_of_the_same_weekday_in_four_weeks(days: int, expected: float) -> None:
    past = np.repeat(np.arange(1.0, days + 1.0), 24)
    assert first("same_time_ratio", "expected", past) == pytest.approx(expected)


@pytest.mark.parametrize(("freq", "reach"), [("15min", 1), ("10min", 1), ("5min", 3), ("1h", 0)])
def test_same_time_ratio_is_smoothed_over_half_an_hour(freq: str, reach: int) -> None:
    bins = int(pd.Timedelta("1D") / pd.Timedelta(freq))
    past = np.zeros(bins)
    past[bins // 2] = 42.0
    expected = values(judged("same_time_ratio", past, np.zeros(bins), freq), "expected")
    near = np.arange(bins // 2 - reach, bins // 2 + reach + 1)
    assert list(np.flatnonzero(expected)) == list(near)
    assert expected[near] == pytest.approx(42.0 / (2 * reach + 1))


@pytest.mark.parametrize("count", [4.0, 20.0, 400.0])
def test_same_time_ratio_adds_one_report_to_both_sides(count: float) -> None:
    score = first("same_time_ratio", "score", np.full(24, 4.0), count)
    assert score == pytest.approx(np.log((count + 1.0) / 5.0))


# STL ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bins", "known"), [(15, False), (16, True), (17, True), (23, True)])
def test_stl_needs_two_whole_days(bins: int, known: bool) -> None:
    assert np.isfinite(first("stl", "score", np.full(bins, 5.0), freq="3h")) == known


@pytest.mark.parametrize(("seen", "known"), [(15, False), (16, True)])
def test_stl_needs_half_of_its_bins_seen(seen: int, known: bool) -> None:
    past = np.full(32, nan)
    past[np.arange(seen) * 2] = 5.0
    assert np.isfinite(first("stl", "score", past, freq="3h")) == known


@pytest.mark.parametrize(("ago", "counts"), [(112, True), (113, False)])
def test_stl_window_is_two_weeks(ago: int, counts: bool) -> None:
    past = np.full(ago, nan)
    past[0], past[-55:] = 5.0, 5.0
    # 56 of 112 bins are seen with the first one; without it the line begins later and has no gaps
    with_first = np.isfinite(first("stl", "score", past, freq="3h"))
    past[-55] = nan
    assert with_first
    assert np.isfinite(first("stl", "score", past, freq="3h")) != counts


def test_stl_season_has_half_hours() -> None:
    day = np.repeat([10.0, 90.0] * 24, 2)
    expected = values(judged("stl", np.tile(day, 3), np.zeros(96), "15min"), "expected")
    assert expected == pytest.approx(day, rel=1e-6)
    assert {tuple(np.sign(right - left) for left, right in pairwise(expected[k : k + 3])) for k in range(0, 92, 4)} == {
        (0.0, 1.0)
    }


@pytest.mark.parametrize(("freq", "least"), [("10min", 2), ("5min", 3), ("15min", 1)])
def test_stl_takes_a_half_hour_when_half_of_its_bins_were_seen(freq: str, least: int) -> None:
    bins = int(pd.Timedelta("30min") / pd.Timedelta(freq))
    past = np.full((96, bins), nan)
    past[:, :least] = 5.0
    assert first("stl", "expected", past.ravel(), freq=freq) == pytest.approx(5.0)
    past[:, least - 1 :] = nan
    assert np.isnan(first("stl", "expected", past.ravel(), freq=freq))
