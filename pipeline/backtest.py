"""Replay a recorded day through the same stages, stepped through its time.

Everything before `begin` is loaded and judged in one batch, without alerts; from there each step collects what
became public, tags, detects, explains and sends. A second replay into the same database offers every record again
and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from detectors import DETECTORS
from pipeline.channels import Channel
from pipeline.config import MODELS, Config
from pipeline.model import Run
from pipeline.sources.recorded import RecordedSource, Scenario
from pipeline.stages.alert import run_alert
from pipeline.stages.collect import run_collect
from pipeline.stages.detect import run_detect
from pipeline.stages.explain import run_explain
from pipeline.stages.tag import run_tag
from pipeline.store import Store
from pipeline.store.judged import has_state
from pipeline.store.runs import mark_simulated
from pipeline.stride import Stride
from pipeline.telling import Telling
from pipeline.text.classifier import OutageModel, load
from pipeline.text.kinds import NewsModel, load_news
from pipeline.text.services import ServiceMatcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The two models a run reads text with."""

    posts: OutageModel
    news: NewsModel


def load_models() -> Models:
    """Load both models; each falls back to rules alone."""
    return Models(posts=load(MODELS), news=load_news(MODELS))


def make_detector(config: Config) -> Any:
    """Return the configured detector; raises ConfigError on an unknown name or parameter."""
    from pipeline.errors import ConfigError

    if config.detector.name not in DETECTORS:
        raise ConfigError(f"detector.name: {config.detector.name!r} is unknown; one of {', '.join(DETECTORS)}")
    wrong = [key for key, value in config.detector.params.items() if isinstance(value, str)]
    if wrong:
        raise ConfigError(f"detector.params.{wrong[0]}: must be a number")
    try:
        return DETECTORS[config.detector.name](**config.detector.params)
    except TypeError as error:
        raise ConfigError(f"detector.params: {error}") from error


class Stages:
    """Everything after collecting, ready to be stepped: tag, detect, explain, alert, with the models loaded once."""

    def __init__(
        self, store: Store, config: Config, models: Models, channels: Mapping[str, Channel], telling: Telling
    ) -> None:
        """Raises ConfigError on an unknown detector."""
        self._store, self._config, self._models = store, config, models
        self._channels, self._telling = channels, telling
        self._matcher, self._detector = ServiceMatcher(config.catalogue), make_detector(config)

    def step(self, before: datetime, now: datetime) -> list[Run]:
        """Run the stages at a moment; what came since `before` is read again when the model has changed."""
        return [
            run_tag(self._store, self._matcher, self._models.posts, now, since=before),
            run_detect(self._store, self._detector, self._config.watched, now),
            run_explain(self._store, self._config, self._matcher, self._models.news, self._telling, now),
            run_alert(self._store, self._channels, now),
        ]


def replay(
    store: Store, config: Config, scenario: Scenario, sources: Sequence[RecordedSource], channels: Mapping[str, Channel],
    models: Models, *, begin: datetime, until: datetime, step: timedelta, every: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Run]:  # fmt: skip
    """Run the stages over [begin, until] and return the runs that did not go well.

    Steps in which nothing is new, due or open are left out, unless `every` step is asked for; the result is the same.
    """
    memory: dict[str, Mapping[str, str]] = {source.name: {} for source in sources}
    telling = Telling(since=begin, channels=tuple(channels), simulated=scenario.simulated)
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
            run, memory[source.name] = run_collect(store, source, now, since=before, memory=memory[source.name])
            runs.append(run)
        runs += stages.step(before, now)
        troubles += [run for run in runs if run.outcome in ("error", "blocked") or run.rejected]
        before, now = now, stride.after(store, now, until) if stride else now + step
        progress(min(total, int((now - begin) / step)), total)
    return troubles
