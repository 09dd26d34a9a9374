"""How far the probability of an incident can be trusted: on simulated outages and on what only looks like one.

A situation is a fortnight of a service's reports by the minute, and for half of them complaint counts by the quarter
of an hour, with something at its end: an outage, also a small one or one under a flood; or a surge of talk of which
some is misread, a few people who post dozens of times, a ring of young accounts, copies, a thread misread, a return
after a gap, or growth. What opens no incident has no probability and counts as silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from detectors.events import find_events
from detectors.seasonal.detector import SeasonalNB
from pipeline.core.series import Interval, SeriesKey
from pipeline.core.times import utc
from pipeline.detection.alarm_intervals import interval_of
from pipeline.incidents.confidence import WEIGHTS, Signals, features, probability, signals

Floats = npt.NDArray[np.float64]
BEGIN = utc("2026-01-05T00:00:00Z")
DAYS, TAIL = 15, 180  # the last TAIL minutes are the situation
QUIET_KINDS = ("surge", "few people", "ring", "copies", "misread thread", "gap", "growth")
FITTED = ("base", "loudest", "second kind", "voters", "young", "talked", "denied", "doubtful", "few doubtful")


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What source and counter would have given; `votes`, `talk` by the minute, `complaints` by 15 minutes, or None.

    It begins at the minute `began`.
    """

    kind: str
    real: bool
    votes: Floats
    talk: Floats
    complaints: Floats | None
    denied: int
    named: int
    dropped: int
    began: int


