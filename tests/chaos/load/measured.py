"""What a command costs: CPU seconds, memory and the lines it prints, of a process of its own."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a process cost: CPU seconds (user and system), seconds by the clock, its largest size in MB.

    `out` and `err` are what it printed, `code` its exit code.
    """

    cpu: float
    wall: float
    memory: float
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Return the lines of standard error."""
        return self.err.splitlines()


# a process starts with the size of the one that made it: this one is small, and what it starts is measured
STARTER = """import json, os, subprocess, sys, time
begin = time.monotonic()
process = subprocess.Popen(sys.argv[1:], stdout=open("stdout.txt", "wb"), stderr=open("stderr.txt", "wb"))
_, status, used = os.wait4(process.pid, 0)
print(json.dumps([used.ru_utime + used.ru_stime, time.monotonic() - begin, used.ru_maxrss / 1024, status]))
"""


def measured(folder: Path, *arguments: str, program: Sequence[str] = ("-m", "pipeline")) -> Cost:
    """Run a command of the program in a folder and return what it cost."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GROUNDSWELL_")}
    started = subprocess.run(
        [sys.executable, "-S", "-c", STARTER, sys.executable, *program, *arguments],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )
    cpu, wall, memory, status = json.loads(started.stdout)
    return Cost(
        cpu=cpu,
        wall=wall,
        memory=memory,
        code=os.waitstatus_to_exitcode(int(status)),
        out=(folder / "stdout.txt").read_text("utf-8"),
        err=(folder / "stderr.txt").read_text("utf-8"),
    )


HEAD = """| | CPU s | s | peak MB | rows | messages |
| --- | ---: | ---: | ---: | ---: | ---: |"""


@dataclass(frozen=True, slots=True)
class Result:
    """A row of the table: what was run, what it cost, rows stored, messages received, and what did not hold."""

    what: str
    cost: Cost
    rows: int = 0
    messages: int = 0
    wrong: Sequence[str] = ()

    def __str__(self) -> str:
        """Return the row."""
        c = self.cost
        return f"| {self.what} | {c.cpu:.1f} | {c.wall:.0f} | {c.memory:.0f} | {self.rows:,} | {self.messages:,} |"


def count(folder: Path, table: str) -> int:
    """Return how many rows a table of the folder's database has, or a table with a condition."""
    with closing(sqlite3.connect(folder / "groundswell.db")) as conn:
        return int(conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
