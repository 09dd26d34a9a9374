"""Replays beside the same ones of an earlier commit: `python -m tests.benchmarks.bench_before COMMIT [JOB …]`.

Each commit runs with the packages that it pins itself, so the earlier one gets an environment of its own. The jobs are
`backtest` (30 days of 20 services), `year` (365 days of 50 services, about 10 minutes) and `demo` (about 5 minutes).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.config.load import load_config
from tests.benchmarks.archives import write_recording
from tests.conftest import ROOT

FIRST_RUN = 14  # days of counts before the first step of a backtest


class Job(NamedTuple):
    """A replay to be timed: how often in turns, and of a backtest how many services and days (the demo has its own)."""

    rounds: int
    services: int = 0
    days: int = 0


JOBS = {"backtest": Job(rounds=3, services=20, days=30), "year": Job(rounds=1, services=50, days=365), "demo": Job(1)}


class Cost(NamedTuple):
    """CPU seconds and the largest memory of a process, in MB, and what it printed."""

    seconds: float
    memory: int
    printed: bytes


class Program(NamedTuple):
    """A checked-out commit and the Python that has its packages."""

    python: str
    tree: Path

    def cost(self, arguments: Sequence[str], scratch: Path) -> Cost:
        """Run a command of the program; its compiled Python files are kept in the scratch folder."""
        cache = scratch / "compiled" / self.tree.name
        process = subprocess.Popen(
            [self.python, "-m", "pipeline", *arguments],
            cwd=self.tree,
            env={**os.environ, "PYTHONPATH": str(self.tree), "PYTHONPYCACHEPREFIX": str(cache)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, (self.tree, arguments)
        return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss >> 10, printed)


def install(tree: Path, place: Path) -> Program:
    """Install the program of a folder, with the packages that it pins, into a new environment."""
    venv.create(place, with_pip=True)
    python = str(place / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-c", str(tree / "constraints.txt"), "-e", str(tree)], check=True)
    return Program(python, tree)


def compare(name: str, commit: str, programs: Sequence[Program], scratch: Path) -> None:
    """Print the CPU seconds of a job with both programs, their ratio, and whether they printed the same."""
    job = JOBS[name]
    if job.days:
        services = list(load_config(None).catalogue)[: job.services]
        write_recording(scratch / name, services, job.days, first_run=FIRST_RUN)
        what, arguments = (
            f"backtest of {job.days} days of {job.services} services",
            ["backtest", str(scratch / name), "--json"],
        )
    else:
        what, arguments = "the demo", ["demo", "--out", str(scratch / "out")]
    runs = [[program.cost(arguments, scratch) for program in programs] for _ in range(job.rounds)]
    old, new = (statistics.median(run[n].seconds for run in runs) for n in (0, 1))
    same = "the same output" if runs[-1][0].printed == runs[-1][1].printed else "another output"
    print(f"{what}: {commit} {old:.1f} s, {runs[-1][0].memory} MB;", end=" ")
    print(f"now {new:.1f} s, {runs[-1][1].memory} MB; {old / new:.1f} x as fast, {same}", flush=True)


def main(commit: str, names: Sequence[str]) -> None:
    """Check out and install the commit, run the jobs with both programs in turns, and print each comparison."""
    git = ["git", "-C", str(ROOT), "worktree"]
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        before = scratch / "before"
        subprocess.run([*git, "add", "-q", "--detach", str(before), commit], check=True)
        try:
            programs = [install(before, scratch / "environment"), Program(sys.executable, ROOT)]
            for name in names:
                compare(name, commit, programs, scratch)
        finally:
            subprocess.run([*git, "remove", "--force", str(before)], check=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] or ["backtest"])
