"""A recorded folder as a day of the benchmark, and what every published rule says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.evaluation.days.entries import AlertEntry, KnownDay
from pipeline.evaluation.days.recording import ServiceRecording, first_notices, recordings
from pipeline.evaluation.days.rules import RULES
from pipeline.evaluation.days.scoring import BenchDay, Group
from pipeline.replay.runner import ReplayPlan
from pipeline.replay.scenario import Scenario
from pipeline.replay.scenario_sources import load_recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedDay:
    """A day to be scored, and what it holds of each service."""

    day: BenchDay
    recorded: Mapping[str, ServiceRecording]

    @property
    def known(self) -> KnownDay:
        """Return what a file of alerts is checked against."""
        return KnownDay(name=self.day.name, begin=self.day.begin, until=self.day.until, watched=self.day.watched)

    def by_rule(self) -> dict[str, list[AlertEntry]]:
        """Return the messages of each published rule."""
        return {
            name: [entry for service in self.recorded.values() for entry in rule(service)]
            for name, rule in RULES.items()
        }


def load_day(plan: ReplayPlan, group: Group | None = None) -> LoadedDay:
    """Read a recorded folder; without a `group`, its truth.toml and scenario.toml say of what sort it is."""
    scenario, catalogue = plan.scenario, plan.config.catalogue
    watched = plan.scenario.watch or tuple(plan.config.watched)
    sources, _ = load_recorded(scenario, catalogue)
    recorded = recordings(sources, catalogue, watched, (plan.begin, plan.until), plan.step)
    day = BenchDay(
        name=scenario.name,
        group=group or _group(scenario),
        begin=plan.begin,
        until=plan.until,
        watched=tuple(watched),
        truth=scenario.truth,
        notices=first_notices(recorded),
    )
    return LoadedDay(day=day, recorded=recorded)


def _group(scenario: Scenario) -> Group:
    """Return the group of a day: one without outages is a quiet week."""
    if scenario.truth.outages:
        return Group.BLIND_OUTAGE if scenario.blind else Group.OUTAGE
    return Group.BLIND_QUIET if scenario.blind else Group.QUIET
