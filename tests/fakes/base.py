"""What the stand-ins share: a threading HTTP server with a clock, a log of requests and a script of faults."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.recording import Recording


@dataclass(frozen=True)
class Request:
    """One request as it came in; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    def one(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[0]


@dataclass(frozen=True)
class Reply:
    """What is answered."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(value: Any, status: int = 200, **headers: str) -> Reply:
    """Answer JSON."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(json.dumps(value).encode(), status, {"Content-Type": "application/json; charset=utf-8", **named})


Fault = Callable[[BaseHTTPRequestHandler, Reply], None]


class Fake(ThreadingHTTPServer, ABC):
    """One upstream. Subclasses answer in `reply`; `fault`, while set, spoils what would have been answered."""

    daemon_threads = True
    request_queue_size = 128
    conditional = False  # whether it sends an ETag and honours If-None-Match

    def __init__(self, recording: Recording, *, port: int = 0, host: str = "127.0.0.1", latency: float = 0.0) -> None:
        super().__init__((host, port), _Handler)
        self.recording, self.latency = recording, latency
        self.now = recording.start
        self.fault: Fault | None = None
        self.date: str | None = None  # its Date header; None: by the clock of this machine
        self.times = 10**9  # how often the fault strikes before it heals
        self.requests: list[Request] = []
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]}:{self.server_address[1]}"

    def start(self) -> Fake:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def spoil(self, fault: Fault | None, times: int = 10**9) -> None:
        self.fault, self.times = fault, times

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no event."""

    @abstractmethod
    def reply(self, request: Request) -> Reply:
        """Answer as the upstream would."""


class _Handler(BaseHTTPRequestHandler):
    server: Fake
    protocol_version = "HTTP/1.1"

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return what the Date header says."""
        return super().date_time_string(timestamp) if self.server.date is None else self.server.date

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(
            self.command,
            unquote(parts.path),
            parse_qs(parts.query, keep_blank_values=True),
            headers,
            self.rfile.read(length),
        )
        fake = self.server
        if request.path == "/__clock":
            fake.now = datetime.fromisoformat(request.body.decode()).astimezone(UTC)
            self.send(Reply(b""))
            return
        if request.path == "/__requests":
            self.send(as_json([[r.method, r.path, dict(r.query)] for r in fake.requests]))
            return
        with fake.lock:
            fake.requests.append(request)
            fake.at_once += 1
            fake.most_at_once = max(fake.most_at_once, fake.at_once)
            fault = fake.fault if fake.times > 0 else None
            fake.times -= fault is not None
        try:
            time.sleep(fake.latency)
            reply = fake.reply(request)
        finally:
            # counted until the answer is ready: once it is sent, the client may be back before this thread is
            with fake.lock:
                fake.at_once -= 1
        if fault is not None:
            fault(self, reply)
        else:
            self.send(self._unchanged(request, reply) if fake.conditional else reply)

    def _unchanged(self, request: Request, reply: Reply) -> Reply:
        tag = f'W/"{hashlib.sha256(reply.body).hexdigest()[:16]}"'
        if request.headers.get("if-none-match") == tag:
            return Reply(b"", 304, {"ETag": tag})
        return Reply(reply.body, reply.status, {**reply.headers, "ETag": tag})

    def send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if reply.status != 304:
            self.wfile.write(reply.body)

    do_GET = do_POST = _answer  # noqa: N815  as http.server calls them
