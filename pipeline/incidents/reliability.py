"""How soon providers own up and how long they are down: acknowledgement grades, availability, MTTR, MTBF. Pure.

Acknowledgement: minutes from when an incident began to when it was first posted; where the crowd rose first, from the
crowd's onset. A provider that posts before the crowd rises waits 0 minutes; what was never posted waits 240. Where the
only start known is the notice itself there is no wait to measure: such incidents are counted apart. The mean of the
last 90 days is graded A below 15 minutes, B below 30, C below 2 hours, D below 4, else F (the scale of StatusGator's
accuracy grade).

Delay: minutes from the start that the page shows to its first post; apart from it, from the start that the provider
states in the end, in the root cause.

Availability of a month: 1 minus the union of its incidents over the month's minutes; MTTR: mean minutes of the
incidents that began in it; MTBF: minutes up per incident. Maintenance, impact none and rows of doubtful timing are
kept and counted apart; an incident whose duration is unknown counts as an incident, and as no time down.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from pipeline.core.times import minutes_between

GRADES = ((15.0, "A"), (30.0, "B"), (120.0, "C"), (240.0, "D"))
GRADED_FROM = 3  # incidents: one notice written a day late is no habit
UNACKNOWLEDGED = 240.0
ROLLING = timedelta(days=90)
COUNTED = ("minor", "major", "critical")
WORKING_HOURS = (9, 17)
REGIONS = {
    "North America": "America/New_York",
    "Europe": "Europe/Berlin",
    "India": "Asia/Kolkata",
    "East Asia": "Asia/Tokyo",
}


Span = tuple[datetime, datetime]


class ReliabilityRecord(Struct, frozen=True, kw_only=True):
    """One incident of a provider. `posted` is when its page first spoke, None where that is not known or it never did.

    `timing` is as in StatusUpdate; `crowd` the onset by the crowd, None where none was measured; `by` page or crowd.
    `impact` is the page's word. `stated_start` is since when it failed by the provider's root cause, None where that
    states none. `duration_known` is false for an incident of which the page told only that it was over.
    """

    id: str
    began: datetime
    ended: datetime | None
    posted: datetime | None
    impact: str
    components: frozenset[str]
    timing: str = ""
    crowd: datetime | None = None
    by: str = "page"
    stated_start: datetime | None = None
    duration_known: bool = True

    @property
    def counted(self) -> bool:
        """Return whether it counts as time down: not maintenance, not impact none, not of doubtful timing."""
        return self.impact in COUNTED and self.timing != "doubtful"

    @property
    def began_with_notice(self) -> bool:
        """Return whether the only start known of it is its own notice."""
        return self.crowd is None and self.posted is not None and self.posted <= self.began


class Acknowledgement(Struct, frozen=True, kw_only=True):
    """A grade and what it rests on: `incidents`, of which a wait is known.

    The mean is None without any, the grade with fewer than GRADED_FROM. `began_with_notice` are incidents whose only
    known start is the notice itself; `left_out` have no posting time.
    """

    grade: str | None
    mean_minutes: float | None
    incidents: int
    began_with_notice: int
    left_out: int


class Month(Struct, frozen=True, kw_only=True):
    """A month of a service or of one component.

    `nines` is infinite when nothing was down; MTTR and MTBF are None without an incident, MTTR also without one of
    known duration.
    """

    month: str
    incidents: int
    down_minutes: float
    availability: float
    nines: float
    mttr: float | None
    mtbf: float | None
    observed_minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingDelay:
    """How many minutes a page's first posts come after the start that it shows, and after the one stated in the end.

    Medians, None where no incident has both times. `incidents` have a posting time; `with_stated_start` of them have a
    start stated in the root cause. `minutes_between_starts` is the median by how much that lies before the shown one.
    """

    incidents: int
    minutes_after_shown_start: float | None
    with_stated_start: int
    minutes_after_stated_start: float | None
    minutes_between_starts: float | None


def posting_delay(entries: Iterable[ReliabilityRecord]) -> PostingDelay:
    """Return how late a page's first posts are, over all incidents that count and whose posting time is known."""
    posted = [(e.posted, e) for e in entries if e.counted and not e.timing and e.posted is not None]
    stated = [(at, e.began, e.stated_start) for at, e in posted if e.stated_start is not None]
    return PostingDelay(
        incidents=len(posted),
        minutes_after_shown_start=_median(max(0.0, minutes_between(e.began, at)) for at, e in posted),
        with_stated_start=len(stated),
        minutes_after_stated_start=_median(minutes_between(start, at) for at, _, start in stated),
        minutes_between_starts=_median(minutes_between(start, began) for _, began, start in stated),
    )


def _median(minutes: Iterable[float]) -> float | None:
    values = list(minutes)
    return statistics.median(values) if values else None


