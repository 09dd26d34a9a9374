"""What stood out on a replayed day is looked at once, alarm or not, with what was known then."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.evaluation.day_candidates import day_looks
from pipeline.evaluation.onset import _of_days
from pipeline.replay.truth import TrueOutage, Truth
from pipeline.store import Store
from tests.world import World, at

OUTAGE = TrueOutage("github", at("11:00"), at("13:00"))


@pytest.fixture
def world(store: Store) -> World:
    world = World(store, ("github",))
    world.bins("github", "09:00", 24, 5, 0.5)
    world.bins("github", "11:00", 6, 60, 20)
    world.people("github", "11:03", ["it is down here"] * 7)
    world.bins("github", "11:30", 66, 5, 0.5)
    world.bins("github", "17:00", 2, 9, 4)
    world.bins("github", "17:10", 20, 5, 0.5)
    return world


def test_a_candidate_below_the_alarm_is_looked_at_too_and_each_once(world: World) -> None:
    looks = day_looks(world.store, Truth(outages=(OUTAGE,)), ("github",), at("08:00"), at("20:00"))
    assert [(look.at, look.real) for look in looks] == [(at("11:05"), True), (at("17:05"), False)]
    assert [look.signals.voters for look in looks] == [55, 4], "what the counter had above the usual by then"
    assert looks[0].signals.minutes == pytest.approx(5)
    assert looks[1].signals.loudest < 0


def test_what_stands_out_late_in_an_outage_is_no_candidate(world: World) -> None:
    late = OUTAGE._replace(onset=at("11:00"), end=at("15:30"))
    looks = day_looks(world.store, Truth(outages=(late,)), ("github",), at("08:00"), at("20:00"))
    assert [look.at for look in looks] == [at("11:05")]
    early = OUTAGE._replace(onset=at("11:30"))
    (first, _) = day_looks(world.store, Truth(outages=(early,)), ("github",), at("08:00"), at("20:00"))
    assert first.real, "half an hour before the true onset"
    later = OUTAGE._replace(onset=at("11:30") + timedelta(minutes=10), end=at("13:00"))
    (first, _) = day_looks(world.store, Truth(outages=(later,)), ("github",), at("08:00"), at("20:00"))
    assert not first.real


def test_the_skill_on_days_is_given_with_its_range() -> None:
    (head, *_) = _of_days("candidates", [(0.9, True), (0.1, False)] * 5, 2)
    assert head.startswith(
        "replayed days (2): 10 candidates, 0.50 real; Brier score 0.010, base rate 0.250, skill 0.96"
    )
    assert "(90 % range 0.9" in head
