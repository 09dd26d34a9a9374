"""What speaks for and against a link to a news event, in words. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter

from pipeline.core.catalogue import Service
from pipeline.core.news_events import CHANCE, NewsEvent
from pipeline.core.quantities import quantity
from pipeline.core.times import minutes_between
from pipeline.core.vocabulary import NewsKind, Relation
from pipeline.incidents.link_context import LinkContext

_SEEN = itemgetter(0)


def _chance_in_words(p: float) -> str:
    return f"no better than chance: {p:.0%} of random dates are linked as well"


def lag_in_words(seen: datetime, onset: datetime) -> str:
    """Return how long before or after the onset something was seen, such as `35 min after the onset`."""
    minutes = minutes_between(onset, seen)
    size = abs(minutes)
    words = f"{size:.0f} min" if size < 120 else (f"{size / 60:.0f} h" if size < 2880 else f"{size / 1440:.1f} days")
    return f"{words} {'after' if minutes >= 0 else 'before'} the onset"


def burst_of_outlets(service: Service, event: NewsEvent, naming: Sequence[tuple[datetime, str]]) -> list[str]:
    """Return how many outlets named the service within a day of the event, and how many items a day in the week before.

    `naming` are the moments at which each outlet named the service, in order.
    """
    half = timedelta(hours=12)
    first, end = bisect_left(naming, event.first_seen - half, key=_SEEN), event.first_seen + half
    near = {outlet for _, outlet in naming[first : bisect_right(naming, end, lo=first, key=_SEEN)]}
    if len(near) < 3:
        return []
    before = first - bisect_left(naming, event.first_seen - timedelta(days=7), hi=first, key=_SEEN)
    return [
        (
            f"{len(near)} outlets named {service.name} within a day of it, "
            f"{before / 6.5:.1f} items a day in the week before"
        )
    ]


def signals_between(event: NewsEvent, between: Sequence[tuple[datetime, Mapping[str, str]]]) -> list[str]:
    """Return which signals came to stand out after the event, and not before it."""
    before: Mapping[str, str] = next((out for at, out in reversed(between) if at <= event.first_seen), {})
    words: dict[str, str] = {}
    for at, out in between:
        for name in (out.keys() - before.keys() - words.keys()) if at > event.first_seen else ():
            words[name] = f"in between: {out[name]} (at {at:%-d %B %H:%M} UTC)"
    return [words[name] for name in sorted(words)]


def reasons_against(
    service: Service, event: NewsEvent, relation: Relation, context: LinkContext, p: float | None
) -> list[str]:
    """Return the reasons against a link. `p` is the share of random dates that are linked as well, None if unknown."""
    if relation == Relation.CONTEXT_BEFORE:
        return _against_context(service, event, context, p)
    if relation in (Relation.OTHER_INCIDENT, Relation.SHARED_DEPENDENCY):
        found = (
            []
            if relation == Relation.SHARED_DEPENDENCY
            else ["services elsewhere that run on it are not known to have failed with it"]
        )
        if context.provider_incidents:
            found.append(f"no notice of {service.vendor or service.name} mentions it")
        return found
    if p is not None and p > CHANCE:
        return [_chance_in_words(p)]
    return []


def _against_context(service: Service, event: NewsEvent, context: LinkContext, p: float | None) -> list[str]:
    """Say how often such incidents began without, and before, the announcement."""
    found = []
    day, week = event.first_seen.replace(hour=0, minute=0, second=0), event.first_seen - timedelta(days=7)
    onsets = context.onsets or [p.onset for p in context.past]
    before = sorted({onset for onset in onsets if week <= onset < event.first_seen})
    same_day = [onset for onset in before if day <= onset]
    if same_day:
        times = ", ".join(f"{onset:%H:%M}" for onset in same_day)
        found.append(f"{quantity(len(same_day), 'incident')} of {service.name} began that day before it ({times} UTC)")
    if before:
        found.append(
            f"{quantity(len(before), 'incident')} of {service.name} began in the seven days before "
            "it: they need no announcement"
        )
    if p is not None and p > CHANCE:
        found.append(_chance_in_words(p))
    elif p is None:
        found.append("the history is too short to say how often chance does as well")
    if event.kind == NewsKind.POLITICS_REGULATION and context.provider_incidents:
        found.append(f"no notice of {service.vendor or service.name} names it")
    return found
