"""The program as it is called, under clocks that step (libfaketime) and killed from outside (strace)."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from email import message_from_bytes
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

import pytest

from pipeline.core.times import iso, utc
from pipeline.store import Store
from tests.chaos.faults import spread
from tests.conftest import ROOT
from tests.fakes.recording import Recording
from tests.test_clock import in_the_future
from tests.upstreams import serving

pytestmark = pytest.mark.slow
FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
BEGIN = utc("2026-03-02T11:00:00Z")
STEPS = [timedelta(hours=-2), timedelta(days=-1), timedelta(days=-365), timedelta(days=1), timedelta(days=7300)]
SETTINGS = """
watch = ["claude"]
[alerts]
channels = ["file"]
folder = "mails"
[sources]
statuspage = false
hacker_news = false
downstatus = false
news_desks = false
google_news = false
counts = ["tickets.csv"]
"""


class Place:
    """An installation with a file of counts: an outage that began at 11:00 and goes on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "groundswell.toml").write_text(SETTINGS)

    def count(self, until: datetime, over: datetime | None = None) -> None:
        """Write the counts of four days until a moment; the outage ends at `over`."""
        rows, start = ["service,start_utc,interval_s,total"], until - timedelta(days=4)
        while start < until:
            broken = BEGIN <= start < (over or until)
            rows.append(f"claude,{iso(start)},900,{124 if broken else 4 + start.minute // 15 % 2}")
            start += timedelta(minutes=15)
        (self.folder / "tickets.csv").write_text("\n".join(rows) + "\n")

    def run(self, clock: datetime | None = None, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Run as cron does; `clock`: what the machine says the time is, else 11:46 is given."""
        env = {key: value for key, value in os.environ.items() if not key.startswith("GROUNDSWELL_")}
        env |= {"PYTHONPATH": str(ROOT), "TZ": "UTC", "OMP_NUM_THREADS": "1"}
        now = () if clock else ("--now", iso(BEGIN + timedelta(minutes=46)))
        if clock:
            env |= {"LD_PRELOAD": str(FAKETIME), "FAKETIME": f"{clock:@%Y-%m-%d %H:%M:%S}"}
        return subprocess.run(
            [*before, sys.executable, "-m", "pipeline", "run", "--quiet", *now],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def mails(self) -> list[tuple[str, datetime]]:
        """Return subject and date of each mail, in order of their dates."""
        read = [message_from_bytes(path.read_bytes()) for path in (self.folder / "mails").glob("*.eml")]
        return sorted(
            ((mail["Subject"], parsedate_to_datetime(mail["Date"])) for mail in read), key=lambda mail: mail[1]
        )


@pytest.mark.skipif(FAKETIME is None, reason="needs libfaketime (Debian: apt install faketime)")
def test_whatever_the_clock_of_the_machine_says_in_between_no_outage_ends_and_nothing_stays_in_the_future(
    tmp_path: Path,
) -> None:
    place = Place(tmp_path)
    clock = BEGIN + timedelta(minutes=46)
    place.count(clock - timedelta(days=1))
    assert place.run(clock - timedelta(days=1)).returncode == 0, "the first run says nothing of what is old"
    place.count(clock)
    assert place.run(clock).returncode == 0
    assert len(place.mails()) == 1
    for step in STEPS:
        clock += timedelta(minutes=15)
        place.count(clock)
        wrong = place.run(clock + step)
        assert "Traceback" not in wrong.stderr, step
        healed = place.run(clock)
        assert "Traceback" not in healed.stderr, step
    subjects = [subject for subject, _ in place.mails()]
    assert not any("over" in subject or "ended" in subject for subject in subjects), subjects
    with Store(tmp_path / "groundswell.db") as store:
        assert in_the_future(store, clock + timedelta(minutes=1)) == []
        (incident,) = store.rows("SELECT onset, active FROM incidents")
    assert (incident["active"], incident["onset"][:13]) == (1, iso(BEGIN)[:13])
    over = clock
    for _ in range(14):
        clock += timedelta(minutes=15)
        place.count(clock, over)
        assert place.run(clock).returncode == 0
    assert "over" in place.mails()[-1][0]
    assert all(BEGIN <= written <= clock + timedelta(minutes=1) for _, written in place.mails())


@pytest.mark.skipif(FAKETIME is None, reason="needs libfaketime (Debian: apt install faketime)")
def test_runs_by_a_clock_that_servers_prove_wrong_end_with_1_and_change_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path)
    hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    with ExitStack() as stack:
        servers = [stack.enter_context(serving("mastodon", recording=Recording(), host=host)) for host in hosts]
        addresses = [server.url for server in servers]
        (tmp_path / "groundswell.toml").write_text(f"{SETTINGS}mastodon = {addresses}\nallow_hosts = {hosts}\n")

        def run(clock: datetime, ahead: timedelta = timedelta(0)) -> subprocess.CompletedProcess[str]:
            place.count(clock)
            for server in servers:
                server.now, server.date = clock, format_datetime(clock, usegmt=True)
            return place.run(clock + ahead)

        clock = BEGIN + timedelta(minutes=46)
        assert run(clock - timedelta(days=1)).returncode == 0, "the first run sends nothing of what is old"
        assert run(clock).returncode == 0
        mails = place.mails()
        assert len(mails) == 1
        for step, says in ((timedelta(days=1), "1 day ahead of"), (timedelta(days=7300), "20 years ahead of")):
            for _ in range(2):
                clock += timedelta(minutes=5)
                wrong = run(clock, step)
                assert (wrong.returncode, len(wrong.stderr.splitlines())) == (1, 1), wrong.stderr
                assert f"{says} that of 3 servers" in wrong.stderr
                assert "set it; nothing was stored or sent" in wrong.stderr
        clock += timedelta(minutes=5)
        assert run(clock, timedelta(days=-1)).returncode == 1
        clock += timedelta(minutes=5)
        healed = run(clock)
        assert (healed.returncode, healed.stderr) == (0, "")
    with Store(tmp_path / "groundswell.db") as store:
        assert in_the_future(store, clock + timedelta(minutes=1)) == []
        (incident,) = store.rows("SELECT active FROM incidents")
        assert incident["active"] == 1
    assert [subject for subject, _ in place.mails() if "over" in subject or "missed" in subject] == []
    assert all(BEGIN <= written <= clock + timedelta(minutes=1) for _, written in place.mails())


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync", "rename"])
def test_a_kill_at_a_system_call_from_outside_leaves_a_whole_database(tmp_path: Path, call: str) -> None:
    place = Place(tmp_path)
    place.count(BEGIN + timedelta(minutes=46))
    counted = place.run(before=("strace", "-f", "-c", "-e", f"trace={call}", "-o", str(tmp_path / "counts")))
    if "ptrace" in counted.stderr:
        pytest.skip("strace may not trace here")
    assert counted.returncode == 0, counted.stderr
    number = next(
        int(line.split()[3]) for line in (tmp_path / "counts").read_text().splitlines() if line.endswith(f" {call}")
    )
    for nth in spread(number, 2):
        for path in tmp_path.glob("groundswell.db*"):
            path.unlink()
        shutil.rmtree(tmp_path / "report")
        # with --seccomp-bpf strace 6.1 does not kill
        killed = place.run(before=("strace", "-f", "-o", "/dev/null", "-e", f"inject={call}:signal=KILL:when={nth}"))
        assert killed.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), "it died"
        healed = place.run()
        assert healed.returncode == 0, healed.stderr
        with closing(sqlite3.connect(tmp_path / "groundswell.db")) as conn:
            assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert conn.execute("SELECT count(*) FROM complaint_counts").fetchone()[0] > 300
