"""The one table of time zones: which of their names mean one thing, and what.

PT, ET, CT and MT follow the clocks of their place, and so does MSK; PST and PDT are what they say, even in the wrong
half of the year. IST, BST, AST and others mean several things and are no zone; CST is one only in dates of RFC 5322.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from pipeline.text.lexicon import Lexicon, lexicon

UTC_NAMES = ("utc", "gmt", "ut")  # zones that an offset may follow: UTC+2
LONGEST_OFFSET = 14  # hours; no place is further from UTC
_OFFSET = re.compile(r"([+-])([0-9]{1,2}?):?([0-9]{2})?")


class ZoneNames(Struct, frozen=True):
    """Zones by lower-case name.

    `anywhere` has every name, None for those that mean several; `in_mails` what RFC 5322 makes of some of these;
    `words_too` are names that are words as well.
    """

    anywhere: Mapping[str, tzinfo | None]
    in_mails: Mapping[str, tzinfo]
    words_too: frozenset[str]


@cache
def zone_names() -> ZoneNames:
    """Return the table of data/lexicon/clock.toml; raises ConfigError where it names what is no zone."""
    lists = lexicon("clock")
    zones: dict[str, tzinfo | None] = {**_fixed(lists, "fixed")}
    for name, (place, *_) in lists.by_language("places").items():
        try:
            zones[name] = ZoneInfo(place)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise lists.error(f"places.{name}", f"no such time zone: {place}") from error
    zones |= dict.fromkeys(lists.words("several"))
    return ZoneNames(zones, _fixed(lists, "rfc5322"), frozenset(lists.words("words_too")))


def _fixed(lists: Lexicon, table: str) -> dict[str, tzinfo]:
    zones: dict[str, tzinfo] = {}
    for name, hours in lists.numbers(table).items():
        if abs(hours) > LONGEST_OFFSET:
            raise lists.error(f"{table}.{name}", f"no zone is {hours:g} hours from UTC")
        zones[name] = timezone(timedelta(hours=hours))
    return zones


def zone_of_offset(text: str) -> tzinfo | None:
    """Read `+2`, `+02`, `+0200` or `+02:00` as a zone; None where it is none, or further from UTC than any place."""
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    hours, minutes = int(match[2]), int(match[3] or 0)
    if hours > LONGEST_OFFSET or minutes > 59:
        return None
    return timezone((-1 if match[1] == "-" else 1) * timedelta(hours=hours, minutes=minutes))
