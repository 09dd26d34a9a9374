"""Status.io's `/pages/<id>/rss`: one item an incident, its updates oldest first with whole dates; no parts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo

from pipeline.core.records import RejectedRow
from pipeline.sources.parsing import reject
from pipeline.sources.status.feed_entries import FeedEntry, feed_text, read_entries
from pipeline.sources.status.feed_incidents import EntryIncident, EntryUpdate, Row, reading_of, rows_of
from pipeline.sources.status.page_times import YearRule
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.update_blocks import Block, blocks_of, dated, zones_of

_BLOCK = re.compile(r"<small>[^<]{1,60}</small>\s{0,40}<br\s?/?>\s{0,40}<b>[^<]{1,40}</b>")
_LINK = re.compile(r"/pages/(?:incident|maintenance)/[0-9a-f]{24}/[0-9a-f]{24}")
_PLANNED = "/pages/maintenance/"


def recognises(answer: Answer) -> bool:
    """Return whether a feed's items link to Status.io's pages, or have updates of its form."""
    text = feed_text(answer.body)
    return bool(_LINK.search(text) or _BLOCK.search(text))


def read(answer: Answer, context: PageContext) -> Reading:
    """Read the feed. Raises SourceError when the bytes are no feed."""
    feed = read_entries(answer, context)
    blocks = {entry.place: blocks_of(entry.html)[::-1] for entry in feed.entries}
    zones = zones_of(feed, blocks)
    rows = (row for entry in feed.entries for row in _rows(entry, blocks[entry.place], zones, context))
    return reading_of(feed, rows)


def _rows(
    entry: FeedEntry, blocks: Sequence[Block], zones: Mapping[str, tzinfo], context: PageContext
) -> Iterator[Row]:
    if entry.published is None:
        yield reject(entry.place, "no time that is certain", entry.title)
        return
    updates: list[EntryUpdate] = []
    for row in dated(entry, blocks, entry.published, YearRule.NEAREST, zones):
        if isinstance(row, RejectedRow):
            yield row
        else:
            updates.append(row)
    yield from rows_of(
        EntryIncident(
            place=entry.place,
            id=entry.incident_id,
            title=entry.title,
            also_named=(entry.title,),
            url=entry.link,
            updates=updates,
            impact="maintenance" if _PLANNED in entry.link else "minor",
        ),
        context,
    )


STATUS_IO_FEED = Reader(
    name="status_io_rss",
    platform="Status.io",
    paths=("rss",),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin="Docker's feed of April and June 2026, cut down in a client's tests (ikan31/tuip)",
)
