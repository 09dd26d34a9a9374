"""A tick that collects, alerts and publishes, with a fault at its N-th system call; then a healthy one.

Each tick runs in a fork of this process, which has loaded everything: a fault costs a tenth of a second. The process
has to be started with the shim preloaded, as `python -m tests.chaos` does.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import traceback
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.times import iso, utc

if TYPE_CHECKING:
    from pipeline.core.alerts import Alert
    from pipeline.notify.channels import Channel
    from pipeline.store import Store

CALLS = ("open", "write", "pwrite", "fsync", "fdatasync", "rename")
FAULTS = {
    "ENOSPC": errno.ENOSPC,
    "EIO": errno.EIO,
    "EINTR": errno.EINTR,
    "EMFILE": errno.EMFILE,
    "kill": -1,
    "torn": -2,
}
NOT_OF = {"EMFILE": ("open",), "torn": ("write", "pwrite"), "EINTR": ("open", "write", "pwrite")}  # else of every call
BEGIN = utc("2026-03-02T11:00:00Z")
USUAL = [4, 5, 3, 4, 6, 5, 4, 3] * 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong: the `nth` call of a kind, once or from then on."""

    call: str
    kind: str
    nth: int
    lasting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one fault; `problem` is empty where all held."""

    fault: Fault
    struck: bool
    problem: str = ""


class Rig:
    """A folder with an installation as it was before the tick, and the mails that a healthy tick sends."""

    def __init__(self, folder: Path, port: int, log: Path, *, planted: bool = False) -> None:
        """`planted`: the code is made to mark messages before it sends them, which a rig has to see."""
        if planted:
            _mark_first()
        self.base, self.place, self.log = folder / "base", folder / "place", log
        self.shim = ctypes.CDLL(None)
        self.shim.chaos_count.restype = ctypes.c_long
        self.base.mkdir(parents=True)
        (self.base / "groundswell.toml").write_text(
            'watch = ["claude", "netflix"]\n[alerts]\nchannels = ["email"]\n[mail]\nto = ["me@example.org"]\n'
            f'host = "127.0.0.1"\nport = {port}\ntimeout = "5s"\n[sources]\nstatuspage = false\nhacker_news = false\n'
            'downstatus = false\nnews_desks = false\ngoogle_news = false\ncounts = ["tickets.csv"]\n'
        )
        self._counts(self.base, 0)
        shutil.copytree(self.base, self.place)
        self._load()
        assert self._tick(self.base, 0).code == 0
        self._counts(self.base, 1)
        self.calls: dict[str, int] = {}
        before = len(self.sent())
        healthy = self._fresh()
        done = self._tick(healthy, 1, counting=True)
        assert done.code == 0, done.words
        self.expected = set(self.sent()[before:])
        assert self.expected, "there was something to lose"

    def _load(self) -> None:
        """Run a tick here, so that a fork finds every module loaded."""
        from pipeline.__main__ import main

        here = Path.cwd()
        os.chdir(self.place)
        sys.argv = ["groundswell", "run", "--quiet", "--now", iso(BEGIN + timedelta(minutes=1))]
        with suppress(SystemExit):
            main()
        os.chdir(here)

    def faults(self, most: int) -> list[Fault]:
        """Return faults of every pair of call and kind, at most `most` of each, spread over the tick."""
        found = []
        for call in CALLS:
            for kind, number in FAULTS.items():
                if call not in NOT_OF.get(kind, CALLS):
                    continue
                step = max(1, -(-self.calls[call] // most))
                nths = range(1, self.calls[call] + 1, step)
                found += [Fault(call=call, kind=kind, nth=n) for n in nths]
                if number > 0 and kind != "EINTR":
                    found += [Fault(call=call, kind=kind, nth=n, lasting=True) for n in nths]
        return found

    def sent(self) -> list[str]:
        """Return the Message-IDs that the server took, in order."""
        return self.log.read_text().split() if self.log.exists() else []

    def strike(self, fault: Fault) -> Verdict:
        """Run a tick with a fault, then a healthy one, and say what did not hold."""
        before, place = len(self.sent()), self._fresh()
        hit = self._tick(place, 1, fault)
        struck = hit.code < 0 or hit.code != 0 or hit.calls >= fault.nth
        problem = ""
        if "Traceback" in hit.words:
            problem = f"traceback: {hit.words[-600:]}"
        elif fault.kind in ("kill", "torn") and hit.calls >= fault.nth and hit.code != -signal.SIGKILL:
            problem = "it was to die and did not"
        healed = self._tick(place, 1, later=1) if not problem else hit
        if not problem and (healed.code != 0 or "Traceback" in healed.words):
            problem = f"the next run: {healed.code} {healed.words[-400:]}"
        if not problem:
            self._tick(place, 1, later=70)  # what was put off is due
            problem = self._wrong(place, before)
        return Verdict(fault=fault, struck=struck, problem=problem)

    def _wrong(self, place: Path, before: int) -> str:
        mails = Counter(self.sent()[before:])
        if lost := self.expected - set(mails):
            return f"{len(lost)} messages lost"
        conn = sqlite3.connect(place / "groundswell.db")
        try:
            named = conn.execute(
                "SELECT count(*), count(DISTINCT incident || transition || channel) FROM alerts"
            ).fetchone()
            if conn.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                return "integrity"
            if conn.execute("SELECT count(*) FROM alerts WHERE sent_at IS NULL AND merged_into IS NULL").fetchone() != (
                0,
            ):
                return "a message still waits"
            return "" if named[0] == named[1] else "a message doubled under another Message-ID"
        finally:
            conn.close()

    def _fresh(self) -> Path:
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.base, self.place)
        return self.place

    @staticmethod
    def _counts(folder: Path, tick: int) -> None:
        rows = ["service,start_utc,interval_s,total"]
        for n, usual in enumerate(USUAL[: len(USUAL) - 1 + tick]):
            start = BEGIN - (len(USUAL) - 1 - n) * timedelta(minutes=15)
            rows += [
                f"{name},{iso(start)},900,{usual + (120 if start >= BEGIN else 0)}" for name in ("claude", "netflix")
            ]
        (folder / "tickets.csv").write_text("\n".join(rows) + "\n")

    def _tick(
        self,
        folder: Path,
        tick: int,
        fault: Fault | None = None,
        *,
        counting: bool = False,
        later: int = 0,
    ) -> Done:
        now = iso(BEGIN + tick * timedelta(minutes=15) + timedelta(minutes=1 + later))
        words, seen = folder.parent / "stderr", folder.parent / "calls"
        seen.write_text("")
        pid = os.fork()
        if pid == 0:
            self._child(folder, now, fault, words, seen, counting=counting)
        _, status = os.waitpid(pid, 0)
        counted = [int(word) for word in seen.read_text().split()]
        if counting:
            self.calls = dict(zip(CALLS, counted, strict=True))
        calls = counted[CALLS.index(fault.call)] if fault and counted else fault.nth if fault else 0
        return Done(code=os.waitstatus_to_exitcode(status), words=words.read_text(), calls=calls)

    def _child(self, folder: Path, now: str, fault: Fault | None, words: Path, seen: Path, *, counting: bool) -> None:
        from pipeline.__main__ import main

        code = 70
        try:
            os.chdir(folder)
            sys.stderr = words.open("w", buffering=1)
            sys.argv = ["groundswell", "run", "--quiet", "--now", now]
            if fault is not None or counting:
                target = fault or Fault(call="open", kind="kill", nth=0)
                self.shim.chaos_arm(
                    str(folder).encode(),
                    CALLS.index(target.call),
                    ctypes.c_long(target.nth),
                    FAULTS[target.kind],
                    int(target.lasting),
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
            seen.write_text(" ".join(str(self.shim.chaos_count(n)) for n in range(len(CALLS))))
            sys.stderr.flush()
            os._exit(code)


def _mark_first() -> None:
    """Make this process mark each message as sent before it sends it."""
    from pipeline.stages.alert import stage

    due, send = stage.due_alerts, stage.send
    stores: list[Store] = []

    def remember(store: Store, now: datetime) -> list[Alert]:
        stores[:] = [store]
        return due(store, now)

    def mark_and_send(channel: Channel | None, alert: Alert) -> stage.Outcome:
        stage.mark_sent(stores[0], alert, alert.due_at)
        return send(channel, alert)

    stage.due_alerts, stage.send = remember, mark_and_send


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a tick ended: exit code (negative: the signal), standard error, calls of the fault's kind."""

    code: int
    words: str
    calls: int


def build_shim(folder: Path) -> Path:
    """Compile the shim; raises FileNotFoundError where there is no compiler, CalledProcessError where it fails."""
    library = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    return library
