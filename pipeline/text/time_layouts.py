"""How stamps are laid out: dates in numbers and with the names of many languages, the time of day, the zone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from msgspec import Struct

from pipeline.text.lexicon import Lexicon, lexicon
from pipeline.text.time_zones import zone_names

REGION = r"[a-z]+(?:/[a-z_]+){1,2}"  # europe/paris
_LIKE = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "−": "-", "‐": "-", "‑": "-", "–": "-"})
_DATE_IN_CHARACTERS = re.compile(r"([0-9]{4}) ?[年년] ?([0-9]{1,2}) ?[月월] ?([0-9]{1,2}) ?[日일]")
_CLOCK_IN_CHARACTERS = re.compile(r"([0-9]{1,2}) ?[時时시] ?(?:([0-9]{1,2}) ?[分분] ?(?:([0-9]{1,2}) ?[秒초])?)?")


class TimeLayout(Struct, frozen=True):
    """How a stamp may be laid out; `in_mails`: as RFC 5322 does, which gives a meaning to some zones."""

    pattern: re.Pattern[str]
    in_mails: bool = False


class TimeGrammar(Struct, frozen=True):
    """Months from 1 for January and weekdays from 0 for Monday by their names, and the layouts, the commonest first.

    A weekday's name may stand for several days in several languages.
    """

    months: Mapping[str, int]
    weekdays: Mapping[str, frozenset[int]]
    after_noon: frozenset[str]
    layouts: tuple[TimeLayout, ...]


def fold(text: str) -> str:
    """Return a stamp in one spelling: lower case, without accents, blanks single, dates in characters in numbers."""
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_LIKE))
    joined = unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c)))
    joined = _DATE_IN_CHARACTERS.sub(lambda m: f"{m[1]}-{m[2]}-{m[3]} ", joined)
    joined = _CLOCK_IN_CHARACTERS.sub(
        lambda m: f"{m[1]}:{(m[2] or '0').zfill(2)}{':' + m[3].zfill(2) if m[3] else ''} ", joined
    )
    return " ".join(joined.split())


@cache
def time_grammar() -> TimeGrammar:
    """Return the grammar of data/lexicon/time_texts.toml; raises ConfigError where a name means two months."""
    lists = lexicon("time_texts")
    months: dict[str, int] = {}
    for number, names in enumerate(lists.rows("months", 12), 1):
        for name in map(fold, names):
            if months.setdefault(name, number) != number:
                raise lists.error("months", f"{name!r} means two months")
    weekdays: dict[str, frozenset[int]] = {}
    for number, names in enumerate(lists.rows("weekdays", 7)):
        for name in map(fold, names):
            weekdays[name] = weekdays.get(name, frozenset()) | {number}
    after_noon = frozenset(map(fold, lists.words("after_noon")))
    return TimeGrammar(months, weekdays, after_noon, tuple(_layouts(lists, months, weekdays)))


def _layouts(lists: Lexicon, months: Mapping[str, int], weekdays: Mapping[str, frozenset[int]]) -> Iterator[TimeLayout]:
    """Yield the layouts: each kind of date with the time of day after, within and before it."""
    ordinals, ofs, year_marks, ats, oclocks = (
        _any_of(lists.words(name)) for name in ("ordinal", "of", "year_mark", "at", "oclock")
    )
    month = rf"(?P<month>{_any_of(months)})\.?"
    weekday = rf"(?:(?P<weekday>{_any_of(weekdays)})(?:\.?,? ?|\. ?,? ?))?"
    day = r"(?P<day>[0-9]{1,2})"
    ordinal = rf"(?:{ordinals}|\.)?"
    of = rf"(?: ?[-/]| (?:{ofs})(?= ))? ?"
    mark = rf"(?: ?(?:{year_marks}))?"
    half = _any_of([*lists.words("before_noon"), *lists.words("after_noon")])
    time = (
        rf"(?:(?P<half_before>{half}) ?)?(?P<hour>[0-9]{{1,2}})"
        r"(?:[:.h](?P<minute>[0-9]{2})(?:[:.](?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?)?"
        rf"(?: ?(?P<half>{half}))?(?: ?(?:{oclocks}))?"
    )
    zone = (
        rf"(?: ?(?P<zone>z|{_any_of(zone_names().anywhere)}|{REGION}))?"
        r"(?: ?(?P<offset>[+-][0-9]{1,2}(?::?[0-9]{2})?)(?: (?P<alias>[a-z]{1,5}|[+-][0-9]{2,4}))?)?"
    )
    at = rf"(?:(?:{ats}) ?)?"
    between = rf"(?:,? ?{at}|,? - {at}| ?t ?|: ?|; ?)"
    after = rf"(?: ?,? ?(?P<weekday_after>{_any_of(weekdays)}))?"
    named = rf"{weekday}{day}{ordinal}{of}{month}{of},? ?(?P<year>[0-9]{{4}}){mark}{after}"
    in_numbers = rf"(?P<number>[0-9]{{1,2}})(?P=mark){day}"
    either_order = r"(?P<first>[0-9]{1,2})(?P<mark>[-/.])(?P<second_number>[0-9]{1,2})(?P=mark)"
    dates = (
        rf"(?P<year>[0-9]{{4}})(?P<mark>[-/.]){in_numbers}",
        rf"{weekday}{month} ?{day}{ordinal},? ?(?P<year>[0-9]{{4}})",
        rf"{weekday}(?P<year>[0-9]{{4}})(?P<mark>[-/.]){in_numbers}{after}",
        rf"{weekday}{either_order}(?P<year>[0-9]{{4}}){mark}{after}",
        rf"(?P<year>[0-9]{{4}})[- /.]{month}[- /.]{day}",
        rf"(?P<year>[0-9]{{4}})(?P<number>[0-9]{{2}}){day}(?=[ t])",
        rf"{weekday}{day}{ordinal}{of}{month}{of}(?P<year>[0-9]{{2}})",
    )
    yield TimeLayout(re.compile(f"{named}{between}{time}{zone}"), in_mails=True)
    for one in dates:
        # a year of two digits, as RFC 5322 has it from old mails, is one of its dates
        yield TimeLayout(re.compile(f"{one}{between}{time}{zone}"), in_mails=one is dates[-1])
    yield TimeLayout(re.compile(rf"{weekday}{month} {day} {time}{zone} (?P<year>[0-9]{{4}})"))
    yield TimeLayout(re.compile(rf"{weekday}{month} {day} {time} (?P<year>[0-9]{{4}}){zone}"))
    for one in (named, *dates[:-1]):
        yield TimeLayout(re.compile(f"{time}{zone},? ?(?:- ?)?{at}{one}"))
    yield TimeLayout(
        re.compile(
            rf"(?P<year>[0-9]{{4}})(?P<number>[0-9]{{2}})(?P<day>[0-9]{{2}})[t ]?(?P<hour>[0-9]{{2}})"
            rf"(?P<minute>[0-9]{{2}})(?:(?P<second>[0-9]{{2}})(?:[.,](?P<fraction>[0-9]{{1,9}}))?)?{zone}"
        )
    )


def _any_of(names: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, map(fold, names)), key=len, reverse=True))
