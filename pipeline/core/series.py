"""Series of counts: their keys, what was judged of them, and intervals of alarm."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import Struct


class VerdictPoint(NamedTuple):
    """A judged bin of a series: when it starts, what was counted, what was expected, and how unusual that is.

    `upperbound` is the most that is usual, `level` 0 (usual), 1 (alarm) or 2 (strong alarm); NaN is what is not known.
    `joint`: the score is that of counts and posts together.
    """

    start: datetime
    observed: float
    expected: float
    upperbound: float
    score: float
    level: int
    joint: bool = False


Points = Sequence[VerdictPoint]


class Mention(NamedTuple):
    """A post that speaks of a service: when it was written, whether it counts as a report, a digest of its text."""

    service: str
    created: datetime
    counted: bool
    fingerprint: str


class SeriesColumn(NamedTuple):
    """A series within a source and bin width: a service, and one problem of it or (empty) all of it."""

    service: str
    indicator: str = ""


class SeriesCount(NamedTuple):
    """What was counted of a series in the bin or at the moment `start`."""

    column: SeriesColumn
    start: datetime
    value: float


class SeriesKey(Struct, frozen=True, kw_only=True):
    """Which counts a series holds. Its text form is the key in the database."""

    service: str
    channel: str
    source: str
    bin_s: int
    region: str = ""
    indicator: str = ""

    @property
    def is_total(self) -> bool:
        """Return whether it counts the whole service, not one region or one problem of it."""
        return not self.indicator and not self.region

    def __str__(self) -> str:
        """Return the key as stored: service/channel/source/region/indicator/bin seconds."""
        return "/".join((self.service, self.channel, self.source, self.region, self.indicator, str(self.bin_s)))


class Interval(Struct, frozen=True, kw_only=True):
    """A span in which one series was above what was expected; `end` None while it lasts.

    `expected_total` is what was expected from the onset to the last alarm; NaN when not known. `joint`: the score is
    that of counts and posts together.
    """

    series: SeriesKey
    onset: datetime
    alarmed_at: datetime
    peak: datetime
    end: datetime | None
    last_alarm: datetime
    score: float
    observed_peak: float
    expected_peak: float
    expected_total: float = math.nan
    joint: bool = False

    def span_end(self, now: datetime) -> datetime:
        """Return the end, or `now` while it lasts."""
        return self.end or now


class CountedInterval(NamedTuple):
    """The complaints about a service in the `interval_s` seconds from `start` on."""

    start: datetime
    interval_s: int
    total: float

    @property
    def end(self) -> datetime:
        """Return when it ends."""
        return self.start + timedelta(seconds=self.interval_s)


def totals(rows: Iterable[tuple[str, str, datetime, int]]) -> list[SeriesCount]:
    """Return the counts of (service, indicator, start, total), and after them the sums of services without a total.

    Such a sum is that of the service's indicators at that start.
    """
    found = [
        SeriesCount(SeriesColumn(service, indicator), start, float(total)) for service, indicator, start, total in rows
    ]
    parts = [count for count in found if count.column.indicator]
    if not parts:  # as nearly always
        return found
    whole = {(count.column.service, count.start) for count in found if not count.column.indicator}
    summed: dict[tuple[str, datetime], float] = {}
    for column, start, total in parts:
        if (column.service, start) not in whole:
            summed[column.service, start] = summed.get((column.service, start), 0.0) + total
    return [*found, *(SeriesCount(SeriesColumn(service), start, total) for (service, start), total in summed.items())]
