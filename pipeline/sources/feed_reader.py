"""The process in which feedparser runs: a body in, what it says out, so that a hostile feed costs a process, not a run.

Run as a script by sources/feed.py. It imports nothing of the project, opens nothing, and is killed by its parent
when a body takes too long. Each message is four bytes of length and then that many bytes: a feed in, JSON out.
"""

from __future__ import annotations

import io
import json
import signal
import struct
import sys
import warnings
from collections.abc import Mapping
from typing import Any

MEMORY = 448 * 1024 * 1024
MOST_TEXT = 100_000


def _text(value: object) -> str:
    return value[:MOST_TEXT] if isinstance(value, str) else ""


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    # their texts, since feedparser reads them leniently: CEST as UTC, a time behind a blank as midnight. Asked by
    # membership first: it maps an absent "updated" to "published" with a warning
    others = {key: _text(entry[key]) for key in ("published", "updated", "status") if key in entry}
    # an element <time datetime="..."> within an entry, where some wrap their date in one
    element = entry.get("time")
    origin = entry.get("source")
    content = entry.get("content") or [{}]
    first = content[0] if isinstance(content, list) and isinstance(content[0], dict) else {}
    return {
        "title": _text(entry.get("title")),
        "id": _text(entry.get("id")),
        "link": _text(entry.get("link")),
        "summary": _text(entry.get("summary")),
        "content": _text(first.get("value")),
        "source": _text(origin.get("title")) if isinstance(origin, dict) else "",
        "time_element": _text(element.get("datetime")) if isinstance(element, dict) else "",
        **others,
    }


def read(body: bytes) -> dict[str, Any]:
    """Return {version, bozo, title, entries}, or {error} when feedparser itself fails."""
    import feedparser

    try:
        # bytes or text would be taken for an address or a file name when they look like one; a stream never is
        parsed = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
        return {
            "version": _text(parsed.get("version")),
            "bozo": bool(parsed.get("bozo")),
            "title": _text((parsed.get("feed") or {}).get("title")),
            "entries": [_entry(entry) for entry in parsed.get("entries") or ()],
        }
    except (Exception, RecursionError) as error:  # noqa: BLE001  feedparser raises whatever its input makes it raise
        return {"error": type(error).__name__}


def main() -> None:
    """Answer bodies until the input ends, which the parent closes when Ctrl-C stops it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (ImportError, ValueError, OSError):
        pass  # elsewhere than on Linux the time limit alone protects
    warnings.simplefilter("ignore")
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while len(head := source.read(4)) == 4:
        answer = json.dumps(read(source.read(struct.unpack("<I", head)[0]))).encode("ascii")
        sink.write(struct.pack("<I", len(answer)) + answer)
        sink.flush()


if __name__ == "__main__":
    main()
