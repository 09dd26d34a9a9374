"""A status page's feed as entries: what all readers of feeds share."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

from pipeline.core.records import RejectedRow
from pipeline.sources.feed import read_feed
from pipeline.sources.parsing import TITLE_CAP, plain, reject, unmarked
from pipeline.sources.status.reader import Answer, PageContext
from pipeline.text.time_texts import read_time

HTML_CAP = 200_000  # characters of an entry in which updates are looked for
LOOKED_AT = 300_000  # bytes of an answer by which a reader recognises it
ROOT_WITHIN = 4_000  # characters of an answer in which a feed begins
_ROOT = re.compile(r"<(?:feed|rss|rdf:rdf|[a-z][a-z0-9]{0,20}:feed)[\s>]")
_FIRST_ENTRY = re.compile(r"<(?:[a-z][a-z0-9]{0,20}:)?(?:entry|item)[\s>]")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One entry: `place` names it in messages, `html` is its content, else `summary`.

    Times are None where they are not certain.
    """

    place: str
    id: str
    link: str
    title: str
    html: str
    published: datetime | None
    updated: datetime | None
    status: str = ""
    summary: str = ""

    @property
    def incident_id(self) -> str:
        """The last part of its link, else of its id, else a digest of the title; see `named_by`."""
        return named_by(self.link) or named_by(self.id) or digest(self.id or self.title)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFeed:
    """A feed: its entries as they stand in it, what was refused, `detail` where it had to be salvaged."""

    entries: Sequence[FeedEntry]
    rejected: Sequence[RejectedRow]
    detail: str


@lru_cache(maxsize=1)
def feed_text(body: bytes) -> str:
    """Return the first part of a body in lower case, its entities read once; empty where it is no XML feed."""
    start = body[:LOOKED_AT]
    encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    text = start.decode(encoding, "replace").lower()
    root = _ROOT.search(text[:ROOT_WITHIN])
    if root is None or "<html" in text[: root.start()]:
        return ""
    return re.sub(r"&(lt|gt|quot|amp);", lambda match: html.unescape(match[0]), text)


def feed_head(body: bytes) -> str:
    """Return what of `feed_text` stands before the first entry."""
    text = feed_text(body)
    first = _FIRST_ENTRY.search(text)
    return text[: first.start()] if first else text


def read_entries(answer: Answer, context: PageContext) -> StatusFeed:
    """Read a feed of any kind. Raises SourceError when the bytes are none."""
    document = read_feed(answer.body, context.source)
    entries: list[FeedEntry] = []
    rejected: list[RejectedRow] = []
    for number, entry in enumerate(document.entries):
        place = f"entry {number}"
        if not isinstance(entry, Mapping):
            rejected.append(reject(place, "not an object", entry))
            continue
        published = _moment(entry.get("published")) or _moment(entry.get("time_element"))
        entries.append(
            FeedEntry(
                place=place,
                id=plain(entry.get("id"), 300),
                link=plain(entry.get("link"), 300),
                title=unmarked(entry.get("title"), TITLE_CAP),
                html=_markup(plain(entry.get("content") or entry.get("summary"), HTML_CAP)),
                summary=plain(entry.get("summary"), HTML_CAP),
                published=published,
                updated=_moment(entry.get("updated")),
                status=plain(entry.get("status"), 40),
            )
        )
    return StatusFeed(entries=entries, rejected=rejected, detail="ill-formed, salvaged" if document.ill_formed else "")


def _markup(text: str) -> str:
    """Return an entry's HTML; where its updates were escaped twice, as in RSS of Instatus, they are read once more."""
    return html.unescape(text) if "&lt;small&gt;" in text and "<small>" not in text else text


def _moment(stamp: object) -> datetime | None:
    """Read an entry's stamp as a UTC time to the second, which may lie ahead; None where it is not certain."""
    if isinstance(stamp, bool) or not isinstance(stamp, str | int | float):
        return None
    found = read_time(str(stamp))
    return found.replace(microsecond=0) if found is not None else None


def named_by(address: str) -> str:
    """Return the last part of an address's path, or its fragment; empty where it has neither, or is no address.

    A feed's id may be a tag, as `tag:status.example.com,2005:Incident/123`: its last part is behind the slash.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme == "tag":
        return plain(parts.path.rpartition(":")[2].rpartition("/")[2], 60)
    return plain(parts.fragment or parts.path.rstrip("/").rpartition("/")[2], 60) if parts.netloc else ""


def digest(text: str) -> str:
    """Return a short id for a text, empty for an empty one."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16] if text else ""
