"""`groundswell doctor`: ask every configured source for real, change nothing, say what is wrong and what to do."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.common import PARTIAL, Setting, common, lock_path
from pipeline.config.load import Config
from pipeline.config.paths import MODELS
from pipeline.core.errors import ConfigError, Reason, SourceError, StoreError
from pipeline.core.records import Batch, source_kind

if TYPE_CHECKING:
    from pipeline.sources import SourceSpec

LITTLE_SPACE = 500 * 2**20


@dataclass(frozen=True)
class Finding:
    """One thing looked at: ok, note (nothing wrong), warn or fail."""

    level: str
    what: str
    words: str
    remedy: str = ""


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, schema 1.")
@click.option("--offline", is_flag=True, help="Ask no source.")
@click.option("--source", "only", multiple=True, help="Only this source or kind; may be repeated.")
@common
def doctor_command(setting: Setting, as_json: bool, offline: bool, only: tuple[str, ...]) -> None:
    """Exit 0 when all is well, 3 when something is worth looking at, 1 when runs cannot work."""
    from pipeline.sources import SOURCES

    asked = () if offline else source_findings(setting, only, SOURCES)
    findings = [*_here(setting), *key_findings(setting.config, SOURCES), *asked]
    if as_json:
        click.echo(json.dumps({"schema": 1, "findings": [asdict(finding) for finding in findings]}, indent=1))
    else:
        for number, finding in enumerate(findings):
            click.echo(f"{finding.level:<5} {finding.what:<28} {finding.words}")
            following = findings[number + 1].remedy if number + 1 < len(findings) else ""
            if finding.remedy and finding.remedy != following:
                click.echo(f"{'':<34} {finding.remedy}")
    levels = {finding.level for finding in findings}
    sys.exit(1 if "fail" in levels else PARTIAL if "warn" in levels else 0)


def _here(setting: Setting) -> Iterator[Finding]:
    """Look at what lies on this machine."""
    from pipeline.sources.author_keys import salt_in_words
    from pipeline.store import health
    from pipeline.text.models.outage import model_problems

    yield Finding("ok", "configuration", str(setting.config_path or "none, the defaults"))
    folder = setting.db.absolute().parent
    if not setting.db.exists():
        yield Finding("note", "database", f"{setting.db}: none yet; the first run makes it")
    else:
        try:
            state, last = health(setting.db)
        except StoreError as error:
            yield Finding("fail", "database", str(error), "groundswell repair, or restore a copy")
        else:
            whole = state == "ok"
            words = f"{setting.db}: {state}, last run {last}"
            yield Finding(
                "ok" if whole else "fail", "database", words, "" if whole else "groundswell repair, or restore a copy"
            )
        if setting.db.stat().st_mode & 0o004:
            words = f"{setting.db}: every user of this machine can read what people wrote"
            yield Finding("note", "database", words, f"chmod 600 {setting.db}")
        yield from _lock(setting.db)
    yield Finding("ok", "authors' salt", salt_in_words(setting.db, setting.config.secrets.author_salt))
    space = shutil.disk_usage(folder if folder.exists() else Path.cwd()).free
    words = f"{space // 2**20} MiB free"
    yield Finding("ok" if space > LITTLE_SPACE else "warn", "disk", words, "" if space > LITTLE_SPACE else "make room")
    wrong = "; ".join(model_problems(MODELS))
    yield Finding("warn" if wrong else "ok", "text model", wrong or "present", "groundswell train" if wrong else "")


def _lock(db: Path) -> Iterator[Finding]:
    """Say whether another run is under way, or none can be."""
    from filelock import FileLock, Timeout

    try:
        path = lock_path(db)
        if path.exists():
            with FileLock(path, timeout=0):
                pass
    except Timeout:
        yield Finding("note", "lock", "another run is under way")
    except ConfigError as error:
        yield Finding("fail", "lock", str(error))
    except OSError as error:
        yield Finding("fail", "lock", f"{path}: {error.strerror}", "the folder has to be writable")


def key_findings(config: Config, specs: Mapping[str, SourceSpec]) -> Iterator[Finding]:
    """Say which sources lack a key, and where one is to be had; never what a key is."""
    for spec in specs.values():
        missing = spec.missing_secrets(config)
        if not spec.secrets:
            continue
        if not spec.enabled(config):
            yield Finding("note", spec.kind, "switched off")
        elif len(missing) == len(spec.secrets):
            words = f"no key, not read (optional): set {' and '.join(missing)}, from {spec.where_to_get_a_key}"
            yield Finding("note", spec.kind, words)
        elif missing:
            yield Finding("warn", spec.kind, f"half a key: {' and '.join(missing)} is not set", spec.remedy)


def source_findings(setting: Setting, only: tuple[str, ...], specs: Mapping[str, SourceSpec]) -> Iterator[Finding]:
    """Ask each source for its last minutes and keep nothing."""
    from pipeline.http.session import HttpClient
    from pipeline.sources import build_sources
    from pipeline.stages.collect import fetch_all, honest

    seconds = min(15.0, setting.config.sources.deadline.total_seconds())
    client = HttpClient(
        allow=setting.config.sources.allow_hosts, deadline=seconds, contact=setting.config.sources.contact
    )
    sources = build_sources(setting.config, client, setting.config_path, only, specs=specs)
    if only and not sources:
        raise ConfigError(f"--source: nothing configured is called {', '.join(only)}")
    since = setting.now - timedelta(minutes=30)
    answers = dict(fetch_all(sources, [(since, {})] * len(sources), setting.now, deadline=seconds))
    unreached = sum(isinstance(a, SourceError) and a.reason is Reason.UNREACHABLE for a in answers.values())
    if unreached > 1 and unreached == len(sources):
        yield Finding(
            "warn",
            "network",
            f"none of {len(sources)} sources can be reached",
            "is there a network, and a name server?",
        )
        return
    remedies = {spec.name_prefix: spec.remedy for spec in specs.values()}
    for number, source in enumerate(sources):
        answer = answers[number]
        remedy = remedies.get(source_kind(source.name), "")
        answer = honest(answer) if isinstance(answer, Batch) else answer
        if isinstance(answer, Batch) and answer.outcome != "error":
            refused = f", {len(answer.rejected)} rows refused: {answer.rejected[0].reason}" if answer.rejected else ""
            words = f"answers, {len(answer.rows)} rows{refused}" + (f"; {answer.detail}" if answer.detail else "")
            yield Finding("warn" if answer.rejected else "ok", source.name, words)
        else:
            words = answer.detail if isinstance(answer, Batch) else answer.message
            yield Finding("warn", source.name, f"{answer.outcome}: {words}", remedy)
