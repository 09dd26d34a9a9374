"""Times of day as people write them, turned into moments; zones by their abbreviations, as far as those mean one thing.

PT, ET, CT and MT follow the clocks of their place; PST and PDT are what they say, even in the wrong half of the year.
IST, CST, AST and BST mean several things and are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_FIXED = {
    "utc": 0.0,
    "gmt": 0.0,
    "pst": -8.0,
    "pdt": -7.0,
    "mst": -7.0,
    "mdt": -6.0,
    "cdt": -5.0,
    "est": -5.0,
    "edt": -4.0,
    "cet": 1.0,
    "cest": 2.0,
    "mez": 1.0,
    "mesz": 2.0,
    "wet": 0.0,
    "eet": 2.0,
    "jst": 9.0,
    "kst": 9.0,
    "wib": 7.0,
    "aest": 10.0,
    "aedt": 11.0,
    "brt": -3.0,
    "msk": 3.0,
    "sgt": 8.0,
}
_PLACES = {
    "pt": "America/Los_Angeles",
    "pacific": "America/Los_Angeles",
    "mt": "America/Denver",
    "ct": "America/Chicago",
    "central": "America/Chicago",
    "et": "America/New_York",
    "eastern": "America/New_York",
    "uk time": "Europe/London",
}
_SEVERAL = ("ist", "cst", "ast", "bst")
_ZONE = "|".join(sorted([*_FIXED, *_PLACES, *_SEVERAL], key=len, reverse=True))
CLOCK = re.compile(
    rf"(?<![\d:.,])(?P<hour>\d{{1,2}})(?:[:.h](?P<minute>\d{{2}}))?(?: ?(?P<half>[ap]\.?m\b\.?))?(?:(?: (?P<zone>{_ZONE})\b(?P<offset>[+-]\d{{1,2}}(?::?\d{{2}})?)?)|(?P<zulu>z)\b)?(?! ?%)(?![:\d])"
)


def zone_of(match: re.Match[str], original: str) -> tuple[bool, tzinfo | None]:
    """Return whether a match of CLOCK names a zone, and the zone; None where its name means several.

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
        if name not in ("utc", "gmt") or int(hours) > 14:
            return True, None
        return True, timezone(sign * timedelta(hours=int(hours), minutes=int(minutes or 0)))
    if name in _FIXED:
        return True, timezone(timedelta(hours=_FIXED[name]))
    return True, ZoneInfo(_PLACES[name]) if name in _PLACES else None


def times_of_day(normalized: str, original: str, day: date) -> Iterator[tuple[int, int, datetime]]:
    """Yield (start, end, moment in UTC) of each time of day that carries a zone which means one thing.

    `original` is the text before folding, for its capitals; `day` is the day at the place named. Hours of one or two
    digits without minutes need am or pm.
    """
    for match in CLOCK.finditer(normalized):
        clock, (_, zone) = clock_of(match), zone_of(match, original)
        if clock is not None and zone is not None:
            yield match.start(), match.end(), datetime.combine(day, clock, zone).astimezone(UTC)


def clock_of(match: re.Match[str]) -> time | None:
    """Return the time of day a match of CLOCK speaks of, None where it is none (25:10, a bare number)."""
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"][0] == "p" else 0)
    elif match["minute"] is None:
        return None
    return time(hour, minute) if hour < 24 and minute < 60 else None
