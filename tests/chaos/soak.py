"""`python -m tests.chaos.soak [RUNS]`: runs a quarter of an hour apart in one process, everything failing at random.

A status page and a mail server on loopback fail by a script of dice, the file of counts has bad lines now and then,
and every two days something breaks. What grows is printed as a table; what must not grow, or was lost, ends with exit
code 1.
"""

from __future__ import annotations

import gc
import os
import random
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from pipeline.commands.common import Setting
from pipeline.commands.stage import run_stages
from pipeline.config.load import load_config
from pipeline.core.errors import PipelineError
from pipeline.core.times import iso, utc
from tests.fakes.faults import FAULTS
from tests.fakes.recording import Recording
from tests.fakes.statuspage import Statuspage

BEGIN, STEP = utc("2026-03-01T00:00:00Z"), timedelta(minutes=15)
SLOW = ("stall", "stall in body", "drip", "drip of headers")  # each costs the whole deadline
SERVICES = ("claude", "netflix", "github")
SETTINGS = """
watch = ["claude", "netflix", "github"]
[alerts]
channels = ["email"]
[mail]
to = ["me@example.org"]
host = "127.0.0.1"
port = {port}
timeout = "2s"
[sources]
deadline = "2s"
statuspage_base = "{page}"
hacker_news = false
downstatus = false
news_desks = false
google_news = false
allow_hosts = ["127.0.0.1"]
counts = ["tickets.csv"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What is held after so many runs; bytes but for numbers of things."""

    runs: int
    memory: int
    descriptors: int
    threads: int
    database: int
    log: int
    files: int
    waiting: int
    refused: int
    run_rows: int
    mails: int


class Mailbox:
    """Takes mails; of ten conversations one is refused for now, and one is broken off."""

    def __init__(self, dice: random.Random) -> None:
        self.dice, self.taken, self.well = dice, list[str](), False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        fate = 1.0 if self.well else self.dice.random()
        if fate < 0.1:
            return "451 later"
        self.taken.append(str(message_from_bytes(envelope.content)["Message-ID"]))
        if fate < 0.2:
            server.transport.abort()  # taken, and the sender does not hear of it
        return "250 taken"


