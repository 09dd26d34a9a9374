"""A status page's feed as entries, and the rows that an incident of one is stored as: what all its readers share."""

from __future__ import annotations

import hashlib
import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from pipeline.core.records import ComponentChange, OfficialIncident, RejectedRow, StatusUpdate
from pipeline.core.times import iso
from pipeline.sources.feed import read_feed
from pipeline.sources.parsing import FUTURE, TITLE_CAP, plain, reject, unmarked
from pipeline.sources.status.reader import Answer, PageContext, Reading, gather
from pipeline.text.status_words import MAINTENANCE, OVER
from pipeline.text.time_texts import read_time

BODY_CAP = 2000
HTML_CAP = 200_000  # characters of an entry in which updates are looked for
LOOKED_AT = 300_000  # bytes of an answer by which a reader recognises it
MOST_UPDATES = 500  # of one incident
PARTS_CAP = 200
Row = StatusUpdate | OfficialIncident | RejectedRow
_ROOT = re.compile(r"<(?:feed|rss|rdf:rdf)[\s>]")
_FIRST_ENTRY = re.compile(r"<(?:entry|item)[\s>]")
_LIST_ITEM = re.compile(r"(?is)<li[^<>]{0,100}>(.{1,300}?)</li>")
_STATED = re.compile(r"^(?P<name>.{1,200}?)\s*\((?P<state>[^()]{2,40})\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One entry: `place` names it in messages, `html` is its content or summary, times are None where not certain."""

    place: str
    id: str
    link: str
    title: str
    html: str
    published: datetime | None
    updated: datetime | None
    status: str = ""

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


class Part(NamedTuple):
    """A part that an entry lists, and its state in Statuspage's words; empty where none is given."""

    name: str
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryUpdate:
    """One update of an incident.

    `posted` is when it was posted where that differs from `shown`; `native_id` its own id, where the feed has one.
    """

    shown: datetime
    status: str
    body: str = ""
    posted: datetime | None = None
    parts: Sequence[Part] = ()
    native_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryIncident:
    """One incident of a feed; `updates` oldest first; None where a time is not given.

    One that is planned may have no update.
    """

    place: str
    id: str
    title: str
    url: str
    updates: Sequence[EntryUpdate]
    impact: str = "minor"
    parts: Sequence[Part] = ()
    started_at: datetime | None = None
    resolved_at: datetime | None = None
    scheduled_for: datetime | None = None
    scheduled_until: datetime | None = None


@lru_cache(maxsize=1)
def feed_text(body: bytes) -> str:
    """Return the first part of a body in lower case, its entities read once; empty where it is no XML feed."""
    start = body[:LOOKED_AT]
    encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    text = start.decode(encoding, "replace").lower()
    return re.sub(r"&(lt|gt|quot|amp);", lambda match: html.unescape(match[0]), text) if _ROOT.search(text) else ""


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
                html=plain(entry.get("content") or entry.get("summary"), HTML_CAP),
                published=published,
                updated=_moment(entry.get("updated")),
                status=plain(entry.get("status"), 40),
            )
        )
    return StatusFeed(entries=entries, rejected=rejected, detail="ill-formed, salvaged" if document.ill_formed else "")


def _moment(stamp: object) -> datetime | None:
    """Read an entry's stamp as a UTC time to the second, which may lie ahead; None where it is not certain."""
    if isinstance(stamp, bool) or not isinstance(stamp, str | int | float):
        return None
    found = read_time(str(stamp))
    return found.replace(microsecond=0) if found is not None else None


def reading_of(feed: StatusFeed, rows: Iterable[Row], *, lists_all: bool = False) -> Reading:
    """Return a feed's rows as a Reading; `lists_all`: it leaves out no incident back to its oldest."""
    reading = gather([*feed.rejected, *rows])
    whole = lists_all and not reading.rejected and not feed.detail
    planned = {incident.incident_id for incident in reading.incidents if incident.impact == "maintenance"}
    begun = [row.displayed_at for row in reading.updates if row.incident_id not in planned]
    return replace(reading, detail=feed.detail, complete_since=min(begun, default=None) if whole else None)


