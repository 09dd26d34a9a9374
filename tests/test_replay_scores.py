"""The replay's own marks: every message counts for what it told, and when."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.config.settings import Alerts
from pipeline.core.replay_result import ReplayResult
from pipeline.core.vocabulary import Transition
from pipeline.render.console import score_lines, story, timeline
from pipeline.replay.results import result
from pipeline.replay.scenario import Scenario
from pipeline.replay.truth import QuietSpan, TrueOutage, Truth
from pipeline.stages.alert.prepare import delivery_of
from pipeline.stages.alert.stage import run_alert
from pipeline.store import Store
from pipeline.store.outbox import alerts_of
from tests.copies import replace
from tests.sending import RecordingChannel
from tests.world import CATALOGUE, World, at

MINUTE = timedelta(minutes=1)
WATCHED = ("github", "netflix", "claude", "huggingface", "vercel", "heroku", "supabase")


@pytest.fixture
def world(store: Store) -> World:
    world = World(store, WATCHED)
    world.config = replace(world.config, alerts=Alerts(channels=("file",), group_wait=3 * MINUTE))
    return world


def run(world: World, *clocks: str) -> None:
    for clock in clocks:
        world.explain(clock)
        run_alert(world.store, {"file": RecordingChannel()}, at(clock), delivery_of(world.config))


def outcome(world: World, *outages: TrueOutage, quiet: tuple[QuietSpan, ...] = ()) -> ReplayResult:
    scenario = Scenario(
        folder=Path("x"),
        name="x",
        start=at("00:00"),
        end=at("23:59"),
        step=5 * MINUTE,
        delays={},
        watch=WATCHED,
        simulated=True,
        note="",
        first_run=None,
        truth=Truth(outages=outages, quiet=quiet),
    )
    return result(world.store, scenario, at("08:00"), at("23:00"))


def test_the_timeline_says_each_thing_once_and_in_words(world: World) -> None:
    world.page("github", "A", "11:00", "investigating", "major")
    run(world, "11:05", "11:10")
    found = outcome(world)
    (incident,) = found.incidents
    alert = replace(found.alerts[0], transition="worse_again", at=at("11:10"))
    again = [replace(note, at=note.at + timedelta(seconds=20)) for note in found.official]
    doubled = replace(found, official=(*found.official, *again), alerts=(alert,))
    lines = timeline(doubled, incident.id, CATALOGUE, at("00:00"))
    assert len(lines) == len(set(lines))
    assert any("  onset (" in line for line in lines)
    assert any("  mail, worse again: " in line for line in lines)


def test_unrelated_incidents_that_share_a_summary_have_a_result(world: World) -> None:
    for name in ("github", "netflix", "claude"):
        world.bins(name, "11:00", 6, 80, 60)
    run(world, "11:05", "11:10", "11:15")
    assert Transition.SUMMARY in [a.transition for a in alerts_of(world.store)]
    found = outcome(world, *(TrueOutage(name, at("11:00"), at("11:30")) for name in ("github", "netflix", "claude")))
    assert [a.components for a in found.alerts if a.transition == "summary"] == [()]
    assert (found.scores.found, found.scores.median_minutes_to_alert) == (3, 10), "told when the summary was sent"
    assert "summary" in found.to_json()
    assert story(found, CATALOGUE)


def test_an_early_message_is_early_and_the_delay_is_that_of_the_first_after_the_onset(world: World) -> None:
    world.bins("github", "11:00", 6, 80, 60)
    run(world, "11:05", "11:10")
    found = outcome(world, TrueOutage("github", at("11:20"), at("11:40"))).scores
    assert (found.found, found.median_minutes_to_alert) == (1, None)
    assert [(o.early, o.minutes) for o in found.by_outage] == [(True, None)]
    assert any("early: 10 min before" in line for line in score_lines(found))
    found = outcome(world, TrueOutage("github", at("11:45"), at("12:40"))).scores
    assert (found.found, [o.alert_at for o in found.by_outage]) == (0, [None])
    assert any("MISSED" in line for line in score_lines(found))


def test_what_eases_or_ends_warns_of_nothing(world: World) -> None:
    world.bins("github", "11:00", 6, 80, 60)
    run(world, "11:05", "11:10")
    world.bins("github", "11:30", 30, 4, 0)
    world.read("11:00", "14:00")
    run(world, "14:00")
    assert [a.transition for a in alerts_of(world.store)] == ["opened", "over"]
    (score,) = outcome(world, TrueOutage("github", at("13:50"), at("14:30"))).scores.by_outage
    assert score.alert_at is None


def test_a_shared_failure_counts_for_its_members_from_when_they_were_named(world: World) -> None:
    for minute, name in enumerate(("huggingface", "vercel", "heroku")):
        world.page(name, name, f"11:0{minute}", "investigating", "major")
    run(world, "11:05", "11:10")
    world.page("supabase", "supabase", "11:20", "investigating", "major")
    run(world, "11:25", "11:40")
    members = ("huggingface", "vercel", "heroku", "supabase")
    found = outcome(world, *(TrueOutage(name, at("11:00"), at("12:00")) for name in members)).scores
    assert found.found == 4
    assert [o.minutes for o in found.by_outage] == [10, 10, 10, 25]
    assert (found.notices, found.notices_with_message) == (4, 4)


def test_a_notice_without_a_message_is_printed(world: World) -> None:
    world.page("github", "A", "11:00", "investigating", "minor")
    run(world, "11:05", "11:10")
    world.page("github", "B", "13:30", "investigating", "minor")
    run(world, "13:35")
    found = outcome(world).scores
    told = {n.notice: n.alert_at for n in found.by_notice}
    assert told["A"] == at("11:10")
    late = replace(found.by_notice[1], alert_at=None, minutes=None, covered=False)
    lines = score_lines(replace(found, by_notice=(late,)))
    assert any("13:30" in line and "no message" in line for line in lines)


def test_a_notice_is_covered_by_a_fresh_message_that_says_as_much(world: World) -> None:
    world.page("github", "A", "11:00", "investigating", "major")
    run(world, "11:05", "11:10")
    world.page("github", "B", "11:50", "investigating", "minor")
    world.page("github", "C", "11:55", "investigating", "critical")
    world.explain("11:58")
    found = outcome(world).scores
    covered = {n.notice: n.covered for n in found.by_notice}
    assert covered == {"A": True, "B": True, "C": False}, "C is called worse"
    assert "2 of 3 have one within 30 min" in "\n".join(score_lines(found))
