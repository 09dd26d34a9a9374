"""Detectors on days that are no outage: seasons, holidays, changed clocks, shifts of level, counters that restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from detectors.benchmark.metrics import episodes
from detectors.contract import Floats
from detectors.count_kinds import CountKind
from pipeline.evaluation.contenders import Contender, contenders

BIN_S, BINS_A_DAY = 900, 96
WEEKS, SCORED_FROM_DAY, BROKEN_DAY = 7, 15, 44
LEVELS = (5.0, 50.0)  # mean a bin by day
ZONE = "Europe/Berlin"
WINTER, SPRING, AUTUMN = "2026-01-05", "2026-03-02", "2026-09-28"  # Mondays; clocks change on day 27


class Clock(NamedTuple):
    """What the wall clock says in each bin, arrays of shape (bins,): hour and its part, day of the series, weekend."""

    hour: Floats
    day: Floats
    weekend: Floats


class OrdinaryDays(NamedTuple):
    """A situation: its first day and what it makes of a level of 1 a bin; `counts` makes a counter's oddities."""

    name: str
    start: str
    mean: Callable[[Clock], Floats]
    counts: Callable[[Floats, np.random.Generator], Floats] | None = None


def smooth(at: Clock) -> Floats:
    """Return a day that rises and falls, and a weekend of half of it."""
    wave: Floats = (1.0 + 0.8 * np.sin((at.hour - 8) / 12 * np.pi)) * np.where(at.weekend, 0.5, 1.0)
    return wave


def office(at: Clock) -> Floats:
    """Return office hours from 8 to 18 on workdays, a twentieth else."""
    return np.where((at.hour >= 8) & (at.hour < 18) & (at.weekend == 0), 1.0, 0.05)


def _on(days: range, factor: float, usual: Callable[[Clock], Floats] = smooth) -> Callable[[Clock], Floats]:
    return lambda at: usual(at) * np.where((at.day >= days.start) & (at.day < days.stop), factor, 1.0)


def _growing(at: Clock) -> Floats:
    return smooth(at) * (1.0 + np.clip((at.day - 18) / 14, 0.0, 1.0))


def _restarted(counts: Floats, rng: np.random.Generator) -> Floats:
    """Return the differences of a counter that restarts in one bin of two hundred: what came before it is lost."""
    return np.where(rng.random(len(counts)) < 0.005, np.floor(counts * rng.random(len(counts))), counts)


def _missed(counts: Floats, rng: np.random.Generator) -> Floats:
    """Return counts of which one in two hundred was not observed, and a day not at all."""
    found = np.where(rng.random(len(counts)) < 0.005, np.nan, counts)
    found[25 * BINS_A_DAY : 26 * BINS_A_DAY] = np.nan
    return found


def _dead(counts: Floats, rng: np.random.Generator) -> Floats:
    """Return counts of which six hours are zeros of a collector that died."""
    found = counts.copy()
    found[25 * BINS_A_DAY + 32 : 25 * BINS_A_DAY + 56] = 0.0
    return found


END = 7 * WEEKS
SITUATIONS = (
    OrdinaryDays("a smooth day, weekends of half", WINTER, smooth),
    OrdinaryDays("office hours with sharp edges", WINTER, office),
    OrdinaryDays("office hours, clocks go forward", SPRING, office),
    OrdinaryDays("office hours, clocks go back", AUTUMN, office),
    OrdinaryDays("closed on a Monday", WINTER, _on(range(28, 29), 0.05, office)),
    OrdinaryDays("closed for a week", WINTER, _on(range(21, 28), 0.05, office)),
    OrdinaryDays("a day at a quarter", WINTER, _on(range(24, 25), 0.25)),
    OrdinaryDays("a day at 1.4 times", WINTER, _on(range(24, 25), 1.4)),
    OrdinaryDays("half as many for good", WINTER, _on(range(20, END), 0.5)),
    OrdinaryDays("1.4 times as many for good", WINTER, _on(range(20, END), 1.4)),
    OrdinaryDays("twice as many after two weeks", WINTER, _growing),
    OrdinaryDays("a counter restarts", WINTER, smooth, _restarted),
    OrdinaryDays("bins and a day not observed", WINTER, smooth, _missed),
    OrdinaryDays("six hours of zeros", WINTER, smooth, _dead),
)


class OrdinaryFigures(NamedTuple):
    """Episodes of alarms while nothing was broken, and outages seen of how many."""

    alarms: int
    seen: int
    total: int


def figures(detector: Contender, days: OrdinaryDays, seed: int) -> OrdinaryFigures:
    """Return the figures over all levels; at noon of a day of the last week four times as many come for two hours."""
    alarms = seen = 0
    index = pd.date_range(days.start, periods=7 * WEEKS * BINS_A_DAY, freq=f"{BIN_S}s", tz="UTC")
    local = index.tz_convert(ZONE)
    clock = Clock(
        np.asarray(local.hour + local.minute / 60, dtype=np.float64),
        np.asarray((local.tz_localize(None).floor("D") - pd.Timestamp(days.start)).days, dtype=np.float64),
        np.asarray(local.day_of_week >= 5, dtype=np.float64),
    )
    broken = (clock.day == BROKEN_DAY) & (clock.hour >= 12) & (clock.hour < 14)
    for level in LEVELS:
        rng = np.random.default_rng([seed, int(level)])
        counts = rng.poisson(level * days.mean(clock) * np.where(broken, 4.0, 1.0)).astype(np.float64)
        if days.counts is not None:
            counts = days.counts(counts, rng)
        score = detector.detect(pd.DataFrame({"s": counts}, index=index)).score.to_numpy()[:, 0]
        hot = np.nan_to_num(score) >= detector.alarm
        seen += int(hot[broken].any())
        hot[: SCORED_FROM_DAY * BINS_A_DAY] = False
        hot[int(np.argmax(broken)) : int(np.argmax(broken)) + BINS_A_DAY // 6] = False
        alarms += len(episodes(np.flatnonzero(hot), 2))
    return OrdinaryFigures(alarms, seen, len(LEVELS))


def report(seed: int) -> Iterator[str]:
    """Yield the section, line by line."""
    rivals = contenders(CountKind.REPORTS)
    yield (
        f"days that are no outage, {WEEKS} weeks of quarters of an hour at {' and '.join(f'{x:g}' for x in LEVELS)} a "
        f"bin: episodes of alarms from day {SCORED_FROM_DAY} on; and outages of four times for two hours seen, of all"
    )
    yield f"{'':<32}" + "".join(f"{name.replace(' x median ', 'x'):>17}" for name in rivals)
    sums = dict.fromkeys(rivals, OrdinaryFigures(0, 0, 0))
    for days in SITUATIONS:
        cells = []
        for name, detector in rivals.items():
            one = figures(detector, days, seed)
            sums[name] = OrdinaryFigures(*(a + b for a, b in zip(sums[name], one, strict=True)))
            cells.append(f"{one.alarms:>17}")
        yield f"{days.name:<32}" + "".join(cells)
    yield f"{'all':<32}" + "".join(f"{one.alarms:>17}" for one in sums.values())
    yield f"{'outages seen':<32}" + "".join(f"{f'{one.seen}/{one.total}':>17}" for one in sums.values())
