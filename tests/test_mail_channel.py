"""Mails over real SMTP on loopback: what arrives, hostile text, servers that refuse, and TLS."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
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
from pipeline.notify.channels.email import EmailChannel
from pipeline.render.formatting import header_safe
from pipeline.render.mail import compose
from tests.copies import replace
from tests.ports import free_port

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
