"""kill -9 at random moments of a run with a mail server and upstreams on loopback: nothing is lost or sent twice."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.core.times import iso, utc
from tests.conftest import ROOT, SCENARIO
from tests.fakes.__main__ import KINDS
from tests.fakes.base import Fake
from tests.fakes.recording import Recording
from tests.replays import dump
from tests.upstreams import KEYS

pytestmark = pytest.mark.slow
KILLS, RUNS = int(os.environ.get("KILLS", "5")), 5  # 60 take a quarter of an hour
BEGIN = utc("2026-03-02T11:00:00Z")
USUAL = [4, 5, 3, 4, 6, 5, 4, 3] * 40
WRONG_ORDER = """
import sys, pipeline.stages.alert.stage as stage
from pipeline.notify.channels.email import EmailChannel
send = EmailChannel.send
store = []
due = stage.due_alerts
stage.due_alerts = lambda s, now: (store.append(s), due(s, now))[1]
mark = stage.mark_sent
def first_marked(self, alert):
    mark(store[0], alert, alert.created)
    send(self, alert)
EmailChannel.send = first_marked
from pipeline.__main__ import main
main()
"""


class Server:
    """The mail server in its own process, and what it took."""

    def __init__(self, folder: Path, certificate: tuple[Path, Path], stage: str = "none", kind: str = "none") -> None:
        folder.mkdir(exist_ok=True)
        self.log, port = folder / "taken.log", folder / "port"
        self.log.touch()
        key, cert = certificate
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.fakes.smtp_faults",
                str(port),
                str(self.log),
                str(cert),
                str(key),
                stage,
                kind,
            ],
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(200):
            if port.exists() and port.read_text():
                break
            time.sleep(0.05)
        self.port = int(port.read_text())

    def taken(self) -> Counter[str]:
        return Counter(self.log.read_text().split())


class Place:
    """An installation in a folder: counts that grow, a status page and Reddit over HTTP, mail over TLS."""

    def __init__(self, folder: Path, port: int, cert: Path, upstreams: dict[str, Fake] | None = None) -> None:
        self.folder, self.cert, self.upstreams = folder, cert, upstreams or {}
        folder.mkdir(exist_ok=True)
        (folder / "groundswell.toml").write_text(
            'watch = ["claude", "netflix"]\n[alerts]\nchannels = ["email"]\ngroup_interval = "0s"\n[mail]\n'
            'to = ["me@example.org"]\nhost = "localhost"\n'
            f'port = {port}\nsecurity = "starttls"\nuser = "u"\ntimeout = "5s"\n[sources]\n'
            f"statuspage = {'true' if upstreams else 'false'}\n"
            "hacker_news = false\ndownstatus = false\nnews_desks = false\ngoogle_news = false\n"
            'counts = ["tickets.csv"]\n'
            + (
                f'statuspage_base = "{upstreams["statuspage"].url}"\nreddit_base = "{upstreams["reddit"].url}"\n'
                'communities = ["ClaudeAI"]\n'
                'allow_hosts = ["127.0.0.1"]\n'
                if upstreams
                else ""
            )
        )

    def write(self, turn: int) -> None:
        rows = ["service,start_utc,interval_s,total"]
        for n, usual in enumerate(USUAL[: len(USUAL) - RUNS + turn + 1]):
            start = BEGIN - (len(USUAL) - RUNS - n) * timedelta(minutes=15)
            for service in ("claude", "netflix"):
                rows.append(
                    f"{service},{iso(start)},900,"
                    f"{usual + (120 if (start >= BEGIN and turn < RUNS - 2) or start == BEGIN else 0)}"
                )
        (self.folder / "tickets.csv").write_text("\n".join(rows) + "\n")

    def start(self, turn: int, code: str | None = None) -> subprocess.Popen[bytes]:
        now = iso(BEGIN + (turn + 1) * timedelta(minutes=15) + timedelta(minutes=1))
        for fake in self.upstreams.values():
            fake.now = BEGIN + (turn + 1) * timedelta(minutes=15)
        env = {
            **os.environ,
            **{k: v for k, v in KEYS.items() if self.upstreams and "REDDIT" in k},
            "PYTHONPATH": str(ROOT),
            "GROUNDSWELL_SMTP_PASSWORD": "right",
            "GROUNDSWELL_AUTHOR_SALT": "s",
            "SSL_CERT_FILE": str(self.cert),
        }
        command = (
            [sys.executable, "-c", code, "run", "--now", now]
            if code
            else [sys.executable, "-m", "pipeline", "run", "--now", now]
        )
        return subprocess.Popen(command, cwd=self.folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def run(self, turn: int) -> float:
        began = time.monotonic()
        process = self.start(turn)
        _, words = process.communicate(timeout=60)
        assert process.returncode == 0, words.decode()
        return time.monotonic() - began


@pytest.fixture
def servers(tmp_path: Path, certificate: tuple[Path, Path]) -> Iterator[list[Server]]:
    started: list[Server] = []
    yield started
    for one in started:
        one.process.kill()
        one.process.wait()


def test_kills_lose_and_double_nothing(tmp_path: Path, certificate: tuple[Path, Path], servers: list[Server]) -> None:
    cert = certificate[1]
    calm, rough = (Server(tmp_path / name, certificate) for name in ("calm-mail", "rough-mail"))
    servers += [calm, rough]
    upstreams = {kind: KINDS[kind](Recording(SCENARIO)).start() for kind in ("statuspage", "reddit")}
    reference, killed = (
        Place(tmp_path / name, mail.port, cert, upstreams) for name, mail in (("calm", calm), ("rough", rough))
    )
    dice = random.Random(2026)
    kills = 0
    for turn in range(RUNS):
        reference.write(turn)
        killed.write(turn)
        length = reference.run(turn)
        while kills < KILLS * (turn + 1) // RUNS:
            process = killed.start(turn)
            time.sleep(dice.uniform(0.2, length))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills += 1
        killed.run(turn)
    assert kills == KILLS
    for fake in upstreams.values():
        assert len(fake.requests) > RUNS, "it was asked"
        fake.close()
    assert len(calm.taken()) >= 3, "there was something to lose"
    assert set(rough.taken()) == set(calm.taken())
    one, two = dump(tmp_path / "calm" / "groundswell.db"), dump(tmp_path / "rough" / "groundswell.db")
    assert len(one["posts"]) > 20, "posts came over the wire"
    assert len(one["status_updates"]) > 3
    one.pop("alerts")
    two.pop("alerts")  # how often each was tried is what differs
    for one_dump in (one, two):  # what a run that found nothing new notes for the next: a run more, a note more
        one_dump["stage_memory"] = [row for row in one_dump["stage_memory"] if row[:2] != ("detect", "unchanged")]
    assert {t: (set(one[t]) - set(two[t]), set(two[t]) - set(one[t])) for t in one if one[t] != two[t]} == {}
    conn = sqlite3.connect(tmp_path / "rough" / "groundswell.db")
    assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert conn.execute("SELECT count(*) FROM alerts WHERE sent_at IS NULL").fetchone() == (0,)


def test_the_same_test_sees_a_loss_where_mails_are_marked_before_they_are_sent(
    tmp_path: Path, certificate: tuple[Path, Path], servers: list[Server]
) -> None:
    server = Server(tmp_path / "mail", certificate, "DATA", "stall")
    servers.append(server)
    place = Place(tmp_path / "wrong", server.port, certificate[1])
    place.write(0)
    process = place.start(0, WRONG_ORDER)
    for _ in range(300):
        time.sleep(0.1)
        if marked(place.folder / "groundswell.db"):
            break  # it waits for the server's answer, with the mail marked already
    process.send_signal(signal.SIGKILL)
    process.communicate()
    for _ in range(2):  # the stall comes to whoever is first
        place.start(0).communicate()
    conn = sqlite3.connect(tmp_path / "wrong" / "groundswell.db")
    written = {row[0] for row in conn.execute("SELECT message_id FROM alerts WHERE merged_into IS NULL")}
    assert written - set(server.taken()), "a mail that nobody got"


def marked(db: Path) -> bool:
    """Return whether any message is marked as sent."""
    try:
        with sqlite3.connect(f"file:{db}?mode=ro", uri=True) as conn:
            return bool(conn.execute("SELECT 1 FROM alerts WHERE sent_at IS NOT NULL").fetchone())
    except sqlite3.Error:
        return False
