"""Alerts through Apprise to a hundred chat and push services: an extra, `pip install 'groundswell[apprise]'`.

Its addresses hold tokens and are secrets: neither they nor what Apprise logs of them is ever shown.
"""

from __future__ import annotations

import logging
from types import ModuleType

from pydantic import SecretStr

from pipeline.core.alerts import Alert
from pipeline.core.errors import ChannelError
from pipeline.render.mail import plain_text

LINES = 12  # a chat shows the head of a message; the mail has the rest


class AppriseChannel:
    """Tells each address of GROUNDSWELL_APPRISE_URLS the head of the mail, as plain text."""

    name = "apprise"

    def __init__(self, urls: SecretStr | None, *, zone: str) -> None:
        """`urls` are Apprise addresses, separated by blanks."""
        self._urls, self._zone = urls.get_secret_value().split() if urls else [], zone

    def send(self, alert: Alert) -> None:
        """Tell every address. Raises ChannelError: permanent when some took it, so that they do not hear it twice."""
        if not self._urls:
            raise ChannelError("apprise: GROUNDSWELL_APPRISE_URLS is not set")
        text = "\n".join(plain_text(alert, self._zone).splitlines()[:LINES]).strip()
        taken = sum(_tell(url, alert.subject, text) for url in self._urls)
        if taken < len(self._urls):
            words = f"apprise: {len(self._urls) - taken} of {len(self._urls)} addresses did not take it"
            raise ChannelError(words, permanent=taken > 0)


def _tell(url: str, title: str, text: str) -> bool:
    """Return whether one address took it."""
    apprise = _library()
    one = apprise.Apprise()
    try:
        return bool(one.add(url) and one.notify(title=title, body=text, body_format=apprise.NotifyFormat.TEXT))
    except Exception:  # noqa: BLE001 - a hundred plug-ins raise what they like, and their words may hold the address
        return False


def _library() -> ModuleType:
    try:
        import apprise
    except ImportError as error:
        raise ChannelError("apprise: not installed; pip install 'groundswell[apprise]'") from error
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it logs addresses
    return apprise
