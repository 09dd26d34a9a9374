"""Other ways the recorded days might have gone: without the outage, at other hours, elsewhere, with a smaller crowd."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from pipeline.config.paths import SCENARIOS
from pipeline.config.settings import Config
from pipeline.core.catalogue import Catalogue
from pipeline.core.errors import Reason, SourceError
from pipeline.evaluation.days.days import load_day
from pipeline.evaluation.days.entries import AlertEntry
from pipeline.evaluation.days.replayed import entries_of
from pipeline.evaluation.days.scoring import DayFigures, Group, score_day
from pipeline.evaluation.days.summary import summarize
from pipeline.notify.channels.file import NoChannel
from pipeline.replay.runner import ReplayPlan, replay
from pipeline.replay.scenario import Scenario, read_scenario
from pipeline.replay.scenario_sources import load_recorded
from pipeline.replay.truth import TrueOutage
from pipeline.stages.pipeline import Models
from pipeline.store import Store

AROUND = timedelta(hours=2)  # replayed before the first onset and after the last
APART = timedelta(hours=6)  # the least between a moved outage and one that stays
WEEK = 167  # a day is moved by so many hours at most, and by 1 at least
COMMON_GENERATOR = SCENARIOS / "simulate_day.py"
HEAD = (
    "day",
    "variant",
    "replays",
    "serious found",
    "others",
    "min from 3rd report p50 / p90",
    "false alarms",
    "CPU s each",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A way a day might have gone: its name in the table, and what its generator changes.

    moved_by: hours, negative to an earlier time. crowd: how many people complain and post, of those who did.
    renamed: the service that is replaced, and the one in its place.
    """

    name: str
    outage: bool = True
    moved_by: int = 0
    crowd: float = 1.0
    renamed: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDay:
    """A recorded folder with its generator: the folder's own, generator/generate.py, or the common one.

    A generator of its own moves the main outage within a recording that stays; the common one moves the recording.
    """

    scenario: Scenario

    @property
    def own_generator(self) -> Path:
        """Return where a generator of its own would be."""
        return self.scenario.folder / "generator" / "generate.py"

    @property
    def has_generator(self) -> bool:
        """Return whether its variants can be made."""
        return self.own_generator.exists() or (self.scenario.folder / "generator" / "day.toml").exists()

    @property
    def varied(self) -> list[TrueOutage]:
        """Return the outages that variants move and leave out: the main one where there is one, else all."""
        outages = self.scenario.truth.outages
        return [outage for outage in outages if outage.main] or list(outages)

    def make(self, out: Path, variant: Variant, seed: int) -> Scenario:
        """Write a variant into the folder `out` and read it; raises SourceError where the generator fails."""
        own = self.own_generator.exists()
        script = [str(self.own_generator)] if own else [str(COMMON_GENERATOR), str(self.scenario.folder)]
        switches = ["--out", str(out), "--seed", str(seed), "--shift", str(variant.moved_by)]
        switches += ["--crowd", str(variant.crowd)]
        if not variant.outage:
            switches.append("--no-outage")
        if variant.renamed:
            old, new = variant.renamed
            switches += ["--service", new] if own else ["--rename", f"{old}={new}"]
        run = subprocess.run(  # noqa: S603 - our own generator
            [sys.executable, *script, *switches], capture_output=True, text=True, check=False
        )
        if run.returncode:
            raise SourceError(run.stderr.strip()[-200:], source=str(self.scenario.folder), reason=Reason.FILE)
        return read_scenario(out)

    def hours_to_move(self, seed: int) -> int:
        """Return by how many hours a seed moves the day, 1 to 167, and to an earlier time within a recording.

        A moved outage is 6 hours at least from those that stay.
        """
        first = 1 + seed * 31 % WEEK
        if not self.own_generator.exists():
            return first
        return next(-hours for hours in count(first) if self._is_clear(timedelta(hours=-hours)))

    def _is_clear(self, moved: timedelta) -> bool:
        stay = [outage for outage in self.scenario.truth.outages if outage not in self.varied]
        return all(
            outage.end + moved < other.onset - APART or other.end + APART < outage.onset + moved
            for outage in self.varied
            for other in stay
        )

    def variants(self, catalogue: Catalogue, seed: int) -> Iterator[Variant]:
        """Yield the variants for a seed, which says by how many hours it is moved and which service is in its place."""
        yield Variant(name="without its outage", outage=False)
        yield Variant(name="moved by hours and weekday", moved_by=self.hours_to_move(seed))
        yield Variant(name="half of the crowd", crowd=0.5)
        old = min(self.varied, key=lambda o: (not o.impact, o.onset, o.service)).service
        kind, watched = catalogue[old].kind, self.scenario.watch
        if others := sorted(s.id for s in catalogue.values() if s.kind == kind and s.id not in watched):
            yield Variant(name="another service", renamed=(old, others[seed % len(others)]))

    def hours_around(self, made: Scenario, variant: Variant) -> tuple[datetime, datetime]:
        """Return the first and the last run of a variant: two hours before its first onset and after its last."""
        onsets = [outage.onset + timedelta(hours=variant.moved_by) for outage in self.varied]
        return max(made.start, min(onsets) - AROUND), min(made.end - made.step, max(onsets) + AROUND)


