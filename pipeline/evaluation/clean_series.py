"""Detectors on clean Poisson counts of every width: rises of two to four times, second outages, and steps that stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from detectors.contract import Floats
from detectors.count_kinds import CountKind
from pipeline.evaluation.contenders import Contender, contenders

WIDTHS = {300: 28, 900: 28, 3600: 42, 86400: 150}  # seconds a bin, and days of history
LEVELS = (12.0, 50.0, 200.0)  # mean a bin
LONG_HOURS = 18.0


def usual(rng: np.random.Generator, bin_s: int, days: int, level: float) -> tuple[pd.DatetimeIndex, Floats]:
    """Return bins, and the mean of each: busier by day, where bins are narrower, and quieter at weekends."""
    index = pd.date_range("2026-01-05", periods=days * 86400 // bin_s, freq=f"{bin_s}s", tz="UTC")
    hours = np.asarray(index.hour + index.minute / 60)
    wave = 1.0 + (0.6 * np.sin((hours - 9) / 24 * 2 * np.pi) if bin_s < 86400 else 0.0 * hours)
    weekend = np.asarray(index.day_of_week) >= 5
    return index, level * wave * np.where(weekend, 0.5 + 0.2 * rng.random(), 1.0)


class Rises(NamedTuple):
    """Rises seen of those there were, and bins alarmed outside of them."""

    seen: int
    total: int
    false: int


def rises(detector: Contender, factor: float, seed: int) -> Rises:
    """Raise clean counts of each width and level for an hour (or one bin, where that is more) on one of the last days.

    The first half of each series is not scored.
    """
    seen = total = false = 0
    for bin_s, days in WIDTHS.items():
        for level in LEVELS:
            rng = np.random.default_rng([seed, bin_s, int(level)])
            index, mean = usual(rng, bin_s, days, level)
            day = 86400 // bin_s
            # a workday at noon
            at = (days - 9 - (days - 9) % 7 + 2) * day + day // 2
            last = at + max(1, 3600 // bin_s)
            mean[at:last] *= factor
            frame = pd.DataFrame({"s": rng.poisson(mean).astype(float)}, index=index)
            hot = np.nan_to_num(detector.detect(frame).score.to_numpy()[:, 0]) >= detector.alarm
            seen += int(hot[at:last].any())
            hot[at : last + max(1, 3600 // bin_s)] = False
            false += int(hot[len(hot) // 2 :].sum())
            total += 1
    return Rises(seen, total, false)


@dataclass(frozen=True, slots=True, kw_only=True)
class LongOutage:
    """A long outage on flat or daily counts, and a shorter one that comes a day after its end."""

    bin_s: int
    level: float
    factor: float
    hours: float

    def counts(self, seed: int) -> tuple[pd.DataFrame, int, int, int]:
        """Return the counts and the bins in which the first begins and ends and the second begins."""
        rng = np.random.default_rng([seed, self.bin_s, int(self.level * 10), int(self.factor), int(self.hours)])
        index, mean = usual(rng, self.bin_s, 28 + int(self.hours // 24), self.level)
        hour = 3600 // self.bin_s
        first = 21 * 24 * hour + 9 * hour
        end = first + int(self.hours * hour)
        second = end + 24 * hour
        mean[first:end] *= self.factor
        mean[second : second + 2 * hour] *= self.factor
        return pd.DataFrame({"s": rng.poisson(mean).astype(float)}, index=index), first, end, second


SECOND = [  # the second outage is as high as the first and lasts two hours
    LongOutage(bin_s=bin_s, level=12.0, factor=factor, hours=LONG_HOURS)
    for bin_s in (300, 900)
    for factor in (4.0, 12.0)
]
LASTING = [
    LongOutage(bin_s=300, level=level, factor=factor, hours=hours)
    for level in (2.0, 20.0)
    for factor, hours in ((4.0, 24.0), (10.0, 24.0), (30.0, 24.0), (10.0, 72.0))
]


class AfterLong(NamedTuple):
    """What became of long outages: second ones seen, the ends' errors in minutes, the baselines' shares moved."""

    seen: int
    total: int
    late: list[float]
    moved: list[float]


def after_long(detector: Contender, outages: list[LongOutage], seed: int) -> AfterLong:
    """Return how a detector does on them."""
    seen = 0
    late: list[float] = []
    moved: list[float] = []
    for outage in outages:
        frame, first, end, second = outage.counts(seed)
        hour = 3600 // outage.bin_s
        verdicts = detector.detect(frame)
        hot = np.nan_to_num(verdicts.score.to_numpy()[:, 0]) >= detector.alarm
        seen += int(hot[second : second + 2 * hour].any() and not hot[second - hour : second].any())
        alarmed = np.flatnonzero(hot[first : end + 12 * hour])
        late.append((float(alarmed[-1]) + first + 1 - end) * outage.bin_s / 60 if len(alarmed) else float("nan"))
        expected = verdicts.expected.to_numpy()[:, 0]
        calm = frame.copy()
        rng = np.random.default_rng([seed, 1])
        _, mean = usual(
            np.random.default_rng([seed, outage.bin_s, int(outage.level * 10), int(outage.factor), int(outage.hours)]),
            outage.bin_s,
            28 + int(outage.hours // 24),
            outage.level,
        )
        calm.iloc[first:end, 0] = rng.poisson(mean[first:end])
        normal = detector.detect(calm).expected.to_numpy()[:, 0]
        moved.append(
            float(expected[end + hour : end + 25 * hour].sum() / normal[end + hour : end + 25 * hour].sum()) - 1
        )
    return AfterLong(seen, len(outages), late, moved)


def step_hours(detector: Contender, level: float, factor: float, seed: int) -> float:
    """Return how many hours after a permanent step the last alarm ends, NaN where there was none."""
    rng = np.random.default_rng([seed, int(level * 10), int(factor * 10)])
    index, mean = usual(rng, 300, 30, level)
    at = 21 * 288 + 100
    mean[at:] *= factor
    frame = pd.DataFrame({"s": rng.poisson(mean).astype(float)}, index=index)
    hot = np.flatnonzero(np.nan_to_num(detector.detect(frame).score.to_numpy()[at:, 0]) >= detector.alarm)
    return float(hot[-1] + 1) / 12 if len(hot) else float("nan")


def report(seed: int) -> Iterator[str]:
    """Yield the section, line by line."""
    yield (
        "clean Poisson counts of 5 min, 15 min, 1 h and 1 day a bin, levels of 12, 50 and 200: rises of an hour (or a "
        "bin) seen, and bins alarmed outside; second outages a day after one of 18 h, and of one to three days"
    )
    header = f"{'detector, own threshold':<34}{'2x':>8}{'3x':>8}{'4x':>8}{'false':>7}{'second':>8}{'lasting':>9}"
    yield header + "  end, moved (18 h)"
    for name, detector in contenders(CountKind.REPORTS).items():
        found = [rises(detector, factor, seed) for factor in (2.0, 3.0, 4.0)]
        second, lasting = after_long(detector, SECOND, seed), after_long(detector, LASTING, seed)
        shares = "".join(f"{f'{one.seen}/{one.total}':>8}" for one in found)
        yield (
            f"{name + f' ({detector.alarm:g})':<34}{shares}{sum(one.false for one in found):>7}"
            f"{f'{second.seen}/{second.total}':>8}{f'{lasting.seen}/{lasting.total}':>9}  "
            f"{np.nanmax(np.abs(second.late)) if np.isfinite(second.late).any() else float('nan'):.0f} min, "
            f"{max(map(abs, second.moved)):.2f}"
        )
    ours = contenders(CountKind.REPORTS)["seasonal_nb"]
    hours = [step_hours(ours, level, factor, seed) for level in (2.0, 20.0) for factor in (2.0, 4.0, 10.0)]
    yield "seasonal_nb, hours until a permanent step (2, 4, 10 times, at 2 and at 20 a bin) is normal: " + ", ".join(
        "never alarmed" if np.isnan(one) else f"{one:.0f}" for one in hours
    )
