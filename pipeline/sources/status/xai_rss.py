"""xAI's `/feed.xml`: one item an incident and part, its updates in blocks with whole dates; `pubDate` is the start.

An incident of several parts is listed once for each, under one `guid`. The time behind `Resolved:` is the end, the
closing block is often posted hours later. `Severity:` is absent from older items.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from pipeline.sources.parsing import reject, unmarked
from pipeline.sources.status.feed_entries import HTML_CAP, FeedEntry, feed_text, read_entries
from pipeline.sources.status.feed_incidents import BODY_CAP, EntryIncident, EntryUpdate, Part, Row, reading_of, rows_of
from pipeline.sources.status.reader import ENDED, Answer, PageContext, Reader, Reading, Verification
from pipeline.text.status_words import OVER, is_maintenance, known_state, state_from_words, state_of_label
from pipeline.text.time_texts import read_time

_STATE = re.compile(r"(?is)<h3>\s{0,20}Status:\s{0,20}(?P<state>[^<]{1,40})</h3>")
_RESOLVED = re.compile(r"(?is)<p>\s{0,20}Resolved:\s{0,20}(?P<when>[^<]{1,60})</p>")
_SEVERITY = re.compile(r"(?is)<p>\s{0,20}Severity:\s{0,20}(?P<word>[a-z]{3,40})")
_IMPACTS = {"outage": "major"}
_BLOCK = re.compile(
    r"(?is)<div>\s{0,40}<p>\s{0,40}<strong>(?P<when>[^<]{1,60})</strong>\s{0,40}</p>"
    r"(?P<body>(?:[^<]|<(?!/?div\b))*+)</div>"
)
_HEADING = re.compile(r"(?is)<h3>(?P<text>[^<]{1,200})</h3>")
_PART = re.compile(r"^\[(?P<part>[^\[\]]{2,100})\]\s*(?P<title>.+)$", re.S)


def recognises(answer: Answer) -> bool:
    """Return whether a feed's items have a heading with the state."""
    return "<h3>status:" in feed_text(answer.body)


def read(answer: Answer, context: PageContext) -> Reading:
    """Read the feed. Raises SourceError when the bytes are no feed."""
    feed = read_entries(answer, context)
    grouped: dict[str, list[FeedEntry]] = {}
    for entry in feed.entries:
        grouped.setdefault(entry.id or entry.incident_id, []).append(entry)
    rows = (row for incident_id, entries in grouped.items() for row in _rows(incident_id, entries, context))
    return reading_of(feed, rows)


def _rows(incident_id: str, entries: Sequence[FeedEntry], context: PageContext) -> Iterator[Row]:
    """Yield the rows of an incident: its items say the same, each of another part."""
    entry = entries[0]
    titled = [_PART.match(each.title) for each in entries]
    title = titled[0]["title"] if titled[0] else entry.title
    state = _STATE.search(entry.html)
    now = state_of_label(unmarked(state["state"], 40)) if state else ""
    resolved = _RESOLVED.search(entry.html)
    end = read_time(resolved["when"]) if resolved else None
    updates: list[EntryUpdate] = []
    for block in _BLOCK.finditer(entry.html[:HTML_CAP]):
        posted = read_time(block["when"])
        if posted is None:
            yield reject(entry.place, "a time that does not mean one instant", block["body"])
        else:
            updates.append(_update(posted, block["body"], now, end))
    yield from rows_of(
        EntryIncident(
            place=entry.place,
            id=incident_id,
            title=title,
            url=entry.link,
            updates=_closed(sorted(updates, key=lambda update: update.posted or update.shown), entry, now, end),
            impact="maintenance" if is_maintenance(title) else _impact(entry.html),
            parts=tuple(Part(part["part"]) for part in titled if part),
            started_at=entry.published,
            resolved_at=end,
        ),
        context,
    )


def _impact(html: str) -> str:
    """Return the impact that an item's severity names; what names no outage is minor."""
    severity = _SEVERITY.search(html[:HTML_CAP])
    return _IMPACTS.get(severity["word"].lower(), "minor") if severity else "minor"


def _update(posted: datetime, html: str, now: str, end: datetime | None) -> EntryUpdate:
    """Return an update, shown at the incident's end where it was posted later: what comes then is no new trouble."""
    heading = _HEADING.search(html)
    label = unmarked(heading["text"], 200) if heading else ""
    text = unmarked(html, BODY_CAP)
    own = known_state(label) or state_from_words(label, text) or "update"
    if now not in OVER and own in OVER:
        own = "monitoring"  # the item's own state counts more than the words of one update
    shown = min(posted, end) if end is not None else posted
    return EntryUpdate(shown=shown, posted=posted, status=own, body=text, native_id=f"{posted:%Y%m%dT%H%M%S}")


def _closed(updates: Sequence[EntryUpdate], entry: FeedEntry, now: str, end: datetime | None) -> Sequence[EntryUpdate]:
    """Return an item's updates, the last of which closes it where the item's own state says that it is over."""
    if not updates and entry.published is not None:
        first = EntryUpdate(shown=entry.published, status="investigating" if now in OVER else now or "investigating")
        over = [EntryUpdate(shown=end, status="resolved", native_id=ENDED)] if now in OVER and end is not None else []
        return [first, *over]
    closed = list(updates)
    if closed and closed[0].status == "update":
        closed[0] = replace(closed[0], status="investigating")
    if closed and now in OVER and closed[-1].status not in OVER:
        closed[-1] = replace(closed[-1], status="resolved")
    return closed


XAI_FEED = Reader(
    name="xai_rss",
    platform="xAI",
    paths=("feed.xml",),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin=(
        "garyjeong/gary-ai-platform-monitor@d60cc3c fixtures/status/xai-feed.xml; an open item: a public file;"
        " bentleypark/aiwatch@219a08d fixtures/xai-feed-2026-10-07.xml"
    ),
)
