"""The process that parses feeds: one that is slow, large or gone costs its feed, and the next feed is read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.sources import feed
from pipeline.sources.feed_process import FeedParserProcess

# a stand-in: it takes as long as the body says, or ends, in place of a feed that would make a parser do so
STAND_IN = """
import json, struct, sys, time
while len(head := sys.stdin.buffer.read(4)) == 4:
    word, _, number = sys.stdin.buffer.read(struct.unpack("<I", head)[0]).decode().partition(" ")
    if word == "end":
        sys.exit(1)
    begin = time.monotonic()
    while word == "spin" and time.monotonic() - begin < float(number):
        pass
    answer = json.dumps({"version": "rss20", "bozo": False, "title": word, "entries": []}).encode()
    sys.stdout.buffer.write(struct.pack("<I", len(answer)) + answer)
    sys.stdout.buffer.flush()
"""
FEED = b"<rss version='2.0'><channel><title>x</title><item><title>a</title></item></channel></rss>"


@pytest.fixture
def parser(tmp_path: Path) -> Iterator[FeedParserProcess]:
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)
    made = FeedParserProcess(script)
    yield made
    made.stop()


def pid(parser: FeedParserProcess) -> int:
    assert parser._process is not None
    return parser._process.pid


def test_a_parse_that_takes_too_long_is_killed_and_the_next_feed_is_read(parser: FeedParserProcess) -> None:
    assert parser.read(b"well", 20).title == "well"
    slow, begin = pid(parser), time.monotonic()
    with pytest.raises(TimeoutError):
        parser.read(b"spin 60", 1.0)
    assert time.monotonic() - begin < 20
    assert not Path(f"/proc/{slow}").exists(), "it does not go on using the processor"
    assert parser.read(b"again", 20).title == "again"
    assert pid(parser) != slow


def test_a_parser_that_ends_costs_its_feed_alone(parser: FeedParserProcess) -> None:
    with pytest.raises(EOFError):
        parser.read(b"end", 20)
    assert parser.read(b"again", 20).title == "again"


def test_a_feed_is_given_ten_seconds_and_the_source_says_so(
    parser: FeedParserProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    class Slow(FeedParserProcess):
        def read(self, body: bytes, seconds: float) -> feed.FeedDocument:
            asked.append(seconds)
            return parser.read(b"spin 60", 0.5)

    monkeypatch.setattr(feed, "shared_parser", Slow)
    with pytest.raises(feed.SourceError, match="not read within 10 s; given up") as caught:
        feed.read_feed(FEED, "feed:x")
    assert (asked, caught.value.reason) == ([10.0], feed.Reason.TIMEOUT)
