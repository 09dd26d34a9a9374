"""`groundswell purge`: honour deletions on Reddit, and forget the words of old posts; the counts stay."""

from __future__ import annotations

import sys

import click

from pipeline.commands.common import PARTIAL, Setting, common, run_lock
from pipeline.config import parse_duration
from pipeline.errors import ConfigError, SourceError


@click.command("purge")
@click.option("--look-back", default="30d", show_default=True, help="Ask Reddit about stored posts as old as this.")
@click.option("--older-than", help="Also forget the words and authors of every post older than this, as 90d.")
@common
def purge_command(setting: Setting, look_back: str, older_than: str | None) -> None:
    """Ask Reddit, a hundred at a time, which stored posts were taken away; remove their words and authors.

    That a post was counted stays. Run it daily where Reddit is read.
    """
    from pipeline.fetch import Fetcher
    from pipeline.sources import build_sources
    from pipeline.sources.reddit import RedditSource
    from pipeline.store import Store, must_exist
    from pipeline.store.forget import forget, ids_before, kept_ids

    try:
        since = setting.now - parse_duration(look_back)
        old = setting.now - parse_duration(older_than) if older_than else None
    except ValueError as error:
        raise ConfigError(f"--look-back, --older-than: {error}") from error
    must_exist(setting.db)
    code = 0
    with run_lock(setting.db), Store(setting.db) as store:
        seconds = setting.config.sources.deadline.total_seconds()
        fetcher = Fetcher(allow=setting.config.sources.allow_hosts, deadline=seconds)
        sources = build_sources(setting.config, fetcher, setting.config_path, ["reddit"])
        ids = kept_ids(store, "reddit", since)
        for source in sources:
            assert isinstance(source, RedditSource)
            try:
                gone = sorted(source.gone(ids, setting.now)) if ids else []
            except SourceError as error:
                click.echo(f"groundswell: purge: {error}", err=True)
                code = PARTIAL
                continue
            click.echo(
                f"reddit: {len(ids)} posts asked about, {forget(store, 'reddit', gone)} taken away there and now here"
            )
        if not sources and ids:
            click.echo("reddit: no key, so nobody can be asked which posts were taken away", err=True)
            code = PARTIAL
        if old is not None:
            forgotten = sum(forget(store, source, keys) for source, keys in ids_before(store, old).items())
            click.echo(f"{forgotten} posts older than {older_than} forgotten; what was counted stays")
    sys.exit(code)
