"""RSS and Atom through feedparser, which is given bytes only: it never opens an address or a file itself."""

from __future__ import annotations

import calendar
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from pipeline.errors import SourceError
from pipeline.fetch import Fetcher
from pipeline.model import Batch, NewsItem, Reject
from pipeline.sources.reading import FUTURE, TITLE_CAP, plain, reject, unmarked


def _published(entry: Mapping[str, Any], fetched_at: datetime) -> datetime:
    """Return when an entry says it appeared; first-seen time when it does not say, or names the future."""
    for field in ("published_parsed", "updated_parsed"):
        # asked by membership first: feedparser maps an absent "updated" to "published" with a warning
        parts = entry[field] if field in entry else None  # noqa: SIM401
        if parts:
            try:
                moment = datetime.fromtimestamp(calendar.timegm(parts), tz=UTC)
            except (ValueError, OverflowError, OSError):
                continue
            if moment.year >= 2000 and moment <= fetched_at + FUTURE:
                return moment
    return fetched_at


def _link(value: object) -> str:
    text = plain(value, 500)
    return text if text.lower().startswith(("http://", "https://")) else ""


def parse_feed(body: bytes, *, source: str, fetched_at: datetime) -> Batch:
    """Parse a feed; raises SourceError when the bytes are no feed. An entry without a title or id is refused."""
    import feedparser

    try:
        # bytes or text would be taken for an address or a file name when they look like one; a stream never is
        parsed = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    except Exception as error:
        raise SourceError(f"{source}: not a readable feed: {type(error).__name__}") from error
    entries = parsed.get("entries", [])
    if not parsed.get("version") and not entries:
        page = b"<html" in body[:2000].lower()
        outcome = "blocked" if page else "error"
        raise SourceError(f"{source}: {'a web page' if page else 'neither RSS nor Atom'}, not a feed", outcome=outcome)
    feed = parsed.get("feed", {})
    home = plain(feed.get("title"), 120) or source
    rows: dict[str, NewsItem] = {}
    bad: list[Reject] = []
    for number, entry in enumerate(entries):
        title = unmarked(entry.get("title"), TITLE_CAP)
        url = _link(entry.get("link"))
        native = plain(entry.get("id"), 300) or url
        if not title or not native:
            bad.append(
                reject(f"entry {number}", "no title" if not title else "neither id nor link", entry.get("title"))
            )
            continue
        origin = entry.get("source") or {}
        outlet = plain(origin.get("title"), 120) if isinstance(origin, dict) else ""
        if outlet and title.endswith(f" - {outlet}"):
            title = title.removesuffix(f" - {outlet}")
        rows[native] = NewsItem(
            source=source, native_id=native, outlet=outlet or home, published=_published(entry, fetched_at),
            collected=fetched_at, title=title, summary=unmarked(entry.get("summary"), 2000), url=url,
        )  # fmt: skip
    detail = "ill-formed, salvaged" if parsed.get("bozo") else ""
    return Batch(source=source, rows=tuple(rows.values()), rejected=tuple(bad), detail=detail,
                 outcome="ok" if rows else "empty")  # fmt: skip


class FeedSource:
    """One feed by its address."""

    def __init__(self, url: str, fetcher: Fetcher) -> None:
        """The source is named after the host and path, without any query."""
        parts = urlsplit(url)
        self.name = f"feed:{parts.hostname}{parts.path}".rstrip("/")
        self._url, self._fetcher = url, fetcher

    def fetch(self, since: datetime, now: datetime, memory: Mapping[str, str]) -> Batch:
        """Read the feed unless it is unchanged. Raises SourceError."""
        answer = self._fetcher.get(self._url, source=self.name, memory=memory, now=now)
        if answer.body is None:
            return Batch(source=self.name, rows=(), outcome="not_modified", covered=(since, now), memory=answer.memory)
        batch = parse_feed(answer.body, source=self.name, fetched_at=now)
        return Batch(source=self.name, rows=batch.rows, rejected=batch.rejected, covered=(since, now),
                     outcome=batch.outcome, detail=batch.detail, memory=answer.memory)  # fmt: skip
