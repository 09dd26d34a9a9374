"""Each documented bound of when a message is sent, held just below and just above it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from pipeline.core.incidents import GROUP
from pipeline.core.vocabulary import (
    Impact,
    PhaseName,
    State,
    Transition,
)
from pipeline.notify.policy import newly_affected, next_gap, next_transition
from tests.copies import replace
from tests.policy_inputs import BEGAN, EASING, HOUR, INCIDENT, MINUTE, POLICY, SECOND, message, messages, span


@pytest.mark.parametrize(
    ("change", "transition"),
    [
        ({}, Transition.OPENED),
        ({"probability": 0.05}, Transition.OPENED),
        ({"probability": 0.0499}, None),
        ({"opened_at": BEGAN - SECOND}, Transition.UNDER_WAY),
        ({"active": False}, None),
        ({"phases": (EASING,)}, Transition.OPENED),
        ({"phases": (replace(EASING, phase=PhaseName.OVER),)}, None),
    ],
)
def test_a_first_message_needs_an_open_and_probable_incident(
    change: dict[str, Any], transition: Transition | None
) -> None:
    assert next_transition(replace(INCIDENT, **change), [], POLICY, BEGAN) is transition


@pytest.mark.parametrize("least", ["possible", "likely", "confirmed"])
@pytest.mark.parametrize("state", [State.POSSIBLE, State.LIKELY, State.CONFIRMED])
def test_a_first_message_waits_for_the_least_state(least: str, state: State) -> None:
    found = next_transition(replace(INCIDENT, state=state), [], replace(POLICY, from_state=least), BEGAN)
    assert (found is Transition.OPENED) is (state.rank >= State(least).rank)


@pytest.mark.parametrize(
    ("change", "transition"),
    [
        ({"state": State.CONFIRMED}, Transition.CONFIRMED),
        ({"impact": Impact.CRITICAL}, Transition.WORSE),
        ({"components": (span("web", "votes"),)}, Transition.COMPONENT_ADDED),
        ({"impact": Impact.HIGH}, Transition.WORSE),
    ],
    ids=["confirmed", "critical", "component", "worse"],
)
def test_what_follows_a_first_message_waits_for_the_group_interval(
    change: dict[str, Any], transition: Transition
) -> None:
    incident = replace(INCIDENT, **change)
    assert next_transition(incident, messages(1), POLICY, BEGAN + 15 * MINUTE - SECOND) is None
    assert next_transition(incident, messages(1), POLICY, BEGAN + 15 * MINUTE) is transition


def test_a_further_part_waits_for_an_hour_and_goes_with_what_becomes_critical_before() -> None:
    first, second = span("web", "official"), span("api", "official")
    past = [message(BEGAN, affected=("web",))]
    more = replace(INCIDENT, components=(first, second))
    assert next_transition(more, past, POLICY, BEGAN + 60 * MINUTE - SECOND) is None
    assert next_transition(more, past, POLICY, BEGAN + 60 * MINUTE) is Transition.COMPONENT_ADDED
    critical = replace(more, impact=Impact.CRITICAL)
    assert next_transition(critical, past, POLICY, BEGAN + 20 * MINUTE) is Transition.WORSE


def test_an_end_and_a_return_wait_for_nothing() -> None:
    over = [message(BEGAN, Transition.OVER)]
    assert next_transition(replace(INCIDENT, active=False), messages(1), POLICY, BEGAN) is Transition.OVER
    assert next_transition(replace(INCIDENT, active=False), over, POLICY, BEGAN + timedelta(days=9)) is None
    assert next_transition(INCIDENT, over, POLICY, BEGAN) is Transition.REOPENED


@pytest.mark.parametrize(("sent", "minutes"), [(1, 15), (2, 30), (3, 60), (4, 120), (5, 240), (6, 240), (60, 240)])
def test_the_gap_doubles_with_each_message_up_to_its_maximum(sent: int, minutes: int) -> None:
    assert next_gap(sent, POLICY) == minutes * MINUTE


@pytest.mark.parametrize(("sent", "minutes"), [(1, 15), (2, 30), (3, 60), (4, 120)])
def test_routine_news_waits_for_the_gap_of_the_messages_so_far(sent: int, minutes: int) -> None:
    worse = replace(INCIDENT, impact=Impact.HIGH)
    assert next_transition(worse, messages(sent), POLICY, BEGAN + minutes * MINUTE - SECOND) is None
    assert next_transition(worse, messages(sent), POLICY, BEGAN + minutes * MINUTE) is Transition.WORSE


@pytest.mark.parametrize(("sent", "routine"), [(4, True), (5, False), (6, False)])
def test_after_five_messages_only_urgent_ones_are_sent(sent: int, routine: bool) -> None:
    late = BEGAN + timedelta(days=2)
    past = messages(sent)
    worse, easing = replace(INCIDENT, impact=Impact.HIGH), replace(INCIDENT, phases=(EASING,))
    assert next_transition(worse, past, POLICY, late) is (Transition.WORSE if routine else None)
    critical = messages(sent, impact=Impact.CRITICAL)
    assert next_transition(easing, critical, POLICY, late) is None
    assert next_transition(easing, critical[:3], POLICY, late) is Transition.EASING
    assert next_transition(easing, past, POLICY, late) is None, "of what was never critical only the end is news"
    for change, transition in (
        ({"impact": Impact.CRITICAL}, Transition.WORSE),
        ({"state": State.CONFIRMED}, Transition.CONFIRMED),
        ({"components": (span("web", "official"),)}, Transition.COMPONENT_ADDED),
        ({"active": False}, Transition.OVER),
    ):
        assert next_transition(replace(INCIDENT, **change), past, POLICY, late) is transition


def test_a_reminder_comes_at_the_repeat_interval_however_many_were_sent() -> None:
    policy = replace(POLICY, repeat_interval=timedelta(hours=2))
    for sent in (1, 7):
        assert next_transition(INCIDENT, messages(sent), policy, BEGAN + timedelta(hours=2) - SECOND) is None
        assert next_transition(INCIDENT, messages(sent), policy, BEGAN + timedelta(hours=2)) is Transition.REMINDER
    assert next_transition(INCIDENT, messages(1), POLICY, BEGAN + timedelta(days=9)) is None, "0: never"


def test_what_was_critical_before_is_no_urgent_news() -> None:
    past = [message(BEGAN - SECOND, impact=Impact.CRITICAL), *messages(4)]
    critical = replace(INCIDENT, impact=Impact.CRITICAL)
    assert next_transition(critical, past, POLICY, BEGAN + timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("named", "source", "new"),
    [
        ([()], "votes", ["web"]),
        ([("web",)], "votes", []),
        ([("web",), ()], "votes", []),
        ([("web",), ()], "official", ["web"]),
        ([(), ("web",)], "official", []),
    ],
)
def test_a_component_is_news_once_and_after_hours_where_the_page_lists_it_again(
    named: Sequence[tuple[str, ...]], source: str, new: list[str]
) -> None:
    past = [message(BEGAN + n * SECOND, affected=parts) for n, parts in enumerate(named)]
    incident = replace(INCIDENT, components=(span("web", source),))
    assert newly_affected(incident, past, BEGAN + 6 * HOUR) == new
    if new and any(named):
        assert newly_affected(incident, past, BEGAN + 6 * HOUR - SECOND) == []


def test_a_part_that_only_people_name_is_no_news_once_anything_has_confirmed() -> None:
    incident = replace(INCIDENT, components=(span("web", "votes"),), state=State.LIKELY)
    assert newly_affected(incident, [message(BEGAN)], BEGAN) == ["web"]
    incident = replace(incident, state=State.CONFIRMED)
    assert newly_affected(incident, [message(BEGAN)], BEGAN) == [], "confirmed by reports"
    group = replace(incident, id=f"svc{GROUP}")
    assert newly_affected(group, [message(BEGAN)], BEGAN) == ["web"], "a service that joins a shared failure is news"
    assert newly_affected(replace(incident, official_first_at=BEGAN), [message(BEGAN)], BEGAN) == []
