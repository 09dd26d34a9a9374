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
from tests.ports import free_port
from tests.sending import alert_row, queue_alerts

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
        queue_alerts(store, alert_row("one", "11:00"))
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


def test_no_channel_at_all_is_a_warning_and_a_test_message_fails(groundswell: Groundswell, tmp_path: Path) -> None:
    write(tmp_path, "[alerts]\nchannels = []\n")
    words = "none: alerts.channels is empty and no route has one, so no message is ever sent"
    done = groundswell("check-config")
    assert (done.returncode, words in done.stdout) == (3, True)
    _, found = findings(groundswell, "--offline")
    assert (found["channels"]["level"], found["channels"]["words"]) == ("warn", words)
    sent = groundswell("test-alert")
    assert (sent.returncode, sent.stdout, sent.stderr) == (1, "", f"groundswell: channels: {words}\n")
    write(tmp_path, '[alerts]\nchannels = []\n[[alerts.routes]]\nname = "a"\nchannels = ["file"]\n')
    assert words not in groundswell("check-config").stdout, "the route has one"


def test_doctor_tries_where_it_would_write_and_leaves_nothing_there(groundswell: Groundswell, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    metrics = f"[report]\nmetrics = '{tmp_path / 'm' / 'g.prom'}'\n"
    write(tmp_path, metrics)
    before = sorted(tmp_path.rglob("*"))
    _, found = findings(groundswell, "--offline")
    assert {found[what]["level"] for what in ("report folder", "metrics file", "channel file")} == {"ok"}
    assert sorted(tmp_path.rglob("*")) == before
    write(tmp_path, '[report]\nfolder = "/proc/x"\nmetrics = "taken/g.prom"\n[alerts]\nfolder = "taken/mail"\n')
    code, found = findings(groundswell, "--offline")
    assert code == 1
    assert found["report folder"]["words"].startswith("/proc/x: cannot be written: /proc: ")
    for what in ("report folder", "metrics file", "channel file"):
        assert found[what]["level"] == "fail", what
    (tmp_path / "g.prom").mkdir()
    write(tmp_path, '[report]\nmetrics = "g.prom"\n')
    assert findings(groundswell, "--offline")[1]["metrics file"]["words"] == "g.prom: is a folder"


def test_check_config_says_of_every_kind_how_many_sources_it_reads_and_where_messages_go(
    groundswell: Groundswell, tmp_path: Path
) -> None:
    (tmp_path / "groundswell.toml").write_text(
        'watch = ["claude"]\n[sources]\nmastodon = ["https://mastodon.social"]\ncounts = ["a.csv", "b.csv"]\n'
    )
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("service,start_utc,interval_s,total\n")
    done = groundswell("check-config")
    (sources,) = [line for line in done.stdout.splitlines() if line.startswith("sources ")]
    numbers = {kind: int(number) for number, kind in (part.split() for part in sources.partition(": ")[2].split(", "))}
    assert (numbers["counts"], numbers["mastodon"], numbers["feed"] > 8) == (2, 1, True)
    assert sum(numbers.values()) == int(sources.split()[1].rstrip(":"))
    assert "alerts         file (into mail)\n" in done.stdout


def test_a_service_of_ones_own_that_is_not_watched_is_a_warning(groundswell: Groundswell, tmp_path: Path) -> None:
    more = '[services.shop]\nname = "Shop"\n[services.aws]\nstatus_components = ["us-east-1"]\n'
    (tmp_path / "groundswell.toml").write_text(f'watch = ["claude"]\n{more}')
    done = groundswell("check-config")
    assert done.returncode == 3
    assert "not watched    shop: defined here, but not in watch: it never alerts\n" in done.stdout
    assert "aws" not in done.stdout, "only a change of what the catalogue has"
    for watch in ('["claude", "shop"]', "[]"):
        (tmp_path / "groundswell.toml").write_text(f"watch = {watch}\n{more}")
        done = groundswell("check-config")
        assert (done.returncode, "not watched" in done.stdout) == (0, False)
    (tmp_path / "groundswell.toml").write_text(
        f'watch = ["web"]\n{more}[services.web]\nname = "Web"\nruns_on = ["shop"]\n'
    )
    assert "not watched" not in groundswell("check-config").stdout, "its failure explains another's"
