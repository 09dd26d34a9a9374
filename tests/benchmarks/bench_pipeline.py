"""Speed of the pipeline's steps beside what one would use instead, in one run; `make bench` writes the table.

A group is one job done several ways; `of` names the way the others are divided by. Rows are ready beforehand: reading
files and full-text search are no part of what is compared, unless a way's name says so.
"""

from __future__ import annotations

import heapq
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.load import load_config
from pipeline.config.paths import DASHBOARDS
from pipeline.core.records import Batch, ComplaintCount, NewsItem, Post
from pipeline.core.times import iso
from pipeline.detection.factory import make_detector
from pipeline.stages.detect.stage import run_detect
from pipeline.store import Store
from pipeline.store import observations as collected
from pipeline.store.bulk import put_rows
from pipeline.store.counts import CountValue, epoch
from pipeline.store.observations import save_batch
from tests.benchmarks.quiet_run import SILENT
from tests.conftest import ROOT
from tests.copies import replace

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ROWS, CHUNK = 20_000, 5_000
TRIGGERS = ("posts_ai", "posts_ad", "posts_au", "news_items_ai", "news_items_ad", "news_items_au")


def records(kind: str) -> list[Any]:
    if kind == "posts":
        return [
            Post(
                source="reddit",
                native_id=f"p{i:07d}",
                kind="post",
                community="ClaudeAI",
                author_key="a" * 16,
                author_created=NOW,
                created=NOW + timedelta(seconds=i),
                collected=NOW + timedelta(seconds=i),
                title="Claude is down for me today",
                text="cannot log in to claude since ten minutes " * 3,
            )
            for i in range(ROWS)
        ]
    if kind == "complaint_counts":
        return [
            ComplaintCount(
                service=f"s{i % 50:02d}",
                source="x",
                region="",
                indicator="",
                start=NOW + timedelta(minutes=15 * (i // 50)),
                interval_s=900,
                total=i % 17,
                collected=NOW,
            )
            for i in range(ROWS)
        ]
    return [
        NewsItem(
            source="feed",
            native_id=f"n{i:07d}",
            outlet="d",
            published=NOW + timedelta(seconds=i),
            collected=NOW,
            title="A regulator fines a firm",
            summary="words " * 20,
            url="https://x.example/1",
        )
        for i in range(ROWS)
    ]


def fresh(folder: Path, *, searched: bool) -> Store:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    store = Store(folder / "x.db")
    if not searched:
        for name in TRIGGERS:
            store.conn.execute(f"DROP TRIGGER IF EXISTS {name}")
    return store


@pytest.mark.parametrize("kind", ["posts", "complaint_counts", "news_items"])
@pytest.mark.parametrize("way", ["bare executemany", "save_batch", "save_batch, with full-text search"])
def test_ingest(benchmark: Any, tmp_path: Path, kind: str, way: str) -> None:
    rows = records(kind)
    benchmark.group = f"{ROWS} rows of {kind}"
    benchmark.extra_info.update(way=way, of="bare executemany", rows=ROWS)
    as_row: dict[str, Callable[[Any], tuple[Any, ...]]] = {
        "posts": lambda p: (*collected._post_row(p), None),
        "complaint_counts": lambda c: CountValue(int(c.service[1:]), epoch(c.start), c.total, None, epoch(c.collected)),
        "news_items": lambda n: (*(row := collected._news_row(n))[:3], *row[4:], row[3]),  # published stands last
    }
    ready = [as_row[kind](row) for row in rows] if way == "bare executemany" else []
    batches = [Batch(source="x", rows=tuple(rows[i : i + CHUNK])) for i in range(0, ROWS, CHUNK)]

    def start() -> tuple[tuple[Store], dict[str, Any]]:
        return (fresh(tmp_path / "db", searched="search" in way),), {}

    def work(store: Store) -> None:
        if ready:
            table = "count_values" if kind == "complaint_counts" else kind
            store.conn.execute("PRAGMA foreign_keys=OFF")
            sql = f"INSERT INTO {table} VALUES ({','.join('?' * len(ready[0]))})"
            for i in range(0, ROWS, CHUNK):
                with store.transaction() as conn:
                    conn.executemany(sql, ready[i : i + CHUNK])
        else:
            for batch in batches:
                save_batch(store, batch, NOW)
        store.conn.close()

    benchmark.pedantic(work, setup=start, rounds=5)
    size = (tmp_path / "db" / "x.db").stat().st_size
    # every byte is written twice, to the log and to its place; every transaction waits for the disk
    benchmark.extra_info.update(bytes=round(size / ROWS), moved=2 * size, fsyncs=len(batches))


@pytest.mark.parametrize("days", [7, 28])
def test_a_tick_by_length_of_history(benchmark: Any, tmp_path: Path, days: int) -> None:
    benchmark.group = "one new bin of 100 series, the detect stage, by days of history"
    benchmark.extra_info.update(way=f"{days} days", of="7 days", rows=100)
    detector = make_detector(load_config(None))
    with Store(tmp_path / "x.db", durable=False) as store:
        columns = (
            "service",
            "source",
            "region",
            "indicator",
            "start",
            "interval_s",
            "total",
            "baseline",
            "window",
            "collected",
        )
        bins, dice = days * 288, np.random.default_rng(7)
        stamps = [iso(NOW - timedelta(minutes=5 * (bins - n))) for n in range(bins)]
        for s in range(100):
            put_rows(
                store,
                "complaint_counts",
                columns,
                [
                    (f"s{s:03d}", "x", "", "", t, 300, int(v), None, "interval", t)
                    for t, v in zip(stamps, dice.poisson(5, bins), strict=True)
                ],
            )
        run_detect(store, detector, (), NOW)
        now = [NOW]

        def start() -> tuple[tuple[()], dict[str, Any]]:
            at, now[0] = now[0], now[0] + timedelta(minutes=5)
            put_rows(
                store,
                "complaint_counts",
                columns,
                [(f"s{s:03d}", "x", "", "", iso(at), 300, 5, None, "interval", iso(now[0])) for s in range(100)],
            )
            return (), {}

        benchmark.pedantic(lambda: run_detect(store, detector, (), now[0]), setup=start, rounds=30, warmup_rounds=2)


@pytest.mark.parametrize("way", ["python -c pass", "groundswell --help", "groundswell run, nothing new"])
def test_a_process(benchmark: Any, tmp_path: Path, way: str) -> None:
    benchmark.group = "a whole process"
    benchmark.extra_info.update(way=way, of="python -c pass")
    (tmp_path / "groundswell.toml").write_text(f'watch = ["claude"]\n[sources]\n{SILENT}')
    code = {"python -c pass": ["-c", "pass"], "groundswell --help": ["-m", "pipeline", "--help"]}.get(
        way, ["-m", "pipeline", "run", "--quiet"]
    )

    def work() -> None:
        subprocess.run(
            [sys.executable, *code],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=True,
            stdout=subprocess.DEVNULL,
        )

    benchmark.pedantic(work, rounds=5, warmup_rounds=1)


@pytest.mark.parametrize("way", ["SQLite", "DuckDB over Parquet"])
@pytest.mark.parametrize("view", ["complaints_by_hour", "incident_overview", "alarms"])
def test_views(benchmark: Any, tmp_path_factory: pytest.TempPathFactory, way: str, view: str) -> None:
    demo = ROOT / "out" / "demo" / "groundswell.db"
    if not demo.exists():
        pytest.skip("needs the demo's database: make demo")
    from pipeline.scale.duckdb_views import open_parquet
    from pipeline.scale.transfer import export_tables

    benchmark.group = f"view {view}, the demo's database"
    benchmark.extra_info.update(way=way, of="SQLite")
    with Store(demo, views=DASHBOARDS / "views.sql") as store:
        if way == "SQLite":
            benchmark(lambda: store.rows(f"SELECT * FROM {view}"))
            return
        folder = tmp_path_factory.mktemp("parquet")
        export_tables(store, folder)
    with open_parquet(folder) as duck:
        benchmark(lambda: duck.execute(f"SELECT * FROM {view}").fetchall())


def write_batches(path: Path, first: int, number: int, ready: Any) -> None:
    """Write counts, a hundred a transaction, waiting for the disk each time: what one of several writers does."""
    with Store(path) as store:
        ready.wait()
        for n in range(0, number, 100):
            rows = [
                ComplaintCount(
                    service=f"s{first}",
                    source="x",
                    region="",
                    indicator="",
                    start=NOW + timedelta(minutes=n + i),
                    interval_s=60,
                    total=i,
                    collected=NOW,
                )
                for i in range(100)
            ]
            save_batch(store, Batch(source="x", rows=tuple(rows)), NOW)


@pytest.mark.parametrize("writers", [1, 8])
def test_writers_at_once(benchmark: Any, tmp_path: Path, writers: int) -> None:
    benchmark.group = "16000 rows in transactions of a hundred, each waiting for the disk"
    benchmark.extra_info.update(
        way=f"{writers} writers at once" if writers > 1 else "one writer", of="one writer", rows=16_000, fsyncs=160
    )
    spawn, rounds = multiprocessing.get_context("spawn"), iter(range(9))

    def begin() -> tuple[tuple[Any, list[Any]], dict[str, Any]]:
        path, ready = tmp_path / f"{next(rounds)}.db", spawn.Barrier(writers + 1)
        Store(path).conn.close()
        jobs = [spawn.Process(target=write_batches, args=(path, n, 16_000 // writers, ready)) for n in range(writers)]
        for job in jobs:
            job.start()
        return (ready, jobs), {}

    def work(ready: Any, jobs: list[Any]) -> None:
        ready.wait()
        for job in jobs:
            job.join()
            assert job.exitcode == 0

    benchmark.pedantic(work, setup=begin, rounds=3)


def makespan(lengths: list[float], reads: int, workers: int) -> float:
    """Return how long tasks take when each goes to the first free worker; judging waits until all is read."""
    total = 0.0
    for phase in (lengths[:reads], lengths[reads:]):
        free = [0.0] * workers
        for length in phase:
            heapq.heapreplace(free, free[0] + length)
        total += max(free)
    return total


@pytest.mark.parametrize("way", ["one process", "two workers on Dask, without the cluster's start"])
def test_backfill(benchmark: Any, tmp_path_factory: pytest.TempPathFactory, way: str) -> None:
    """Posts and counts by BENCH_POSTS and BENCH_SERIES: a million and 500 series of 90 days take nine minutes."""
    from pipeline.commands.backfill import _job
    from pipeline.commands.common import Setting
    from pipeline.scale.engines import Local, OnDask
    from pipeline.scale.inputs import parts_of
    from tests.benchmarks.archives import write_counts, write_posts

    posts, series = int(os.environ.get("BENCH_POSTS", "100000")), int(os.environ.get("BENCH_SERIES", "100"))
    folder = tmp_path_factory.getbasetemp() / "archives"
    if not folder.exists():
        folder.mkdir()
        write_posts(folder / "posts.ndjson", posts)
        write_counts(folder / "counts.parquet", series)
    benchmark.group = f"backfill of {posts} posts and {series} series of 90 days"
    benchmark.extra_info.update(way=way, of="one process")
    setting = Setting(
        config=load_config(None), config_path=None, db=folder / "x.db", now=datetime(2026, 3, 5, tzinfo=UTC)
    )
    job = replace(_job(setting, tmp_path_factory.mktemp("out"), True), new_services=True)
    parts = [
        *parts_of(
            "posts", [str(folder / "posts.ndjson")], "b", max(1 << 20, (folder / "posts.ndjson").stat().st_size // 8)
        ),
        *parts_of("counts", [str(folder / "counts.parquet")], "b"),
    ]
    if way == "one process":
        used, marks = time.process_time(), [time.perf_counter()]
        benchmark.pedantic(
            lambda: Local().run(parts, job, lambda done, total: marks.append(time.perf_counter())), rounds=1
        )
        written = sum(path.stat().st_size for path in Path(job.root).rglob("*.parquet")) >> 20
        lengths = np.diff(marks).tolist()
        alone = makespan(lengths, len(parts), 1)
        curve = ", ".join(f"{n}: {alone / makespan(lengths, len(parts), n):.1f} x" for n in (2, 4, 8, 16, 32))
        benchmark.extra_info["note"] = (
            f"{time.process_time() - used:.0f} CPU seconds, {written} MB of Parquet; "
            "simulated from its tasks' lengths, without what moving "
            f"and waiting cost, so many workers would be {curve} as fast"
        )
        return
    engine, begun = OnDask(workers=2, tell=lambda line: None), time.perf_counter()
    with engine.client() as client:
        client.wait_for_workers(2)
        began, used = time.perf_counter() - begun, time.process_time()
        benchmark.pedantic(lambda: engine.run_on(client, parts, job, lambda done, total: None), rounds=1)
        costs = client.run(lambda: resource.getrusage(resource.RUSAGE_SELF)).values()
        benchmark.extra_info["note"] = (
            f"{' and '.join(f'{cost.ru_utime + cost.ru_stime:.0f}' for cost in costs)} CPU seconds of the workers, "
            f"{time.process_time() - used:.1f} of the process that started them in {began:.1f} s; "
            f"{max(cost.ru_maxrss for cost in costs) >> 10} MB a worker at most"
        )
