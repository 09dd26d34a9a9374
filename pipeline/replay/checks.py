"""What is wrong with a scenario folder, a line each: what can be used is replayed all the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.core.catalogue import Catalogue
from pipeline.core.records import ComplaintCount, Record
from pipeline.core.times import iso

if TYPE_CHECKING:
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


def unknown_services(name: str, rows: Iterable[Record], catalogue: Catalogue) -> Iterator[str]:
    """Yield of a file's counts those of services that the catalogue lacks; nothing where it is empty."""
    counts = Counter(row.service for row in rows if isinstance(row, ComplaintCount))
    for service, many in sorted(counts.items()):
        if catalogue and service not in catalogue:
            yield f"{name}: {many} counts are of {service!r}, which is not in the catalogue"


def backward_clock(name: str, rows: Iterable[tuple[datetime, Record]]) -> Iterator[str]:
    """Yield that the rows of a file, in its order and each with its time, go back in time: they are sorted."""
    latest: dict[tuple[str, str, str], datetime] = {}
    back: list[tuple[datetime, datetime]] = []
    for at, row in rows:
        key = (row.service, row.region, row.indicator) if isinstance(row, ComplaintCount) else ("", "", "")
        if key in latest and at < latest[key]:
            back.append((latest[key], at))
        latest[key] = at
    if back:
        before, after = back[0]
        times = f"{len(back)} times" if len(back) > 1 else "once"
        yield f"{name}: the clock runs backwards {times}, first from {iso(before)} to {iso(after)}; rows are sorted"
