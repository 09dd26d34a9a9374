"""Alerts as .eml files in a folder: what would be mailed, for replays and for trying out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.core.alerts import Alert
from pipeline.core.errors import ChannelError, StoreError
from pipeline.core.files import OWN, must_be_writable, write_atomically
from pipeline.core.names import file_stem
from pipeline.notify.channels.email import recipients
from pipeline.render.mail import compose


def file_name(alert: Alert) -> str:
    """Return the name an alert is written under."""
    service, digest = file_stem(alert.service or "groundswell"), file_stem(alert.message_id[1:9])
    return f"{alert.created:%Y%m%dT%H%MZ}-{service}-{alert.transition}-{digest}.eml"


class FileChannel:
    """Writes one .eml a message, named by time, service and transition; the same message has the same name."""

    name = "file"

    def __init__(
        self,
        folder: Path,
        *,
        sender: str,
        to: Sequence[str],
        zone: str,
        routes: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """The folder is made when the first message comes; `routes` are the addresses of those that have their own."""
        self._folder, self._sender, self._to, self._zone = folder, sender, to, zone
        self._routes = routes or {}

    def send(self, alert: Alert) -> None:
        """Write the file by rename. Raises ChannelError."""
        message = compose(
            alert, sender=self._sender, to=recipients(alert.route, self._routes, self._to), zone=self._zone
        )
        path = self._folder / file_name(alert)
        try:
            write_atomically(path, message.as_bytes(), mode=OWN)
        except StoreError as error:
            raise ChannelError(str(error)) from error

    def probe(self) -> str:
        """Return that the folder, or the nearest one there is above it, can be written. Raises ChannelError."""
        try:
            must_be_writable(self._folder)
        except StoreError as error:
            raise ChannelError(str(error)) from error
        return f"{self._folder} can be written"


class NoChannel:
    """Takes every message and keeps none: for a replay of which only the result is asked for."""

    name = "file"

    def send(self, alert: Alert) -> None:
        """Do nothing."""

    def probe(self) -> str:
        """Return that nothing is sent."""
        return "keeps nothing"
