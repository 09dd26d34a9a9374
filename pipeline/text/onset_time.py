"""Since when it fails, as far as a report says: "for 20 minutes", "since 5:30 AM PT", "since this morning"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.text.clock_times import CLOCK, clock_of, zone_of
from pipeline.text.cues import lexicon_features
from pipeline.text.normalize import normalize


@dataclass(frozen=True)
class Began:
    """Since when somebody says it fails, and how far off that may be."""

    at: datetime
    within: timedelta


_NUMBERS = {
    "half an": 0.5,
    "a couple of": 2,
    "couple of": 2,
    "a few": 3,
    "an": 1,
    "a": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "media": 0.5,
    "meia": 0.5,
    "mezz'": 0.5,
    "una": 1,
    "un": 1,
    "uma": 1,
    "um": 1,
    "une": 1,
    "un'": 1,
    "einer": 1,
    "ner": 1,
    "een": 1,
    "satu": 1,
    "dos": 2,
    "duas": 2,
    "deux": 2,
    "zwei": 2,
    "due": 2,
    "twee": 2,
    "dua": 2,
    "tres": 3,
    "três": 3,
    "trois": 3,
    "drei": 3,
    "tre": 3,
    "drie": 3,
}
_UNITS = {
    60: r"m|min(?:ute|uto|uut|uten|uti|utes|utos|uta|uty|uts)?s?|minuten|menit|dk|dakika\w*|分",
    3600: r"h|hrs?|hours?|horas?|heures?|stunden?|std|or[ae]|uur|uren|godzin\w*|saat\w*|jam(?= (?:lalu|yang|terakhir|ini)|$)|時間",
    86400: r"days?|d[ií]as?|dias?|jours?|tage?n?|giorn[io]|dagen?|dni|gün\w*|hari|日",
}
_UNIT = "|".join(f"(?P<u{seconds}>{words})" for seconds, words in _UNITS.items())
_COUNT = "|".join(sorted((re.escape(n) for n in _NUMBERS), key=len, reverse=True))
_ABOUT = r"(?:about |around |like |over |almost |nearly |roughly |maybe |at least |unos |casi |cerca de |quase |environ |etwa |fast |circa |quasi |ongeveer |al |sekitar |ca\.? |more than |the last |the past |the |last |past |good )*"
_AMOUNT = (
    rf"{_ABOUT}(?<![a-z0-9.,])(?:\d{{1,3}} (?:to|or|-) )?(?P<n>\d{{1,3}}(?:[.,]\d)?|{_COUNT}) ?\+?(?:{_UNIT})(?![a-z])"
    r"(?: and a (?P<half>half)|,? ?(?:and )?(?P<more>\d{1,2}) ?(?:m|mins?|minutes?|minuten|minutos)(?![a-z]))?"
)
_FOR = re.compile(
    rf"(?:\b(?:for|since|over|hace|desde hace|llevo|llevamos|lleva|van|ya|há|ha|faz|tem|depuis|seit|vor|da|sinds|al|od|sejak|udah|sudah|dari|the last|the past|been)\b ?|もう|[,:] ?|^){_AMOUNT}"
    r"(?! (?:before|after|trial|later|old|until))"
)
_AGO = re.compile(
    rf"{_AMOUNT}(?= (?:ago|back|now|atrás|geleden|fa|temu|önce|lalu|dir|already|and counting|straight|in a row)\b|前|以上|から)"
)
_SINCE = r"(?:since|from|starting|desde|depuis|seit|da|dalle|sinds|vanaf|od|sejak|dari|ab|às|alle|à partir de|started (?:at|around|about)|began (?:at|around)|as of|around|at about|beginning)"
_PARTS = {  # of the day: (middle, give or take), in hours of the writer's day, whose zone is rarely known
    r"this morning|esta mañana|esta manhã|hoje cedo|ce matin|stamattina|heute (?:früh|morgen|vormittag)|vanmorgen|vanochtend|dziś rano|rana|bu sabah|pagi|breakfast": (
        7,
        4,
    ),
    r"noon|lunch(?:time)?|midday|mediod[ií]a|la comida|almoço|midi|mittag|pranzo|de lunch|siang": (12, 2),
    r"this afternoon|esta tarde|à tarde|cet après-midi|(?:heute )?nachmittag|vanmiddag|sore": (15, 3),
    r"yesterday|ayer|ontem|hier|gestern|ieri|gisteren|wczoraj|kemarin": (-12, 12),
    r"last night|anoche|ontem à noite|hier soir|gestern abend|ieri sera|gisteravond|semal[ae]m": (-2, 5),
}
_WHOLE = {  # words that hold their "since"
    r"今朝から|朝から|sabahtan|tadi pagi|bu sabahtan": (7, 4),
    r"昼から|öğle(?:den|n)": (12, 2),
    r"昨日から|dünden": (-12, 12),
    r"昨夜から": (-2, 5),
}
_PART = [
    *(
        (re.compile(rf"\b{_SINCE} (?:about |around |the |la |el |o |l')?(?:{words})\b"), spot)
        for words, spot in _PARTS.items()
    ),
    *((re.compile(words), spot) for words, spot in _WHOLE.items()),
]
_SPACED = re.compile(
    rf"\b{_SINCE} (?:about |around |circa |gegen |etwa |vers |ca\.? |kwart over |las |les |le |as |~)?$"
)
_FULL_HOUR = re.compile(
    r"\b(?:seit|ab) (?P<a>\d{1,2}) uhr\b|\bdesde (?:las|as|às) (?P<b>\d{1,2})h?\b(?!:)|\bdepuis (?P<c>[6-9]|1\d|2[0-3]) ?h(?:eures)?\b(?!\d)|(?P<d>\d{1,2})時(?:頃)?から"
)
_CLAUSE = re.compile(r"(?<=[.!?\n,;])\s+|\band\b(?! (?:a half|\d))|\b(?:but|und|aber|y|pero|et|mais|e|mas|ma)\b")
_FAILS = {f"cue_{name}" for name in ("down", "outage", "cannot", "broken", "errorcode", "spin", "kicked")}


def since_when(text: str, posted: datetime) -> Began | None:
    """Return since when a text says that it fails, None when it does not say.

    `posted` is when it was written (aware UTC). Clauses that speak of a failure are asked first. A clock time without a
    zone, and a part of a day, are read on the writer's own clock, which may be anybody's: they come with hours to give
    or take.
    """
    normalized = normalize(text)
    clauses = [clause for clause in _CLAUSE.split(normalized) if clause]
    for part in [*(c for c in clauses if not _FAILS.isdisjoint(lexicon_features(c))), normalized]:
        for at, within in _candidates(part.strip(), text, posted):
            if at <= posted + timedelta(minutes=5):
                return Began(at, within)
    return None


def _candidates(normalized: str, original: str, posted: datetime) -> Iterator[tuple[datetime, timedelta]]:
    for match in CLOCK.finditer(normalized):
        clock = clock_of(match)
        if clock is None or not _SPACED.search(normalized[max(0, match.start() - 40) : match.start()]):
            continue
        named, zone = zone_of(match, original)
        if named and zone is None:
            continue
        here = posted.astimezone(zone) if zone else posted
        yield _latest(here, clock.hour, clock.minute, posted), timedelta(minutes=5) if zone else timedelta(hours=12)
    for hour in _FULL_HOUR.finditer(normalized):
        number = int(next(group for group in hour.groups() if group))
        if number < 24:
            yield _latest(posted, number, 0, posted), timedelta(hours=12)
    for pattern in (_AGO, _FOR):
        for match_ in pattern.finditer(normalized):
            ago = _amount(match_)
            yield posted - ago, max(timedelta(minutes=5), ago / 4)
    for part, (middle, give) in _PART:
        if part.search(normalized):
            midnight = posted.replace(hour=0, minute=0, second=0, microsecond=0)
            at = min(midnight + timedelta(hours=middle), posted)
            yield at, timedelta(hours=give + (12 if middle >= 0 else 0))


def _latest(here: datetime, hour: int, minute: int, posted: datetime) -> datetime:
    """Return the last time that a clock which shows `here` showed an hour and a minute."""
    moment = here.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if moment > here + timedelta(minutes=5):
        moment -= timedelta(days=1)
    return moment.astimezone(posted.tzinfo)


def _amount(match: re.Match[str]) -> timedelta:
    unit = next(seconds for seconds in _UNITS if match[f"u{seconds}"])
    count = _NUMBERS.get(match["n"]) or float(match["n"].replace(",", "."))
    count += 0.5 if match["half"] else 0
    return timedelta(seconds=count * unit, minutes=int(match["more"] or 0))
