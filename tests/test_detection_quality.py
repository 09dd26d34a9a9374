"""The simulator, the evaluation of detectors, and what the default must reach on data unlike its own model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from detectors.benchmark.metrics import episodes, evaluate_detections, tune_threshold
from detectors.benchmark.simulate import Simulation, simulate
from detectors.contract import FIELDS
from detectors.count_kinds import CountKind
from detectors.seasonal import compiled
from detectors.seasonal.compiled import DIGEST, KernelSelector, run_plain
from detectors.seasonal.detector import SeasonalNB
from detectors.seasonal.state import SeasonalState
from tests.command_line import call_main


@pytest.fixture(scope="module")
def world() -> Simulation:
    return simulate(seed=5, series=24, days=28)


def test_simulation_is_the_same_for_the_same_seed_and_has_what_it_says(world: Simulation) -> None:
    again = simulate(seed=5, series=24, days=28)
    pd.testing.assert_frame_equal(world.counts, again.counts)
    pd.testing.assert_frame_equal(world.truth, again.truth)
    assert not simulate(seed=6, series=4, days=7).counts.equals(world.counts.iloc[: 7 * 288, :4])
    assert {"outage", "news", "gap", "zeros"} <= set(world.truth["kind"])
    gaps = world.truth[world.truth["kind"] == "gap"]
    for series, onset, end in gaps[["series", "onset", "end"]].itertuples(index=False):
        assert world.counts[series].iloc[onset:end].drop_duplicates().isin([0.0, np.nan]).all()
    assert (world.mentions.to_numpy() >= world.counts.to_numpy())[~np.isnan(world.counts.to_numpy())].all()
    assert world.level.min() < 0.1 < 100 < world.level.max()


def test_simulated_noise_is_wider_than_poisson_and_the_mean_is_the_mean(world: Simulation) -> None:
    calm = np.ones(world.counts.shape, dtype=bool)
    for place, name in enumerate(world.counts.columns):
        for onset, tail in world.truth.loc[world.truth["series"] == name, ["onset", "tail_end"]].to_numpy():
            calm[max(0, onset - 1) : tail + 24, place] = False
    counts, mean = world.counts.to_numpy(), world.mean.to_numpy()
    busy = calm & ~np.isnan(counts) & (mean > 5)
    assert counts[busy].sum() / mean[busy].sum() == pytest.approx(1.0, rel=0.01)
    assert ((counts[busy] - mean[busy]) ** 2 / mean[busy]).mean() > 1.15


def made(
    scores: dict[int, float], truth: list[tuple[str, int, int, int]], bins: int = 4032
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    line = np.zeros(bins)
    for place, score in scores.items():
        line[place] = score
    rows = [("a", kind, onset, end, tail, 1.0) for kind, onset, end, tail in truth]
    return (
        pd.DataFrame({"a": line}),
        pd.DataFrame(rows, columns=["series", "kind", "onset", "end", "tail_end", "ratio"]),
        pd.Series({"a": 3.0}),
    )


def test_an_evaluation_counts_events_as_one_would_by_hand() -> None:
    scores, truth, level = made(
        {100: 9, 103: 9, 500: 9, 900: 20, 1203: 9, 1210: 9, 2000: 9},
        [
            ("outage", 99, 140, 160),
            ("outage", 890, 899, 920),
            ("outage", 1208, 1250, 1260),
            ("news", 480, 520, 520),
            ("outage", 3000, 3010, 3020),
        ],
    )
    found = evaluate_detections(scores, truth, level, 9.0)
    # 1: found, one bin late. 2: its alarm is in the tail, neither found nor false. 3: found by an episode that began
    # 25 minutes before, which also counts as an episode outside. 4: missed. 500 is news, 2000 nothing at all.
    assert found.outages == 4
    assert found.recall == pytest.approx(2 / 4)
    assert found.causes["news"] == 1
    assert found.causes["noise"] == 2
    assert found.delay == pytest.approx((10 + 15) / 2)
    assert found.missed == (("a", 890), ("a", 3000))
    assert found.by_level[1] == 0.5
    assert np.isnan(found.by_level[0])
    assert found.false_a_week == pytest.approx(3 / 2)
    always = evaluate_detections(scores * 0 + 10, truth, level, 9.0)
    assert always.recall == 0.0, "an alarm that is always on finds nothing"


def test_tuning_takes_the_best_recall_within_the_limit() -> None:
    scores, truth, level = made(
        {100: 30, 700: 12, 900: 5, 1500: 8}, [("outage", 100, 120, 130), ("outage", 900, 930, 940)]
    )
    assert evaluate_detections(scores, truth, level, tune_threshold(scores, truth, level, limit=0.0)).recall == 0.5
    assert evaluate_detections(scores, truth, level, tune_threshold(scores, truth, level, limit=1.0)).recall == 1.0
    assert episodes(np.array([3, 4, 9, 20]), 5) == [(3, 9), (20, 20)]


def test_default_finds_outages_and_leaves_news_alone(world: Simulation) -> None:
    detector = SeasonalNB()
    both = evaluate_detections(
        detector.detect(world.counts, world.mentions).score, world.truth, world.level, detector.alarm, first=7 * 288
    )
    alone = evaluate_detections(
        SeasonalNB(kind=CountKind.TALK).detect(world.counts).score,
        world.truth,
        world.level,
        detector.alarm,
        first=7 * 288,
    )
    assert both.recall >= 0.78  # of 77: the standard error is 0.04
    assert both.precision >= 0.85
    assert both.false_a_week <= 0.2
    assert alone.recall >= 0.7
    blind = SeasonalNB(talk_weight=0.0)
    unaware = evaluate_detections(
        blind.detect(world.counts, world.mentions).score, world.truth, world.level, blind.alarm, first=7 * 288
    )
    assert unaware.causes["news"] > 3 * max(1, both.causes["news"])


def test_the_compiled_step_gives_the_figures_of_the_plain_one(world: Simulation) -> None:
    pytest.importorskip("numba", reason="numba is not installed")
    counts, mentions = world.counts.iloc[:1500, 4:10], world.mentions.iloc[:1500, 4:10]
    for talk in (mentions, None):
        results = []
        for worth in (10**9, 0):
            kernels = KernelSelector(worth_loading=worth, worth_compiling=worth)
            state = SeasonalState(SeasonalNB(), 300, list(counts.columns), talk=talk is not None, kernels=kernels)
            results.append((state.extend(counts, talk), state.rows))
        (plain, plain_rows), (compiled, compiled_rows) = results
        for field in FIELDS:
            pd.testing.assert_frame_equal(getattr(plain, field), getattr(compiled, field), check_exact=True)
        assert np.nanmax(plain.score.to_numpy()) > 20, "an outage was among them"
        np.testing.assert_array_equal(plain_rows, compiled_rows)


def test_what_was_never_compiled_waits_for_many_counts_and_is_loaded_for_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numba = pytest.importorskip("numba", reason="numba is not installed")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiled, "KEPT_IN", tmp_path)
    kernels = KernelSelector(worth_loading=100, worth_compiling=250)
    assert kernels.choose(99) is run_plain
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "numba", None)  # an import would fail, and it would never be tried again
        assert kernels.choose(200) is run_plain, "nothing lies on disk"
    assert kernels.choose(99) is run_plain, "small calls are not worth compiling for"
    assert kernels.choose(100) is not run_plain, "300 by now"
    assert kernels.choose(1) is not run_plain, "and from then on"
    (place,) = tmp_path.iterdir()
    monkeypatch.setattr(compiled, "KEPT_IN", place)
    (place / f"kernel.run_{DIGEST}-1.py{sys.version_info[0]}{sys.version_info[1]}.nbi").touch()
    assert KernelSelector(worth_loading=100, worth_compiling=10**9).choose(100) is not run_plain
    few = KernelSelector(worth_loading=100, worth_compiling=10**9)
    assert [few.choose(40) is run_plain for _ in range(3)] == [True, True, False], "120 by now, of small calls"


@pytest.mark.slow
def test_compiling_ahead_keeps_the_kernel_on_disk(tmp_path: Path) -> None:
    pytest.importorskip("numba", reason="numba is not installed")
    command = [sys.executable, "-m", "detectors.seasonal.compile_ahead"]
    subprocess.run(command, check=True, env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)})
    index, *machine_code = sorted(
        tmp_path.rglob(f"kernel.run_{DIGEST}-*.nb?"), key=lambda path: path.suffix, reverse=True
    )
    assert index.suffix == ".nbi"
    assert len(machine_code) == 1, "one kind of arguments serves every call"


def test_zeros_of_a_dead_collector_teach_nothing() -> None:
    index = pd.date_range("2026-02-02", periods=14 * 288, freq="5min", tz="UTC")
    counts = pd.DataFrame({"s": np.random.default_rng(3).poisson(6, len(index)).astype(float)}, index=index)
    dead = counts.copy()
    dead.iloc[3000:3060] = 0.0
    verdicts = SeasonalNB().detect(dead)
    assert (verdicts.level.iloc[3000:] == 0).to_numpy().all(), "the return of the reports is no outage"
    usual = SeasonalNB().detect(counts).expected["s"].iloc[3060:3084].mean()
    assert verdicts.expected["s"].iloc[3060:3084].mean() == pytest.approx(usual, rel=0.15)


@pytest.mark.parametrize("freq", ["1min", "20min", "1h", "6h", "1D"])
def test_any_bin_width_learns_its_week_and_finds_a_jump(freq: str) -> None:
    days = 21 if freq == "1min" else 30 if freq == "20min" else 90
    index = pd.date_range("2026-01-01", periods=int(pd.Timedelta(days=days) / pd.Timedelta(freq)), freq=freq, tz="UTC")
    weekend = np.asarray(index.day_of_week) >= 5
    # the services whose reports were looked at had 0.9 to 2.1 times as many on workdays as at weekends
    mean = np.where(weekend, 6.0, 12.0)
    counts = pd.DataFrame({"s": np.random.default_rng(8).poisson(mean).astype(float)}, index=index)
    counts.iloc[-1] = 400.0
    verdicts = SeasonalNB().detect(counts)
    assert verdicts.level["s"].iloc[-1] == 2
    assert verdicts.level["s"].iloc[len(index) // 3 : -1].mean() < 0.002
    late = slice(2 * len(index) // 3, -1)
    expected = verdicts.expected["s"].to_numpy()[late]
    assert expected[weekend[late]].mean() < 0.75 * expected[~weekend[late]].mean()


@pytest.mark.parametrize("mean", [0.5, 20.0, 500.0, 1e6])
@pytest.mark.parametrize("talk", [True, False])
def test_a_new_series_is_judged_within_two_hours_and_does_not_alarm_for_being_new(mean: float, talk: bool) -> None:
    index = pd.date_range("2026-03-01", periods=600, freq="5min", tz="UTC")
    counts = pd.DataFrame(np.random.default_rng(0).poisson(mean, (600, 8)).astype(float), index=index)
    verdicts = SeasonalNB().detect(counts, counts * 4 if talk else None)
    assert verdicts.score.iloc[24:].notna().all().all()
    assert (verdicts.level == 0).to_numpy().all()
    broken = counts.copy()
    broken.iloc[36:60] = broken.iloc[36:60] * 20 + 20
    assert (SeasonalNB().detect(broken, broken + counts * 3 if talk else None).level.iloc[36:42] > 0).any().all()


def test_the_first_bin_after_a_gap_is_not_surer_for_the_gap() -> None:
    index = pd.date_range("2026-03-01", periods=864, freq="5min", tz="UTC")
    counts = pd.DataFrame({"a": np.random.default_rng(1).poisson(3, 864).astype(float)}, index=index)
    counts.iloc[-13:-1] = np.nan
    counts.iloc[-1] = 0
    bound = SeasonalNB().detect(counts).upperbound.iloc[-1, 0]
    for count, level in ((bound - 1, 0), (bound, 1)):
        counts.iloc[-1] = count
        assert int(SeasonalNB().detect(counts).level.iloc[-1, 0] >= 1) == level


def test_widening_changes_nothing_for_those_that_were_there() -> None:
    index = pd.date_range("2026-03-01", periods=900, freq="5min", tz="UTC")
    counts = pd.DataFrame(np.random.default_rng(1).poisson(3, (900, 2)).astype(float), index=index, columns=["a", "b"])
    whole = SeasonalNB().detect(counts)
    for silent in (True, False):
        wide = SeasonalNB().start(counts.iloc[:724]).with_series(["n", "a", "b"], silent=silent)
        rest = counts.iloc[724:].assign(n=1.0)[["n", "a", "b"]]
        pd.testing.assert_frame_equal(wide.extend(rest).score[["a", "b"]], whole.score.iloc[724:], check_freq=False)


@pytest.mark.slow
def test_a_million_bins_and_thirty_thousand_series() -> None:
    rng = np.random.default_rng(1)
    long = pd.DataFrame(
        {"s": rng.poisson(3, 1_000_000).astype(float)},
        index=pd.date_range("2017-01-01", periods=1_000_000, freq="5min", tz="UTC"),
    )
    long.iloc[-5:] = 200.0
    verdicts = SeasonalNB().detect(long)
    assert verdicts.level["s"].iloc[-5] == 2
    assert verdicts.level["s"].iloc[:-5].mean() < 1e-4
    wide = pd.DataFrame(
        rng.poisson(2, (300, 30_000)).astype(float),
        index=pd.date_range("2026-01-01", periods=300, freq="15min", tz="UTC"),
    )
    wide.iloc[-1, 7] = 300.0
    verdicts = SeasonalNB().detect(wide)
    assert verdicts.level.iloc[-1, 7] == 2
    assert (verdicts.level.iloc[-1].drop(7) == 0).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("bins", [1, 3, 300])
def test_extremes_give_no_silent_nan_and_no_warning(bins: int) -> None:
    index = pd.date_range("2026-03-07", periods=bins, freq="15min", tz="UTC")
    columns = {
        "nan": np.full(bins, np.nan),
        "zero": np.zeros(bins),
        "same": np.full(bins, 5.0),
        "vast": np.full(bins, 2.0**53),
    }
    columns["late"] = np.where(np.arange(bins) < bins // 2, np.nan, 2.0**52)
    counts = pd.DataFrame(columns, index=index)
    verdicts = SeasonalNB().detect(counts, counts)
    for field in FIELDS:
        frame = getattr(verdicts, field)
        if field not in ("observed", "score", "p"):
            assert np.isfinite(frame.to_numpy(dtype=float)).all(), field
    assert verdicts.score["nan"].isna().all()
    assert (verdicts.level.to_numpy() == 0).all() or bins == 300


def test_an_evaluation_as_json_has_the_lines_of_each_section(tmp_path: Path) -> None:
    done = call_main(("evaluate", "recorded", "leads", "--json"), tmp_path, {"EVAL_DATA": ""})
    skipped = ["skipped: EVAL_DATA is not set"]
    assert json.loads(done.stdout) == {"schema": 1, "sections": {"recorded": skipped, "leads": skipped}}
