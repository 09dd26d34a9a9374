"""Which days a news text names: yesterday, Monday, 2 March. To tell an article about today from one about another day."""

from __future__ import annotations

import re
from datetime import date, timedelta

from pipeline.text.normalize import normalize

_WEEKDAYS = (
    "monday montag lundi lunes",
    "tuesday dienstag mardi martes",
    "wednesday mittwoch mercredi miercoles miércoles",
    "thursday donnerstag jeudi jueves",
    "friday freitag vendredi viernes",
    "saturday samstag sonnabend samedi sabado sábado",
    "sunday sonntag dimanche domingo",
)
_MONTHS = (
    "january januar janvier enero",
    "february februar février febrero",
    "march märz mars marzo",
    "april avril abril",
    "may mai mayo",
    "june juni juin junio",
    "july juli juillet julio",
    "august août agosto",
    "september septembre septiembre",
    "october oktober octobre octubre",
    "november novembre noviembre",
    "december dezember décembre diciembre",
)
_NUMBER = {name: n for names in (_WEEKDAYS, _MONTHS) for n, row in enumerate(names) for name in row.split()}
_DAY = re.compile(
    rf"\b({'|'.join(name for row in _WEEKDAYS for name in row.split())})(?:s|abend|morgen|nachmittag|mittag)?\b"
)
_M = "|".join(name for row in _MONTHS for name in row.split())
_DATE = re.compile(
    rf"\b(?:(\d{{1,2}})(?:st|nd|rd|th|er|\.)? (?:de )?({_M})|({_M}) (\d{{1,2}})(?:st|nd|rd|th)?)\b(?:,? (?:de )?(\d{{4}}))?"
)
_YESTERDAY = re.compile(r"\b(?:yesterday|gestern|hier|ayer)\b")
_LONG_AGO = re.compile(
    r"\b(?:anniversary|(?:a|one|two|three) years? (?:ago|later|after|on)|last year|vor (?:einem|zwei) jahr\w*|il y a (?:un|deux) ans?|hace (?:un|dos) años?)\b"
)


def days_named(text: str, published: date) -> set[date]:
    """Return the days a text names, the latest that are not after its publication; a weekday of its own day is that day."""
    normalized = normalize(text)
    found = {published - timedelta(days=(published.weekday() - _NUMBER[m[1]]) % 7) for m in _DAY.finditer(normalized)}
    if _YESTERDAY.search(normalized):
        found.add(published - timedelta(days=1))
    for match in _DATE.finditer(normalized):
        number, month = int(match[1] or match[4]), _NUMBER[match[2] or match[3]] + 1
        year = int(match[5]) if match[5] else published.year
        try:
            day = date(year, month, number)
        except ValueError:
            continue
        found.add(
            day
            if match[5] or day <= published + timedelta(days=60)
            else day.replace(year=year - 1, day=min(number, 28))
        )
    return found


def looks_years_back(text: str) -> bool:
    """Return whether a text speaks of years ago: an anniversary is about no outage of these days."""
    return bool(_LONG_AGO.search(normalize(text)))
