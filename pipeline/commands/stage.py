"""The six stages as commands of their own, and together as one run."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.clock_guard import ClockGuard
from pipeline.commands.common import (
    Setting,
    common,
    open_store,
    open_store_to_read,
    parse_since,
    print_failures,
    run_lock,
    salted,
)
from pipeline.commands.terminal import elapsed_time
from pipeline.config.load import resolve_near
from pipeline.config.validation_words import nearest
from pipeline.core.errors import ConfigError
from pipeline.core.quantities import quantity
from pipeline.core.records import Run, source_kind

if TYPE_CHECKING:
    from pipeline.http.kept_bodies import BodyKeeper
    from pipeline.notify.channels import Channel
    from pipeline.stages.pipeline import Pipeline
    from pipeline.store import Store


def live_pipeline(
    setting: Setting,
    store: Store,
    only: Sequence[str] = (),
    *,
    keeper: BodyKeeper | None = None,
    guard: ClockGuard | None = None,
) -> Pipeline:
    """Return the pipeline over the configured sources, or those named in `only`, and the configured channels.

    `keeper` writes what the sources are answered into a folder. `guard` checks the clock before anything is stored.
    """
    from pipeline.stages.pipeline import Models, Pipeline

    def channels() -> Mapping[str, Channel]:
        from pipeline.notify.channels import build_channels

        return build_channels(setting.config, folder)

    folder = resolve_near(setting.config_path, setting.config.alerts.folder)
    guard = guard or ClockGuard(setting, store)
    return Pipeline(
        store=store,
        config=setting.config,
        models=Models(),
        channels=channels,
        collect=lambda store, now, since: _collect(setting, store, only, since, guard=guard, keeper=keeper),
        report=resolve_near(setting.config_path, setting.config.report.folder),
    )


def _collect(
    setting: Setting,
    store: Store,
    only: Sequence[str],
    since: datetime | None,
    *,
    guard: ClockGuard,
    keeper: BodyKeeper | None,
) -> list[Run]:
    """Read the sources side by side, and correct what an earlier clock noted before anything is stored.

    Raises ConfigError when `only` names none that is configured, ClockError where the clock is wrong.
    """
    from pipeline.sources import build_sources, configured_kinds
    from pipeline.stages.collect import collect_all

    if not only and not configured_kinds(setting.config):
        with guard.collecting():
            guard.correct()
        return []
    from pipeline.http.session import HttpClient

    seconds = setting.config.sources.deadline.total_seconds()
    client = HttpClient(
        allow=setting.config.sources.allow_hosts,
        deadline=seconds,
        contact=setting.config.sources.contact,
        keeper=keeper,
        clocks=guard.servers,
    )
    sources = build_sources(setting.config, client, setting.config_path, only)
    if only and not sources:
        known = {
            name
            for source in build_sources(setting.config, client, setting.config_path)
            for name in (source.name, source_kind(source.name))
        }
        raise ConfigError(f"--source: nothing configured is called {', '.join(only)}{nearest(only[0], known)}")
    with guard.collecting():
        return collect_all(
            store,
            sources,
            setting.now,
            deadline=seconds,
            since=since,
            clocks=guard.servers,
            before_storing=guard.correct,
        )


def run_stages(setting: Setting, names: Sequence[str] = ()) -> list[Run]:
    """Run the named stages, or all, in order under the lock of the database; return what each did."""
    with run_lock(setting.db), open_store(setting) as store:
        return run_in(setting, store, names)


def run_in(setting: Setting, store: Store, names: Sequence[str] = ()) -> list[Run]:
    """Run the named stages, or all, in order on an open database whose lock is held; return what each did."""
    from pipeline.stages.pipeline import ALL, Stage

    stages = tuple(map(Stage, names)) or ALL
    guard = ClockGuard(setting, store)
    if Stage.COLLECT not in stages:
        guard.correct_without_servers()
    return [*live_pipeline(salted(setting, store), store, guard=guard).run(setting.now, stages), guard.result()]


def _command(name: str, words: str) -> click.Command:
    @click.command(name, help=words)
    @common
    def command(setting: Setting) -> None:
        with elapsed_time(name):
            runs = run_stages(setting, [name])
        sys.exit(print_failures(runs))

    return command


@click.command("collect", help="Read every configured source once and store what is new.")
@click.option(
    "--source", "only", multiple=True, help="Only this source (status:claude) or kind of source (status). Repeatable."
)
@click.option("--since", help="Read back to this time, date or duration (2d) instead of to the last reading.")
@click.option(
    "--keep-bodies",
    "kept",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep every raw answer in this folder, with address, time, status and headers, without keys and cookies."
    " `groundswell parse FILE` reads them.",
)
@common
def collect_command(setting: Setting, only: tuple[str, ...], since: str | None, kept: Path | None) -> None:
    from pipeline.http.kept_bodies import BodyKeeper
    from pipeline.stages.pipeline import Stage

    start = parse_since(since, setting.now) if since else None
    if start is not None and start >= setting.now:
        raise ConfigError("--since: is in the future")
    keeper = BodyKeeper(kept, setting.now, setting.config.secrets.values()) if kept else None
    with run_lock(setting.db), elapsed_time("collect"), open_store(setting) as store:
        guard = ClockGuard(setting, store)
        pipeline = live_pipeline(salted(setting, store), store, only, keeper=keeper, guard=guard)
        runs = pipeline.run(setting.now, (Stage.COLLECT,), since=start)
    click.echo(
        f"{quantity(len(runs), 'source')} read, {quantity(sum(r.seen for r in runs), 'row')} seen,"
        f" {sum(r.new for r in runs)} new, {sum(r.rejected for r in runs)} refused"
    )
    if keeper is not None:
        more = f"; {keeper.left_out} more were left out" if keeper.left_out else ""
        click.echo(f"{keeper.kept} answers kept in {keeper.folder}{more}")
    sys.exit(print_failures([*runs, guard.result()]))


tag_command = _command("tag", "Classify new posts: service, outage or not, component.")
detect_command = _command("detect", "Run the detector on every new, complete bin of counts.")
explain_command = _command("explain", "Build incidents and their links to news; write messages to the outbox.")


@click.command("alert", help="Send the messages that are due.")
@click.option(
    "--dry-run",
    type=click.Path(path_type=Path),
    help="Write due messages as .eml and .html into this folder instead; change nothing.",
)
@click.option("--retry-failed", "again", is_flag=True, help="Retry messages that were given up.")
@common
def alert_command(setting: Setting, dry_run: Path | None, again: bool) -> None:
    if again:
        from pipeline.store import must_exist
        from pipeline.store.outbox import try_again

        must_exist(setting.db)
        with run_lock(setting.db), open_store(setting) as store:
            click.echo(f"{quantity(try_again(store, setting.now), 'message')} due again")
    if dry_run is None:
        sys.exit(print_failures(run_stages(setting, ["alert"])))
    click.echo(f"{quantity(_rehearse(setting, dry_run), 'message')} due; see {dry_run}")


def _rehearse(setting: Setting, folder: Path) -> int:
    """Write what would be sent now as files without touching the database; return how many messages."""
    import tempfile
    from email import message_from_bytes, policy

    from pipeline.core.files import OWN, write_atomically
    from pipeline.notify.channels import CHANNELS
    from pipeline.notify.channels.file import file_name
    from pipeline.stages.alert.prepare import delivery_of, prepare
    from pipeline.store import Store
    from pipeline.store.outbox import copy_outbox, due_alerts

    with tempfile.TemporaryDirectory() as scratch, Store(Path(scratch) / "outbox.db", durable=False) as copy:
        with open_store_to_read(setting) as store:
            copy_outbox(store, copy)
        prepare(copy, due_alerts(copy, setting.now), setting.now, delivery_of(setting.config))
        due = due_alerts(copy, setting.now)
    channel = CHANNELS["file"](setting.config, folder)
    for alert in due:
        channel.send(alert)
        path = folder / file_name(alert)
        body = message_from_bytes(path.read_bytes(), policy=policy.default).get_body(("html",))
        shown = str(body.get_content()) if body is not None else ""
        write_atomically(path.with_suffix(".html"), shown, mode=OWN)
    return len(due)


publish_command = _command("publish", "Write the report.")
