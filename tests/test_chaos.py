"""Faults at system calls of a run, in short: one of each pair of call and fault. `make chaos` has the long form."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("cc") is None or sys.platform != "linux", reason="needs cc and Linux: a shim is built"
    ),
]


def chaos(*args: str) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("GROUNDSWELL_")}
    return subprocess.run(
        [sys.executable, "-m", "tests.chaos", *args],
        cwd=ROOT,
        env={**env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=290,
    )


def test_a_fault_at_any_kind_of_call_loses_and_doubles_nothing_and_the_next_run_is_well() -> None:
    done = chaos("1")
    assert done.returncode == 0, done.stdout + done.stderr
    struck = re.search(r"(\d+) faults over (\d+) pairs; 0 did not hold", done.stdout)
    assert struck is not None, done.stdout + done.stderr
    assert int(struck[2]) >= 60
    assert int(struck[1]) >= int(struck[2]) - 3, "the number of answers of a mail server varies by one or two"


def test_the_rig_sees_each_mistake_that_is_planted() -> None:
    done = chaos("planted")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NOT SEEN" not in done.stdout
    assert done.stdout.count(": seen: ") == 6
