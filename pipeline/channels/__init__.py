"""How alerts leave: one channel a file. `CHANNELS` maps a name to the function that builds it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pipeline.channels.email import EmailChannel
from pipeline.channels.file import FileChannel
from pipeline.config import Config
from pipeline.model import Alert


class Channel(Protocol):
    """A way out."""

    name: str

    def send(self, alert: Alert) -> None:
        """Deliver one alert; raises ChannelError(permanent=…)."""
        ...


def _file(config: Config, folder: Path) -> Channel:
    return FileChannel(folder, sender=config.mail.sender, to=config.mail.to, zone=config.display_timezone)


def _email(config: Config, folder: Path) -> Channel:
    return EmailChannel(config.mail, config.secrets.smtp_password, zone=config.display_timezone)


CHANNELS: dict[str, Callable[[Config, Path], Channel]] = {"file": _file, "email": _email}


def build_channels(config: Config, folder: Path) -> dict[str, Channel]:
    """Return the configured channels; `folder` is where the file channel writes."""
    return {name: CHANNELS[name](config, folder) for name in config.alerts.channels}
