"""What the alert stage logs: decisions worth knowing, where a bug lies, and never a credential."""

from __future__ import annotations

import logging
import smtplib
from datetime import timedelta

import pytest

from pipeline.config.settings import Mail
from pipeline.core.alerts import Alert
from pipeline.core.errors import ChannelError
from pipeline.core.secret import SecretStr
from pipeline.notify.channels.email import EmailChannel
from pipeline.notify.channels.webhook import WebhookChannel
from pipeline.stages.alert.prepare import Delivery
from pipeline.stages.alert.stage import run_alert
from pipeline.store import Store
from pipeline.store.operators import add_silence
from pipeline.store.outbox import alerts_of
from tests.copies import replace
from tests.sending import RecordingChannel, alert_row, queue_alerts
from tests.world import at

CANARY = "kanarie9431"


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="pipeline")


class Broken:
    """A channel with a bug whose words hold what it was configured with."""

    name = "file"

    def send(self, alert: Alert) -> None:
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            raise RuntimeError(f"https://hooks.example.org/{CANARY}") from error


def test_a_bug_in_a_channel_is_one_line_for_people_and_its_place_in_the_log(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    queue_alerts(store, alert_row("one", "11:00"))
    run = run_alert(store, {"file": Broken()}, at("11:00"))
    assert run.error.startswith("file: RuntimeError while <one-opened@x> was sent: a bug")
    assert "\n" not in run.error
    (logged,) = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert "RuntimeError while <one-opened@x> was sent by file" in logged
    assert "test_alert_log.py" in logged, "the file and the line"
    assert "in send" in logged, "the function"
    assert "KeyError" in logged, "what it was raised from"


def test_no_credential_is_logged_whatever_fails(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    url = SecretStr(f"http://127.0.0.1:9/{CANARY}")
    mail = Mail(
        to=("me@example.org",), host="127.0.0.1", port=9, security="tls", user="u", timeout=timedelta(seconds=1)
    )
    channels = {
        "file": Broken(),
        "webhook": WebhookChannel(url, SecretStr(CANARY), allow=("127.0.0.1",)),
        "email": EmailChannel(mail, SecretStr(CANARY), zone="UTC"),
    }
    queue_alerts(store, *(replace(alert_row(name, "11:00"), channel=name) for name in channels))
    assert run_alert(store, channels, at("11:00")).rejected == 3
    assert len(caplog.records) >= 3
    assert CANARY not in caplog.text
    assert all(CANARY not in alert.error for alert in alerts_of(store))


def test_what_is_muted_capped_merged_or_put_off_is_logged_with_its_reason(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    queue_alerts(store, alert_row("silent", "11:00"))
    add_silence(store, "example", "", at("10:00"), at("11:30"), "maintenance", "me")
    channel = RecordingChannel()
    run_alert(store, {"file": channel}, at("11:00"))
    assert "opened of silent is muted by silence 1" in caplog.text
    queue_alerts(store, *(alert_row(f"i{n}", "12:00") for n in range(3)))
    run_alert(store, {"file": channel}, at("12:00"), Delivery(max_per_hour=1))
    assert "3 messages are merged into <" in caplog.text
    queue_alerts(store, alert_row("late", "12:05"))
    run_alert(store, {"file": channel}, at("12:05"), Delivery(max_per_hour=1))
    assert "1 messages by file wait until 2026-03-02 13:00:00+00:00: 1 were sent in an hour" in caplog.text
    queue_alerts(store, alert_row("again", "14:00"))

    class Busy(RecordingChannel):
        def send(self, alert: Alert) -> None:
            raise ChannelError("answered 451") from smtplib.SMTPDataError(451, b"later")

    run_alert(store, {"file": Busy()}, at("14:00"), Delivery(max_per_hour=9))
    assert "was not accepted: answered 451" in caplog.text
