"""A real receiver over loopback: what a signed webhook sends it, and what it makes of every answer."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from pipeline.commands.test_alert import sample
from pipeline.core.errors import ChannelError
from pipeline.core.secret import SecretStr
from pipeline.notify.channels.webhook import WebhookChannel
from tests.copies import replace
from tests.world import at


class Receiver(BaseHTTPRequestHandler):
    """Keeps what is posted; answers as its server says."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((dict(self.headers), body))  # type: ignore[attr-defined]
        self.send_response(self.server.answer)  # type: ignore[attr-defined]
        if self.server.location:  # type: ignore[attr-defined]
            self.send_header("Location", self.server.location)  # type: ignore[attr-defined]
        self.end_headers()

    def do_GET(self) -> None:
        self.server.taken.append((dict(self.headers), b""))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Any]:
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.taken, server.answer, server.location = [], 200, ""  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def hook(
    receiver: Any, *, path: str = "/hook?token=canary-token", allow: tuple[str, ...] = ("127.0.0.1",)
) -> WebhookChannel:
    return WebhookChannel(
        SecretStr(f"http://127.0.0.1:{receiver.server_port}{path}"), SecretStr("canary-secret"), allow=allow
    )


def test_a_webhook_is_signed_json_that_says_what_the_mail_says(receiver: Any) -> None:
    alert = replace(sample(at("11:45")), route="oncall")
    hook(receiver).send(alert)
    ((headers, body),) = receiver.taken
    assert (
        headers["X-Groundswell-Signature"] == "sha256=" + hmac.new(b"canary-secret", body, hashlib.sha256).hexdigest()
    )
    assert headers["X-Groundswell-Delivery"] == alert.message_id
    told = json.loads(body)
    assert (told["schema"], told["type"], told["transition"], told["route"]) == (1, "incident", "opened", "oncall")
    assert (told["service"], told["affected"], told["message_id"]) == ("Example service", ["web"], alert.message_id)


@pytest.mark.parametrize(
    ("answer", "permanent"), [(500, False), (429, False), (410, True), (404, False), (302, False), (401, False)]
)
def test_a_webhook_that_may_work_later_is_tried_again_and_no_secret_shows(
    receiver: Any, answer: int, permanent: bool
) -> None:
    receiver.answer = answer
    with pytest.raises(ChannelError) as caught:
        hook(receiver).send(sample(at("11:45")))
    assert caught.value.permanent is permanent
    assert "canary" not in str(caught.value)
    assert "canary" not in repr(caught.value.__cause__) + repr(
        caught.value.__context__ if not caught.value.__suppress_context__ else ""
    )
    assert len(receiver.taken) == 1


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_webhook_follows_no_redirect(receiver: Any, code: int) -> None:
    receiver.answer, receiver.location = code, f"http://127.0.0.1:{receiver.server_port}/inside"
    with pytest.raises(ChannelError, match=f"answered {code}"):
        hook(receiver).send(sample(at("11:45")))
    assert len(receiver.taken) == 1, "nobody else is asked, and nothing is sent there"


def test_a_webhook_posts_to_no_private_host_unless_told_to(receiver: Any) -> None:
    with pytest.raises(ChannelError) as caught:
        hook(receiver, allow=()).send(sample(at("11:45")))
    assert receiver.taken == []
    assert not caught.value.permanent
    receiver.server_close()
    with pytest.raises(ChannelError, match="webhook"):
        hook(receiver).send(sample(at("11:45")))
