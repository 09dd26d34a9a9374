"""Google's `/en/feed.atom` (Cloud, Workspace and others): one entry an update, with the incident's start and end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.sources.parsing import plain, reject, unmarked
from pipeline.sources.status.feed_entries import HTML_CAP, FeedEntry, feed_head, feed_text, named_by, read_entries
from pipeline.sources.status.feed_incidents import BODY_CAP, EntryIncident, EntryUpdate, Part, Row, reading_of, rows_of
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.text.status_words import OVER, state_of_label
from pipeline.text.time_texts import read_time

_OURS = re.compile(r"<id>tag:[a-z0-9.-]{1,100},20\d\d:feed:")
_HOMES = ("<id>https://status.cloud.google.com/", "google.com/appsstatus")
_STRONG = re.compile(r"(?is)<strong>(.{1,60}?)</strong>")
_ZONE = re.compile(r"[A-Za-z_]{2,20}/[A-Za-z_]{2,30}")
_PRODUCTS = re.compile(r"(?i)<p>\s{0,40}Affected products:(?P<names>[^<]{1,4000})")
_PLACES = re.compile(r"(?i)<p>\s{0,40}Affected locations:(?P<names>[^<]{1,4000})")
_STATE = re.compile(r"^(?P<state>[A-Z][A-Z ]{2,30}):\s*(?P<title>.+)$", re.S)


@dataclass(frozen=True, slots=True)
class _Post:
    """One entry: when it was posted, its state, the title without that, and the incident's span."""

    entry: FeedEntry
    posted: datetime
    state: str
    title: str
    begin: datetime | None
    end: datetime | None


def recognises(answer: Answer) -> bool:
    """Return whether a feed is one of Google's dashboards: by the ids of its entries, or by its home."""
    head = feed_head(answer.body)
    return any(home in head for home in _HOMES) or ("<feed" in head and bool(_OURS.search(feed_text(answer.body))))


def read(answer: Answer, context: PageContext) -> Reading:
    """Read the feed. Raises SourceError when the bytes are no feed."""
    feed = read_entries(answer, context)
    return reading_of(feed, _rows(feed.entries, context))


def _rows(entries: Sequence[FeedEntry], context: PageContext) -> Iterator[Row]:
    grouped: dict[str, list[_Post]] = {}
    for entry in entries:
        posted = entry.updated or entry.published
        if posted is None:
            yield reject(entry.place, "no time that is certain", entry.title)
        else:
            grouped.setdefault(entry.incident_id, []).append(_post(entry, posted))
    for incident_id, posts in grouped.items():
        yield from rows_of(_incident(incident_id, sorted(posts, key=lambda post: post.posted)), context)


def _post(entry: FeedEntry, posted: datetime) -> _Post:
    state = _STATE.match(entry.title)
    begin, end = _span(entry.html)
    return _Post(
        entry,
        posted,
        state_of_label(state["state"]) if state else "",
        state["title"] if state else entry.title,
        begin,
        end if end is not None and (begin is None or end >= begin) else None,
    )


def _span(html: str) -> tuple[datetime | None, datetime | None]:
    """Return start and end from an entry's first paragraph, whose times are in the zone it names."""
    strong = [unmarked(text, 60) for text in _STRONG.findall(html[:2000].partition("</p>")[0])]
    zone = next((found for text in strong if (found := _zone(text)) is not None), None)
    moments = [moment for text in strong if (moment := read_time(text, default_zone=zone)) is not None]
    return (moments[0] if moments else None, moments[1] if len(moments) > 1 else None)


def _zone(name: str) -> tzinfo | None:
    if not _ZONE.fullmatch(name):
        return None
    try:
        return ZoneInfo("America/Los_Angeles" if name == "US/Pacific" else name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _incident(incident_id: str, posts: Sequence[_Post]) -> EntryIncident:
    """Return an incident; it ended at the last end given; posts that follow it are no new trouble."""
    newest = posts[-1]
    end = newest.end
    products = _affected(newest.entry.html, _PRODUCTS)
    updates = []
    for place, post in enumerate(posts):
        over = post.state in OVER or post.end is not None
        shown = min(post.posted, end) if end is not None else post.posted
        updates.append(
            EntryUpdate(
                shown=shown,
                posted=post.posted,
                status="resolved" if over else post.state or ("investigating" if place == 0 else "update"),
                body=unmarked(post.entry.html, BODY_CAP),
                native_id=_update_id(post),
            )
        )
    return EntryIncident(
        place=newest.entry.place,
        id=incident_id,
        title=newest.title,
        parts=tuple(Part(name) for name in products),
        also_named=_affected(newest.entry.html, _PLACES) if products else (newest.title,),
        url=newest.entry.link,
        updates=updates,
        started_at=newest.begin,
        resolved_at=end,
    )


def _affected(html: str, listed: re.Pattern[str]) -> tuple[str, ...]:
    """Return the products or places that an entry lists in a paragraph of its own; empty where it has none."""
    found = listed.search(html[:HTML_CAP])
    names = unmarked(found["names"], BODY_CAP).split(",") if found else []
    return tuple(dict.fromkeys(name for text in names if (name := plain(text, 120))))


def _update_id(post: _Post) -> str:
    """Return the update's own id, the part behind the incident's; else its time."""
    own = post.entry.id.rpartition(".")[2] if named_by(post.entry.link) in post.entry.id else ""
    return plain(own, 60) or f"{post.posted:%Y%m%dT%H%M%S}"


GOOGLE_FEED = Reader(
    name="google_atom",
    platform="Google",
    paths=("en/feed.atom", "feed.atom"),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin="status.cloud.google.com/en/feed.atom of April 2022 and August 2026",
)
