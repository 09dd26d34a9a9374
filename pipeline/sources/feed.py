"""RSS, Atom and JSON Feed. feedparser runs in one reusable process of its own, killed when a body takes too long."""

from __future__ import annotations

import atexit
import hashlib
import json
import re
import select
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from pipeline.core.errors import Reason, SourceError
from pipeline.core.records import Batch, NewsItem, RejectedRow, Span
from pipeline.core.times import utc
from pipeline.http.session import HttpClient
from pipeline.sources.parsing import FUTURE, TITLE_CAP, is_page, plain, read_json, reject, unmarked

PARSE_SECONDS = 10.0
MOST_ENTRIES = 5000
_ENTRY_END = re.compile(rb"(?i)</(?:[a-z0-9_]{1,20}:)?(?:item|entry)\s*>")
GOOGLE = "news.google.com"
ABOUT = "(outage OR down OR hacked OR ban OR ordered OR directive OR sanctions OR lawsuit)"


class _Reader:
    """The one process that parses feeds, started when first needed and again after it had to be killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop, 1.0)

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

    def read(self, body: bytes, seconds: float) -> dict[str, Any]:
        """Return what feed_reader.read says; raises TimeoutError when it takes longer, EOFError when it dies."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self.stop()
                script = Path(__file__).with_name("feed_reader.py")
                self._process = subprocess.Popen(  # noqa: S603  our own interpreter and script
                    [sys.executable, "-I", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
                )
            try:
                return self._exchange(self._process, body, time.monotonic() + seconds)
            except BaseException:
                self.stop()  # half an answer may be on its way: the next body gets a fresh process
                raise

    def _exchange(self, process: subprocess.Popen[bytes], body: bytes, until: float) -> dict[str, Any]:
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

        found: dict[str, Any] = json.loads(take(struct.unpack("<I", take(4))[0]))
        return found


_READER = _Reader()


def read_feed(body: bytes, source: str) -> dict[str, Any]:
    """Return {version, bozo, title, entries} of a feed of any kind; raises SourceError when the bytes are none."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return _json_feed(body, source)
    ends = islice(_ENTRY_END.finditer(body), MOST_ENTRIES - 1, MOST_ENTRIES)
    try:
        # reading costs half a millisecond an entry: of an endless feed the first some thousand are taken
        found = _READER.read(body[: next((end.end() for end in ends), len(body))], PARSE_SECONDS)
    except TimeoutError:
        raise SourceError(
            f"not read within {PARSE_SECONDS:g} s; given up", source=source, reason=Reason.TIMEOUT, head=body[:200]
        ) from None
    except EOFError:
        raise SourceError(
            "too much for the memory a feed may take", source=source, reason=Reason.LIMIT, head=body[:200]
        ) from None
    if "error" in found:
        raise SourceError(f"not a readable feed: {found['error']}", source=source, head=body[:200])
    if not found["entries"] and (not found["version"] or found["bozo"]) and is_page(body):
        raise SourceError("a web page, not a feed", source=source, reason=Reason.REFUSED, head=body[:200])
    if not found["version"] and not found["entries"]:
        raise SourceError("neither RSS nor Atom", source=source, head=body[:200])
    if found["bozo"] and not found["entries"]:
        # an empty list may be what is left of a body that broke off: no statement that there is no news
        raise SourceError("an ill-formed feed without an entry", source=source, head=body[:200])
    return found


def _json_feed(body: bytes, source: str) -> dict[str, Any]:
    answer = read_json(body, source)
    if not str(answer.get("version", "")).startswith("https://jsonfeed.org/version/"):
        raise SourceError("JSON, and no JSON Feed", source=source, head=body[:200])
    items = answer.get("items")
    if not isinstance(items, list):
        raise SourceError("a JSON Feed without items", source=source, head=body[:200])
    entries: list[Any] = []
    for item in items[:MOST_ENTRIES]:
        if not isinstance(item, dict):
            entries.append(item)
            continue
        words = item.get("summary") or item.get("content_text") or item.get("content_html")
        times = {}
        for key, name in (("published", "date_published"), ("updated", "date_modified")):
            try:
                times[key] = list(utc(str(item[name])).timetuple())[:6]
            except (KeyError, ValueError):
                continue
        entries.append(
            {
                "title": item.get("title"),
                "id": plain(item.get("id"), 300),
                "link": item.get("url"),
                "summary": words,
                "content": item.get("content_html"),
                "source": "",
                **times,
            }
        )
    return {"version": "json", "bozo": False, "title": answer.get("title"), "entries": entries}


def moment(parts: object, fetched_at: datetime) -> datetime | None:
    """Read six numbers as a UTC time; None when they are none, or lie before 2000 or in the future."""
    if not isinstance(parts, list) or len(parts) != 6:
        return None
    try:
        year, month, day, hour, minute, second = parts
        found = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found.year >= 2000 and found <= fetched_at + FUTURE else None


def _link(value: object) -> str:
    text = plain(value, 500)
    return text if text.lower().startswith(("http://", "https://")) else ""


def parse_feed(body: bytes, *, source: str, fetched_at: datetime) -> Batch:
    """Parse a feed of any kind into NewsItems; raises SourceError when the bytes are no feed.

    An entry without an id is known by its link, or by a digest of what it says; one without a title by its first
    words. A time that cannot be read or lies in the future becomes the time of fetching. May be called alone on
    hostile bytes: same bytes, same result, at most ten seconds.
    """
    found = read_feed(body, source)
    home = plain(found["title"], 120) or source
    rows: dict[str, NewsItem] = {}
    bad: list[RejectedRow] = []
    for number, entry in enumerate(found["entries"]):
        if not isinstance(entry, Mapping):
            bad.append(reject(f"entry {number}", "not an object", entry))
            continue
        summary = unmarked(entry.get("summary") or entry.get("content"), 2000)
        url = _link(entry.get("link"))
        outlet = plain(entry.get("source"), 120)
        title = unmarked(entry.get("title"), TITLE_CAP)
        if outlet:
            title = title.removesuffix(f" - {outlet}")
        digest = hashlib.sha256(json.dumps(entry, sort_keys=True, default=str).encode("utf-8", "replace")).hexdigest()[
            :24
        ]
        native = plain(entry.get("id"), 300) or url or f"digest:{digest}"
        if GOOGLE in url:
            # its links are opaque and differ from day to day: the same headline of the same outlet is one item
            said = f"{' '.join(title.casefold().split())}\0{outlet.casefold()}"
            native = f"google:{hashlib.sha256(said.encode()).hexdigest()[:24]}"
        if native in rows:
            # newest first: what comes again is older, or another item under a careless id
            if rows[native].title == title:
                continue
            native = f"{native[:270]}#{digest}"
        published = moment(entry.get("published"), fetched_at) or moment(entry.get("updated"), fetched_at)
        rows[native] = NewsItem(
            source=source,
            native_id=native,
            outlet=outlet or home,
            published=published or fetched_at,
            collected=fetched_at,
            title=title or summary[:120] or url or "(untitled)",
            summary=summary,
            url=url,
        )
    return Batch(
        source=source,
        rows=tuple(rows.values()),
        rejected=tuple(bad),
        detail="ill-formed, salvaged" if found["bozo"] else "",
        outcome="ok" if rows else "empty",
    )


def google_news(name: str, vendor: str) -> str:
    """Return the address of Google News' search for a service or its vendor, with what makes either newsworthy."""
    who = f'("{name}" OR "{vendor}")' if vendor and vendor != name else f'"{name}"'
    query = urlencode({"q": f"{who} {ABOUT} when:1d", "hl": "en-US", "gl": "US", "ceid": "US:en"})
    return f"https://{GOOGLE}/rss/search?{query}"


class FeedSource:
    """One feed by its address."""

    def __init__(self, url: str, client: HttpClient, *, name: str = "", stored_as: str = "") -> None:
        """Named after host and path, without any query, unless a name is given; `stored_as` is its rows' source."""
        parts = urlsplit(url)
        self.name = name or f"feed:{parts.hostname}{parts.path}".rstrip("/")
        self._stored_as, self._url, self._client = stored_as or self.name, url, client

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        """Read the feed unless it is unchanged. Raises SourceError."""
        with self._client.session_for(self.name, state, now) as session:
            answer = session.fetch(self._url, conditional=True)
        if answer.body is None:
            return Batch(
                source=self.name, rows=(), outcome="not_modified", coverage=(Span(since, now),), state=answer.state
            )
        digest = hashlib.sha256(answer.body).hexdigest()[:16]
        if state.get("poison") == digest:
            raise SourceError("the same body that could not be read last time", source=self.name)
        try:
            batch = parse_feed(answer.body, source=self.name, fetched_at=now)
        except SourceError as error:
            if error.reason is Reason.TIMEOUT:
                error.state = {"poison": digest}  # ten seconds are enough for these bytes, once
            raise
        rows = tuple(replace(row, source=self._stored_as) for row in batch.rows if isinstance(row, NewsItem))
        salvaged = bool(batch.detail)
        return Batch(
            source=self.name,
            rows=rows,
            rejected=batch.rejected,
            outcome=batch.outcome,
            coverage=() if salvaged else (Span(since, now),),
            detail=batch.detail,
            state={} if salvaged else answer.state,
        )


def feed_sources(urls: Sequence[str], client: HttpClient) -> list[FeedSource]:
    """Return a source for each address, each under a name of its own."""
    named: dict[str, FeedSource] = {}
    for url in urls:
        source = FeedSource(url, client)
        if source.name in named:
            tail = hashlib.sha256(url.encode()).hexdigest()[:6]
            source = FeedSource(url, client, name=f"{source.name}#{tail}")
        named.setdefault(source.name, source)
    return list(named.values())
