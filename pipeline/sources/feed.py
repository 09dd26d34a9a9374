"""RSS, Atom and JSON Feed. feedparser runs in one reusable process of its own, killed when a body takes too long."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import structs

from pipeline.config.settings import Config
from pipeline.core.catalogue import Service
from pipeline.core.errors import Reason, SourceError
from pipeline.core.records import Batch, NewsItem, RejectedRow
from pipeline.core.times import Span
from pipeline.http.session import HttpClient
from pipeline.sources.feed_process import FeedDocument, shared_parser
from pipeline.sources.news_desks import NEWS_DESKS
from pipeline.sources.parsing import FUTURE, TITLE_CAP, is_page, plain, read_json, reject, unmarked
from pipeline.sources.spec import Coverage, DocsRow, ReadPlan, SourceSpec, first_reason
from pipeline.text.time_texts import read_time

PARSE_SECONDS = 10.0
MOST_ENTRIES = 5000
_ENTRY_END = re.compile(rb"(?i)</(?:[a-z0-9_]{1,20}:)?(?:item|entry)\s*>")
GOOGLE = "news.google.com"
FeedEntry = Mapping[str, object]


def read_feed(body: bytes, source: str) -> FeedDocument:
    """Read a feed of any kind; raises SourceError when the bytes are none."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return _json_feed(body, source)
    ends = islice(_ENTRY_END.finditer(body), MOST_ENTRIES - 1, MOST_ENTRIES)
    head = body[:200]
    try:
        # reading costs half a millisecond an entry: of an endless feed the first some thousand are taken
        found = shared_parser().read(body[: next((end.end() for end in ends), len(body))], PARSE_SECONDS)
    except TimeoutError:
        words = f"not read within {PARSE_SECONDS:g} s; given up"
        raise SourceError(words, source=source, reason=Reason.TIMEOUT, head=head) from None
    except EOFError:
        words = "too much for the memory a feed may take"
        raise SourceError(words, source=source, reason=Reason.LIMIT, head=head) from None
    except ValueError as error:
        raise SourceError(f"not a readable feed: {error}", source=source, head=head) from None
    if not found.entries and (not found.version or found.ill_formed) and is_page(body):
        raise SourceError("a web page, not a feed", source=source, reason=Reason.REFUSED, head=head)
    if not found.version and not found.entries:
        raise SourceError("neither RSS nor Atom", source=source, head=head)
    if found.ill_formed and not found.entries:
        # an empty list may be what is left of a body that broke off: no statement that there is no news
        raise SourceError("an ill-formed feed without an entry", source=source, head=head)
    return found


def _json_feed(body: bytes, source: str) -> FeedDocument:
    answer = read_json(body, source)
    if not str(answer.get("version", "")).startswith("https://jsonfeed.org/version/"):
        raise SourceError("JSON, and no JSON Feed", source=source, head=body[:200])
    items = answer.get("items")
    if not isinstance(items, list):
        raise SourceError("a JSON Feed without items", source=source, head=body[:200])
    entries: list[object] = []
    for item in items[:MOST_ENTRIES]:
        if not isinstance(item, dict):
            entries.append(item)
            continue
        words = item.get("summary") or item.get("content_text") or item.get("content_html")
        entries.append(
            {
                "title": item.get("title"),
                "id": plain(item.get("id"), 300),
                "link": item.get("url"),
                "summary": words,
                "content": item.get("content_html"),
                "source": "",
                "published": item.get("date_published"),
                "updated": item.get("date_modified"),
            }
        )
    return FeedDocument("json", False, answer.get("title"), entries)


def moment(stamp: object, fetched_at: datetime) -> datetime | None:
    """Read an entry's stamp as a UTC time, to the second.

    None where it cannot be read to its end, means no one instant, lies before 2000 or in the future.
    """
    if isinstance(stamp, bool) or not isinstance(stamp, str | int | float):
        return None
    found = read_time(str(stamp))
    return found.replace(microsecond=0) if found is not None and found <= fetched_at + FUTURE else None


