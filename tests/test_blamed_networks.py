"""A network that people blame for another service's failure: when it is held, why, until when, and what sends it."""

from __future__ import annotations

import logging

import pytest

from pipeline.core.incidents import Evidence, Incident
from pipeline.core.vocabulary import EvidenceKind, State
from pipeline.incidents.attention import overshadowing
from pipeline.incidents.holds import Hold, HoldReason
from pipeline.reports.decision_trace import decision_trace
from pipeline.store import Store
from pipeline.store.verdicts import verdicts
from tests.copies import replace
from tests.world import ALARM, CATALOGUE, MATCHER, World, at

# World expects 5 of every bin


def of(world: World, name: str) -> Incident:
    return next(i for i in world.all().values() if i.service == name)


def hold(world: World, network: Incident, other: Incident) -> Hold | None:
    levels = verdicts(world.store, at("08:00"), at("23:00"), minimum=ALARM)
    return overshadowing(network, [other], CATALOGUE, [], MATCHER.entities, levels)


def why(world: World, clock: str) -> str:
    return decision_trace(world.store, world.config, CATALOGUE["verizon"], at(clock), at(clock), ALARM)[-1].words


@pytest.fixture
def world(store: Store) -> World:
    return World(store, ("facebook", "verizon"))


@pytest.mark.parametrize(
    ("count", "held_back"), [(80, True), (405, True), (406, False)], ids=["few", "a tenth", "more than a tenth"]
)
def test_a_network_is_not_sent_while_ten_times_as_many_report_what_its_customers_use(
    world: World, count: float, held_back: bool
) -> None:
    world.bins("facebook", "11:00", 6, 4005, 300)
    world.bins("verizon", "11:10", 3, count, 60)
    world.bins("verizon", "11:10", 3, 6, 20, channel="votes")
    world.explain("11:30")
    loud, network = of(world, "facebook"), of(world, "verizon")
    assert network.state is State.LIKELY
    assert world.mails(network.id) == ([] if held_back else ["opened"])
    expected = Hold(loud, HoldReason.OUTNUMBERED) if held_back else None
    assert hold(world, network, loud) == expected
    assert hold(world, replace(network, state=State.CONFIRMED), loud) == expected, "by reports"
    assert hold(world, replace(network, service="netflix"), loud) is None, "no network"
    assert hold(world, network, replace(loud, service="comcast")) is None, "two networks"
    notice = Evidence(kind=EvidenceKind.OFFICIAL, at=at("11:20"), statement="its provider says so", rows=())
    assert hold(world, replace(network, evidence=(*network.evidence, notice)), loud) is None


def test_complaints_are_compared_with_complaints_and_posts_with_posts(world: World) -> None:
    world.bins("facebook", "11:00", 6, 4005, 300)
    world.bins("verizon", "11:10", 3, 6, 20, channel="votes")
    world.explain("11:30")
    loud, network = of(world, "facebook"), of(world, "verizon")
    assert hold(world, network, loud) == Hold(loud, HoldReason.POSTS_ALONE)
    world.bins("facebook", "11:00", 6, 6, 60, channel="votes")  # as many post about either
    world.explain("11:31")
    assert hold(world, network, of(world, "facebook")) == Hold(of(world, "facebook"), HoldReason.POSTS_ALONE)
    world.bins("facebook", "11:00", 6, 5.9, 60, channel="votes")
    assert hold(world, network, of(world, "facebook")) is None, "more post about the network"


@pytest.mark.parametrize(("others", "reason"), [(14, None), (15, HoldReason.OUTNUMBERED)])
def test_where_nobody_files_complaints_posts_are_compared_with_posts(
    world: World, others: float, reason: HoldReason | None
) -> None:
    world.bins("facebook", "11:00", 6, others, 400, channel="votes")  # 9 or 10 above the usual
    world.bins("verizon", "11:10", 3, 6, 20, channel="votes")  # 1 above
    world.explain("11:30")
    loud = of(world, "facebook")
    assert hold(world, of(world, "verizon"), loud) == (Hold(loud, reason) if reason else None)


def test_complaints_of_a_network_are_not_weighed_against_posts_about_another_service(world: World) -> None:
    world.bins("facebook", "11:00", 6, 4005, 300, channel="votes")
    world.bins("verizon", "11:10", 3, 80, 60)
    world.explain("11:30")
    assert world.mails(of(world, "verizon").id) == ["opened"]


@pytest.mark.parametrize(("a_minute", "held_back"), [(25, True), (26, False)])
def test_counts_of_different_widths_are_compared_in_the_same_span(
    world: World, a_minute: float, held_back: bool
) -> None:
    world.bins("facebook", "11:00", 2, 3005, 300, width=900)  # 200 a minute above the usual
    world.bins("verizon", "11:10", 20, a_minute, 60, width=60)  # 20 or 21 a minute above
    world.explain("11:30")
    assert (world.mails(of(world, "verizon").id) == []) is held_back


