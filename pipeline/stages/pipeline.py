"""The stages wired together, with the models they need loaded once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.config.load import Config
from pipeline.config.paths import MODELS
from pipeline.core.records import Run
from pipeline.detection.factory import make_detector
from pipeline.notify.channels import Channel
from pipeline.stages.alert.stage import run_alert
from pipeline.stages.detect import run_detect
from pipeline.stages.explain.alerts import AlertingContext
from pipeline.stages.explain.stage import run_explain
from pipeline.stages.tag import run_tag
from pipeline.store import Store
from pipeline.text.models.kinds import NewsModel, load_news
from pipeline.text.models.outage import OutageModel, load
from pipeline.text.services import ServiceMatcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The two models a run reads text with."""

    posts: OutageModel
    news: NewsModel


def load_models() -> Models:
    """Load both models; each falls back to rules alone."""
    return Models(posts=load(MODELS), news=load_news(MODELS))


class Stages:
    """Everything after collecting, ready to be stepped: tag, detect, explain, alert, with the models loaded once."""

    def __init__(
        self, store: Store, config: Config, models: Models, channels: Mapping[str, Channel], telling: AlertingContext
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
