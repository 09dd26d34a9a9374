"""Microsoft 365's `/api/feed/mac`: items with a `status` of their own; one that is available when all is well."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.sources.parsing import unmarked
from pipeline.sources.status.feed_entries import StatusFeed, feed_head, feed_text, read_entries
from pipeline.sources.status.feed_incidents import BODY_CAP, EntryIncident, EntryUpdate
from pipeline.sources.status.open_items import read_open_items
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.text.status_words import state_of_label

_STATUS = re.compile(r"<status>[^<]{1,60}</status>")
_HOMES = ("<title>microsoft admin center", "status.cloud.microsoft")
WELL = ("available", "operational", "service_operational", "false_positive")
_OVER = ("service_restored", "post_incident_report_published", "post_incident_review_published")
_MAJOR = "service_interruption"


def recognises(answer: Answer) -> bool:
    """Return whether an RSS feed says that it is Microsoft 365's, or its items have a status of their own."""
    head = feed_head(answer.body)
    return "<rss" in head and (
        any(home in head for home in _HOMES) or bool(_STATUS.search(feed_text(answer.body)[len(head) :]))
    )


def read(answer: Answer, context: PageContext) -> Reading:
    """Read the feed. Raises SourceError when the bytes are no feed."""
    feed = read_entries(answer, context)
    return read_open_items(feed, _incidents(feed), context)


def _incidents(feed: StatusFeed) -> Iterator[EntryIncident]:
    for entry in feed.entries:
        own = state_of_label(entry.status)
        if own in WELL:
            continue
        over = own in _OVER or own == "resolved"
        updates = []
        if entry.published is not None:
            status = "resolved" if over else "investigating"
            text = unmarked(entry.html, BODY_CAP)
            updates.append(EntryUpdate(shown=entry.published, status=status, body=text))
        yield EntryIncident(
            place=entry.place,
            id=entry.id,
            title=entry.title,
            also_named=(entry.title,),
            url=entry.link,
            updates=updates,
            impact="major" if own == _MAJOR else "minor",
        )


MICROSOFT_365_FEED = Reader(
    name="microsoft_365_rss",
    platform="Microsoft 365",
    paths=("api/feed/mac",),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin=(
        "status.cloud.microsoft/api/feed/mac of June and August 2026 when all was well;"
        " the state of trouble after the tests of a client"
    ),
)
