"""Which days a news text names: yesterday, Monday, 2 March. An article about another day is not about today."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache, lru_cache

from msgspec import Struct

from pipeline.text.lexicon import WordPattern, lexicon
from pipeline.text.normalize import normalize

RECENT = timedelta(days=60)  # a date without a year that lies further ahead was last year's
_YESTERDAY = WordPattern("calendar", r"\b(?:%(yesterday)s)\b")
_LONG_AGO = WordPattern("calendar", r"\b(?:%(long_ago)s)\b")


class _Calendar(Struct, frozen=True):
    """Weekdays from 0 for Monday and months from 1 for January by their names, and how they stand in texts."""

    weekdays: Mapping[str, int]
    months: Mapping[str, int]
    weekday: re.Pattern[str]
    date: re.Pattern[str]


@cache
def _calendar() -> _Calendar:
    calendar = lexicon("calendar")
    weekdays = {name: number for number, names in enumerate(calendar.rows("weekdays", 7)) for name in names}
    months = {name: number for number, names in enumerate(calendar.rows("months", 12), 1) for name in names}
    month = "|".join(months)
    return _Calendar(
        weekdays,
        months,
        calendar.compile(rf"\b({'|'.join(weekdays)})(?:%(weekday_endings)s)?\b"),
        calendar.compile(
            rf"\b(?:(\d{{1,2}})(?:st|nd|rd|th|er|\.)? (?:de )?({month})|({month}) (\d{{1,2}})(?:st|nd|rd|th)?)\b"
            r"(?:,? (?:de )?(\d{4}))?"
        ),
    )


@lru_cache(maxsize=2_000)  # while an incident lasts, every pass reads the news of the last days again
def days_named(text: str, published: date) -> frozenset[date]:
    """Return the days a text names.

    A weekday is the latest up to the day of publication. A date without a year is of the year of publication, or of
    the year before when it would lie more than `RECENT` ahead. Dates that do not exist are left out.
    """
    normalized, calendar = normalize(text), _calendar()
    days = {
        published - timedelta(days=(published.weekday() - calendar.weekdays[match[1]]) % 7)
        for match in calendar.weekday.finditer(normalized)
    }
    if _YESTERDAY.regex.search(normalized):
        days.add(published - timedelta(days=1))
    for match in calendar.date.finditer(normalized):
        number, month = int(match[1] or match[4]), calendar.months[match[2] or match[3]]
        try:
            day = date(int(match[5] or published.year), month, number)
            if not match[5] and day > published + RECENT:
                day = date(published.year - 1, month, number)
        except ValueError:  # there is no such day in that year
            continue
        days.add(day)
    return frozenset(days)


def looks_years_back(text: str) -> bool:
    """Return whether a text speaks of years ago: an anniversary is about no outage of these days."""
    return bool(_LONG_AGO.regex.search(normalize(text)))
