"""Times of day as people write them, turned into moments; zones by their abbreviations, as far as those mean one thing.

PT, ET, CT and MT follow the clocks of their place; PST and PDT are what they say, even in the wrong half of the year.
IST, CST, AST and BST mean several things and are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.text.lexicon import lexicon

UTC_NAMES = ("utc", "gmt")  # zones that an offset may follow: UTC+2
LONGEST_OFFSET = 14  # hours; no place is further from UTC


@dataclass(frozen=True, slots=True)
class _Zones:
    """Zones by lower-case name; None for names that mean several."""

    by_name: Mapping[str, tzinfo | None]
    clock: re.Pattern[str]


@cache
def _zones() -> _Zones:
    zone_lists = lexicon("clock")
    zones: dict[str, tzinfo | None] = {}
    for name, hours in zone_lists.numbers("fixed").items():
        if abs(hours) > LONGEST_OFFSET:
            raise zone_lists.error(f"fixed.{name}", f"no zone is {hours:g} hours from UTC")
        zones[name] = timezone(timedelta(hours=hours))
    for name, (place, *_) in zone_lists.by_language("places").items():
        try:
            zones[name] = ZoneInfo(place)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise zone_lists.error(f"places.{name}", f"no such time zone: {place}") from error
    zones |= dict.fromkeys(zone_lists.words("several"))
    names = "|".join(sorted(zones, key=len, reverse=True))
    return _Zones(
        zones,
        re.compile(
            r"(?<![\d:.,])(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d{2}))?(?: ?(?P<half>[ap]\.?m\b\.?))?"
            rf"(?:(?: (?P<zone>{names})\b(?P<offset>[+-]\d{{1,2}}(?::?\d{{2}})?)?)|(?P<zulu>z)\b)?(?! ?%)(?![:\d])"
        ),
    )


def clock_matches(normalized: str) -> Iterator[re.Match[str]]:
    """Yield what may be a time of day, with groups hour, minute, half (am, pm), zone, offset and zulu."""
    return _zones().clock.finditer(normalized)


class ClockTime(NamedTuple):
    """A time of day at [start, end) of a text, as a moment in UTC."""

    start: int
    end: int
    moment: datetime


def zone_of(match: re.Match[str], original: str) -> tuple[bool, tzinfo | None]:
    """Return whether a match of `clock_matches` names a zone, and the zone; None where its name means several.

    Short names are words too ("et" is French, "est" as well): they are zones in capitals or beside am and pm.
    """
    if match["zulu"]:
        return True, UTC
    name = match["zone"]
    if not name or not (match["half"] or len(name) > 3 or re.search(rf"\b{re.escape(name.upper())}\b", original)):
        return False, None
    if match["offset"]:
        sign = -1 if match["offset"][0] == "-" else 1
        hours, minutes = re.fullmatch(r"[+-](\d{1,2}?):?(\d{2})?", match["offset"]).groups()  # type: ignore[union-attr]
        if name not in UTC_NAMES or int(hours) > LONGEST_OFFSET:
            return True, None
        return True, timezone(sign * timedelta(hours=int(hours), minutes=int(minutes or 0)))
    return True, _zones().by_name[name]


def times_of_day(normalized: str, original: str, day: date) -> Iterator[ClockTime]:
    """Yield each time of day that carries a zone which means one thing.

    `original` is the text before it was normalized, for its capitals; `day` is the day at the place named. Hours of
    one or two digits without minutes need am or pm.
    """
    for match in clock_matches(normalized):
        clock, (_, zone) = clock_of(match), zone_of(match, original)
        if clock is not None and zone is not None:
            yield ClockTime(match.start(), match.end(), datetime.combine(day, clock, zone).astimezone(UTC))


def clock_of(match: re.Match[str]) -> time | None:
    """Return the time of day a match of `clock_matches` speaks of, None where it is none (25:10, a bare number)."""
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"][0] == "p" else 0)
    elif match["minute"] is None:
        return None
    return time(hour, minute) if hour < 24 and minute < 60 else None
