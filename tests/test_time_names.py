"""Months and weekdays of twelve languages, as locale data have them and as people write them in dates."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from pipeline.core.times import utc_or_none
from pipeline.text.time_texts import read_time
from tests.test_time_texts import by_dateparser, forms

LANGUAGES = ("en", "de", "fr", "es", "pt", "it", "nl", "pl", "fi", "ru", "tr", "ja")
MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Name(NamedTuple):
    """A name of a month or weekday in a language, as the locale data within dateparser have it, and its number."""

    language: str
    name: str
    number: int


# words of the locale data that stand in no date: "in January" of Polish and Finnish, misspellings, ambiguous letters
NO_NAMES = (
    "niu",
    "niku",
    "tym",
    "rcu",
    "tniu",
    "kwie",
    "maju",
    "wcu",
    "pcu",
    "padzie",
    "ssa",
    "septembro",
    "воскресение",
)


def names_of(things: list[str], first: int) -> Iterator[Name]:
    for language in LANGUAGES:
        info = importlib.import_module(f"dateparser.data.date_translation_data.{language}").info
        for number, thing in enumerate(things, first):
            for name in info[thing]:
                bare = name.lower().strip("()")
                if bare.endswith(NO_NAMES) or (language == "tr" and len(bare) == 2 and thing in MONTHS):
                    continue
                yield Name(language, bare, number)


def test_every_month_of_twelve_languages_is_read_as_locale_data_and_dateparser_have_it() -> None:
    names = list(names_of(MONTHS, 1))
    assert len(names) > 300
    for language, name, month in names:
        expected = datetime(2024, month, 5, 9, tzinfo=UTC)
        for text in (
            f"5 {name} 2024 10:00:00 +0100",
            f"05 {name.title()}. 2024, 10:00 CET",
            f"5-{name.upper()}-2024 9:00Z",
        ):
            assert read_time(text) == expected, (language, text)
    # dateparser reads the plain form of most in the language it is told; where it does not, it is not another time
    theirs = [by_dateparser(f"5 {n.name} 2024 10:00:00 +0100", [n.language]) for n in names if n.language != "ja"]
    ours = [datetime(2024, n.number, 5, 9, tzinfo=UTC) for n in names if n.language != "ja"]
    assert {(a, b) for a, b in zip(theirs, ours, strict=True) if a is not None and a != b} == set()
    assert sum(found is not None for found in theirs) > 0.95 * len(ours)


def test_every_weekday_of_twelve_languages_is_passed_over_and_settles_the_order_of_numbers() -> None:
    names = list(names_of(WEEKDAYS, 0))
    assert len(names) > 200
    for language, name, weekday in names:
        day = datetime(2024, 1, 1 + weekday, 9, tzinfo=UTC)
        assert read_time(f"{name}, {day:%d} Jan 2024 10:00:00 +0100") == day, (language, name)
        assert read_time(f"{name.title()}. {day:%d} Jan 2024 10:00:00 +0100") == day, (language, name)


LOCAL = forms(
    "lun, 10 nov 2025 09:00:00 +0100 = 2025-11-10T08:00:00Z",
    "Seg, 24 Set 2018 19:42:40 -0300 = 2018-09-24T22:42:40Z",
    "segunda-feira, 24 de setembro de 2018 às 19:42 BRT = 2018-09-24T22:42:00Z",
    "ven., 05 janv. 2024 10:00:00 +0100 = 2024-01-05T09:00:00Z",
    "vendredi 5 janvier 2024 à 10h30 CET = 2024-01-05T09:30:00Z",
    "1er février 2024, 10:00 CET = 2024-02-01T09:00:00Z",
    "Fr, 05 Jän 2024 10:00:00 +0100 = 2024-01-05T09:00:00Z",
    "Freitag, 5. Januar 2024, 10:00 Uhr MEZ = 2024-01-05T09:00:00Z",
    "viernes, 5 de enero de 2024 a las 10:00 a. m. CET = 2024-01-05T09:00:00Z",
    "venerdì 5 gennaio 2024 alle ore 10.30 CET = 2024-01-05T09:30:00Z",
    "vr, 05 mrt 2024 10:00:00 +0100 = 2024-03-05T09:00:00Z",
    "pt, 05 sty 2024 10:00:00 +0100 = 2024-01-05T09:00:00Z",
    "5 października 2024 o godz. 10:00 CEST = 2024-10-05T08:00:00Z",
    "perjantai 5. tammikuuta 2024 klo 10.00 EET = 2024-01-05T08:00:00Z",
    "пт, 05 янв 2024 10:00:00 +0300 = 2024-01-05T07:00:00Z",
    "5 мая 2024 г. в 10:00 MSK = 2024-05-05T07:00:00Z",
    "5 мая 2024 года, 10:00 (MSK) = 2024-05-05T07:00:00Z",
    "Cum, 05 Oca 2024 10:00:00 +0300 = 2024-01-05T07:00:00Z",
    "5 Kasım 2024 Salı saat 10:00 +0300 = 2024-11-05T07:00:00Z",
    "5 EKİM 2024 10:00 +0300 = 2024-10-05T07:00:00Z",
    "2024年1月5日(金) 10時30分 JST = 2024-01-05T01:30:00Z",
    "2024年1月5日金曜日 午後9時5分 JST = 2024-01-05T12:05:00Z",
    "2024年12月31日 23:59:58 +0900 = 2024-12-31T14:59:58Z",
    "金, 05 1月 2024 10:00:00 +0900 = 2024-01-05T01:00:00Z",
    "２０２４年１月５日　１０：００　ＪＳＴ = 2024-01-05T01:00:00Z",
    '<time datetime="2019-05-03T19:21:28Z">Fri, 05/03/2019 - 15:21</time> = 2019-05-03T19:21:28Z',
    "<time class='x' datetime='2019-05-03T15:21:28-04:00'>May</time> = 2019-05-03T19:21:28Z",
    "Pá, 05 led 2024 10:00:00 +0100 = 2024-01-05T09:00:00Z",
    "5. června 2024 10:00 CEST = 2024-06-05T08:00:00Z",
    "Vin, 05 ian. 2024 10:00:00 +0200 = 2024-01-05T08:00:00Z",
    "Jum, 05 Agu 2024 10:00:00 +0700 = 2024-08-05T03:00:00Z",
    "п'ятниця, 5 січня 2024 10:00 EET = 2024-01-05T08:00:00Z",
    "Παρ, 05 Μαΐ 2024 10:00:00 +0300 = 2024-05-05T07:00:00Z",
    "Τρί, 05 Σεπ 2024 10:00:00 +0300 = 2024-09-05T07:00:00Z",
    "금, 05 1월 2024 10:00:00 +0900 = 2024-01-05T01:00:00Z",
    "2024년 1월 5일 금요일 10:00 KST = 2024-01-05T01:00:00Z",
    "星期五, 05 一月 2024 10:00:00 +0800 = 2024-01-05T02:00:00Z",
    "5 kesäk. 2024",
    "5 brumaire 2024 10:00 CET",
)


@pytest.mark.parametrize(("text", "means"), LOCAL)
def test_dates_are_read_as_people_of_many_languages_write_them(text: str, means: str) -> None:
    assert read_time(text) == utc_or_none(means)
