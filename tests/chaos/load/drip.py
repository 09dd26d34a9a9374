"""One upstream that never ends beside others that answer: a byte a second of the body or headers, or no end at all."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.chaos.load.measured import Cost, Result, count, measured
from tests.fakes.base import Fault, Reply
from tests.fakes.scripted import Scripted

NOW = "2026-03-02T12:00:00Z"
DATE = "Mon, 02 Mar 2026 11:30:00 GMT"
LONGEST = 120  # seconds after which a stand-in gives up by itself
RSS = {"Content-Type": "application/rss+xml; charset=utf-8"}


def a_byte_a_second(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    """Send the whole head, then a byte of the body every second."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nContent-Length: 5000\r\n\r\n")
    _drip(handler, lambda: b" ")


def headers_that_drip(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    """Send a byte of the head every second."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    _drip(handler, lambda: b"y")


def a_body_without_end(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    """Send a body of unknown length as fast as it is read, without end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nConnection: close\r\n\r\n")
    end = time.monotonic() + LONGEST
    with contextlib.suppress(OSError):
        while time.monotonic() < end:
            handler.wfile.write(b" " * 65536)
    handler.close_connection = True


def _drip(handler: BaseHTTPRequestHandler, piece: Callable[[], bytes]) -> None:
    with contextlib.suppress(OSError):
        for _ in range(LONGEST):
            handler.wfile.write(piece())
            handler.wfile.flush()
            time.sleep(1)
    handler.close_connection = True


KINDS: dict[str, Fault] = {
    "a byte of the body a second": a_byte_a_second,
    "a byte of the headers a second": headers_that_drip,
    "a body without end": a_body_without_end,
}


@contextlib.contextmanager
def _upstreams(good: int, fault: Fault) -> Iterator[list[str]]:
    """Yield the addresses of feeds with an item each; the first one is spoilt."""
    fakes = []
    for number in range(good + 1):
        item = f"<item><title>News {number}</title><guid>g{number}</guid><pubDate>{DATE}</pubDate></item>"
        body = f"<rss version='2.0'><channel><title>Paper {number}</title>{item}</channel></rss>"
        fake = Scripted({f"/feed{number}.xml": Reply(body.encode(), headers=RSS)})
        fake.start()
        fakes.append(fake)
    fakes[0].spoil(fault)
    try:
        yield [f"{fake.url}/feed{number}.xml" for number, fake in enumerate(fakes)]
    finally:
        for fake in fakes:
            fake.close()


def drip(folder: Path, kind: str, *, good: int = 19, deadline: int = 5) -> Result:
    """Run once beside an upstream of a kind; return what it cost and what did not hold."""
    with _upstreams(good, KINDS[kind]) as addresses:
        settings = f"""
[sources]
statuspage = false
downstatus = false
hacker_news = false
news_desks = false
google_news = false
allow_hosts = ["127.0.0.1"]
deadline = "{deadline}s"
feeds = {addresses}
"""
        (folder / "groundswell.toml").write_text(settings)
        cost = measured(folder, "run", "--now", NOW)
    stored = count(folder, "news_items")
    return Result(
        f"{kind}, beside {good} good upstreams, deadline {deadline} s",
        cost,
        rows=stored,
        wrong=_wrong(cost, stored, good=good, deadline=deadline),
    )


def _wrong(cost: Cost, stored: int, *, good: int, deadline: int) -> list[str]:
    checks = {
        f"{stored} of {good} good upstreams were stored": stored == good,
        f"it took {cost.wall:.0f} s": cost.wall < deadline + 15 + 3 * cost.cpu,  # others share the machine
        f"it printed {cost.err!r}": len(cost.lines) == 1 and "collect: feed:" in cost.err,
        f"it ended with {cost.code}": cost.code == 3,
    }
    return [words for words, held in checks.items() if not held]
