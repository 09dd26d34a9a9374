"""Updates within an entry's text: `<small>time</small><br><strong>State</strong> - words`, or `<b>` for `<strong>`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from pipeline.core.records import RejectedRow
from pipeline.sources.parsing import reject, unmarked
from pipeline.sources.status.feed_entries import HTML_CAP, FeedEntry, StatusFeed, read_entries
from pipeline.sources.status.feed_incidents import BODY_CAP, EntryIncident, EntryUpdate, Row, reading_of, rows_of
from pipeline.sources.status.page_times import PageTime, YearRule, moment_near, page_time, settle_zones
from pipeline.sources.status.reader import Answer, PageContext, Reading
from pipeline.text.status_words import state_of_label

Zones = Mapping[str, tzinfo]  # the zones of a feed by the names it has for them

# what a recogniser looks for in text of lower case
BLOCK = re.compile(
    r"<small>(?:[^<]|<(?!/small>)){1,300}</small>\s{0,40}(?:<br\s?/?>)?\s{0,40}<strong>[^<]{1,40}</strong>"
)
_PIECE = re.compile(
    r"(?is)<small>(?P<when>.{1,300}?)</small>.{0,60}?"
    r"<(?:strong|b)>(?P<label>[^<]{1,40})</(?:strong|b)>(?P<body>.*?)(?=<small>|\Z)"
)


class Block(NamedTuple):
    """One update as it stands in the text; `shown` is None where its time is no time."""

    shown: PageTime | None
    label: str
    body: str


def blocks_of(html: str) -> list[Block]:
    """Return the updates in an entry's text as they stand there."""
    return [
        Block(
            page_time(unmarked(match["when"], 80)),
            unmarked(match["label"], 40),
            unmarked(match["body"], BODY_CAP).removeprefix("-").strip(),
        )
        for match in _PIECE.finditer(html[:HTML_CAP])
    ]


def zones_of(feed: StatusFeed, blocks: Mapping[str, Sequence[Block]]) -> Zones:
    """Return the zones that a feed's entries settle; `blocks` by the entry's place, newest first."""
    return settle_zones(
        (found[0].shown, (entry.published, entry.updated))
        for entry in feed.entries
        if (found := blocks[entry.place]) and found[0].shown is not None
    )


def dated(
    entry: FeedEntry, blocks: Sequence[Block], near: datetime, rule: YearRule, zones: Zones
) -> Iterator[EntryUpdate | RejectedRow]:
    """Yield updates given newest first, oldest first, and which are refused because their time is not certain."""
    for block in reversed(blocks):
        shown = moment_near(block.shown, near, rule, zones) if block.shown is not None else None
        if shown is None:
            yield reject(entry.place, "a time that does not mean one instant", block.body)
        else:
            yield EntryUpdate(shown=shown, status=state_of_label(block.label), body=block.body)


def read_history(
    answer: Answer,
    context: PageContext,
    incident_of: Callable[[FeedEntry, Sequence[EntryUpdate], Zones], EntryIncident],
    rule_of: Callable[[Sequence[Block], datetime, Zones, datetime], YearRule],
) -> Reading:
    """Read a feed with one entry an incident, its updates newest first in its text.

    `incident_of` makes an incident of an entry, its updates and the zones that the feed settles; `rule_of` tells which
    year the blocks near a time belong to, by the zones and the time of reading. Raises SourceError when the bytes are
    no feed.
    """
    feed = read_entries(answer, context)
    blocks = {entry.place: blocks_of(entry.html) for entry in feed.entries}
    zones = zones_of(feed, blocks)

    def rows(entry: FeedEntry) -> Iterator[Row]:
        near = entry.published or entry.updated
        if near is None:
            yield reject(entry.place, "no time by which its updates have a year", entry.title)
            return
        rule = rule_of(blocks[entry.place], near, zones, context.fetched_at)
        updates: list[EntryUpdate] = []
        for row in dated(entry, blocks[entry.place], near, rule, zones):
            if isinstance(row, RejectedRow):
                yield row
            else:
                updates.append(row)
        yield from rows_of(incident_of(entry, updates, zones), context)

    return reading_of(feed, (row for entry in feed.entries for row in rows(entry)))
