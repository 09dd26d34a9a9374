"""Times as status pages display them: without a year, in the page's own zone. The entry's own times settle both."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import StrEnum

from pipeline.text.time_texts import read_time

QUARTER = timedelta(minutes=15)  # zones differ by multiples of it
BEHIND, AHEAD = timedelta(hours=-12), timedelta(hours=14)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY = (
    r"(?:(?P<month>[^\W\d_]{3,12})\.? ?(?P<day>\d{1,2})|(?P<day_first>\d{1,2})\.? ?(?P<month_last>[^\W\d_]{3,12})\.?)"
)
_CLOCK = r"(?P<clock>\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]\.?m\b\.?)?)"
_ZONE = r"(?P<zone>[A-Za-z]{1,5}(?:[+-]\d{1,2}(?::?\d{2})?)?|[+-]\d{2}(?::?\d{2})?)"
_STAMP = re.compile(rf"(?i){_DAY},?(?: ?(?P<year>20\d\d))? ?,?(?: ?-)? ?{_CLOCK}(?: ?{_ZONE}(?![\w+]))?")
_CLOCK_ONLY = re.compile(rf"(?i){_CLOCK}(?: ?{_ZONE}(?![\w+]))?")


class YearRule(StrEnum):
    """Which year a time without one belongs to, seen from an entry's own time."""

    LAST_BEFORE = "the last one before it, or within a day"  # that time is the last update's
    NEAREST = "the nearest"
    FIRST_AFTER = "the first one after it, or within a day"


@dataclass(frozen=True, slots=True)
class PageTime:
    """A displayed time in its parts: `day` is month and day, `year` empty where none stands there, `zone` as well."""

    day: str
    clock: str
    zone: str
    year: str = ""

    def moment(self, year: int, zone: tzinfo | None = None) -> datetime | None:
        """Return the instant in a year, by the zone it names or, where one is given, in that zone; None if unknown."""
        # the month first: the other order is that of mails, where CST is one zone
        stamp = f"{self.day}, {self.year or year} {self.clock}"
        return read_time(f"{stamp} {self.zone}") if zone is None else read_time(stamp, default_zone=zone)


def page_time(text: str) -> PageTime | None:
    """Read `Feb 24, 20:01 UTC` into its parts; None where there is no day with a time of day."""
    match = _STAMP.search(" ".join(text.split()).replace(" ,", ","))
    if match is None:
        # stactus writes RFC 3339 into the same form
        found = read_time(text)
        return (
            PageTime(f"{MONTHS[found.month - 1]} {found.day}", f"{found:%H:%M:%S}", "UTC", f"{found:%Y}")
            if found
            else None
        )
    day = f"{match['month'] or match['month_last']} {match['day'] or match['day_first']}"
    return PageTime(day, match["clock"], match["zone"] or "", match["year"] or "")


def clock_of_day(text: str) -> PageTime | None:
    """Read `3:23pm PST`, a time of day alone, into its parts, `day` empty; None where there is none."""
    match = _CLOCK_ONLY.search(" ".join(text.split()))
    return PageTime("", match["clock"], match["zone"] or "") if match else None


def page_span(text: str) -> tuple[PageTime, PageTime] | None:
    """Read `Apr 7, 13:00 - 22:00 UTC`, whose second time may have a day of its own; None where there are no two."""
    text = " ".join(text.split()).replace(" ,", ",")
    start = _STAMP.search(text)
    if start is None:
        return None
    first = page_time(start.group())
    rest = text[start.end() :]
    clock = _CLOCK_ONLY.search(rest)
    if first is None or clock is None:
        return None
    second = page_time(rest) or PageTime(first.day, clock["clock"], clock["zone"] or first.zone, first.year)
    zone = first.zone or second.zone
    return PageTime(first.day, first.clock, zone, first.year), PageTime(
        second.day, second.clock, second.zone or zone, second.year
    )


def settle_zones(newest: Iterable[tuple[PageTime, Iterable[datetime | None]]]) -> Mapping[str, tzinfo]:
    """Return the zones a page displays, by name, as its entries settle them.

    Takes of each entry the newest displayed time and the entry's own times in UTC. Where a displayed time and an own
    one are the same minute in some zone, that is the zone; the offset that most entries agree on counts, and none does
    where two are equally frequent.
    """
    votes: dict[str, Counter[timedelta]] = {}
    for shown, own_times in newest:
        ahead = next((found for own in own_times if own and (found := _ahead(shown, own)) is not None), None)
        if ahead is not None:
            votes.setdefault(shown.zone.upper(), Counter())[ahead] += 1
    settled: dict[str, tzinfo] = {}
    for name, counts in votes.items():
        (offset, most), *others = counts.most_common(2)
        if not others or others[0][1] < most:
            settled[name] = timezone(offset)
    return settled


def _ahead(shown: PageTime, own: datetime) -> timedelta | None:
    """Return how far a displayed time is ahead of UTC if it is the same minute as a moment; None if it is not."""
    for year in (own.year - 1, own.year, own.year + 1):
        local = shown.moment(year, UTC)
        if local is None:
            continue
        ahead = local.replace(second=0) - own.replace(second=0, microsecond=0)
        if BEHIND <= ahead <= AHEAD and not ahead % QUARTER:
            return ahead
    return None


def moment_near(shown: PageTime, near: datetime, rule: YearRule, zones: Mapping[str, tzinfo]) -> datetime | None:
    """Return the instant a displayed time means; None where its zone means several and the page settles none."""
    zone = None if shown.moment(near.year) or shown.moment(near.year - 1) else zones.get(shown.zone.upper())
    moments = [shown.moment(year, zone) for year in (near.year - 1, near.year, near.year + 1)]
    possible = sorted({moment for moment in moments if moment is not None})
    day = timedelta(days=1)
    if rule is YearRule.LAST_BEFORE:
        return max((moment for moment in possible if moment <= near + day), default=None)
    if rule is YearRule.FIRST_AFTER:
        return min((moment for moment in possible if moment >= near - day), default=None)
    return min(possible, key=lambda moment: abs(moment - near), default=None)
