"""incident.io's `/history.atom`, `/feed.atom` and `/feed.rss`: one entry an incident with its last update.

`updated` is that update's time; the start is in no feed. What earlier reads saw stays stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipeline.sources.parsing import reject, unmarked
from pipeline.sources.status.feed_entries import FeedEntry, StatusFeed, feed_head, feed_text, read_entries
from pipeline.sources.status.feed_incidents import (
    BODY_CAP,
    EntryIncident,
    EntryUpdate,
    Part,
    Row,
    listed_parts,
    reading_of,
    rows_of,
    worst_impact,
)
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.text.status_words import state_of_label

STATE = re.compile(r"(?is)^\s{0,40}(?:<b>)?\s{0,40}Status:\s{0,40}(?P<state>[^<]{1,40})(?:</b>)?")
_LIST = re.compile(r"(?is)<ul[^<>]{0,100}>(?P<items>.*?)(?:</ul>|\Z)")
# the list of parts is the one behind a heading, others belong to the words
_HEADING = re.compile(r"(?is)(?:<b>[^<]{1,60}</b>|affected [a-z]{1,40}:?)\s{0,9}(?:<br\s?/?>\s{0,9}){0,4}\Z")
_PLANNED = "/maintenance"


def recognises(answer: Answer) -> bool:
    """Return whether a feed says of itself that incident.io made it, or has its line of the state."""
    head = feed_head(answer.body)
    return "<generator>incident.io</generator>" in head or "<b>status:" in feed_text(answer.body)


def read(answer: Answer, context: PageContext) -> Reading:
    """Read a feed. Raises SourceError when the bytes are no feed."""
    feed = read_entries(answer, context)
    return reading_of(feed, stated_rows(feed, context))


def stated_rows(feed: StatusFeed, context: PageContext) -> Iterator[Row]:
    """Yield the rows of entries that each hold one update: a line of the state, the words, a list of parts."""
    grouped: dict[str, list[FeedEntry]] = {}
    for entry in feed.entries:
        grouped.setdefault(entry.incident_id, []).append(entry)
    for incident_id, entries in grouped.items():
        updates = []
        for entry in entries:
            row = stated_update(entry)
            if row is None:
                yield reject(entry.place, "no state, or no time that is certain", entry.html or entry.title)
            else:
                updates.append(row)
        if updates:
            yield from rows_of(_incident(incident_id, entries[0], updates), context)


def _incident(incident_id: str, newest: FeedEntry, updates: Sequence[EntryUpdate]) -> EntryIncident:
    return EntryIncident(
        place=newest.place,
        id=incident_id,
        title=newest.title,
        url=newest.link,
        updates=updates,
        impact="maintenance" if _PLANNED in newest.link else worst_impact(updates),
    )


def stated_update(entry: FeedEntry) -> EntryUpdate | None:
    """Return the one update an entry holds; None where it names no state or no certain time."""
    match = STATE.match(entry.html)
    shown = entry.updated or entry.published
    if match is None or shown is None:
        return None
    status = state_of_label(unmarked(match["state"], 40))
    body, parts = _without_parts(entry.html[match.end() :])
    return EntryUpdate(
        shown=shown,
        status=status,
        body=unmarked(body, BODY_CAP),
        parts=parts,
        native_id=f"{shown:%Y%m%dT%H%M%S}-{status}",
    )


def _without_parts(html: str) -> tuple[str, tuple[Part, ...]]:
    """Return an entry's words without its last list of parts, and those."""
    for match in reversed(list(_LIST.finditer(html))):
        heading = _HEADING.search(html[max(0, match.start() - 160) : match.start()])
        if heading is not None:
            return html[: match.start() - len(heading[0])], listed_parts(match["items"])
    return html, ()


INCIDENT_IO_FEED = Reader(
    name="incident_io_atom",
    platform="incident.io",
    paths=("feed.atom", "history.atom", "feed.rss"),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin=(
        "feeds of status.openai.com of February and September 2026, cut down in tests of clients;"
        " RSS after a client's tests"
    ),
)
