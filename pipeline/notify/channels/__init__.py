"""How alerts leave: one channel a file. `CHANNELS` maps a name to the function that builds it.

A channel's module is imported only where the channel is configured: most of them import an HTTP client.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pipeline.config.settings import Config
from pipeline.core.alerts import Alert


class Channel(Protocol):
    """A way out."""

    name: str

    def send(self, alert: Alert) -> None:
        """Deliver one alert; raises ChannelError(permanent=…)."""
        ...

    def probe(self) -> str:
        """Try everything but a message; return what was tried. Raises ChannelError."""
        ...


def _file(config: Config, folder: Path) -> Channel:
    from pipeline.notify.channels.file import FileChannel

    return FileChannel(
        folder, sender=config.mail.sender, to=config.mail.to, zone=config.display_timezone, routes=_addresses(config)
    )


def _email(config: Config, folder: Path) -> Channel:
    from pipeline.notify.channels.email import EmailChannel

    return EmailChannel(
        config.mail, config.secrets.smtp_password, zone=config.display_timezone, routes=_addresses(config)
    )


def _webhook(config: Config, folder: Path) -> Channel:
    from pipeline.notify.channels.webhook import WebhookChannel

    return WebhookChannel(config.secrets.webhook_url, config.secrets.webhook_secret, allow=config.sources.allow_hosts)


def _apprise(config: Config, folder: Path) -> Channel:
    from pipeline.notify.channels.apprise import AppriseChannel

    return AppriseChannel(config.secrets.apprise_urls, zone=config.display_timezone)


def _alertmanager(config: Config, folder: Path) -> Channel:
    from pipeline.notify.channels.alertmanager import AlertmanagerChannel

    return AlertmanagerChannel(config.secrets.alertmanager_url, allow=config.sources.allow_hosts)


def _pagerduty(config: Config, folder: Path) -> Channel:
    from pipeline.notify.channels.pagerduty import PagerDutyChannel

    key, base = config.secrets.pagerduty_routing_key, config.alerts.pagerduty_base
    return PagerDutyChannel(key, base, allow=config.sources.allow_hosts)


def _addresses(config: Config) -> dict[str, tuple[str, ...]]:
    """Return the addresses of the routes that have their own."""
    return {route.name: route.to for route in config.alerts.routes if route.to}


CHANNELS: dict[str, Callable[[Config, Path], Channel]] = {
    "file": _file,
    "email": _email,
    "webhook": _webhook,
    "apprise": _apprise,
    "alertmanager": _alertmanager,
    "pagerduty": _pagerduty,
}


def build_channels(config: Config, folder: Path) -> dict[str, Channel]:
    """Return the configured channels; `folder` is where the file channel writes."""
    wanted = {*config.alerts.channels, *(name for route in config.alerts.routes for name in route.channels)}
    return {name: build(config, folder) for name, build in CHANNELS.items() if name in wanted}
