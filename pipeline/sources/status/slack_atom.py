"""Slack's `/feed/atom`: one entry an incident; `published` is the first post, updates have a time of day alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.core.records import RejectedRow
from pipeline.sources.parsing import reject, unmarked
from pipeline.sources.status.feed_entries import FeedEntry, feed_head, read_entries
from pipeline.sources.status.feed_incidents import BODY_CAP, EntryIncident, EntryUpdate, Row, reading_of, rows_of
from pipeline.sources.status.page_times import PageTime, clock_of_day
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.text.status_words import is_maintenance, state_from_words

_PIECE = re.compile(r"(?is)<small>(?P<when>.{1,80}?)</small>(?P<body>.*?)(?=<small>|\Z)")
_KIND = re.compile(r"^(?P<kind>[A-Za-z]{4,12}):\s*(?P<title>.+)$", re.S)
_IMPACTS = {"outage": "major", "incident": "minor", "notice": "minor", "maintenance": "maintenance"}


def recognises(answer: Answer) -> bool:
    """Return whether an Atom feed says that it is Slack's."""
    head = feed_head(answer.body)
    return "<feed" in head and ("slack-status.com" in head or "status.slack.com" in head)


def read(answer: Answer, context: PageContext) -> Reading:
    """Read the feed. Raises SourceError when the bytes are no feed."""
    feed = read_entries(answer, context)
    return reading_of(feed, (row for entry in feed.entries for row in _rows(entry, context)))


def _rows(entry: FeedEntry, context: PageContext) -> Iterator[Row]:
    kind = _KIND.match(entry.title)
    impact = _IMPACTS.get(kind["kind"].lower(), "") if kind else ""
    title = kind["title"] if kind and impact else entry.title
    updates: list[EntryUpdate] = []
    for row in _updates(entry, title):
        if isinstance(row, RejectedRow):
            yield row
        else:
            updates.append(row)
    yield from rows_of(
        EntryIncident(
            place=entry.place,
            id=entry.incident_id,
            title=title,
            also_named=(title,),
            url=entry.link,
            updates=_last_as_the_entry_says(updates, entry.updated),
            impact="maintenance" if is_maintenance(title) else impact or "minor",
            started_at=entry.published,
        ),
        context,
    )


def _updates(entry: FeedEntry, title: str) -> Iterator[EntryUpdate | RejectedRow]:
    """Yield an entry's updates, oldest first: those in its text, else the first post and what it says now."""
    pieces = [
        (clock_of_day(unmarked(match["when"], 40)), unmarked(match["body"], BODY_CAP))
        for match in _PIECE.finditer(entry.html)
    ]
    if pieces:
        yield from _dated(entry, pieces)
        return
    text = unmarked(entry.html, BODY_CAP)
    now = state_from_words(title, text) or "investigating"
    first, last = entry.published, entry.updated or entry.published
    if first is not None and first != last:
        yield EntryUpdate(shown=first, status="investigating", native_id="first")
    if last is not None:
        yield EntryUpdate(shown=last, status=now, body=text)


def _dated(entry: FeedEntry, pieces: Sequence[tuple[PageTime | None, str]]) -> Iterator[EntryUpdate | RejectedRow]:
    """Yield updates of which the text has the time of day: each is the next such time after the one before it."""
    last = entry.published
    for place, (shown, body) in enumerate(pieces):
        moment = _next(shown, last, first=place == 0) if shown is not None and last is not None else None
        if moment is None:
            yield reject(entry.place, "a time of day that cannot be given a day", body)
            continue
        last = moment
        # the words of the first post never say that it is over
        status = (state_from_words("", body) if place else "") or ("investigating" if place == 0 else "update")
        yield EntryUpdate(shown=moment, status=status, body=body)


def _last_as_the_entry_says(updates: Sequence[EntryUpdate], last: datetime | None) -> Sequence[EntryUpdate]:
    """Return updates, the last of them at the entry's own last time where both are the same time of day.

    Where more than a day passed between two updates their text does not say so; the entry's times do.
    """
    if not updates or last is None or last <= updates[-1].shown or f"{last:%H%M}" != f"{updates[-1].shown:%H%M}":
        return updates
    return [*updates[:-1], replace(updates[-1], shown=last)]


def _next(shown: PageTime, last: datetime, *, first: bool) -> datetime | None:
    """Return the next moment with a time of day after `last`; for the first post, made at `last`, the nearest."""
    floor = last.replace(second=0)
    moments = []
    for days in (-1, 0, 1, 2):
        day = last + timedelta(days=days)
        moment = PageTime(f"{day:%B} {day.day}", shown.clock, shown.zone, str(day.year)).moment(day.year)
        if moment is not None:
            moments.append(moment)
    if first:
        nearest = min(moments, key=lambda moment: abs(moment - floor), default=None)
        return last if nearest == floor else nearest
    return min((moment for moment in moments if moment >= floor), default=None)


SLACK_FEED = Reader(
    name="slack_atom",
    platform="Slack",
    paths=("feed/atom",),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin="slack-status.com/feed/atom of December 2025 and January 2026, cut down",
)
