"""How good is a detector? Frames of scores and the truth in, figures out: events, not points, are counted.

Alarm bins at most half an hour apart are one episode. An outage is found when an alarm lies between its onset and its
end in an episode that began no earlier than half an hour before the onset, so that an alarm that is always on finds
nothing. An episode that starts outside every outage and its visible tail is a false alarm. Thresholds are chosen on
one half of the series and reported on the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from detectors.contract import Floats

CAUSES = ("news", "surge", "holiday", "zeros", "gap")
LEVELS = (0.0, 0.5, 5.0, 50.0, np.inf)


class MissedOutage(NamedTuple):
    """An outage without an alarm: its series and the bin of its onset."""

    series: str
    onset: int


class FalseAlarm(NamedTuple):
    """An episode of alarms outside every outage: its series, first bin, what went on then, and its highest score."""

    series: str
    start: int
    cause: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What an evaluation says at one threshold.

    recall, precision, within_30: shares; delays in minutes from the onset to the end of the first alarm bin;
    false_a_week: false alarms a series-week, and by what went on when they began; by_level: recall of outages of
    series with a mean below 0.5, 5, 50 and above; false: highest score first. NaN = nothing to count.
    """

    threshold: float
    outages: int
    weeks: float
    recall: float
    precision: float
    within_30: float
    delay: float
    delay_p90: float
    false_a_week: float
    causes: dict[str, int]
    by_level: tuple[float, ...]
    missed: tuple[MissedOutage, ...]
    false: tuple[FalseAlarm, ...]


def episodes(alarms: npt.NDArray[np.int64], join: int) -> list[tuple[int, int]]:
    """Return (first, last) of runs of alarm bins, given in order, that are at most `join` bins apart."""
    if not len(alarms):
        return []
    cuts = np.flatnonzero(np.diff(alarms) > join)
    firsts, lasts = np.concatenate(([0], cuts + 1)), np.concatenate((cuts, [len(alarms) - 1]))
    return [(int(alarms[a]), int(alarms[b])) for a, b in zip(firsts, lasts, strict=True)]


def evaluate_detections(
    scores: pd.DataFrame,
    truth: pd.DataFrame,
    level: pd.Series,
    threshold: float,
    *,
    first: int = 0,
    minutes: float = 5.0,
) -> Figures:
    """Hold scores (bins, series; NaN = unknown) at a threshold against the truth of `simulate`, from bin `first` on.

    Outages that begin before `first` or were half hidden (`unseen`) neither count nor make an alarm false.
    """
    values = scores.to_numpy()
    half_hour = max(1, round(30 / minutes))
    delays: list[float] = []
    found_by_level: list[tuple[float, bool]] = []
    causes = dict.fromkeys(("noise", *CAUSES), 0)
    rightly = 0
    missed: list[MissedOutage] = []
    false_alarms: list[FalseAlarm] = []
    rows_of = truth.groupby("series").indices
    all_kinds, all_spans = truth["kind"].to_numpy(), truth[["onset", "end", "tail_end"]].to_numpy()
    for place, name in enumerate(scores.columns):
        rows = rows_of.get(name, [])
        kinds, spans = all_kinds[rows], all_spans[rows]
        alarms = np.flatnonzero(np.nan_to_num(values[:, place]) >= threshold)
        runs = episodes(alarms, half_hour)
        real = (kinds == "outage") | (kinds == "unseen")
        for onset, end, _ in spans[(kinds == "outage") & (spans[:, 0] >= first)]:
            hits = [max(a, onset) for a, b in runs if a >= onset - half_hour and a < end and b >= onset]
            inside = [alarm for start in hits for alarm in alarms[(alarms >= start) & (alarms < end)][:1]]
            found_by_level.append((float(level[name]), bool(inside)))
            if inside:
                delays.append((min(inside) - onset + 1) * minutes)
            else:
                missed.append(MissedOutage(str(name), int(onset)))
        for start, end in runs:
            if start < first:
                continue
            covered = (spans[:, 0] <= start) & (start < spans[:, 2])
            # an alarm in the half hour before an onset that it runs into is neither right nor wrong
            if (covered & real).any():
                rightly += 1
                continue
            others = [cause for cause in CAUSES if (covered & (kinds == cause)).any()]
            # what was hidden for a while comes back with a jump: the hour after still has that cause
            after = [
                c
                for c in ("zeros", "gap")
                if ((kinds == c) & (spans[:, 1] <= start) & (start < spans[:, 1] + 2 * half_hour)).any()
            ]
            cause = (others + after + ["noise"])[0]
            causes[cause] += 1
            highest = float(np.nanmax(values[start : end + 1, place]))
            false_alarms.append(FalseAlarm(str(name), start, cause, highest))
    found = np.array([hit for _, hit in found_by_level], dtype=float)
    levels = np.array([mean for mean, _ in found_by_level])
    weeks = (len(values) - first) * minutes / 10080 * values.shape[1]
    false = sum(causes.values())
    total = len(found)
    return Figures(
        threshold=threshold,
        outages=total,
        weeks=weeks,
        recall=_mean(found),
        false_a_week=false / weeks,
        causes=causes,
        precision=rightly / (rightly + false) if rightly + false else np.nan,
        within_30=float((np.array(delays) <= 30).sum() / total) if total else np.nan,
        delay=float(np.median(delays)) if delays else np.nan,
        delay_p90=float(np.quantile(delays, 0.9)) if delays else np.nan,
        by_level=tuple(_mean(found[(levels >= a) & (levels < b)]) for a, b in pairwise(LEVELS)),
        missed=tuple(missed),
        false=tuple(sorted(false_alarms, key=lambda alarm: -alarm.score)),
    )


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def tune_threshold(
    scores: pd.DataFrame,
    truth: pd.DataFrame,
    level: pd.Series,
    limit: float,
    *,
    first: int = 0,
    minutes: float = 5.0,
    steps: int = 120,
) -> float:
    """Return the threshold with the best recall at no more than `limit` false alarms a series-week."""
    values = scores.to_numpy()[first:]
    positive = values[values > 0]
    if not len(positive):
        return float("inf")
    share = np.geomspace(min(1.0, 20000 / len(positive)), min(1.0, 20 / len(positive)), steps)
    grid = np.unique(positive) if len(positive) < 400 else np.unique(np.quantile(positive, 1 - share))
    best, chosen = -1.0, float("inf")
    for threshold in grid[::-1]:
        figures = evaluate_detections(scores, truth, level, float(threshold), first=first, minutes=minutes)
        if figures.false_a_week <= limit and figures.recall > best:
            best, chosen = figures.recall, float(threshold)
        if figures.false_a_week > 4 * limit + 1:
            break
    return chosen


def moving_averages(scores: pd.DataFrame, how: Sequence[str] = ("mean3",)) -> dict[str, pd.DataFrame]:
    """Return the scores plain and averaged over the last bins, as a peer's user would try them."""
    return {"plain": scores} | {name: scores.rolling(int(name[4:]), min_periods=1).mean() for name in how}
