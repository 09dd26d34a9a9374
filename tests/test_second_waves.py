"""A second wave within an open incident is one message: what counts as one, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pipeline.core.vocabulary import (
    Impact,
    PhaseName,
    Transition,
)
from pipeline.notify.policy import Rise, next_transition
from pipeline.store.outbox import alerts_of
from tests.copies import replace
from tests.policy_inputs import BEGAN, EASING, HOUR, INCIDENT, MINUTE, POLICY, SECOND, message, messages
from tests.world import World


def test_a_second_wave_inside_an_open_incident_is_told_once(world: World) -> None:
    world.page("github", "A", "11:00", "investigating", "major")
    world.explain("11:05")
    world.page("github", "B", "13:00", "investigating", "minor")
    for clock in ("13:05", "13:10", "13:15", "13:20", "13:40", "14:30"):
        world.explain(clock)
    # hours later people report it again, while both notices stand
    world.bins("github", "17:00", 6, 80, 60)
    for clock in ("17:10", "17:30", "18:10"):
        world.explain(clock)
    (incident,) = world.all()
    sent = [(a.transition, a.created.strftime("%H:%M")) for a in alerts_of(world.store, incident)]
    assert sent == [("opened", "11:05"), ("worse_again", "13:15"), ("worse_again", "17:10")]
    assert "worse again" in alerts_of(world.store, incident)[-1].subject


def test_a_second_notice_that_is_resolved_already_is_no_second_wave(world: World) -> None:
    world.page("github", "A", "11:00", "investigating", "major")
    world.explain("11:05")
    world.page("github", "B", "13:00", "investigating", "major")
    world.page("github", "B", "13:10", "resolved", "major")
    for clock in ("13:20", "13:40"):
        world.explain(clock)
    (incident,) = world.all()
    assert world.mails(incident) == ["opened"]


def test_a_rise_among_the_members_of_a_shared_failure_is_a_second_wave_of_it(world: World) -> None:
    for minute, name in enumerate(("huggingface", "vercel", "heroku")):
        world.page(name, name, f"11:0{minute}", "investigating", "major")
    world.explain("11:05")
    (group,) = [i for i in world.all().values() if i.is_group]
    world.bins("heroku", "15:00", 6, 80, 60)
    for clock in ("15:10", "15:30"):
        world.explain(clock)
    assert [(a.transition, a.created.strftime("%H:%M")) for a in alerts_of(world.store, group.id)] == [
        ("opened", "11:05"),
        ("worse_again", "15:10"),
    ]


def notice(after: timedelta, impact: Impact = Impact.LOW) -> Rise:
    return Rise(since=BEGAN + after, impact=impact, by_provider=True)


def rise(after: timedelta, impact: Impact = Impact.MODERATE) -> Rise:
    return Rise(since=BEGAN + after, impact=impact, by_provider=False)


@pytest.mark.parametrize(
    ("began", "waited", "said", "again"),
    [
        (notice(HOUR + SECOND), HOUR + SECOND + 15 * MINUTE, {}, True),
        (notice(HOUR + SECOND), HOUR + 15 * MINUTE, {}, False),  # a lesser one waits for others
        (notice(HOUR + SECOND, Impact.HIGH), HOUR + SECOND, {}, True),  # a grave one does not
        (notice(HOUR), 2 * HOUR, {}, False),  # a message an hour old says as much
        (notice(30 * MINUTE, Impact.HIGH), 30 * MINUTE, {}, True),  # but not of something worse
        (notice(30 * MINUTE, Impact.HIGH), 30 * MINUTE, {"impact": Impact.CRITICAL}, False),
        (notice(30 * MINUTE), 45 * MINUTE, {"transition": Transition.EASING}, True),
        (notice(-SECOND, Impact.HIGH), 9 * HOUR, {}, False),  # the message knew of it
        (rise(2 * HOUR), 2 * HOUR, {}, True),
        (rise(2 * HOUR - SECOND), 3 * HOUR, {}, False),
        (rise(2 * HOUR, Impact.LOW), 3 * HOUR, {}, False),
        (rise(20 * MINUTE), 20 * MINUTE, {"transition": Transition.EASING}, True),
    ],
)
@pytest.mark.parametrize("sent", [1, 4])
def test_a_second_wave_is_told_once_also_at_the_highest_impact(
    began: Rise, waited: timedelta, said: dict[str, Any], again: bool, sent: int
) -> None:
    past = [*messages(sent - 1, impact=Impact.CRITICAL), message(BEGAN, **said)]
    incident = replace(INCIDENT, impact=said.get("impact", Impact.LOW))
    expected = Transition.WORSE_AGAIN if again else None
    assert next_transition(incident, past, POLICY, BEGAN + waited, [began]) is expected
    past.append(message(BEGAN + waited, Transition.WORSE_AGAIN, impact=incident.impact))
    assert next_transition(incident, past, POLICY, BEGAN + waited + HOUR, [began]) is None


@pytest.mark.parametrize(("sent", "again"), [(4, True), (5, False)])
def test_after_five_messages_in_a_day_a_rise_of_reports_is_no_second_wave_and_a_notice_is(
    sent: int, again: bool
) -> None:
    past = messages(sent)
    expected = Transition.WORSE_AGAIN if again else None
    assert next_transition(INCIDENT, past, POLICY, BEGAN + 3 * HOUR, [rise(3 * HOUR)]) is expected
    assert next_transition(INCIDENT, past, POLICY, BEGAN + 4 * HOUR, [notice(3 * HOUR)]) is Transition.WORSE_AGAIN
    assert next_transition(INCIDENT, past, POLICY, BEGAN + 25 * HOUR, [rise(24 * HOUR)]) is Transition.WORSE_AGAIN


def test_two_notices_that_come_together_are_one_message() -> None:
    both = [notice(5 * HOUR), notice(5 * HOUR + 14 * MINUTE)]
    told = BEGAN + 5 * HOUR + 15 * MINUTE
    assert next_transition(INCIDENT, messages(4), POLICY, told - SECOND, both) is None
    assert next_transition(INCIDENT, messages(4), POLICY, told, both) is Transition.WORSE_AGAIN
    past = [*messages(4), message(told, Transition.WORSE_AGAIN)]
    assert next_transition(INCIDENT, past, POLICY, told + HOUR, both) is None


def test_what_eased_and_is_worse_for_a_while_is_told() -> None:
    eased = [message(BEGAN - HOUR, impact=Impact.CRITICAL), message(BEGAN, Transition.EASING, impact=Impact.CRITICAL)]
    peak = replace(EASING, phase=PhaseName.PEAK, since=BEGAN - 2 * HOUR)
    again = replace(INCIDENT, impact=Impact.CRITICAL, phases=(peak,))
    assert next_transition(again, eased, POLICY, BEGAN + 15 * MINUTE - SECOND) is None
    assert next_transition(again, eased, POLICY, BEGAN + 15 * MINUTE) is Transition.WORSE_AGAIN
    assert next_transition(replace(again, phases=(EASING,)), eased, POLICY, BEGAN + 5 * HOUR) is None
