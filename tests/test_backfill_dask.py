"""Backfill with Dask: the same rows as one process, whatever is killed meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, Groundswell

pytest.importorskip("pyarrow", reason="pip install -e '.[scale]'")
pytest.importorskip("distributed", reason="pip install -e '.[scale]'")

import pyarrow.parquet as pq

from tests.archives import BEGIN, NOW, backfill, rows_of, same, write_counts, write_posts


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    write_posts(tmp_path / "posts.ndjson")
    write_counts(tmp_path / "counts.parquet")
    return tmp_path


@pytest.mark.slow
def test_dask_publishes_what_one_process_does_and_a_killed_worker_costs_nothing(
    groundswell: Groundswell, archives: Path
) -> None:
    for n in range(1, 6):
        write_posts(archives / f"more{n}.ndjson", 600, first=600 * n, begin=BEGIN - 600 * n * 144)
    more = [arg for n in range(1, 6) for arg in ("--posts", f"more{n}.ndjson")]
    assert backfill(groundswell, "local", *more).returncode == 0
    shutil.copy(archives / "local.db.salt", archives / "dask.db.salt")  # else authors' keys differ
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "backfill",
        "dask",
        "--posts",
        "posts.ndjson",
        "--counts",
        "counts.parquet",
        "--new",
        *more,
        "--now",
        NOW,
        "--into-db",
        "--db",
        "dask.db",
        "--engine",
        "dask",
    ]
    process = subprocess.Popen(
        command,
        cwd=archives,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    killed = threading.Event()

    def kill_one() -> None:
        while process.poll() is None and not killed.is_set():
            workers = [pid for pid in children(process.pid) if list((archives / "dask" / "_aside").glob(f"*-{pid}"))]
            if workers:
                os.kill(workers[0], signal.SIGKILL)
                killed.set()
            time.sleep(0.02)

    thread = threading.Thread(target=kill_one)
    thread.start()
    _, err = process.communicate(timeout=280)
    thread.join()
    assert killed.is_set(), "a worker was killed while it wrote"
    assert process.returncode == 0, err
    assert "dashboard  http://127.0.0.1:" in err
    same(rows_of(archives / "local.db"), rows_of(archives / "dask.db"))
    files = {
        name: {
            p.relative_to(archives / name): pq.read_table(p, partitioning=None)
            for p in sorted((archives / name).glob("[a-z]*/**/*.parquet"))
        }
        for name in ("local", "dask")
    }
    assert files["local"] == files["dask"]


def children(pid: int) -> Iterator[int]:
    for line in subprocess.run(
        ["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True
    ).stdout.splitlines()[1:]:
        child, parent = map(int, line.split())
        if parent == pid:
            yield child
            yield from children(child)


@pytest.mark.slow
def test_a_scheduler_that_vanishes_is_one_line_and_a_later_run_completes(
    groundswell: Groundswell, archives: Path
) -> None:
    later = "2026-03-20T00:00:00Z"  # than all posts
    gone = groundswell(
        "backfill",
        "out",
        "--counts",
        "counts.parquet",
        "--new",
        "--engine",
        "dask",
        "--scheduler",
        "tcp://127.0.0.1:9",
        "--now",
        later,
    )
    assert (gone.returncode, "no scheduler answers there" in gone.stderr, "Traceback" in gone.stderr) == (
        1,
        True,
        False,
    ), gone.stderr
    write_posts(archives / "posts.ndjson", 6000)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    port = free_port()
    scheduler = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "distributed.cli.dask_scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--no-dashboard",
        ],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    worker = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "distributed.cli.dask_worker",
            f"tcp://127.0.0.1:{port}",
            "--nthreads",
            "1",
            "--no-dashboard",
            "--death-timeout",
            "30",
        ],
        env=env,
        cwd=archives,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    args = [
        "backfill",
        "out",
        "--posts",
        "posts.ndjson",
        "--counts",
        "counts.parquet",
        "--new",
        "--now",
        later,
    ]
    try:
        time.sleep(5)
        run = subprocess.Popen(
            [sys.executable, "-m", "pipeline", *args, "--engine", "dask", "--scheduler", f"tcp://127.0.0.1:{port}"],
            cwd=archives,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(600):
            if list((archives / "out").glob("_done/read-*.json")):
                break
            time.sleep(0.05)
        scheduler.kill()
        _, err = run.communicate(timeout=120)
    finally:
        scheduler.kill()
        worker.kill()
    assert run.returncode == 1, err
    assert "what was finished is kept" in err
    assert "Traceback" not in err, err
    done = groundswell(*args)
    assert done.returncode == 0, done.stderr


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
