"""Alerts leaving: real SMTP on loopback, files, hostile text, failures, and the order row - send - mark."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from pipeline.commands.test_alert import sample
from pipeline.config.settings import Mail
from pipeline.core.alert_facts import LinkFacts, OfficialLine
from pipeline.core.alerts import Alert
from pipeline.core.errors import ChannelError
from pipeline.core.secret import SecretStr
from pipeline.core.times import utc
from pipeline.core.vocabulary import Relation
from pipeline.notify.channels.apprise import AppriseChannel, address_problems, mark_of
from pipeline.notify.channels.email import EmailChannel
from pipeline.notify.channels.file import FileChannel
from pipeline.render.formatting import header_safe
from pipeline.render.mail import compose
from pipeline.stages.alert.stage import run_alert
from pipeline.store import Store
from pipeline.store.outbox import alerts_of, put_alerts

NOW = utc("2026-03-02T11:45:00Z")
HEADERS = [
    "Auto-Submitted",
    "Content-Type",
    "Date",
    "From",
    "In-Reply-To",
    "MIME-Version",
    "Message-ID",
    "References",
    "Subject",
    "To",
]


class Sink:
    """Keeps what it accepts; answers as told."""

    def __init__(self) -> None:
        self.taken: list[tuple[list[str], bytes]] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            self.taken.append((envelope.rcpt_tos, envelope.content))
        return self.answer

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("refused"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def smtp() -> Iterator[tuple[Sink, Mail]]:
    sink = Sink()
    controller = Controller(sink, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield (
        sink,
        Mail(
            to=("me@example.org",),
            sender="gw@example.org",
            host="127.0.0.1",
            port=controller.port,
            timeout=timedelta(seconds=5),
        ),
    )
    controller.stop()


def parsed(raw: bytes) -> Any:
    return message_from_bytes(raw, policy=policy.default)


def test_a_mail_arrives_with_text_html_and_chart(smtp: tuple[Sink, Mail]) -> None:
    sink, mail = smtp
    EmailChannel(mail, None, zone="America/Los_Angeles").send(sample(NOW))
    ((recipients, raw),) = sink.taken
    message = parsed(raw)
    assert recipients == ["me@example.org"]
    assert sorted(set(message.keys())) == HEADERS
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]
    text = message.get_body(("plain",)).get_content()
    assert "logins have been failing (example.org) since 03:25 PST on 2 March" in text.splitlines()[0]
    assert "while Example API works for most" in text.splitlines()[0]
    assert len(raw) < 100_000


def test_same_alert_same_bytes() -> None:
    one, two = (compose(sample(NOW), sender="a@b.c", to=["d@e.f"], zone="UTC").as_bytes() for _ in range(2))
    assert one == two


HOSTILE = [
    "=?utf-8?q?Outage=0aReply-To=3a_e=40evil=2etest?=",
    "a\r\nBcc: x@evil.test",
    "x\u202egpj.exe",
    "<script>alert(1)</script>",
    "\x00\x1b[31m",
    "\ud800",
    "A" * 100_000,
    "{{ 7*7 }}",
    "' OR 1=1 --",
    "=cmd|' /C calc'!A0",
    "𝒶" * 3000,
]


def spoiled(text: str) -> Alert:
    alert = sample(NOW)
    link = LinkFacts(
        relation=Relation.REPORTS, title=text, seen=NOW, outlets=1, evidence_for=(), evidence_against=(text,)
    )
    facts = replace(
        alert.incident_facts,
        quotes=(text,),
        service=text,
        affected_names=(text,),
        evidence=(text,),
        official=(OfficialLine(NOW, text),),
        links=(link,),
    )
    return replace(alert, subject=text, facts=facts)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_changes_neither_headers_nor_recipients(smtp: tuple[Sink, Mail], text: str) -> None:
    sink, mail = smtp
    clean = text.encode("utf-8", "replace").decode()  # what the sources store
    EmailChannel(mail, None, zone="UTC").send(spoiled(clean))
    ((recipients, raw),) = sink.taken
    message = parsed(raw)
    assert recipients == ["me@example.org"]
    assert sorted(message.keys()) == HEADERS
    html = message.get_body(("html",)).get_content()
    assert "<script>alert" not in html
    assert len(raw) < 100_000


def test_every_hostile_string_of_the_world_is_a_safe_header(eval_data: Path) -> None:
    tried = 0
    for path in sorted((eval_data / "bad" / "text").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            text = json.loads(line)["s"]
            safe = header_safe(text)
            assert safe.isprintable() or safe == ""
            message = parsed(
                compose(replace(sample(NOW), subject=text), sender="a@b.c", to=["d@e.f"], zone="UTC").as_bytes()
            )
            assert sorted(message.keys()) == HEADERS
            tried += 1
    assert tried > 150


@pytest.mark.parametrize(("answer", "permanent"), [("451 later", False), ("554 never", True)])
def test_a_4xx_is_tried_again_and_a_5xx_is_not(smtp: tuple[Sink, Mail], answer: str, permanent: bool) -> None:
    sink, mail = smtp
    sink.answer = answer
    with pytest.raises(ChannelError) as caught:
        EmailChannel(mail, None, zone="UTC").send(sample(NOW))
    assert caught.value.permanent is permanent
    assert answer.split()[0] in str(caught.value)


def test_a_closed_port_and_a_silent_server_are_one_line() -> None:
    mail = Mail(to=("me@example.org",), host="127.0.0.1", port=free_port(), timeout=timedelta(seconds=1))
    with pytest.raises(ChannelError, match=r"cannot be reached: Connection refused; look at mail.host and mail.port"):
        EmailChannel(mail, None, zone="UTC").send(sample(NOW))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(ChannelError):
            EmailChannel(replace(mail, port=silent.getsockname()[1]), None, zone="UTC").send(sample(NOW))


def test_a_self_signed_server_is_refused_and_gets_no_password(certificate: tuple[Path, Path]) -> None:
    key, cert = certificate
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    sink, seen = Sink(), []

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
        seen.append(data)
        from aiosmtpd.smtp import AuthResult

        return AuthResult(success=True)

    class Starttls(Controller):
        def factory(self) -> SMTP:
            return SMTP(
                self.handler, tls_context=context, authenticator=authenticate, auth_required=True, require_starttls=True
            )

    controller = Starttls(sink, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        mail = Mail(
            to=("me@example.org",),
            host="127.0.0.1",
            port=controller.port,
            security="starttls",
            user="u",
            timeout=timedelta(seconds=5),
        )
        with pytest.raises(ChannelError, match="certificate"):
            EmailChannel(mail, SecretStr("hunter2"), zone="UTC").send(sample(NOW))
        assert not seen
        trusted = ssl.create_default_context(cafile=str(cert))
        EmailChannel(mail, SecretStr("hunter2"), zone="UTC", context=trusted).send(sample(NOW))
        assert len(sink.taken) == 1
        assert len(seen) == 1
    finally:
        controller.stop()
    plain = replace(mail, security="none")
    with pytest.raises(ChannelError, match=r"mail\.security is none"):
        EmailChannel(plain, SecretStr("hunter2"), zone="UTC").send(sample(NOW))


def test_files_are_named_by_what_they_say_and_written_whole(tmp_path: Path) -> None:
    channel = FileChannel(tmp_path / "mail", sender="a@b.c", to=(), zone="UTC")
    channel.send(sample(NOW))
    channel.send(sample(NOW))
    (path,) = (tmp_path / "mail").iterdir()
    assert path.name.startswith("20260302T1145Z-example-opened-")
    (tmp_path / "blocked").write_text("")
    with pytest.raises(ChannelError, match="cannot be written"):
        FileChannel(tmp_path / "blocked", sender="a@b.c", to=(), zone="UTC").send(sample(NOW))


class Scripted:
    """A channel that does as it is told, in order."""

    name = "file"

    def __init__(self, *steps: Callable[[], None]) -> None:
        self.steps, self.sent = list(steps), []

    def send(self, alert: Alert) -> None:
        if self.steps:
            self.steps.pop(0)()
        self.sent.append(alert.message_id)


def fail(*, permanent: bool) -> Callable[[], None]:
    def step() -> None:
        raise ChannelError("no", permanent=permanent)

    return step


def outbox(tmp_path: Path, n: int = 2) -> Store:
    store = Store(tmp_path / "x.db")
    with store.transaction() as conn:
        put_alerts(conn, [replace(sample(NOW), message_id=f"<{i}@x>", channel="file") for i in range(n)])
    return store


def test_a_poison_alert_does_not_stop_the_next_and_is_tried_again_later(tmp_path: Path) -> None:
    with outbox(tmp_path) as store:
        channel = Scripted(fail(permanent=False))
        run = run_alert(store, {"file": channel}, NOW)
        assert (run.outcome, run.new, channel.sent) == ("error", 1, ["<1@x>"])
        assert run_alert(store, {"file": channel}, NOW + timedelta(seconds=30)).new == 0
        assert run_alert(store, {"file": channel}, NOW + timedelta(minutes=1)).new == 1
        assert channel.sent == ["<1@x>", "<0@x>"]
        assert run_alert(store, {"file": channel}, NOW + timedelta(days=1)).new == 0


def test_what_cannot_be_sent_is_kept_as_failed(tmp_path: Path) -> None:
    with outbox(tmp_path, 1) as store:
        run_alert(store, {"file": Scripted(fail(permanent=True))}, NOW)
        (alert,) = alerts_of(store)
        assert (alert.failed, alert.error, alert.sent_at) == (True, "no", None)


def test_a_kill_between_sending_and_marking_repeats_the_same_message_id(tmp_path: Path) -> None:
    with outbox(tmp_path, 1) as store:
        channel = Scripted()

        class Killed(BaseException):
            pass

        def killed(alert: Alert) -> None:
            channel.sent.append(alert.message_id)
            raise Killed

        dying = Scripted()
        dying.send = killed  # type: ignore[method-assign]
        with pytest.raises(Killed):
            run_alert(store, {"file": dying}, NOW)
        run_alert(store, {"file": channel}, NOW)
        assert channel.sent == ["<0@x>", "<0@x>"]


class Told(BaseHTTPRequestHandler):
    """A chat service that takes what it is told, or does not."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.append(json.loads(body) | {"path": self.path})  # type: ignore[attr-defined]
        self.send_response(200 if self.path.endswith("/good") else 500)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.mark.parametrize(("paths", "permanent"), [(("good",), None), (("bad",), False), (("good", "bad"), False)])
