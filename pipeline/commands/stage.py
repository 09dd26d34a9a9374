"""The six stages as commands of their own, and together as one run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from pipeline.commands.common import (
    Setting,
    common,
    open_existing_store,
    open_store,
    parse_time,
    run_lock,
    tell_troubles,
)
from pipeline.config.load import resolve_near
from pipeline.config.paths import MODELS
from pipeline.core.errors import ConfigError
from pipeline.core.records import Run
from pipeline.core.times import iso, utc


def collect_sources(setting: Setting, store: Any, only: Sequence[str] = (), since: datetime | None = None) -> list[Run]:
    """Read the configured sources side by side, or those named in `only`."""
    from pipeline.http.session import HttpClient
    from pipeline.sources import build_sources
    from pipeline.stages.collect import collect_all

    seconds = setting.config.sources.deadline.total_seconds()
    client = HttpClient(allow=setting.config.sources.allow_hosts, deadline=seconds)
    sources = build_sources(setting.config, client, setting.config_path, only)
    if only and not sources:
        raise ConfigError(f"--source: nothing configured is called {', '.join(only)}; see groundswell doctor")
    return collect_all(store, sources, setting.now, deadline=seconds, since=since)


def _collect(setting: Setting, store: Any) -> list[Run]:
    return collect_sources(setting, store)


def _tag(setting: Setting, store: Any) -> list[Run]:
    from pipeline.stages.tag import run_tag
    from pipeline.store.observations import has_untagged
    from pipeline.store.runs import record_run
    from pipeline.text.models.outage import load
    from pipeline.text.services import ServiceMatcher

    if not has_untagged(store):
        # loading the model costs seconds that a quiet run need not pay; no other may be asked: it would read all anew
        quiet = Run(stage="tag", subject="posts", started=setting.now, outcome="ok")
        record_run(store, quiet)
        return [quiet]
    return [
        run_tag(
            store,
            ServiceMatcher(setting.config.catalogue),
            load(MODELS),
            setting.now,
            since=setting.now - timedelta(hours=1),
        )
    ]


def _detect(setting: Setting, store: Any) -> list[Run]:
    from pipeline.detection.factory import make_detector
    from pipeline.stages.detect import run_detect

    return [run_detect(store, make_detector(setting.config), setting.config.watched, setting.now)]


def _explain(setting: Setting, store: Any) -> list[Run]:
    from pipeline.stages.explain.alerts import AlertingContext
    from pipeline.stages.explain.stage import run_explain
    from pipeline.store.incidents import anything_to_explain
    from pipeline.store.runs import get_checkpoint, set_checkpoint, simulated
    from pipeline.text.models.kinds import RULES, NewsModel, load_news
    from pipeline.text.services import ServiceMatcher

    since = get_checkpoint(store, "alert", "since")
    if since is None:
        # the first run stores and learns; what is open already is told once, as already under way
        since = iso(setting.now)
        with store.transaction() as conn:
            set_checkpoint(conn, "alert", "since", since)
    telling = AlertingContext(
        since=utc(since), channels=setting.config.alerts.channels, simulated=simulated(store) is not None
    )
    matcher = ServiceMatcher(setting.config.catalogue)
    through = get_checkpoint(store, "explain", "through")
    # the model that reads headlines costs seconds to load, which a quiet run need not pay
    needed = through is None or anything_to_explain(store, utc(through))
    news = load_news(MODELS) if needed else NewsModel(RULES, "")
    return [run_explain(store, setting.config, matcher, news, telling, setting.now)]


def _alert(setting: Setting, store: Any) -> list[Run]:
    from pipeline.notify.channels import build_channels
    from pipeline.stages.alert.self_monitoring import self_alerts
    from pipeline.stages.alert.stage import delivery_of, run_alert
    from pipeline.store.outbox import put_alerts
    from pipeline.store.runs import set_checkpoint

    notes, said = self_alerts(store, setting.config, setting.now)
    if notes:
        with store.transaction() as conn:
            put_alerts(conn, notes)
            for key, value in said.items():
                set_checkpoint(conn, "alert", key, value)
    folder = resolve_near(setting.config_path, setting.config.alerts.folder)
    return [run_alert(store, build_channels(setting.config, folder), setting.now, delivery_of(setting.config))]


def _publish(setting: Setting, store: Any) -> list[Run]:
    from pipeline.stages.publish import run_publish
    from pipeline.store.runs import simulated

    folder, note = resolve_near(setting.config_path, setting.config.report), simulated(store)
    return [run_publish(store, setting.config, folder, setting.now, simulated=note is not None, note=note or "")]


def _tidy(setting: Setting, store: Any) -> list[Run]:
    from pipeline.stages.retention import tidy

    keep = setting.config.keep
    done = tidy(store, setting.now, words=keep.words, runs=keep.runs, refused=keep.refused)
    return [done] if done else []


STAGES: Mapping[str, Callable[[Setting, Any], list[Run]]] = {
    "collect": _collect,
    "tag": _tag,
    "detect": _detect,
    "explain": _explain,
    "alert": _alert,
    "publish": _publish,
    "tidy": _tidy,
}


def run_stages(setting: Setting, names: list[str]) -> list[Run]:
    """Run stages in order under the lock of the database; return what each did."""
    from pipeline.store.runs import rewind_future_clock

    with run_lock(setting.db), open_store(setting) as store:
        ahead = rewind_future_clock(store, setting.now)
        found = [run for name in names for run in STAGES[name](setting, store)]
    if ahead is not None:
        told = f"the last run was dated {iso(ahead)}, after now ({iso(setting.now)}): what it noted is undone; is the clock right?"
        found.append(Run(stage="run", subject="clock", started=setting.now, outcome="error", error=told))
    return found


def _command(name: str, words: str) -> click.Command:
    @click.command(name, help=words)
    @common
    def command(setting: Setting) -> None:
        sys.exit(tell_troubles(run_stages(setting, [name])))

    return command


@click.command("collect", help="Read every configured source once and store what is new.")
@click.option(
    "--source", "only", multiple=True, help="Only this source (status:claude) or kind (status); may be repeated."
)
@click.option("--since", help="Read back to this time, ISO with a zone, instead of to where it was last read.")
@common
def collect_command(setting: Setting, only: tuple[str, ...], since: str | None) -> None:
    start = parse_time(since, "--since")
    if start is not None and start >= setting.now:
        raise ConfigError("--since: lies in the future")
    with run_lock(setting.db), open_store(setting) as store:
        runs = collect_sources(setting, store, only, start)
    click.echo(
        f"{len(runs)} sources read, {sum(r.seen for r in runs)} rows seen, {sum(r.new for r in runs)} new,"
        f" {sum(r.rejected for r in runs)} refused"
    )
    sys.exit(tell_troubles(runs))


tag_command = _command("tag", "Read new posts: which service, outage or not, which part.")
detect_command = _command("detect", "Judge every new and complete bin.")
explain_command = _command("explain", "Build incidents and links; write what is worth telling to the outbox.")


@click.command("alert", help="Send what is due.")
@click.option(
    "--dry-run",
    type=click.Path(path_type=Path),
    help="Write what is due as .eml and .html into this folder instead; change nothing.",
)
@click.option("--retry-failed", "again", is_flag=True, help="Try again what was given up.")
@common
def alert_command(setting: Setting, dry_run: Path | None, again: bool) -> None:
    if again:
        from pipeline.store import must_exist
        from pipeline.store.outbox import try_again

        must_exist(setting.db)
        with run_lock(setting.db), open_store(setting) as store:
            click.echo(f"{try_again(store, setting.now)} messages are due again")
    if dry_run is None:
        sys.exit(tell_troubles(run_stages(setting, ["alert"])))
    click.echo(f"{_rehearse(setting, dry_run)} messages are due; see {dry_run}")


def _rehearse(setting: Setting, folder: Path) -> int:
    """Write what would be sent now as files without touching the database; return how many messages."""
    import tempfile
    from email import message_from_bytes, policy

    from pipeline.notify.channels import CHANNELS
    from pipeline.notify.channels.file import file_name
    from pipeline.stages.alert.stage import delivery_of, prepare
    from pipeline.store import Store
    from pipeline.store.outbox import copy_outbox, due_alerts

    with tempfile.TemporaryDirectory() as scratch, Store(Path(scratch) / "outbox.db", durable=False) as copy:
        with open_existing_store(setting) as store:
            copy_outbox(store, copy)
        prepare(copy, due_alerts(copy, setting.now), setting.now, delivery_of(setting.config))
        due = due_alerts(copy, setting.now)
    channel = CHANNELS["file"](setting.config, folder)
    for alert in due:
        channel.send(alert)
        path = folder / file_name(alert)
        body = message_from_bytes(path.read_bytes(), policy=policy.default).get_body(("html",))
        path.with_suffix(".html").write_text(str(body.get_content()) if body is not None else "", encoding="utf-8")
    return len(due)


publish_command = _command("publish", "Write the report.")
