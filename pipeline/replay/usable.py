"""What is wrong with a scenario's head and truth, a line each: what can be used is replayed all the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from pipeline.core.catalogue import Catalogue
from pipeline.replay.scenario import Scenario


def usable(scenario: Scenario, catalogue: Catalogue) -> tuple[Scenario, list[str]]:
    """Return a scenario without the services that the catalogue lacks and without repetitions, and a line for each."""
    where = scenario.folder / "scenario.toml"
    problems = [*scenario.truth.problems]
    problems += [f"{where}: watch: {name} is not in the catalogue; left out" for name in _unknown(scenario, catalogue)]
    problems += [f"{where}: watch: {name} is named {n} times" for name, n in Counter(scenario.watch).items() if n > 1]
    watch = tuple(name for name in dict.fromkeys(scenario.watch) if name in catalogue)
    truth, path = scenario.truth, scenario.folder / "truth.toml"
    listed = {*(o.service for o in truth.outages), *(q.service for q in truth.quiet)}
    problems += [f"{path}: {name} is not in the catalogue; left out" for name in sorted(listed - set(catalogue))]
    truth = replace(
        truth,
        outages=tuple(o for o in truth.outages if o.service in catalogue),
        quiet=tuple(q for q in truth.quiet if q.service in catalogue),
    )
    return replace(scenario, watch=watch, truth=truth), problems


def _unknown(scenario: Scenario, catalogue: Catalogue) -> list[str]:
    return [name for name in dict.fromkeys(scenario.watch) if name not in catalogue]
