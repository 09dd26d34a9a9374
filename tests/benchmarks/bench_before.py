"""A backtest beside the same one of an earlier commit: `python -m tests.benchmarks.bench_before COMMIT`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from pipeline.config.load import load_config
from tests.benchmarks.archives import write_recording
from tests.conftest import ROOT

SERVICES, DAYS, FIRST_RUN, ROUNDS = 20, 30, 14, 3


class Cost(NamedTuple):
    """CPU seconds and the largest memory of a process, in MB, and what it printed."""

    seconds: float
    memory: int
    printed: bytes


def backtest(tree: Path, recording: Path, cache: Path) -> Cost:
    """Run `groundswell backtest --json` of the program in a folder."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "backtest", str(recording), "--json"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree), "PYTHONPYCACHEPREFIX": str(cache / tree.name)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, tree
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss >> 10, printed)


def main(commit: str) -> None:
    """Print the CPU seconds of both, in turns, their ratio, and whether they printed the same."""
    git = ["git", "-C", str(ROOT), "worktree"]
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        before = place / "before"
        subprocess.run([*git, "add", "-q", "--detach", str(before), commit], check=True)
        try:
            services = list(load_config(None).catalogue)[:SERVICES]
            write_recording(place / "day", services, DAYS, first_run=FIRST_RUN)
            runs = [
                (backtest(before, place / "day", place), backtest(ROOT, place / "day", place)) for _ in range(ROUNDS)
            ]
        finally:
            subprocess.run([*git, "remove", "--force", str(before)], check=True)
    old, new = (statistics.median(run[n].seconds for run in runs) for n in (0, 1))
    same = "the same output" if runs[-1][0].printed == runs[-1][1].printed else "another output"
    print(f"backtest of {DAYS} days of {SERVICES} services: {commit} {old:.1f} s, {runs[-1][0].memory} MB;", end=" ")
    print(f"now {new:.1f} s, {runs[-1][1].memory} MB; {old / new:.1f} x as fast, {same}")


if __name__ == "__main__":
    main(sys.argv[1])
