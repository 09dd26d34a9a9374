"""A mail server that cannot be asked, puts off, or says goodbye badly: each message arrives once."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.settings import Mail
from pipeline.config.validation import validated
from pipeline.core.errors import ChannelError, ConfigError
from pipeline.notify.channels.email import EmailChannel
from pipeline.stages.alert.stage import run_alert
from pipeline.store import Store
from pipeline.store.outbox import alerts_of
from tests.copies import replace
from tests.sending import alert_row, queue_alerts
from tests.world import at


@pytest.mark.parametrize(
    "wrong",
    [{"timeout": "0s"}, {"timeout": "1d"}, {"host": "mail..example.org"}, {"host": "x" * 70 + ".org"}, {"host": ".x"}],
)
def test_settings_no_server_can_be_asked_with_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        validated(Mail, wrong, Path("groundswell.toml"))
    assert validated(Mail, {"host": "::1", "timeout": "5s"}, Path("groundswell.toml")).host == "::1"


def test_a_password_that_is_missing_or_odd_keeps_the_mail_due() -> None:
    mail = Mail(to=("me@example.org",), user="u", host="127.0.0.1", port=1)
    with pytest.raises(ChannelError, match="GROUNDSWELL_SMTP_PASSWORD is not") as caught:
        EmailChannel(mail, None, zone="UTC").send(alert_row("one", "11:00"))
    assert not caught.value.permanent


def talk(answers: dict[str, bytes], taken: list[bytes]) -> int:
    """Serve SMTP with scripted answers on loopback (an empty one hangs up); return the port."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            link, _ = server.accept()
            with link, link.makefile("rb") as lines:
                link.sendall(b"220 hello\r\n")
                for line in lines:
                    verb = line[:4].strip().upper().decode()
                    if line.upper().startswith(b"RCPT"):
                        verb = line.strip().decode().partition("<")[2].partition(">")[0]
                    answer = answers.get(verb, b"250 ok\r\n" if verb != "DATA" else b"354 go\r\n")
                    link.sendall(answer)
                    if not answer:
                        break
                    if verb == "DATA" and answer.startswith(b"354"):
                        body = b""
                        while not body.endswith(b"\r\n.\r\n"):
                            body += lines.readline()
                        taken.append(body)
                        link.sendall(answers.get("END", b"250 taken\r\n"))
                    if verb == "QUIT":
                        break

    threading.Thread(target=serve, daemon=True).start()
    return int(server.getsockname()[1])


@pytest.mark.parametrize("goodbye", [b"421 too busy\r\n", b"500 what?\r\n"])
def test_a_server_that_takes_it_and_says_goodbye_badly_has_it_once(store: Store, goodbye: bytes) -> None:
    taken: list[bytes] = []
    mail = Mail(
        to=("me@example.org",), host="127.0.0.1", port=talk({"QUIT": goodbye}, taken), timeout=timedelta(seconds=5)
    )
    queue_alerts(store, alert_row("one", "11:00"))
    for hour in range(3):
        run_alert(store, {"file": EmailChannel(mail, None, zone="UTC")}, at("11:00") + timedelta(hours=hour))
    assert len(taken) == 1
    assert alerts_of(store)[0].sent_at == at("11:00")


def test_who_was_put_off_is_asked_again_alone(store: Store) -> None:
    taken: list[bytes] = []
    answers = {"b@example.org": b"450 later\r\n"}
    port = talk(answers, taken)
    mail = Mail(to=("a@example.org", "b@example.org"), host="127.0.0.1", port=port, timeout=timedelta(seconds=5))
    queue_alerts(store, alert_row("one", "11:00"))
    channel = EmailChannel(mail, None, zone="UTC")
    run_alert(store, {"file": channel}, at("11:00"))
    (kept,) = alerts_of(store)
    assert (kept.pending_recipients, kept.sent_at, kept.failed) == (("b@example.org",), at("11:00"), False)
    asked: list[Any] = []
    send = channel.deliver
    channel.deliver = lambda message, to: (asked.append(tuple(to)), send(message, to))[1]  # type: ignore[method-assign,func-returns-value]
    answers.clear()
    run_alert(store, {"file": channel}, at("11:10"))
    assert asked == [("b@example.org",)]
    assert len(taken) == 2
    (kept,) = alerts_of(store)
    assert (kept.pending_recipients, kept.sent_at) == ((), at("11:00")), "when the first had it"


