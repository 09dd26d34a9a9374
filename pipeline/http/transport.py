"""A requests session with a budget: of requests, of seconds by the clock, of decoded bytes, of places at hosts.

A read timeout alone does not bound a server that drips a byte now and then, so a watchdog shuts the connections at the
deadline. Addresses are checked at connect, after the name was looked up, so that a name that changes between look-up
and use, or a redirect, gains nothing.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from pipeline.core.errors import Reason, SourceError
from pipeline.core.redaction import credentials_of, remember_secrets
from pipeline.http.adapter import SessionAdapter
from pipeline.http.addresses import AddressPolicy
from pipeline.http.hosts import HostLimits
from pipeline.http.kept_bodies import BodyKeeper
from pipeline.http.retry import certificate_time
from pipeline.http.server_clocks import ServerClocks

MAX_BODY = 10 * 1024 * 1024
PACKINGS = ("", "identity", "gzip", "x-gzip", "deflate")
Response = requests.Response


@dataclass(frozen=True, slots=True)
class Limits:
    """What all sessions of a run share: `deadline` in seconds by the clock, addresses and hosts.

    `keeper` writes every answer into a folder; None: they are not kept. `clocks` compares the servers' clocks with this
    machine's; None: not compared.
    """

    deadline: float
    policy: AddressPolicy
    hosts: HostLimits
    keeper: BodyKeeper | None = None
    clocks: ServerClocks | None = None


class BudgetedSession(requests.Session):
    """A session of one source's turn, also for a client library that brings its own requests (praw)."""

    def __init__(self, source: str, limits: Limits, max_requests: int, headers: dict[str, str]) -> None:
        """`source` names it in errors; close it to give back its connections and places."""
        super().__init__()
        self.trust_env = False
        self.headers.update(headers)
        self.source, self.max_requests, self.sent = source, max_requests, 0
        self.asked = 0  # every request, redirects included, which `sent` leaves out
        self.most_asked: int | None = None
        self.expired = threading.Event()
        self.inspect: Callable[[requests.Response], None] | None = None  # sees each answer first; may raise SourceError
        self._limits = limits
        self._sockets: list[socket.socket] = []
        self._held: set[str] = set()
        self._addresses: dict[str, str] = {}  # by host, as it was connected to last
        self._first_host: str | None = None
        self._answered = False
        self._watchdog: threading.Timer | None = None
        for scheme in ("http://", "https://"):
            self.mount(scheme, SessionAdapter(self.connect))

    def close(self) -> None:
        """Give back the connections and the places at their hosts, and stop the clock."""
        if self._watchdog is not None:
            self._watchdog.cancel()
        self.leave_hosts()

    def leave_hosts(self) -> None:
        """Close every connection and give back the places."""
        super().close()
        for sock in self._sockets:
            sock.close()
        self._sockets = []
        for host in self._held:
            if self.expired.is_set() or self._answered:
                self._limits.hosts.record_host_outcome(host, answered=not self.expired.is_set())
            self._limits.hosts.release_host(host)
        self._held = set()

    def connect(self, host: str, port: int) -> socket.socket:
        """Connect to a checked address, when the host has a place free; raises SourceError or OSError."""
        if host not in self._held:
            # the first place is waited for without end, as nothing is held meanwhile; a further one until the deadline
            if not self._limits.hosts.acquire_host(host, None if self._watchdog is None else self._limits.deadline):
                raise self._late()
            self._held.add(host)
        if self._watchdog is None:
            # waiting for a place is nobody's fault: the deadline runs from the first connection
            self._watchdog = threading.Timer(self._limits.deadline, self._expire)
            self._watchdog.daemon = True
            self._watchdog.start()
        for family, kind, proto, _, address in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM):
            self._limits.policy.check(host, str(address[0]))
            if self.expired.is_set():
                raise self._late()
            sock = socket.socket(family, kind, proto)
            sock.settimeout(min(10.0, self._limits.deadline))
            # a second descriptor of the same connection: TLS takes the first one away from us
            self._sockets.append(sock.dup())
            try:
                sock.connect(address)
            except OSError:
                sock.close()
                continue
            if self.expired.is_set():
                # the look-up or the connect outlasted the deadline: nobody watches any more
                sock.close()
                raise self._late()
            self._addresses[host] = str(address[0])
            return sock
        raise OSError(f"{host} does not answer")

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send one request, follow no redirect, read the body within the limits; raises SourceError past them."""
        if self.expired.is_set():
            raise self._late()
        if self.sent >= self.max_requests or (self.most_asked is not None and self.asked >= self.most_asked):
            words = f"not answered within {min(self.max_requests, self.asked)} requests"
            raise SourceError(words, source=self.source, reason=Reason.LIMIT)
        self.sent += 1
        self.asked += 1
        remember_secrets(credentials_of(request.headers))
        self._note_asked(request)
        kwargs |= {"stream": True, "allow_redirects": False, "timeout": min(15.0, self._limits.deadline)}
        try:
            response = super().send(request, **kwargs)
            self._note_server_clock(request, response)
            response.raw = _CappedBody(response.raw, self)
            response.content  # noqa: B018  read here, where what breaks off and what is late are told apart
            self._answered = True
            if self._limits.keeper is not None:
                self._limits.keeper.keep(self.source, response)
            if self.inspect is not None:
                self.inspect(response)
        except SourceError as error:
            error.source = error.source or self.source
            raise
        except (requests.RequestException, OSError) as error:
            self._note_certificate(request, error)
            if self.expired.is_set():
                raise self._late() from error
            raise
        return response

    def _note_asked(self, request: requests.PreparedRequest) -> None:
        if self._limits.clocks is not None and self._first_host is None:
            self._first_host = _host_of(request)
            self._limits.clocks.note_asked(self._first_host)

    def _note_server_clock(self, request: requests.PreparedRequest, response: requests.Response) -> None:
        """Note the server's clock, before its body is read: of the host asked first, where nobody else can answer."""
        clocks, host = self._limits.clocks, _host_of(request)
        if clocks is None or host != self._first_host or host not in self._addresses:
            return
        address = self._addresses[host]
        if urlsplit(str(request.url)).scheme == "https" or self._limits.policy.names(host, address):
            clocks.note_answer(host, address, response.headers)

    def _note_certificate(self, request: requests.PreparedRequest, error: BaseException) -> None:
        clocks, host = self._limits.clocks, _host_of(request)
        if clocks is not None and host == self._first_host and (problem := certificate_time(error)) is not None:
            clocks.note_certificate(host, problem)

    def check_clock(self, began: float) -> None:
        """Raise SourceError when the deadline has passed, or a body that began then (monotonic) took as long alone."""
        if time.monotonic() - began > self._limits.deadline:
            self.expired.set()
        if self.expired.is_set():
            raise self._late()

    def _expire(self) -> None:
        self.expired.set()
        for sock in self._sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def _late(self) -> SourceError:
        words = f"no whole answer within {self._limits.deadline:g} s"
        return SourceError(words, source=self.source, reason=Reason.TIMEOUT)


