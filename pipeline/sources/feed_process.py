"""The process that parses feeds, as its parent sees it: started when needed, killed when a body takes too long."""

from __future__ import annotations

import atexit
import json
import select
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

READER = Path(__file__).with_name("feed_reader.py")


class FeedDocument(NamedTuple):
    """A feed as it was read: `version` of its format (empty: none known), `ill_formed` where it had to be salvaged.

    `entries` are objects of the keys title, id, link, summary, content, source, and published, updated, status,
    time_element where there are such, all as texts of the feed (times may be numbers in JSON); what is in a list and
    no object is kept as it is.
    """

    version: str
    ill_formed: bool
    title: object
    entries: Sequence[object]


class FeedParserProcess:
    """The one process that parses feeds, started when first needed and again after it had to be killed."""

    def __init__(self, script: Path = READER) -> None:
        """No process runs until the first body; `script` is what it runs."""
        self._script = script
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def stop(self, patience: float = 0.0) -> None:
        """End the process: at the end of its input within `patience` seconds, else at once."""
        if self._process is None:
            return
        try:
            if patience and self._process.stdin is not None:
                self._process.stdin.close()
                self._process.wait(patience)
        except (subprocess.TimeoutExpired, OSError):
            pass
        finally:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None

    def read(self, body: bytes, seconds: float) -> FeedDocument:
        """Return what feedparser makes of a body.

        Raises TimeoutError when it takes longer, EOFError when the process dies of it, and ValueError with the name of
        the exception that feedparser itself raised.
        """
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self.stop()
                self._process = subprocess.Popen(  # noqa: S603  our own interpreter and script
                    [sys.executable, "-I", str(self._script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
                )
            try:
                answer = self._exchange(self._process, body, time.monotonic() + seconds)
            except BaseException:
                self.stop()  # half an answer may be on its way: the next body gets a fresh process
                raise
        found = json.loads(answer)
        if "error" in found:
            raise ValueError(found["error"])
        return FeedDocument(found["version"], found["bozo"], found["title"], found["entries"])

    def _exchange(self, process: subprocess.Popen[bytes], body: bytes, until: float) -> bytes:
        source, sink = process.stdout, process.stdin
        assert source is not None
        assert sink is not None
        try:
            # the reader takes the whole body before it answers, so this cannot block for good
            for piece in (struct.pack("<I", len(body)), body):
                view = memoryview(piece)
                while view:
                    view = view[sink.write(view) or 0 :]
        except BrokenPipeError as error:
            raise EOFError from error

        def take(count: int) -> bytes:
            taken = bytearray()
            while len(taken) < count:
                ready, _, _ = select.select([source], [], [], max(0.0, until - time.monotonic()))
                if not ready:
                    raise TimeoutError
                piece = source.read(count - len(taken))
                if not piece:
                    raise EOFError
                taken += piece
            return bytes(taken)

        return take(struct.unpack("<I", take(4))[0])


@cache
def shared_parser() -> FeedParserProcess:
    """Return the parser that all feeds of this process share; it ends with the process."""
    parser = FeedParserProcess()
    atexit.register(parser.stop, 1.0)
    return parser
