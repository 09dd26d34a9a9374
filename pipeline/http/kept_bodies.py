"""Raw answers kept as files, so that whoever runs this live can hand back what upstreams really send.

Each answer is two files: the body as it came (unpacked), and beside it a JSON object with the address, the time, the
status and the headers. Keys, tokens and cookies are replaced in all of them; answers to sign-ins are kept without body.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import requests

from pipeline.core.errors import SourceError, StoreError
from pipeline.core.files import OWN, write_atomically
from pipeline.core.redaction import REMOVED, Redactor, credentials_of
from pipeline.core.times import iso, utc

logger = logging.getLogger(__name__)

MOST_ANSWERS = 1000  # of one run
MOST_BYTES = 200 * 1024 * 1024  # of one run
_SECRET_NAME = re.compile(r"(?i)token|key|secret|passw|auth|sign|session|credential|cookie|jwt|csrf|nonce|modhash")
_FIELD = re.compile(
    rb'(?i)("(?:access_?token|refresh_?token|id_?token|accessJwt|refreshJwt|client_secret|api_?key|password|modhash)"'
    rb'\s*:\s*)"(?:[^"\\]|\\.)*"'
)
_TRANSPORT = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBody:
    """One answer. `source` is the name of the source that asked, empty where that is not known.

    `url` and `headers` (names in lower case) are without keys and cookies; `status` 0: not known.
    """

    body: bytes
    fetched_at: datetime
    source: str = ""
    url: str = ""
    status: int = 0
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sidecar:
    source: str
    method: str
    url: str
    fetched_at: str
    status: int
    headers: Mapping[str, str]
    left_out: str  # why there is no body; empty where it is whole


class BodyKeeper:
    """Writes what a run's sessions were answered into a folder, within bounds. Safe from any thread."""

    def __init__(
        self,
        folder: Path,
        fetched_at: datetime,
        secrets: Iterable[str] = (),
        *,
        most_answers: int = MOST_ANSWERS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """`fetched_at` is the run's time, `secrets` are all credentials of the configuration."""
        self.folder, self.kept, self.left_out = folder, 0, 0
        self._fetched_at, self._secrets = fetched_at, tuple(secret for secret in secrets if secret)
        self._bytes, self._most_answers, self._most_bytes = 0, most_answers, most_bytes
        self._lock = threading.Lock()

    def keep(self, source: str, response: requests.Response) -> None:
        """Write an answer; one beyond the bounds, or that the disk does not take, is only counted."""
        sign_in = response.request.method == "POST"
        body = b"" if sign_in else response.content
        with self._lock:
            if self.kept >= self._most_answers or self._bytes + len(body) > self._most_bytes:
                self.left_out += 1
                return
            self.kept += 1
            self._bytes += len(body)
            number = self.kept
        secrets = Redactor([*self._secrets, *_of_request(response.request)])
        sidecar = _Sidecar(
            source=source,
            method=str(response.request.method),
            url=secrets.without(_without_keys(str(response.request.url))),
            fetched_at=iso(self._fetched_at),
            status=response.status_code,
            headers=dict(_headers(response.headers, secrets)),
            left_out="the answer to a sign-in" if sign_in else "",
        )
        path = self.folder / f"{_stem(self._fetched_at, source)}-{number:04}.body"
        try:
            while path.exists():  # of an earlier run of the same second
                path = path.with_name(f"{path.stem}x.body")
            write_atomically(path, _without_tokens(secrets.without_bytes(body)), sync=False, mode=OWN)
            description = json.dumps(asdict(sidecar), indent=1, ensure_ascii=False)
            write_atomically(_sidecar_of(path), description, sync=False, mode=OWN)
        except StoreError as error:
            logger.warning("%s", error)
            with self._lock:
                self.kept -= 1
                self.left_out += 1


def read_kept(path: Path, fetched_at: datetime) -> KeptBody:
    """Read a kept answer by the path of either of its files, or any file as a body that came at `fetched_at`.

    Raises SourceError where the file cannot be read or what lies beside it is not what BodyKeeper writes.
    """
    described = path.suffix == ".json" and path.with_suffix(".body").exists()
    body_path = path.with_suffix(".body") if described else path
    try:
        body = body_path.read_bytes()
        sidecar = _sidecar_of(body_path)
        if body_path.suffix != ".body" or not sidecar.exists():
            return KeptBody(body=body, fetched_at=fetched_at, headers={})
        fields = json.loads(sidecar.read_text(encoding="utf-8"))
        return KeptBody(
            body=body,
            fetched_at=utc(fields["fetched_at"]),
            source=str(fields["source"]),
            url=str(fields["url"]),
            status=int(fields["status"]),
            headers={str(name): str(value) for name, value in fields["headers"].items()},
        )
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", source=str(path)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(f"the file beside it is no description of an answer: {error}", source=str(path)) from error


def _of_request(request: requests.PreparedRequest) -> Iterator[str]:
    """Yield what a request carries that is secret: its credentials and cookies, and keys in its address."""
    yield from credentials_of(request.headers)
    parts = urlsplit(str(request.url))
    yield from (parts.password or "", parts.username or "")
    yield from (value for name, value in parse_qsl(parts.query) if _SECRET_NAME.search(name))


def _without_tokens(body: bytes) -> bytes:
    """Return a body without the values of fields that hold tokens."""
    return _FIELD.sub(rb'\1"' + REMOVED.encode() + b'"', body)


def _without_keys(url: str) -> str:
    """Return an address without user and password, and without the values of parameters that are named like keys."""
    parts = urlsplit(url)
    query = "&".join(
        f"{name}={REMOVED}" if value and _SECRET_NAME.search(name) else field
        for field in parts.query.split("&")
        for name, _, value in [field.partition("=")]
    )
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query, fragment=""))


def _headers(headers: Mapping[str, str], secrets: Redactor) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        lower = name.lower()
        if lower in _TRANSPORT or _SECRET_NAME.search(lower):
            continue
        yield lower, secrets.without(_without_keys(value) if lower in ("location", "content-location") else value)


def _stem(fetched_at: datetime, source: str) -> str:
    return f"{fetched_at:%Y%m%dT%H%M%SZ}-{re.sub(r'[^A-Za-z0-9.-]+', '_', source)[:80]}"


def _sidecar_of(body: Path) -> Path:
    return body.with_suffix(".json")
