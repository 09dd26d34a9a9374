"""What goes wrong between the outbox and a person: changed settings, failing servers, clocks, silences."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.commands.test_alert import sample
from pipeline.config.settings import Mail, Route
from pipeline.core.alert_facts import ComponentFacts
from pipeline.core.alerts import Alert, Silence
from pipeline.core.errors import ChannelError
from pipeline.core.records import Run
from pipeline.core.times import iso
from pipeline.core.vocabulary import ComponentStatus, Impact
from pipeline.notify.channels.email import EmailChannel, recipients
from pipeline.notify.policy import NotificationPolicy, next_gap
from pipeline.notify.routing import active_silence
from pipeline.render.mail import compose
from pipeline.stages.alert.prepare import Delivery
from pipeline.stages.alert.stage import run_alert
from pipeline.store import Store
from pipeline.store.clock import rewind_future_clock
from pipeline.store.operators import add_silence
from pipeline.store.outbox import alerts_of, try_again
from pipeline.store.runs import record_run
from pipeline.store.summary import blind_sources
from tests.copies import replace
from tests.sending import RecordingChannel, alert_row, queue_alerts, routed, routes_and_transitions
from tests.world import World, at


class Moody(RecordingChannel):
    """A channel that fails as routes_and_transitions, by incident."""

    def __init__(self, **moods: BaseException) -> None:
        super().__init__()
        self.moods = moods

    def send(self, alert: Alert) -> None:
        for word, error in self.moods.items():
            if word in alert.incident or word == alert.transition:
                raise error
        super().send(alert)


def test_a_bug_in_one_message_silences_no_other_and_tells_no_secret(store: Store) -> None:
    queue_alerts(store, alert_row("one", "11:00"), alert_row("two", "11:01"))
    channel = Moody(one=IndexError("hunter2"))
    run = run_alert(store, {"file": channel}, at("11:05"))
    assert [a.incident for a in channel.alerts] == ["two"]
    assert (run.outcome, "IndexError" in run.error, "hunter2" in run.error) == ("error", True, False)
    assert [a.failed for a in alerts_of(store, "one")] == [False]


def test_nobody_to_send_to_is_said_and_a_route_that_is_gone_has_heirs() -> None:
    with pytest.raises(ChannelError, match="nobody to send to") as caught:
        EmailChannel(Mail(), None, zone="UTC").send(alert_row("one", "11:00"))
    assert caught.value.permanent
    routes = {"a": ("a@x.y",), "b": ("b@x.y", "a@x.y")}
    assert recipients("a", routes, ("me@x.y",)) == ("a@x.y",)
    assert recipients("gone", routes, ("me@x.y",)) == ("me@x.y",)
    assert recipients("gone", routes, ()) == ("a@x.y", "b@x.y")


def test_gaps_never_overflow() -> None:
    policy = NotificationPolicy(
        from_state="possible",
        group_interval=timedelta(minutes=30),
        max_group_interval=timedelta(days=999_999),
        alerting_since=at("00:00"),
    )
    assert next_gap(1, policy) == timedelta(minutes=30)
    assert next_gap(3, policy) == timedelta(hours=2)
    assert next_gap(10_000, policy) == timedelta(days=999_999)


def test_a_shared_failure_reaches_who_hears_of_a_member_unless_all_are_silenced(world: World) -> None:
    routed(world, Route(name="team", services=("heroku",)))
    for minute, name in enumerate(("huggingface", "vercel", "heroku")):
        world.page(name, name, f"11:0{minute}", "investigating", "major")
    for name in ("heroku", "vercel"):
        add_silence(world.store, name, "", at("10:00"), at("11:30"), "r", "a")
    world.explain("11:05")
    assert [r for r, _ in routes_and_transitions(world)] == ["team"], "huggingface is not silenced"
    quiet = [
        Silence(id=n, service=name, component="", since=at("10:00"), until=at("12:00"), reason="", author="")
        for n, name in enumerate("ab")
    ]
    assert active_silence(quiet, ("a", "b"), (), at("11:00")) is not None
    assert active_silence(quiet, ("a", "b", "c"), (), at("11:00")) is None


def test_who_heard_of_a_member_before_it_was_shared_hears_its_end(world: World) -> None:
    routed(world, Route(name="team", services=("heroku",)))
    world.page("heroku", "heroku", "11:00", "investigating", "major")
    world.explain("11:02")
    assert routes_and_transitions(world) == [("team", "opened")]
    routed(world, Route(name="other", services=("vercel",)), Route(name="team", services=("netflix",)))
    for name in ("huggingface", "vercel"):
        world.page(name, name, "11:10", "investigating", "major")
    world.explain("11:12")
    for name in ("heroku", "huggingface", "vercel"):
        world.page(name, name, "12:00", "resolved", "major")
    world.explain("14:05")
    assert sorted(routes_and_transitions(world)) == [
        ("other", "opened"),
        ("other", "over"),
        ("team", "opened"),
        ("team", "over"),
    ]


@pytest.mark.parametrize("change", ["renamed", "first route", "unwatched", "another channel"])
def test_the_end_is_told_whatever_was_changed_in_the_settings(world: World, change: str) -> None:
    routed(world, *((Route(name="a"),) if change != "first route" else ()))
    world.page("github", "A", "11:00", "investigating", "major")
    world.explain("11:05")
    if change == "renamed" or change == "first route":
        routed(world, Route(name="b", services=("netflix",)))
    elif change == "unwatched":
        world.config = replace(world.config, watch=("netflix",))
    else:
        routed(world, Route(name="a", channels=("webhook", "file")))
    world.page("github", "A", "12:00", "resolved", "major")
    world.explain("14:05")
    assert [t for _, t in routes_and_transitions(world)].count("over") >= 1


def test_a_route_inherits_how_sure_it_must_be(world: World) -> None:
    routed(world, Route(name="a"), Route(name="b", from_state="possible"), from_state="confirmed")
    world.bins("github", "11:00", 6, 60, 40)
    world.explain("11:30")
    assert routes_and_transitions(world) == [("b", "opened")]


def test_routes_with_channels_of_their_own_need_no_others(world: World) -> None:
    world.config = replace(
        world.config, alerts=replace(world.config.alerts, channels=(), routes=(Route(name="a", channels=("file",)),))
    )
    world.page("github", "A", "11:00", "investigating", "major")
    world.explain("11:05")
    assert ("a", "opened") in routes_and_transitions(world)


def test_what_becomes_critical_is_told_after_five_messages_too() -> None:
    from pipeline.notify.policy import next_transition
    from tests.test_story import POLICY, built, interval
    from tests.test_story import told as message

    incident = replace(built([interval("11:37", None, score=90)], [], at("12:00"))[0], impact=Impact.CRITICAL)
    many = [message("opened", at("11:40"), impact="low")] * 6
    assert next_transition(incident, many, POLICY, at("11:50")) is None, "not within the least gap"
    assert next_transition(incident, many, POLICY, at("11:56")) == "worse"
    assert next_transition(replace(incident, impact=Impact.HIGH), many, POLICY, at("11:56")) is None


def test_a_poison_message_in_a_summary_takes_no_other_with_it(store: Store) -> None:
    queue_alerts(store, *(alert_row(name, "11:00") for name in ("a", "b", "c", "poison")))
    refused = ChannelError("554 no", permanent=True)
    channel = Moody(summary=refused, poison=refused)
    run_alert(store, {"file": channel}, at("11:00"))
    assert channel.alerts == []
    run_alert(store, {"file": channel}, at("11:05"))
    assert [a.incident for a in channel.alerts] == ["a", "b", "c"]
    assert [a.failed for a in alerts_of(store, "poison")] == [True]
    assert try_again(store, at("12:00")) == 2, "the summary, and what was poison"


def test_opened_never_comes_after_over(store: Store) -> None:
    queue_alerts(store, alert_row("one", "11:00"))
    channel = Moody(opened=ChannelError("451 later"))
    run_alert(store, {"file": channel}, at("11:00"))
    queue_alerts(store, alert_row("one", "11:00", "over", due="11:00", subject="over"))
    with store.transaction() as conn:
        conn.execute("UPDATE alerts SET created = ? WHERE transition = 'over'", (iso(at("11:01")),))
    run_alert(store, {"file": channel}, at("11:01"))
    channel.moods = {}
    run_alert(store, {"file": channel}, at("12:30"))
    assert [a.transition for a in channel.alerts] == ["over"]
    queue_alerts(store, alert_row("two", "13:00"))
    channel.moods = {"opened": ChannelError("451 later")}
    run_alert(store, {"file": channel}, at("13:00"))
    channel.moods = {}
    queue_alerts(store, replace(alert_row("two", "13:01", "over"), due_at=at("13:01")))
    run_alert(store, {"file": channel}, at("13:01"))
    assert [a.transition for a in channel.alerts[1:]] == ["opened", "over"], (
        "what was tried goes first, before its time"
    )


def test_a_server_that_is_down_is_asked_once_a_run(store: Store) -> None:
    queue_alerts(store, *(alert_row(f"i{n}", "11:00") for n in range(2)))
    asked: list[str] = []

    class Down(RecordingChannel):
        def send(self, alert: Alert) -> None:
            asked.append(alert.incident)
            raise ChannelError("connection refused", down=True)

    run_alert(store, {"file": Down()}, at("11:00"))
    assert len(asked) == 1
    assert sorted(a.attempts for a in alerts_of(store)) == [0, 1]


def test_the_cap_never_holds_back_what_begins_critically(store: Store) -> None:
    queue_alerts(store, alert_row("before", "11:00"))
    channel = RecordingChannel()
    run_alert(store, {"file": channel}, at("11:00"), Delivery(max_per_hour=1))
    facts = replace(sample(at("11:05")).incident_facts, impact=Impact.CRITICAL)
    queue_alerts(store, alert_row("mild", "11:05"), alert_row("bad", "11:05", facts=facts))
    run_alert(store, {"file": channel}, at("11:05"), Delivery(max_per_hour=1))
    assert [a.incident for a in channel.alerts] == ["before", "bad"]


def test_what_a_machine_reads_is_never_put_together(store: Store) -> None:
    queue_alerts(store, *(replace(alert_row(f"i{n}", "11:00"), channel="webhook") for n in range(5)))
    channel = RecordingChannel()
    run_alert(store, {"webhook": channel}, at("11:00"), Delivery(max_per_hour=2))
    assert sorted(a.incident for a in channel.alerts) == [f"i{n}" for n in range(5)]


def test_waiting_for_more_brings_together_what_began_meanwhile(store: Store) -> None:
    wait = Delivery(group_wait=timedelta(minutes=10))
    queue_alerts(
        store,
        *(
            alert_row(name, begun, due=due)
            for name, begun, due in (("a", "11:00", "11:10"), ("b", "11:05", "11:15"), ("c", "11:09", "11:19"))
        ),
    )
    channel = RecordingChannel()
    assert run_alert(store, {"file": channel}, at("11:09"), wait).new == 0
    run_alert(store, {"file": channel}, at("11:10"), wait)
    (only,) = channel.alerts
    assert only.transition == "summary"
    assert "Held back" not in only.subject
    assert all(a.sent_at for a in alerts_of(store))


def test_a_silence_stops_what_waits_but_never_an_end(store: Store) -> None:
    queue_alerts(store, alert_row("one", "11:00", due="11:10"), alert_row("two", "11:00", "over", due="11:10"))
    add_silence(store, "example", "", at("11:02"), at("15:00"), "r", "a")
    channel = RecordingChannel()
    run_alert(store, {"file": channel}, at("11:10"))
    assert [a.transition for a in channel.alerts] == ["over"]
    assert alerts_of(store, "one") == [], "routes_and_transitions once the silence ends, as if it had not been written"


def test_a_channel_that_is_gone_fails_once_and_not_for_ever(store: Store) -> None:
    queue_alerts(store, alert_row("one", "11:00"))
    assert run_alert(store, {}, at("11:00")).outcome == "error"
    assert run_alert(store, {}, at("11:05")).outcome == "ok"
    assert alerts_of(store)[0].failed


def test_a_clock_that_stood_ahead_leaves_nothing_in_the_future(store: Store) -> None:
    queue_alerts(store, alert_row("one", "20:00"), alert_row("two", "10:00"))
    run_alert(store, {"file": Moody(two=ChannelError("451"))}, at("20:00"))
    record_run(store, Run(stage="collect", subject="feed:x", started=at("20:00"), outcome="ok"))
    assert rewind_future_clock(store, at("11:00")) == at("20:00")
    assert all(
        a.created <= at("11:00") and a.due_at <= at("11:00") and (a.sent_at is None or a.sent_at <= at("11:00"))
        for a in alerts_of(store)
    )
    record_run(store, Run(stage="collect", subject="feed:x", started=at("15:00"), outcome="error", error="refused"))
    assert [b.source for b in blind_sources(store, at("15:00"))] == ["feed:x"]
    record_run(store, Run(stage="collect", subject="feed:x", started=at("15:08"), outcome="error", error="refused"))
    assert rewind_future_clock(store, at("15:00")) == at("15:08"), "minutes ahead are ahead"


def test_a_source_that_is_not_asked_any_more_is_not_blind(store: Store) -> None:
    record_run(store, Run(stage="collect", subject="feed:off", started=at("00:00"), outcome="ok"))
    record_run(store, Run(stage="collect", subject="feed:on", started=at("00:00", 4), outcome="ok"))
    assert blind_sources(store, at("00:30", 4)) == []


def test_a_page_of_many_parts_makes_no_large_mail() -> None:
    base = sample(at("11:00"))
    parts = tuple(
        ComponentFacts(
            name=f"part {n} " + "x" * 200,
            status=ComponentStatus.AFFECTED,
            source="official",
            since=at("11:00"),
            until=None,
            detail="d" * 900,
        )
        for n in range(400)
    )
    names = tuple(part.name for part in parts)
    alert = replace(base, facts=replace(base.incident_facts, components=parts, affected_names=names))
    message = compose(alert, sender="a@b.c", to=["d@e.f"], zone="UTC")
    assert len(message.as_bytes()) < 100_000
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "388 more" in text


def test_a_beginning_that_was_given_up_is_not_revived_after_its_end_was_sent(store: Store) -> None:
    queue_alerts(store, alert_row("one", "11:00"))
    channel = Moody(opened=ChannelError("400 no", permanent=True))
    run_alert(store, {"file": channel}, at("11:00"))
    queue_alerts(store, alert_row("one", "12:00", "over", due="12:00", subject="over"))
    run_alert(store, {"file": channel}, at("12:00"))
    assert [a.transition for a in channel.alerts] == ["over"]
    assert try_again(store, at("12:05")) == 0, "a pager would stay open"
