"""What doctor and check-config find: channels that cannot send, messages that are stuck, what covers a service."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import AuthResult

from pipeline.store import Store
from tests.conftest import Day, Groundswell
from tests.test_channels import free_port
from tests.test_delivery import put, row

OFFLINE = (
    'watch = ["claude"]\n[sources]\nstatuspage = false\nhacker_news = false\ndownstatus = false\n'
    "google_news = false\nnews_desks = false\n"
)
MAIL = '[alerts]\nchannels = ["file", "email"]\n[mail]\nto = ["me@example.org"]\nhost = "127.0.0.1"\nport = {port}\n'
HOOK = {"GROUNDSWELL_WEBHOOK_URL": "https://hook.invalid/x", "GROUNDSWELL_WEBHOOK_SECRET": "hush-hush"}


def write(folder: Path, more: str = "") -> None:
    (folder / "groundswell.toml").write_text(OFFLINE + more)


def findings(groundswell: Groundswell, *args: str, **env: str) -> tuple[int, dict[str, dict[str, str]]]:
    done = groundswell("doctor", "--json", *args, env=env)
    assert done.stdout, done.stderr
    return done.returncode, {item["what"]: item for item in json.loads(done.stdout)["findings"]}


@pytest.fixture
def server() -> Iterator[int]:
    """A mail server that wants a login and knows one."""

    def check(server: object, session: object, envelope: object, mechanism: str, data: object) -> AuthResult:
        return AuthResult(success=getattr(data, "password", b"") == b"right")

    port = free_port()
    controller = Controller(
        Sink(), hostname="127.0.0.1", port=port, authenticator=check, auth_require_tls=False, auth_required=False
    )
    controller.start()
    yield port
    controller.stop()


def test_a_mail_server_is_asked_without_a_message(groundswell: Groundswell, tmp_path: Path, server: int) -> None:
    write(tmp_path, MAIL.format(port=server))
    code, found = findings(groundswell)
    assert (code, found["channel email"]["level"]) == (3, "ok"), "no source covers the service"
    assert found["channel email"]["words"] == f"127.0.0.1:{server} answers, without TLS, no login"
    write(tmp_path, MAIL.format(port=free_port()))
    code, found = findings(groundswell)
    assert (code, found["channel email"]["level"]) == (1, "fail")
    assert "cannot be reached: Connection refused" in found["channel email"]["words"]
    assert findings(groundswell, "--offline")[1]["channel email"]["level"] == "note"


def test_a_user_without_a_password_is_a_failure_and_check_config_says_so(
    groundswell: Groundswell, tmp_path: Path, server: int
) -> None:
    write(tmp_path, MAIL.format(port=server) + 'user = "me"\n')
    code, found = findings(groundswell)
    assert (code, found["channel email"]["level"]) == (1, "fail")
    assert "GROUNDSWELL_SMTP_PASSWORD is not" in found["channel email"]["words"]
    done = groundswell("check-config")
    assert (done.returncode, "no mail can be sent" in done.stdout) == (3, True)
    unsafe = groundswell("check-config", env={"GROUNDSWELL_SMTP_PASSWORD": "hunter2"})
    assert (unsafe.returncode, "set mail.security to starttls or tls" in unsafe.stdout) == (3, True)
    problems = [item["what"] for item in json.loads(groundswell("check-config", "--json").stdout)["statements"]]
    assert "mail" in problems


def test_a_webhook_whose_host_is_not_found_is_a_failure_and_its_address_is_not_shown(
    groundswell: Groundswell, tmp_path: Path
) -> None:
    write(tmp_path, '[alerts]\nchannels = ["webhook"]\n')
    code, found = findings(groundswell, **HOOK)
    assert (code, found["channel webhook"]["level"]) == (1, "fail")
    assert found["channel webhook"]["words"] == "GROUNDSWELL_WEBHOOK_URL: its host cannot be looked up"


def test_a_message_that_is_stuck_is_a_failure(groundswell: Groundswell, tmp_path: Path) -> None:
    write(tmp_path)
    with Store(tmp_path / "groundswell.db") as store:
        put(store, row("one", "11:00"))
    code, found = findings(groundswell, "--now", "2026-03-02T12:00:00Z")
    assert (code, found["message (file)"]["level"]) == (1, "fail")
    assert found["message (file)"]["words"].startswith("due since 2026-03-02 11:00 UTC and not sent: ")


def test_each_watched_service_says_what_covers_it_and_what_does_not(groundswell: Groundswell, tmp_path: Path) -> None:
    write(tmp_path)
    code, found = findings(groundswell, "--offline")
    assert (code, found["service claude"]["level"]) == (3, "warn"), found
    assert found["service claude"]["words"].startswith("covered by nothing; not by status page")
    (tmp_path / "groundswell.toml").write_text('watch = ["claude", "github"]\n')
    _, found = findings(groundswell, "--offline")
    assert found["service github"]["words"].startswith("covered by status page, ")
    assert "Reddit" in found["service github"]["words"].partition("; not by ")[2]


def test_a_healthy_database_with_news_is_whole(groundswell: Groundswell, tmp_path: Path, day: Day) -> None:
    folder, _ = day
    with sqlite3.connect(folder / "a.db") as conn:
        assert conn.execute("SELECT count(*) FROM news_event_items").fetchone()[0] > 0
        assert conn.execute("PRAGMA quick_check").fetchone()[0] == "ok", "keys stand first: SQLite 3.40 checks it all"
    write(tmp_path)
    _, found = findings(groundswell, "--offline", "--db", str(folder / "a.db"))
    assert found["database"]["level"] == "ok"


def test_a_file_of_counts_that_is_not_there_is_named(groundswell: Groundswell, tmp_path: Path) -> None:
    write(tmp_path, 'counts = ["gone.csv"]\n')
    done = groundswell("check-config")
    assert (done.returncode, "gone.csv: no such file" in done.stdout) == (3, True)
