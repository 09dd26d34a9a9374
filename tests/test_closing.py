"""When an incident is over: soon after a single failure, later where it came back, and by service for shared ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.config.settings import Alerts
from pipeline.core.alert_facts import AlertFacts
from pipeline.core.vocabulary import Transition
from pipeline.evaluation.days.entries import EntryKind
from pipeline.evaluation.days.replayed import entries_of
from pipeline.store import Store
from pipeline.store.outbox import alerts_of, mark_sent
from tests.copies import replace
from tests.world import World

SHARED = ("huggingface", "vercel", "heroku")
JOINING = ("slack", "zoom", "notion", "figma")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Store(tmp_path / "w.db") as store:
        made = World(store, ("github", *SHARED, *JOINING))
        alerts = Alerts(
            channels=("file",),
            quiet_to_close=timedelta(minutes=60),
            quiet_to_close_after_relapse=timedelta(minutes=150),
        )
        made.config = replace(made.config, alerts=alerts)
        yield made


def sent(world: World, incident: str) -> list[tuple[str, str]]:
    return [(a.transition.value, a.created.strftime("%H:%M")) for a in alerts_of(world.store, incident)]


def notice(world: World, service: str, name: str, since: str, until: str, day: int = 2) -> None:
    world.page(service, name, since, "investigating", "major", day)
    world.explain(since, day)
    world.page(service, name, until, "resolved", "major", day)


def test_a_single_failure_is_over_after_an_hour(world: World) -> None:
    notice(world, "github", "A", "11:00", "11:30")
    for clock in ("12:25", "12:30"):
        world.explain(clock)
    (incident,) = world.all()
    assert sent(world, incident) == [("opened", "11:00"), ("over", "12:30")]


def test_what_came_back_has_to_be_quiet_for_longer(world: World) -> None:
    notice(world, "github", "A", "11:00", "11:30")
    world.explain("12:30")
    notice(world, "github", "B", "13:00", "13:10")
    for clock in ("14:10", "15:35", "15:40"):
        world.explain(clock)
    (incident,) = world.all()
    assert sent(world, incident) == [("opened", "11:00"), ("over", "12:30"), ("reopened", "13:00"), ("over", "15:40")]


def test_a_notice_after_another_is_a_relapse_even_where_no_time_lies_between_them(world: World) -> None:
    notice(world, "github", "A", "11:00", "11:30")
    notice(world, "github", "B", "11:30", "12:00")
    for clock in ("13:00", "14:25", "14:30"):
        world.explain(clock)
    (incident,) = world.all()
    assert sent(world, incident)[-1] == ("over", "14:30")


@pytest.mark.parametrize(("next_day", "over"), [("11:20", "13:50"), ("11:35", "12:40")])
def test_within_a_day_of_another_incident_it_has_to_be_quiet_for_longer(world: World, next_day: str, over: str) -> None:
    notice(world, "github", "A", "11:00", "11:30")
    world.explain("12:30")
    end = "11:20" if next_day == "11:20" else "11:40"
    notice(world, "github", "B", next_day, end, day=3)
    for clock in ("12:20", "12:40", "13:50", "14:10"):
        world.explain(clock, 3)
    incident = max(world.all())
    assert sent(world, incident)[-1] == ("over", over)


def test_services_of_a_shared_failure_are_over_while_one_still_fails(world: World) -> None:
    for name in SHARED:
        world.page(name, name, "11:00", "investigating", "major")
    world.explain("11:05")
    for name in SHARED[:2]:
        world.page(name, name, "12:00", "resolved", "major")
    for clock in ("12:55", "13:00", "13:30"):
        world.explain(clock)
    world.page("heroku", "heroku", "16:00", "resolved", "major")
    for clock in ("16:30", "17:00"):
        world.explain(clock)
    (group,) = [i for i in world.all().values() if i.is_group]
    assert sent(world, group.id) == [("opened", "11:05"), ("easing", "13:00"), ("over", "17:00")]
    easing = alerts_of(world.store, group.id)[1]
    assert isinstance(easing.facts, AlertFacts)
    assert sorted(easing.facts.restored) == ["huggingface", "vercel"]
    assert "2 of 3 services restored (still failing: Heroku" in easing.subject
    for alert in alerts_of(world.store):
        mark_sent(world.store, alert, alert.created)
    ends = [(e.at.strftime("%H:%M"), e.services) for e in entries_of(world.store, "d") if e.kind is EntryKind.OVER]
    assert ends[0] == ("13:00", ("huggingface", "vercel"))
    assert ends[-1] == ("17:00", ("aws", "heroku"))  # AWS is what they are filed under


def test_a_service_that_joins_a_shared_failure_waits_five_minutes_and_later_a_quarter_of_an_hour(world: World) -> None:
    for name in ("huggingface", "vercel", "heroku"):
        world.page(name, name, "11:00", "investigating", "major")
    world.explain("11:05")
    for name, clock in zip(JOINING, ("11:06", "11:11", "11:16", "11:21"), strict=True):
        world.page(name, name, clock, "investigating", "major")
    for minute in (6, 9, 10, 11, 14, 15, 16, 19, 20, 21, 25, 34, 35):
        world.explain(f"11:{minute:02d}")
    (group,) = [i for i in world.all().values() if i.is_group]
    assert sent(world, group.id) == [
        ("opened", "11:05"),
        ("component_added", "11:10"),
        ("component_added", "11:15"),
        ("component_added", "11:20"),
        ("component_added", "11:35"),
    ]


def test_a_shared_failure_of_which_the_last_service_is_quiet_has_one_end(world: World) -> None:
    for name in SHARED:
        world.page(name, name, "11:00", "investigating", "major")
    world.explain("11:05")
    for name, clock in zip(SHARED, ("12:00", "12:00", "12:10"), strict=True):
        world.page(name, name, clock, "resolved", "major")
    for clock in ("13:00", "13:05", "13:10"):
        world.explain(clock)
    (group,) = [i for i in world.all().values() if i.is_group]
    assert sent(world, group.id) == [("opened", "11:05"), ("over", "13:10")]


def test_a_service_that_fails_again_after_it_was_called_restored_is_news(world: World) -> None:
    for name in SHARED:
        world.page(name, name, "11:00", "investigating", "major")
    world.explain("11:05")
    for name in SHARED[:2]:
        world.page(name, name, "12:00", "resolved", "major")
    world.explain("13:00")
    world.page("vercel", "again", "13:30", "investigating", "major")
    for clock in ("13:30", "13:45"):
        world.explain(clock)
    (group,) = [i for i in world.all().values() if i.is_group]
    transitions = [transition for transition, _ in sent(world, group.id)]
    assert transitions[:2] == ["opened", "easing"]
    assert transitions[2] in (Transition.WORSE_AGAIN.value, Transition.COMPONENT_ADDED.value)
