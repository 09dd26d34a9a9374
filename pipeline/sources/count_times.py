"""The time of a row of counts: ISO, seconds of the epoch, a date with points, or a format that is given."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from pipeline.core.times import within_years
from pipeline.sources.parsing import plain

# with points between, no locale of Unicode CLDR writes the month first
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:,? +(\d{1,2}:\d{2}(?::\d{2})?))?")
_NUMERIC_DATE = re.compile(
    r"(?P<date>\d{1,2}(?P<sep>[/.-])\d{1,2}[/.-](?P<year>\d{2,4}))"
    r"(?P<clock>(?P<gap>,? +)\d{1,2}:\d\d(?P<second>:\d\d)?(?P<half> ?[APap][Mm])?)?"
)


class NeedsOptionError(ValueError):
    """A time that is read with an option of a command only."""


def read_start(text: str, time_format: str = "", time_zone: str = "") -> datetime:
    """Read ISO with its zone, seconds or milliseconds of the epoch, or what `time_format` says.

    Times without a zone are in `time_zone`. Raises ValueError on a time that is unreadable, reads two ways, has no
    zone, or lies before 2000 or after 2099.
    """
    # series share their stamps: each is read once
    return (_read_start if len(text) <= 40 else _read_start.__wrapped__)(text, time_format, time_zone)


@lru_cache(maxsize=1 << 16)
def _read_start(text: str, time_format: str, time_zone: str) -> datetime:
    if time_format:
        moment = datetime.strptime(text, time_format)  # noqa: DTZ007  the zone follows below
    elif match := re.fullmatch(r"([1-9][0-9]{9})([0-9]{3})?(\.[0-9]{1,9})?", text):
        moment = datetime.fromtimestamp(int(match[1]), tz=UTC)
    elif match := _DAY_FIRST.fullmatch(text):
        day, month, year, clock = match.groups()
        moment = datetime.fromisoformat(f"{year}-{month:0>2}-{day:0>2}T{clock or '00:00':0>5}")
    elif _NUMERIC_DATE.match(text):
        raise NeedsOptionError(_not_iso(text))
    else:
        moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        if not time_zone:
            raise NeedsOptionError(
                f"{plain(text, 40)!r} has no time zone; write it as 2026-03-02T11:37:00Z, or say --time-zone"
            )
        moment = moment.replace(tzinfo=ZoneInfo(time_zone))
        if moment.utcoffset() != moment.replace(fold=1).utcoffset():
            raise ValueError(f"{plain(text, 40)!r} comes twice or never in {time_zone}, where the clocks change")
    return within_years(moment, plain(text, 40))


@lru_cache(maxsize=1 << 12)
def _not_iso(text: str) -> str:
    """Return why a date of numbers is not read: as its order is not sure, or with the format that it must have."""
    match = _NUMERIC_DATE.fullmatch(text)
    if match is None:
        return f"{plain(text, 40)!r} is no time as 2026-03-02T11:37:00Z; --time-format says how it is written"
    sep, year = match["sep"], "%Y" if len(match["year"]) == 4 else "%y"
    orders = [("%m", "%d", year), ("%d", "%m", year), *([("%y", "%m", "%d")] if year == "%y" else [])]
    formats = [written for order in orders if _is_written(match["date"], written := sep.join(order))]
    if len(formats) > 1:
        return f"{plain(text, 40)!r} reads two ways; write it as 2026-03-02T11:37:00Z, or see --time-format"
    if not formats:
        return f"{plain(text, 40)!r} is no day of the calendar"
    clock = ""
    if match["clock"]:
        hours = "%I:%M" if match["half"] else "%H:%M"
        half = f"{match['half'][:-2]}%p" if match["half"] else ""
        clock = f"{match['gap']}{hours}{':%S' if match['second'] else ''}{half}"
    return f"a time that is not as 2026-03-02T11:37:00Z; --time-format '{formats[0]}{clock}' reads it"


def _is_written(date: str, time_format: str) -> bool:
    try:
        return bool(datetime.strptime(date, time_format))  # noqa: DTZ007  a date alone
    except ValueError:
        return False
