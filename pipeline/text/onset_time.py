"""Since when it fails, as far as a report says: "for 20 minutes", "since 5:30 AM PT", "since this morning"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from msgspec import Struct

from pipeline.text.clock_times import clock_matches, clock_of, zone_of
from pipeline.text.cues import FAILURES, lexicon_features
from pipeline.text.lexicon import WordList, WordPattern, lexicon
from pipeline.text.normalize import normalize


class Began(Struct, frozen=True):
    """Since when somebody says it fails, and how far off that may be."""

    at: datetime
    within: timedelta


class _PartOfDay(NamedTuple):
    """The middle of a part of the writer's day, whose zone is rarely known, and how far off it may be, in hours."""

    middle: float
    within: float
    after_since: str  # the word list of what follows "since"
    whole: str  # the word list of words that hold their "since"; empty for none


AHEAD = timedelta(minutes=5)  # how far ahead of the post a time may lie, for clocks differ
CLOCK_WITHIN = timedelta(minutes=5)  # how exact a clock time with a zone is taken to be
ANY_ZONE = timedelta(hours=12)  # how far off a time of the writer's own clock may be
SHARE = 4  # "for two hours" is taken to be right within a quarter of it
SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_DAY = (
    _PartOfDay(7, 4, "this_morning", "since_this_morning"),
    _PartOfDay(12, 2, "noon", "since_noon"),
    _PartOfDay(15, 3, "this_afternoon", ""),
    _PartOfDay(-12, 12, "yesterday", "since_yesterday"),
    _PartOfDay(-2, 5, "last_night", "since_last_night"),
)
_SPACED = WordPattern("onset", r"\b(?:%(since)s) (?:%(about_clock)s)?$")
NEAR = 40  # characters before a clock time in which "since" is looked for
_FULL_HOUR = WordList("onset", "full_hour")
_UNITS = tuple(WordList("onset", unit) for unit in ("minute", "hour", "day"))
_CLAUSE = WordPattern("onset", r"(?<=[.!?\n,;])\s+|%(clause_words)s")


class _Durations(Struct, frozen=True):
    """Expressions for an amount of time, and what number words stand for."""

    numbers: Mapping[str, float]
    ago: re.Pattern[str]
    for_: re.Pattern[str]


@cache
def _durations() -> _Durations:
    lists = lexicon("onset")
    numbers = lists.numbers("numbers")
    count = "|".join(sorted((re.escape(name) for name in numbers), key=len, reverse=True))
    unit = "|".join(f"(?P<{name}>%({name})s)" for name in SECONDS)
    amount = (
        rf"(?:%(about)s)*(?<![a-z0-9.,])(?:\d{{1,3}} (?:to|or|-) )?(?P<n>\d{{1,3}}(?:[.,]\d)?|{count})"
        rf" ?\+?(?:{unit})(?![a-z])"
        r"(?: and a (?P<half>half)|,? ?(?:and )?(?P<more>\d{1,2}) ?(?:%(more_minutes)s)(?![a-z]))?"
    )
    return _Durations(
        numbers,
        lists.compile(rf"{amount}(?= (?:%(ago)s)\b|%(ago_marks)s)"),
        lists.compile(rf"(?:\b(?:%(for)s)\b ?|%(for_marks)s|[,:] ?|^){amount}(?! (?:%(no_duration)s))"),
    )


class _PartPattern(NamedTuple):
    """An expression for a part of the day, and the list without whose words it matches nothing."""

    words: WordList
    pattern: WordPattern
    part: _PartOfDay


def _parts_of_day() -> list[_PartPattern]:
    since = r"\b(?:%%(since)s) (?:%%(about_part)s)?(?:%%(%s)s)\b"
    spoken = [(part.after_since, since % part.after_since, part) for part in _DAY]
    spoken += [(part.whole, f"%({part.whole})s", part) for part in _DAY if part.whole]
    return [
        _PartPattern(WordList("onset", words), WordPattern("onset", template), part) for words, template, part in spoken
    ]


_PARTS_OF_DAY = _parts_of_day()


def since_when(text: str, posted: datetime) -> Began | None:
    """Return since when a text says that it fails, None when it does not say.

    `posted` is when it was written (aware UTC). Clauses that speak of a failure are asked first. A clock time without a
    zone, and a part of a day, are read on the writer's own clock, which may be anybody's: they come with hours to give
    or take.
    """
    normalized = normalize(text)
    clauses = [clause for clause in _CLAUSE.regex.split(normalized) if clause]
    for part in [*(c for c in clauses if not FAILURES.isdisjoint(lexicon_features(c))), normalized]:
        for at, within in _candidates(part.strip(), text, posted):
            if at <= posted + AHEAD:
                return Began(at, within)
    return None


def _candidates(normalized: str, original: str, posted: datetime) -> Iterator[tuple[datetime, timedelta]]:
    for match in clock_matches(normalized):
        clock = clock_of(match)
        if clock is None or not _SPACED.regex.search(normalized[max(0, match.start() - NEAR) : match.start()]):
            continue
        named, zone = zone_of(match, original)
        if named and zone is None:
            continue
        here = posted.astimezone(zone) if zone else posted
        yield _latest(here, clock.hour, clock.minute, posted), CLOCK_WITHIN if zone else ANY_ZONE
    for match in _FULL_HOUR.matches(normalized):
        number = int(next(group for group in match.groups() if group))
        if number < 24:
            yield _latest(posted, number, 0, posted), ANY_ZONE
    if any(unit.may_match(normalized) for unit in _UNITS):
        durations = _durations()
        for pattern in (durations.ago, durations.for_):
            for match in pattern.finditer(normalized):
                ago = _amount(match, durations.numbers)
                yield posted - ago, max(CLOCK_WITHIN, ago / SHARE)
    for words, spoken, part in _PARTS_OF_DAY:
        if words.may_match(normalized) and spoken.regex.search(normalized):
            midnight = posted.replace(hour=0, minute=0, second=0, microsecond=0)
            at = min(midnight + timedelta(hours=part.middle), posted)
            yield at, timedelta(hours=part.within) + (ANY_ZONE if part.middle >= 0 else timedelta())


def _latest(here: datetime, hour: int, minute: int, posted: datetime) -> datetime:
    """Return the last time that a clock which shows `here` showed an hour and a minute."""
    moment = here.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if moment > here + AHEAD:
        moment -= timedelta(days=1)
    return moment.astimezone(posted.tzinfo)


def _amount(match: re.Match[str], numbers: Mapping[str, float]) -> timedelta:
    seconds = next(seconds for unit, seconds in SECONDS.items() if match[unit])
    count = numbers.get(match["n"]) or float(match["n"].replace(",", "."))
    count += 0.5 if match["half"] else 0
    return timedelta(seconds=count * seconds, minutes=int(match["more"] or 0))
