"""What a news item is about: its kind, the services it names, and near-identical items folded into one event."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.core.news_events import NewsEntity, NewsEvent
from pipeline.core.records import NewsItem
from pipeline.core.times import iso
from pipeline.text.cues import cue_names, lexicon_features
from pipeline.text.normalize import normalize, shingles
from pipeline.text.patterns import PatternSet
from pipeline.text.services import ServiceMatcher

KINDS = (
    "service_outage",
    "outage_followup",
    "politics_regulation",
    "company_business",
    "product",
    "infrastructure_outage",
    "security",
    "other",
)
FOLD_WITHIN = timedelta(hours=72)
FOLD_AT = 0.5
_KINDS = PatternSet("news_kinds")


class _Folded(NamedTuple):
    """Near-identical items, the runs of words of the first, and when it was published."""

    runs: frozenset[tuple[str, ...]]
    first_seen: datetime
    members: list[NewsItem]


def headline_cues(title: str, summary: str = "") -> NDArray[np.float64]:
    """Return 1 or 0 for each kind that its title hints at, then its summary, then each cue of the title."""
    head = normalize(title)
    of_title, of_summary = set(_KINDS.matched(head)), set(_KINDS.matched(normalize(summary)))
    cues = set(lexicon_features(head))
    features = [
        *(name in of_title for name in _KINDS.names),
        *(name in of_summary for name in _KINDS.names),
        *(name in cues for name in cue_names()),
    ]
    return np.array(features, np.float64)


def says_down(title: str) -> bool:
    """Return whether a headline says outright that something is out of service."""
    return "service_outage" in _KINDS.matched(normalize(title))


def kind_of(title: str, summary: str = "") -> str:
    """Return the kind by key words alone, for rules-only mode: the first that the title shows, else the summary."""
    return next(iter([*_KINDS.matched(normalize(title)), *_KINDS.matched(normalize(summary))]), "other")


def fold_items(
    items: Sequence[NewsItem],
    matcher: ServiceMatcher,
    kind: Callable[[str, str], str] = kind_of,
    known: Mapping[str, str] | None = None,
) -> list[NewsEvent]:
    """Fold near-identical items within three days into events; outlets of one event are counted once each.

    Two are near-identical when half of their runs of three words are shared (Broder 1997, "On the resemblance and
    containment of documents"), or the title is. An event is named after its first item, so that a
    later copy changes its outlets, not its id. `known` holds the kinds of events read before, which are not asked
    again. Items of unknown time are left out: what cannot be placed in time supports nothing.
    """
    events_with: dict[tuple[str, ...], list[int]] = {}  # by each run of their first item
    events: list[_Folded] = []
    by_title: dict[str, int] = {}
    dated = ((item.published, item) for item in items if item.published is not None)
    for published, item in sorted(dated, key=lambda pair: (pair[0], pair[1].source, pair[1].native_id)):
        runs = _runs(f"{item.title} {item.summary}")
        title = normalize(item.title)
        shared = Counter(number for run in runs for number in events_with.get(run, ()))
        like = {n for n, both in shared.items() if both / (len(runs) + len(events[n].runs) - both) >= FOLD_AT}
        like |= {by_title[title]} if title in by_title else set()
        near = [n for n in sorted(like) if published - events[n].first_seen <= FOLD_WITHIN]
        if near:
            events[near[0]].members.append(item)
        else:
            for run in runs:
                events_with.setdefault(run, []).append(len(events))
            by_title[title] = len(events)
            events.append(_Folded(runs, published, [item]))
    return sorted((_event(folded, matcher, kind, known or {}) for folded in events), key=lambda e: (e.first_seen, e.id))


@lru_cache(maxsize=2_000)  # each run folds the last days anew, and most of their items it folded before
def _runs(text: str) -> frozenset[tuple[str, ...]]:
    """Return the runs of three words of a text."""
    return shingles(text, 3)


def _event(
    folded: _Folded, matcher: ServiceMatcher, kind: Callable[[str, str], str], known: Mapping[str, str]
) -> NewsEvent:
    first = folded.members[0]
    text = f"{first.title}. {first.summary}"
    named = matcher.entities(text)
    # a name that means something else elsewhere is settled by the whole text, and then looked for in the headline
    heads = {match.service for match in matcher.name_matches(normalize(first.title))}
    entities = tuple(
        NewsEntity(service, (*ways, "headline") if service in heads else ways) for service, ways in named.items()
    )
    digest = hashlib.sha256(f"{first.source}\0{first.native_id}".encode()).hexdigest()[:12]
    event_id = f"news-{iso(folded.first_seen)[:10]}-{digest}"
    return NewsEvent(
        id=event_id,
        kind=known.get(event_id) or kind(first.title, first.summary),
        title=first.title,
        entities=entities,
        outlets=tuple(sorted({item.outlet for item in folded.members})),
        first_seen=folded.first_seen,
        items=tuple((item.source, item.native_id) for item in folded.members),
    )
