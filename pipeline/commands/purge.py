"""`groundswell purge`: honour deletions on Reddit, and forget the words of old posts; the counts stay."""

from __future__ import annotations

import sys

import click

from pipeline.commands.common import PARTIAL, Setting, common, open_existing_store, run_lock
from pipeline.config.setting_values import parse_duration
from pipeline.core.errors import ConfigError, SourceError
from pipeline.core.quantities import quantity


@click.command("purge")
@click.option("--look-back", default="30d", show_default=True, help="Ask Reddit about stored posts up to this age.")
@click.option("--older-than", help="Also delete the texts and authors of all posts older than this, such as 90d.")
@common
def purge_command(setting: Setting, look_back: str, older_than: str | None) -> None:
    """Ask Reddit, a hundred at a time, which stored posts were taken away; remove their words and authors.

    That a post was counted stays. Run it daily where Reddit is read.
    """
    from pipeline.http.session import HttpClient
    from pipeline.sources import build_sources
    from pipeline.sources.reddit import RedditSource
    from pipeline.store import must_exist
    from pipeline.store.retention import forget, forget_refused, ids_before, kept_ids

    try:
        since = setting.now - parse_duration(look_back)
        old = setting.now - parse_duration(older_than) if older_than else None
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"--look-back, --older-than: {error}") from error
    code = 0
    must_exist(setting.db)
    with run_lock(setting.db), open_existing_store(setting) as store:
        seconds = setting.config.sources.deadline.total_seconds()
        client = HttpClient(
            allow=setting.config.sources.allow_hosts, deadline=seconds, contact=setting.config.sources.contact
        )
        sources = build_sources(setting.config, client, setting.config_path, ["reddit"])
        ids = kept_ids(store, "reddit", since)
        for source in sources:
            assert isinstance(source, RedditSource)
            # beginning elsewhere each day: what one day's allowance does not reach another day's does
            turn = setting.now.toordinal() * 7919 % max(1, len(ids))
            asked = gone = 0
            for chunk in _hundreds([*ids[turn:], *ids[:turn]]):
                try:
                    gone += forget(store, "reddit", sorted(source.gone(chunk, setting.now)))
                except SourceError as error:
                    click.echo(f"groundswell: purge: {error}", err=True)
                    code = PARTIAL
                    break
                asked += len(chunk)
            click.echo(
                f"reddit: {asked} of {quantity(len(ids), 'post')} asked about, {gone} taken away there and now here"
            )
        if not sources and ids:
            click.echo("reddit: no key, so nobody can be asked which posts were taken away", err=True)
            code = PARTIAL
        if old is not None:
            forgotten = sum(forget(store, source, keys) for source, keys in ids_before(store, old).items())
            forget_refused(store, old)
            click.echo(f"{quantity(forgotten, 'post')} older than {older_than} forgotten; what was counted stays")
    sys.exit(code)


def _hundreds(ids: list[str]) -> list[list[str]]:
    return [ids[i : i + 100] for i in range(0, len(ids), 100)]
