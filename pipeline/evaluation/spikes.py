"""Spikes of real complaint counters that nobody has labelled, found in retrospect: a relative measure of detectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from detectors.benchmark.metrics import episodes
from detectors.contract import Floats
from pipeline.evaluation.contenders import Contender

AROUND_DAYS = 14
# a spike is so many times what is usual and so much more, and no fewer than that; an alarm is of one from less on
SPIKE, LIKE_ONE = (15.0, 5.0, 10.0), (8.0, 3.0, 5.0)


class SpikeFigures(NamedTuple):
    """Spikes met of how many, alarms a week, and the share of alarms that are of something like a spike."""

    met: int
    total: int
    alarms_a_week: float
    of_spikes: float


def usual_counts(counts: pd.DataFrame) -> Floats:
    """Return the median of each bin's hour of the day over the days before and after it; the future is known."""
    stamps = pd.DatetimeIndex(counts.index)
    hours = pd.Series(counts.to_numpy()[:, 0], index=stamps)
    by_day = hours.groupby([stamps.floor("D"), stamps.hour]).apply(list).unstack()
    by_day = by_day.reindex(pd.date_range(by_day.index.min(), by_day.index.max(), freq="D", tz="UTC"))
    usual: dict[tuple[object, object], float] = {}
    for hour in by_day.columns:
        lists = [held if isinstance(held, list) else [] for held in by_day[hour]]
        for place, day in enumerate(by_day.index):
            near = [x for held in lists[max(0, place - AROUND_DAYS) : place + AROUND_DAYS + 1] for x in held if x == x]
            usual[day, hour] = float(np.median(near)) if near else float("nan")
    return np.array([usual[stamp.floor("D"), stamp.hour] for stamp in stamps])


def spike_figures(series: Sequence[pd.DataFrame], usual: Sequence[Floats], detector: Contender) -> SpikeFigures:
    """Return the figures of a detector at its own threshold over series of 20-minute counts."""
    met = total = alarms = of_spikes = 0
    weeks = 0.0
    for counts, reference in zip(series, usual, strict=True):
        values = np.nan_to_num(counts.to_numpy()[:, 0])
        hot = np.nan_to_num(detector.detect(counts).score.to_numpy()[:, 0]) >= detector.alarm
        found = episodes(np.flatnonzero(hot), 2)
        spikes = episodes(np.flatnonzero(_above(values, reference, SPIKE)), 3)
        like_one = _above(values, reference, LIKE_ONE)
        met += sum(any(a - 1 <= last and b + 1 >= first for a, b in found) for first, last in spikes)
        total += len(spikes)
        alarms += len(found)
        of_spikes += sum(bool(like_one[a : b + 1].any()) for a, b in found)
        weeks += float(counts.notna().to_numpy().sum()) / (7 * 72)
    return SpikeFigures(met, total, alarms / weeks, of_spikes / max(1, alarms))


def _above(values: Floats, usual: Floats, bound: tuple[float, float, float]) -> npt.NDArray[np.bool_]:
    least, factor, extra = bound
    return np.asarray(values >= np.fmax(least, factor * usual + extra))