def _link(value: object) -> str:
    text = plain(value, 500)
    return text if text.lower().startswith(("http://", "https://")) else ""


def parse_feed(body: bytes, *, source: str, fetched_at: datetime) -> Batch:
    """Parse a feed of any kind into NewsItems; raises SourceError when the bytes are no feed.

    An entry without an id is known by its link, or by a digest of what it says; one without a title by its first
    words. A time that cannot be read, or is in the future, is unknown (None). May be called alone on hostile bytes:
    same bytes, same result, at most ten seconds.
    """
    found = read_feed(body, source)
    home = plain(found.title, 120) or source
    rows: dict[str, NewsItem] = {}
    bad: list[RejectedRow] = []
    for number, entry in enumerate(found.entries):
        if not isinstance(entry, Mapping):
            bad.append(reject(f"entry {number}", "not an object", entry))
            continue
        item = _to_item(entry, source, home, fetched_at)
        if item.native_id in rows:
            # newest first: what comes again is older, or another item under a careless id
            if rows[item.native_id].title == item.title and unmarked(entry.get("title"), TITLE_CAP):
                continue
            item = structs.replace(item, native_id=f"{item.native_id[:270]}#{_digest(entry)}")
        rows[item.native_id] = item
    return Batch(
        source=source,
        rows=tuple(rows.values()),
        rejected=tuple(bad),
        detail="ill-formed, salvaged" if found.ill_formed else "",
        outcome="ok" if rows else "empty",
    )


def _to_item(entry: FeedEntry, source: str, home: str, fetched_at: datetime) -> NewsItem:
    """Return an entry as an item; `home` is the feed's own title, its outlet where the entry names none."""
    summary = unmarked(entry.get("summary") or entry.get("content"), 2000)
    url = _link(entry.get("link"))
    outlet = plain(entry.get("source"), 120)
    title = unmarked(entry.get("title"), TITLE_CAP)
    if outlet:
        title = title.removesuffix(f" - {outlet}")
    native = plain(entry.get("id"), 300) or url or f"digest:{_digest(entry)}"
    if GOOGLE in url:
        # its links are opaque and differ from day to day: the same headline of the same outlet is one item
        headline = f"{' '.join(title.casefold().split())}\0{outlet.casefold()}"
        native = f"google:{hashlib.sha256(headline.encode()).hexdigest()[:24]}"
    stamps = (moment(entry.get(key), fetched_at) for key in ("published", "time_element", "updated"))
    return NewsItem(
        source=source,
        native_id=native,
        outlet=outlet or home,
        published=next((found for found in stamps if found is not None), None),
        collected=fetched_at,
        title=title or summary[:120] or url or "(untitled)",
        summary=summary,
        url=url,
    )


def _digest(entry: FeedEntry) -> str:
    text = json.dumps(entry, sort_keys=True, default=str).encode("utf-8", "replace")
    return hashlib.sha256(text).hexdigest()[:24]


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
        rows = tuple(structs.replace(row, source=self._stored_as) for row in batch.rows if isinstance(row, NewsItem))
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


def _build(config: Config, client: HttpClient, config_path: Path | None) -> list[FeedSource]:
    desks = [url for urls in NEWS_DESKS.values() for url in urls] if config.sources.news_desks else []
    return feed_sources([*config.sources.feeds, *desks], client)


def _covers(plan: ReadPlan, service: Service) -> Coverage:
    words = (*service.aliases, *service.vendor_aliases, *service.named_by)[:6]
    read = bool(plan.config.sources.feeds or plan.config.sources.news_desks)
    return first_reason(read, f"where a title names {', '.join(words)}")


SPEC = SourceSpec(
    kind="feed",
    label="news feeds",
    build=_build,
    covers=_covers,
    remedy="see whether the feed opens in a browser; sources.feeds and sources.news_desks choose feeds",
    docs=DocsRow(
        "feeds (`feeds`, `news_desks`)",
        "RSS 0.9x to 2.0, Atom, JSON Feed; 25 desks of politics, regulators, wires and technology by default",
        "none",
        "the feed; unchanged: nothing",
        "at once",
    ),
)
