"""`groundswell doctor`: ask every configured source for real, change nothing, say what is wrong and what to do."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click

from pipeline.commands.clock_guard import clock_findings
from pipeline.commands.common import NO_CHANNEL, Setting, common, lock_path
from pipeline.commands.doctor_sources import key_findings, service_findings, source_findings
from pipeline.commands.findings import Finding, Level, exit_code, findings_json, print_findings
from pipeline.config.load import resolve_near
from pipeline.config.paths import MODELS
from pipeline.core.errors import ChannelError, ConfigError, StoreError
from pipeline.core.files import must_be_writable

LITTLE_SPACE = 500 * 2**20
RECENT = timedelta(days=7)


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, schema 1.")
@click.option("--offline", is_flag=True, help="Do not connect to any source or channel.")
@click.option("--source", "only", multiple=True, help="Only this source or kind of source. Repeatable.")
@common
def doctor_command(setting: Setting, as_json: bool, offline: bool, only: tuple[str, ...]) -> None:
    """Connect to every channel and source, and check the database. Sends nothing and changes nothing.

    Exit codes: 0 all is well, 3 something needs attention, 1 runs cannot work or messages do not arrive.
    """
    from pipeline.sources import SOURCES

    findings = [
        *_here(setting),
        *_written_places(setting),
        *_outbox(setting),
        *channel_findings(setting, offline=offline),
        *service_findings(setting, SOURCES),
        *key_findings(setting.config, SOURCES),
        *(clock_findings(setting, None) if offline else ()),
        *(() if offline else source_findings(setting, only, SOURCES)),
    ]
    if as_json:
        click.echo(findings_json(findings))
    else:
        print_findings(findings)
    sys.exit(exit_code(findings))


def _here(setting: Setting) -> Iterator[Finding]:
    """Look at what lies on this machine."""
    from pipeline.sources.author_keys import salt_in_words
    from pipeline.store import health
    from pipeline.text.models.checks import model_problems

    yield Finding(Level.OK, "configuration", str(setting.config_path or "none, the defaults"))
    folder = setting.db.absolute().parent
    if not setting.db.exists():
        yield Finding(Level.NOTE, "database", f"{setting.db}: none yet; the first run makes it")
    else:
        try:
            state, last = health(setting.db)
        except StoreError as error:
            yield Finding(Level.FAIL, "database", str(error), "groundswell repair, or restore a copy")
        else:
            whole = state == "ok"
            words = f"{setting.db}: {state}, last run {last}"
            remedy = "" if whole else "groundswell repair, or restore a copy"
            yield Finding(Level.OK if whole else Level.FAIL, "database", words, remedy)
        if setting.db.stat().st_mode & 0o004:
            words = f"{setting.db}: every user of this machine can read what people wrote"
            yield Finding(Level.NOTE, "database", words, f"chmod 600 {setting.db}")
        yield from _lock(setting.db)
    yield Finding(Level.OK, "authors' salt", salt_in_words(setting.db, setting.config.secrets.author_salt))
    space = shutil.disk_usage(folder if folder.exists() else Path.cwd()).free
    words = f"{space // 2**20} MiB free"
    yield Finding(
        Level.OK if space > LITTLE_SPACE else Level.WARN,
        "disk",
        words,
        "" if space > LITTLE_SPACE else "free some space",
    )
    wrong = "; ".join(model_problems(MODELS))
    yield Finding(
        Level.WARN if wrong else Level.OK, "text model", wrong or "present", "groundswell train" if wrong else ""
    )


def _lock(db: Path) -> Iterator[Finding]:
    """Say whether another run is under way, or none can be."""
    from filelock import FileLock, Timeout

    try:
        path = lock_path(db)
        if path.exists():
            with FileLock(path, timeout=0):
                pass
    except Timeout:
        yield Finding(Level.NOTE, "lock", "another run is under way")
    except ConfigError as error:
        yield Finding(Level.FAIL, "lock", str(error))
    except OSError as error:
        yield Finding(Level.FAIL, "lock", f"{path}: {error.strerror}", "the folder has to be writable")


def _written_places(setting: Setting) -> Iterator[Finding]:
    """Try whether the report and the metrics can be written; the folder of mails is the file channel's."""
    report = setting.config.report
    places = {"report folder": resolve_near(setting.config_path, report.folder)}
    if report.metrics:
        places["metrics file"] = Path(report.metrics)
    for what, path in places.items():
        is_file = what == "metrics file"
        try:
            must_be_writable(path.parent if is_file else path)
        except StoreError as error:
            yield Finding(Level.FAIL, what, str(error), f"set report.{'metrics' if is_file else 'folder'} elsewhere")
        else:
            if is_file and path.is_dir():
                yield Finding(Level.FAIL, what, f"{path}: is a folder", "set report.metrics to a file")
            else:
                yield Finding(Level.OK, what, f"{path} can be written")


def _outbox(setting: Setting) -> Iterator[Finding]:
    """Say which messages wait although they are due, and which were given up in the last week."""
    from pipeline.store.outbox import undelivered_messages

    if not (setting.db.is_file() and setting.db.stat().st_size):
        return
    for message in undelivered_messages(setting.db, setting.now, setting.now - RECENT):
        what, reason = f"message ({message.channel})", f": {message.error}" if message.error else ""
        if message.given_up:
            words = f"given up: {message.subject}{reason}"
            yield Finding(Level.WARN, what, words, "groundswell alert --retry-failed tries it again")
        else:
            words = f"due since {message.due_at:%Y-%m-%d %H:%M} UTC and not sent: {message.subject}{reason}"
            yield Finding(Level.FAIL, what, words, "groundswell alert tries it again")


def channel_findings(setting: Setting, *, offline: bool) -> Iterator[Finding]:
    """Try each channel in use up to the point of sending; `offline`: only look at its settings."""
    from pipeline.notify.channels import build_channels

    folder = resolve_near(setting.config_path, setting.config.alerts.folder)
    channels = build_channels(setting.config, folder)
    if not channels:
        yield Finding(Level.WARN, "channels", NO_CHANNEL, "set alerts.channels")
    for name, channel in channels.items():
        if offline and name in ("email", "webhook"):
            yield Finding(Level.NOTE, f"channel {name}", "not tried (--offline)")
            continue
        try:
            yield Finding(Level.OK, f"channel {name}", channel.probe())
        except ChannelError as error:
            yield Finding(Level.FAIL, f"channel {name}", str(error), "groundswell test-alert sends a marked message")
