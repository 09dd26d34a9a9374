"""Announced maintenance: it alerts nobody by itself, and a crowd that complains during it is heard all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.paths import DASHBOARDS
from pipeline.config.settings import Config
from pipeline.core.alert_facts import AlertFacts
from pipeline.core.records import Batch
from pipeline.core.status_records import OfficialIncident
from pipeline.incidents.maintenance import announcement
from pipeline.stages.publish.stage import run_publish
from pipeline.store import Store
from pipeline.store.observations import save_batch
from pipeline.store.outbox import alerts_of
from tests.conftest import Groundswell
from tests.world import CATALOGUE, World, at

WORDS = "planned maintenance on 2 March 2026 from 10:30 to 13:00 UTC: Database upgrade"


@pytest.fixture
def world(store: Store) -> World:
    return World(store, ("github",))


def announce(world: World, since: str, until: str | None, announced: str = "09:00") -> None:
    row = OfficialIncident(
        page=CATALOGUE["github"].page,
        incident_id="m",
        name="Database upgrade",
        status="scheduled",
        impact="maintenance",
        collected=at(announced),
        scheduled_for=at(since),
        scheduled_until=at(until) if until else None,
    )
    save_batch(world.store, Batch(source="page", rows=(row,)), at(announced))


def crowd(world: World) -> AlertFacts:
    """Let complaints rise at 11:00; return what the first message about it says."""
    world.bins("github", "11:00", 6, 80, 60)
    world.explain("11:30")
    (incident,) = world.all()
    facts = alerts_of(world.store, incident)[0].facts
    assert isinstance(facts, AlertFacts)
    return facts


def test_a_maintenance_by_itself_alerts_nobody(world: World) -> None:
    announce(world, "10:30", "13:00")
    world.page("github", "m", "09:00", "scheduled", "maintenance")
    world.page("github", "m", "10:30", "in_progress", "maintenance")
    for clock in ("09:05", "10:35", "12:00"):
        world.explain(clock)
    world.page("github", "m", "13:00", "completed", "maintenance")
    world.explain("13:05")
    assert world.all() == {}
    assert alerts_of(world.store) == []


def test_a_crowd_during_maintenance_alerts_and_the_message_says_that_it_was_announced(world: World) -> None:
    announce(world, "10:30", "13:00")
    facts = crowd(world)
    assert facts.evidence[-1] == f"the provider announced {WORDS}"
    assert len(facts.evidence) > 1


@pytest.mark.parametrize(
    ("since", "until", "announced", "is_said"),
    [
        ("10:30", "11:00", "09:00", False),  # it was over when the crowd rose
        ("10:30", "11:01", "09:00", True),
        ("11:30", "13:00", "09:00", True),
        ("11:31", "13:00", "09:00", False),  # not yet begun when the message was written
        ("10:30", None, "09:00", True),
        ("10:30", "13:00", "11:31", False),  # not yet announced
    ],
)
def test_only_a_maintenance_that_an_incident_falls_into_is_named(
    world: World, tmp_path: Path, since: str, until: str | None, announced: str, is_said: bool
) -> None:
    before = crowd(world)
    with Store(tmp_path / "other.db") as other:
        again = World(other, ("github",))
        announce(again, since, until, announced)
        after = crowd(again)
    assert not any("maintenance" in line for line in before.evidence)
    assert (after.evidence != before.evidence) == is_said
    assert after.evidence[: len(before.evidence)] == before.evidence


def test_an_announcement_names_the_day_of_its_end_where_that_is_another() -> None:
    row = OfficialIncident(
        page="p",
        incident_id="m",
        name="Move",
        status="scheduled",
        impact="maintenance",
        collected=at("09:00"),
        scheduled_for=at("22:00"),
        scheduled_until=at("02:30", 3),
    )
    assert announcement(row) == "planned maintenance on 2 March 2026 from 22:00 to 3 March 02:30 UTC: Move"


def test_planned_maintenance_is_shown_by_the_commands_and_the_report(groundswell: Groundswell, tmp_path: Path) -> None:
    path = tmp_path / "shown.db"
    with Store(path, views=DASHBOARDS / "views.sql") as store:
        announce(World(store, ("github",)), "10:30", "13:00")
        (planned,) = store.rows("SELECT name, announced, over_at FROM planned_maintenance")
        run_publish(
            store, Config(watch=("github",), catalogue=CATALOGUE), tmp_path / "report", at("10:00"), simulated=True
        )
    assert tuple(planned) == ("Database upgrade", "2026-03-02T09:00:00Z", None)
    assert WORDS in (tmp_path / "report" / "service-github.html").read_text()
    now = ("--db", str(path), "--now", "2026-03-02T10:00:00Z")
    later = ("--db", str(path), "--now", "2026-03-02T10:45:00Z")
    assert f"ahead    github: {WORDS}" in groundswell("status", *now).stdout
    assert f"now      github: {WORDS}" in groundswell("status", *later).stdout
    assert WORDS in groundswell("service", "show", "github", *now).stdout
    assert WORDS in groundswell("why", "github", *later).stdout
    over = ("--db", str(path), "--now", "2026-03-02T13:00:00Z")
    assert WORDS not in groundswell("status", *over).stdout
