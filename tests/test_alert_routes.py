"""Which route gets which message and when: routes, quiet hours, silences, reminders."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.config.settings import Route
from pipeline.config.validation import validated
from pipeline.core.errors import ConfigError
from pipeline.core.times import iso, utc
from pipeline.core.vocabulary import (
    Impact,
)
from pipeline.notify.routing import muted_until
from pipeline.stages.alert.stage import run_alert
from pipeline.store.operators import add_silence, expire_silence, silences
from pipeline.store.outbox import alerts_of
from tests.sending import RecordingChannel, routed, routes_and_transitions
from tests.world import World, at


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
    assert routes_and_transitions(world) == [("all", "opened")]
    world.page("github", "A", "11:50", "investigating", "major")
    world.explain("11:50")
    assert sorted(routes_and_transitions(world)[1:]) == [("all", "confirmed"), ("bad", "opened"), ("sure", "opened")]
    world.bins("github", "11:30", 80, 4, 0)
    world.page("github", "A", "12:30", "resolved", "none")
    world.explain("16:00")
    assert sorted(route for route, transition in routes_and_transitions(world) if transition == "over") == [
        "all",
        "bad",
        "sure",
    ]


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
    channel = RecordingChannel()
    run_alert(world.store, {"file": channel}, at("14:59"))
    assert channel.alerts == []
    run_alert(world.store, {"file": channel}, at("15:00"))
    (only,) = channel.alerts
    assert only.subject == "Held back until now: 1 open, 1 over: GitHub, Netflix"
    assert run_alert(world.store, {"file": channel}, at("16:00")).new == 0
    assert all(a.sent_at for a in alerts_of(world.store))


def test_what_is_held_does_not_come_after_newer_news(world: World) -> None:
    routed(world, Route(name="night", mute_time_intervals=("10:00-15:00 UTC",), quiet_except="high"))
    world.bins("github", "11:00", 6, 20, 10)
    world.explain("11:30")
    channel = RecordingChannel()
    run_alert(world.store, {"file": channel}, at("11:31"))
    assert channel.alerts == [], "low: it waits for the morning"
    world.page("github", "A", "12:00", "investigating", "critical")
    world.explain("12:05")
    run_alert(world.store, {"file": channel}, at("12:05"))
    assert [a.transition for a in channel.alerts] == ["confirmed"]
    run_alert(world.store, {"file": channel}, at("15:00"))
    assert [a.transition for a in channel.alerts] == ["confirmed"], (
        "the old word is not routes_and_transitions after the new one"
    )
    assert all(a.sent_at for a in alerts_of(world.store))


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


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-03-02T21:59:59Z", None),
        ("2026-03-02T22:00:00Z", "2026-03-03T07:00:00Z"),
        ("2026-03-03T00:00:00Z", "2026-03-03T07:00:00Z"),
        ("2026-03-03T06:59:59Z", "2026-03-03T07:00:00Z"),
        ("2026-03-03T07:00:00Z", None),
    ],
)
def test_a_mute_time_interval_holds_from_its_begin_to_its_end(at: str, until: str | None) -> None:
    night = Route(name="night", mute_time_intervals=("22:00-07:00 UTC",), quiet_except="high")
    assert muted_until(night, Impact.MODERATE, utc(at)) == (utc(until) if until else None)
    assert muted_until(night, Impact.HIGH, utc(at)) is None, "this impact and above is sent at once"
