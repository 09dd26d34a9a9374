"""Times of day as people write them, turned into moments; zones by their abbreviations, as far as those mean one thing.

PT, ET, CT and MT follow the clocks of their place; PST and PDT are what they say, even in the wrong half of the year.
IST, CST, AST and BST mean several things: they are read only where the country of the text is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_FIXED = {"utc": 0.0, "gmt": 0.0, "z": 0.0, "pst": -8.0, "pdt": -7.0, "mst": -7.0, "mdt": -6.0, "cdt": -5.0,
          "est": -5.0, "edt": -4.0, "cet": 1.0, "cest": 2.0, "wet": 0.0, "eet": 2.0, "jst": 9.0, "kst": 9.0,
          "wib": 7.0, "aest": 10.0, "aedt": 11.0, "brt": -3.0, "msk": 3.0, "sgt": 8.0}  # fmt: skip
_PLACES = {"pt": "America/Los_Angeles", "pacific": "America/Los_Angeles", "mt": "America/Denver", "ct": "America/Chicago",
           "central": "America/Chicago", "et": "America/New_York", "eastern": "America/New_York",
           "uk time": "Europe/London"}  # fmt: skip
_AMBIGUOUS = {("ist", "IN"): 5.5, ("ist", "IE"): 1.0, ("ist", "IL"): 2.0, ("cst", "US"): -6.0, ("cst", "CN"): 8.0,
              ("ast", "CA"): -4.0, ("ast", "SA"): 3.0, ("bst", "GB"): 1.0, ("bst", "BD"): 6.0}  # fmt: skip
_ZONE = "|".join(sorted([*_FIXED, *_PLACES, *{name for name, _ in _AMBIGUOUS}], key=len, reverse=True))
CLOCK = re.compile(
    rf"(?<![\d:.,])(?P<hour>\d{{1,2}})(?:[:.h](?P<minute>\d{{2}}))?(?: ?(?P<half>[ap]\.?m\b\.?))?(?: (?P<zone>{_ZONE})\b|(?P<zulu>z)\b)?(?! ?%)(?![:\d])"
)


def zone_of(name: str, country: str = "") -> tzinfo | None:
    """Return the zone of an abbreviation in lower case, None where it means several and the country does not say."""
    if name in _FIXED:
        return timezone(timedelta(hours=_FIXED[name]))
    if name in _PLACES:
        return ZoneInfo(_PLACES[name])
    hours = _AMBIGUOUS.get((name, country))
    return None if hours is None else timezone(timedelta(hours=hours))


def times_of_day(folded: str, day: date, country: str = "") -> Iterator[tuple[int, int, datetime]]:
    """Yield (start, end, moment in UTC) of each time of day that carries a zone which means one thing.

    `day` is the day at the place named; hours of one or two digits without minutes need am or pm.
    """
    for match in CLOCK.finditer(folded):
        name = match["zone"] or match["zulu"]
        clock = clock_of(match)
        zone = zone_of(name, country) if name else None
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
