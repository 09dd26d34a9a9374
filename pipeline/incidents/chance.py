"""How often a random date would be linked as well: the linker held against chance. Pure.

A permutation test over the date of the news (Fisher 1935, "The Design of Experiments", chapter 2, on dates): drawn
evenly from the history before the incident, how many dates would the same rule link to an incident at least as large,
at least as near? Large and near are two things, and the best of several links would look rarer than it is; so the
share is itself ranked among those of the random dates, and that rank is the p. At most 5 % of random dates get a p of
0.05 or less.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.core.vocabulary import Impact
from pipeline.incidents.episodes import COUNTED_IMPACTS, ProviderIncident, group_into_incidents, merge_into_episodes

HISTORY = timedelta(days=90)
SHORTEST = timedelta(days=14)  # of history: less says nothing about chance
DATES = 720
EARLY = timedelta(minutes=15)
Size = tuple[int, float]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastIncident:
    """A story of a service: when, and how large (impact, minutes)."""

    onset: datetime
    end: datetime
    size: Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which dates a rule links: up to `before` the onset, and up to `after` the onset, or the end where `from_end`."""

    before: timedelta
    after: timedelta
    from_end: bool = False


def size_of(impact: Impact, onset: datetime, end: datetime) -> Size:
    """Return the rank of an incident: impact first, minutes second."""
    return impact.rank, round(max(0.0, (end - onset) / timedelta(minutes=1)))


def past_provider_incidents(
    provider_incidents: Sequence[ProviderIncident], still: datetime | None
) -> list[PastIncident]:
    """Return the stories of a page's incidents; one that lasts ends at `still`, or where it began when that is None."""
    found = []
    for story in group_into_incidents(merge_into_episodes([], provider_incidents)):
        begin, end = story[0].start, story[-1].end or still or story[-1].start
        worst = Impact.highest(COUNTED_IMPACTS[o.impact] for s in story for o in s.provider_incidents)
        found.append(PastIncident(onset=begin, end=end, size=size_of(worst, begin, end)))
    return found


class _Compared(NamedTuple):
    """The sorted lags of random dates to the nearest story as large as the one in question, and the dates' shares."""

    lags: Floats
    shares: Floats


class RandomDates:
    """Random dates of a service's history, which the news of one of its incidents are held against."""

    def __init__(self, past: Iterable[PastIncident], mine: PastIncident, known_since: datetime) -> None:
        """`past` are all stories known since `known_since`, `mine` the one in question."""
        self._others = [p for p in past if p.onset != mine.onset]
        self._mine, self._since = mine, max(known_since, mine.onset - HISTORY)
        self._compared: dict[tuple[datetime, Window], _Compared] = {}

    def p_value(self, window: Window, seen: datetime) -> tuple[float, float] | None:
        """Return p, and the share of random dates linked to an incident as large within the same lag.

        None = too little history. `seen` is the date of the news.
        """
        mine = self._mine
        # its own window counts whole, as those of the others do, or the latest would always look rarest
        until = max((mine.end if window.from_end else mine.onset) + window.after, seen)
        if until - self._since < SHORTEST:
            return None
        compared = self._compared.get((until, window))
        if compared is None:
            compared = self._compared[until, window] = self._compare(until, window)
        lag = abs((seen - mine.onset) / timedelta(minutes=1))
        share = float(np.searchsorted(compared.lags, lag + 1e-9, side="right") / DATES)
        return float(np.searchsorted(compared.shares, share + 1e-9, side="right") / DATES), share

    def _compare(self, until: datetime, window: Window) -> _Compared:
        stories = {*(p for p in self._others if p.onset <= until), self._mine}
        in_order = tuple(sorted(stories, key=lambda p: (p.onset, p.end)))
        lags, shares = _table(in_order, self._since, until, window)
        return _Compared(lags[in_order.index(self._mine)], shares)


@lru_cache(maxsize=64)
def _table(
    stories: tuple[PastIncident, ...], since: datetime, until: datetime, window: Window
) -> tuple[tuple[Floats, ...], Floats]:
    """Return each story's sorted lags of random dates to the nearest as large, and the dates' sorted best shares."""
    step = (until - since) / DATES
    dates = _midpoints(step // timedelta(microseconds=1)) / 60e6  # in minutes
    lags = np.full((len(stories), DATES), np.inf)
    for j, story in enumerate(stories):
        onset, end = ((moment - since) / timedelta(minutes=1) for moment in (story.onset, story.end))
        latest = (end if window.from_end else onset) + window.after / timedelta(minutes=1)
        inside = (dates >= onset - window.before / timedelta(minutes=1)) & (dates <= latest)
        lags[j, inside] = np.abs(dates[inside] - onset)
    shares = []
    best = np.ones(DATES)
    nearest_of = _nearest_as_large(lags, [story.size for story in stories])
    for j, story in enumerate(stories):
        nearest = nearest_of[story.size]
        shares.append(nearest)
        mine = np.isfinite(lags[j])
        best[mine] = np.minimum(best[mine], np.searchsorted(nearest, lags[j, mine] + 1e-9, side="right") / DATES)
    return tuple(shares), np.sort(best)


def _midpoints(step: int) -> Floats:
    """Return the middle of each of DATES steps of so many microseconds, in whole ones: a half goes to the even one."""
    halves = step * (2 * np.arange(DATES, dtype=np.int64) + 1)
    whole = halves // 2
    return (whole + (halves & whole & 1)).astype(np.float64)


def _nearest_as_large(lags: Floats, sizes: Sequence[Size]) -> dict[Size, Floats]:
    """Return by size the sorted lags of dates to the nearest story that is as large or larger.

    lags: shape (stories, dates).
    """
    found: dict[Size, Floats] = {}
    nearest = np.full(lags.shape[1], np.inf)
    for size in sorted(set(sizes), reverse=True):
        nearest = np.minimum(nearest, lags[[n for n, other in enumerate(sizes) if other == size]].min(axis=0))
        found[size] = np.sort(nearest)
    return found
