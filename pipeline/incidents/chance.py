"""How often a random date would be linked as well: the linker held against chance. Pure.

A permutation test over the date of the news (Fisher 1935, "The Design of Experiments", chapter 2, on dates): drawn
evenly from the history before the incident, how many dates would the same rule link to an incident at least as large,
at least as near? Large and near are two things, and the best of several links would look rarer than it is; so the
share is itself ranked among those of the random dates, and that rank is the p. At most 5 % of random dates get a p of
0.05 or less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

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


def p_value(
    past: Sequence[PastIncident], mine: PastIncident, known_since: datetime, window: Window, seen: datetime
) -> tuple[float, float] | None:
    """Return p, and the share of random dates linked to an incident as large within the same lag.

    None = too little history. `past` are all stories known, `mine` the one in question, `seen` the date of the news.
    """
    since = max(known_since, mine.onset - HISTORY)
    # its own window counts whole, as those of the others do, or the latest would always look rarest
    until = max((mine.end if window.from_end else mine.onset) + window.after, seen)
    if until - since < SHORTEST:
        return None
    stories = tuple(
        sorted({*(p for p in past if p.onset <= until and p.onset != mine.onset), mine}, key=lambda p: (p.onset, p.end))
    )
    shares, ranked = _table(stories, since, until, window)
    place = stories.index(mine)
    lag = abs((seen - mine.onset) / timedelta(minutes=1))
    share = float(np.searchsorted(shares[place], lag + 1e-9, side="right") / DATES)
    return float(np.searchsorted(ranked, share + 1e-9, side="right") / DATES), share


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
