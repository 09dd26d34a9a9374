"""A canary in every credential, and everything fails: it shows in no output, log, database, page, message or file."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.settings import Secrets
from tests.conftest import ROOT

pytestmark = pytest.mark.slow
CANARY = "kanarie9431"


class Echo(BaseHTTPRequestHandler):
    """Answers as its server says, and throws back what it was sent: keys and all."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        told = f"{self.path}\n{self.headers}\n".encode() + body
        self.send_response(self.server.answer)  # type: ignore[attr-defined]
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST = _answer  # noqa: N815

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(params=[401, 200])
def echo(request: pytest.FixtureRequest) -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Echo)
    server.asked, server.answer = [], request.param  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_no_credential_shows_anywhere_whatever_fails(echo: HTTPServer, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{echo.server_port}"
    env = {k: v for k, v in os.environ.items() if not k.startswith("GROUNDSWELL_")} | {"PYTHONPATH": str(ROOT)}
    for name in Secrets.names():
        env[f"GROUNDSWELL_{name.upper()}"] = f"{url}/{CANARY}-{name}" if name.endswith("_url") else f"{CANARY}-{name}"
    env["GROUNDSWELL_APPRISE_URLS"] = f"json://127.0.0.1:{echo.server_port}/{CANARY}-apprise bogus://{CANARY}"
    (tmp_path / "groundswell.toml").write_text(
        'watch = ["claude"]\n[alerts]\nchannels = ["file", "email", "webhook", "apprise"]\ndigest = "daily"\n[mail]\n'
        'to = ["me@example.org"]\nhost = "127.0.0.1"\n'
        f'port = {echo.server_port}\nsecurity = "starttls"\nuser = "u"\ntimeout = "1s"\n[sources]\n'
        "statuspage = false\nhacker_news = false\n"
        'downstatus = false\nnews_desks = false\ngoogle_news = false\ncounts = ["tickets.csv"]\n'
        'allow_hosts = ["127.0.0.1"]\ndeadline = "5s"\n'
        f'reddit_base = "{url}"\ndowndetector_base = "{url}/v2"\nbluesky_base = "{url}"\n'
    )
    rows = [
        f"claude,2026-03-02T{h:02d}:{m:02d}:00Z,900,{400 if h == 11 else 4}" for h in range(12) for m in (0, 15, 30, 45)
    ]
    (tmp_path / "tickets.csv").write_text("service,start_utc,interval_s,total\n" + "\n".join(rows) + "\n")
    said = ""
    now = ("--now", "2026-03-02T12:05:00Z")
    for command in (
        ("check-config",),
        ("run", "--now", "2026-03-02T09:00:00Z"),
        ("run", *now),
        ("run", "--now", "2026-03-02T12:10:00Z"),
        ("collect", "--keep-bodies", "kept", "--now", "2026-03-02T13:20:00Z"),
        ("status", *now),
        ("doctor", *now),
        ("test-alert", *now),
        ("why", "claude", *now),
        ("alert", "--dry-run", "dry", *now),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *command, "--log-file", "debug.log"],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        said += done.stdout + done.stderr
        assert "Traceback" not in said, said[-2000:]
    assert CANARY not in said
    assert any(CANARY in path for path in echo.asked), "the addresses were asked"  # type: ignore[attr-defined]
    assert any("apprise" in path for path in echo.asked)  # type: ignore[attr-defined]
    assert "apprise: 1 of 2 addresses did not take it" in said or echo.answer == 401  # type: ignore[attr-defined]
    assert "webhook" in said or echo.answer == 200  # type: ignore[attr-defined]
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"index.html", "groundswell.db", "debug.log"} <= {path.name for path in written}
    assert "was not accepted" in (tmp_path / "debug.log").read_text(encoding="utf-8")
    assert any(path.parent.name == "kept" and path.stat().st_size > 100 for path in written), "answers were kept"
    packed = [base64.b64encode(b"x" * pad + CANARY.encode())[4:-4] for pad in range(3)]
    for path in written:
        assert CANARY.encode() not in path.read_bytes(), path
        assert path.parent.name != "kept" or not any(form in path.read_bytes() for form in packed), path
