"""What a run costs whoever starts it from cron, in CPU seconds and memory, beside a script of one check."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pipeline.core.records import Batch, Post
from pipeline.core.times import iso, utc
from pipeline.store import Store
from pipeline.store.observations import save_batch
from tests.benchmarks.quiet_run import SILENT
from tests.conftest import ROOT

SCRIPT = """import sqlite3, requests, feedparser
conn = sqlite3.connect("script.db")
conn.execute("CREATE TABLE IF NOT EXISTS seen (link TEXT)")
feed = feedparser.parse(b'<rss version="2.0"><channel><item><title>a</title><link>http://x/a</link></item></channel></rss>')
try:
    requests.Session().get("http://127.0.0.1:9/", timeout=1)
except requests.RequestException:
    pass
conn.executemany("INSERT INTO seen VALUES (?)", [(entry.link,) for entry in feed.entries])
conn.commit()
"""
# run in a small process of its own: what a process is said to have taken includes what its parent had when it began
MEMORY = """import os, resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
BEGIN = utc("2026-03-05T00:20:00Z")


COUNTED = ("claude", "github", "slack", "netflix")  # of which the import has counts


def write_counts(path: Path, rows: int) -> None:
    """Write a file of counts by the quarter of an hour, the latest of them before BEGIN."""
    random = Random(2)
    starts = [BEGIN - timedelta(minutes=15 * (n + 1)) for n in range(rows // len(COUNTED))]
    lines = [f"{service},{iso(start)},900,{random.randint(0, 12)}" for service in COUNTED for start in starts]
    path.write_text("\n".join(["service,start_utc,interval_s,total", *lines]) + "\n")


def children_seconds() -> float:
    """Return the CPU seconds of all processes that this one has started and waited for."""
    used = os.times()
    return used.children_user + used.children_system


@pytest.mark.benchmark(timer=children_seconds)
@pytest.mark.parametrize(
    "way",
    [
        "a script of requests, feedparser and sqlite3",
        "a quiet run",
        "a run with a new post",
        "the first run after an import of 10,000 counts",
    ],
)
def test_a_run_from_cron(benchmark: Any, tmp_path: Path, way: str) -> None:
    """CPU seconds of a whole process, on the demo's database where there is one."""
    benchmark.group = "a run as cron starts it, CPU seconds of the process"
    demo = ROOT / "out" / "demo" / "groundswell.db"
    if demo.exists():
        shutil.copy(demo, tmp_path / "groundswell.db")
    (tmp_path / "groundswell.toml").write_text(f'watch = ["claude", "chatgpt", "gemini"]\n[sources]\n{SILENT}')
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(tmp_path / "compiled")}
    now = [BEGIN]

    def prepare() -> tuple[tuple[list[str]], dict[str, Any]]:
        now[0] += timedelta(minutes=5)
        if way.startswith("a script"):
            return (["-c", SCRIPT],), {}
        if "import" in way:
            if now[0] > BEGIN + timedelta(minutes=10) and not (tmp_path / "imported.db").exists():
                write_counts(tmp_path / "counts.csv", 10_000)
                work(["-m", "pipeline", "import", "counts", "counts.csv", "--now", iso(now[0])])
                shutil.copy(tmp_path / "groundswell.db", tmp_path / "imported.db")
            if (tmp_path / "imported.db").exists():
                shutil.copy(tmp_path / "imported.db", tmp_path / "groundswell.db")
        if "post" in way and now[0] > BEGIN + timedelta(minutes=10):
            text = f"Claude is down for me, cannot log in, number {now[0]:%H%M}"
            post = Post(
                source="reddit",
                native_id=f"t3_{now[0]:%d%H%M}",
                kind="post",
                community="ClaudeAI",
                author_key=f"{now[0]:%d%H%M}",
                author_created=None,
                created=now[0] - timedelta(minutes=2),
                collected=now[0] - timedelta(minutes=1),
                title=text,
            )
            with Store(tmp_path / "groundswell.db") as store:
                save_batch(store, Batch(source="reddit", rows=(post,)), now[0])
        return (["-m", "pipeline", "run", "--quiet", "--now", iso(now[0])],), {}

    def work(arguments: list[str]) -> None:
        subprocess.run([sys.executable, *arguments], cwd=tmp_path, env=environment, check=True)

    # the first runs compile, bring the database up to date and fill the cache
    benchmark.pedantic(work, setup=prepare, rounds=5, warmup_rounds=3)
    (last,), _ = prepare()
    measured = [sys.executable, "-S", "-c", MEMORY, sys.executable, *last]
    printed = subprocess.run(measured, cwd=tmp_path, env=environment, check=True, stdout=subprocess.PIPE).stdout
    kilobytes = int(printed.split()[-1])
    benchmark.extra_info.update(
        way=way, of="a script of requests, feedparser and sqlite3", note=f"{kilobytes / 1024:.0f} MB"
    )
