"""Azure's `/en-us/status/feed/`: one item an open incident, none when all is well."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from pipeline.sources.parsing import unmarked
from pipeline.sources.status.feed_entries import StatusFeed, feed_head, read_entries
from pipeline.sources.status.feed_incidents import BODY_CAP, EntryIncident, EntryUpdate
from pipeline.sources.status.open_items import read_open_items
from pipeline.sources.status.reader import Answer, PageContext, Reader, Reading, Verification
from pipeline.text.status_words import state_from_words

_HOMES = ("<title>azure status</title>", "azure.status.microsoft", "status.azure.com", "azure.microsoft.com")

# Azure's regions are called after a geography and a point of the compass in either order, with a number from the second
_COMPASS = "(?:(?:North|South|East|West)(?: ?Central)?|Central|Northwest|Northeast|Southeast|Southwest)"
_GEOGRAPHIES = (
    "US|USGov|US Gov|US DoD|Europe|UK|Asia|India|Japan|Korea|Australia|Brazil|Canada|China|France|Germany|Norway|"
    "Sweden|Switzerland|UAE|South Africa|Qatar|Poland|Italy|Israel|Spain|Mexico|New Zealand|Indonesia|Malaysia|"
    "Austria|Belgium|Chile|Denmark|Greece|Finland|Taiwan|Saudi Arabia|Jio India"
)
_REGION = re.compile(rf"(?i)\b(?:{_COMPASS} (?:{_GEOGRAPHIES})|(?:{_GEOGRAPHIES}) {_COMPASS})(?: [1-9])?\b(?!\.[0-9])")


def recognises(answer: Answer) -> bool:
    """Return whether an RSS feed says that it is Azure's."""
    head = feed_head(answer.body)
    return "<rss" in head and any(home in head for home in _HOMES)


def read(answer: Answer, context: PageContext) -> Reading:
    """Read the feed. Raises SourceError when the bytes are no feed."""
    feed = read_entries(answer, context)
    return read_open_items(feed, _incidents(feed, context), context)


def _incidents(feed: StatusFeed, context: PageContext) -> Iterator[EntryIncident]:
    for entry in feed.entries:
        text = unmarked(entry.html, BODY_CAP)
        updates = []
        if entry.published is not None:
            status = state_from_words(entry.title, text) or "investigating"
            updates.append(EntryUpdate(shown=entry.published, status=status, body=text))
        yield EntryIncident(
            place=entry.place,
            id=entry.id,
            title=entry.title,
            also_named=_also_named(entry.title, text, context.components),
            url=entry.link,
            updates=updates,
        )


def _also_named(title: str, text: str, components: Collection[str]) -> tuple[str, ...]:
    """Return the regions an item names, and its title, which names products, unless only regions are asked for."""
    regions = tuple(dict.fromkeys(_REGION.findall(f"{title}\n{text}")))
    return regions if all(_REGION.fullmatch(name) for name in components) else (title, *regions)


AZURE_FEED = Reader(
    name="azure_rss",
    platform="Azure",
    paths=("en-us/status/feed/", "status/feed/"),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin=(
        "an empty feed of August 2026 and items of October 2018 in clients;"
        " an item of an open incident after clients' tests alone"
    ),
)
