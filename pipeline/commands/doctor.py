"""`groundswell doctor`: ask every configured source for real, change nothing, say what is wrong and what to do."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import click

from pipeline.commands.common import PARTIAL, Setting, common
from pipeline.config.load import Config
from pipeline.config.paths import MODELS
from pipeline.core.errors import ConfigError, Reason, SourceError, StoreError
from pipeline.core.records import Batch

LITTLE_SPACE = 500 * 2**20
# what a person can do about a kind of source that refuses or does not answer
REMEDIES = {
    "reddit": "check GROUNDSWELL_REDDIT_CLIENT_ID and …_CLIENT_SECRET against https://www.reddit.com/prefs/apps; new keys need Reddit's approval",
    "downdetector": "check GROUNDSWELL_DOWNDETECTOR_CLIENT_ID and …_CLIENT_SECRET; they come with a Downdetector contract",
    "bluesky": "check GROUNDSWELL_BLUESKY_IDENTIFIER; make an app password at https://bsky.app/settings/app-passwords",
    "mastodon": "choose another instance in sources.mastodon",
    "status": 'see whether the page opens in a browser; services.<id>.status_format = "atom" reads its feed instead',
    "downstatus": "see whether services.<id>.downstatus is its slug on isitdownstatus.com",
    "feed": "see whether the feed opens in a browser; sources.feeds and sources.news_desks choose feeds",
    "google_news": "wait an hour; sources.google_news = false leaves it out",
    "counts": "see that the file is there and has service,start_utc,interval_s,total",
    "charts": "see whether the country is one of Apple's; sources.charts chooses",
    "hacker_news": "wait; its index needs no key",
}
KEYS = {
    "reddit": ("reddit_client_id", "reddit_client_secret", "https://www.reddit.com/prefs/apps"),
    "downdetector": ("downdetector_client_id", "downdetector_client_secret", "a Downdetector contract"),
    "bluesky": ("bluesky_identifier", "bluesky_password", "https://bsky.app/settings/app-passwords"),
}


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
    found = [*_here(setting), *_keys(setting.config), *([] if offline else _sources(setting, only))]
    if as_json:
        click.echo(json.dumps({"schema": 1, "findings": [asdict(finding) for finding in found]}, indent=1))
    else:
        for number, finding in enumerate(found):
            click.echo(f"{finding.level:<5} {finding.what:<28} {finding.words}")
            following = found[number + 1].remedy if number + 1 < len(found) else ""
            if finding.remedy and finding.remedy != following:
                click.echo(f"{'':<34} {finding.remedy}")
    levels = {finding.level for finding in found}
    sys.exit(1 if "fail" in levels else PARTIAL if "warn" in levels else 0)


def _here(setting: Setting) -> Iterator[Finding]:
    """Look at what lies on this machine."""
    from filelock import FileLock, Timeout

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
            yield Finding("fail", "database", str(error), "restore a copy, or move the file away")
        else:
            whole = state == "ok"
            words = f"{setting.db}: {state}, last run {last}"
            yield Finding("ok" if whole else "fail", "database", words, "" if whole else "restore a copy")
        if Path(f"{setting.db}.lock").exists():
            lock = FileLock(f"{setting.db}.lock")
            try:
                lock.acquire(timeout=0)
                lock.release()
            except Timeout:
                yield Finding("note", "lock", "another run is under way")
            except OSError as error:
                yield Finding("fail", "lock", f"{setting.db}.lock: {error.strerror}", "the folder has to be writable")
    space = shutil.disk_usage(folder if folder.exists() else Path.cwd()).free
    words = f"{space // 2**20} MiB free"
    yield Finding("ok" if space > LITTLE_SPACE else "warn", "disk", words, "" if space > LITTLE_SPACE else "make room")
    wrong = "; ".join(model_problems(MODELS))
    yield Finding("warn" if wrong else "ok", "text model", wrong or "present", "groundswell train" if wrong else "")


def _keys(config: Config) -> Iterator[Finding]:
    """Say which sources lack a key, and where one is to be had; never what a key is."""
    for kind, (name, secret, where) in KEYS.items():
        have = [getattr(config.secrets, name), getattr(config.secrets, secret)]
        missing = [
            f"GROUNDSWELL_{key.upper()}" for key, value in zip((name, secret), have, strict=True) if value is None
        ]
        if not getattr(config.sources, kind):
            yield Finding("note", kind, "switched off")
        elif len(missing) == 2:
            yield Finding("note", kind, f"no key, not read (optional): set {' and '.join(missing)}, from {where}")
        elif missing:
            yield Finding("warn", kind, f"half a key: {missing[0]} is not set", REMEDIES[kind])


def _sources(setting: Setting, only: tuple[str, ...]) -> Iterator[Finding]:
    """Ask each source for its last minutes and keep nothing."""
    from pipeline.http.session import HttpClient
    from pipeline.sources import build_sources
    from pipeline.stages.collect import fetch_all, honest

    seconds = min(15.0, setting.config.sources.deadline.total_seconds())
    client = HttpClient(allow=setting.config.sources.allow_hosts, deadline=seconds)
    sources = build_sources(setting.config, client, setting.config_path, only)
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
    for number, source in enumerate(sources):
        answer = answers[number]
        remedy = REMEDIES.get(source.name.split(":")[0], "")
        answer = honest(answer) if isinstance(answer, Batch) else answer
        if isinstance(answer, Batch) and answer.outcome != "error":
            refused = f", {len(answer.rejected)} rows refused: {answer.rejected[0].reason}" if answer.rejected else ""
            words = f"answers, {len(answer.rows)} rows{refused}" + (f"; {answer.detail}" if answer.detail else "")
            yield Finding("warn" if answer.rejected else "ok", source.name, words)
        else:
            words = answer.detail if isinstance(answer, Batch) else answer.message
            yield Finding("warn", source.name, f"{answer.outcome}: {words}", remedy)
