"""Posts alone are not sent while complaints about the service are counted and do not rise."""

from __future__ import annotations

import pytest

from pipeline.incidents.counts_usual import IN_WORDS
from pipeline.reports.decision_trace import decision_trace
from pipeline.store import Store
from tests.world import ALARM, CATALOGUE, World, at

# World expects 5 of every bin


@pytest.fixture
def world(store: Store) -> World:
    world = World(store, ("netflix",))
    world.read("10:00", "11:20")
    world.bins("netflix", "11:00", 3, 6, 20, channel="votes")
    world.people("netflix", "11:00", [f"netflix is down, {n} screens" for n in range(18)])
    return world


def mails(world: World) -> list[str]:
    return [mail for incident in world.all() for mail in world.mails(incident)]


def test_posts_without_a_counter_are_sent(world: World) -> None:
    world.explain("11:20")
    assert mails(world) == ["opened"]


@pytest.mark.parametrize(
    ("count", "score", "sent"),
    [(6, 0.4, []), (9, 4.4, []), (10, 4.6, ["opened"]), (0, 0.0, ["opened"])],
    ids=["usual", "hardly more", "half of an alarm", "a dead counter"],
)
def test_posts_are_sent_once_complaints_rise_or_are_no_longer_counted(
    world: World, count: float, score: float, sent: list[str]
) -> None:
    world.bins("netflix", "11:00", 3, count, score)
    world.explain("11:20")
    assert mails(world) == sent
    steps = decision_trace(world.store, world.config, CATALOGUE["netflix"], at("11:20"), at("11:20"), ALARM)
    assert [IN_WORDS in step.words for step in steps if step.name == "held"] == ([] if sent else [True])


@pytest.mark.parametrize(
    ("counts", "sent"),
    [((12, 13), ["opened"]), ((6, 13), []), ((13, 6), [])],
    ids=["twice the expected in a row", "once", "no more"],
)
def test_posts_are_sent_once_complaints_are_twice_the_expected_in_two_intervals(
    world: World, counts: tuple[int, int], sent: list[str]
) -> None:
    world.bins("netflix", "11:05", 1, counts[0], 2.0)
    world.bins("netflix", "11:10", 1, counts[1], 3.0)
    world.explain("11:20")
    assert mails(world) == sent


def test_two_intervals_at_twice_the_expected_with_a_gap_between_are_no_rise(world: World) -> None:
    world.bins("netflix", "11:00", 1, 12, 2.0)
    world.bins("netflix", "11:10", 1, 13, 3.0)
    world.explain("11:20")
    assert mails(world) == []


def test_counts_of_before_the_onset_and_old_ones_hold_nothing_back(world: World) -> None:
    world.bins("netflix", "10:50", 2, 6, 0.4)
    world.explain("11:20")
    assert mails(world) == ["opened"]


def test_what_the_provider_confirms_is_sent_whatever_is_counted(world: World) -> None:
    world.bins("netflix", "11:00", 3, 6, 0.4)
    world.page("netflix", "n1", "11:05", "investigating", "major")
    world.explain("11:20")
    assert mails(world)


def test_services_that_posts_alone_report_make_no_shared_failure_while_their_complaints_are_usual(store: Store) -> None:
    services = ("claude", "cursor", "huggingface", "perplexity")  # all run on AWS
    world = World(store, services)
    world.read("10:00", "11:20")
    for service in services:
        world.bins(service, "11:00", 3, 6, 20, channel="votes")
        world.people(service, "11:00", [f"{service} is down, {n} chats" for n in range(18)])
        world.bins(service, "11:00", 3, 6, 0.4)
    world.explain("11:20")
    assert (len(world.all()), mails(world)) == (4, [])