def rows_of(incident: EntryIncident, context: PageContext) -> Iterator[Row]:
    """Yield an incident's rows, and what of it is refused and why; nothing when it concerns others.

    An update without an id of its own is known by its minute and state, and by its place among those that share both,
    counted from the oldest: what is added on top changes no id. A part whose state is not given counts as affected
    until the incident is over.
    """
    listed = (*incident.parts, *(part for update in incident.updates for part in update.parts))
    names = tuple(dict.fromkeys(part.name for part in listed))[:PARTS_CAP]
    if not context.concerns(names, incident.title):
        return
    if not incident.id:
        yield reject(incident.place, "neither link nor id", incident.title)
        return
    planned = incident.impact == "maintenance" or any(update.status in MAINTENANCE for update in incident.updates)
    impact = "maintenance" if planned else incident.impact
    rows: list[StatusUpdate] = []
    seen: Counter[str] = Counter()
    for update in sorted(incident.updates[-MOST_UPDATES:], key=lambda update: update.shown):
        latest = max(update.shown, update.posted or update.shown)
        if latest > context.fetched_at + FUTURE:
            yield reject(incident.place, f"time {iso(latest)} lies in the future", update.body or incident.title)
            continue
        key = update.native_id or f"{update.shown:%Y%m%dT%H%M}-{update.status}"
        seen[key] += 1
        rows.append(
            StatusUpdate(
                page=context.page,
                incident_id=incident.id,
                update_id=key if seen[key] == 1 else f"{key}-{seen[key]:02}",
                name=incident.title,
                status=update.status,
                impact=impact,
                components=_changes(update.parts or incident.parts, update.status, planned),
                displayed_at=update.shown,
                created_at=update.posted or update.shown,
                collected=context.fetched_at,
                body=update.body[:BODY_CAP],
            )
        )
    if not rows and incident.scheduled_for is None:
        yield reject(incident.place, "no update with a state and a time that is certain", incident.title)
        return
    yield from rows
    yield OfficialIncident(
        page=context.page,
        incident_id=incident.id,
        name=incident.title,
        status=rows[-1].status if rows else "scheduled",
        impact=impact,
        collected=context.fetched_at,
        started_at=_past(incident.started_at, context),
        resolved_at=_past(incident.resolved_at, context),
        scheduled_for=incident.scheduled_for,
        scheduled_until=incident.scheduled_until,
        components=names,
        url=incident.url,
    )


def _past(moment: datetime | None, context: PageContext) -> datetime | None:
    return moment if moment is not None and moment <= context.fetched_at + FUTURE else None


def _changes(parts: Sequence[Part], status: str, planned: bool) -> tuple[ComponentChange, ...]:
    affected = "under_maintenance" if planned else "partial_outage"
    not_given = "operational" if status in OVER else affected
    return tuple(ComponentChange(part.name, "", part.state or not_given) for part in parts[:PARTS_CAP])


def listed_parts(fragment: str) -> tuple[Part, ...]:
    """Return the parts of a list `<li>Login (Degraded performance)</li>`, their states in Statuspage's words."""
    parts = []
    for item in _LIST_ITEM.finditer(fragment[:HTML_CAP]):
        text = unmarked(item[1], 240)
        stated = _STATED.match(text)
        name, state = (stated["name"], stated["state"]) if stated else (text, "")
        words = "_".join(state.lower().split())
        parts.append(Part(plain(name, 120), "major_outage" if words == "full_outage" else words))
    return tuple(dict.fromkeys(part for part in parts if part.name))


def worst_impact(updates: Iterable[EntryUpdate]) -> str:
    """Return the impact that the states of listed parts amount to, as Statuspage reckons it; minor at least."""
    states = {part.state for update in updates for part in update.parts}
    if "major_outage" in states:
        return "critical"
    return "major" if "partial_outage" in states else "minor"


def named_by(address: str) -> str:
    """Return the last part of an address's path, or its fragment; empty where it has neither, or is no address."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return plain(parts.fragment or parts.path.rstrip("/").rpartition("/")[2], 60) if parts.netloc else ""


def digest(text: str) -> str:
    """Return a short id for a text, empty for an empty one."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16] if text else ""