def test_apprise_tells_each_address_and_nobody_twice(
    paths: tuple[str, ...], permanent: bool | None, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("apprise", reason="pip install -e '.[apprise]'")
    server = HTTPServer(("127.0.0.1", 0), Told)
    server.told = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    urls = SecretStr(" ".join(f"json://127.0.0.1:{server.server_port}/secret/{path}" for path in paths))
    try:
        channel = AppriseChannel(urls, zone="UTC")
        if permanent is None:
            channel.send(sample(NOW))
        else:
            with pytest.raises(ChannelError) as failed:
                channel.send(sample(NOW))
            assert failed.value.permanent is permanent
            pending = (mark_of(urls.get_secret_value().split()[1]),) if len(paths) > 1 else ()
            assert failed.value.pending_recipients == pending, "who has it does not have it again"
            before = len(server.told)  # type: ignore[attr-defined]
            if len(paths) == 1:
                return
            with pytest.raises(ChannelError):
                channel.send(replace(sample(NOW), pending_recipients=pending))
            assert [one["path"] for one in server.told[before:]] == ["/secret/bad"]  # type: ignore[attr-defined]
            assert str(failed.value) == f"apprise: 1 of {len(paths)} addresses did not take it"
    finally:
        server.shutdown()
        server.server_close()
    told = server.told[0]  # type: ignore[attr-defined]
    assert told["title"] == sample(NOW).subject
    assert "Likely, impact moderate." in told["message"]
    assert len(told["message"].splitlines()) <= 12
    assert "secret" not in "".join(capfd.readouterr())


def test_an_address_of_apprise_that_is_replaced_brings_nobody_the_backlog() -> None:
    pytest.importorskip("apprise", reason="pip install -e '.[apprise]'")
    server = HTTPServer(("127.0.0.1", 0), Told)
    server.told = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    good, bad, new = (f"json://127.0.0.1:{server.server_port}/{path}" for path in ("good", "bad", "new/good"))
    pending = replace(sample(NOW), pending_recipients=(mark_of(bad),))
    try:
        AppriseChannel(SecretStr(f"{good} {new}"), zone="UTC").send(pending)
        assert server.told == [], "who is configured has it, or came later"  # type: ignore[attr-defined]
        with pytest.raises(ChannelError) as failed:
            AppriseChannel(SecretStr(bad), zone="UTC").send(pending)
        assert failed.value.pending_recipients == pending.pending_recipients, "it is not forgotten that others have it"
        assert failed.value.delivered
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mailto://u:p@localhost?to=o'brien@example.org", "1 of its mail addresses would be read as others"),
        ("mailto://u:p@localhost?to=a@example.org&to=b@example.org", "to stands in it more than once"),
        ("mailto://u:p@localhost?to=a@example.org,b@example.org", ""),
        ("mailto://u:p@localhost/a@example.org/b@example.org?cc=c@example.org", ""),
        ("nothing://token", "is none that Apprise understands"),
        ("json://localhost:8080/path", ""),
    ],
)
def test_what_apprise_would_cut_is_found_and_the_address_is_not_shown(url: str, problem: str) -> None:
    pytest.importorskip("apprise", reason="pip install -e '.[apprise]'")
    found = address_problems(SecretStr(f"json://localhost {url}"))
    assert bool(found) == bool(problem)
    assert all(problem in line and line.startswith("address 2 (") for line in found)
    assert not any(secret in line for line in found for secret in ("example.org", "u:p", "token"))
