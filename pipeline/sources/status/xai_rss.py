"""xAI's `/feed.xml`: one item an incident, its updates in blocks of their own with whole dates, newest first."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.sources.parsing import reject, unmarked
from pipeline.sources.status.feed_entries import (
    BODY_CAP,
    HTML_CAP,
    EntryIncident,
    EntryUpdate,
    FeedEntry,
    Part,
    Row,
    feed_text,
    read_entries,
    reading_of,
    rows_of,
)
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.text.status_words import OVER, is_maintenance, known_state, state_from_words, state_of_label
from pipeline.text.time_texts import read_time

_STATE = re.compile(r"(?is)<h3>\s{0,20}Status:\s{0,20}(?P<state>[^<]{1,40})</h3>")
_RESOLVED = re.compile(r"(?is)<p>\s{0,20}Resolved:\s{0,20}(?P<when>[^<]{1,60})</p>")
_BLOCK = re.compile(
    r"(?is)<div>\s{0,40}<p>\s{0,40}<strong>(?P<when>[^<]{1,60})</strong>\s{0,40}</p>(?P<body>.{0,20000}?)</div>"
)
_HEADING = re.compile(r"(?is)<h3>(?P<text>[^<]{1,200})</h3>")
_PART = re.compile(r"^\[(?P<part>[^\[\]]{2,100})\]\s*(?P<title>.+)$", re.S)


def recognises(answer: Answer) -> bool:
    """Return whether a feed's items have a heading with the state."""
    return "<h3>status:" in feed_text(answer.body)


def read(answer: Answer, context: PageContext) -> Reading:
    """Read the feed. Raises SourceError when the bytes are no feed."""
    feed = read_entries(answer, context)
    return reading_of(feed, (row for entry in feed.entries for row in _rows(entry, context)))


def _rows(entry: FeedEntry, context: PageContext) -> Iterator[Row]:
    parted = _PART.match(entry.title)
    title = parted["title"] if parted else entry.title
    state = _STATE.search(entry.html)
    now = state_of_label(unmarked(state["state"], 40)) if state else ""
    resolved = _RESOLVED.search(entry.html)
    end = read_time(resolved["when"]) if resolved else None
    updates: list[EntryUpdate] = []
    for block in reversed(list(_BLOCK.finditer(entry.html[:HTML_CAP]))):
        shown = read_time(block["when"])
        if shown is None:
            yield reject(entry.place, "a time that does not mean one instant", block["body"])
            continue
        heading = _HEADING.search(block["body"])
        text = unmarked(block["body"], BODY_CAP)
        label = unmarked(heading["text"], 200) if heading else ""
        own = known_state(label) or state_from_words(label, text)
        if now not in OVER and own in OVER:
            own = "monitoring"  # the item's own state counts more than the words of one update
        status = "resolved" if shown == end else own or ("update" if updates else "investigating")
        updates.append(EntryUpdate(shown=shown, status=status, body=text))
    if now in OVER and (not updates or updates[-1].status not in OVER):
        over_at = end or (entry.published if not updates else None)
        if over_at is not None:
            updates.append(EntryUpdate(shown=over_at, status="resolved"))
    elif not updates and entry.published is not None:
        updates.append(EntryUpdate(shown=entry.published, status=now or "investigating"))
    yield from rows_of(
        EntryIncident(
            place=entry.place,
            id=entry.id or entry.incident_id,
            title=title,
            url=entry.link,
            updates=updates,
            impact="maintenance" if is_maintenance(title) else "minor",
            parts=(Part(parted["part"]),) if parted else (),
            resolved_at=end,
        ),
        context,
    )


XAI_FEED = Reader(
    name="xai_rss",
    platform="xAI",
    paths=("feed.xml",),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin="status.x.ai/feed.xml of September 2026, cut down in clients' tests (files 69705724217, 60244834906)",
)
