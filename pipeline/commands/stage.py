"""The six stages as commands of their own, and together as one run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import click

from pipeline.commands.common import Setting, common, open_store, run_lock, tell_troubles
from pipeline.config import MODELS, resolve_near
from pipeline.model import Run, iso, utc


def _collect(setting: Setting, store: Any) -> list[Run]:
    from pipeline.fetch import Fetcher
    from pipeline.sources import SOURCES
    from pipeline.stages.collect import run_collect

    fetcher = Fetcher(allow_private=setting.config.sources.allow_private)
    sources = [s for build in SOURCES.values() for s in build(setting.config, fetcher, setting.config_path)]
    return [run_collect(store, source, setting.now)[0] for source in sources]


def _tag(setting: Setting, store: Any) -> list[Run]:
    from pipeline.stages.tag import run_tag
    from pipeline.store.collected import has_untagged
    from pipeline.text.classifier import OutageModel, load
    from pipeline.text.kinds import RULES
    from pipeline.text.services import ServiceMatcher

    # loading the model costs seconds that a quiet run need not pay
    if not has_untagged(store):
        return [run_tag(store, ServiceMatcher({}), OutageModel(RULES, ""), setting.now, since=setting.now)]
    return [run_tag(store, ServiceMatcher(setting.config.catalogue), load(MODELS), setting.now,
                    since=setting.now - timedelta(hours=1))]  # fmt: skip


def _detect(setting: Setting, store: Any) -> list[Run]:
    from pipeline.backtest import make_detector
    from pipeline.stages.detect import run_detect

    return [run_detect(store, make_detector(setting.config), setting.config.watched, setting.now)]


def _explain(setting: Setting, store: Any) -> list[Run]:
    from pipeline.stages.explain import Telling, run_explain
    from pipeline.store.runs import put_stage_note, stage_note
    from pipeline.store.story import anything_to_explain
    from pipeline.text.kinds import RULES, NewsModel, load_news
    from pipeline.text.services import ServiceMatcher

    since = stage_note(store, "alert", "since")
    if since is None:
        # the first run stores and learns; what is open already is told once, as already under way
        since = iso(setting.now)
        with store.transaction() as conn:
            put_stage_note(conn, "alert", "since", since)
    telling = Telling(since=utc(since), channels=setting.config.alerts.channels)
    matcher = ServiceMatcher(setting.config.catalogue)
    through = stage_note(store, "explain", "through")
    # the model that reads headlines costs seconds to load, which a quiet run need not pay
    needed = through is None or anything_to_explain(store, utc(through))
    news = load_news(MODELS) if needed else NewsModel(RULES, "")
    return [run_explain(store, setting.config, matcher, news, telling, setting.now)]


def _alert(setting: Setting, store: Any) -> list[Run]:
    from pipeline.channels import build_channels
    from pipeline.stages.alert import run_alert

    folder = resolve_near(setting.config_path, setting.config.alerts.folder)
    return [run_alert(store, build_channels(setting.config, folder), setting.now)]


def _publish(setting: Setting, store: Any) -> list[Run]:
    from pipeline.stages.publish import run_publish

    folder = resolve_near(setting.config_path, setting.config.report)
    return [run_publish(store, setting.config, folder, setting.now, simulated=False)]


STAGES: Mapping[str, Callable[[Setting, Any], list[Run]]] = {
    "collect": _collect, "tag": _tag, "detect": _detect, "explain": _explain, "alert": _alert, "publish": _publish,
}  # fmt: skip


def run_stages(setting: Setting, names: list[str]) -> list[Run]:
    """Run stages in order under the lock of the database; return what each did."""
    with run_lock(setting.db), open_store(setting) as store:
        return [run for name in names for run in STAGES[name](setting, store)]


def _command(name: str, words: str) -> click.Command:
    @click.command(name, help=words)
    @common
    def command(setting: Setting) -> None:
        sys.exit(tell_troubles(run_stages(setting, [name])))

    return command


collect_command = _command("collect", "Read every configured source once and store what is new.")
tag_command = _command("tag", "Read new posts: which service, outage or not, which part.")
detect_command = _command("detect", "Judge every new and complete bin.")
explain_command = _command("explain", "Build incidents and links; write what is worth telling to the outbox.")
alert_command = _command("alert", "Send what is due.")
publish_command = _command("publish", "Write the report.")
