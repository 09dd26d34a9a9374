"""Many messages at once and above the hourly cap are merged into one."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pipeline.commands.test_alert import sample
from pipeline.config.settings import Alerts
from pipeline.core.alert_facts import Section
from pipeline.core.alerts import Alert
from pipeline.notify.digest import summary_message, system_message
from pipeline.render.mail import compose
from pipeline.stages.alert.prepare import Delivery
from pipeline.stages.alert.stage import run_alert
from pipeline.store import Store
from pipeline.store.outbox import alerts_of, put_alerts
from tests.copies import replace
from tests.policy_inputs import BEGAN, MINUTE, SECOND, message
from tests.sending import RecordingChannel, ScriptedChannel, alert_row, fail, queue_alerts
from tests.world import at


def test_many_at_once_are_one_message_that_names_all(store: Store) -> None:
    names = [f"service {n:02d}" for n in range(50)]
    rows = [alert_of(f"<{n}@x>", name) for n, name in enumerate(names)]
    with store.transaction() as conn:
        put_alerts(conn, rows)
    channel = RecordingChannel()
    assert run_alert(store, {"file": channel}, at("12:00")).new == 1
    text = compose(channel.alerts[0], sender="a@b.c", to=["d@e.f"], zone="UTC").get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert all(name in text for name in names)
    assert [a.incident for a in alerts_of(store) if a.sent_at is None] == []
    with store.transaction() as conn:
        put_alerts(conn, [alert_of(f"<few{n}@x>", f"few{n}", at("13:00")) for n in range(3)])
    assert run_alert(store, {"file": channel}, at("13:00")).new == 1, "three are many, with room for each"
    again = summary_message(list(reversed(rows)), at("12:00"), held=False)
    assert again == summary_message(rows, at("12:00"), held=False), "the order they are read in does not matter"


def test_two_at_once_go_alone_and_what_was_tried_before_keeps_its_message_id(store: Store) -> None:
    with store.transaction() as conn:
        put_alerts(conn, [alert_of(f"<{n}@x>", f"s{n}") for n in range(2)])
    failing = ScriptedChannel(fail(permanent=False), fail(permanent=False))
    run_alert(store, {"file": failing}, at("12:00"))
    with store.transaction() as conn:
        put_alerts(conn, [alert_of(f"<{n}@x>", f"s{n}") for n in range(2, 4)])
    channel = RecordingChannel()
    run_alert(store, {"file": channel}, at("13:00"))
    assert sorted(a.message_id for a in channel.alerts) == ["<0@x>", "<1@x>", "<2@x>", "<3@x>"]


def test_above_the_hourly_cap_one_message_tells_the_rest_when_there_is_room(store: Store) -> None:
    channel = RecordingChannel()
    for n in range(8):
        with store.transaction() as conn:
            put_alerts(conn, [alert_of(f"<{n}@x>", f"s{n}", at("12:00") + n * timedelta(minutes=1))])
        run_alert(store, {"file": channel}, at("12:00") + n * timedelta(minutes=1), Delivery(max_per_hour=3))
    assert [a.message_id for a in channel.alerts] == ["<0@x>", "<1@x>", "<2@x>"]
    run_alert(store, {"file": channel}, at("13:00"), Delivery(max_per_hour=3))
    assert [a.transition for a in channel.alerts[3:]] == ["summary"]
    assert set(channel.alerts[3].facts.incidents) == {f"i-s{n}" for n in range(3, 8)}


def alert_of(message_id: str, service: str, created: datetime | None = None) -> Alert:
    one = sample(created or at("12:00"))
    return replace(
        one,
        message_id=message_id,
        channel="file",
        incident=f"i-{service}",
        subject=f"{service}: possible outage",
        facts=replace(one.incident_facts, service=service),
    )


@pytest.mark.parametrize(("count", "merged"), [(1, False), (2, False), (3, True), (4, True)])
def test_three_incidents_at_once_are_one_message(store: Store, count: int, merged: bool) -> None:
    queue_alerts(store, *(alert_row(f"i{n}", "11:00") for n in range(count)))
    channel = RecordingChannel()
    run_alert(store, {"file": channel}, BEGAN)
    assert [a.transition for a in channel.alerts] == (["summary"] if merged else ["opened"] * count)


@pytest.mark.parametrize(("waited", "sent"), [(timedelta(hours=1) - SECOND, False), (timedelta(hours=1), True)])
def test_above_the_hourly_cap_a_message_waits_until_the_first_is_an_hour_old(
    store: Store, waited: timedelta, sent: bool
) -> None:
    cap = Alerts().max_per_hour
    assert cap == 20
    channel = RecordingChannel()
    for n in range(cap):
        queue_alerts(store, alert_row(f"i{n}", "11:00"))
        run_alert(store, {"file": channel}, BEGAN, Delivery(max_per_hour=cap))
    assert len(channel.alerts) == cap, "the cap itself is sent"
    queue_alerts(store, alert_row("above", "11:00"))
    run_alert(store, {"file": channel}, BEGAN, Delivery(max_per_hour=cap))
    assert len(channel.alerts) == cap
    run_alert(store, {"file": channel}, BEGAN + waited, Delivery(max_per_hour=cap))
    assert (len(channel.alerts) > cap) is sent


@pytest.mark.parametrize(("more", "messages_sent"), [(1, 2), (2, 2)])
def test_what_there_is_no_room_for_in_this_hour_is_merged(store: Store, more: int, messages_sent: int) -> None:
    delivery, channel = Delivery(max_per_hour=2), RecordingChannel()
    queue_alerts(store, alert_row("first", "11:00"))
    run_alert(store, {"file": channel}, BEGAN, delivery)
    queue_alerts(store, *(alert_row(f"more{n}", "11:00") for n in range(more)))
    run_alert(store, {"file": channel}, BEGAN, delivery)
    assert [a.transition for a in channel.alerts] == ["opened", "opened" if more == 1 else "summary"]
    assert len(channel.alerts) == messages_sent


def test_a_first_message_that_waits_for_others_goes_at_its_time(store: Store) -> None:
    channel, wait = RecordingChannel(), Delivery(group_wait=10 * MINUTE)
    queue_alerts(store, alert_row("one", "11:00", due="11:10"))
    run_alert(store, {"file": channel}, BEGAN + 10 * MINUTE - SECOND, wait)
    assert channel.alerts == []
    run_alert(store, {"file": channel}, BEGAN + 10 * MINUTE, wait)
    assert [a.transition for a in channel.alerts] == ["opened"]
    assert alerts_of(store)[0].sent_at == BEGAN + 10 * MINUTE


@pytest.mark.parametrize(("lines", "shown", "rest"), [(49, 49, None), (50, 50, None), (51, 51, "and 1 more")])
def test_a_section_names_fifty_lines(lines: int, shown: int, rest: str | None) -> None:
    facts = system_message("s", "h", (Section("Runs", tuple(f"line {n}" for n in range(lines))),), BEGAN)
    assert len(facts.sections[0].lines) == shown
    assert (facts.sections[0].lines[-1] == rest) is (rest is not None)


@pytest.mark.parametrize(("services", "more"), [(4, False), (5, True)])
def test_a_summary_names_four_services_in_its_subject(services: int, more: bool) -> None:
    rows = [message(BEGAN, service=f"S{n}") for n in range(services)]
    facts = summary_message([replace(a, incident=f"i{n}") for n, a in enumerate(rows)], BEGAN, held=False)
    assert facts.subject.endswith(" and more") is more
    assert facts.subject.startswith(f"{services} incidents: S0, S1, S2, S3")
