"""The HTTP client of the sources: conditional requests, retries, redirects that carry no key away.

One source's turn in one run is a session with a budget (see transport.py).
"""

from __future__ import annotations

import logging
import random
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import requests

from pipeline.core.errors import Reason, SourceError
from pipeline.core.times import iso, remembered
from pipeline.core.version import version
from pipeline.http.addresses import AddressPolicy
from pipeline.http.hosts import HostLimits
from pipeline.http.kept_bodies import BodyKeeper
from pipeline.http.retry import LONGEST_WAIT, RETRIED, failure_of, retry_after
from pipeline.http.server_clocks import ServerClocks
from pipeline.http.transport import BudgetedSession, Limits

logger = logging.getLogger(__name__)

DEADLINE = 30.0
MAX_REDIRECTS = 5
TRIES = 3  # requests of a session that does not page; http.client itself stops at 100 headers
_CONDITIONS = {"If-None-Match": "etag", "If-Modified-Since": "last_modified"}  # header: key of the source's state
_Body = bytes | Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class FetchResult:
    """What came: `body` (None when it has not changed), headers by lower-case name, `state` for the next fetch.

    `url` is the address that answered, after redirects.
    """

    body: bytes | None
    headers: Mapping[str, str] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)
    url: str = ""


def user_agent(contact: str = "") -> str:
    """Return how the program introduces itself: its name, its version, and whom to write to."""
    return f"groundswell/{version()} ({'; '.join(part for part in ('outage detection', contact) if part)})"


