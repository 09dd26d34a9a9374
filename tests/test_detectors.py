"""The contract of every detector, and what the default promises."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from detectors.contract import FIELDS, BinnedCounts, IncompatibleStateError, LateBinError, Verdicts
from detectors.count_kinds import CountKind
from detectors.events import find_events
from detectors.registry import DETECTORS
from detectors.seasonal.baseline import BASELINE_ERROR
from detectors.seasonal.detector import SeasonalNB
from detectors.seasonal.layout import ALPHA, CHANNELS, CLUMP

NAMES = list(DETECTORS)


def series(days: int = 6, bin_s: int = 900, mean: float = 8.0, n: int = 2, seed: int = 1) -> pd.DataFrame:
    """Counts with a daily rhythm and negative-binomial noise."""
    rng = np.random.default_rng(seed)
    index = pd.date_range("2026-02-16", periods=days * 86400 // bin_s, freq=f"{bin_s}s", tz="UTC")
    hours = np.asarray(index.hour + index.minute / 60)
    mu = mean * (1 + 0.8 * np.sin((hours - 8) / 24 * 2 * np.pi))[:, None] * np.ones(n)
    return pd.DataFrame(
        rng.negative_binomial(15, 15 / (15 + mu)).astype(float), index=index, columns=[f"s{i}" for i in range(n)]
    )


def same(one: Verdicts, other: Verdicts) -> None:
    for field in FIELDS:
        left = getattr(one, field)
        pd.testing.assert_frame_equal(left, getattr(other, field).iloc[: len(left)], check_freq=False, check_exact=True)


def rows(verdicts: Verdicts, i: int) -> Verdicts:
    """One bin of the verdicts."""
    index = verdicts.index[i : i + 1]
    return Verdicts(index, verdicts.columns, **{f: getattr(verdicts, f).to_numpy()[i : i + 1] for f in FIELDS})


@pytest.mark.parametrize("name", NAMES)
def test_result_on_a_prefix_is_the_prefix_of_the_result(name: str) -> None:
    counts = series()
    whole = DETECTORS[name]().detect(counts, counts * 2)
    same(DETECTORS[name]().detect(counts.iloc[:300], (counts * 2).iloc[:300]), whole)


@pytest.mark.parametrize("name", NAMES)
# drawing examples may take long on a busy machine, which says nothing of the detector
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    cut=st.integers(1, 250),
    gaps=st.lists(st.integers(0, 279), max_size=30),
    seed=st.integers(0, 99),
    absent=st.integers(0, 40),
    talk=st.booleans(),
)
# more bins left out than the scan keeps: what was in its windows must leave no rounding behind
@example(cut=18, gaps=[], seed=1, absent=20, talk=True)
def test_batch_equals_bin_by_bin_across_a_restart(
    name: str, cut: int, gaps: list[int], seed: int, absent: int, talk: bool
) -> None:
    """With gaps as NaN, bins left out altogether, a restart, and bins that are sent again."""
    counts = series(days=4, seed=seed).iloc[:320]
    counts.iloc[gaps, 0] = np.nan
    counts.iloc[cut : cut + absent] = np.nan
    mentions = counts * 3 + 2 if talk else None
    detector = DETECTORS[name]()
    whole = detector.detect(counts, mentions)
    head = slice(0, cut)
    state = detector.load(
        detector.start(counts.iloc[head], None if mentions is None else mentions.iloc[head]).to_bytes()
    )
    begin = cut + absent
    for i in range(begin, begin + 12):
        start = counts.index[i]
        heard = None if mentions is None else mentions.loc[start].to_numpy()
        same(state.update(start, counts.loc[start].to_numpy(), heard), rows(whole, i))
        before = state.to_bytes()
        with pytest.raises(LateBinError):
            state.update(counts.index[i - i % 2], counts.loc[start].to_numpy(), heard)
        assert state.to_bytes() == before, "a bin that was sent again changed the state"


@pytest.mark.parametrize("name", NAMES)
def test_a_gap_is_unknown_and_not_zero(name: str) -> None:
    counts = series()
    counts.iloc[400:420, 0] = np.nan
    verdicts = DETECTORS[name]().detect(counts)
    assert verdicts.score.iloc[400:420, 0].isna().all()
    assert verdicts.observed.iloc[400:420, 0].isna().all()
    assert (verdicts.level.iloc[400:420, 0] == 0).all()
    zeros = counts.fillna(0.0)
    if name == "seasonal_nb":
        # zeros would have taught it that nobody complains at this hour; a gap teaches nothing
        learned = DETECTORS[name]().detect(zeros).expected.iloc[425, 0]
        assert learned < verdicts.expected.iloc[425, 0]


@pytest.mark.parametrize("name", NAMES)
def test_late_bins_and_foreign_states_are_refused(name: str) -> None:
    counts = series(days=2)
    detector = DETECTORS[name]()
    state = detector.start(counts)
    with pytest.raises(LateBinError):
        state.update(counts.index[-1], counts.iloc[-1].to_numpy())
    blob = state.to_bytes()
    for bad in (
        b"",
        b"{}",
        blob[: len(blob) // 2],
        blob + b"more",
        blob[:-3] + b"\x00\x01\x02",
        re.sub(rb'"version": \d', b'"version": 9', blob),
    ):
        with pytest.raises(IncompatibleStateError):
            detector.load(bad)
    with pytest.raises(IncompatibleStateError):
        DETECTORS[name](alarm=99.0).load(blob)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: f.set_axis(f.index.tz_localize(None)), "UTC"),
        (lambda f: f.iloc[::-1], "order"),
        (lambda f: f.iloc[[0, 1, 5]], "equally wide"),
        (lambda f: f.set_axis(pd.date_range("2026-01-01", periods=len(f), freq="7h", tz="UTC")), "no whole number"),
        (lambda f: f * -1, "not negative"),
        (lambda f: f.replace(f.iloc[0, 0], np.inf), "finite"),
        (lambda f: f + 2.0**54, "2\\*\\*53"),
    ],
)
def test_unusable_counts_are_refused_in_words(name: str, spoil: object, words: str) -> None:
    if words == "no whole number" and name in ("ears", "robust_z"):
        pytest.skip("knows no hour of the day: any width will do")
    counts = series(days=1)
    counts.index.freq = None
    with pytest.raises(ValueError, match=words):
        DETECTORS[name]().detect(spoil(counts))  # type: ignore[operator]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [np.nan, 0.0, 7.0])
def test_constant_zero_and_empty_series_never_alarm(name: str, value: float) -> None:
    counts = series(days=3) * 0 + value
    assert (DETECTORS[name]().detect(counts).level == 0).to_numpy().all()


def outage(frame: pd.DataFrame, at: str, bins: int, extra: float) -> pd.DataFrame:
    frame = frame.copy()
    start = frame.index.get_loc(pd.Timestamp(at))
    frame.iloc[start : start + bins, 0] += extra
    return frame


@pytest.mark.parametrize("name", NAMES)
def test_an_outage_is_found_at_once_and_only_in_its_series(name: str) -> None:
    counts = outage(series(), "2026-02-21T10:00Z", 8, 400)
    verdicts = DETECTORS[name]().detect(counts)
    at = pd.Timestamp("2026-02-21T10:00Z")
    assert verdicts.level.loc[at, "s0"] == 2
    assert (verdicts.level["s1"].loc[at : at + pd.Timedelta("2h")] == 0).all()
    if name == "seasonal_nb":  # rivals know no season, or little of it: a steep morning may alarm them
        assert (verdicts.level["s1"] == 0).all()
        assert verdicts.level["s0"][verdicts.level["s0"] > 0].index[0] == at


def test_an_outage_does_not_become_normal() -> None:
    usual = series(days=9)
    quiet = DETECTORS["seasonal_nb"]().detect(usual)
    after = DETECTORS["seasonal_nb"]().detect(outage(usual, "2026-02-22T10:00Z", 12, 200))
    # a day later, at the same hour, the expectation is what it would have been
    same_hour = pd.Timestamp("2026-02-23T11:00Z")
    assert after.expected.loc[same_hour, "s0"] == pytest.approx(quiet.expected.loc[same_hour, "s0"], rel=0.15)


def test_talk_alone_does_not_alarm_and_talk_does_not_hide_an_outage() -> None:
    usual = series(days=8, mean=2.0)
    mentions = usual * 10 + 20
    start = usual.index.get_loc(pd.Timestamp("2026-02-23T12:00Z"))
    surge = mentions.copy()
    surge.iloc[start : start + 24] *= 6
    leak = usual.copy()
    leak.iloc[start : start + 24, 0] += 14  # a little of the talk is counted as complaints
    detector = DETECTORS["seasonal_nb"]()
    assert (detector.detect(leak, mentions).level["s0"].iloc[start:] > 0).any(), "without the talk it would alarm"
    assert (detector.detect(leak, surge).level["s0"] == 0).all()
    broken = leak.copy()
    broken.iloc[start + 8 : start + 16, 0] += 120
    assert (detector.detect(broken, surge).level["s0"].iloc[start + 8 : start + 16] > 0).any()


@pytest.mark.parametrize(("mean", "size"), [(12.0, 5.0), (40.0, 8.0), (3.0, 4.0)])
def test_level_and_dispersion_agree_with_a_negative_binomial_glm(mean: float, size: float) -> None:
    """The oracle is statsmodels' maximum likelihood on the same stationary counts."""
    import statsmodels.api as sm

    rng = np.random.default_rng(5)
    n = 96 * 120
    x = rng.negative_binomial(size, size / (size + mean), size=n).astype(float)
    index = pd.date_range("2026-01-01", periods=n, freq="15min", tz="UTC")
    detector = SeasonalNB(noise_half_life=60.0)
    state = detector.start(pd.DataFrame({"s": x}, index=index).iloc[:0])
    expected = state.extend(pd.DataFrame({"s": x}, index=index)).expected["s"].to_numpy()
    fit = sm.NegativeBinomial(x, np.ones(n)).fit(disp=0)
    clump, alpha = state.rows[0, CHANNELS + CLUMP], state.rows[0, CHANNELS + ALPHA] - BASELINE_ERROR
    # at one mean, clumps and shared noise are one number: the excess variance over the squared mean. The tail is cut at
    # two standard deviations, which costs up to an eighth of the variance where nothing is broken
    dispersion = float(alpha + (clump - 1) / mean)
    assert expected[n // 2 :].mean() == pytest.approx(float(np.exp(fit.params[0])), rel=0.05)
    if mean > 10:
        assert dispersion == pytest.approx(0.94 * float(fit.params[1]), rel=0.07)
    # where counts are few the clump carries it: what the scan uses is the variance
    ours = clump * mean + alpha * mean**2
    assert ours == pytest.approx(mean + 0.94 * float(fit.params[1]) * mean**2, rel=0.07)


def test_a_new_series_is_as_if_it_had_been_silent() -> None:
    counts = series(days=4, n=1, mean=1.0)
    detector = SeasonalNB(repeats=0.0)  # as for votes, of which each person has one
    wide = detector.start(counts).with_series(["a", "s0"], silent=True)
    start = counts.index[-1] + pd.Timedelta("15min")
    verdict = wide.update(start, np.array([9.0, 1.0]))
    assert verdict.level["a"].iloc[0] >= 1, "nine reports about a service nobody ever spoke of"
    assert verdict.level["s0"].iloc[0] == 0


def test_events_have_onset_peak_and_end() -> None:
    observed = np.array([0, 0, 1, 0, 0, 3, 9, 20, 12, 4, 1, 0, 0, 0, 0, 0, 0], dtype=float)
    expected = np.full(len(observed), 0.4)
    score = np.array([0, 0, 0, 0, 0, 5, 14, 30, 40, 30, 20, 9, 3, 2, 0, 0, 0], dtype=float)
    (event,) = find_events(observed, expected, score, alarm=8.0, quiet_bins=3, look_back=6)
    assert (event.onset, event.alarmed, event.peak, event.quiet, event.score) == (5, 6, 7, 11, 40.0)
    # in sums of three bins 41 at the peak, 17 (of 12, 4 and 1) below half of it: 12 was still the outage
    assert event.end == 9


def test_the_end_is_where_the_fading_begins() -> None:
    expected = np.full(60, 2.0)
    observed = expected.copy()
    observed[10:30] += 100
    observed[30:50] += 100 * np.exp(-np.arange(1, 21) / 4)
    (event,) = find_events(observed, expected, np.where(observed > 3, 50.0, 0.0), alarm=8.0, quiet_bins=4, look_back=12)
    assert (event.onset, event.quiet) == (10, 48)
    assert abs(event.end - 30) <= 2  # type: ignore[operator]


def test_a_gap_neither_opens_nor_closes_an_event() -> None:
    nan = np.nan
    observed = np.array([0, 9, 9, nan, nan, nan, nan, 9, 0, 0, 0, 0], dtype=float)
    score = np.array([0, 20, 20, nan, nan, nan, nan, 20, 1, 0, 0, 0], dtype=float)
    (event,) = find_events(observed, np.full(12, 0.5), score, alarm=8.0, quiet_bins=3, look_back=4)
    assert (event.onset, event.quiet) == (1, 8)
    (still,) = find_events(observed[:7], np.full(7, 0.5), score[:7], alarm=8.0, quiet_bins=3, look_back=4)
    assert still.end is None
    assert still.quiet is None


@pytest.mark.parametrize("kind", list(CountKind))
def test_the_kind_of_counts_is_part_of_the_detectors_name_and_state(kind: CountKind) -> None:
    detector = SeasonalNB(kind=kind)
    blob = detector.start(series(days=1)).to_bytes()
    assert detector.load(blob).to_bytes() == blob
    assert ("kind=" in repr(detector)) == (kind is not CountKind.REPORTS)
    for other in set(CountKind) - {kind}:
        with pytest.raises(IncompatibleStateError):
            SeasonalNB(kind=other).load(blob)


def test_the_day_after_a_long_outage_a_second_one_is_seen_and_the_baseline_is_as_before() -> None:
    usual = series(days=24, mean=12.0)
    once = outage(usual, "2026-03-08T09:00Z", 72, 100)
    twice = outage(once, "2026-03-10T03:00Z", 8, 60)
    verdicts = DETECTORS["seasonal_nb"]().detect(twice)
    quiet = DETECTORS["seasonal_nb"]().detect(usual)
    day = slice("2026-03-09T04:00Z", "2026-03-10T02:45Z")
    assert verdicts.expected.loc[day, "s0"].sum() == pytest.approx(quiet.expected.loc[day, "s0"].sum(), rel=0.1)
    assert (verdicts.level.loc["2026-03-10T03:00Z":"2026-03-10T04:45Z", "s0"] > 0).any()  # type: ignore[misc]


@pytest.mark.parametrize("bin_s", [300, 900, 3600])
def test_a_service_nobody_used_for_weeks_and_then_many_do_is_one_event(bin_s: int) -> None:
    bins = 86400 // bin_s
    hours = np.arange(14 * bins) * bin_s / 3600
    busy = 40.0 * bin_s / 900 * (1.0 + 0.6 * np.sin((hours - 9) / 24 * 2 * np.pi))
    counts = np.concatenate((np.zeros(28 * bins), np.random.default_rng(7).poisson(busy)))
    index = pd.date_range("2026-01-05", periods=len(counts), freq=f"{bin_s}s", tz="UTC")
    verdicts = SeasonalNB().detect(pd.DataFrame({"s": counts}, index=index, dtype=float))
    observed, expected, score = (
        frame.to_numpy()[:, 0] for frame in (verdicts.observed, verdicts.expected, verdicts.score)
    )
    (event,) = find_events(observed, expected, score, alarm=9.0, quiet_bins=max(2, 1800 // bin_s), look_back=12)
    assert 28 * bins <= event.alarmed <= 28 * bins + max(2, 7200 // bin_s)
    assert event.last - event.onset <= 36 * 3600 // bin_s


@pytest.mark.parametrize("dead_days", [1, 7, 14, 21])
@pytest.mark.parametrize("scale", [4.0, 20.0, 200.0])  # reports a quarter of an hour; by night a tenth of that
def test_a_source_that_gave_zeros_for_weeks_because_it_was_dead_comes_back_without_an_alarm(
    scale: float, dead_days: int
) -> None:
    dead = slice(21 * 96, (21 + dead_days) * 96)
    quarters = np.arange((28 + dead_days) * 96)
    usual = scale * (1.0 + 0.9 * np.sin((quarters / 4 - 9) / 24 * 2 * np.pi))
    counts = np.random.default_rng(1).poisson(usual).astype(float)
    counts[dead] = 0.0
    failing = slice(dead.stop + 5 * 96 + 56, dead.stop + 5 * 96 + 64)
    counts[failing] *= 5.0
    index = pd.date_range("2026-01-05", periods=len(counts), freq="15min", tz="UTC")
    score = SeasonalNB().detect(pd.DataFrame({"s": counts}, index=index)).score["s"].to_numpy()
    assert np.nanmax(score[dead.stop : failing.start]) < 9.0
    assert np.nanmax(score[failing]) >= 9.0, "what fails after it came back is seen"


@pytest.mark.parametrize(("factor", "kind", "seen"), [(2.0, CountKind.REPORTS, True), (2.0, CountKind.TALK, False)])
def test_daily_reports_that_double_are_seen_and_talk_that_doubles_is_not(
    factor: float, kind: CountKind, seen: bool
) -> None:
    counts = np.random.default_rng(2).poisson(200.0, 120).astype(float)
    counts[-1] = 200.0 * factor
    index = pd.date_range("2026-01-05", periods=120, freq="1D", tz="UTC")
    verdicts = SeasonalNB(kind=kind).detect(pd.DataFrame({"s": counts}, index=index))
    assert bool(verdicts.level["s"].iloc[-1] >= 1) is seen
    assert (verdicts.level["s"].iloc[:-1] == 0).all()


@pytest.mark.parametrize("share", [0.5, 0.25, 0.1, 0.0])
def test_an_ordinary_day_after_a_low_one_is_no_outage(share: float) -> None:
    index = pd.date_range("2026-01-05", periods=30 * 96, freq="15min", tz="UTC")
    days, hours = np.arange(30 * 96) // 96, np.arange(30 * 96) % 96 / 4
    usual = 50 + 30 * np.sin(hours / 24 * 2 * np.pi)
    counts = np.random.default_rng(1).poisson(usual * np.where(days == 24, share, 1.0)).astype(float)
    outage = (days == 27) & (hours >= 12) & (hours < 14)
    frame = pd.DataFrame({"low": counts, "low, then an outage": np.where(outage, counts * 4, counts)}, index=index)
    score = SeasonalNB().detect(frame).score
    assert score["low"].max() < 9
    assert score["low, then an outage"][outage].max() >= 9


def test_two_outages_in_the_first_four_days_are_not_taken_for_usual() -> None:
    index = pd.date_range("2026-01-05", periods=5 * 96, freq="15min", tz="UTC")
    days, hours = np.arange(5 * 96) // 96, np.arange(5 * 96) % 96 / 4
    outage = (days >= 1) & (days != 3) & (hours >= 12) & (hours < 15)
    counts = np.random.default_rng(1).poisson(np.where(outage, 120.0, 12.0)).astype(float)
    score = SeasonalNB().detect(pd.DataFrame({"young": counts}, index=index)).score["young"]
    assert score[outage & (days == 4)].max() >= 14


@pytest.mark.parametrize("name", NAMES)
def test_bins_given_as_arrays_are_judged_as_those_in_frames(name: str) -> None:
    counts = series()
    counts.iloc[50:55] = np.nan
    detector = DETECTORS[name]()
    framed = detector.start(counts.iloc[:0], counts.iloc[:0]).extend(counts, counts * 2)
    state = detector.begin(int((counts.index[1] - counts.index[0]).total_seconds()), list(counts.columns), talk=True)
    starts = pd.DatetimeIndex(counts.index).as_unit("s").asi8
    values = counts.to_numpy()
    found = state.extend_arrays(BinnedCounts(starts, values, values * 2))
    for field in FIELDS:
        np.testing.assert_array_equal(found.values(field), getattr(framed, field).to_numpy())
    assert found.index.equals(framed.index)
    assert list(found.columns) == list(framed.columns)
    after = starts[-1:] + (starts[1] - starts[0])
    for wrong in (
        BinnedCounts(after, values[-1:, :1], values[-1:, :1]),
        BinnedCounts(after, -values[:1] - 1, values[:1]),
        BinnedCounts(after, values[:1], values[:1, :1]),
        BinnedCounts(np.append(after, after + 1), values[:2], values[:2]),
    ):
        with pytest.raises(ValueError, match=r"series is needed|finite and not negative|shape of counts|s wide"):
            state.extend_arrays(wrong)
    with pytest.raises(LateBinError):
        state.extend_arrays(BinnedCounts(starts[-1:], values[-1:], values[-1:]))
