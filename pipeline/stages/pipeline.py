"""The stages wired together once: a live run, a single stage's command and a replay all step through this.

A stage is imported when it has something to do: whoever starts a run from cron pays for every import each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config.paths import MODELS
from pipeline.config.settings import Config
from pipeline.core.records import Run
from pipeline.core.times import iso, utc
from pipeline.stages.alert.prepare import delivery_of
from pipeline.stages.alert.self_monitoring import self_alerts
from pipeline.stages.alert.stage import run_alert
from pipeline.stages.detect.due import judge_nothing, note_unchanged
from pipeline.stages.explain.due import explain_nothing
from pipeline.stages.retention import tidy
from pipeline.store import Store
from pipeline.store.clock import follows_pause
from pipeline.store.observations import count_posts, has_untagged
from pipeline.store.outbox import next_due, put_alerts
from pipeline.store.runs import get_checkpoint, record_run, set_checkpoint, simulated

if TYPE_CHECKING:
    from detectors.contract import Detector
    from pipeline.detection.foreseen import Foresight
    from pipeline.detection.held_states import DetectorStates
    from pipeline.notify.channels import Channel
    from pipeline.stages.tag import PostReader
    from pipeline.text.models.kinds import NewsModel
    from pipeline.text.models.outage import OutageModel
    from pipeline.text.services import ServiceMatcher

POSTS_COUNTED = timedelta(hours=1)  # as far back as a live run counts the posts that the tag stage was offered


class Stage(StrEnum):
    """The stages of a run, in order."""

    COLLECT = "collect"
    TAG = "tag"
    DETECT = "detect"
    EXPLAIN = "explain"
    ALERT = "alert"
    PUBLISH = "publish"
    TIDY = "tidy"


ALL = tuple(Stage)

Collect = Callable[[Store, datetime, datetime | None], list[Run]]
"""Reads the sources: (store, now, since) to one run a source; `since` None reads from where each was last read to."""


class Models:
    """The two models a run reads text with, each loaded when first asked for: loading costs seconds."""

    @cached_property
    def posts(self) -> OutageModel:
        """The model that tells whether a post reports an outage; rules alone where its file is of no use."""
        from pipeline.text.models.outage import load

        return load(MODELS)

    @cached_property
    def news(self) -> NewsModel:
        """The model that tells what kind of news a headline is; rules alone where its file is of no use."""
        from pipeline.text.models.kinds import load_news

        return load_news(MODELS)

    @property
    def posts_loaded(self) -> bool:
        """Return whether asking `posts` costs nothing any more."""
        return "posts" in vars(self)


def load_models() -> Models:
    """Load both models now; each falls back to rules alone."""
    models = Models()
    _ = models.posts, models.news
    return models


@dataclass(kw_only=True)
class Pipeline:
    """One store, one configuration and one detector, stepped through time by `run`.

    The last five fields are where a replay differs from a live run, besides its recorded sources:
    report: the folder of the report; None publishes nothing. A replay publishes once, at its end.
    alerting_since: what began earlier never alerts; None: since the first live run, as the store remembers it.
    leaves_out_steps: steps in which nothing happens are not taken, so that a pause is no missed run.
    read_posts: reads posts, some of them before their time; None: as they come.
    foresight: knows the counts that were judged before their time; None: none were.
    """

    store: Store
    config: Config
    models: Models
    channels: Callable[[], Mapping[str, Channel]]  # built when something is to be sent: no other stage needs them
    collect: Collect
    report: Path | None = None
    alerting_since: datetime | None = None
    leaves_out_steps: bool = False
    read_posts: PostReader | None = None
    foresight: Foresight | None = None

    @cached_property
    def detector(self) -> Detector:
        """The configured detector. Raises ConfigError on an unknown one."""
        from pipeline.detection.factory import make_detector

        return make_detector(self.config)

    @cached_property
    def states(self) -> DetectorStates:
        """The detector's states; those of a replay stay in memory until they are written."""
        from pipeline.detection.held_states import DetectorStates

        return DetectorStates(self.store, in_memory=self.leaves_out_steps, foresight=self.foresight)

    @cached_property
    def _matcher(self) -> ServiceMatcher:
        from pipeline.text.services import ServiceMatcher

        return ServiceMatcher(self.config.catalogue)

    @cached_property
    def _simulated(self) -> str | None:
        return simulated(self.store)

    @cached_property
    def _channels(self) -> Mapping[str, Channel]:
        return self.channels()

    def run(self, now: datetime, stages: Sequence[Stage] = ALL, *, since: datetime | None = None) -> list[Run]:
        """Run stages at a moment, in the given order; return what each did, one entry a source for collect.

        `since` is from when the sources are read; None: from where each was last read to.
        """
        steps: Mapping[Stage, Callable[[], list[Run]]] = {
            Stage.COLLECT: lambda: self.collect(self.store, now, since),
            Stage.TAG: lambda: [self._tag(now, since or now - POSTS_COUNTED)],
            Stage.DETECT: lambda: [self._detect(now)],
            Stage.EXPLAIN: lambda: [self._explain(now)],
            Stage.ALERT: lambda: [self._alert(now)],
            Stage.PUBLISH: lambda: self._publish(now),
            Stage.TIDY: lambda: self._tidy(now),
        }
        return [run for stage in stages for run in steps[stage]()]

    def _tag(self, now: datetime, since: datetime) -> Run:
        if self.models.posts_loaded or has_untagged(self.store):
            from pipeline.stages.tag import run_tag

            return run_tag(self.store, self._matcher, self.models.posts, now, since=since, read=self.read_posts)
        # a quiet run need not load the model, and what another model has read waits until this one is loaded
        offered = count_posts(self.store, since, now)
        quiet = Run(stage="tag", subject="posts", started=now, outcome="ok", seen=offered)
        record_run(self.store, quiet)
        return quiet

    def _detect(self, now: datetime) -> Run:
        if not self.leaves_out_steps and (quiet := judge_nothing(self.store, self.config, now)) is not None:
            return quiet
        from pipeline.stages.detect.stage import run_detect

        run = run_detect(self.store, self.detector, self.config.watched, now, self.states)
        if not self.leaves_out_steps and not run.new and not run.error:
            note_unchanged(self.store, self.config, now)
        return run

    def _explain(self, now: datetime) -> Run:
        since = self.alerting_since or self._first_run(now)
        if (quiet := explain_nothing(self.store, now)) is not None:
            return quiet
        from pipeline.stages.explain.alerts import AlertingContext
        from pipeline.stages.explain.stage import run_explain

        telling = AlertingContext(
            since=since,
            channels=self.config.alerts.channels,
            simulated=self._simulated is not None,
            resolves=self.leaves_out_steps or not follows_pause(self.store, now),
        )
        alarm = self.detector.alarm
        return run_explain(self.store, self.config, self._matcher, lambda: self.models.news, telling, now, alarm=alarm)

    def _first_run(self, now: datetime) -> datetime:
        """Return when this database was first explained: what was open by then is told once, as already under way."""
        known = get_checkpoint(self.store, "alert", "since")
        if known is not None:
            return utc(known)
        with self.store.transaction() as conn:
            set_checkpoint(conn, "alert", "since", iso(now))
        return now

    def _alert(self, now: datetime) -> Run:
        notes, checkpoints = self_alerts(self.store, self.config, now, missed_runs=not self.leaves_out_steps)
        if notes:
            with self.store.transaction() as conn:
                put_alerts(conn, notes)
                for key, value in checkpoints.items():
                    set_checkpoint(conn, "alert", key, value)
        due = next_due(self.store)
        channels = self._channels if due is not None and due <= now else {}
        return run_alert(self.store, channels, now, delivery_of(self.config))

    def _publish(self, now: datetime) -> list[Run]:
        if self.report is None:
            return []
        from pipeline.stages.publish.stage import run_publish

        note = self._simulated
        return [run_publish(self.store, self.config, self.report, now, simulated=note is not None, note=note or "")]

    def _tidy(self, now: datetime) -> list[Run]:
        keep = self.config.keep
        done = tidy(self.store, now, keep)
        return [done] if done else []
