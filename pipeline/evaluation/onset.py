"""How far the first probability of an incident can be trusted: as it stood at the first run that could see anything.

On simulated situations (`pipeline.evaluation.confidence`) the look is the run after the first bin that scores a third
of an alarm: candidates that never reach the alarm are judged, too. On replayed days it is the first run that knew of an
incident, whether a message was sent about it or not.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from detectors.events import find_events
from detectors.seasonal.detector import SeasonalNB
from pipeline.config.settings import Config
from pipeline.core.incidents import Incident
from pipeline.core.series import SeriesKey
from pipeline.core.times import utc
from pipeline.detection.alarm_intervals import interval_of
from pipeline.evaluation.confidence import BEGIN, TAIL, Floats, Situation, fit, situation
from pipeline.evaluation.day_candidates import day_looks
from pipeline.incidents.confidence import ALARM, WEIGHTS, Signals, probability, signals
from pipeline.replay.runner import ReplayPlan, replay
from pipeline.replay.scenario import read_scenario
from pipeline.replay.scenario_sources import load_recorded
from pipeline.replay.truth import Truth
from pipeline.stages.pipeline import Models
from pipeline.store import Store
from pipeline.store.incidents import incidents

CANDIDATE = ALARM / 3
RUN = 5  # minutes between runs
SOON = timedelta(minutes=30)  # an incident so long before a true onset is of it


class Look(NamedTuple):
    """What the first look at a candidate rests on, whether something was broken by then, whether it was an alarm."""

    signals: Signals
    real: bool
    alarm: bool


class _Series(NamedTuple):
    """A channel of many situations, a column each, and the number of minutes in a bin."""

    observed: Floats
    expected: Floats
    score: Floats
    minutes: int
    channel: str
    places: Sequence[int]


def first_looks(situations: Sequence[Situation]) -> list[Look]:
    """Return the first looks at each situation's last hours: at a candidate, and at an alarm that comes later."""
    votes, talk = (np.column_stack([getattr(s, name) for s in situations]) for name in ("votes", "talk"))
    counted = [n for n, s in enumerate(situations) if s.complaints is not None]
    complaints = np.column_stack([c for s in situations if (c := s.complaints) is not None])
    channels = [
        _judged(votes, talk, replace(SeasonalNB(), repeats=0.0), 1, "votes", range(len(situations))),
        _judged(complaints, None, SeasonalNB(), 15, "complaints", counted),
    ]
    looks = []
    for number, one in enumerate(situations):
        moments = {_moment(one, number, channels, least) for least in (CANDIDATE, ALARM)} - {None}
        looks += [_look(one, number, channels, moment) for moment in sorted(m for m in moments if m is not None)]
    return [look for look in looks if look is not None]


def _judged(
    values: Floats, talk: Floats | None, detector: SeasonalNB, minutes: int, channel: str, places: Sequence[int]
) -> _Series:
    index = pd.date_range(BEGIN, periods=len(values), freq=f"{minutes}min")
    verdicts = detector.detect(*(pd.DataFrame(v, index=index) for v in (values, talk) if v is not None))
    observed, expected, score = (t.to_numpy() for t in (verdicts.observed, verdicts.expected, verdicts.score))
    return _Series(observed, expected, score, minutes, channel, places)


def _columns(channels: Sequence[_Series], number: int) -> list[tuple[_Series, int]]:
    return [(c, c.places.index(number)) for c in channels if number in c.places]


