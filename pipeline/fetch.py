"""The HTTP client of the sources: conditional, capped, with a deadline by the clock, and no way to private hosts.

A read timeout alone does not bound a server that drips a byte now and then: a watchdog shuts the connection at the
deadline. The size cap counts decoded bytes. The address is checked at connect, after the name was looked up, so a
name that changes between look-up and use, or a redirect, gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from pipeline.errors import SourceError
from pipeline.model import iso, utc

MAX_BODY = 10 * 1024 * 1024
DEADLINE = 30.0
MAX_REDIRECTS = 5
USER_AGENT = "groundswell/0.1 (outage detection; https://groundswell.example)"


# IPv6 forms that carry an IPv4 address, or are private by an older name
_DISGUISES = tuple(ipaddress.ip_network(n) for n in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "fec0::/10"))


class _Refused(OSError):
    """The address may not be contacted."""


def _check_address(host: str, address: str) -> None:
    """Raise unless the address is a public one, looking through IPv6 forms of IPv4."""
    ip = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    inner = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None) or ip
    disguised = any(ip in network for network in _DISGUISES if network.version == ip.version)
    if disguised or not inner.is_global or inner.is_multicast:
        raise _Refused(f"{host} is at {address}, a private address")


class _Guard:
    """Watches the connections of one request: checks addresses, shuts sockets at the deadline."""

    def __init__(self, allow_private: bool) -> None:
        self.allow_private = allow_private
        self.sockets: list[socket.socket] = []
        self.expired = False

    def connect(self, connection: HTTPConnection) -> socket.socket:
        host = str(getattr(connection, "_dns_host", connection.host))
        for family, kind, proto, _, address in socket.getaddrinfo(host, connection.port, 0, socket.SOCK_STREAM):
            if not self.allow_private:
                _check_address(host, str(address[0]))
            sock = socket.socket(family, kind, proto)
            sock.settimeout(10)
            self.sockets.append(sock)
            try:
                sock.connect(address)
            except OSError:
                sock.close()
                continue
            return sock
        raise OSError(f"{host} does not answer")

    def expire(self) -> None:
        self.expired = True
        for sock in self.sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def _adapter(guard: _Guard) -> HTTPAdapter:
    """Return an adapter whose connections are made by the guard."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return guard.connect(self)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return guard.connect(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    return Adapter(max_retries=0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: the body, or None when it has not changed, and what to remember for next time."""

    body: bytes | None
    memory: Mapping[str, str] = field(default_factory=dict)


class Fetcher:
    """Gets bodies within fixed limits. One instance serves all sources of a run."""

    def __init__(self, *, allow_private: bool = False, deadline: float = DEADLINE) -> None:
        """`allow_private` is for tests and for mirrors in one's own network."""
        self._allow_private, self._deadline = allow_private, deadline

    def session(self, source: str) -> GuardedSession:
        """Return a session with this fetcher's limits."""
        return GuardedSession(source, allow_private=self._allow_private, deadline=self._deadline)

    def get(self, url: str, *, source: str, memory: Mapping[str, str], now: datetime) -> Answer:
        """GET an address; raises SourceError in one line, `blocked` and with retry_after where the source asked."""
        waiting = memory.get("retry_after", "")
        if waiting and now < utc(waiting):
            raise SourceError(f"{source}: asked to wait until {waiting}", outcome="blocked", retry_after=waiting)
        guard = _Guard(self._allow_private)
        watchdog = threading.Timer(self._deadline, guard.expire)
        watchdog.daemon = True
        watchdog.start()
        try:
            return self._follow(url, source, memory, now, guard)
        except _Refused as error:
            raise SourceError(f"{source}: {error}") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            cause: BaseException | None = error
            while cause is not None:
                if isinstance(cause, _Refused):
                    raise SourceError(f"{source}: {cause}") from error
                cause = cause.__cause__ or cause.__context__
            if guard.expired:
                raise SourceError(f"{source}: no whole answer within {self._deadline:g} s") from error
            raise SourceError(f"{source}: {urlsplit(url).hostname}: {_reason(error)}") from error
        finally:
            watchdog.cancel()
            for sock in guard.sockets:
                sock.close()

    def _follow(self, url: str, source: str, memory: Mapping[str, str], now: datetime, guard: _Guard) -> Answer:
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"}
        if memory.get("etag"):
            headers["If-None-Match"] = memory["etag"]
        if memory.get("last_modified"):
            headers["If-Modified-Since"] = memory["last_modified"]
        with requests.Session() as session:
            session.trust_env = False
            for scheme in ("http://", "https://"):
                session.mount(scheme, _adapter(guard))
            for _ in range(MAX_REDIRECTS + 1):
                if urlsplit(url).scheme not in ("http", "https"):
                    raise SourceError(
                        f"{source}: {urlsplit(url).scheme or 'an address without a scheme'}: only http and https"
                    )
                with session.get(url, headers=headers, stream=True, timeout=15, allow_redirects=False) as response:
                    if response.is_redirect:
                        url = urljoin(url, response.headers["Location"])
                        continue
                    return self._take(response, source, now, guard)
        raise SourceError(f"{source}: more than {MAX_REDIRECTS} redirects")

    def _take(self, response: requests.Response, source: str, now: datetime, guard: _Guard) -> Answer:
        status = response.status_code
        if status == 304:
            return Answer(None, {"retry_after": ""})
        if status in (403, 429, 503):
            until = iso(now + retry_after(response.headers.get("Retry-After"), now)) if status != 403 else ""
            raise SourceError(f"{source}: answered {status}", outcome="blocked", retry_after=until or None)
        if status != 200:
            raise SourceError(f"{source}: answered {status}")
        if len(response.headers.get("Content-Encoding", "").split(",")) > 2:
            raise SourceError(f"{source}: packed more than twice")
        body = _read(response, source, guard, self._deadline)
        expected = response.headers.get("Content-Length", "")
        if expected.isdigit() and not response.headers.get("Content-Encoding") and len(body) < int(expected):
            raise SourceError(f"{source}: the answer was cut short")
        return Answer(body, {"etag": response.headers.get("ETag", "")[:300], "retry_after": "",
                                    "last_modified": response.headers.get("Last-Modified", "")[:100]})  # fmt: skip