def acknowledgement_minutes(entry: ReliabilityRecord) -> float | None:
    """Return minutes until the page spoke, None where that cannot be said."""
    if not entry.counted or entry.timing == "unposted":
        return None
    if entry.timing == "observed" and entry.crowd is None:  # its start is when it was first read
        return None
    if entry.posted is None:
        return UNACKNOWLEDGED if entry.crowd is not None else None
    if entry.began_with_notice:
        return None
    began = entry.crowd if entry.crowd is not None else entry.began
    return max(0.0, (entry.posted - began) / timedelta(minutes=1))


def grade(minutes: float) -> str:
    """Return the letter of a mean wait in minutes."""
    return next((letter for limit, letter in GRADES if minutes < limit), "F")


def acknowledgement(entries: Iterable[ReliabilityRecord], until: datetime) -> Acknowledgement:
    """Return the grade of the 90 days up to a moment."""
    recent = [e for e in entries if until - ROLLING <= e.began <= until]
    waits = [minutes for e in recent if (minutes := acknowledgement_minutes(e)) is not None]
    mean = sum(waits) / len(waits) if waits else None
    with_notice = sum(e.counted and not e.timing and e.began_with_notice for e in recent)
    return Acknowledgement(
        grade=None if mean is None or len(waits) < GRADED_FROM else grade(mean),
        mean_minutes=mean,
        incidents=len(waits),
        began_with_notice=with_notice,
        left_out=len(recent) - len(waits) - with_notice,
    )


def months(
    entries: Sequence[ReliabilityRecord],
    until: datetime,
    component: str | None = None,
    watched: Sequence[Span] | None = None,
) -> list[Month]:
    """Return each month from the first incident, or the first span, to `until`, of the service or of one component.

    `watched` are the spans, apart from each other, in which somebody would have told; what lies outside is neither up
    nor down. None: all the while from the first incident on.
    """
    wanted = [e for e in entries if e.counted and (component is None or component in e.components)]
    if not entries:
        return []
    found = []
    first = min(e.began for e in entries)
    spans = [(first, until)] if watched is None else watched
    first = min([first, *(since for since, _ in spans)])
    begin = first.replace(day=1, hour=0, minute=0, second=0)
    while begin < until:
        end = min(next_month(begin), until)
        inside = [e for e in wanted if begin <= e.began < end]
        failing = [(max(e.began, a), min(e.ended or until, b)) for e in wanted if e.duration_known for a, b in spans]
        down = union_minutes([span for span in failing if span[0] < span[1]], begin, end)
        whole = union_minutes(spans, begin, end)
        if whole <= 0:
            begin = next_month(begin)
            continue
        repaired = [((e.ended or until) - e.began) / timedelta(minutes=1) for e in inside if e.duration_known]
        found.append(
            Month(
                month=f"{begin:%Y-%m}",
                incidents=len(inside),
                down_minutes=down,
                availability=1 - down / whole,
                nines=math.inf if down <= 0 else abs(math.log10(min(1.0, down / whole))),
                mttr=sum(repaired) / len(repaired) if repaired else None,
                mtbf=(whole - down) / len(inside) if inside else None,
                observed_minutes=whole,
            )
        )
        begin = next_month(begin)
    return found


def observed_until(entries: Sequence[ReliabilityRecord], now: datetime) -> datetime:
    """Return until when entries tell of time up: an archive to its last month's end, what is open until `now`."""
    return min(now, next_month(max((e.ended or now for e in entries), default=now)))


def next_month(moment: datetime) -> datetime:
    """Return the first moment of the month after."""
    return (moment.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=0)


def union_minutes(spans: Iterable[tuple[datetime, datetime]], since: datetime, until: datetime) -> float:
    """Return how many minutes of [since, until) the spans cover together."""
    total, reach = timedelta(0), since
    for start, end in sorted(spans):
        start, end = max(start, reach), min(end, until)
        if end > start:
            total += end - start
            reach = end
    return total / timedelta(minutes=1)


def working_minutes(spans: Iterable[tuple[datetime, datetime]], zone: str) -> float:
    """Return how many minutes of the spans' union fell on Monday to Friday, 9 to 17 o'clock, in a zone."""
    total = 0.0
    there = ZoneInfo(zone)
    spans = list(spans)
    for start, end in spans:
        day = start.astimezone(there).replace(hour=0, minute=0, second=0, microsecond=0)
        while day <= end:
            if day.weekday() < 5:
                total += union_minutes(
                    [(start, end)], day.replace(hour=WORKING_HOURS[0]), day.replace(hour=WORKING_HOURS[1])
                )
            # by the wall clock: a day of a change of clocks is not 24 hours long
            day = (day.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=there)
    return total
