"""What upstreams really do, each as a function that spoils an answer: the list the contract test goes through."""

from __future__ import annotations

import contextlib
import gzip
import socket
import struct
import time
import zlib
from http.server import BaseHTTPRequestHandler

from tests.fakes.base import Fault, Reply

PAGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"


def status(code: int, body: bytes = b"no", **headers: str) -> Fault:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def fault(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        handler.send(Reply(body, code, named))  # type: ignore[attr-defined]

    return fault


def body(make: object, **headers: str) -> Fault:
    """Answer 200 with another body: bytes, or a function of the right one."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def fault(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        made = make(reply.body) if callable(make) else make
        handler.send(Reply(made, 200, {**reply.headers, **named}))  # type: ignore[attr-defined]

    return fault


def stall(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    """Accept, and say nothing."""
    _until_gone(handler, 20)


def stall_in_body(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    """Send the head and the beginning, then nothing."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(reply.body) + 10))
    handler.end_headers()
    handler.wfile.write(reply.body[:20])
    handler.wfile.flush()
    _until_gone(handler, 20)


def drip(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    """Send a byte every half second."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(40):
        try:
            handler.wfile.write(b" ")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.5)


def drip_headers(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    """Send a header every tenth of a second, without end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(200):
        try:
            handler.wfile.write(f"X-{number}: y\r\n".encode())
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.1)


def many_headers(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    handler.send(Reply(reply.body, 200, {f"X-{number}": "y" for number in range(150)}))  # type: ignore[attr-defined]


def reset(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    """Break the connection off with RST."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def truncated(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    """Announce the whole and send half."""
    handler.send_response(200)
    for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(reply.body[: len(reply.body) // 2])
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def truncated_quietly(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    """Send half without having said how much there is."""
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(reply.body[: max(1, len(reply.body) // 2)])
    handler.close_connection = True


def not_http(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    handler.wfile.write(b"220 mail.example ESMTP\r\n")
    handler.close_connection = True


def _until_gone(handler: BaseHTTPRequestHandler, seconds: float) -> None:
    handler.connection.settimeout(seconds)
    with contextlib.suppress(OSError):
        handler.connection.recv(1)
    handler.close_connection = True


BOMB = gzip.compress(b" " * 60_000_000, 9)
FAULTS: dict[str, Fault] = {
    "401": status(401, b"{}"),
    "401 with header": status(401, b"{}", WWW_Authenticate='Bearer realm="x", error="invalid_token"'),
    "403": status(403),
    "403 of a proxy": status(403, PAGE, WWW_Authenticate="Basic", Content_Type="text/html"),
    "404": status(404),
    "429": status(429, b"slow down"),
    "429 seconds": status(429, b"slow down", Retry_After="120"),
    "429 date": status(429, b"slow down", Retry_After="Mon, 02 Mar 2026 12:30:00 GMT"),
    "500": status(500),
    "501": status(501),
    "502": status(502),
    "503": status(503),
    "503 seconds": status(503, b"", Retry_After="300"),
    "504": status(504),
    "204": status(204, b""),
    "304 unasked": status(304, b""),
    "stall": stall,
    "stall in body": stall_in_body,
    "drip": drip,
    "drip of headers": drip_headers,
    "150 headers": many_headers,
    "reset": reset,
    "truncated": truncated,
    "truncated quietly": truncated_quietly,
    "not HTTP": not_http,
    "block page": body(PAGE, Content_Type="text/html"),
    "empty body": body(b""),
    "a sentence": body(b"Your query was too short.", Content_Type="text/html"),
    "gzip bomb": body(BOMB, Content_Encoding="gzip"),
    "packed thrice": body(zlib.compress, Content_Encoding="gzip, deflate, gzip"),
    "unknown packing": body(b"\x1b\x00", Content_Encoding="br"),
    "broken packing": body(b"not packed at all", Content_Encoding="gzip"),
    "wrong encoding": body(
        lambda right: right.decode("utf-8").encode("utf-16"), Content_Type="application/octet-stream"
    ),
    "binary": body(bytes(range(256)) * 8),
    "redirect to a file": status(302, b"", Location="file:///etc/hostname"),
    "redirect in a circle": status(302, b"", Location="/again"),
    "redirect to a private host": status(302, b"", Location="http://169.254.169.254/latest/meta-data/"),
}
