"""Replay a recorded day through the same pipeline, stepped through its time.

Everything before `begin` is loaded and judged in one batch, without alerts; from there each step collects what
became public, tags, detects, explains and sends. A second replay into the same database offers every record again
and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.config.settings import Config
from pipeline.core.records import Run
from pipeline.notify.channels import Channel
from pipeline.replay.scenario import RecordedSource, Scenario
from pipeline.replay.skip_ahead import SkipAhead
from pipeline.stages.collect import RecordedCollection
from pipeline.stages.pipeline import ALL, Models, Pipeline, Stage
from pipeline.store import Store
from pipeline.store.runs import mark_simulated
from pipeline.store.verdicts import has_state

# the report shows the newest state only: it is written once, after the last step
EACH_STEP = tuple(stage for stage in ALL if stage is not Stage.PUBLISH)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayPlan:
    """What to replay, and over which span.

    every: take the steps in which nothing is new, due or open, too; the result is the same.
    report: the folder of the report that is written at the end; None for none.
    problems: what is wrong with the scenario, a line each; it is replayed without.
    """

    scenario: Scenario
    config: Config
    begin: datetime
    until: datetime
    step: timedelta
    every: bool = False
    report: Path | None = None
    problems: tuple[str, ...] = ()


def replay(
    store: Store,
    plan: ReplayPlan,
    sources: Sequence[RecordedSource],
    channels: Mapping[str, Channel],
    models: Models,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Run]:
    """Run the pipeline over [begin, until] and return the runs that did not go well.

    `progress` is called after each step with (whole steps passed, all steps).
    """
    if plan.scenario.simulated:
        mark_simulated(store, plan.scenario.note)
    pipeline = Pipeline(
        store=store,
        config=plan.config,
        models=models,
        channels=lambda: channels,
        collect=RecordedCollection(sources),
        report=plan.report,
        alerting_since=plan.begin,
        leaves_out_steps=True,
    )
    troubles: list[Run] = []
    before, now = plan.scenario.start, plan.begin
    total = int((plan.until - plan.begin) / plan.step) + 1
    # what a state from elsewhere will find cannot be foreseen
    ahead = None if plan.every or has_state(store) else SkipAhead(pipeline, sources, plan.begin, plan.step)
    with store.kept.keeping():
        try:
            while now <= plan.until:
                with store.together():
                    runs = pipeline.run(now, EACH_STEP, since=before)
                troubles += [run for run in runs if run.outcome in ("error", "blocked") or run.rejected]
                before, now = now, ahead.next_step(store, now, plan.until) if ahead else now + plan.step
                progress(min(total, int((now - plan.begin) / plan.step)), total)
        finally:
            pipeline.states.write()
    pipeline.run(plan.until, (Stage.PUBLISH,))
    return troubles
