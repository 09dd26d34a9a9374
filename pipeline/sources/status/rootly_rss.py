"""Rootly's `/feed.rss`: one item an update, several to an incident, whose link they share."""

from __future__ import annotations

import re

from pipeline.sources.status.feed_entries import feed_text, read_entries
from pipeline.sources.status.feed_incidents import reading_of
from pipeline.sources.status.incident_io_atom import stated_rows
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification

_STATE_FIRST = re.compile(r"<description>\s{0,40}(?:<!\[cdata\[)?\s{0,40}status: [^<]{1,40}<br")


def recognises(answer: Answer) -> bool:
    """Return whether a feed's items begin with a bare line of the state."""
    return bool(_STATE_FIRST.search(feed_text(answer.body)))


def read(answer: Answer, context: PageContext) -> Reading:
    """Read a feed. Raises SourceError when the bytes are no feed."""
    feed = read_entries(answer, context)
    return reading_of(feed, stated_rows(feed, context))


ROOTLY_FEED = Reader(
    name="rootly_rss",
    platform="Rootly",
    paths=("feed.rss",),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin="status.mistral.ai/feed.rss of July 2026, cut down in a client's tests",
)
