"""`groundswell test-alert`: prove that messages arrive, with a marked one and a real chart."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from datetime import datetime, timedelta

import click

from pipeline.commands.common import NO_CHANNEL, Setting, common
from pipeline.config.load import resolve_near
from pipeline.config.setting_values import plain_address
from pipeline.config.settings import Config
from pipeline.core.alert_facts import AlertFacts, ChartFacts
from pipeline.core.alerts import Alert, message_id
from pipeline.core.errors import ChannelError, ConfigError
from pipeline.core.times import iso
from pipeline.core.vocabulary import Impact, State, Symptom, Transition

PAGERS = ("alertmanager", "pagerduty")


@click.command("test-alert")
@click.option("--to", help="Send to this address instead of the configured ones.")
@common
def test_alert_command(setting: Setting, to: str | None) -> None:
    """Send a test message through every configured channel; exit 1 when one fails or there is none."""
    from pipeline.notify.channels import build_channels
    from pipeline.notify.channels.email import EmailChannel, recipients
    from pipeline.render.mail import compose

    config = setting.config
    if to:
        try:
            mail = replace(config.mail, to=(plain_address(to),))
        except ValueError as error:
            raise ConfigError(f"--to: {error}") from error
        channels = tuple(dict.fromkeys((*config.alerts.channels, "email")))
        config = replace(config, mail=mail, alerts=replace(config.alerts, channels=channels))
    alert = sample(setting.now)
    failed = False
    folder = resolve_near(setting.config_path, config.alerts.folder)
    channel_by_name = build_channels(config, folder)
    if not channel_by_name:
        raise ChannelError(f"channels: {NO_CHANNEL}")
    for name, channel in channel_by_name.items():
        for route in [""] if to else _routes(config, name):
            where = f"{name} ({route})" if route else name
            marked = replace(alert, subject=f"[TEST] {alert.subject}", route=route)
            try:
                if isinstance(channel, EmailChannel):
                    own = {r.name: r.to for r in config.alerts.routes}
                    to_addresses = recipients(route, own, config.mail.to)
                    message = compose(
                        alert,
                        sender=config.mail.sender,
                        to=to_addresses,
                        zone=config.display_timezone,
                        test=True,
                    )
                    click.echo(f"{where}: {channel.deliver(message, to_addresses)}")
                else:
                    channel.send(marked)
                    if name in PAGERS:  # what it opened there would stay open
                        channel.send(replace(marked, transition=Transition.OVER))
                    click.echo(f"{where}: {f'written into {folder}' if name == 'file' else 'accepted'}")
            except ChannelError as error:
                click.echo(f"groundswell: {where}: {error}", err=True)
                failed = True
    sys.exit(1 if failed else 0)


def _routes(config: Config, channel: str) -> list[str]:
    """Return the routes to be tried by a channel: each that mails to addresses of its own, else one for all."""
    mailing = [r for r in config.alerts.routes if channel in (r.channels or config.alerts.channels)]
    own = [r.name for r in mailing if r.to and channel == "email"]
    return [*own, *([""] if len(own) < len(mailing) or not mailing else [])]


def sample(now: datetime) -> Alert:
    """Return an alert about a service that does not exist."""
    times = [int((now - timedelta(minutes=15 * i)).timestamp()) for i in range(32, 0, -1)]
    expected = [6 + 3 * math.sin(i / 8) for i in range(32)]
    observed = [round(m + (0 if i < 26 else 9.0 * (i - 25) ** 1.5), 1) for i, m in enumerate(expected)]
    facts = AlertFacts(
        service="Example service",
        service_id="example",
        transition=Transition.OPENED,
        state=State.LIKELY,
        impact=Impact.MODERATE,
        symptom=Symptom.LOGIN,
        onset=now - timedelta(minutes=20),
        at=now,
        next_after=now + timedelta(minutes=15),
        affected=("web",),
        affected_names=("example.org",),
        works_names=("Example API",),
        evidence=("this is a test: nothing is broken",),
        quotes=("a test message quotes nobody",),
        chart=ChartFacts(
            label="complaints in 15 min (invented)",
            times=tuple(times),
            observed=tuple(observed),
            expected=tuple(expected),
            upper=(None,) * len(times),
        ),
    )
    return Alert(
        message_id=message_id("test", iso(now)),
        incident="test",
        service="example",
        transition=Transition.OPENED,
        channel="test",
        created=now,
        due_at=now,
        subject="Example service: likely outage (example.org; login; impact moderate)",
        facts=facts,
    )