def _moment(situation: Situation, number: int, channels: Sequence[_Series], least: float) -> int | None:
    """Return the minute of the first run after a bin of the last hours that scores so much; None where none does."""
    size, known = len(situation.votes), []
    for channel, column in _columns(channels, number):
        first = (size - TAIL) // channel.minutes
        above = np.flatnonzero(np.nan_to_num(channel.score[first:, column]) >= least)
        if len(above):
            known.append((first + int(above[0]) + 1) * channel.minutes)
    return min(size, -(-min(known) // RUN) * RUN) if known else None


def _look(situation: Situation, number: int, channels: Sequence[_Series], moment: int) -> Look | None:
    size, mine = len(situation.votes), _columns(channels, number)
    intervals = []
    for channel, column in mine:
        until = moment // channel.minutes
        observed, expected, score = (table[:until, column] for table in channel[:3])
        key = SeriesKey(service="s", channel=channel.channel, source=channel.channel, bin_s=channel.minutes * 60)
        first, quiet, back = (size - TAIL) // channel.minutes, max(2, 45 // channel.minutes), 60 // channel.minutes
        events = find_events(observed, expected, score, alarm=CANDIDATE, quiet_bins=quiet, look_back=back)
        intervals += [interval_of(e, key, BEGIN, observed, expected) for e in events if e.last >= first]
    if not intervals:
        return None
    slot = max(0, int((min(i.onset for i in intervals) - BEGIN) / timedelta(minutes=1)) - 5)
    voters = int(np.nansum(situation.votes[slot:moment]))
    # those not counted and those who named a part came as the votes did
    came = np.nan_to_num(situation.votes)
    share = float(came[situation.began : moment].sum() / max(1.0, came[situation.began :].sum()))
    dropped, works, fails = (n * share for n in (situation.dropped, situation.denied, situation.named))
    doubtful = dropped / (dropped + voters) if dropped + voters >= 4 else 0.0
    age = (BEGIN + timedelta(minutes=moment) - min(i.onset for i in intervals)) / timedelta(minutes=1)
    rests = signals(
        intervals, [], voters=voters, works=int(works), fails=int(fails), doubtful=doubtful, outlets=0, minutes=age
    )
    real = situation.real and moment > situation.began
    return Look(rests, real, max(i.score for i in intervals) >= ALARM)


class ReplayedDay(NamedTuple):
    """The first probability of each incident that a replay came to know, and of each candidate, with what was so."""

    incidents: list[tuple[float, bool]]
    candidates: list[tuple[float, bool]]


def replayed(folder: Path, config: Config, models: Models, begin: str = "", until: str = "") -> ReplayedDay:
    """Return the first probabilities of a replay, and whether something was broken.

    `begin` and `until` bound the replay; empty: from the scenario's first run to its end.
    """
    scenario = read_scenario(folder)
    config = replace(config, watch=scenario.watch)
    sources, _ = load_recorded(scenario, config.catalogue)
    start = utc(begin) if begin else scenario.first_run or scenario.start
    first: dict[str, tuple[Incident, float]] = {}
    with tempfile.TemporaryDirectory() as place, Store(Path(place) / "day.db", durable=False) as store:

        def remember(done: int, total: int) -> None:
            for incident in incidents(store, start):
                if incident.probability is not None and incident.opened_at > start and not incident.is_group:
                    first.setdefault(incident.id, (incident, incident.probability))

        plan = ReplayPlan(
            scenario=scenario,
            config=config,
            begin=start,
            until=utc(until) if until else scenario.end - scenario.step,
            step=scenario.step,
        )
        replay(store, plan, sources, {}, models, remember)
        looks = day_looks(store, scenario.truth, scenario.watch, start, plan.until)
    return ReplayedDay(
        [(p, _is_real(incident, scenario.truth)) for incident, p in first.values()],
        [(probability(look.signals)[0], look.real) for look in looks],
    )


def _is_real(incident: Incident, truth: Truth) -> bool:
    return any(
        o.service == incident.service and o.onset - SOON <= incident.onset <= o.end for o in truth.outages
    ) or bool(incident.official_first_at)


class Skill(NamedTuple):
    """Brier scores of what was said and of always saying the base rate, and the skill: 1 perfect, 0 no better."""

    said: float
    base: float
    skill: float


def skill_of(p: Floats, y: Floats) -> Skill:
    """Return the Brier score of probabilities against what was so, and its skill against the base rate."""
    said, base = float(np.mean((p - y) ** 2)), float(np.mean((y.mean() - y) ** 2))
    return Skill(said, base, 1 - said / base if base else 0.0)


def reliability(p: Floats, y: Floats) -> Iterator[str]:
    """Yield the reliability table, line by line."""
    yield f"{'said':>10}{'looks':>11}{'mean said':>11}{'real':>7}"
    for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
        inside = (p >= low) & (p < high)
        if inside.any():
            yield f"{low:>5.1f}-{min(high, 1.0):.1f}{inside.sum():>12}{p[inside].mean():>11.2f}{y[inside].mean():>7.2f}"


def report(
    seed: int, days: Sequence[tuple[Path, str, str]], config: Config, models: Models, how_many: int = 1000
) -> Iterator[str]:
    """Yield the section, line by line; `days` are scenario folders with from when until when they are replayed."""
    halves = [first_looks([situation(n, part) for n in range(how_many // 2)]) for part in (seed, seed + 1)]
    fitted = fit([look.signals for look in halves[0]], [look.real for look in halves[0]])
    yield "weights fitted at onset on other situations: " + ", ".join(f"{k} {v:g}" for k, v in fitted.items())
    yield "weights shipped:                             " + ", ".join(f"{k} {WEIGHTS[k]:g}" for k in fitted)
    p = np.array([probability(look.signals)[0] for look in halves[1]])
    y = np.array([look.real for look in halves[1]], dtype=np.float64)
    alarm = np.array([look.alarm for look in halves[1]])
    for words, mine in (("all candidates", np.ones(len(p), dtype=bool)), ("alarms alone", alarm)):
        skill = skill_of(p[mine], y[mine])
        yield (
            f"simulated, {words}: {mine.sum()}, {y[mine].mean():.2f} real; Brier score {skill.said:.3f}, base rate "
            f"{skill.base:.3f}, skill {skill.skill:.2f}"
        )
    yield from reliability(p, y)
    results = [replayed(folder, config, models, begin, until) for folder, begin, until in days]
    for words, found in (
        ("incidents", [pair for day in results for pair in day.incidents]),
        ("candidates", [pair for day in results for pair in day.candidates]),
    ):
        if found:
            yield from _of_days(words, found, len(days))


def _of_days(words: str, found: Sequence[tuple[float, bool]], days: int) -> Iterator[str]:
    """Yield the figures of replayed days; the range is that of nine in ten samples drawn from the same looks."""
    p, y = (np.array([pair[n] for pair in found], dtype=np.float64) for n in range(2))
    skill, rng = skill_of(p, y), np.random.default_rng(0)
    drawn = [skill_of(p[i], y[i]).skill for i in rng.integers(0, len(p), (1000, len(p)))]
    low, high = np.quantile(drawn, [0.05, 0.95])
    yield (
        f"replayed days ({days}): {len(found)} {words}, {y.mean():.2f} real; Brier score {skill.said:.3f}, "
        f"base rate {skill.base:.3f}, skill {skill.skill:.2f} (90 % range {low:.2f} to {high:.2f})"
    )
    yield from reliability(p, y)
