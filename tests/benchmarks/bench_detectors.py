"""Speed of `seasonal_nb` against what one would use instead, in one run, as ratios; `make bench` prints it.

The naive ratio compares with the same time of earlier weeks, as a few lines of NumPy would; rolling z is a day's mean
and deviation, by pandas for histories and by a ring of NumPy rows for a new bin. Rivals go series by series, as they
are used. Each figure is the best of several interleaved rounds: what the machine can do, not what it was busy with.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from detectors.contract import Floats
from detectors.seasonal.detector import SeasonalNB

WEEK, DAY, ROUNDS = 2016, 288, 5


def counts(series: int, bins: int) -> pd.DataFrame:
    index = pd.date_range("2026-01-05", periods=bins, freq="5min", tz="UTC")
    values = np.random.default_rng(7).poisson(5, (bins, series)).astype(float)
    return pd.DataFrame(values, index=index, columns=[f"s{i}" for i in range(series)])


def naive_ratio(line: Floats) -> Floats:
    weeks = line.reshape(-1, WEEK)
    seen = ~np.isnan(weeks)
    total, many = np.cumsum(np.where(seen, weeks, 0.0), axis=0), np.cumsum(seen, axis=0)
    expected = np.full_like(weeks, np.nan)
    expected[1:] = total[:-1] / np.maximum(many[:-1], 1)
    return ((weeks + 1) / (expected + 1)).ravel() >= 4


def rolling_z(line: Floats) -> Floats:
    series = pd.Series(line)
    window = series.rolling(DAY, min_periods=DAY // 2)
    z = (series - window.mean().shift(1)) / window.std().shift(1).clip(lower=1.0)
    return z.to_numpy() >= 6


def best(jobs: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the least CPU seconds of each job, the jobs taking turns."""
    least = dict.fromkeys(jobs, float("inf"))
    for _ in range(ROUNDS):
        for name, job in jobs.items():
            begin = time.process_time()
            job()
            least[name] = min(least[name], time.process_time() - begin)
    return least


def test_batch() -> None:
    detector = SeasonalNB()
    detector.detect(counts(300, 400), counts(300, 400)).score  # noqa: B018 - loads the compiled scan
    detector.detect(counts(300, 400)).score  # noqa: B018
    for series, bins in ((1000, 4 * WEEK), (1, 40 * WEEK)):
        frame = counts(series, bins)
        talk, lines = frame * 3 + 5, [np.ascontiguousarray(frame[name]) for name in frame.columns]
        seconds = best(
            {
                "naive ratio": lambda lines=lines: [naive_ratio(line) for line in lines],
                "rolling z": lambda lines=lines: [rolling_z(line) for line in lines],
                "seasonal_nb": lambda frame=frame: detector.detect(frame).level,
                "seasonal_nb, talk": lambda frame=frame, talk=talk: detector.detect(frame, talk).level,
            }
        )
        rate = {name: series * bins / spent / 1e6 for name, spent in seconds.items()}
        print(
            f"\nbatch, {series} series x {bins} bins, million bins a second: "
            + ", ".join(f"{name} {value:.1f}" for name, value in rate.items())
        )
        print(
            "  "
            + ", ".join(
                f"{name} : naive ratio {rate[name] / rate['naive ratio']:.2f}, "
                f": rolling z {rate[name] / rate['rolling z']:.2f}"
                for name in ("seasonal_nb", "seasonal_nb, talk")
            )
        )


def test_one_new_bin() -> None:
    frame = counts(1000, 3 * WEEK)
    values, detector = frame.to_numpy(), SeasonalNB()
    alone, both = detector.start(frame.iloc[:WEEK]), detector.start(frame.iloc[:WEEK], frame.iloc[:WEEK] * 3 + 5)
    ring = values[WEEK - DAY : WEEK].copy()
    at = {"rolling z": WEEK, "seasonal_nb": WEEK, "seasonal_nb, talk": WEEK}

    def step(name: str) -> int:
        at[name] += 1
        return at[name] - 1

    def z() -> object:
        i = step("rolling z")
        alarm = (values[i] - ring.mean(axis=0)) / np.maximum(ring.std(axis=0), 1.0) >= 6
        ring[i % DAY] = values[i]
        return alarm

    def one() -> object:
        i = step("seasonal_nb")
        verdict = alone.update(frame.index[i], values[i])
        return verdict.score, verdict.level

    def two() -> object:
        i = step("seasonal_nb, talk")
        verdict = both.update(frame.index[i], values[i], values[i] * 3 + 5)
        return verdict.score, verdict.level

    jobs = {"rolling z": z, "seasonal_nb": one, "seasonal_nb, talk": two}
    spent: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(400):
        for name, job in jobs.items():
            begin = time.process_time()
            job()
            spent[name].append(time.process_time() - begin)
    middle = {name: float(np.median(each)) * 1e3 for name, each in spent.items()}
    print(
        "\none new bin of 1000 series, score and alarm, ms: "
        + ", ".join(f"{name} {ms:.3f}" for name, ms in middle.items())
    )
    print(
        "  "
        + ", ".join(
            f"{name} : rolling z {middle[name] / middle['rolling z']:.2f}" for name in jobs if name != "rolling z"
        )
    )