THREE = ("a@example.org", "b@example.org", "c@example.org")


@pytest.mark.parametrize(
    ("answers", "gone"),
    [
        ({"b@example.org": b"421 too many\r\n"}, ()),
        ({"a@example.org": b"550 gone\r\n", "b@example.org": b"421 too many\r\n"}, ("a@example.org",)),
        ({"a@example.org": b"550 gone\r\n", "b@example.org": b"450 x\r\n", "c@example.org": b"450 x\r\n"}, THREE[:1]),
        ({"b@example.org": b"450 later\r\n", "DATA": b"421 closing\r\n"}, ()),
        ({"b@example.org": b"450 later\r\n", "DATA": b""}, ()),
        ({"b@example.org": b"450 later\r\n", "END": b"451 later\r\n"}, ()),
    ],
    ids=["421", "550 and 421", "all refused", "421 at DATA", "hangs up at DATA", "451 after DATA"],
)
def test_without_an_accepted_message_everybody_who_is_not_gone_has_yet_to_have_it(
    store: Store, answers: dict[str, bytes], gone: tuple[str, ...]
) -> None:
    taken: list[bytes] = []
    mail = Mail(to=THREE, host="127.0.0.1", port=talk(answers, taken), timeout=timedelta(seconds=5))
    channel = EmailChannel(mail, None, zone="UTC")
    queue_alerts(store, alert_row("one", "11:00"))
    assert "the others have it" not in run_alert(store, {"file": channel}, at("11:00")).error
    (kept,) = alerts_of(store)
    assert (kept.pending_recipients, kept.refused_recipients) == ((), gone)
    assert (kept.sent_at, kept.failed) == (None, False)
    taken.clear()
    answers.clear()
    asked: list[tuple[str, ...]] = []
    deliver = channel.deliver
    channel.deliver = lambda message, to: (asked.append(tuple(to)), deliver(message, to))[1]  # type: ignore[method-assign,func-returns-value]
    run_alert(store, {"file": channel}, at("11:10"))
    assert asked == [tuple(a for a in THREE if a not in gone)]
    assert len(taken) == 1
    assert alerts_of(store)[0].sent_at == at("11:10")


def test_a_pending_recipient_who_is_replaced_is_asked_no_more_and_nobody_has_it_twice(store: Store) -> None:
    taken: list[bytes] = []
    mail = Mail(
        to=THREE[:2],
        host="127.0.0.1",
        port=talk({"b@example.org": b"450 later\r\n"}, taken),
        timeout=timedelta(seconds=5),
    )
    queue_alerts(store, alert_row("one", "11:00"))
    run_alert(store, {"file": EmailChannel(mail, None, zone="UTC")}, at("11:00"))
    assert len(taken) == 1
    replaced = replace(mail, to=(THREE[0], THREE[2]))
    run = run_alert(store, {"file": EmailChannel(replaced, None, zone="UTC")}, at("11:10"))
    assert run.outcome == "ok"
    assert len(taken) == 1
    (kept,) = alerts_of(store)
    assert kept.sent_at is not None
    assert (kept.pending_recipients, kept.failed) == ((), False)


def test_an_address_configured_twice_is_asked_once_and_put_off_as_one(store: Store) -> None:
    taken: list[bytes] = []
    port = talk({"a@example.org": b"450 later\r\n"}, taken)
    mail = Mail(to=(THREE[0], THREE[0]), host="127.0.0.1", port=port, timeout=timedelta(seconds=5))
    queue_alerts(store, alert_row("one", "11:00"))
    run_alert(store, {"file": EmailChannel(mail, None, zone="UTC")}, at("11:00"))
    assert not taken, "a message without a recipient is not sent"
    assert alerts_of(store)[0].pending_recipients == ()


def test_login_asked_for_at_the_message_is_no_fault_of_the_message() -> None:
    mail = Mail(
        to=("a@example.org",),
        host="127.0.0.1",
        port=talk({"MAIL": b"530 log in first\r\n"}, []),
        timeout=timedelta(seconds=5),
    )
    with pytest.raises(ChannelError, match="530") as caught:
        EmailChannel(mail, None, zone="UTC").send(alert_row("one", "11:00"))
    assert not caught.value.permanent
