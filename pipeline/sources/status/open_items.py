"""Feeds that list what is going on now and drop it when it is over: an end is when an item is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from pipeline.sources.status.feed_entries import StatusFeed, digest
from pipeline.sources.status.feed_incidents import EntryIncident, EntryUpdate, Row, reading_of, rows_of
from pipeline.sources.status.reader import END, PageContext, Reading


def read_open_items(feed: StatusFeed, incidents: Iterator[EntryIncident], context: PageContext) -> Reading:
    """Return what is open as a Reading, with an end for what earlier reads saw open and this one does not.

    An incident is known by its title, so that its end can be named when nothing else of it is left. The end is the time
    of the read that misses it: the page gives no better. Nothing ends by a feed that was not read whole.
    """
    rows: list[Row] = []
    open_now: dict[str, datetime] = {}
    for incident in incidents:
        found = list(rows_of(replace(incident, id=digest(incident.title)), context))
        rows += found
        since = incident.updates[0].shown if incident.updates else context.fetched_at
        if found and incident.title:
            open_now[incident.title] = min(since, context.seen_down.get(incident.title, since))
    if feed.detail or feed.rejected:
        open_now = {**context.seen_down, **open_now}
    rows += _ended(context, open_now)
    return replace(reading_of(feed, rows), complete_since=None, seen_down=open_now)


def _ended(context: PageContext, open_now: dict[str, datetime]) -> Iterator[Row]:
    for title, since in context.seen_down.items():
        if title not in open_now:
            end = EntryUpdate(shown=max(context.fetched_at, since), status="resolved", native_id=END)
            yield from rows_of(
                EntryIncident(place=title, id=digest(title), title=title, url="", updates=(end,)),
                replace(context, components=()),  # it concerned the service when it was open
            )
