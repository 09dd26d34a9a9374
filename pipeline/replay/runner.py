"""Replay a recorded day through the same stages, stepped through its time.

Everything before `begin` is loaded and judged in one batch, without alerts; from there each step collects what
became public, tags, detects, explains and sends. A second replay into the same database offers every record again
and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from pipeline.config.load import Config
from pipeline.core.records import Run
from pipeline.detection.factory import make_detector
from pipeline.notify.channels import Channel
from pipeline.replay.scenario import RecordedSource, Scenario
from pipeline.replay.skip_ahead import Stride
from pipeline.stages.collect import run_collect
from pipeline.stages.explain.alerts import AlertingContext
from pipeline.stages.pipeline import Models, Stages
from pipeline.store import Store
from pipeline.store.runs import mark_simulated
from pipeline.store.verdicts import has_state


def replay(
    store: Store,
    config: Config,
    scenario: Scenario,
    sources: Sequence[RecordedSource],
    channels: Mapping[str, Channel],
    models: Models,
    *,
    begin: datetime,
    until: datetime,
    step: timedelta,
    every: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Run]:
    """Run the stages over [begin, until] and return the runs that did not go well.

    Steps in which nothing is new, due or open are left out, unless `every` step is asked for; the result is the same.
    """
    state: dict[str, Mapping[str, str]] = {source.name: {} for source in sources}
    telling = AlertingContext(since=begin, channels=tuple(channels), simulated=scenario.simulated)
    if scenario.simulated:
        mark_simulated(store, scenario.note)
    stages = Stages(store, config, models, channels, telling)
    troubles: list[Run] = []
    before, now = scenario.start, begin
    total = int((until - begin) / step) + 1
    # what a state from elsewhere will find cannot be foreseen
    stride = None if every or has_state(store) else Stride(sources, make_detector(config), begin, step)
    while now <= until:
        runs = []
        for source in sources:
            run, state[source.name] = run_collect(store, source, now, since=before, state=state[source.name])
            runs.append(run)
        runs += stages.step(before, now)
        troubles += [run for run in runs if run.outcome in ("error", "blocked") or run.rejected]
        before, now = now, stride.after(store, now, until) if stride else now + step
        progress(min(total, int((now - begin) / step)), total)
    return troubles
