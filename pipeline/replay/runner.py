"""Replay a recorded day through the same pipeline, stepped through its time.

Everything before `begin` is loaded and judged in one batch, without alerts; from there each step collects what
became public, tags, detects, explains and sends. A second replay into the same database offers every record again
and changes nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.config.settings import Config
from pipeline.core.records import Run
from pipeline.notify.channels import Channel
from pipeline.notify.channels.file import NoChannel
from pipeline.replay.read_ahead import ReadAhead
from pipeline.replay.recorded_source import RecordedSource
from pipeline.replay.scenario import Scenario
from pipeline.replay.skip_ahead import SkipAhead
from pipeline.stages.collect import RecordedCollection
from pipeline.stages.pipeline import ALL, Models, Pipeline, Stage
from pipeline.store import Store
from pipeline.store.detector_state import has_state
from pipeline.store.runs import mark_simulated
from pipeline.store.verdicts import holding_verdicts, write_held_verdicts

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


@dataclass(frozen=True, slots=True, kw_only=True)
class FinerReplay:
    """A span of a replay that is replayed in smaller steps, too, in a copy of the database that nobody keeps.

    It goes on from what the steps before `begin` found. `found` is called with the copy after each step; the copy is
    given up as soon as it returns True, and after `until`.
    """

    begin: datetime
    until: datetime
    step: timedelta
    found: Callable[[Store], bool]


def replay(
    store: Store,
    plan: ReplayPlan,
    sources: Sequence[RecordedSource],
    channels: Mapping[str, Channel],
    models: Models,
    progress: Callable[[int, int], None] = lambda done, total: None,
    finer: FinerReplay | None = None,
) -> list[Run]:
    """Run the pipeline over [begin, until] and return the runs that did not go well.

    `progress` is called after each step with (whole steps passed, all steps). `finer` is replayed before the first
    step at or after its begin.
    """
    if plan.scenario.simulated:
        mark_simulated(store, plan.scenario.note)
    collect = RecordedCollection(sources)
    pipeline = Pipeline(
        store=store,
        config=plan.config,
        models=models,
        channels=lambda: channels,
        collect=collect,
        report=plan.report,
        alerting_since=plan.begin,
        leaves_out_steps=True,
        read_posts=ReadAhead(sources, plan.until),
    )
    troubles: list[Run] = []
    before, now = plan.scenario.start, plan.begin
    total = int((plan.until - plan.begin) / plan.step) + 1
    # what a state from elsewhere will find cannot be foreseen
    replayed_before = has_state(store)
    ahead = None if plan.every or replayed_before else SkipAhead(pipeline, sources, plan.begin, plan.step)
    pipeline.foresight = ahead.forecast if ahead is not None else None
    with store.kept.keeping(), holding_verdicts(store):
        try:
            while now <= plan.until:
                if finer is not None and now >= finer.begin:
                    if replayed_before:
                        _replay_finer_anew(pipeline, RecordedCollection(sources), finer, plan.scenario.start)
                    else:
                        _replay_finer(pipeline, collect.branch(), finer, before)
                    finer = None
                if ahead is not None:
                    ahead.prepare(now, plan.until)
                with store.together():
                    runs = pipeline.run(now, EACH_STEP, since=before)
                troubles += [run for run in runs if run.outcome in ("error", "blocked") or run.rejected]
                before, now = now, ahead.next_step(store, now, plan.until) if ahead else now + plan.step
                progress(min(total, int((now - plan.begin) / plan.step)), total)
        finally:
            write_held_verdicts(store)  # before the states, which say that those bins are judged
            pipeline.states.write(store)
    pipeline.run(plan.until, (Stage.PUBLISH,))
    return troubles


def _replay_finer(pipeline: Pipeline, collect: RecordedCollection, finer: FinerReplay, before: datetime) -> None:
    """Replay a span in smaller steps in a copy of a pipeline's database; `before` is the last step taken there."""
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "finer.db", durable=False) as copy:
        write_held_verdicts(pipeline.store)
        pipeline.store.copy_into(copy)
        pipeline.states.write(copy)
        _take_steps(replace(pipeline, store=copy, collect=collect), finer, before)


def _replay_finer_anew(pipeline: Pipeline, collect: RecordedCollection, finer: FinerReplay, start: datetime) -> None:
    """Replay a span in smaller steps in an empty database, with all from `start` to its begin as one batch.

    For a database that was replayed before: what it holds of later times would be found at once.
    """
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "finer.db", durable=False) as empty:
        empty.put_catalogue(pipeline.config.catalogue, pipeline.config.watched)
        _take_steps(replace(pipeline, store=empty, collect=collect, alerting_since=finer.begin), finer, start)


def _take_steps(pipeline: Pipeline, finer: FinerReplay, before: datetime) -> None:
    channels: Mapping[str, Channel] = {"file": NoChannel()}
    pipeline = replace(pipeline, channels=lambda: channels)
    store, now = pipeline.store, finer.begin
    with store.kept.keeping():
        while now <= finer.until:
            with store.together():
                pipeline.run(now, EACH_STEP, since=before)
            if finer.found(store):
                break
            before, now = now, now + finer.step
