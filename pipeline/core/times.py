"""Moments: aware UTC datetimes in Python, fixed-width text in SQLite and in JSON, so that text order is time order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

STORED = 20  # characters of a moment as text
FIRST, END = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)  # what is stored lies in [FIRST, END)
_TWO = tuple(f"{n:02}" for n in range(60))


def iso(moment: datetime) -> str:
    """Return a UTC moment as fixed-width text, fractions of a second dropped."""
    m = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    # a fifth of the time of isoformat, which asks the zone for its distance; every row has two or three of them
    return f"{m.year:04}-{_TWO[m.month]}-{_TWO[m.day]}T{_TWO[m.hour]}:{_TWO[m.minute]}:{_TWO[m.second]}Z"


def utc(text: str) -> datetime:
    """Parse an ISO 8601 stamp that carries a zone; raises ValueError on a naive or unreadable one."""
    return _stored(text) if len(text) == STORED else _parsed(text)


def _parsed(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a time; write it as 2026-03-02T11:37:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write it as 2026-03-02T11:37:00Z")
    return within_years(moment, text)


_stored = lru_cache(1 << 15)(_parsed)  # rows are read again and again, and have their bins' times in common


def within_years(moment: datetime, text: str) -> datetime:
    """Return an aware moment in UTC; raises ValueError, with how it was written, where it is before 2000 or after 2099.

    The one bound of every time that is stored.
    """
    if not FIRST <= moment < END:
        raise ValueError(f"{text!r} is not a time between {FIRST.year} and {END.year}")
    return moment.astimezone(UTC)


def utc_or_none(text: str | None) -> datetime | None:
    """Parse a stored stamp, keeping None."""
    return utc(text) if text else None


def remembered(text: str | None) -> datetime | None:
    """Parse a stamp of a source's memory; None where there is none, or what is there is no stamp."""
    try:
        return utc(text) if text else None
    except ValueError:
        return None


def iso_or_none(moment: datetime | None) -> str | None:
    """Return a moment as stored text, keeping None."""
    return iso(moment) if moment else None


def floor_to(moment: datetime, seconds: int) -> datetime:
    """Return the start of the bin of `seconds` that holds `moment`, bins counted from 00:00 UTC of the epoch."""
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, tz=UTC)


def clock_and_day(moment: datetime) -> str:
    """Return `11:37 UTC on 2 March`, without the year."""
    return f"{moment.astimezone(UTC):%H:%M UTC on %-d %B}"


def minutes_between(earlier: datetime, later: datetime) -> float:
    """Return the minutes from one moment to another, negative when the second is earlier."""
    return (later - earlier) / timedelta(minutes=1)


class Span(NamedTuple):
    """A span of time, from `since` until `until`."""

    since: datetime
    until: datetime
