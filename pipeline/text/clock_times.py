"""Times of day as people write them, turned into moments; a zone counts where its name means one thing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, tzinfo
from functools import cache
from typing import NamedTuple

from pipeline.text.time_zones import UTC_NAMES, zone_names, zone_of_offset

LONGEST_WORD_TOO = 3  # names of so many letters are words as well


@cache
def _clock() -> re.Pattern[str]:
    names = "|".join(sorted(zone_names().anywhere, key=len, reverse=True))
    return re.compile(
        r"(?<![\d:.,])(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d{2}))?(?: ?(?P<half>[ap]\.?m\b\.?))?"
        rf"(?:(?: (?P<zone>{names})\b(?P<offset>[+-]\d{{1,2}}(?::?\d{{2}})?)?)|(?P<zulu>z)\b)?(?! ?%)(?![:\d])"
    )


def clock_matches(normalized: str) -> Iterator[re.Match[str]]:
    """Yield what may be a time of day, with groups hour, minute, half (am, pm), zone, offset and zulu."""
    return _clock().finditer(normalized)


class ClockTime(NamedTuple):
    """A time of day at [start, end) of a text, as a moment in UTC."""

    start: int
    end: int
    moment: datetime


def zone_of(match: re.Match[str], original: str) -> tuple[bool, tzinfo | None]:
    """Return whether a match of `clock_matches` names a zone, and the zone; None where its name means several.

    Short names are words too ("et" is French, "est" as well): they are zones in capitals or next to am and pm.
    """
    if match["zulu"]:
        return True, UTC
    name, zones = match["zone"], zone_names()
    if not name:
        return False, None
    long = len(name) > LONGEST_WORD_TOO and name not in zones.words_too
    if not (match["half"] or long or re.search(rf"\b{re.escape(name.upper())}\b", original)):
        return False, None
    if match["offset"]:
        return True, zone_of_offset(match["offset"]) if name in UTC_NAMES else None
    return True, zones.anywhere[name]


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
    """Return the time of day of a match of `clock_matches`, None where it is none (25:10, a bare number)."""
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"][0] == "p" else 0)
    elif match["minute"] is None:
        return None
    return time(hour, minute) if hour < 24 and minute < 60 else None
