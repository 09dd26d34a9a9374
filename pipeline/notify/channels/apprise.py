"""Alerts through Apprise to a hundred chat and push services: an extra, `pip install 'groundswell[apprise]'`.

Its addresses hold tokens and are secrets: neither they nor what Apprise logs of them is ever shown.
"""

from __future__ import annotations

import hashlib
import logging
import re
from types import ModuleType
from urllib.parse import parse_qsl, unquote, urlsplit

from pipeline.core.alerts import Alert
from pipeline.core.errors import ChannelError
from pipeline.core.extras import how_to_install
from pipeline.core.secret import SecretStr
from pipeline.render.mail import chat_text


class AppriseChannel:
    """Tells each address of GROUNDSWELL_APPRISE_URLS the first sentence, where to look and how to answer, as text."""

    name = "apprise"

    def __init__(self, urls: SecretStr | None, *, zone: str) -> None:
        """`urls` are Apprise addresses, separated by blanks."""
        self._urls, self._zone = urls.get_secret_value().split() if urls else [], zone

    def send(self, alert: Alert) -> None:
        """Send to every address that has yet to have it and is still configured; where that is none, nothing is to do.

        Raises ChannelError with the marks of those that lack it.
        """
        if not self._urls:
            raise ChannelError("apprise: GROUNDSWELL_APPRISE_URLS is not set")
        marks = {mark_of(url): url for url in self._urls}
        asked = [mark for mark in alert.pending_recipients or marks if mark in marks]
        text = chat_text(alert, self._zone)
        lacking = [mark for mark in asked if not _tell(marks[mark], alert.subject, text)]
        if lacking:
            delivered = bool(alert.pending_recipients) or len(lacking) < len(marks)
            raise ChannelError(
                f"apprise: {len(lacking)} of {len(marks)} addresses did not take it",
                pending_recipients=lacking if delivered else (),
                delivered=delivered,
            )

    def probe(self) -> str:
        """Check that Apprise reads every address as it is written, send nothing. Raises ChannelError."""
        problems = address_problems(SecretStr(" ".join(self._urls)))
        if problems or not self._urls:
            raise ChannelError("; ".join(problems) or "GROUNDSWELL_APPRISE_URLS is not set")
        many = len(self._urls)
        return f"{many} address{'' if many == 1 else 'es'} understood, but not tried: groundswell test-alert does"


def mark_of(url: str) -> str:
    """Return by what an address is known in the outbox: it holds a token, and is not stored."""
    return f"apprise:{hashlib.sha256(url.encode()).hexdigest()[:12]}"


def address_problems(urls: SecretStr | None) -> list[str]:
    """Return what Apprise would read otherwise than it is written, one line an address, without the address.

    Raises ChannelError where it is not installed.
    """
    found = []
    for number, url in enumerate(urls.get_secret_value().split() if urls else (), 1):
        problem = _problem(url)
        if problem:
            found.append(f"address {number} ({url.partition(':')[0][:20]}): {problem}")
    return found


def _problem(url: str) -> str:
    parts = urlsplit(url)
    keys = [key for key, _ in parse_qsl(parts.query, keep_blank_values=True)]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        return f"{', '.join(twice)} stands in it more than once, and only the last would be read: join them by commas"
    plugin = _library().Apprise.instantiate(url)
    if plugin is None:
        return "is none that Apprise understands"
    if not parts.scheme.startswith("mailto"):
        return ""
    fields = [parts.path, *(value for key, value in parse_qsl(parts.query) if key in ("to", "cc", "bcc"))]
    written = {word for field in fields for word in re.split(r"[\s,;/]+", unquote(field)) if "@" in word}
    groups = [getattr(plugin, name, ()) for name in ("targets", "cc", "bcc")]
    read = {item[1] if isinstance(item, tuple) else str(item) for group in groups for item in group}
    cut = written - read
    return f"{len(cut)} of its mail addresses would be read as others" if cut else ""


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
        raise ChannelError(f"needs {how_to_install('apprise')}") from error
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it logs addresses
    return apprise
