"""`groundswell silence`: keep quiet about a service for a while, with a reason, an author and always an end."""

from __future__ import annotations

import getpass
import json
from datetime import timedelta

import click

from pipeline.commands.common import Setting, common, open_store, parse_since, parse_time
from pipeline.config.settings import parse_duration
from pipeline.core.catalogue import resolve_service
from pipeline.core.errors import ConfigError
from pipeline.core.times import iso
from pipeline.core.vocabulary import Transition

LONGEST = timedelta(days=30)


@click.group("silence")
def silence_command() -> None:
    """Keep quiet about a service for a while. What was told to have begun is still told to be over."""


@silence_command.command("add")
@click.argument("service")
@click.option("--for", "span", help="How long from now, as 4h; at most 30d.")
@click.option("--until", help="Until when instead, ISO with a zone.")
@click.option("--component", default="", help="Only while no other part is affected.")
@click.option("--reason", required=True)
@click.option("--author", help="Default: who runs the command.")
@common
def add(
    setting: Setting, service: str, span: str | None, until: str | None, component: str, reason: str, author: str | None
) -> None:
    """Silence SERVICE."""
    from pipeline.store.operators import add_silence

    known = resolve_service(setting.config.catalogue, service)
    if component and component not in {part.id for part in known.components}:
        raise ConfigError(
            f"--component: {known.id} has no part {component!r}; groundswell service show {known.id} lists them"
        )
    if (span is None) == (until is None):
        raise ConfigError("a silence needs an end: --for or --until, and not both")
    try:
        end = setting.now + parse_duration(span) if span else parse_time(until, "--until")
    except ValueError as error:
        raise ConfigError(f"--for: {error}") from error
    if end is None or not setting.now < end <= setting.now + LONGEST:
        raise ConfigError("a silence ends after now and within 30 days")
    with open_store(setting) as store:
        number = add_silence(
            store, known.id, component, setting.now, end, reason[:500], (author or getpass.getuser())[:100]
        )
    click.echo(f"silence {number}: {known.id}{f', {component}' if component else ''} until {iso(end)}")


@silence_command.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that ended, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, schema 1.")
@common
def list_(setting: Setting, everything: bool, as_json: bool) -> None:
    """List silences."""
    from pipeline.store import must_exist
    from pipeline.store.operators import silences

    must_exist(setting.db)
    with open_store(setting) as store:
        listed = [s for s in silences(store) if everything or s.until > setting.now]
    if as_json:
        told = [
            {
                "id": s.id,
                "service": s.service,
                "component": s.component,
                "since": iso(s.since),
                "until": iso(s.until),
                "reason": s.reason,
                "author": s.author,
            }
            for s in listed
        ]
        click.echo(json.dumps({"schema": 1, "silences": told}, indent=1))
        return
    for s in listed:
        part = f", {s.component} only" if s.component else ""
        click.echo(f"{s.id:>3}  {s.service}{part}  {iso(s.since)} to {iso(s.until)}  {s.author}: {s.reason}")
    if not listed:
        click.echo("no silence lasts")


@silence_command.command("expire")
@click.argument("number", type=click.IntRange(1, 2**62))
@common
def expire(setting: Setting, number: int) -> None:
    """End a silence now; it stays on record."""
    from pipeline.store import must_exist
    from pipeline.store.operators import expire_silence

    must_exist(setting.db)
    with open_store(setting) as store:
        done = expire_silence(store, number, setting.now)
    if not done:
        raise ConfigError(f"no silence {number} lasts; groundswell silence list")
    click.echo(f"silence {number} ended")


@silence_command.command("preview")
@click.argument("service")
@click.option("--component", default="", help="Only while no other part is affected.")
@click.option("--since", default="30d", show_default=True, help="How far back, as 30d, or from a date, as 2026-03-02.")
@common
def preview(setting: Setting, service: str, component: str, since: str) -> None:
    """Say which of the last messages such a silence would have kept back."""
    from pipeline.store import must_exist
    from pipeline.store.outbox import alerts_of

    known = resolve_service(setting.config.catalogue, service)
    begin = parse_since(since, setting.now)
    must_exist(setting.db)
    with open_store(setting) as store:
        past = [a for a in alerts_of(store) if a.service == known.id and a.created >= begin and a.incident]
    muted = [
        a
        for a in past
        if a.transition != Transition.OVER and (not component or set(a.incident_facts.affected) == {component})
    ]
    for alert in muted:
        click.echo(f"{iso(alert.created)}  {alert.subject}")
    click.echo(f"{len(muted)} of {len(past)} messages since {iso(begin)} would not have been sent")
