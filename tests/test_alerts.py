"""Few and right alerts: routes, quiet hours, silences, the hourly cap, grouping, signed webhooks, why, feedback."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.test_alert import sample
from pipeline.config.settings import Alerts, Route
from pipeline.config.validation import validated
from pipeline.core.alerts import Alert
from pipeline.core.errors import ConfigError
from pipeline.core.records import Run
from pipeline.core.times import iso, utc
from pipeline.core.vocabulary import Impact, State
from pipeline.notify.digest import summary_message
from pipeline.notify.routing import muted_until
from pipeline.render.mail import compose
from pipeline.reports.alert_record import alert_record
from pipeline.reports.decision_trace import decision_trace
from pipeline.reports.tuning import AlertedIncident, remedies
from pipeline.stages.alert.self_monitoring import self_alerts
from pipeline.stages.alert.stage import Delivery, run_alert
from pipeline.store import Store
from pipeline.store.operators import add_silence, expire_silence, put_feedback, silences
from pipeline.store.outbox import alerts_of, put_alerts
from pipeline.store.runs import record_run, set_checkpoint
from tests.conftest import Groundswell
from tests.test_channels import Scripted, fail
from tests.world import CATALOGUE, QUIET, World, at

HOUR = timedelta(hours=1)


class Ears:
    """A channel that keeps what it is given."""

    name = "file"

    def __init__(self) -> None:
        self.heard: list[Alert] = []

    def send(self, alert: Alert) -> None:
        self.heard.append(alert)


def routed(world: World, *routes: Route, **more: Any) -> None:
    alerts = Alerts(channels=("file",), routes=routes, quiet_to_close=QUIET, **more)
    world.config = replace(world.config, alerts=alerts)


def hear(world: World, clock: str, day: int = 2) -> list[Alert]:
    """Let what is due be sent, and return it."""
    ears = Ears()
    run_alert(world.store, {"file": ears}, at(clock, day))
    return ears.heard


def told(world: World) -> list[tuple[str, str]]:
    return [(a.route, a.transition) for a in alerts_of(world.store)]


@pytest.fixture
def world(store: Store) -> World:
    return World(store, ("github", "netflix", "claude", "huggingface", "vercel", "heroku"))


def test_each_route_hears_what_it_asked_for_and_is_told_the_end_of_what_it_heard(world: World) -> None:
    routed(
        world,
        Route(name="sure", from_state="confirmed"),
        Route(name="bad", from_impact="high"),
        Route(name="other", services=("netflix",)),
        Route(name="api", components=("api",)),
        Route(name="europe", regions=("Europe",)),
        Route(name="all"),
    )
    world.bins("github", "11:00", 6, 60, 40)
    world.explain("11:30")
    assert told(world) == [("all", "opened")]
    world.page("github", "A", "11:50", "investigating", "major")
    world.explain("11:50")
    assert sorted(told(world)[1:]) == [("all", "confirmed"), ("bad", "opened"), ("sure", "opened")]
    world.bins("github", "11:30", 80, 4, 0)
    world.page("github", "A", "12:30", "resolved", "none")
    world.explain("16:00")
    assert sorted(route for route, transition in told(world) if transition == "over") == ["all", "bad", "sure"]


def test_quiet_hours_follow_the_wall_clock_of_their_zone() -> None:
    night = Route(name="n", mute_time_intervals=("22:00-07:00 Europe/Berlin",))
    assert muted_until(night, Impact.HIGH, utc("2026-03-02T20:59:00Z")) is None
    assert muted_until(night, Impact.HIGH, utc("2026-03-02T21:00:00Z")) == utc("2026-03-03T06:00:00Z")
    assert muted_until(night, Impact.HIGH, utc("2026-03-03T05:59:00Z")) == utc("2026-03-03T06:00:00Z")
    assert muted_until(night, Impact.HIGH, utc("2026-03-03T06:00:00Z")) is None
    assert muted_until(night, Impact.CRITICAL, utc("2026-03-02T23:00:00Z")) is None
    # the clocks go forward at 01:00 UTC on 29 March
    assert muted_until(night, Impact.HIGH, utc("2026-03-28T22:00:00Z")) == utc("2026-03-29T05:00:00Z")
    noon = Route(name="l", mute_time_intervals=("12:00-13:00 UTC",))
    assert muted_until(noon, Impact.HIGH, utc("2026-03-02T12:30:00Z")) == utc("2026-03-02T13:00:00Z")
    both = Route(name="b", mute_time_intervals=("13:00-14:00 UTC", "12:00-13:00 UTC", "16:00-17:00 UTC"))
    assert muted_until(both, Impact.HIGH, utc("2026-03-02T12:30:00Z")) == utc("2026-03-02T14:00:00Z"), "they follow"
    assert muted_until(both, Impact.HIGH, utc("2026-03-02T15:00:00Z")) is None
    always = Route(name="a", mute_time_intervals=("00:00-12:00 UTC", "12:00-00:00 UTC"))
    assert muted_until(always, Impact.HIGH, utc("2026-03-02T06:00:00Z")) == utc("2026-03-03T00:00:00Z")
    for wrong in ("22-7 UTC", "22:00-07:00", "22:00-07:00 Mars/Base", "25:00-07:00 UTC"):
        with pytest.raises(ConfigError):
            validated(Route, {"name": "x", "mute_time_intervals": (wrong,)}, Path("groundswell.toml"))


def test_what_quiet_hours_held_is_told_in_one_message_afterwards(world: World) -> None:
    routed(world, Route(name="night", mute_time_intervals=("10:00-15:00 UTC",)))
    world.page("github", "A", "11:00", "investigating", "major")
    world.page("netflix", "N", "11:00", "investigating", "major")
    world.explain("11:05")
    world.page("github", "A", "12:00", "resolved", "major")
    world.explain("13:40")
    ears = Ears()
    run_alert(world.store, {"file": ears}, at("14:59"))
    assert ears.heard == []
    run_alert(world.store, {"file": ears}, at("15:00"))
    (only,) = ears.heard
    assert only.subject == "Held back until now: 1 open, 1 over: GitHub, Netflix"
    assert run_alert(world.store, {"file": ears}, at("16:00")).new == 0
    assert all(a.sent_at for a in alerts_of(world.store))


def test_what_is_held_does_not_come_after_newer_news(world: World) -> None:
    routed(world, Route(name="night", mute_time_intervals=("10:00-15:00 UTC",), quiet_except="high"))
    world.bins("github", "11:00", 6, 20, 10)
    world.explain("11:30")
    ears = Ears()
    run_alert(world.store, {"file": ears}, at("11:31"))
    assert ears.heard == [], "low: it waits for the morning"
    world.page("github", "A", "12:00", "investigating", "critical")
    world.explain("12:05")
    run_alert(world.store, {"file": ears}, at("12:05"))
    assert [a.transition for a in ears.heard] == ["confirmed"]
    run_alert(world.store, {"file": ears}, at("15:00"))
    assert [a.transition for a in ears.heard] == ["confirmed"], "the old word is not told after the new one"
    assert all(a.sent_at for a in alerts_of(world.store))


def test_many_at_once_are_one_message_that_names_all(store: Store) -> None:
    names = [f"service {n:02d}" for n in range(50)]
    rows = [_row(f"<{n}@x>", name) for n, name in enumerate(names)]
    with store.transaction() as conn:
        put_alerts(conn, rows)
    ears = Ears()
    assert run_alert(store, {"file": ears}, at("12:00")).new == 1
    text = compose(ears.heard[0], sender="a@b.c", to=["d@e.f"], zone="UTC").get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert all(name in text for name in names)
    assert [a.incident for a in alerts_of(store) if a.sent_at is None] == []
    with store.transaction() as conn:
        put_alerts(conn, [_row(f"<few{n}@x>", f"few{n}", at("13:00")) for n in range(3)])
    assert run_alert(store, {"file": ears}, at("13:00")).new == 1, "three are many, with room for each"
    again = summary_message(list(reversed(rows)), at("12:00"), held=False)
    assert again == summary_message(rows, at("12:00"), held=False), "the order they are read in does not matter"


def test_two_at_once_go_alone_and_what_was_tried_before_keeps_its_message_id(store: Store) -> None:
    with store.transaction() as conn:
        put_alerts(conn, [_row(f"<{n}@x>", f"s{n}") for n in range(2)])
    failing = Scripted(fail(permanent=False), fail(permanent=False))
    run_alert(store, {"file": failing}, at("12:00"))
    with store.transaction() as conn:
        put_alerts(conn, [_row(f"<{n}@x>", f"s{n}") for n in range(2, 4)])
    ears = Ears()
    run_alert(store, {"file": ears}, at("13:00"))
    assert sorted(a.message_id for a in ears.heard) == ["<0@x>", "<1@x>", "<2@x>", "<3@x>"]


def test_above_the_hourly_cap_one_message_tells_the_rest_when_there_is_room(store: Store) -> None:
    ears = Ears()
    for n in range(8):
        with store.transaction() as conn:
            put_alerts(conn, [_row(f"<{n}@x>", f"s{n}", at("12:00") + n * timedelta(minutes=1))])
        run_alert(store, {"file": ears}, at("12:00") + n * timedelta(minutes=1), Delivery(max_per_hour=3))
    assert [a.message_id for a in ears.heard] == ["<0@x>", "<1@x>", "<2@x>"]
    run_alert(store, {"file": ears}, at("13:00"), Delivery(max_per_hour=3))
    assert [a.transition for a in ears.heard[3:]] == ["summary"]
    assert set(ears.heard[3].facts.incidents) == {f"i-s{n}" for n in range(3, 8)}


def _row(message_id: str, service: str, created: datetime | None = None) -> Alert:
    one = sample(created or at("12:00"))
    return replace(
        one,
        message_id=message_id,
        channel="file",
        incident=f"i-{service}",
        subject=f"{service}: possible outage",
        facts=replace(one.incident_facts, service=service),
    )


def test_a_silence_keeps_quiet_until_its_end_and_never_hides_that_it_is_over(world: World) -> None:
    number = add_silence(world.store, "github", "", at("10:00"), at("12:00"), "a test", "me")
    world.page("github", "A", "11:00", "investigating", "major")
    world.page("netflix", "N", "11:00", "investigating", "major")
    world.explain("11:05")
    assert [a.service for a in alerts_of(world.store)] == ["netflix"]
    add_silence(world.store, "netflix", "", at("11:06"), at("20:00"), "a test", "me")
    world.page("netflix", "N", "11:30", "resolved", "major")
    world.explain("13:05")
    assert [(a.service, a.transition) for a in alerts_of(world.store)] == [
        ("netflix", "opened"),
        ("github", "opened"),
        ("netflix", "over"),
    ]
    assert not expire_silence(world.store, number, at("13:00")), "it has ended"
    assert [s.service for s in silences(world.store, at("13:00"))] == ["netflix"]


def test_a_reminder_comes_as_often_as_it_was_asked_for(world: World) -> None:
    routed(world, repeat_interval=timedelta(hours=2))
    world.page("github", "A", "09:00", "investigating", "major")
    for clock in ("09:05", "10:00", "11:05", "12:00", "13:05", "14:00"):
        world.explain(clock)
    assert [(iso(a.created)[11:16], a.transition) for a in alerts_of(world.store)] == [
        ("09:05", "opened"),
        ("11:05", "reminder"),
        ("13:05", "reminder"),
    ]


def test_the_trail_says_why_it_alerted_and_why_it_did_not(world: World) -> None:
    def answer(clock: str, service: str = "github") -> str:
        return decision_trace(world.store, world.config, CATALOGUE[service], at(clock), at(clock), 9.0)[-1].words

    assert answer("10:00") == "it did not alert: there was no incident"
    add_silence(world.store, "netflix", "", at("10:00"), at("14:00"), "a release", "ann")
    world.bins("github", "11:00", 6, 80, 60)
    world.bins("netflix", "11:00", 6, 80, 60)
    world.explain("11:30")
    assert answer("11:35").startswith(
        "it wrote a message at 2026-03-02T11:30:00Z that was not delivered: it waits until 2026-03-02T11:30:00Z: 80"
    )
    hear(world, "11:32")
    assert answer("11:35").startswith(
        "it alerted at 2026-03-02T11:30:00Z, first delivered at 2026-03-02T11:32:00Z: 80 complaints in 5 min"
    )
    assert answer("11:20").startswith("it had not alerted yet")
    assert answer("11:35", "netflix") == "it did not alert: silence 1 until 2026-03-02T14:00:00Z, ann: a release"
    routed(world, Route(name="sure", from_state="confirmed"))
    world.bins("heroku", "11:00", 6, 80, 60)
    world.explain("11:40")
    assert answer("11:45", "heroku") == "it did not alert: route sure waits until it is confirmed; it is likely"


def test_a_wrong_alert_is_answered_with_the_setting_that_loses_least() -> None:
    past = [
        AlertedIncident(id="wrong", state=State.POSSIBLE, impact=Impact.LOW, score=12.0, verdict=""),
        AlertedIncident(id="a", state=State.LIKELY, impact=Impact.LOW, score=40.0, verdict=""),
        AlertedIncident(id="b", state=State.POSSIBLE, impact=Impact.HIGH, score=11.0, verdict=""),
        AlertedIncident(id="c", state=State.CONFIRMED, impact=Impact.LOW, score=0.0, verdict=""),
        AlertedIncident(id="d", state=State.POSSIBLE, impact=Impact.LOW, score=9.5, verdict="wrong"),
    ]
    assert list(remedies("wrong", past)) == [
        "what would have kept it quiet, and what else of the last 30 days would have been lost:",
        '  alerts.from_state = "likely": b',
        "  detector.params.alarm = 12.1: b",
        '  from_impact = "moderate" in a route: a, c',
    ]
    assert next(remedies("c", [replace(past[3], impact=Impact.CRITICAL)])).startswith("no single setting")


def test_feedback_and_notices_decide_what_a_digest_calls_right(world: World) -> None:
    for name, notice in (("github", "11:50"), ("netflix", "15:00"), ("claude", ""), ("vercel", "")):
        world.bins(name, "11:00", 6, 80, 60)
        world.explain("11:30")
        if notice:
            world.page(name, name, notice, "investigating", "major")
    hear(world, "11:30")
    world.explain("15:00")
    by_service = {a.service: a.incident for a in alerts_of(world.store)}
    put_feedback(world.store, by_service["claude"], "wrong", "", at("16:00"))
    world.page("spotify", "S", "16:00", "investigating", "major")
    counted = alert_record(world.store, at("00:00"), at("20:00"))
    assert (counted.alerted, counted.right, counted.wrong, counted.unknown) == (4, 1, 1, 2)


def test_digest_blind_sources_and_missed_runs_are_told_once(world: World) -> None:
    world.config = replace(
        world.config,
        alerts=Alerts(channels=("file",), digest="daily", digest_at="07:00"),
        display_timezone="Europe/Berlin",
    )
    good = Run(stage="collect", subject="feed:x", started=at("00:00"), outcome="ok")
    record_run(world.store, good)
    for n in range(12):
        record_run(
            world.store,
            Run(stage="explain", subject="incidents", started=at("00:00") + n * timedelta(minutes=5), outcome="ok"),
        )
    record_run(world.store, replace(good, subject="feed:never", outcome="error", error="refused"))
    for name in ("feed:y", "status:z"):
        record_run(world.store, replace(good, subject=name))
    found, said = self_alerts(world.store, world.config, at("06:05"))
    assert len(found[1].facts.sections[0].lines) == 3, "one message for all of them"
    assert [(a.transition, a.subject.split(":")[0]) for a in found] == [
        ("digest", "Digest of the day"),
        ("trouble", "Blind"),
    ]
    record_run(world.store, Run(stage="explain", subject="incidents", started=at("09:00"), outcome="ok"))
    with world.store.transaction() as conn:
        for key, value in said.items():
            set_checkpoint(conn, "alert", key, value)
    before, _ = self_alerts(world.store, world.config, at("09:00"))
    assert [a.subject[:49] for a in before] == ["Runs were missed: No run from 2026-03-02T00:55:00"], (
        "the digest is not again"
    )
    record_run(world.store, Run(stage="explain", subject="incidents", started=at("09:05"), outcome="ok"))
    later, _ = self_alerts(world.store, world.config, at("09:05"))
    assert [a.subject for a in later] == [
        "Runs were missed: No run from 2026-03-02T08:00:00Z to 2026-03-02T09:00:00Z; usually one every 5 min",
        before[0].subject,
    ]
    with world.store.transaction() as conn:
        put_alerts(conn, found)
        put_alerts(conn, later)
    record_run(world.store, Run(stage="explain", subject="incidents", started=at("09:10"), outcome="ok"))
    with world.store.transaction() as conn:
        put_alerts(conn, self_alerts(world.store, world.config, at("09:10"))[0])
    assert sorted(a.transition for a in alerts_of(world.store)) == ["digest", "trouble", "trouble", "trouble"]


def test_people_silence_preview_and_give_feedback_by_command(groundswell: Groundswell, tmp_path: Path) -> None:
    with Store(tmp_path / "groundswell.db") as store:
        world = World(store, ("github",))
        world.page("github", "A", "11:00", "investigating", "major")
        world.explain("11:05")
        (incident,) = world.all()
        with store.transaction() as conn:
            set_checkpoint(conn, "alert", "since", iso(at("08:00")))
    now = ("--now", iso(at("12:00")))
    done = groundswell("silence", "add", "github", "--for", "4h", "--reason", "known", "--author", "ann", *now)
    assert done.stdout == "silence 1: github until 2026-03-02T16:00:00Z\n", done.stderr
    listed = groundswell("silence", "list", *now).stdout.splitlines()[1]
    assert listed.split() == ["1", "github", "-", "2026-03-02", "12:00", "2026-03-02", "16:00", "ann", "known"]
    assert groundswell("silence", "preview", "github", *now).stdout.endswith(
        "1 of 1 message since 2026-01-31T12:00:00Z would not have been sent\n"
    )
    assert groundswell("silence", "expire", "1", *now).returncode == 0
    assert groundswell("silence", "list", *now).stdout == "no silence is active\n"
    for wrong in (
        ("add", "nobody", "--for", "1h", "--reason", "r"),
        ("add", "github", "--reason", "r"),
        ("expire", "1"),
        ("add", "github", "--for", "99d", "--reason", "r"),
        ("add", "github", "--for", "1h", "--reason", "r", "--component", "zz"),
    ):
        assert groundswell("silence", *wrong, *now).returncode == 2
    assert groundswell("feedback", incident, "right", *now).stdout == f"{incident}: right\n"
    assert groundswell("feedback", "nothing", "right", *now).returncode == 2
    why = json.loads(groundswell("why", "github", "--at", iso(at("11:06")), "--json", *now).stdout)
    assert why["steps"][-1]["words"].startswith("it wrote a message at 2026-03-02T11:05:00Z that was not delivered")
    before = (tmp_path / "groundswell.db").read_bytes()
    dry = groundswell("alert", "--dry-run", "rehearsal", *now)
    assert dry.stdout == "1 message due; see rehearsal\n", dry.stderr
    assert sorted(p.suffix for p in (tmp_path / "rehearsal").iterdir()) == [".eml", ".html"]
    assert (tmp_path / "groundswell.db").read_bytes() == before


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