def report(folders: Sequence[Path], seeds: int, config: Config, models: Models) -> Iterator[str]:
    """Yield a row for each day and sort of variant, `seeds` replays each, and what a replay costs.

    Raises SourceError where a variant cannot be made.
    """
    yield f"| {' | '.join(HEAD)} |"
    yield f"|{' --- |' * len(HEAD)}"
    for day in (RecordedDay(scenario=read_scenario(folder)) for folder in folders):
        if not day.scenario.truth.outages or not day.has_generator:
            continue
        figures: dict[str, list[DayFigures]] = {}
        seconds: dict[str, float] = {}
        for seed in range(1, seeds + 1):
            for variant in day.variants(config.catalogue, seed):
                before = _cpu_seconds()
                figures.setdefault(variant.name, []).append(_scored(day, variant, seed, config, models))
                seconds[variant.name] = seconds.get(variant.name, 0.0) + _cpu_seconds() - before
        for name, replays in figures.items():
            yield _row(day.scenario.folder.name, name, replays, seconds[name] / len(replays))


def _row(day: str, variant: str, replays: Sequence[DayFigures], cpu_seconds: float) -> str:
    (row,) = summarize(variant, replays).groups
    found = f"{row.serious_discovered} of {row.serious} | {row.other_discovered} of {row.outages - row.serious}"
    services = ", ".join(alarm.service for alarm in row.false_alarms)
    wrong = f"{len(row.false_alarms)}{f': {services}' if services else ''}"
    return f"| `{day}` | {variant} | {row.days} | {found} | {row.from_third_report} | {wrong} | {cpu_seconds:.0f} |"


def _cpu_seconds() -> float:
    """Return the processor time of this process and of the generators that it ran."""
    return sum(os.times()[:4])


def _scored(day: RecordedDay, variant: Variant, seed: int, config: Config, models: Models) -> DayFigures:
    """Make a variant, replay the hours around its outages, and compare."""
    with tempfile.TemporaryDirectory() as place:
        made = day.make(Path(place) / day.scenario.folder.name, variant, seed)
        begin, until = day.hours_around(made, variant)
        plan = ReplayPlan(
            scenario=made,
            config=replace(config, watch=made.watch),
            begin=begin,
            until=until,
            step=made.step,
        )
        # a day without its outage has the same place in the table as the others
        return score_day(load_day(plan, Group.OUTAGE).day, _messages(plan, Path(place) / "day.db", models))


def _messages(plan: ReplayPlan, db: Path, models: Models) -> list[AlertEntry]:
    sources, _ = load_recorded(plan.scenario, plan.config.catalogue)
    with Store(db, durable=False) as store:
        replay(store, plan, sources, {"file": NoChannel()}, models)
        return entries_of(store, plan.scenario.name)
