"""The sentence an incident's page begins with, the bars of 90 days, and which addresses a page may link to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.core.vocabulary import Channel, Impact, State
from pipeline.render.chart_view import Counts, Step, panel, summed
from pipeline.render.formatting import clock, isolated, safe_link
from pipeline.render.summary import IncidentSummary, PeakCount, duration, listed, summary_sentence
from pipeline.render.tiles import DAYS, day_bars, spark
from pipeline.render.time_axis import Axis
from pipeline.render.timeline import FIRST, LATEST, Moment, Side, in_rows, timeline_rows
from pipeline.store.report_data import CountStep, ImpactSpan
from tests.copies import replace
from tests.world import at

OVER = IncidentSummary(
    service="Claude",
    state=State.RESOLVED,
    symptom="login",
    onset=at("11:37"),
    end=at("21:16"),
    now=at("23:00"),
    affected=("claude.ai", "Claude Code"),
    works=(("Claude API", None),),
    official_first_at=at("11:49"),
    reported_since=at("11:37"),
    first_alert_at=at("11:40"),
    peak=PeakCount(1125, 12.9, "complaints", 15),
)


def test_the_sentence_says_what_failed_how_long_what_worked_the_lead_and_the_peak() -> None:
    assert summary_sentence(OVER, "UTC") == (
        "Claude: incident of 9 h 39 min on 2 March 2026, from 11:37 UTC until 21:16, mostly login failures"
        " (claude.ai and Claude Code), while Claude API worked for most; the first alert went out 9 min before the"
        " provider's first notice (11:49 UTC); at the peak 1,125 complaints in 15 min against 13 normally."
    )


def test_the_sentence_of_what_lasts_is_in_the_present_and_says_how_sure_it_is() -> None:
    now = replace(OVER, end=None, state=State.POSSIBLE, now=at("11:55"), works=(), official_first_at=None, peak=None)
    assert summary_sentence(now, "America/Los_Angeles") == (
        "Claude (possible outage, not confirmed): logins have been failing (claude.ai and Claude Code) since 03:37 PST"
        " on 2 March (18 min so far); no notice from the provider has been seen."
    )


def test_an_incident_of_several_days_has_both_days() -> None:
    said = summary_sentence(replace(OVER, end=at("08:32", 4), works=(), peak=None), "UTC")
    assert "of 44 h 55 min, from 11:37 UTC on 2 March 2026 until 08:32 on 4 March, mostly" in said


def test_the_sentence_tells_a_lag_a_bare_notice_and_a_shared_failure() -> None:
    assert "20 min after the provider's first notice" in summary_sentence(
        replace(OVER, first_alert_at=at("12:09")), "UTC"
    )
    bare = summary_sentence(replace(OVER, first_alert_at=None, reported_since=None), "UTC")
    assert "known from the provider's status page (11:49 UTC)" in bare
    shared = summary_sentence(replace(OVER, members=("A", "B", "C"), official_first_at=None), "UTC")
    assert shared.startswith("Claude: 3 services (A, B and C) failed together for 9 h 39 min")
    assert "logins" not in shared


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=20), "under 1 min"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=47, minutes=59), "47 h 59 min"),
        (timedelta(days=3, hours=4), "3 d 4 h"),
    ],
)
def test_a_span_is_told_in_the_unit_that_fits(span: timedelta, words: str) -> None:
    assert duration(span) == words


def test_long_lists_are_counted() -> None:
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(list("abcdef")) == "a, b, c and 3 more"


def test_a_day_is_as_bad_as_its_worst_span_and_days_nobody_watched_are_unknown() -> None:
    spans = [
        ImpactSpan(at("10:00"), at("11:00"), Impact.CRITICAL),
        ImpactSpan(at("23:30", 1), at("00:30", 2), Impact.LOW),
        ImpactSpan(at("11:00", 4), None, Impact.HIGH),
    ]
    bars = day_bars(spans, at("00:00", 1) - timedelta(days=9), at("12:00", 4))
    assert sum(run.days for run in bars.runs) == DAYS
    assert [(run.days, run.css) for run in bars.runs] == [
        (DAYS - 13, "unknown"),
        (9, "ok"),
        (1, "i-low"),
        (1, "i-critical"),
        (1, "ok"),
        (1, "i-high"),
    ]
    assert [(line.day, line.lasted) for line in bars.bad] == [
        ("4 March 2026", "1 h"),
        ("2 March 2026", "1 h 30 min"),
        ("1 March 2026", "30 min"),
    ]
    assert bars.words == "incidents on 3 of 13 days"
    assert day_bars([], None, at("12:00")).words == "not observed yet"


def test_a_gap_in_complaints_is_a_hole_in_the_line_and_silence_of_reports_a_zero() -> None:
    now, step = at("12:00", 3), 1800
    start = int(now.timestamp()) - 4 * step
    steps = [CountStep(start + n * step, 10.0, 5.0, 9.0) for n in (0, 1, 3)]
    assert spark({Channel.COMPLAINTS: steps}, now).path.count("M") == 2
    assert spark({Channel.VOTES: steps}, now).path.count("M") == 1
    assert spark({}, now).path == ""


@pytest.mark.parametrize(
    ("url", "usable"),
    [
        ("https://www.reddit.com/r/x/comments/1/", True),
        ("http://example.org/a?b=c&d=e", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//example.org", False),
        ("https://", False),
        ('https://x.test/"onclick=alert(1)', False),
        ("https://x.test/\u202e", False),
        ("https://[::1", False),
        ("https://x.test/" + "a" * 700, False),
    ],
)
def test_a_page_links_to_web_addresses_and_nothing_else(url: str, usable: bool) -> None:
    assert safe_link(url) == (url if usable else "")


def test_a_time_of_another_day_than_the_onsets_has_its_day() -> None:
    long = replace(OVER, end=at("08:32", 4), works=(("Claude API", at("09:00", 3)),), official_first_at=at("00:10", 3))
    sentence = summary_sentence(long, "UTC")
    assert "worked for most until 09:00 UTC on 3 March;" in sentence
    assert "notice (00:10 UTC on 3 March);" in sentence
    assert clock(at("09:00", 3), "UTC", at("23:00")) == "3 Mar 09:00"
    assert clock(at("02:00", 3), "America/Los_Angeles", at("23:00")) == "18:00", "the same day there"


@pytest.mark.parametrize(("bins", "whole"), [(1, False), (2, True)])
def test_the_newest_step_is_drawn_once_all_its_bins_are_in(bins: int, whole: bool) -> None:
    axis = Axis(first=0, last=7200, step=1800, zone="UTC")
    counted = [Step(n * 900, 10.0, 9.0) for n in range(2 + bins)]
    steps = summed(counted, axis, bin_s=900)
    assert [step.observed for step in steps] == [20.0, 20.0 if whole else None, None, None]


def moment(minute: int, side: Side = Side.CROWD) -> Moment:
    return Moment(at("00:00") + timedelta(minutes=minute), side, f"entry {minute}")


def test_entries_of_a_few_minutes_stand_side_by_side_in_their_order() -> None:
    moments = [moment(0), moment(2, Side.PROVIDER), moment(4, Side.NEWS), moment(5)]
    rows = timeline_rows(moments, 5, "UTC")
    assert [[(e.time, e.side) for e in row.entries] for row in rows] == [
        [("00:00", "reports"), ("00:02", "provider"), ("00:04", "news")],
        [("00:05", "reports")],
    ]
    assert [row.day for row in rows] == ["2 March 2026", ""]


def test_of_very_many_entries_the_first_and_the_latest_are_shown_and_the_others_counted() -> None:
    cut = in_rows([moment(n) for n in range(1000)], "UTC")
    shown = [e.head for row in (*cut.rows, *cut.later) for e in row.entries]
    assert shown == [f"entry {n}" for n in (*range(FIRST), *range(1000 - LATEST, 1000))]
    assert (cut.later_entries, cut.left_out) == (LATEST, 1000 - FIRST - LATEST)
    assert in_rows([], "UTC").rows == ()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("خدمة البريد: incident of 90 min on 24 March", "\u2066خدمة البريد: incident of 90 min on 24 March\u2069"),
        ("Claude لا يعمل منذ الصباح", "\u2067Claude لا يعمل منذ الصباح\u2069"),
        ("\u202egnp.exe\u2069 café", "gnp.exe café"),
        ("plain\x00", "plain\ufffd"),
    ],
)
def test_text_from_right_to_left_is_isolated_in_the_direction_of_most_of_its_letters(text: str, shown: str) -> None:
    assert isolated(text) == shown


def test_counts_that_never_rose_are_no_peak() -> None:
    usual = PeakCount(7, 6.9, "complaints", 15)
    assert summary_sentence(replace(OVER, peak=usual), "UTC").endswith(
        "; complaints stayed near normal (at most 7 in 15 min against 6.9)."
    )
    assert "complaints are near normal" in summary_sentence(replace(OVER, end=None, peak=usual), "UTC")
    risen = PeakCount(11, 7.0, "complaints", 15)
    assert summary_sentence(replace(OVER, peak=risen), "UTC").endswith(
        "at the peak 11 complaints in 15 min against 7 normally."
    )


@pytest.mark.parametrize(
    ("most", "labels"), [(1.0, ["1"]), (3.0, ["1", "2", "3"]), (1000.0, ["250", "500", "750", "1,000"])]
)
def test_the_labels_of_counts_are_whole_numbers(most: float, labels: list[str]) -> None:
    axis = Axis(first=0, last=1800, step=900, zone="UTC")
    counts = Counts(title="reports", unit="reports", steps=[Step(0, most), Step(900, 0.0)])
    assert [tick.text for tick in panel(counts, axis).ticks] == labels


def test_the_hours_of_an_axis_are_whole_on_the_readers_clock() -> None:
    begin = int(at("09:10").timestamp())
    axis = Axis(first=begin, last=begin + 8 * 3600, step=300, zone="Asia/Kolkata")
    assert [label.text for label in axis.hours()] == [
        "2 Mar 15:00",
        "16:00",
        "17:00",
        "18:00",
        "19:00",
        "20:00",
        "21:00",
        "22:00",
    ]
