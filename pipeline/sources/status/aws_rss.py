"""AWS's `/rss/all.rss` and `/rss/<service>-<region>.rss`: one item an update, its state before the title."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.sources.parsing import from_epoch, plain, reject, unmarked
from pipeline.sources.status.feed_entries import FeedEntry, digest, feed_head, read_entries
from pipeline.sources.status.feed_incidents import BODY_CAP, EntryIncident, EntryUpdate, Part, Row, reading_of, rows_of
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.text.status_words import OVER, aws_impact, known_state, split_state

_HOMES = ("status.aws.amazon.com", "health.aws.amazon.com", "aws service health dashboard")
_GUID = re.compile(r"#(?P<part>[A-Za-z0-9.-]{2,100})_(?P<epoch>1\d{9})$")
_LABEL = re.compile(r"^(?P<label>[^:\[\]]{4,60}):\s*(?P<title>.+)$", re.S)
_MARK = re.compile(r"\[[^\[\]]{2,20}\]\s*")
_IMPACTS = ("none", "minor", "major")


@dataclass(frozen=True, slots=True)
class _Item:
    """One item: whose it is, when it was posted, its title without state, whether it says that the trouble is over."""

    entry: FeedEntry
    part: str
    posted: datetime
    title: str
    impact: str
    over: bool


def recognises(answer: Answer) -> bool:
    """Return whether an RSS feed says that it is Amazon's."""
    head = feed_head(answer.body)
    return "<rss" in head and any(home in head for home in _HOMES)


def read(answer: Answer, context: PageContext) -> Reading:
    """Read the feed. Raises SourceError when the bytes are no feed."""
    feed = read_entries(answer, context)
    return reading_of(feed, _rows(feed.entries, context))


def _rows(entries: Sequence[FeedEntry], context: PageContext) -> Iterator[Row]:
    """Yield rows; items of one service and region with one title, whatever their state, are one incident."""
    grouped: dict[str, list[_Item]] = {}
    for entry in entries:
        item = _item(entry)
        if item is None:
            yield reject(entry.place, "no time that is certain", entry.title)
        else:
            grouped.setdefault(digest(f"{item.part}\0{item.title}"), []).append(item)
    for incident_id, items in grouped.items():
        newest = max(items, key=lambda item: item.posted)
        updates = [
            EntryUpdate(
                shown=item.posted,
                status="resolved" if item.over else "investigating",
                body=unmarked(item.entry.html, BODY_CAP),
                native_id=f"{item.posted:%Y%m%dT%H%M%S}",
            )
            for item in items
        ]
        worst = max((item.impact for item in items), key=_IMPACTS.index)
        yield from rows_of(
            EntryIncident(
                place=newest.entry.place,
                id=incident_id,
                title=newest.title,
                url=newest.entry.id if newest.entry.id.startswith("http") else newest.entry.link,
                updates=updates,
                impact=worst if worst != "none" else "minor",
                parts=(Part(newest.part),) if newest.part else (),
            ),
            context,
        )


def _item(entry: FeedEntry) -> _Item | None:
    """Return an item, whose id ends with its service, region and time; None where its time is not certain."""
    guid = _GUID.search(entry.id)
    posted = entry.published
    if guid is not None:
        posted = from_epoch(guid["epoch"]).astimezone(UTC)
    if posted is None:
        return None
    labelled = _LABEL.match(entry.title)
    title = labelled["title"] if labelled else entry.title
    impact = aws_impact(labelled["label"]) if labelled else "minor"
    stated = known_state(labelled["label"]) if labelled else ""
    marks = [stated, *(split_state(mark).state for mark in _MARK.findall(title))]
    return _Item(
        entry=entry,
        part=guid["part"] if guid else "",
        posted=posted,
        title=plain(_MARK.sub("", title), 300) or entry.title,
        impact=impact,
        over=impact == "none" or any(mark in OVER for mark in marks),
    )


AWS_FEED = Reader(
    name="aws_rss",
    platform="AWS",
    paths=("rss/all.rss",),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin=(
        "status.aws.amazon.com/rss/ec2-ap-northeast-1.rss of September 2019, all.rss of"
        " December 2021 and of March 2026, cut down"
    ),
)
