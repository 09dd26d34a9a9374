"""Channels other than mail: files, and services that Apprise reaches."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.test_alert import sample
from pipeline.core.errors import ChannelError
from pipeline.core.secret import SecretStr
from pipeline.core.times import utc
from pipeline.notify.channels.apprise import AppriseChannel, address_problems, mark_of
from pipeline.notify.channels.file import FileChannel
from tests.copies import replace

NOW = utc("2026-03-02T11:45:00Z")


def test_files_are_named_by_what_they_say_and_written_whole(tmp_path: Path) -> None:
    channel = FileChannel(tmp_path / "mail", sender="a@b.c", to=(), zone="UTC")
    channel.send(sample(NOW))
    channel.send(sample(NOW))
    (path,) = (tmp_path / "mail").iterdir()
    assert path.name.startswith("20260302T1145Z-example-opened-")
    (tmp_path / "blocked").write_text("")
    with pytest.raises(ChannelError, match="cannot be written"):
        FileChannel(tmp_path / "blocked", sender="a@b.c", to=(), zone="UTC").send(sample(NOW))


class ChatService(BaseHTTPRequestHandler):
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
    server = HTTPServer(("127.0.0.1", 0), ChatService)
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
    server = HTTPServer(("127.0.0.1", 0), ChatService)
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
