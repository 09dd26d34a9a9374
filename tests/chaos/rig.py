"""A run that collects, alerts and publishes, with a fault at its N-th system call; then a healthy one.

Each run happens in a fork of this process, which has loaded everything: a fault costs half a second. The process has to
be started with the shim preloaded, as `python -m tests.chaos` does.
"""

from __future__ import annotations

import ctypes
import gc
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pipeline.core.times import iso, utc
from tests.chaos.faults import CALLS, DEADLY, KINDS, Fault

BEGIN = utc("2026-03-02T11:00:00Z")
USUAL = [4, 5, 3, 4, 6, 5, 4, 3] * 40
# what must be the same whatever went wrong in between
FACTS = """
SELECT 'count', service, start, total FROM complaint_counts
UNION ALL SELECT 'incident', id, service, onset FROM incidents
UNION ALL SELECT 'message', message_id, incident, transition FROM alerts
ORDER BY 1, 2, 3, 4
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one fault: how the run ended, and `problem`, empty where all held.

    `ended`: "well", "died" or "one line" (it failed and said so). `again`: messages that came twice, under one id.
    """

    fault: Fault
    struck: bool
    ended: str
    again: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a run ended: exit code (negative: the signal), standard error, calls of the fault's kind."""

    code: int
    words: str
    calls: int


