"""Statuspage's `/history.atom` and `/history.rss`: one entry an incident, rewritten in place; neither impact nor parts.

`published` is the time of the last update, so that the first one's stands in the text alone. For planned maintenance it
may lie ahead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from pipeline.sources.parsing import unmarked
from pipeline.sources.status.feed_entries import FeedEntry, feed_head, feed_text
from pipeline.sources.status.feed_incidents import EntryIncident, EntryUpdate
from pipeline.sources.status.page_times import YearRule, moment_near, page_span
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.update_blocks import BLOCK, Block, Zones, read_history

_WINDOW = re.compile(r"(?is)^\s{0,40}(?:<p>)?\s{0,40}<strong>(?P<window>.{1,400}?)</strong>.*?(?:<small>|\Z)")
_EMPTY = re.compile(r",2005:/history<|<description>statuspage</description>")


def recognises(answer: Answer) -> bool:
    """Return whether a feed has updates of Statuspage's form and no list of an incident's kind, as Instatus has."""
    text = feed_text(answer.body)
    return "<strong>type:</strong>" not in text and bool(BLOCK.search(text) or _EMPTY.search(feed_head(answer.body)))


def read(answer: Answer, context: PageContext) -> Reading:
    """Read a history feed. Raises SourceError when the bytes are no feed."""
    return read_history(answer, context, _incident, _rule)


def _incident(entry: FeedEntry, updates: Sequence[EntryUpdate], zones: Zones) -> EntryIncident:
    window = _window(entry, updates[0].shown, zones) if updates else None
    return EntryIncident(
        place=entry.place,
        id=entry.incident_id,
        title=entry.title,
        also_named=(entry.title,),
        url=entry.link,
        updates=updates,
        impact="maintenance" if window else "minor",
        scheduled_for=window[0] if window else None,
        scheduled_until=window[1] if window else None,
    )


def _rule(blocks: Sequence[Block], near: datetime, zones: Zones, now: datetime) -> YearRule:
    """Return which year the updates belong to: others who write in this form publish an entry with its first one."""
    newest = blocks[0].shown if blocks else None
    moment = moment_near(newest, near, YearRule.NEAREST, zones) if newest is not None else None
    later = moment is not None and near + timedelta(days=1) < moment <= now
    return YearRule.NEAREST if later else YearRule.LAST_BEFORE


def _window(entry: FeedEntry, announced: datetime, zones: Zones) -> tuple[datetime, datetime | None] | None:
    """Return from when until when maintenance is planned, None where no span stands before the updates."""
    match = _WINDOW.match(entry.html)
    span = page_span(unmarked(match["window"], 200)) if match else None
    if span is None:
        return None
    start = moment_near(span[0], announced, YearRule.FIRST_AFTER, zones)
    if start is None:
        return None
    until = moment_near(span[1], start, YearRule.NEAREST, zones)
    if until is not None and until < start:
        until += timedelta(days=1)  # a second time without a day of its own, after midnight
    return start, until if until is not None and until >= start else None


STATUSPAGE_FEED = Reader(
    name="statuspage_atom",
    platform="Statuspage",
    paths=("history.atom", "history.rss"),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin=(
        "mrshu/github-statuses@10aae75, @79498869 github-status-history.atom; Malorn44/claude-statuses@a0fc4ce;"
        " planned maintenance and 12-hour clocks after excerpts of Cloudflare's, Supabase's and OpenRouter's feeds"
    ),
)
