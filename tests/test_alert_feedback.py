"""What is asked and answered of alerts afterwards: why, feedback, digests, and the commands for people."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from pipeline.config.settings import Alerts, Route
from pipeline.core.records import Run
from pipeline.core.times import iso
from pipeline.core.vocabulary import Impact, State
from pipeline.reports.alert_record import alert_record
from pipeline.reports.decision_trace import decision_trace
from pipeline.reports.tuning import AlertedIncident, remedies
from pipeline.stages.alert.self_monitoring import self_alerts
from pipeline.store import Store
from pipeline.store.operators import add_silence, put_feedback
from pipeline.store.outbox import alerts_of, put_alerts
from pipeline.store.runs import record_run, set_checkpoint
from tests.conftest import Groundswell
from tests.copies import replace
from tests.sending import routed, send_due
from tests.world import CATALOGUE, World, at


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
    send_due(world, "11:32")
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
    send_due(world, "11:30")
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
