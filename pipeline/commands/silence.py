"""`groundswell silence`: mute a service for a while, with a reason, an author and always an end."""

from __future__ import annotations

import getpass
import json
from datetime import timedelta

import click

from pipeline.commands.common import Setting, common, open_store, parse_since, parse_time
from pipeline.commands.service_argument import complete_services, named_service
from pipeline.commands.terminal import one_line, print_table
from pipeline.config.setting_values import parse_duration
from pipeline.config.validation_words import nearest
from pipeline.core.errors import ConfigError
from pipeline.core.quantities import quantity
from pipeline.core.times import iso
from pipeline.core.vocabulary import Transition

LONGEST = timedelta(days=30)


@click.group("silence")
def silence_command() -> None:
    """Mute a service for a while. Whoever received the first message of an incident still receives the last one."""


@silence_command.command("add")
@click.argument("service", shell_complete=complete_services)
@click.option("--for", "span", help="How long from now, such as 4h; at most 30d.")
@click.option("--until", help="End of the silence, instead of --for (ISO 8601 with a zone).")
@click.option("--component", default="", help="Only mute while no other component is affected.")
@click.option("--reason", required=True)
@click.option("--author", help="Who silences it.  [default: the user who runs the command]")
@common
def add(
    setting: Setting, service: str, span: str | None, until: str | None, component: str, reason: str, author: str | None
) -> None:
    """Silence SERVICE."""
    from pipeline.store.operators import add_silence

    known = named_service(setting, service)
    if component and component not in {part.id for part in known.components}:
        close = nearest(component, (part.id for part in known.components)) or ";"
        raise ConfigError(
            f"--component: {known.id} has no part {component!r}{close} `groundswell service show {known.id}` lists them"
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
@click.option("--all", "everything", is_flag=True, help="Include silences that have ended.")
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
        rows = [
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
        click.echo(json.dumps({"schema": 1, "silences": rows}, indent=1))
        return
    print_table(
        ("id", "service", "part", "since (UTC)", "until (UTC)", "author", "reason"),
        [
            (
                str(s.id),
                s.service,
                s.component or "-",
                f"{s.since:%Y-%m-%d %H:%M}",
                f"{s.until:%Y-%m-%d %H:%M}",
                s.author,
                s.reason,
            )
            for s in listed
        ],
    )
    if not listed:
        click.echo("no silence is active")


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
        raise ConfigError(f"no silence {number} is active; `groundswell silence list` shows those that are")
    click.echo(f"silence {number} ended")


@silence_command.command("preview")
@click.argument("service", shell_complete=complete_services)
@click.option("--component", default="", help="Only mute while no other component is affected.")
@click.option(
    "--since",
    default="30d",
    show_default=True,
    help="How far back: a duration such as 30d, or a date such as 2026-03-02.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, schema 1.")
@common
def preview(setting: Setting, service: str, component: str, since: str, as_json: bool) -> None:
    """List the past messages that such a silence would have muted; a message sent through two channels counts once."""
    from pipeline.store import must_exist
    from pipeline.store.outbox import alerts_of

    known = named_service(setting, service)
    begin = parse_since(since, setting.now)
    must_exist(setting.db)
    with open_store(setting) as store:
        past = [a for a in alerts_of(store) if a.service == known.id and a.created >= begin and a.incident]
    messages = {(a.created, a.incident, a.transition): a for a in past}.values()
    muted = [
        a
        for a in messages
        if a.transition != Transition.OVER and (not component or set(a.incident_facts.affected) == {component})
    ]
    if as_json:
        rows = [{"created": iso(a.created), "incident": a.incident, "subject": a.subject} for a in muted]
        body = {"schema": 1, "since": iso(begin), "messages": len(messages), "would_be_muted": rows}
        click.echo(json.dumps(body, indent=1))
        return
    for alert in muted:
        click.echo(f"{iso(alert.created)}  {one_line(alert.subject)}")
    click.echo(f"{len(muted)} of {quantity(len(messages), 'message')} since {iso(begin)} would not have been sent")
