"""What a series is used to: office hours where clocks change, weekdays not seen yet, and heights that last."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from detectors.contract import Verdicts
from detectors.seasonal.clock_changes import last_change
from detectors.seasonal.detector import SeasonalNB
from pipeline.evaluation.contenders import MedianRule
from pipeline.evaluation.ordinary_days import SITUATIONS, figures


def office(start: str, days: int, zone: str, minutes: int = 15, seed: int = 1) -> pd.DataFrame:
    """Return counts of a help desk that is open from 8 to 18 on workdays: 160 an hour, and 8 else."""
    index = pd.date_range(start, periods=days * 1440 // minutes, freq=f"{minutes}min", tz="UTC")
    local = index.tz_convert(zone)
    is_open = (local.hour >= 8) & (local.hour < 18) & (local.day_of_week < 5)
    counts = np.random.default_rng(seed).poisson(np.where(is_open, 160.0, 8.0) * minutes / 60)
    return pd.DataFrame({"s": counts.astype(float)}, index=index)


def alarms(verdicts: Verdicts, since: str) -> list[str]:
    level = verdicts.level["s"].loc[since:]  # type: ignore[misc]
    return [f"{stamp:%d %b %H:%M}" for stamp in level.index[level >= 1]]


@pytest.mark.parametrize("minutes", [5, 15, 60])
@pytest.mark.parametrize(
    ("start", "zone", "change"),
    [
        ("2026-02-16", "Europe/Berlin", "2026-03-29"),
        ("2026-09-14", "Europe/Berlin", "2026-10-25"),
        ("2026-01-26", "America/New_York", "2026-03-08"),
        ("2026-02-23", "Australia/Sydney", "2026-04-05"),
    ],
)
def test_office_hours_do_not_alarm_when_clocks_change(start: str, zone: str, change: str, minutes: int) -> None:
    counts = office(start, 70, zone, minutes)
    day = pd.Timestamp(change, tz="UTC")
    verdicts = SeasonalNB().detect(counts)
    assert alarms(verdicts, str(day - pd.Timedelta("10D"))) == []
    # from the second week on, the hours expected are those of the clock
    opening = (day + pd.Timedelta("9D")).tz_localize(None).tz_localize(zone) + pd.Timedelta("9h")
    usual = 160.0 * minutes / 60
    expected = verdicts.expected["s"]
    assert expected.loc[opening.tz_convert("UTC")] == pytest.approx(usual, rel=0.3)
    assert expected.loc[opening.tz_convert("UTC") - pd.Timedelta("2h")] < 0.4 * usual


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Tokyo"])
def test_the_hour_before_the_opening_is_watched_again_a_week_after_clocks_changed(zone: str) -> None:
    counts = office("2026-02-16", 70, zone)
    at = pd.Timestamp("2026-04-08T07:00", tz=zone).tz_convert("UTC")
    counts.loc[at : at + pd.Timedelta("45min"), "s"] += 40.0
    verdicts = SeasonalNB().detect(counts)
    assert alarms(verdicts, "2026-03-10")[:1] == [f"{at:%d %b %H:%M}"]


def test_a_low_day_when_clocks_change_moves_nothing() -> None:
    counts = office("2026-02-16", 70, "Asia/Tokyo")
    counts.loc["2026-03-30", "s"] //= 3
    verdicts = SeasonalNB().detect(counts)
    assert alarms(verdicts, "2026-03-10") == []
    opening = pd.Timestamp("2026-04-09T08:15", tz="Asia/Tokyo").tz_convert("UTC")
    assert verdicts.expected["s"].loc[opening] == pytest.approx(40.0, rel=0.3)


def test_the_day_and_the_side_of_the_last_change_are_known() -> None:
    def day(text: str) -> int:
        return (pd.Timestamp(text) - pd.Timestamp("1970-01-01")).days

    assert last_change(day("2026-03-28")) == day("2026-03-08")
    assert last_change(day("2026-03-29")) == last_change(day("2026-04-03")) == day("2026-03-29")
    assert last_change(day("2026-10-31")) == -day("2026-10-25")
    assert last_change(day("2026-07-01")) == 0


def test_the_first_monday_is_expected_to_be_like_the_workdays_seen() -> None:
    counts = office("2026-01-08", 14, "Europe/Berlin", 5)  # a Thursday
    verdicts = SeasonalNB().detect(counts)
    assert alarms(verdicts, "2026-01-09") == []


@pytest.mark.parametrize("factor", [4.0, 12.0])
def test_an_outage_of_a_day_is_not_over_before_its_end_and_a_new_height_is_normal_within_a_day_and_a_half(
    factor: float,
) -> None:
    index = pd.date_range("2026-01-05", periods=30 * 288, freq="5min", tz="UTC")
    usual = np.full(len(index), 12.0)
    first = 21 * 288 + 100
    for hours, until in ((30, 30), (24 * 8, 36)):
        mean = usual.copy()
        mean[first : first + hours * 12] *= factor
        counts = pd.DataFrame({"s": np.random.default_rng(2).poisson(mean).astype(float)}, index=index)
        hot = np.flatnonzero(SeasonalNB().detect(counts).level["s"].to_numpy()[: first + 24 * 7 * 12])
        lasted = (hot[-1] + 1 - first) / 12
        assert hot[0] - first <= 1
        assert np.diff(hot).max() == 1
        assert until - 8 <= lasted <= until + 1.5


def test_ordinary_days_are_no_alarm_to_the_detector_and_a_morning_is_to_a_rule() -> None:
    by_name = {days.name: days for days in SITUATIONS}
    days = by_name["office hours, clocks go forward"]
    assert figures(SeasonalNB(), days, 2026) == (0, 2, 2)
    alarms, seen, total = figures(MedianRule(least=10, factor=3, extra=8), days, 2026)
    assert (alarms > 10, seen, total) == (True, 2, 2)


def test_what_never_had_a_report_is_no_dead_source_but_expected_to_have_none() -> None:
    index = pd.date_range("2026-03-01", periods=1440, freq="1min", tz="UTC")
    silent = pd.DataFrame({"s": 0.0}, index=index)
    expected = SeasonalNB(repeats=0.0).detect(silent, silent).expected["s"]
    # half a report in the day that was seen is what is assumed of none; it was half a report an hour
    assert expected.iloc[-1] * 1440 < 1.0


def test_zeros_of_a_counter_that_had_counts_are_still_not_learned() -> None:
    index = pd.date_range("2026-03-01", periods=4 * 96, freq="15min", tz="UTC")
    counts = pd.DataFrame({"s": 10.0}, index=index)
    counts.iloc[2 * 96 :] = 0.0
    expected = SeasonalNB().detect(counts).expected["s"]
    assert expected.iloc[-1] == pytest.approx(10.0, rel=0.3)
