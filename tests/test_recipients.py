"""A message to several: who has it does not have it again, and who cannot have it is shown and not asked for ever."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from pipeline.config.settings import Mail
from pipeline.notify.channels.email import EmailChannel
from pipeline.stages.alert.stage import run_alert
from pipeline.store import Store
from pipeline.store.outbox import alerts_of, sent_since, stuck_alerts, try_again
from pipeline.store.summary import failed_alerts
from tests.ports import free_port
from tests.sending import alert_row, queue_alerts
from tests.world import at


class Mailboxes:
    """Mailboxes of one server by their answer to RCPT: `250 ok`, `452 full`, `550 gone`; what each holds."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.holds: Counter[str] = Counter()
        self.asked: list[str] = []

    async def handle_RCPT(
        self, server: object, session: object, envelope: object, address: str, options: object
    ) -> str:
        self.asked.append(address.partition("@")[0])
        answer = self.answers[address.partition("@")[0]]
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)  # type: ignore[attr-defined]
        return answer

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        self.holds.update(address.partition("@")[0] for address in envelope.rcpt_tos)  # type: ignore[attr-defined]
        return "250 taken"


class Runs:
    """Runs of the alert stage against a real server on loopback."""

    def __init__(self, store: Store, boxes: Mailboxes, port: int) -> None:
        self.store = store
        to = tuple(f"{name}@example.org" for name in boxes.answers)
        mail = Mail(to=to, host="127.0.0.1", port=port, timeout=timedelta(seconds=5))
        self.channel = EmailChannel(mail, None, zone="UTC")
        queue_alerts(store, alert_row("one", "10:00"))

    def every_five_minutes(self, hours: int) -> None:
        for minutes in range(0, 60 * hours, 5):
            run_alert(self.store, {"file": self.channel}, at("10:05") + timedelta(minutes=minutes))


@pytest.fixture
def serve(store: Store):  # type: ignore[no-untyped-def]
    """Start servers with such mailboxes."""
    from aiosmtpd.controller import Controller

    started = []

    def start(boxes: Mailboxes) -> Runs:
        controller = Controller(boxes, hostname="127.0.0.1", port=free_port())
        controller.start()
        started.append(controller)
        return Runs(store, boxes, controller.port)

    yield start
    for controller in started:
        controller.stop()


def test_one_full_mailbox_among_three_does_not_fill_the_others(serve, store: Store) -> None:  # type: ignore[no-untyped-def]
    boxes = Mailboxes(ops="250 ok", gone="550 gone", full="452 full")
    runs = serve(boxes)
    runs.every_five_minutes(6)
    assert boxes.holds == {"ops": 1}
    assert Counter(boxes.asked)["gone"] == 1
    assert Counter(boxes.asked)["full"] > 5
    (kept,) = alerts_of(store)
    assert (kept.pending_recipients, kept.refused_recipients) == (("full@example.org",), ("gone@example.org",))
    assert (kept.sent_at, kept.failed) == (at("10:05"), False)
    assert sent_since(store, "file", "", at("10:00")) == [at("10:05")], "it counts for the messages of an hour"
    boxes.answers["full"] = "250 ok"
    run_alert(store, {"file": runs.channel}, at("18:00"))
    assert boxes.holds == {"ops": 1, "full": 1}
    (kept,) = alerts_of(store)
    assert (kept.sent_at, kept.refused_recipients) == (at("10:05"), ("gone@example.org",))
    assert not stuck_alerts(store, at("18:00"))
    (shown,) = failed_alerts(store, at("09:00"))
    assert "refused for good by gone@example.org" in shown
    assert try_again(store, at("19:00")) == 0


def test_who_turns_out_to_be_gone_leaves_it_with_the_others(serve, store: Store) -> None:  # type: ignore[no-untyped-def]
    boxes = Mailboxes(ops="250 ok", full="452 full")
    runs = serve(boxes)
    run_alert(store, {"file": runs.channel}, at("10:05"))
    boxes.answers["full"] = "550 gone"
    runs.every_five_minutes(3)
    assert boxes.holds == {"ops": 1}
    (kept,) = alerts_of(store)
    assert (kept.refused_recipients, kept.failed) == (("full@example.org",), True)
    assert kept.sent_at is not None, "others have it"


def test_what_nobody_takes_is_failed_and_what_all_put_off_comes_to_all(serve, store: Store) -> None:  # type: ignore[no-untyped-def]
    boxes = Mailboxes(a="450 later", b="450 later")
    runs = serve(boxes)
    runs.every_five_minutes(1)
    boxes.answers.update(a="250 ok", b="250 ok")
    runs.every_five_minutes(4)
    assert boxes.holds == {"a": 1, "b": 1}
    gone = Mailboxes(a="550 gone", b="450 later")
    queue_alerts(store, alert_row("two", "10:00"))
    runs = serve(gone)
    runs.every_five_minutes(1)
    gone.answers["b"] = "550 gone"
    runs.every_five_minutes(4)
    (two,) = [a for a in alerts_of(store) if a.incident == "two"]
    assert (two.sent_at, two.failed) == (None, True)
    assert not gone.holds


def test_what_a_summary_tells_was_sent_when_the_first_recipient_had_it(serve, store: Store) -> None:  # type: ignore[no-untyped-def]
    boxes = Mailboxes(ops="250 ok", full="452 full")
    runs = serve(boxes)
    queue_alerts(store, alert_row("two", "10:00"), alert_row("three", "10:00"))
    run_alert(store, {"file": runs.channel}, at("10:05"))
    boxes.answers["full"] = "250 ok"
    run_alert(store, {"file": runs.channel}, at("11:05"))
    assert boxes.holds == {"ops": 1, "full": 1}
    assert {a.sent_at for a in alerts_of(store)} == {at("10:05")}


def test_finding_due_messages_reads_no_old_ones(store: Store) -> None:
    where = "(sent_at IS NULL OR left_out != '') AND failed = 0 AND merged_into IS NULL AND due_at <= 'x'"
    plan = [str(step[3]) for step in store.rows(f"EXPLAIN QUERY PLAN SELECT * FROM alerts WHERE {where}")]
    assert not [step for step in plan if step.startswith("SCAN")], plan
