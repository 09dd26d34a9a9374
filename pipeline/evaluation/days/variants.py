"""Other ways the recorded days might have gone: without the outage, at other hours, elsewhere, with a smaller crowd."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pipeline.config.load import Config
from pipeline.config.paths import SCENARIOS
from pipeline.core.catalogue import Catalogue
from pipeline.core.errors import Reason, SourceError
from pipeline.evaluation.days.days import load_day
from pipeline.evaluation.days.entries import AlertEntry
from pipeline.evaluation.days.replayed import entries_of
from pipeline.evaluation.days.scoring import DayFigures, Group, score_day
from pipeline.evaluation.days.summary import summarize
from pipeline.notify.channels.file import NoChannel
from pipeline.replay.runner import ReplayPlan, replay
from pipeline.replay.scenario import Scenario, load_recorded, read_scenario
from pipeline.stages.pipeline import Models
from pipeline.store import Store

AROUND = timedelta(hours=2)  # replayed before the first onset and after the last
GENERATOR = SCENARIOS / "simulate_day.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A way a day might have gone: its name in the table, and the switches of the generator that make it."""

    name: str
    switches: tuple[str, ...] = ()


def variants_of(scenario: Scenario, catalogue: Catalogue, seed: int) -> Iterator[Variant]:
    """Yield the variants of a day for a seed, which also says by how many hours it is moved (1 to 167)."""
    yield Variant(name="without its outage", switches=("--no-outage",))
    yield Variant(name="moved by hours and weekday", switches=("--shift", str(1 + seed * 31 % 167)))
    yield Variant(name="half of the crowd", switches=("--crowd", "0.5"))
    first = min(scenario.truth.outages, key=lambda o: (not o.impact, o.onset, o.service)).service
    others = [s.id for s in catalogue.values() if s.kind == catalogue[first].kind and s.id not in scenario.watch]
    if others:
        other = sorted(others)[seed % len(others)]
        yield Variant(name="another service", switches=("--rename", f"{first}={other}"))


def report(folders: Sequence[Path], seeds: int, config: Config, models: Models) -> Iterator[str]:
    """Yield a table of the variants of each folder, `seeds` of each; raises SourceError where one cannot be made."""
    figures: dict[str, list[DayFigures]] = {}
    for folder in folders:
        original = read_scenario(folder)
        if not original.truth.outages or not (folder / "generator" / "day.toml").exists():
            continue
        for seed in range(1, seeds + 1):
            for variant in variants_of(original, config.catalogue, seed):
                figures.setdefault(variant.name, []).append(_scored(folder, variant, seed, config, models))
    yield "| variant | replays | serious found | others | min from 3rd report p50 / p90 | alarms of what did not fail |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for name, days in figures.items():
        (row,) = summarize(name, days).groups
        found = f"{row.serious_discovered} of {row.serious} | {row.other_discovered} of {row.outages - row.serious}"
        wrong = ", ".join(f"{alarm.service} ({alarm.day})" for alarm in row.false_alarms)
        wrong = f"{len(row.false_alarms)}{f': {wrong}' if wrong else ''}"
        yield f"| {name} | {row.days} | {found} | {row.from_third_report} | {wrong} |"


def _scored(folder: Path, variant: Variant, seed: int, config: Config, models: Models) -> DayFigures:
    """Make a variant, replay the hours around the outages of the day, and compare."""
    with tempfile.TemporaryDirectory() as place:
        made = Path(place) / folder.name
        command = [sys.executable, str(GENERATOR), str(folder), "--out", str(made), "--seed", str(seed)]
        run = subprocess.run(  # noqa: S603 - our own generator
            [*command, *variant.switches], capture_output=True, text=True, check=False
        )
        if run.returncode:
            raise SourceError(run.stderr.strip()[-200:], source=str(folder), reason=Reason.FILE)
        plan = _plan(read_scenario(made), read_scenario(folder), config)
        # a day without its outage has the same place in the table as the others
        day = load_day(plan, Group.OUTAGE).day
        return score_day(day, _messages(plan, Path(place) / "day.db", models))


def _plan(made: Scenario, original: Scenario, config: Config) -> ReplayPlan:
    onsets = [o.onset + (made.start - original.start) for o in original.truth.outages]
    return ReplayPlan(
        scenario=made,
        config=config.model_copy(update={"watch": made.watch}),
        begin=max(made.start, min(onsets) - AROUND),
        until=min(made.end - made.step, max(onsets) + AROUND),
        step=made.step,
    )


def _messages(plan: ReplayPlan, db: Path, models: Models) -> list[AlertEntry]:
    sources, _ = load_recorded(plan.scenario, plan.config.catalogue)
    with Store(db, durable=False) as store:
        replay(store, plan, sources, {"file": NoChannel()}, models)
        return entries_of(store, plan.scenario.name)