class HttpClient:
    """Hands out sessions within fixed limits. One instance serves all sources of a run, from any thread."""

    def __init__(
        self,
        *,
        allow: Iterable[str] = (),
        deadline: float = DEADLINE,
        pause: float = 0.5,
        contact: str = "",
        keeper: BodyKeeper | None = None,
        clocks: ServerClocks | None = None,
    ) -> None:
        """`deadline` is seconds by the clock for a session; `pause` the first wait before asking again.

        `contact` is where whoever runs an upstream can write to, named in the user agent; empty: nowhere. `keeper`
        writes every answer into a folder; None: they are not kept. `clocks` compares the servers' clocks with this
        machine's; None: not compared, as in a run at a given time.
        """
        self.policy, self.deadline, self.pause = AddressPolicy(allow), deadline, pause
        self._user_agent = user_agent(contact)
        self._hosts, self._keeper, self._clocks = HostLimits(), keeper, clocks

    def session_for(self, source: str, state: Mapping[str, str], now: datetime, *, limit: int = TRIES) -> SourceSession:
        """Return a source's turn of at most `limit` requests; raises SourceError while it was asked to wait."""
        until = remembered(state.get("retry_after"))
        if until is not None and now < until <= now + LONGEST_WAIT:
            waiting = iso(until)
            logger.info("%s: left alone until %s, as it asked", source, waiting)
            words = f"asked to wait until {waiting}"
            raise SourceError(words, source=source, reason=Reason.WAITING, retry_after=waiting)
        limits = Limits(self.deadline, self.policy, self._hosts, self._keeper, self._clocks)
        headers = {"User-Agent": self._user_agent, "Accept-Encoding": "gzip, deflate"}
        return SourceSession(BudgetedSession(source, limits, limit, headers), state, now, self.pause)

    def check_host(self, url: str) -> None:
        """Look up the host of an address and check that it may be reached; connects to nothing. Raises SourceError."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if host is None or parts.scheme not in ("http", "https"):
            raise SourceError("no usable address", reason=Reason.UNREACHABLE)
        try:
            found = socket.getaddrinfo(host, port or 443, 0, socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise SourceError("its host cannot be looked up", reason=Reason.UNREACHABLE) from None
        for *_, address in found:
            self.policy.check(host, str(address[0]))


class SourceSession:
    """One source's turn in one run; use it in a `with` block, which gives back its connections."""

    def __init__(self, transport: BudgetedSession, state: Mapping[str, str], now: datetime, pause: float) -> None:
        """Made by HttpClient.session_for. `transport` is also for client libraries that bring their own requests."""
        self.transport = transport
        self._source, self._state, self._now, self._pause = transport.source, state, now, pause
        self._random = random.Random(f"{transport.source} {iso(now)}")

    def __enter__(self) -> Self:
        """Return the session itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give back the connections and the places at their hosts."""
        self.close()

    def close(self) -> None:
        """Give back the connections and the places at their hosts."""
        self.transport.close()

    def fetch(self, url: str, *, conditional: bool = False, headers: Mapping[str, str] | None = None) -> FetchResult:
        """GET an address, where `conditional` only if it changed since last time.

        Raises SourceError in one line, `blocked` and with retry_after where the source asked for it.
        """
        known = _CONDITIONS if conditional else {}
        sent = {name: self._state[key] for name, key in known.items() if self._state.get(key)}
        answer = self.check_response(self._request_with_retries("GET", url, {**(headers or {}), **sent}, None))
        if answer.body is None and not sent:
            words = "answered 304, not modified, to a first request"
            raise SourceError(words, source=self._source, reason=Reason.STATUS, status=304)
        return answer

    def post(self, url: str, *, data: _Body, headers: Mapping[str, str] | None = None) -> FetchResult:
        """POST form data (a mapping) or a body (bytes); raises SourceError as `fetch` does."""
        return self.check_response(self._request_with_retries("POST", url, headers or {}, data))

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, data: _Body = None
    ) -> requests.Response:
        """Send one request, whatever it is answered; raises SourceError past a limit, and requests' own errors."""
        return self.transport.request(method, url, headers=headers, data=data)

    def check_response(self, response: requests.Response) -> FetchResult:
        """Return what an answer brought; raises SourceError on any but 200 and 304."""
        headers = {name.lower(): value for name, value in response.headers.items()}
        status, asked = response.status_code, headers.get("retry-after")
        if status == 304:
            return FetchResult(None, headers, {"retry_after": ""}, response.url)
        if status == 200:
            kept = {"etag": headers.get("etag", ""), "last_modified": headers.get("last-modified", "")}
            return FetchResult(
                response.content,
                headers,
                {"retry_after": "", **{key: _plain(value) for key, value in kept.items()}},
                response.url,
            )
        words, reason, until = f"answered {status}", Reason.STATUS, None
        if status in (403, 429) or (status == 503 and asked is not None):
            reason = Reason.REFUSED
            if status == 429 or asked is not None:
                until = iso(self._now + retry_after(asked, self._now))
                logger.info("%s: answered %d; left alone until %s", self._source, status, until)
        elif status == 401:
            words, reason = "answered 401: its key or password is missing or wrong", Reason.KEY
        raise SourceError(
            words, source=self._source, reason=reason, status=status, retry_after=until, head=response.content[:200]
        )

    def _request_with_retries(
        self, method: str, url: str, headers: Mapping[str, str], data: _Body
    ) -> requests.Response:
        """Ask until there is an answer other than a passing failure, or the session's requests are used up."""
        attempt = 0
        while True:
            try:
                response = self._follow_redirects(method, url, headers, data)
            except (requests.RequestException, OSError, ValueError) as error:
                failure = failure_of(error)
                problem = SourceError(f"{_host(url)}: {failure.words}", source=self._source, reason=failure.reason)
                problem.__cause__ = error
                if not failure.passing:
                    raise problem from error
            else:
                status = response.status_code
                if status not in RETRIED or "Retry-After" in response.headers:
                    return response
                problem = SourceError(
                    f"answered {status}",
                    source=self._source,
                    reason=Reason.STATUS,
                    status=status,
                    head=response.content[:200],
                )
            attempt += 1
            if attempt >= TRIES or self.transport.sent >= self.transport.max_requests:
                raise problem
            self.transport.expired.wait(self._pause * 2 ** (attempt - 1) * (0.5 + self._random.random()))

    def _follow_redirects(self, method: str, url: str, headers: Mapping[str, str], data: _Body) -> requests.Response:
        first = urlsplit(url)
        for hop in range(MAX_REDIRECTS + 1):
            here = urlsplit(url)
            if here.scheme not in ("http", "https"):
                words = f"{here.scheme or 'an address without a scheme'}: only http and https"
                raise SourceError(words, source=self._source, reason=Reason.FORBIDDEN_ADDRESS)
            # a key never travels on: to another host, another port, or in the clear
            same = (here.scheme, here.netloc) == (first.scheme, first.netloc)
            sent = headers if same else {k: v for k, v in headers.items() if k != "Authorization"}
            response = self.request(method, url, headers=sent, data=data)
            if not response.is_redirect or method == "POST":
                return response
            self.transport.sent -= 1 if hop < MAX_REDIRECTS else 0
            url = urljoin(url, response.headers["Location"])
            if here.scheme == "https" and urlsplit(url).scheme == "http":
                raise SourceError("leads from https to http", source=self._source, reason=Reason.FORBIDDEN_ADDRESS)
            if _host(url) != here.hostname:
                self.transport.leave_hosts()  # two hosts that send each other's visitors on must not hold both
        raise SourceError(f"more than {MAX_REDIRECTS} redirects", source=self._source, reason=Reason.LIMIT)


def _plain(value: str) -> str:
    """Return a header's value if it may be sent back as one, else nothing."""
    return value if re.fullmatch(r"[!-~]([ -~]{0,298}[!-~])?", value) else ""


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "no host"
    except ValueError:
        return "no address"
