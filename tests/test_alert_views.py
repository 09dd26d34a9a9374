"""What views and the trail say of alerts: leads from when a member was named, misses, sources that do not answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.config.paths import DASHBOARDS
from pipeline.core.records import Run
from pipeline.reports.decision_trace import decision_trace
from pipeline.stages.alert.stage import run_alert
from pipeline.store import Store
from pipeline.store.local_time import put_local_time
from pipeline.store.runs import record_run
from pipeline.store.summary import blind_sources
from tests.sending import RecordingChannel
from tests.world import CATALOGUE, World, at

WATCHED = ("github", "netflix", "huggingface", "vercel", "heroku", "supabase")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Store(tmp_path / "world.db", views=DASHBOARDS / "views.sql") as store:
        store.put_catalogue(CATALOGUE, WATCHED)
        yield World(store, WATCHED)


def run(world: World, clock: str, day: int = 2) -> None:
    world.explain(clock, day)
    run_alert(world.store, {"file": RecordingChannel()}, at(clock, day))


def verdicts(world: World) -> dict[str, str]:
    return {row["service"]: row["verdict"] for row in world.store.rows("SELECT service, verdict FROM how_good_are_we")}


def test_a_member_is_first_told_when_it_was_named(world: World) -> None:
    for minute, name in enumerate(("huggingface", "vercel", "heroku")):
        world.page(name, name, f"11:0{minute}", "investigating", "major")
    run(world, "11:05")
    world.page("supabase", "supabase", "11:20", "investigating", "major")
    run(world, "11:25")
    first = {
        row["service"]: row["first_alert_at"][11:16]
        for row in world.store.rows(
            "SELECT i.service, f.first_alert_at FROM first_alerts f JOIN incidents i ON i.id = f.incident"
        )
    }
    assert (first["heroku"], first["supabase"]) == ("11:05", "11:25")


def test_a_notice_posted_after_its_end_is_missed_and_not_before_we_began(world: World) -> None:
    world.page("netflix", "N", "09:00", "investigating", "major")
    run(world, "09:05")
    world.page("github", "A", "11:00", "investigating", "major", day=9)
    world.page("github", "A", "11:30", "resolved", "major", day=9)
    run(world, "23:00", 9)
    assert verdicts(world)["github"] == "missed"


def test_a_service_that_is_no_longer_watched_keeps_its_record(world: World) -> None:
    world.page("github", "A", "11:00", "investigating", "major")
    run(world, "11:05")
    world.store.put_catalogue(CATALOGUE, ("netflix",))
    assert verdicts(world) == {"github": "right"}


def test_a_service_that_fails_with_those_that_run_on_it_is_counted_once(world: World) -> None:
    world.page("aws", "aws", "10:58", "investigating", "major")
    for minute, name in enumerate(("huggingface", "vercel", "heroku")):
        world.page(name, name, f"11:0{minute}", "investigating", "major")
    world.explain("11:05")
    put_local_time(world.store, "UTC")
    now = [row["service"] for row in world.store.rows("SELECT service FROM what_is_wrong_now")]
    assert sorted(now) == ["Amazon Web Services", "Heroku", "Hugging Face", "Vercel"]
    others = world.store.rows("SELECT other_service FROM what_else_was_wrong WHERE incident LIKE 'heroku%'")
    assert sorted(row["other_service"] for row in others) == ["aws", "huggingface", "vercel"]
    (begun,) = world.store.rows("SELECT outages FROM hour_of_week WHERE service = 'aws'")
    assert begun["outages"] == 1


def test_the_trail_names_the_sources_that_do_not_answer_now_and_not_those_of_others(world: World) -> None:
    for source in ("status:github", "status:netflix", "hacker_news", "feed:daily.example", "reddit"):
        outcome = "ok" if source == "reddit" else "error"
        record_run(world.store, Run(stage="collect", subject=source, started=at("11:00"), outcome=outcome, error="x"))
    for clock, named in (
        ("11:01", ["not answering, so nothing can be seen by them: hacker_news, status:github"]),
        ("09:00", []),
    ):
        silent, now = blind_sources(world.store, at("11:01")), at("11:01")
        trail = decision_trace(world.store, world.config, CATALOGUE["github"], at(clock), now, 9.0, silent)
        assert [step.words for step in trail if step.name == "sources"] == named
