"""Instatus's `/history.atom` and `/history.rss`: Statuspage's form with kind, parts and seconds.

`published` is the start, for planned maintenance the planned one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.sources.parsing import plain, unmarked
from pipeline.sources.status.feed_entries import FeedEntry, feed_text
from pipeline.sources.status.feed_incidents import EntryIncident, EntryUpdate, Part
from pipeline.sources.status.page_times import YearRule
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.update_blocks import Zones, read_history

_FIELD = re.compile(r"(?is)<p>\s*<strong>(?P<name>[^<:]{1,40}):</strong>(?P<value>.{0,2000}?)</p>")
_KIND, _PARTS = "type", "affected components"
_PARTS_IN_SUMMARY = re.compile(r"(?i)^[ \t]{0,40}Affected Components:(?P<names>[^\n<]{1,2000})$", re.M)


def recognises(answer: Answer) -> bool:
    """Return whether a feed's entries name their kind in Instatus's way."""
    return "<strong>type:</strong>" in feed_text(answer.body)


def read(answer: Answer, context: PageContext) -> Reading:
    """Read a history feed. Raises SourceError when the bytes are no feed."""
    return read_history(answer, context, _incident, lambda *_: YearRule.NEAREST)


def _incident(entry: FeedEntry, updates: Sequence[EntryUpdate], zones: Zones) -> EntryIncident:
    fields = {
        unmarked(match["name"], 40).lower(): unmarked(match["value"], 2000) for match in _FIELD.finditer(entry.html)
    }
    listed = fields.get(_PARTS) or _parts_in_summary(entry.summary)
    parts = (plain(name, 120) for name in listed.split(","))
    return EntryIncident(
        place=entry.place,
        id=entry.incident_id,
        title=entry.title,
        url=entry.link,
        updates=updates,
        impact="maintenance" if fields.get(_KIND, "").lower() == "maintenance" else "minor",
        parts=tuple(Part(name) for name in parts if name),
    )


def _parts_in_summary(summary: str) -> str:
    """Return the parts from the plain text of an RSS item: its HTML has their heading with nothing behind it."""
    found = _PARTS_IN_SUMMARY.search(summary)
    return found["names"].strip() if found else ""


INSTATUS_FEED = Reader(
    name="instatus_atom",
    platform="Instatus",
    paths=("history.atom", "history.rss"),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin=(
        "entries of status.perplexity.com and status.kagi.com, 2026, in a client's tests;"
        " RSS of status.northflank.com of October 2026, cut down"
    ),
)
