"""The time axis of a chart: its first and last moment, its steps and its labels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

STEPS = (60, 300, 900, 1800, 3600, 7200, 14400, 43200, 86400)
MOST_STEPS = 170
MOST_LABELS = 8


class PlacedLabel(NamedTuple):
    """A label at a position, in percent of the axis. Narrow screens hide a `minor` label."""

    at: str
    text: str
    minor: bool = False


class Axis(Struct, frozen=True, kw_only=True):
    """An axis runs from `first` to `last` (seconds since the epoch) in steps of `step` seconds.

    `zone` is the time zone of its labels.
    """

    first: int
    last: int
    step: int
    zone: str

    def place(self, moment: float) -> float:
        """Return the position of a moment (seconds since the epoch) on the axis: 0 at its start, 1 at its end."""
        return (min(max(moment, self.first), self.last) - self.first) / (self.last - self.first)

    def percent(self, moment: float) -> str:
        """Return the position of a moment in percent, with two decimals."""
        return f"{100 * self.place(moment):.2f}"

    def starts(self) -> range:
        """Return the start of each step, in seconds since the epoch."""
        return range(self.first // self.step * self.step, self.last, self.step)

    def time(self, moment: int) -> str:
        """Return the date and time of a moment in the zone of the axis, such as `2 Mar 11:40`."""
        return datetime.fromtimestamp(moment, tz=UTC).astimezone(ZoneInfo(self.zone)).strftime("%-d %b %H:%M")

    def hours(self) -> tuple[PlacedLabel, ...]:
        """Return the labels of the axis. Every other label is minor."""
        span = (self.last - self.first) / 3600
        every = next(h for h in (1, 2, 3, 6, 12, 24, 48, 96, 240, 10**6) if span / h <= MOST_LABELS) * 3600
        here = ZoneInfo(self.zone)
        ahead = datetime.fromtimestamp(self.first, tz=UTC).astimezone(here).utcoffset() or timedelta(0)
        offset = int(ahead.total_seconds())  # whole hours of the reader's clock, which may be half an hour off
        begin = -(-(self.first + offset) // every) * every - offset
        labels: list[PlacedLabel] = []
        day = None
        for number, moment in enumerate(range(begin, self.last, every)):
            there = datetime.fromtimestamp(moment, tz=UTC).astimezone(here)
            text = f"{there:%H:%M}" if there.date() == day and every < 86400 else f"{there:%-d %b %H:%M}"
            if every >= 86400:
                text = f"{there:%-d %b}"
            day = there.date()
            if 0.02 <= self.place(moment) <= 0.96:
                labels.append(PlacedLabel(self.percent(moment), text, minor=number % 2 == 1))
        return tuple(labels)


def axis(since: datetime, until: datetime, finest: int, zone: str) -> Axis:
    """Return the axis of a span, in a time zone.

    Its step is the shortest one of at least `finest` seconds that cuts the span into at most MOST_STEPS steps.
    """
    first, last = int(since.timestamp()), max(int(until.timestamp()), int(since.timestamp()) + 60)
    step = next((s for s in STEPS if s >= finest and (last - first) / s <= MOST_STEPS), max(finest, STEPS[-1]))
    return Axis(first=first, last=last, step=step, zone=zone)
