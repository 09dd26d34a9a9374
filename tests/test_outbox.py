"""Row, then send, then mark: what fails is tried again or kept as failed, a kill repeats the same Message-ID."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.commands.test_alert import sample
from pipeline.core.alerts import Alert
from pipeline.core.errors import ChannelError
from pipeline.core.times import utc
from pipeline.stages.alert.stage import run_alert, send
from pipeline.store import Store
from pipeline.store.outbox import alerts_of, put_alerts
from tests.copies import replace
from tests.policy_inputs import MINUTE
from tests.sending import RecordingChannel, ScriptedChannel, alert_row, fail

NOW = utc("2026-03-02T11:45:00Z")


def outbox(tmp_path: Path, n: int = 2) -> Store:
    store = Store(tmp_path / "x.db")
    with store.transaction() as conn:
        put_alerts(conn, [replace(sample(NOW), message_id=f"<{i}@x>", channel="file") for i in range(n)])
    return store


def test_a_poison_alert_does_not_stop_the_next_and_is_tried_again_later(tmp_path: Path) -> None:
    with outbox(tmp_path) as store:
        channel = ScriptedChannel(fail(permanent=False))
        run = run_alert(store, {"file": channel}, NOW)
        assert (run.outcome, run.new, channel.sent) == ("error", 1, ["<1@x>"])
        assert run_alert(store, {"file": channel}, NOW + timedelta(seconds=30)).new == 0
        assert run_alert(store, {"file": channel}, NOW + timedelta(minutes=1)).new == 1
        assert channel.sent == ["<1@x>", "<0@x>"]
        assert run_alert(store, {"file": channel}, NOW + timedelta(days=1)).new == 0


def test_what_cannot_be_sent_is_kept_as_failed(tmp_path: Path) -> None:
    with outbox(tmp_path, 1) as store:
        run_alert(store, {"file": ScriptedChannel(fail(permanent=True))}, NOW)
        (alert,) = alerts_of(store)
        assert (alert.failed, alert.error, alert.sent_at) == (True, "no", None)


def test_a_kill_between_sending_and_marking_repeats_the_same_message_id(tmp_path: Path) -> None:
    with outbox(tmp_path, 1) as store:
        channel = ScriptedChannel()

        class Killed(BaseException):
            pass

        def killed(alert: Alert) -> None:
            channel.sent.append(alert.message_id)
            raise Killed

        dying = ScriptedChannel()
        dying.send = killed  # type: ignore[method-assign]
        with pytest.raises(Killed):
            run_alert(store, {"file": dying}, NOW)
        run_alert(store, {"file": channel}, NOW)
        assert channel.sent == ["<0@x>", "<0@x>"]


@pytest.mark.parametrize(("attempts", "minutes"), [(0, 1), (1, 2), (5, 32), (6, 60), (60, 60)])
def test_a_failed_message_is_tried_again_after_waits_that_double_up_to_an_hour(attempts: int, minutes: int) -> None:
    class Failing(RecordingChannel):
        def send(self, alert: Alert) -> None:
            raise ChannelError("answered 451")

    outcome = send(Failing(), replace(alert_row("one", "11:00"), attempts=attempts))
    assert outcome.retry_after == minutes * MINUTE