def situation(number: int, seed: int) -> Situation:
    """Return the `number`-th situation: every second is an outage."""
    rng = np.random.default_rng([seed, number])
    size = DAYS * 1440
    minute = np.arange(size)
    rhythm = 1 + 0.7 * np.sin(2 * np.pi * (minute / 1440 - rng.random()))
    rate = 10 ** rng.uniform(-1, 1.3) / 60 * rhythm
    votes = rng.poisson(rate).astype(np.float64)
    usual_talk = rate * rng.uniform(3, 12)
    counted = 10 ** rng.uniform(-0.5, 1.5) * rhythm / 15 if rng.random() < 0.5 else None
    lift = np.ones(size)
    real = number % 2 == 0
    kind = "outage" if real else QUIET_KINDS[number // 2 % len(QUIET_KINDS)]
    at = size - int(rng.integers(20, TAIL - 30))
    here = minute >= at
    dropped, denied, named, more_talk = 0.0, 0.0, 0.0, np.zeros(size)
    if real:
        people = 10 ** rng.uniform(0.7, 2.5)
        shape = 1 - np.exp(-np.maximum(0, minute - at) / rng.uniform(5, 20))
        votes += rng.poisson(people * shape / 60)
        lift += np.where(here, people * shape * rng.uniform(0.2, 1.5), 0.0)
        came = votes[at:].sum()
        dropped = rng.poisson(came * rng.uniform(0, 0.4)) + (rng.uniform(50, 400) if rng.random() < 0.2 else 0)
        named = came * rng.uniform(0.1, 0.6)
        denied = named * rng.uniform(0, 0.35)
    elif kind == "surge":
        more_talk = np.where(here, usual_talk * rng.uniform(3, 15), 0.0)
        votes += rng.poisson(more_talk * rng.uniform(0.02, 0.10))
        lift += np.where(here, rng.uniform(0, 1.0), 0.0)
        named, denied = 4.0, rng.uniform(0, 4)
    elif kind in ("few people", "copies", "ring", "misread thread"):
        many = {
            "few people": rng.integers(2, 9),
            "copies": rng.integers(1, 4),
            "ring": rng.integers(3, 40),
            "misread thread": rng.integers(3, 12),
        }[kind]
        places = size - 1 - rng.integers(0, 30, many)
        np.add.at(votes, places, 1.0)
        dropped = {
            "few people": many * rng.uniform(8, 50),
            "copies": rng.uniform(20, 300),
            "ring": many * rng.uniform(1.0, 3.0),
            "misread thread": 0.0,
        }[kind]
        named = many * rng.uniform(0, 0.5) if kind != "misread thread" else many * 1.0
        denied = named * rng.uniform(0, 0.2) if kind != "misread thread" else named * rng.uniform(0.3, 1.5)
    elif kind == "gap":
        votes[at - 600 : at] = np.nan
    else:
        grown = np.where(minute >= size - 1440, (minute - size + 1440) / 1440 * rng.uniform(0.5, 2), 0.0)
        votes += rng.poisson(rate * grown)
        lift += grown
    talk = np.nan_to_num(votes) + rng.poisson(usual_talk + more_talk) + np.where(here, dropped / max(1, size - at), 0.0)
    talk[np.isnan(votes)] = np.nan
    complaints = None
    if counted is not None:
        complaints = rng.poisson((counted * lift).reshape(-1, 15).sum(axis=1)).astype(np.float64)
        if not real and rng.random() < 0.15:
            complaints[-4:] += rng.poisson(complaints.mean() * 4 + 6)  # a counter gone wrong
    return Situation(
        kind=kind,
        real=real,
        votes=votes,
        talk=talk,
        complaints=complaints,
        denied=int(denied),
        named=int(named),
        dropped=int(dropped),
        began=at,
    )


def rest_on(situations: Sequence[Situation]) -> list[Signals | None]:
    """Return what an incident of each situation's last hours would rest on, None where none opens."""
    found: list[list[Interval]] = [[] for _ in situations]
    votes, talk = (np.column_stack([getattr(s, name) for s in situations]) for name in ("votes", "talk"))
    _intervals(found, range(len(situations)), votes, talk, replace(SeasonalNB(), repeats=0.0), 60, "votes")
    counted = [n for n, s in enumerate(situations) if s.complaints is not None]
    complaints = np.column_stack([c for s in situations if (c := s.complaints) is not None])
    _intervals(found, counted, complaints, None, SeasonalNB(), 900, "complaints")
    return [_signals(s, intervals) if intervals else None for s, intervals in zip(situations, found, strict=True)]


def _signals(s: Situation, intervals: Sequence[Interval]) -> Signals:
    slot = max(0, int((min(i.onset for i in intervals) - BEGIN) / timedelta(minutes=1)) - 5)
    voters = int(np.nansum(s.votes[slot:]))
    doubtful = s.dropped / (s.dropped + voters) if s.dropped + voters >= 4 else 0.0
    minutes = (BEGIN + timedelta(days=DAYS) - min(i.onset for i in intervals)) / timedelta(minutes=1)
    return signals(
        intervals, [], voters=voters, works=s.denied, fails=s.named, doubtful=doubtful, outlets=0, minutes=minutes
    )


def _intervals(
    found: list[list[Interval]],
    places: Sequence[int],
    values: Floats,
    talk: Floats | None,
    detector: SeasonalNB,
    width: int,
    channel: str,
) -> None:
    """Add to `found` the intervals of each column that reach into the last hours; all columns are judged at once."""
    index = pd.date_range(BEGIN, periods=len(values), freq=f"{width}s")
    verdicts = detector.detect(*(pd.DataFrame(v, index=index) for v in (values, talk) if v is not None))
    tables = [t.to_numpy() for t in (verdicts.observed, verdicts.expected, verdicts.score)]
    key = SeriesKey(service="s", channel=channel, source=channel, bin_s=width)
    first = len(values) - TAIL * 60 // width

    for column, place in enumerate(places):
        observed, expected, score = (table[:, column] for table in tables)
        for e in find_events(
            observed, expected, score, alarm=detector.alarm, quiet_bins=max(2, 2700 // width), look_back=3600 // width
        ):
            if e.last >= first:
                found[place].append(interval_of(e, key, BEGIN, observed, expected))


def fit(rows: Sequence[Signals], truth: Sequence[bool]) -> dict[str, float]:
    """Return weights by maximum likelihood with a light ridge (0.05), for what crowds can tell."""
    from scipy.optimize import minimize

    x = np.array([[features(s)[name] for name in FITTED] for s in rows])
    y = np.array(truth, dtype=np.float64)

    def loss(w: Floats) -> float:
        z = x @ w
        return float(np.sum(np.logaddexp(0, z) - y * z) + 0.05 * np.sum(w[1:] ** 2))

    return dict(zip(FITTED, minimize(loss, np.zeros(len(FITTED))).x.round(2).tolist(), strict=True))


def report(seed: int, how_many: int = 1000) -> Iterator[str]:
    """Yield the section, line by line: fitted on situations of one seed, judged on those of the next."""
    halves = []
    for part in (seed, seed + 1):
        situations = [situation(n, part) for n in range(how_many // 2)]
        found = list(zip(situations, rest_on(situations), strict=True))
        halves.append([(s, r) for s, r in found if r is not None])
        if part == seed:
            continue
        silent = [s for s, r in found if r is None]
        yield (
            f"{len(found)} simulated situations, {len(halves[1])} open an incident; silent: "
            f"{sum(s.real for s in silent)} of {sum(s.real for s, _ in found)}"
            f" outages, {sum(not s.real for s in silent)} of {sum(not s.real for s, _ in found)} others"
        )
    fitted = fit([r for _, r in halves[0]], [s.real for s, _ in halves[0]])
    yield "weights fitted on other situations: " + ", ".join(f"{k} {v:g}" for k, v in fitted.items())
    yield "weights shipped:                    " + ", ".join(f"{k} {WEIGHTS[k]:g}" for k in FITTED)
    p = np.array([probability(r)[0] for _, r in halves[1]])
    y = np.array([s.real for s, _ in halves[1]], dtype=np.float64)
    yield (
        f"Brier score {np.mean((p - y) ** 2):.3f}; always saying the base rate {y.mean():.2f} gives "
        f"{np.mean((y.mean() - y) ** 2):.3f}"
    )
    yield f"{'said':>10}{'incidents':>11}{'mean said':>11}{'real':>7}"
    for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
        inside = (p >= low) & (p < high)
        if inside.any():
            yield f"{low:>5.1f}-{min(high, 1.0):.1f}{inside.sum():>12}{p[inside].mean():>11.2f}{y[inside].mean():>7.2f}"
    for gate in (0.3, 0.5):
        sent = p >= gate
        yield (
            f"told at {gate:g} or more: {int((sent & (y > 0)).sum())} of {int(y.sum())} outages, "
            f"{int((sent & (y == 0)).sum())} of {int((y == 0).sum())} others"
        )
    for kind in QUIET_KINDS:
        mine = [q for (s, _), q in zip(halves[1], p, strict=True) if s.kind == kind]
        if mine:
            yield f"  {kind}: {len(mine)} opened, {sum(q >= 0.5 for q in mine)} of them told"
