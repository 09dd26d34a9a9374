"""Counts and posts, each too little for an alarm, alarm together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest

from pipeline.core.series import SeriesKey, VerdictPoint
from pipeline.core.times import Span
from pipeline.detection.joint_alarms import with_joint_alarms
from pipeline.incidents.attention import SIGNALS
from pipeline.reports.decision_trace import decision_trace
from pipeline.stages.explain import findings, stage
from pipeline.stages.explain.records import ExplainRun
from pipeline.store import Store
from pipeline.store.incidents import anything_to_explain
from tests.copies import replace
from tests.world import ALARM, CATALOGUE, World, at

QUARTER = 900
COUNTS = SeriesKey(service="delta", channel="complaints", source="counter", bin_s=QUARTER)
REDDIT = SeriesKey(service="delta", channel="votes", source="reddit", bin_s=60)
BLUESKY = SeriesKey(service="delta", channel="votes", source="bluesky", bin_s=60)
# three reports within five minutes where 0.05 are taken for usual: 3 ln(3 / 0.05) - 2.95 - 3.1 = 6.2 nats; two: 2.3


def point(clock: str, count: float, score: float, expected: float = 0.0) -> VerdictPoint:
    return VerdictPoint(at(clock), count, expected, math.nan, score, int(score >= ALARM))


def reports(*clocks: str, expected: float = 0.0) -> Sequence[VerdictPoint]:
    return [point(clock, 1, 0.0, expected) for clock in clocks]


def joint(score: float, posts: Mapping[SeriesKey, Sequence[VerdictPoint]], counts: SeriesKey = COUNTS) -> float | None:
    """Return the score of the count of 15:15 once the posts support it; None where they do not."""
    raised = with_joint_alarms({counts: [point("15:15", 41, score, 9.7)], **posts}, ALARM)
    return raised[counts][0].score if counts in raised else None


def test_a_count_below_the_alarm_and_three_reports_alarm_together_with_the_sum_of_their_scores() -> None:
    assert joint(5.5, {REDDIT: reports("15:31", "15:32", "15:33")}) == pytest.approx(5.5 + 6.24, abs=0.01)


@pytest.mark.parametrize(
    ("score", "clocks", "enough"),
    [
        (3.9, ("15:31", "15:32", "15:33"), True),  # 10.1 of 10
        (3.7, ("15:31", "15:32", "15:33"), False),
        (7.8, ("15:31", "15:33"), True),  # 7.8 and 2.3
        (7.5, ("15:31", "15:33"), False),
        (8.9, ("15:31",), False),  # one person is no kind of evidence
        (2.9, ("15:31", "15:32", "15:33", "15:34"), False),  # less than a third of an alarm is no rise
        (8.0, ("15:00", "15:02"), True),
        (8.0, ("14:57", "14:59"), False),  # before the interval
        (8.0, ("15:58", "16:00"), True),
        (8.0, ("16:01", "16:02"), False),  # long after it
    ],
)
def test_how_much_of_the_one_the_other_needs(score: float, clocks: Sequence[str], enough: bool) -> None:
    assert (joint(score, {REDDIT: reports(*clocks)}) is not None) is enough


def test_reports_where_many_are_usual_support_nothing() -> None:
    assert joint(8.5, {REDDIT: reports("15:31", "15:32", "15:33", expected=0.5)}) is None


@pytest.mark.parametrize(("own", "enough"), [(0.0, False), (4.4, False), (4.6, True)])
def test_four_reports_of_an_hour_are_judged_by_the_detector_which_knows_of_talk(own: float, enough: bool) -> None:
    joked = reports("14:31", "14:40", "14:50", "14:59")  # as of the queue of a game
    posts = [*joked, point("15:20", 1, own)]
    assert (joint(5.5, {REDDIT: posts}) is not None) is enough


def test_four_reports_on_two_networks_are_judged_by_neither_detector() -> None:
    assert joint(3.1, {REDDIT: reports("15:31", "15:32"), BLUESKY: reports("15:31", "15:32")}) is not None


def test_reports_of_a_source_whose_usual_number_is_not_known_support_nothing() -> None:
    unknown = [point(clock, 1, math.nan) for clock in ("15:31", "15:32", "15:33")]
    assert joint(8.5, {REDDIT: unknown}) is None


def test_reports_of_two_networks_in_one_minute_count_together_and_the_last_one_needed_is_raised() -> None:
    levels = {
        COUNTS: [point("15:15", 41, 5.5, 9.7)],
        REDDIT: reports("15:31", "15:33"),
        BLUESKY: reports("15:31", "15:40"),
    }
    raised = with_joint_alarms(levels, ALARM)
    assert raised.keys() == {COUNTS, REDDIT}
    assert [one.score >= ALARM for one in raised[REDDIT]] == [False, True]
    assert [one.level for one in raised[COUNTS]] == [1]


def test_neither_the_counts_of_a_day_nor_of_one_problem_are_supported() -> None:
    posts = {REDDIT: reports("15:31", "15:32", "15:33")}
    day = SeriesKey(service="delta", channel="complaints", source="counter", bin_s=86400)
    problem = SeriesKey(service="delta", channel="complaints", source="counter", bin_s=QUARTER, indicator="login")
    assert [joint(8.5, posts, key) for key in (day, problem)] == [None, None]


def test_a_message_is_sent_by_the_run_that_finds_the_last_report_needed(store: Store) -> None:
    world = World(store, ("delta",))
    world.read("10:00", "12:00")
    world.bins("delta", "11:15", 1, 41, 5.5, width=QUARTER)
    world.explain("11:30")
    assert world.all() == {}
    world.people("delta", "11:31", [f"delta is down, gate {n}" for n in range(3)])
    world.bins("delta", "11:31", 1, 3, 0.0, channel="votes", width=60, expected=0.0)
    assert anything_to_explain(store, at("11:30"))
    world.explain("11:35")
    (incident,) = world.all().values()
    assert (incident.onset, incident.active) == (at("11:15"), True)
    assert world.mails(incident.id) == ["opened"]
    assert [e.statement for e in incident.evidence if e.kind in SIGNALS] == [
        "41 complaints in 15 min at 11:15 UTC on 2 March, 5.0 expected (score 12 together with posts)",
        "3 people reported trouble on x from 11:31 UTC on 2 March, 0.0 expected (score 12 together with complaints)",
    ]
    steps = decision_trace(store, world.config, CATALOGUE["delta"], at("11:35"), at("11:35"), ALARM)
    assert "counts and posts together: score 11.7 of 10" in [s.words for s in steps if s.name == "signal" and s.passed]
    before = decision_trace(store, world.config, CATALOGUE["delta"], at("11:31"), at("11:35"), ALARM)
    assert not [s.words for s in before if s.name == "signal" and s.passed], "the reports had not been written"
    world.explain("11:40")
    assert world.mails(incident.id) == ["opened"]


def test_of_a_service_without_incidents_only_the_last_hours_are_judged_however_long_another_fails(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[ExplainRun] = []
    monkeypatch.setattr(stage, "read_alarms", lambda run, alarm: read.append(run) or findings.read_alarms(run, alarm))
    world = World(store, ("delta", "github"))
    world.page("github", "n1", "09:00", "investigating", "major")
    world.read("08:00", "23:00")
    world.bins("delta", "09:00", 1, 90, 20.0, width=QUARTER)
    world.explain("09:30")
    for clock in ("12:00", "22:00"):
        world.bins("delta", clock, 1, 41, 5.5, width=QUARTER)
        world.bins("delta", clock, 1, 3, 0.0, channel="votes", width=60, expected=0.0)
    world.explain("22:20")
    world.explain("22:25")
    raised = findings.read_alarms(replace(read[-1], known={}), ALARM).levels
    assert read[-1].since < at("09:00"), "the notice is still open"
    starts = {key.channel: [point.start for point in raised[key] if point.score >= ALARM] for key in raised}
    assert starts == {"complaints": [at("09:00"), at("22:00")], "votes": [at("22:00")]}, "and its own alarm stays"


def test_reports_long_after_an_unusual_count_wake_nobody(store: Store) -> None:
    world = World(store, ("delta",))
    world.bins("delta", "08:15", 1, 41, 5.5, width=QUARTER)
    world.people("delta", "11:31", ["delta is down"])
    assert not anything_to_explain(store, at("11:30"))


def test_counts_near_another_services_alarm_stand_alone() -> None:
    posts = {COUNTS: [point("15:15", 41, 5.5, 9.7)], REDDIT: reports("15:31", "15:32", "15:33")}
    assert with_joint_alarms(posts, ALARM)
    for other in ("13:15", "14:00", "15:15"):
        assert not with_joint_alarms(posts, ALARM, [at(other)])
    for other in ("13:00", "15:30"):  # long before, and what came later takes nothing back
        assert with_joint_alarms(posts, ALARM, [at(other)])


@pytest.mark.parametrize(
    ("since", "until", "stands"), [("15:15", "15:40", True), ("15:16", "15:40", False), ("14:00", "15:14", False)]
)
def test_neither_more_reports_nor_another_failure_take_back_what_a_message_says(
    since: str, until: str, stands: bool
) -> None:
    sent = [Span(at(since), at(until))]
    late = {COUNTS: [point("15:15", 41, 5.5, 9.7)], REDDIT: [*reports("15:31", "15:32"), point("15:33", 2, 0.0)]}
    assert not with_joint_alarms(late, ALARM)
    assert bool(with_joint_alarms(late, ALARM, sent=sent)) is stands
    few = {COUNTS: [point("15:15", 41, 5.5, 9.7)], REDDIT: reports("15:31", "15:32", "15:33")}
    assert bool(with_joint_alarms(few, ALARM, [at("14:00")], sent)) is stands


def test_of_what_a_message_says_reports_on_a_busy_network_take_nothing_from_those_on_a_quiet_one() -> None:
    busy = [point(f"15:{minute}", 1, 0.0, 5.0) for minute in range(20, 33)]
    levels = {
        COUNTS: [point("15:15", 41, 5.5, 9.7)],
        REDDIT: [*reports("15:31", "15:32"), point("15:33", 2, 0.0)],
        BLUESKY: busy,
    }
    assert with_joint_alarms(levels, ALARM, sent=[Span(at("15:15"), at("15:40"))])


@pytest.mark.parametrize("score", [0.0, 4.0], ids=["much is said", "less than is needed"])
def test_a_report_that_is_read_late_takes_no_alarm_back_that_was_sent(store: Store, score: float) -> None:
    world = World(store, ("delta",))
    world.read("08:00", "12:00")
    world.bins("delta", "11:15", 1, 41, 5.5, width=QUARTER)
    world.people("delta", "11:33", [f"delta is down, gate {n}" for n in range(3)])
    world.bins("delta", "11:33", 1, 3, 0.0, channel="votes", width=60, expected=0.0)
    world.explain("11:40")
    world.bins("delta", "11:33", 1, 4, score, channel="votes", width=60, expected=0.0, judged=at("11:50"))
    for clock in ("11:50", "11:55"):
        world.explain(clock)
        (incident,) = world.all().values()
        assert (incident.active, world.mails(incident.id)) == (True, ["opened"])
    steps = decision_trace(store, world.config, CATALOGUE["delta"], at("11:55"), at("11:55"), ALARM)
    assert [s for s in steps if s.words.startswith("counts and posts together")]
    world.read("12:00", "14:00")
    world.bins("delta", "11:30", 10, 9, 0.0, width=QUARTER)
    world.explain("14:00")
    assert world.mails(incident.id) == ["opened", "over"]


def test_a_report_that_was_read_in_time_is_judged_as_before(store: Store) -> None:
    world = World(store, ("delta",))
    world.read("08:00", "12:00")
    world.bins("delta", "11:15", 1, 41, 5.5, width=QUARTER)
    world.bins("delta", "11:33", 1, 4, 4.0, channel="votes", width=60, expected=0.0)
    world.explain("11:40")
    assert world.all() == {}


def test_another_failure_that_is_counted_late_takes_no_alarm_back_that_was_sent(store: Store) -> None:
    world = World(store, ("delta",))
    world.read("08:00", "12:00")
    world.bins("delta", "11:15", 1, 41, 5.5, width=QUARTER)
    world.bins("delta", "11:33", 1, 3, 0.0, channel="votes", width=60, expected=0.0)
    world.explain("11:40")
    world.bins("github", "11:00", 1, 60, 20.0, width=QUARTER, judged=at("11:50"))
    world.explain("11:50")
    (incident,) = [incident for incident in world.all().values() if incident.service == "delta"]
    assert (incident.active, world.mails(incident.id)) == (True, ["opened"])


def test_reports_that_alarm_by_themselves_support_no_count() -> None:
    posts = [*reports("15:30", "15:31", "15:32"), point("15:33", 1, 20.0)]
    counted = [point("15:15", 41, 3.2, 9.7)]
    assert with_joint_alarms({COUNTS: counted, REDDIT: posts}, ALARM) == {}
