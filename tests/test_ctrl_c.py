"""Ctrl-C at a terminal, which tells every process of a command: one line and exit code 1, whatever is under way."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.config.paths import DASHBOARDS
from pipeline.sources.feed_process import FeedParserProcess
from pipeline.store import Store
from tests.archives import write_posts
from tests.conftest import ROOT

ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) as many from n"

HELD_UP = """
import time
from pipeline.commands import ctrl_c
ctrl_c.PATIENCE = 0.1
with ctrl_c.ended_after_ctrl_c():
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        time.sleep(60)
"""


def stopped(folder: Path, *args: str, ready: Callable[[int], bool]) -> tuple[int, str, float]:
    """Press Ctrl-C once when the command is `ready`, by its process group; return its exit code, what it and its
    processes said, and the seconds until it ended."""
    with (folder / "errors").open("w") as errors:
        process = subprocess.Popen(
            ["env", "--default-signal=INT", sys.executable, "-m", "pipeline", *args],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        try:
            for _ in range(1200):
                if ready(process.pid) or process.poll() is not None:
                    break
                time.sleep(0.05)
            assert process.poll() is None, "it was at work"
            pressed = time.monotonic()
            os.killpg(process.pid, signal.SIGINT)
            code = process.wait(30)
            took = time.monotonic() - pressed
            time.sleep(1)  # for what processes left behind have to say
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return code, (folder / "errors").read_text(), took


@pytest.mark.slow
def test_ctrl_c_ends_a_command_that_waits_for_sqlite(tmp_path: Path) -> None:
    Store(tmp_path / "groundswell.db", views=DASHBOARDS / "views.sql").conn.close()
    conn = sqlite3.connect(tmp_path / "groundswell.db")
    conn.execute(f"create view aa as {ENDLESS}")
    conn.close()

    def ready(_group: int) -> bool:
        if not any((tmp_path / "out").glob("*")):
            return False
        time.sleep(3)
        return True

    code, errors, took = stopped(tmp_path, "export", "out", "--format", "csv", ready=ready)
    assert (code, errors) == (1, "\ngroundswell: stopped\n")
    assert took > 1, "it was in SQLite, and was ended"


@pytest.mark.slow
def test_ctrl_c_ends_a_command_whose_errors_nobody_reads_any_more(tmp_path: Path) -> None:
    process = subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-c", HELD_UP],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        process.stderr.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 1
    finally:
        process.kill()
        process.stdout.close()


@pytest.mark.slow
@pytest.mark.parametrize("while_starting", [True, False])
def test_ctrl_c_ends_a_backfill_with_dask_without_a_word_of_its_workers(tmp_path: Path, while_starting: bool) -> None:
    pytest.importorskip("pyarrow", reason="pip install -e '.[scale]'")
    pytest.importorskip("distributed", reason="pip install -e '.[scale]'")
    write_posts(tmp_path / "posts.ndjson", 60_000)

    def ready(group: int) -> bool:
        if not while_starting:  # when a worker writes
            return any((tmp_path / "out" / "_aside").glob("*"))
        if subprocess.run(["pgrep", "-g", str(group), "-f", "forkserver"], capture_output=True).returncode:
            return False
        time.sleep(1)
        return True

    given = ["--posts", "posts.ndjson", "--engine", "dask"]
    code, errors, _ = stopped(tmp_path, "backfill", "out", *given, ready=ready)
    assert code == 1
    assert [line for line in errors.splitlines() if line and "dashboard" not in line] == ["groundswell: stopped"]


def test_the_process_that_parses_feeds_does_not_end_by_the_ctrl_c_of_its_parent() -> None:
    parser = FeedParserProcess()
    try:
        parser.read(b"<rss/>", 10)
        process = parser._process
        assert process is not None
        process.send_signal(signal.SIGINT)
        parser.read(b"<rss/>", 10)
        assert parser._process is process
    finally:
        parser.stop()