class Rig:
    """A folder with an installation as it was before the run, and what a healthy run sends and stores."""

    def __init__(self, folder: Path, port: int, log: Path) -> None:
        self.base, self.place, self.log = folder / "base", folder / "place", log
        self.shim = ctypes.CDLL(None)
        self.shim.chaos_count.restype = ctypes.c_long
        self.shim.chaos_share()
        self.base.mkdir(parents=True)
        (self.base / "groundswell.toml").write_text(
            'watch = ["claude", "netflix"]\n[alerts]\nchannels = ["email"]\n[mail]\nto = ["me@example.org"]\n'
            f'host = "127.0.0.1"\nport = {port}\ntimeout = "5s"\n[sources]\nstatuspage = false\nhacker_news = false\n'
            'downstatus = false\nnews_desks = false\ngoogle_news = false\ncounts = ["tickets.csv"]\n'
        )
        self._counts(self.base, 0)
        prepared = self._run(self.base, 0)
        assert prepared.code == 0, prepared.words
        self._counts(self.base, 1)
        self._load()
        before = len(self.sent())
        healthy = self._fresh()
        done = self._run(healthy, 1, Fault(call="open", kind="slow", nth=0))
        assert done.code == 0, done.words
        self.calls = {call: int(self.shim.chaos_count(n)) for n, call in enumerate(CALLS)}
        self._run(healthy, 1, later=1)
        self.expected, self.facts = set(self.sent()[before:]), facts(healthy)
        assert self.expected, "there was something to lose"

    def _load(self) -> None:
        """Make the run here, so that a fork finds everything loaded and each font and template read."""
        from pipeline.__main__ import main

        here = Path.cwd()
        os.chdir(self._fresh())
        sys.argv = ["groundswell", "run", "--quiet", "--now", iso(BEGIN + timedelta(minutes=16))]
        with suppress(SystemExit):
            main()
        os.chdir(here)
        gc.collect()
        gc.freeze()

    def sent(self) -> list[str]:
        """Return the Message-IDs that the server took, in order."""
        return self.log.read_text().split() if self.log.exists() else []

    def strike(self, fault: Fault, plant: Callable[[], None] | None = None) -> Verdict:
        """Make a run with a fault (`plant`: and a mistake in the program), then healthy ones; say what did not hold."""
        before, place = len(self.sent()), self._fresh()
        hit = self._run(place, 1, fault, plant=plant)
        problem = self._wrong_at_once(fault, hit) or self._unwritten(place, before)
        if not problem and fault.kind not in ("power", "reorder"):  # pages are not synced: the next run mends them
            problem = half_pages(place)
        if not problem:
            healed = self._run(place, 1, later=1, plant=plant)
            if healed.code != 0 or "Traceback" in healed.words:
                problem = f"the next run: {healed.code} {healed.words[-400:]}"
            elif self.expected - set(self.sent()[before:]):
                self._run(place, 1, later=70, plant=plant)  # what was put off is due
        mails = Counter(self.sent()[before:])
        return Verdict(
            fault=fault,
            struck=hit.calls >= fault.nth,
            ended="died" if hit.code < 0 else "one line" if hit.code else "well",
            again=sum(mails.values()) - len(mails),
            problem=problem or self._wrong(place, mails),
        )

    @staticmethod
    def _wrong_at_once(fault: Fault, hit: Done) -> str:
        """Say what was wrong with how the run ended."""
        if "Traceback" in hit.words:
            return f"traceback: {hit.words[-600:]}"
        if "transaction is active" in hit.words:
            return f"the cause is hidden: {hit.words[-300:]}"
        if fault.kind in DEADLY and hit.calls >= fault.nth and hit.code != -signal.SIGKILL:
            return f"it was to die and did not: {hit.code}"
        if hit.code < 0 and fault.kind not in DEADLY:
            return f"it died of signal {-hit.code}"
        if hit.code > 0 and not hit.words.strip():
            return f"it failed with {hit.code} and said nothing"
        return ""

    def _unwritten(self, place: Path, before: int) -> str:
        """Say which mail went out that the database, as it is on the disk now, knows nothing of."""
        if not (mails := set(self.sent()[before:])):
            return ""
        looked = place.parent / "looked"
        shutil.rmtree(looked, ignore_errors=True)
        looked.mkdir()
        for file in place.glob("groundswell.db*"):  # to open it there would mend it
            shutil.copy(file, looked)
        with closing(sqlite3.connect(looked / "groundswell.db")) as conn:
            rows = {row[0] for row in conn.execute("SELECT message_id FROM alerts")}
        return f"{len(mails - rows)} mails went out and there is no row of it" if mails - rows else ""

    def _wrong(self, place: Path, mails: Counter[str]) -> str:
        """Say what is wrong once all is healthy again."""
        if lost := self.expected - set(mails):
            return f"{len(lost)} messages lost"
        if strange := set(mails) - self.expected:
            return f"{len(strange)} messages doubled under another Message-ID"
        with closing(sqlite3.connect(place / "groundswell.db")) as conn:
            if conn.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                return "integrity"
            if conn.execute("PRAGMA foreign_key_check").fetchone():
                return "a row refers to one that is gone"
            if conn.execute("SELECT 1 FROM alerts WHERE sent_at IS NULL AND merged_into IS NULL").fetchone():
                return "a message still waits"
        if (now := facts(place)) != self.facts:
            return f"rows differ: {sorted(set(now) ^ set(self.facts))[:3]}"
        if left := [path.name for path in place.rglob("*.new")]:
            return f"half-written files stay: {left[:3]}"
        return half_pages(place)

    def _fresh(self) -> Path:
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.base, self.place)
        return self.place

    @staticmethod
    def _counts(folder: Path, run: int) -> None:
        rows = ["service,start_utc,interval_s,total"]
        for n, usual in enumerate(USUAL[: len(USUAL) - 1 + run]):
            start = BEGIN - (len(USUAL) - 1 - n) * timedelta(minutes=15)
            rows += [
                f"{name},{iso(start)},900,{usual + (120 if start >= BEGIN else 0)}" for name in ("claude", "netflix")
            ]
        (folder / "tickets.csv").write_text("\n".join(rows) + "\n")

    def _run(
        self,
        folder: Path,
        run: int,
        fault: Fault | None = None,
        *,
        later: int = 0,
        plant: Callable[[], None] | None = None,
    ) -> Done:
        now = iso(BEGIN + run * timedelta(minutes=15) + timedelta(minutes=1 + later))
        words = folder.parent / "stderr"
        words.write_text("")
        pid = os.fork()
        if pid == 0:
            self._child(folder, now, fault, words, plant)
        _, status = os.waitpid(pid, 0)
        calls = int(self.shim.chaos_count(CALLS.index(fault.call))) if fault else 0
        return Done(code=os.waitstatus_to_exitcode(status), words=words.read_text(), calls=calls)

    def _child(
        self, folder: Path, now: str, fault: Fault | None, words: Path, plant: Callable[[], None] | None
    ) -> None:
        from pipeline.__main__ import main

        code = 70
        try:
            os.chdir(folder)
            sys.stderr = words.open("w", buffering=1)
            sys.argv = ["groundswell", "run", "--quiet", "--now", now]
            if plant is not None:
                plant()
            if fault is not None:
                self.shim.chaos_arm(
                    str(folder).encode(),
                    CALLS.index(fault.call),
                    ctypes.c_long(fault.nth),
                    KINDS[fault.kind],
                    int(fault.lasting),
                )
            try:
                main()
                code = 0
            except SystemExit as stop:
                code = int(stop.code or 0)
        except BaseException:  # noqa: BLE001 - the parent looks for it
            traceback.print_exc()
        finally:
            self.shim.chaos_disarm()
            sys.stderr.flush()
            os._exit(code)


def facts(place: Path) -> list[tuple[str, ...]]:
    """Return what a database holds of what was collected, found and written."""
    with closing(sqlite3.connect(place / "groundswell.db")) as conn:
        return conn.execute(FACTS).fetchall()


def half_pages(place: Path) -> str:
    """Say which page a reader would find cut off."""
    pages = {path.name: path.read_bytes() for path in place.rglob("*.html")}
    cut = [name for name, page in pages.items() if not page.rstrip().endswith(b"</html>") or b"\0" in page]
    return f"half a page: {cut[:3]}" if cut else ""


def build_shim(folder: Path) -> Path:
    """Compile the shim; raises FileNotFoundError where there is no compiler, CalledProcessError where it fails."""
    library = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    return library
