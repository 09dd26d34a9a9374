"""Seeded complaint counts with their truth: what was normal, what broke, and what only looked like it.

Made to be unlike `seasonal_nb`, so as not to flatter it, in five ways. (1) Noise is a log-normal Cox process with a
memory of hours, and reports come in clumps of one person's several: no negative binomial anywhere. (2) The rhythm
follows people's wall clock (zones with and without daylight saving, late weekends, lunch dips), not half-hours of a
UTC week. (3) News decays by a power law (Crane and Sornette 2008, "Robust dynamic classes revealed by measuring the
response function of a social system", equation 1), and what leaks of it into complaints differs from surge to surge.
(4) Levels move by trends, day effects and steps, not by a ratio that is smooth. (5) Collectors die in both ways:
with gaps, and with zeros that claim to be counts.

An outage's truth is when it begins and ends, not when the complaints do: they follow by a ramp and fade in a tail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from detectors.contract import Floats

ZONES = ("America/New_York", "America/Los_Angeles", "Europe/London", "Europe/Berlin", "Asia/Tokyo", "America/Sao_Paulo")


class _TruthRow(NamedTuple):
    """Something that went on in a series: bins as in `Simulation.truth`, and how many times as much as usual."""

    kind: str
    onset: int
    end: int
    tail_end: int
    ratio: float


TRUTH = ("series", *_TruthRow._fields)


class _Plan(NamedTuple):
    """What all services of a simulation share: how many they are, their bins, and the arguments of `simulate`."""

    services: int
    bins: pd.DatetimeIndex
    bin_s: int
    levels: tuple[float, float]
    outages_a_week: float
    news_a_week: float


class _Service(NamedTuple):
    """What `_service` makes of one service; arrays of shape (bins,)."""

    counts: Floats
    mentions: Floats
    mean: Floats
    truth: list[_TruthRow]
    level: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What a collector would have seen, and what was so.

    counts, mentions: shape (bins, series), NaN = gap; mentions are all talk, complaints included. mean: the expected
    complaints had nothing broken, news and surges included. truth: one row an outage, news, surge, holiday, zeros or
    gap (an outage that was half hidden by those two is `unseen`); onset, end and tail_end are bin numbers, the last two
    the bins after the last. `tail_end` is when complaints about an
    outage are again fewer than half of what is normal, or fewer than one in five bins. level: mean a bin.
    """

    counts: pd.DataFrame
    mentions: pd.DataFrame
    mean: pd.DataFrame
    truth: pd.DataFrame
    level: pd.Series


