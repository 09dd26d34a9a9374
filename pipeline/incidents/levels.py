"""Whether counts came back near what they were before an incident began. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from pipeline.core.incidents import Incident
from pipeline.store.levels import Counter

DAY = timedelta(days=1)
LATEST = timedelta(hours=1)  # compared, as far as it lies after the end
SHORTEST = timedelta(minutes=30)  # less says nothing
NEAR = 2.0  # times what was counted before; less may be the tail of the incident, or growth
NOISE = 4.0  # standard deviations of a count


class Comparison(NamedTuple):
    """The latest hour since an incident ended, or what has passed since, and the same time of days before it began."""

    since: datetime
    until: datetime
    before: tuple[tuple[datetime, datetime], ...]


def comparison(incident: Incident, now: datetime) -> Comparison | None:
    """Return which spans to compare: the last day before the onset, and its weekday; None where it is too soon."""
    if incident.end is None or now - incident.end < SHORTEST or not any(e.by_crowd for e in incident.episodes):
        return None
    since, until = max(incident.end, now - LATEST), now
    days = max(1, math.ceil((until - incident.onset) / DAY))
    shifts = [days * DAY, math.ceil(days / 7) * 7 * DAY]
    return Comparison(since, until, tuple((since - shift, until - shift) for shift in dict.fromkeys(shifts)))


def new_level(
    now: Mapping[Counter, float], before: Sequence[Mapping[Counter, float]], span: timedelta
) -> Iterator[str]:
    """Yield of each counter that stayed well above every day before, in words, how far."""
    hours = span / timedelta(hours=1)
    for counter, total in sorted(now.items()):
        usual = max((day[counter] for day in before if counter in day), default=None)
        if usual is None or total <= NEAR * usual or total - usual <= NOISE * math.sqrt(usual + 1):
            continue
        what = "complaints" if counter.channel == "complaints" else f"reports on {counter.source}"
        yield (f"{total / hours:.0f} {what} an hour now, {usual / hours:.0f} at this hour before it began")
