"""Credentials are taken out of texts before they are kept: an upstream may repeat what it was sent."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from urllib.parse import quote, quote_plus

REMOVED = "REMOVED"
SHORTEST = 6  # a shorter secret would be found in words that have nothing to do with it


class Redactor:
    """Replaces secrets in every form in which an answer may repeat them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Secrets of fewer than six characters are left where they are."""
        forms = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}
        # the longest first: a secret may be a part of another
        self._forms = sorted(forms, key=lambda form: (-len(form), form))

    def without(self, text: str) -> str:
        """Return a text without the secrets."""
        for form in self._forms:
            text = text.replace(form, REMOVED)
        return text

    def without_begun(self, text: str) -> str:
        """Return a text without the first characters of a secret at its end."""
        for form in self._forms:
            for length in range(len(form) - 1, SHORTEST - 1, -1):
                if text.endswith(form[:length]):
                    return text[:-length] + REMOVED
        return text

    def without_bytes(self, body: bytes) -> bytes:
        """Return bytes without the secrets."""
        for form in self._forms:
            body = body.replace(form.encode(), REMOVED.encode())
        return body


def _forms(secret: str) -> Iterator[str]:
    yield from (secret, quote(secret, safe=""), quote(secret), quote_plus(secret), escape(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])


def credentials_of(headers: Mapping[str, str | bytes]) -> Iterator[str]:
    """Yield what a request's headers carry that is secret: the values of Authorization and Cookie, and their parts."""
    for name in ("Authorization", "Cookie"):
        value = headers.get(name) or ""
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        yield text
        scheme, _, rest = text.partition(" ")
        if name == "Authorization":
            yield rest.strip() or scheme
        else:
            yield from (part.rpartition("=")[2] for part in re.split(r"[;\s]+", text))


class _KnownSecrets:
    """The credentials of this process. Safe from any thread."""

    def __init__(self) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        self.redactor = Redactor(())

    def add(self, secrets: Iterable[str]) -> None:
        new = frozenset(filter(None, secrets))
        if new <= self._secrets:
            return
        with self._lock:
            self._secrets |= new
            self.redactor = Redactor(self._secrets)


_known = _KnownSecrets()


def remember_secrets(secrets: Iterable[str]) -> None:
    """Note credentials of this process: those of the configuration, and those that a request carries."""
    _known.add(secrets)


def redacted(text: str) -> str:
    """Return a short text without any credential that this process knows, nor the begin of one at which it was cut."""
    return _known.redactor.without_begun(_known.redactor.without(text))