def simulate(
    *,
    seed: int,
    series: int = 60,
    days: int = 42,
    bin_s: int = 300,
    start: str = "2026-02-16",
    levels: tuple[float, float] = (0.02, 500.0),
    outages_a_week: float = 1.3,
    news_a_week: float = 0.75,
) -> Simulation:
    """Return `series` independent services of `days` days; `levels` bounds the mean complaints a bin (log-uniform).

    Levels are evenly spread, so that every second series has the same mixture as the others. The first day is free
    of outages. Same arguments, same bytes.
    """
    index = pd.date_range(start, periods=days * 86400 // bin_s, freq=f"{bin_s}s", tz="UTC")
    plan = _Plan(series, index, bin_s, levels, outages_a_week, news_a_week)
    parts = [_service(np.random.default_rng([seed, i]), i, plan) for i in range(series)]
    columns = pd.Index([f"s{i:03d}" for i in range(series)])

    def stacked(arrays: list[Floats]) -> pd.DataFrame:
        return pd.DataFrame(np.column_stack(arrays), index=index, columns=columns)

    rows = [(columns[i], *row) for i, part in enumerate(parts) for row in part.truth]
    truth = pd.DataFrame(rows, columns=pd.Index(TRUTH))
    return Simulation(
        counts=stacked([part.counts for part in parts]),
        mentions=stacked([part.mentions for part in parts]),
        mean=stacked([part.mean for part in parts]),
        truth=truth,
        level=pd.Series([part.level for part in parts], index=columns),
    )


def _service(rng: np.random.Generator, number: int, plan: _Plan) -> _Service:
    index, bin_s = plan.bins, plan.bin_s
    n, hour = len(index), 3600 / bin_s
    # a low-discrepancy spread of levels: neighbours pair up, so halves by parity are alike
    low, high = plan.levels
    level = low * (high / low) ** ((number // 2 + rng.random()) / max(1, (plan.services + 1) // 2))
    shape = _rhythm(rng, index)
    truth: list[_TruthRow] = []
    growth = _growth(rng, n, bin_s, truth)
    if rng.random() < 0.5:
        day = int(rng.integers(3, max(4, n * bin_s // 86400)))
        slot = slice(int(day * 24 * hour), int((day + 1) * 24 * hour))
        shape[slot] *= rng.uniform(0.4, 0.8)
        truth.append(_TruthRow("holiday", slot.start, min(n, slot.stop), min(n, slot.stop), 0.0))
    noise = np.exp(_slow_noise(rng, n, hours=rng.uniform(0.5, 6), sd=rng.uniform(0.05, 0.3), per_hour=hour))
    usual = level * shape * growth * noise
    talk = usual * rng.uniform(3, 15) * np.exp(_slow_noise(rng, n, hours=2.0, sd=0.2, per_hour=hour))
    attention = np.zeros(n)
    for at in _times(rng, n, plan.news_a_week, bin_s, first=0.0):
        attention += _news(rng, n, at, bin_s, truth)
    mean = usual + rng.uniform(0.02, 0.10) * talk * attention
    talk = talk * (1 + attention)
    extra = np.zeros(n)
    for at in _times(rng, n, plan.outages_a_week, bin_s, first=1.0):
        extra += _outage(rng, at, bin_s, level, mean, truth, extra)
    clump = rng.uniform(1.0, 1.6)
    counts = _clumped(rng, mean + extra, clump)
    mentions = counts + _clumped(rng, talk + rng.uniform(0.2, 0.6) * extra, 1.3)
    for kind, chance, longest in (("gap", 0.6, 12.0), ("zeros", 0.12, 6.0)):
        for at in _times(rng, n, chance, bin_s, first=0.0):
            until = min(n, at + max(1, int(rng.uniform(0.2, longest) * hour)))
            counts[at:until] = mentions[at:until] = np.nan if kind == "gap" else 0.0
            truth.append(_TruthRow(kind, at, until, until, 0.0))
    unseen = np.isnan(counts)
    zeros = [row for row in truth if row.kind == "zeros"]
    for i, row in enumerate(truth):
        at, last = row.onset, row.end
        dead = unseen[at:last].sum() + sum(max(0, min(last, z.end) - max(at, z.onset)) for z in zeros)
        if row.kind == "outage" and 2 * dead >= last - at:
            truth[i] = row._replace(kind="unseen")
    return _Service(counts, mentions, mean, truth, level)


def _times(rng: np.random.Generator, n: int, a_week: float, bin_s: int, first: float) -> list[int]:
    """Return Poisson many bins after day `first`."""
    begin = int(first * 86400 / bin_s)
    many = rng.poisson(a_week * n * bin_s / 604800)
    return sorted(int(rng.integers(begin, n)) for _ in range(many)) if n > begin else []


def _rhythm(rng: np.random.Generator, index: pd.DatetimeIndex) -> Floats:
    """Return activity by the wall clock of one or two zones, mean about 1: morning, lunch dip, evening, weekends."""
    total = np.zeros(len(index))
    depth = np.exp(rng.uniform(np.log(2), np.log(20)))
    for zone in rng.choice(ZONES, size=int(rng.integers(1, 3)), replace=False):
        local = index.tz_convert(str(zone))
        hour = np.asarray(local.hour + local.minute / 60.0)
        weekend = np.asarray(local.day_of_week) >= 5
        wake = rng.uniform(6, 9) + weekend * rng.uniform(0.5, 2.5)
        day = 1 / (1 + np.exp(-(hour - wake) / 0.5)) / (1 + np.exp((hour - rng.uniform(21.5, 23.9)) / 0.6))
        day = day * (1 - rng.uniform(0, 0.3) * np.exp(-(((hour - 13) / 0.8) ** 2)))
        day = day + rng.uniform(0, 0.8) * np.exp(-(((hour - 20) / 1.5) ** 2))
        total += (1 / depth + day) * np.where(weekend, rng.uniform(0.4, 1.3), 1.0)
    shape: Floats = total / total.mean()
    return shape


def _slow_noise(rng: np.random.Generator, n: int, *, hours: float, sd: float, per_hour: float) -> Floats:
    """Return a stationary first-order autoregression of that correlation time."""
    from scipy.signal import lfilter

    keep = np.exp(-1 / (hours * per_hour))
    shocks = rng.normal(0, sd * np.sqrt(1 - keep * keep), n)
    shocks[0] = rng.normal(0, sd)
    path: Floats = lfilter([1.0], [1.0, -keep], shocks)
    return path


def _growth(rng: np.random.Generator, n: int, bin_s: int, truth: list[_TruthRow]) -> Floats:
    """Return trend x day effects x steps x adoption surges."""
    days = np.arange(n) * bin_s / 86400
    path: Floats = (
        np.exp(rng.normal(0, 0.25) * days / 30) * np.exp(rng.normal(0, 0.12, int(days[-1]) + 1))[days.astype(int)]
    )
    if rng.random() < 0.2:
        path[int(rng.integers(n)) :] *= np.exp(rng.normal(0, 0.35))
    if rng.random() < 0.3:
        at, rise, factor = int(rng.integers(n)), rng.uniform(1.5, 7), rng.uniform(2, 5)
        gone = rng.uniform(5, 30)
        since = np.maximum(0, days - days[at])
        path = path * (1 + (factor - 1) * np.minimum(1, since / rise) * np.exp(-np.maximum(0, since - rise) / gone))
        over = min(n, at + int((rise + 3) * 86400 / bin_s))
        truth.append(_TruthRow("surge", at, over, over, float(factor)))
    return path


def _news(rng: np.random.Generator, n: int, at: int, bin_s: int, truth: list[_TruthRow]) -> Floats:
    """Return the extra attention (1 = as much again as usual) of one news story."""
    hours = (np.arange(n) - at) * bin_s / 3600
    rise, peak, fall = rng.uniform(0.2, 4), rng.uniform(1, 11), rng.uniform(0.6, 1.4)
    after = np.maximum(0, hours - rise)
    path: Floats = np.where(hours < 0, 0.0, peak * np.minimum(1, np.maximum(hours, 0) / rise) / (1 + after) ** fall)
    path[path < 0.15] = 0.0
    over = at + int((path[at:] > 0).sum())
    truth.append(_TruthRow("news", at, over, over, float(peak)))
    return path


def _outage(
    rng: np.random.Generator,
    at: int,
    bin_s: int,
    level: float,
    mean: Floats,
    truth: list[_TruthRow],
    busy: Floats,
) -> Floats:
    """Return the extra complaints of one outage and note its truth; none when another is still being talked of."""
    n, hour = len(mean), 3600 / bin_s
    last = min(n, at + max(1, int(np.exp(rng.uniform(np.log(0.33), np.log(8))) * hour)))
    nothing = np.zeros(n)
    if busy[max(0, at - int(6 * hour)) : min(n, last + int(3 * hour))].any():
        return nothing
    ratio = float(np.exp(rng.uniform(np.log(3), np.log(200))))
    here = 0.5 * level + 0.5 * float(mean[at:last].mean())
    i = np.arange(n) - at
    ramp = 0.0 if rng.random() < 0.5 else rng.uniform(5, 30) * 60 / bin_s
    lasting = 1 + 0.6 * (np.exp(-np.maximum(0, i - ramp) / (rng.uniform(0.5, 3) * hour)) - 1)
    height = (ratio - 1) * here * lasting * np.clip((i + 1) / (ramp + 1), 0, 1)
    fade = rng.uniform(8, 35) * 60 / bin_s
    tail_off = height[last - 1] * np.exp(-np.maximum(0, np.arange(n) - last) / fade)
    extra = np.where(i < 0, 0.0, np.where(np.arange(n) < last, height, tail_off))
    # nobody can see what nobody complains about: six complaints more than usual are asked for
    if extra[at:last].sum() < 6:
        return nothing
    loud = np.flatnonzero(extra > np.maximum(0.5 * mean, 0.2))
    tail = max(last, int(loud[-1]) + 1 if len(loud) else last)
    extra[min(n, tail + int(2 * hour)) :] = 0.0
    truth.append(_TruthRow("outage", at, last, tail, ratio))
    return extra


def _clumped(rng: np.random.Generator, mean: Floats, clump: float) -> Floats:
    """Return Poisson many people, each sending `clump` reports on average (1 + negative-binomial repeats)."""
    people: npt.NDArray[np.int64] = rng.poisson(np.maximum(mean, 0.0) / clump)
    repeats = np.zeros(len(mean))
    some = people > 0
    if clump > 1 and some.any():
        p = 1 / clump
        repeats[some] = rng.negative_binomial(people[some], p)
    return people + repeats
