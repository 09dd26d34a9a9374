"""The HTTP client of the sources: conditional, capped, with a deadline by the clock, and no way to private hosts.

One source's turn in one run is a session with a budget of requests and of seconds. A read timeout alone
does not bound a server that drips a byte now and then, so a watchdog shuts the connections at the deadline. The size
cap counts decoded bytes. Addresses are checked at connect, after the name was looked up, so that a name that changes
between look-up and use, or a redirect, gains nothing.
"""

from __future__ import annotations

import http.client
import random
import re
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from pipeline.core.errors import SourceError
from pipeline.core.times import iso, utc
from pipeline.http.addresses import AddressPolicy
from pipeline.http.retry import LONGEST_WAIT, RETRIED, retry_after

MAX_BODY = 10 * 1024 * 1024
DEADLINE = 30.0
MAX_REDIRECTS = 5
TRIES = 3  # requests of a session that does not page; http.client itself stops at 100 headers
PER_HOST = 2
MAX_TIMEOUTS_PER_HOST = 3  # sessions in a row that a host let run out before it is left alone for the rest of the run
USER_AGENT = "groundswell/0.2 (outage detection; https://groundswell.example)"
PACKINGS = ("", "identity", "gzip", "x-gzip", "deflate")


@dataclass(frozen=True, slots=True)
class FetchResult:
    """What came: the body, or None when it has not changed, the headers in lower case, what to remember."""

    body: bytes | None
    headers: Mapping[str, str] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)


class HttpClient:
    """Hands out sessions within fixed limits. One instance serves all sources of a run, from any thread."""

    def __init__(self, *, allow: Iterable[str] = (), deadline: float = DEADLINE, pause: float = 0.5) -> None:
        """`deadline` is seconds by the clock for a session; `pause` the first wait before asking again."""
        self.allowed, self.deadline, self.pause = AddressPolicy(allow), deadline, pause
        self._slots: dict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(PER_HOST))
        self._silent: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    def session_for(self, source: str, state: Mapping[str, str], now: datetime, *, limit: int = TRIES) -> SourceSession:
        """Return a source's turn of at most `limit` requests; raises SourceError while it was asked to wait."""
        waiting = state.get("retry_after", "")
        if waiting and now < utc(waiting) <= now + LONGEST_WAIT:
            raise SourceError(f"{source}: asked to wait until {waiting}", outcome="blocked", retry_after=waiting)
        return SourceSession(self, source, state, now, limit)

    def acquire_host(self, host: str) -> threading.Semaphore:
        """Return the semaphore of the host's places; raises SourceError when the host has kept silent too often in this run."""
        with self._lock:
            if self._silent[host] >= MAX_TIMEOUTS_PER_HOST:
                raise SourceError(
                    f"{host} let {MAX_TIMEOUTS_PER_HOST} sources wait in vain; not asked again in this run"
                )
            return self._slots[host]

    def record_host_outcome(self, host: str, *, answered: bool) -> None:
        """Note whether a host answered in time."""
        with self._lock:
            self._silent[host] = 0 if answered else self._silent[host] + 1