def test_a_network_is_weighed_against_the_newest_count_where_none_of_its_own_time_is_there_yet(world: World) -> None:
    world.bins("facebook", "10:45", 1, 30005, 300, width=900)
    world.bins("verizon", "11:00", 5, 85, 60, width=60)  # 80 a minute above the usual, of 2,000
    world.explain("11:06")
    assert world.mails(of(world, "verizon").id) == []


@pytest.mark.parametrize(
    ("many", "count", "channel", "messages"),
    [
        (3, 500, "complaints", ["opened"]),
        (2, 500, "complaints", []),
        (3, 499, "complaints", []),
        (3, 500, "votes", []),
    ],
    ids=["for 15 minutes", "for 10 minutes", "less than a hundred times", "posts"],
)
def test_a_network_whose_own_complaints_are_a_hundred_times_the_usual_is_sent(
    world: World, many: int, count: float, channel: str, messages: list[str]
) -> None:
    world.bins("facebook", "11:00", 6, 20000, 300, channel=channel)
    world.bins("facebook", "11:00", 6, 20000, 300)
    world.bins("verizon", "11:10", many, count, 60, channel=channel)
    world.explain("11:30")
    assert world.mails(of(world, "verizon").id) == messages


@pytest.mark.parametrize(
    ("after", "messages"),
    [(25, []), (104, []), (105, ["opened"]), (205, ["opened"])],
    ids=["a tail", "less than half", "half", "as before"],
)
def test_a_network_blamed_until_the_other_is_over_is_judged_by_what_comes_after(
    world: World, after: float, messages: list[str]
) -> None:
    world.bins("facebook", "11:00", 12, 4005, 300)
    world.bins("facebook", "12:00", 36, 5, 3)  # counted, and as usual
    world.bins("verizon", "11:05", 11, 205, 300)  # 200 above the usual
    world.bins("verizon", "12:00", 36, after, 60)
    for clock in ("11:30", "12:30"):
        world.explain(clock)
        assert world.mails(of(world, "verizon").id) == []
    world.explain("15:00")
    loud, network = of(world, "facebook"), of(world, "verizon")
    assert (loud.active, loud.end, network.active) == (False, at("12:00"), True)
    assert world.mails(network.id) == messages


def test_the_log_and_why_say_what_holds_a_network_and_until_when(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.bins("facebook", "11:00", 12, 4005, 300)
    world.bins("verizon", "11:05", 11, 205, 300)
    world.bins("facebook", "12:00", 48, 5, 3)
    world.bins("verizon", "12:00", 48, 205, 300)
    with caplog.at_level(logging.INFO, logger="pipeline"):
        world.explain("11:30")
    reason = "at least 10 times as many people report Facebook"
    assert reason in caplog.text
    assert "posts" not in caplog.text
    assert reason in why(world, "11:30")
    for clock in ("13:20", "13:30"):
        world.explain(clock)
    assert world.mails(of(world, "verizon").id) == ["opened"]
    for clock in ("11:30", "12:30", "13:20"):
        assert reason in why(world, clock)
        assert "it was held until 2026-03-02T13:30:00Z" in why(world, clock)
        assert "posts" not in why(world, clock)
    assert why(world, "13:30").startswith("it wrote a message at 2026-03-02T13:30:00Z")


def test_why_says_of_a_network_whose_reports_fell_when_the_other_was_over(world: World) -> None:
    world.bins("facebook", "11:00", 12, 4005, 300)
    world.bins("facebook", "12:00", 36, 5, 3)
    world.bins("verizon", "11:05", 11, 205, 300)
    world.bins("verizon", "12:00", 36, 25, 60)
    world.explain("11:30")
    world.explain("15:00")
    reason = "people blamed it while Facebook failed, until 12:00 UTC, and since then fewer than half as many report it"
    assert reason in why(world, "15:00")


def test_networks_that_are_blamed_for_another_failure_make_no_shared_failure_with_it(store: Store) -> None:
    networks = ("verizon", "tmobile_us", "att")
    world = World(store, ("facebook", *networks))
    world.bins("facebook", "11:00", 6, 40050, 300)
    for network in networks:
        world.bins(network, "11:10", 3, 405, 300)
        world.bins(network, "11:10", 3, 6, 60, channel="votes")
    world.explain("11:30")
    assert {i.service: world.mails(i.id) for i in world.all().values()} == {
        "facebook": ["opened"],
        "verizon": [],
        "tmobile_us": [],
        "att": [],
    }
    assert not [i for i in world.all().values() if i.is_group]