def _host_of(request: requests.PreparedRequest) -> str:
    return urlsplit(str(request.url)).hostname or ""


class _CappedBody:
    """A response's body within the session's limits; requests reads it by `stream`."""

    def __init__(self, raw: urllib3.HTTPResponse, session: BudgetedSession) -> None:
        self._raw, self._session = raw, session
        self.close, self.release_conn = raw.close, raw.release_conn

    def stream(self, _size: int, *, decode_content: bool) -> Iterator[bytes]:
        """Yield decoded pieces as they come; raises SourceError past size or deadline, or when it ends early."""
        packings = [name.strip().lower() for name in self._raw.headers.get("Content-Encoding", "").split(",")]
        if len(packings) > 2 or any(name not in PACKINGS for name in packings):
            raise SourceError(f"packed as {', '.join(packings)[:60]!r}, which is not read")
        size, began = 0, time.monotonic()
        # one decoded piece at a time: what a full read would wait for, a drip never completes
        while piece := self._raw.read1(65536, decode_content=decode_content):
            size += len(piece)
            if size > MAX_BODY:
                raise SourceError(f"more than {MAX_BODY // 2**20} MiB", reason=Reason.LIMIT)
            self._session.check_clock(began)
            yield piece
        self._session.check_clock(began)
        announced = self._raw.headers.get("Content-Length", "")
        if (
            announced.isascii()
            and announced.isdecimal()
            and packings == [""]
            and size < int(announced[:12])
            and self._raw.status != 304
        ):
            raise SourceError("the answer was cut short")