class Soak:
    """An installation, its stand-ins and its dice."""

    def __init__(self, folder: Path, seed: int = 2026) -> None:
        self.dice, self.folder = random.Random(seed), folder
        recording = Recording()
        for name in ("claude", "github"):
            recording.pages_made[name] = {"page": {"id": name, "name": name.title()}, "incidents": []}
        self.incidents: list[dict[str, Any]] = recording.pages_made["claude"]["incidents"]
        self.page = Statuspage(recording)
        self.page.start()
        self.mailbox = Mailbox(self.dice)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        self.mail = Controller(self.mailbox, hostname="127.0.0.1", port=port)
        self.mail.start()
        (folder / "groundswell.toml").write_text(SETTINGS.format(port=port, page=self.page.url))
        self.config = load_config(folder / "groundswell.toml")
        self.failed = 0

    def run_once(self, number: int) -> None:
        """Let time go on, spoil what the dice say, run."""
        now = BEGIN + number * STEP
        self._count(now, number)
        self._post(now, number)
        self.page.now = now
        self.page.requests.clear()
        slow = self.dice.random() < 0.02
        name = self.dice.choice(SLOW if slow else [kind for kind in FAULTS if kind not in SLOW])
        self.page.spoil(FAULTS[name] if self.dice.random() < 0.3 and not self.mailbox.well else None)
        setting = Setting(self.config, self.folder / "groundswell.toml", self.folder / "groundswell.db", now)
        with suppress(PipelineError):
            self.failed += any(run.outcome in ("error", "blocked") or run.rejected for run in run_stages(setting))

    def _count(self, now: datetime, number: int) -> None:
        """Write the last two days of counts; every 192 runs a service has six quarters of an hour of trouble."""
        rows = ["service,start_utc,interval_s,total"]
        for back in range(192, 0, -1):
            run = number - back
            for n, service in enumerate(SERVICES):
                trouble = run % 192 in range(100, 106) and (run // 192) % len(SERVICES) == n
                total = 4 + (run * 7 + n) % 3 + (120 if trouble else 0)
                rows.append(f"{service},{iso(BEGIN + run * STEP)},900,{total}")
        if self.dice.random() < 0.1:
            rows.append(self.dice.choice(["claude,yesterday,900,5", "claude", f"claude,{iso(now)},900,many"]))
        (self.folder / "tickets.csv").write_text("\n".join(rows) + "\n")

    def _post(self, now: datetime, number: int) -> None:
        """Let the status page begin and end an incident beside every third one of the crowd."""
        if number % 576 == 103:
            self.incidents.append(
                {"id": f"i{number}", "name": "Elevated errors", "impact": "major", "incident_updates": []}
            )
        for offset, status in ((103, "investigating"), (110, "resolved")):
            if number % 576 == offset and self.incidents:
                self.incidents[-1]["incident_updates"].insert(
                    0,
                    {
                        "id": f"u{number}",
                        "status": status,
                        "body": f"We are {status}.",
                        "created_at": iso(now),
                        "display_at": iso(now),
                    },
                )

    def sizes(self, runs: int) -> Sizes:
        """Measure."""
        gc.collect()
        time.sleep(0.2)  # threads of answered requests end
        db = self.folder / "groundswell.db"
        log = Path(f"{db}-wal")
        with closing(sqlite3.connect(db)) as conn:

            def count(sql: str) -> int:
                return int(conn.execute(f"SELECT count(*) FROM {sql}").fetchone()[0])

            return Sizes(
                runs=runs,
                memory=int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"),
                descriptors=len(os.listdir("/proc/self/fd")),
                threads=threading.active_count(),
                database=db.stat().st_size,
                log=log.stat().st_size if log.exists() else 0,
                files=sum(path.is_file() for path in self.folder.rglob("*")),
                waiting=count("alerts WHERE sent_at IS NULL AND merged_into IS NULL"),
                refused=count("quarantine"),
                run_rows=count("runs"),
                mails=len(self.mailbox.taken),
            )

    def lost(self) -> set[str]:
        """Return the messages that the database holds for sent and nobody got."""
        with closing(sqlite3.connect(self.folder / "groundswell.db")) as conn:
            sent = {row[0] for row in conn.execute("SELECT message_id FROM alerts WHERE merged_into IS NULL")}
        return sent - set(self.mailbox.taken)

    def close(self) -> None:
        """End the stand-ins."""
        self.page.close()
        self.mail.stop()


def row(sizes: Sizes) -> str:
    """Return a row of the table."""
    s, mb = sizes, 1 << 20
    return (
        f"| {s.runs} | {s.memory / mb:.0f} MB | {s.descriptors} | {s.threads} | {s.database / mb:.1f} MB"
        f" | {s.log / mb:.1f} MB | {s.files} | {s.waiting} | {s.refused} | {s.run_rows} | {s.mails} |"
    )


def main(runs: int) -> int:
    """Run, print the table, return how many promises did not hold."""
    with tempfile.TemporaryDirectory(prefix="soak-") as place:
        soak = Soak(Path(place))
        try:
            print(
                "| runs | memory | descriptors | threads | database | WAL | files | waiting | refused"
                " | rows of `runs` | mails |"
            )
            print("| ---: " * 11 + "|")
            measured = []
            for number in range(1, runs + 1):
                soak.mailbox.well = number > runs - 8  # at the end all is well, and what waited leaves
                soak.run_once(number)
                if number % max(1, runs // 8) == 0:
                    measured.append(soak.sizes(number))
                    print(row(measured[-1]), flush=True)
            wrong = problems(measured, soak.lost())
            print(f"{soak.failed} of {runs} runs had something that failed; {'; '.join(wrong) or 'all held'}")
            return len(wrong)
        finally:
            soak.close()


def problems(measured: list[Sizes], lost: set[str]) -> list[str]:
    """Return what grew or was lost. What is loaded when it is first needed is there after half of the runs."""
    half, last = measured[len(measured) // 2 - 1], measured[-1]
    checks = {
        f"{len(lost)} messages lost": not lost,
        f"{last.waiting} messages still wait": last.waiting == 0,
        f"memory grew by {(last.memory - half.memory) >> 20} MB": last.memory - half.memory < 16 << 20,
        f"{last.descriptors - half.descriptors} descriptors stayed open": last.descriptors <= half.descriptors + 1,
        f"{last.threads - half.threads} threads stayed": last.threads <= half.threads + 1,
        f"the write-ahead log has {last.log >> 20} MB": last.log <= 8 << 20,
        "no mail was sent": last.mails > 0,
    }
    return [words for words, held in checks.items() if not held]


if __name__ == "__main__":
    sys.exit(min(1, main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)))
