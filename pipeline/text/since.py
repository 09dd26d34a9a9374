"""Since when it fails, as far as a report says: "for 20 minutes", "since 5:30 AM PT", "since this morning"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.text.clock import CLOCK, clock_of, zone_of
from pipeline.text.normal import fold


@dataclass(frozen=True)
class Began:
    """Since when somebody says it fails, and how far off that may be."""

    at: datetime
    within: timedelta


_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "ten": 10, "half an": 0.5, "una": 1, "un": 1, "dos": 2,
            "uma": 1, "um": 1, "duas": 2, "une": 1, "deux": 2, "einer": 1, "zwei": 2, "drei": 3, "un'": 1, "due": 2, "een": 1, "twee": 2,
            "sejam": 1, "ett": 1, "tres": 3, "três": 3, "trois": 3, "tre": 3, "drie": 3, "couple of": 2, "a couple of": 2,
            "media": 0.5, "meia": 0.5, "mezz'": 0.5, "nem": 1, "ner": 1, "satu": 1, "dua": 2}  # fmt: skip
_UNITS = {
    60: r"min(?:ute|uto|uut|uten|uti|utes|utos|uta|uty|uts)?s?|minuten|menit|dk|dakika\w*|分",
    3600: r"h|hrs?|hours?|horas?|heures?|stunden?|std|or[ae]|uur|uren|godzin\w*|saat\w*|jam|時間",
    86400: r"days?|d[ií]as?|dias?|jours?|tage?n?|giorn[io]|dagen?|dni|gün\w*|hari|日",
}
_UNIT = "|".join(f"(?P<u{seconds}>{words})" for seconds, words in _UNITS.items())
_COUNT = "|".join(sorted((re.escape(n) for n in _NUMBERS), key=len, reverse=True))
_AMOUNT = rf"(?:about |around |like |over |almost |nearly |roughly |maybe |at least |unos |casi |cerca de |quase |environ |etwa |fast |circa |quasi |ongeveer |al |sekitar |więcej niż |ca\.? |more than |the last |the past |the |last |past |good )*(?P<n>\d{{1,3}}|{_COUNT}) ?\+?(?:{_UNIT})(?![a-z])"
_FOR = re.compile(
    rf"(?:\b(?:for|since|over|hace|desde hace|llevo|llevamos|lleva|van|ya|há|ha|faz|tem|depuis|seit|vor|da|sinds|al|od|sejak|udah|sudah|dari|the last|the past|been)\b ?|もう|[,:] ?|^){_AMOUNT}"
)
_AGO = re.compile(
    rf"{_AMOUNT}(?= (?:ago|back|now|atrás|geleden|fa|temu|önce|lalu|dir|already|and counting|straight|in a row)\b|前|以上|{{0}}から)".replace(
        "{0}", ""
    )
)
_PARTS = {  # of the day: (middle, give or take), in hours of the writer's day, whose zone is rarely known
    r"this morning|esta mañana|esta manhã|hoje cedo|ce matin|stamattina|heute (?:früh|morgen|vormittag)|vanmorgen|vanochtend|dziś rano|od rana|bu sabah|sabahtan|tadi pagi|dari pagi|今朝|朝から|since breakfast|breakfast": (
        7,
        4,
    ),
    r"noon|lunch(?:time)?|midday|mediod[ií]a|la comida|almoço|midi|mittag|pranzo|de lunch|öğle(?:den|n)?|siang|昼": (
        12,
        2,
    ),
    r"this afternoon|esta tarde|à tarde|cet après-midi|(?:heute )?nachmittag|vanmiddag|sore": (15, 3),
    r"yesterday|ayer|ontem|hier\b(?! (?:nichts|geht|auch|too))|gestern|ieri|gisteren|wczoraj|dün|kemarin|昨日": (
        -12,
        12,
    ),
    r"last night|anoche|ontem à noite|hier soir|gestern abend|ieri sera|gisteravond|semal[ae]m|昨夜": (-2, 5),
}
_SINCE = r"(?:since|from|starting|desde|depuis|seit|da|dalle|sinds|vanaf|od|sejak|dari|ab|às|alle|à partir de|started (?:at|around|about)|began (?:at|around)|as of|around|at about|beginning)"
_PART = [
    (
        re.compile(
            rf"\b{_SINCE} (?:about |around |the |la |el |o |l')?(?:{words})|(?:{words})(?:から|den beri|tan beri| beri)|^(?:{words})\b"
        ),
        spot,
    )
    for words, spot in _PARTS.items()
]
_SPACED = re.compile(
    rf"\b{_SINCE} (?:about |around |circa |gegen |etwa |vers |ca\.? |kwart over |las |les |le |as |~)?$"
)


def since_when(text: str, posted: datetime, *, country: str = "") -> Began | None:
    """Return since when a text says that it fails, None when it does not say.

    `posted` is when it was written (aware UTC). A clock time without a zone, and a part of a day, are read on the
    writer's own clock, which may be anybody's: they come with hours to give or take.
    """
    folded = fold(text)
    for at, within in _candidates(folded, posted, country):
        if at <= posted + timedelta(minutes=5):
            return Began(at, within)
    return None


def _candidates(folded: str, posted: datetime, country: str) -> Iterator[tuple[datetime, timedelta]]:
    for match in CLOCK.finditer(folded):
        clock = clock_of(match)
        if clock is None or not _SPACED.search(folded[max(0, match.start() - 40) : match.start()]):
            continue
        name = match["zone"] or match["zulu"]
        zone = zone_of(name, country) if name else None
        if name and zone is None:
            continue
        here = posted.astimezone(zone) if zone else posted
        moment = here.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
        if moment > here + timedelta(minutes=5):
            moment -= timedelta(days=1)
        yield moment.astimezone(posted.tzinfo), timedelta(minutes=5) if zone else timedelta(hours=12)
    for pattern in (_AGO, _FOR):
        match_ = pattern.search(folded)
        if match_ is not None:
            unit = next(seconds for seconds in _UNITS if match_[f"u{seconds}"])
            count = _NUMBERS.get(match_["n"]) or float(match_["n"] if match_["n"].isdigit() else 1)
            ago = timedelta(seconds=count * unit)
            yield posted - ago, max(timedelta(minutes=5), ago / 4)
    for part, (middle, give) in _PART:
        if part.search(folded):
            midnight = posted.replace(hour=0, minute=0, second=0, microsecond=0)
            at = min(midnight + timedelta(hours=middle), posted)
            yield at, timedelta(hours=give + (12 if middle >= 0 else 0))