def _read(response: requests.Response, source: str, guard: _Guard, deadline: float) -> bytes:
    """Read a decoded body within the cap and the deadline; raises SourceError."""
    body = bytearray()
    began = time.monotonic()
    while not guard.expired:
        # one decoded piece at a time: what a full read would wait for, a drip never completes
        piece = response.raw.read1(65536, decode_content=True)
        if not piece:
            break
        body += piece
        if len(body) > MAX_BODY:
            raise SourceError(f"{source}: more than {MAX_BODY // 2**20} MiB")
        if time.monotonic() - began > deadline:
            guard.expired = True
    if guard.expired:
        raise SourceError(f"{source}: no whole answer within {deadline:g} s")
    return bytes(body)


class GuardedSession(requests.Session):
    """A session with the fetcher's limits, for a client library that brings its own requests (praw)."""

    def __init__(self, source: str, *, allow_private: bool = False, deadline: float = DEADLINE) -> None:
        """`source` is named in errors."""
        super().__init__()
        self.trust_env = False
        self._source, self._deadline = source, deadline
        self._guard = _Guard(allow_private)
        for scheme in ("http://", "https://"):
            self.mount(scheme, _adapter(self._guard))

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send one request and read its body within the limits; raises SourceError past them."""
        guard = self._guard
        guard.sockets, guard.expired = [s for s in guard.sockets if s.fileno() >= 0], False
        watchdog = threading.Timer(self._deadline, guard.expire)
        watchdog.daemon = True
        watchdog.start()
        try:
            response = super().send(request, **{**kwargs, "stream": True})
            response._content = _read(response, self._source, guard, self._deadline)
        except _Refused as error:
            raise SourceError(f"{self._source}: {error}") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            if guard.expired:
                raise SourceError(f"{self._source}: no whole answer within {self._deadline:g} s") from error
            raise
        finally:
            watchdog.cancel()
        return response


def retry_after(value: str | None, now: datetime) -> timedelta:
    """Read a Retry-After in seconds or as a date: at least a minute, at most an hour, ten minutes when unreadable."""
    seconds = 600.0
    if value:
        try:
            seconds = float(value)
        except ValueError:
            try:
                moment = parsedate_to_datetime(value)
                seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
            except (TypeError, ValueError, OverflowError):
                seconds = 600.0
    if seconds != seconds:
        seconds = 600.0
    return timedelta(seconds=min(3600.0, max(60.0, seconds)))


def _reason(error: BaseException) -> str:
    """Return a short reason without addresses of memory or repeated wrappers."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate cannot be trusted"
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "cannot be reached"
    return type(error).__name__
