"""Reading, judging, a run and a replay, each beside what one would do without: in one run, for docs/speed.md."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from detectors.contract import BinnedCounts, DetectorState
from pipeline.commands.backtest import plan_replay
from pipeline.commands.common import Setting
from pipeline.commands.stage import live_pipeline
from pipeline.config.load import load_config
from pipeline.config.settings import Report
from pipeline.core.series import SeriesColumn
from pipeline.core.times import iso, utc
from pipeline.detection.factory import make_detector
from pipeline.detection.held_states import stored_state
from pipeline.detection.states import IN_PARTS, open_state
from pipeline.notify.channels.file import NoChannel
from pipeline.replay.runner import replay
from pipeline.replay.scenario_sources import load_recorded
from pipeline.sources.archive import read_archive
from pipeline.sources.count_columns import parse_count_columns
from pipeline.sources.counts import parse_counts
from pipeline.stages.pipeline import ALL, Stage, load_models
from pipeline.store import Store
from pipeline.store.detector_state import put_state, state_parts
from pipeline.store.observations import save_batch
from tests.benchmarks.archives import write_posts, write_recording
from tests.conftest import ROOT
from tests.copies import replace

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ROWS, SERIES = 20_000, 4_000


@pytest.mark.parametrize("way", ["pandas.read_csv", "csv.DictReader", "parse_csv, every cell checked"])
def test_reading_counts(benchmark: Any, way: str) -> None:
    benchmark.group = f"{ROWS} counts read from CSV"
    lines = [f"s{i % 50:02d},{iso(NOW - timedelta(minutes=15 * (i // 50)))},900,{i % 17}" for i in range(ROWS)]
    body = "\n".join(["service,start_utc,interval_s,total", *lines]).encode()
    benchmark.extra_info.update(way=way, of="pandas.read_csv", rows=ROWS, moved=len(body))
    ways: dict[str, Callable[[], object]] = {
        "pandas.read_csv": lambda: pd.read_csv(io.BytesIO(body), parse_dates=["start_utc"]),
        "csv.DictReader": lambda: list(csv.DictReader(io.StringIO(body.decode()))),
    }
    benchmark(ways.get(way, lambda: parse_counts(body, source="x", fetched_at=NOW)))


@pytest.mark.parametrize("way", ["pandas.read_csv and to_sql", "import counts, as columns", "import counts, by cells"])
def test_importing_counts(benchmark: Any, tmp_path: Path, way: str) -> None:
    benchmark.group = f"{10 * ROWS} counts from CSV into SQLite"
    lines = [f"s{i % 50:02d},{iso(NOW - timedelta(minutes=15 * (i // 50)))},900,{i % 17}" for i in range(10 * ROWS)]
    body = "\n".join(["service,start_utc,interval_s,total", *lines]).encode()
    benchmark.extra_info.update(way=way, of="pandas.read_csv and to_sql", rows=10 * ROWS, moved=len(body))

    def work(path: Path) -> None:
        if way.startswith("pandas"):
            with closing(sqlite3.connect(path)) as conn:
                pd.read_csv(io.BytesIO(body), parse_dates=["start_utc"]).to_sql("counts", conn, index=False)
                conn.commit()
            return
        parse = parse_count_columns if way.endswith("columns") else parse_counts
        batch = parse(body, source="x", fetched_at=NOW)
        assert batch is not None
        with Store(path) as store:
            save_batch(store, batch, NOW)

    def start() -> tuple[tuple[Path], dict[str, Any]]:
        folder = tmp_path / "db"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return (folder / "x.db",), {}

    benchmark.pedantic(work, setup=start, rounds=3)


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize("way", ["json.loads", "read_archive, every field checked"])
def test_reading_posts(benchmark: Any, tmp_path: Path, way: str) -> None:
    benchmark.group = f"{ROWS} posts read from NDJSON"
    path = tmp_path / "posts.ndjson"
    write_posts(path, ROWS)
    benchmark.extra_info.update(way=way, of="json.loads", rows=ROWS, moved=path.stat().st_size)
    if way == "json.loads":
        benchmark(lambda: [json.loads(line) for line in path.open("rb")])
    else:
        benchmark(
            lambda: sum(len(batch.rows) for batch in read_archive(path, source="reddit", fetched_at=NOW, salt=b"s"))
        )


AT_HAND, STORED = "one bin judged, the state at hand", "the same, the state read from SQLite and written back"


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize("way", [AT_HAND, STORED, "seven days judged anew"])
def test_one_bin_of_many_series(benchmark: Any, tmp_path: Path, way: str) -> None:
    """What the state costs is the difference of the first two, in seconds of CPU."""
    benchmark.group = f"one new bin of {SERIES} series of five minutes"
    benchmark.extra_info.update(way=way, of=AT_HAND)
    starts = np.arange(NOW.timestamp() - 7 * 86400, NOW.timestamp(), 300).astype(np.int64)
    counts = np.random.default_rng(7).poisson(5.0, (len(starts), SERIES)).astype(float)
    detector = make_detector(load_config(None))
    columns = [SeriesColumn(f"s{n}") for n in range(SERIES)]

    def learned() -> DetectorState:
        state = detector.begin(300, columns, talk=False)
        state.extend_arrays(BinnedCounts(starts, counts))
        return state

    if way == "seven days judged anew":
        benchmark.extra_info["moved"] = counts.size * 8
        benchmark.pedantic(learned, rounds=1)
        return
    state, at = learned(), [int(starts[-1])]

    def next_bin() -> tuple[tuple[BinnedCounts], dict[str, Any]]:
        at[0] += 300
        return (BinnedCounts(np.array([at[0]]), counts[:1]),), {}

    if way == AT_HAND:
        benchmark.pedantic(lambda one: state.extend_arrays(one).scores, setup=next_bin, rounds=40, warmup_rounds=2)
        return
    stored = sum(map(len, state.parts(changed_only=False).content.values()))
    benchmark.extra_info["note"] = f"which takes {stored / 1e6:.0f} MB"
    with Store(tmp_path / "x.db", durable=False) as store:

        def put(kept: DetectorState, *, changed_only: bool) -> None:
            stored = stored_state(kept, repr(detector), NOW, changed_only=changed_only)
            with store.transaction() as conn:
                put_state(conn, "s", "now", stored)

        def cycle(one: BinnedCounts) -> None:
            kept = open_state(detector, IN_PARTS, partial(state_parts, store, "s", "now"), list)
            assert kept is not None
            assert len(kept.extend_arrays(one).scores)
            put(kept, changed_only=True)

        put(state, changed_only=False)
        benchmark.pedantic(cycle, setup=next_bin, rounds=40, warmup_rounds=2)


@pytest.mark.parametrize("stage", ["all", "tag", "detect", "explain", "alert", "publish"])
def test_a_quiet_tick_stage_by_stage(benchmark: Any, tmp_path: Path, stage: str) -> None:
    """What a run does after collecting when nothing came, in a process that has done it before."""
    demo = ROOT / "out" / "demo" / "groundswell.db"
    if not demo.exists():
        pytest.skip("needs the demo's database: make demo")
    benchmark.group = "a quiet run on the demo's database, after collecting"
    benchmark.extra_info.update(way=stage, of="all")
    shutil.copy(demo, tmp_path / "x.db")
    config = replace(load_config(None), report=Report(folder=str(tmp_path / "report")))
    now = [utc("2026-03-05T00:10:00Z")]
    with Store(tmp_path / "x.db") as store:
        setting = Setting(config=config, config_path=tmp_path / "groundswell.toml", db=tmp_path / "x.db", now=now[0])
        pipeline = live_pipeline(setting, store)

        def work() -> None:
            now[0] += timedelta(minutes=5)
            pipeline.run(now[0], ALL[1:6] if stage == "all" else (Stage(stage),))

        benchmark.pedantic(work, rounds=8, warmup_rounds=2)


@pytest.mark.parametrize("way", ["every step", "steps with something new, due or open"])
def test_a_backtest_of_counts(benchmark: Any, tmp_path: Path, way: str) -> None:
    """BENCH_YEAR=1: a year of 50 services, an outage in each, only the second way."""
    year = "BENCH_YEAR" in os.environ
    services, days = (50, 365) if year else (10, 35)
    benchmark.group = f"a backtest of {days} days of {services} services in quarters of an hour"
    benchmark.extra_info.update(way=way, of="steps with something new, due or open")
    if year and way == "every step":
        pytest.skip("takes an hour")
    config = load_config(None)
    write_recording(tmp_path / "day", list(config.catalogue)[:services], days, first_run=14)
    setting = Setting(config=config, config_path=None, db=tmp_path / "x.db", now=NOW)
    taken: list[int] = []

    def work() -> None:
        plan = plan_replay(setting, tmp_path / "day", every=way == "every step")
        sources, _ = load_recorded(plan.scenario)
        with Store(tmp_path / "x.db", durable=False) as store:
            replay(
                store,
                plan,
                sources,
                {"file": NoChannel()},
                load_models(),
                lambda done, total: taken.append(done),
            )

    benchmark.pedantic(work, rounds=1)
    benchmark.extra_info["rows"] = services * days * 96
    benchmark.extra_info["note"] = f"{len(taken)} steps"