class SourceSession(requests.Session):
    """One source's turn in one run: a session, also for a client library that brings its own requests (praw)."""

    def __init__(self, client: HttpClient, source: str, state: Mapping[str, str], now: datetime, limit: int) -> None:
        """Made by HttpClient.session_for; use it in a `with` block, which gives back its connections."""
        super().__init__()
        self.trust_env = False
        self.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"})
        self._client, self._source, self._state, self._now, self._limit = client, source, state, now, limit
        self._random = random.Random(f"{source} {iso(now)}")
        self._sockets: list[socket.socket] = []
        self._held: dict[str, threading.Semaphore] = {}
        self._over, self._answered, self.sent = threading.Event(), False, 0
        self._watchdog: threading.Timer | None = None
        self.inspect: Callable[[requests.Response], None] | None = None  # sees each answer first; may raise SourceError
        for scheme in ("http://", "https://"):
            self.mount(scheme, _adapter(self))

    def close(self) -> None:
        """Give back the connections and the places at their hosts."""
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._leave()

    def _leave(self) -> None:
        """Close every connection and give back the places."""
        super().close()
        for sock in self._sockets:
            sock.close()
        self._sockets = []
        for host, slot in self._held.items():
            if self._over.is_set() or self._answered:
                self._client.record_host_outcome(host, answered=not self._over.is_set())
            slot.release()
        self._held = {}

    def connect(self, connection: HTTPConnection) -> socket.socket:
        """Connect to a checked address, when the host has a place free; raises SourceError or OSError."""
        host = str(getattr(connection, "_dns_host", connection.host))
        if host not in self._held:
            slot = self._client.acquire_host(host)
            # the first place is waited for without end, since nothing is held meanwhile; a further one until the deadline
            if not slot.acquire(timeout=None if self._watchdog is None else self._client.deadline):
                raise self._late()
            self._held[host] = slot
            self._client.acquire_host(host)  # it may have gone silent meanwhile
        if self._watchdog is None:
            # waiting for a place is nobody's fault: the deadline runs from the first connection
            self._watchdog = threading.Timer(self._client.deadline, self._expire)
            self._watchdog.daemon = True
            self._watchdog.start()
        for family, kind, proto, _, address in socket.getaddrinfo(host, connection.port, 0, socket.SOCK_STREAM):
            self._client.allowed.check(host, str(address[0]))
            if self._over.is_set():
                raise self._late()
            sock = socket.socket(family, kind, proto)
            sock.settimeout(min(10.0, self._client.deadline))
            # a second descriptor of the same connection: TLS takes the first one away from us
            self._sockets.append(sock.dup())
            try:
                sock.connect(address)
            except OSError:
                sock.close()
                continue
            if self._over.is_set():
                # the look-up or the connect outlasted the deadline: nobody watches any more
                sock.close()
                raise self._late()
            return sock
        raise OSError(f"{host} does not answer")

    def _expire(self) -> None:
        self._over.set()
        for sock in self._sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send one request, follow no redirect, read the body within the limits; raises SourceError past them."""
        if self._over.is_set():
            raise self._late()
        if self.sent >= self._limit:
            raise SourceError(f"{self._source}: not answered within {self._limit} requests")
        self.sent += 1
        kwargs |= {"stream": True, "allow_redirects": False, "timeout": min(15.0, self._client.deadline)}
        try:
            response = super().send(request, **kwargs)
            response._content = b"".join(self._read_capped(response))
            self._answered = True
            if self.inspect is not None:
                self.inspect(response)
        except SourceError as error:
            if not str(error).startswith(self._source):
                error.args = (f"{self._source}: {error}",)
            raise
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            if self._over.is_set():
                raise self._late() from error
            if isinstance(error, urllib3.exceptions.HTTPError):
                # as a library of requests' expects a body that breaks off
                raise requests.exceptions.ChunkedEncodingError(error) from error
            raise
        return response

    def _late(self) -> SourceError:
        return SourceError(f"{self._source}: no whole answer within {self._client.deadline:g} s")

    def _read_capped(self, response: requests.Response) -> Iterator[bytes]:
        packings = [name.strip().lower() for name in response.headers.get("Content-Encoding", "").split(",")]
        if len(packings) > 2 or any(name not in PACKINGS for name in packings):
            raise SourceError(f"{self._source}: packed as {', '.join(packings)[:60]!r}, which is not read")
        size, began = 0, time.monotonic()
        # one decoded piece at a time: what a full read would wait for, a drip never completes
        while piece := response.raw.read1(65536, decode_content=True):
            size += len(piece)
            if size > MAX_BODY:
                raise SourceError(f"{self._source}: more than {MAX_BODY // 2**20} MiB")
            if time.monotonic() - began > self._client.deadline:
                self._over.set()
            if self._over.is_set():
                raise self._late()
            yield piece
        if self._over.is_set():
            raise self._late()
        told = response.headers.get("Content-Length", "")
        if (
            told.isascii()
            and told.isdecimal()
            and packings == [""]
            and size < int(told[:12])
            and response.status_code != 304
        ):
            raise SourceError(f"{self._source}: the answer was cut short")

    def fetch(self, url: str, *, conditional: bool = False, headers: Mapping[str, str] | None = None) -> FetchResult:
        """GET an address, where `conditional` only if it changed since last time.

        Raises SourceError in one line, `blocked` and with retry_after where the source asked for it.
        """
        known = {"If-None-Match": "etag", "If-Modified-Since": "last_modified"} if conditional else {}
        sent = {name: self._state[key] for name, key in known.items() if self._state.get(key)}
        answer = self.check_response(self._request_with_retries("GET", url, {**(headers or {}), **sent}, None))
        if answer.body is None and not sent:
            raise SourceError(f"{self._source}: answered 304, not modified, to a first request")
        return answer

    def post(  # type: ignore[override]
        self, url: str, *, data: Any, headers: Mapping[str, str] | None = None
    ) -> FetchResult:
        """POST form data (a mapping) or a body (bytes); raises SourceError as `fetch` does."""
        return self.check_response(self._request_with_retries("POST", url, headers or {}, data))

    def _request_with_retries(self, method: str, url: str, headers: Mapping[str, str], data: Any) -> requests.Response:
        """Ask until there is an answer other than a passing failure, or the session's requests are used up."""
        for attempt in range(TRIES):
            try:
                response = self._follow_redirects(method, url, headers, data)
            except (requests.RequestException, OSError, ValueError) as error:
                failure = SourceError(f"{self._source}: {_host(url)}: {_reason(error)}")
                failure.__cause__ = error
                if isinstance(error, requests.exceptions.SSLError | requests.exceptions.InvalidURL | ValueError):
                    raise failure from error
            else:
                if response.status_code not in RETRIED or "Retry-After" in response.headers:
                    return response
                failure = SourceError(f"{self._source}: answered {response.status_code}", head=response.content[:200])
            if attempt + 1 == TRIES or self.sent >= self._limit:
                raise failure
            self._over.wait(self._client.pause * 2**attempt * (0.5 + self._random.random()))
        raise AssertionError("unreachable")

    def _follow_redirects(self, method: str, url: str, headers: Mapping[str, str], data: Any) -> requests.Response:
        first = urlsplit(url)
        for hop in range(MAX_REDIRECTS + 1):
            here = urlsplit(url)
            if here.scheme not in ("http", "https"):
                scheme = here.scheme or "an address without a scheme"
                raise SourceError(f"{self._source}: {scheme}: only http and https")
            # a key never travels on: to another host, another port, or in the clear
            same = (here.scheme, here.netloc) == (first.scheme, first.netloc)
            sent = headers if same else {k: v for k, v in headers.items() if k != "Authorization"}
            response = self.request(method, url, headers=sent, data=data)
            if not response.is_redirect or method == "POST":
                return response
            self.sent -= 1 if hop < MAX_REDIRECTS else 0
            url = urljoin(url, response.headers["Location"])
            if here.scheme == "https" and urlsplit(url).scheme == "http":
                raise SourceError(f"{self._source}: leads from https to http")
            if _host(url) != here.hostname:
                self._leave()  # two hosts that send each other's visitors on must not hold both
        raise SourceError(f"{self._source}: more than {MAX_REDIRECTS} redirects")

    def check_response(self, response: requests.Response) -> FetchResult:
        """Return what an answer brought; raises SourceError on any but 200 and 304."""
        headers = {name.lower(): value for name, value in response.headers.items()}
        status, asked = response.status_code, headers.get("retry-after")
        if status == 304:
            return FetchResult(None, headers, {"retry_after": ""})
        if status in (403, 429) or (status == 503 and asked is not None):
            until = iso(self._now + retry_after(asked, self._now)) if status == 429 or asked is not None else None
            raise SourceError(
                f"{self._source}: answered {status}", outcome="blocked", retry_after=until, head=response.content[:200]
            )
        if status == 401:
            raise SourceError(
                f"{self._source}: answered 401: its key or password is missing or wrong",
                outcome="blocked",
                head=response.content[:200],
            )
        if status != 200:
            raise SourceError(f"{self._source}: answered {status}", head=response.content[:200])
        return FetchResult(
            response.content,
            headers,
            {
                "etag": _plain(headers.get("etag", "")),
                "retry_after": "",
                "last_modified": _plain(headers.get("last-modified", "")),
            },
        )


def _adapter(session: SourceSession) -> HTTPAdapter:
    """Return an adapter whose connections are made by the session."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return session.connect(self)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return session.connect(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    return Adapter(max_retries=0)


def _plain(value: str) -> str:
    """Return a header's value if it may be sent back as one, else nothing."""
    return value if re.fullmatch(r"[!-~]([ -~]{0,298}[!-~])?", value) else ""


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "no host"
    except ValueError:
        return "no address"


def _reason(error: BaseException) -> str:
    """Return a short reason without addresses of memory or repeated wrappers."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate cannot be trusted"
    chain: BaseException | None = error
    seen = 0
    while chain is not None and seen < 10:
        if isinstance(chain, http.client.IncompleteRead):
            return "the answer was cut short"
        if isinstance(chain, http.client.HTTPException):
            return "not a proper HTTP answer"
        if isinstance(chain, urllib3.exceptions.DecodeError):
            return "its packed answer cannot be unpacked"
        nested = next((a for a in chain.args if isinstance(a, BaseException)), None)
        chain, seen = chain.__cause__ or chain.__context__ or nested, seen + 1
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "cannot be reached"
    return "no usable address" if isinstance(error, ValueError) else type(error).__name__
