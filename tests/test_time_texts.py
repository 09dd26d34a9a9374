"""Stamps of feeds, pages and archives: what each means, and who is right where email.utils and dateparser differ."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime, parsedate_to_datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import dateparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.times import utc_or_none
from pipeline.text.time_layouts import fold, time_grammar
from pipeline.text.time_texts import LONGEST, read_time

AMERICAN = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
# hours from UTC of zones that RFC 5322 does not name and that mean one thing
OTHERS = {
    "CET": 1,
    "CEST": 2,
    "MEZ": 1,
    "MESZ": 2,
    "WET": 0,
    "WEST": 1,
    "EET": 2,
    "EEST": 3,
    "MSK": 3,
    "JST": 9,
    "KST": 9,
    "AEST": 10,
    "AEDT": 11,
    "HKT": 8,
    "SAST": 2,
    "NZDT": 13,
}
SEVERAL = ("BST", "IST", "AST", "GST", "AMT", "SST", "WST")
PIECES = ("fri", ",", "05", "2024", "10:00", "+0100", "pm", "(", ")", "[", "]", "-", "/", ".", "t", "z", "<time")
MOMENTS = tuple(datetime(2024, 1, 31, 23, 59, 58, tzinfo=UTC) + n * timedelta(days=37, hours=7) for n in range(24))


class Form(NamedTuple):
    """A stamp and the instant it means as ISO text, empty where it means none."""

    text: str
    means: str


class Kind(NamedTuple):
    """Stamps of one kind, and why each library is wrong about some of them; empty where it reads all of them right.

    A time without a zone is what a library returns when it does not know the instant.
    """

    name: str
    forms: tuple[Form, ...]
    email_is_wrong: str = ""
    dateparser_is_wrong: str = ""


def forms(*lines: str) -> tuple[Form, ...]:
    return tuple(Form(*(line.split(" = ") if " = " in line else (line, ""))) for line in lines)


def at_nine(zone: str, hours: float) -> Form:
    moment = datetime(2026, 3, 10, 9, tzinfo=timezone(timedelta(hours=hours)))
    return Form(f"Tue, 10 Mar 2026 09:00:00 {zone}", moment.astimezone(UTC).isoformat())


MAILS = "knows dates of mails only"
ZONES = "knows the zones of RFC 822 only, and takes the rest for local time"
KINDS = (
    Kind("RFC 5322 in UTC", tuple(Form(format_datetime(m, usegmt=True), m.isoformat()) for m in MOMENTS)),
    Kind(
        "RFC 5322 with an offset",
        tuple(
            Form(format_datetime(m.astimezone(timezone(timedelta(hours=h)))), m.isoformat())
            for m, h in zip(MOMENTS, (-12, -9.5, -8, -3, 0, 1, 2, 5.5, 5.75, 9, 10.5, 14) * 2, strict=True)
        ),
    ),
    Kind("the zones of RFC 5322", tuple(at_nine(zone, hours) for zone, hours in AMERICAN.items())),
    Kind(
        "UT, Z and -0000",
        (at_nine("UT", 0), at_nine("Z", 0), at_nine("-0000", 0)),
        email_is_wrong="-0000 is a time in UTC whose writer does not tell the zone (RFC 5322, 3.3)",
    ),
    Kind(
        "RFC 5322 written loosely",
        forms(
            "Fri,05 Jan 2024 10:00:00 GMT = 2024-01-05T10:00:00Z",
            "5 Jan 2024 10:00 GMT = 2024-01-05T10:00:00Z",
            "05 Jan 24 10:00:00 GMT = 2024-01-05T10:00:00Z",
            "Friday, 05-Jan-24 10:00:00 GMT = 2024-01-05T10:00:00Z",
            "Fri, 05 Jan 2024 10:00:00 +0000 (UTC) = 2024-01-05T10:00:00Z",
            "Fri, 5 Jan 2024\n 10:00:00\t+0100 = 2024-01-05T09:00:00Z",
            "FRI, 05 JAN 2024 10:00:00 GMT = 2024-01-05T10:00:00Z",
            "Thu, 05 Jan 2024 10:00:00 GMT = 2024-01-05T10:00:00Z",
        ),
    ),
    Kind(
        "a leap second",
        forms("Sat, 31 Dec 2016 23:59:60 GMT = 2017-01-01T00:00:00Z", "2016-12-31T23:59:60Z = 2017-01-01T00:00:00Z"),
        email_is_wrong="RFC 5322 allows it",
        dateparser_is_wrong="RFC 3339 allows it",
    ),
    Kind("zones that mean one thing", tuple(at_nine(zone, hours) for zone, hours in OTHERS.items()), ZONES),
    Kind(
        "zones with an offset",
        (at_nine("UTC+02:00", 2), at_nine("GMT+1", 1), at_nine("GMT+0", 0), at_nine("GMT-0330", -3.5)),
        email_is_wrong=ZONES,
    ),
    Kind(
        "zones that mean several things",
        tuple(Form(f"Tue, 10 Mar 2026 09:00:00 {zone}", "") for zone in SEVERAL),
        email_is_wrong="AST is Arabia's, too",
        dateparser_is_wrong="takes one meaning of each: IST as Israel's, BST as Britain's",
    ),
    Kind(
        "CST out of the dates of RFC 5322",
        forms("2026-03-10 09:00:00 CST", "Tue Mar 10 09:00:00 CST 2026"),
        email_is_wrong="China's, too, and that is where such stamps of Unix come from",
        dateparser_is_wrong="China's, too",
    ),
    Kind(
        "a zone whose offset changed",
        forms("Sat, 10 Mar 2012 09:00:00 MSK = 2012-03-10T05:00:00Z", "10 Mar 2024 09:00 PT = 2024-03-10T16:00:00Z"),
        email_is_wrong=ZONES,
        dateparser_is_wrong="Moscow was four hours ahead from 2011 to 2014; at PT summer time had begun",
    ),
    Kind(
        "times that clocks showed twice or never",
        forms("2024-11-03 01:30 PT", "2024-03-10 02:30 PT", "2024-10-27 02:30 Europe/Paris"),
        dateparser_is_wrong="takes PT for PST",
    ),
    Kind("RFC 3339", tuple(Form(m.isoformat(), m.isoformat()) for m in MOMENTS), MAILS),
    Kind(
        "RFC 3339 written otherwise",
        forms(
            "2024-01-05T10:00:00Z = 2024-01-05T10:00:00Z",
            "2024-01-05t10:00:00z = 2024-01-05T10:00:00Z",
            "2024-01-05 10:00:00+05:30 = 2024-01-05T04:30:00Z",
            "2024-01-05T10:00:00.250-08:00 = 2024-01-05T18:00:00.250Z",
            "2024-01-05T10:00:00.123456789Z = 2024-01-05T10:00:00.123456Z",
            "2024-01-05T10:00:00-00:00 = 2024-01-05T10:00:00Z",
            "2024-01-05T10:00+0100 = 2024-01-05T09:00:00Z",
            "2024-01-05T10:00:00,5Z = 2024-01-05T10:00:00.5Z",
        ),
        email_is_wrong=MAILS,
        dateparser_is_wrong="does not know the comma of ISO 8601",
    ),
    Kind(
        "the basic form of ISO 8601, and what languages print",
        forms(
            "20240105T100000Z = 2024-01-05T10:00:00Z",
            "20240105T110000+0100 = 2024-01-05T10:00:00Z",
            "2024-01-05T11:00:00+01:00[Europe/Paris] = 2024-01-05T10:00:00Z",
            "2024-01-05 10:00:00 +0000 UTC = 2024-01-05T10:00:00Z",
            "2024-01-05 13:00:00.5 +0300 +03 = 2024-01-05T10:00:00.5Z",
            "Fri Jan 05 10:00:00 +0000 2024 = 2024-01-05T10:00:00Z",
            "Fri Jan 5 10:00:00 UTC 2024 = 2024-01-05T10:00:00Z",
            "Fri Jan 05 2024 11:00:00 GMT+0100 (Central European Standard Time) = 2024-01-05T10:00:00Z",
            "05/Jan/2024:11:00:00 +0100 = 2024-01-05T10:00:00Z",
            "2024-01-05 11:00 Europe/Paris = 2024-01-05T10:00:00Z",
        ),
        email_is_wrong=MAILS,
        dateparser_is_wrong="takes the basic form for a time of another century, and cannot read some of the others",
    ),
    Kind(
        "the epoch",
        forms(
            "1704448800 = 2024-01-05T10:00:00Z",
            "1704448800123 = 2024-01-05T10:00:00.123Z",
            "1704448800.5 = 2024-01-05T10:00:00.5Z",
            "951782400 = 2000-02-29T00:00:00Z",
        ),
        email_is_wrong=MAILS,
        dateparser_is_wrong="takes them for local time",
    ),
    Kind(
        "blanks and slashes in feeds",
        forms(
            "2026-03-02 12:10:00 UTC = 2026-03-02T12:10:00Z",
            "2024/01/05 10:00:00 GMT = 2024-01-05T10:00:00Z",
            "2024.01.05 10:00 CET = 2024-01-05T09:00:00Z",
            "Sat, Dec 16 2023 02:02:33 PM EST = 2023-12-16T19:02:33Z",
            "December 16, 2023 at 2:02 p.m. UTC = 2023-12-16T14:02:00Z",
            "10:00 UTC on January 5, 2024 = 2024-01-05T10:00:00Z",
            "Dec 16th, 2023 12:30 AM UTC = 2023-12-16T00:30:00Z",
            "2024-Jan-05 10:00 UTC = 2024-01-05T10:00:00Z",
        ),
        email_is_wrong=MAILS + "; passes over PM, and reads EST behind it as nothing",
    ),
    Kind(
        "numbers whose order is sure",
        forms(
            "13/02/2026 10:00 UTC = 2026-02-13T10:00:00Z",
            "02/13/2026 10:00 UTC = 2026-02-13T10:00:00Z",
            "Fri, 05/03/2019 - 15:21 UTC = 2019-05-03T15:21:00Z",
            "Tue, 05/03/2019 - 15:21 UTC = 2019-03-05T15:21:00Z",
            "pe 5.1.2024 klo 12.00 +0200 = 2024-01-05T10:00:00Z",
            "07/07/2026 10:00 UTC = 2026-07-07T10:00:00Z",
        ),
        email_is_wrong=MAILS,
        dateparser_is_wrong="takes the month to be first, whatever the weekday says",
    ),
    Kind(
        "numbers whose order is not sure",
        forms("05/03/2019 15:21 UTC", "05.03.2019 15:21 UTC", "05-03-2019 15:21 GMT", "Sun, 05/03/2019 15:21 UTC"),
        email_is_wrong="",
        dateparser_is_wrong="takes the month to be first",
    ),
    Kind(
        "no zone",
        forms(
            "2024-01-05T10:00:00",
            "Fri, 05 Jan 2024 10:00:00",
            "Sat, Dec 16 2023 02:02:33 PM",
            "2024/01/05 10:00:00",
            "Fri Jan  5 10:00:00 2024",
            "20240105100000",
        ),
    ),
    Kind("no time of day", forms("2024-01-05", "Fri, 05 Jan 2024", "5 January 2024", "2024-01", "2024", "20240105")),
    Kind(
        "no date",
        forms("10:00 UTC", "yesterday", "2 hours ago", "", "now", "Monday 10:00 UTC", "just in", "0", "-1"),
        dateparser_is_wrong="a stamp that depends on when it is read is none",
    ),
    Kind(
        "no such time",
        forms(
            "Sat, 31 Feb 2026 10:00:00 GMT",
            "Fri, 05 Jan 2024 25:00:00 GMT",
            "2024-01-05T10:60:00Z",
            "2024-13-05T10:00:00Z",
            "2024-01-05T24:00:00Z",
            "Fri, 05 Jan 2024 10:00:00 +2500",
            "0000-01-05T10:00:00Z",
            "5 Jan 2024 14:00 PM UTC",
            "5 Jan 2024 00:30 AM UTC",
            "99999999999999",
        ),
        dateparser_is_wrong="takes 14:00 PM and 00:30 AM for times, and a part of an offset for an offset",
    ),
    Kind(
        "more than a time, or two that differ",
        forms(
            "Fri, 05 Jan 2024 10:00:00 +0100 updated",
            "Published: Fri, 05 Jan 2024 10:00:00 GMT",
            "Fri, 05 Jan 2024 10:00:00 GMT, Sat, 06 Jan 2024 10:00:00 GMT",
            "2024-01-05T10:00:00Z/2024-01-05T11:00:00Z",
            "2024-01-05 10:00:00 +0100 EST",
            "Fri, 05 Jan 2024 10:00:00 A",
        ),
        email_is_wrong="stops at what it does not understand",
    ),
    Kind(
        "years out of this world",
        forms("Fri, 01 Jan 1999 10:00:00 GMT", "2100-01-05T10:00:00Z", "1970-01-01T00:00:00Z"),
        email_is_wrong="nothing that is read here is so old or new",
        dateparser_is_wrong="nothing that is read here is so old or new",
    ),
)


def by_email(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def by_dateparser(text: str, languages: list[str] | None = None) -> datetime | None:
    found = dateparser.parse(text, languages=languages) if text else None
    return found.astimezone(UTC) if found and found.tzinfo else None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_form_means_what_it_says_and_where_a_library_differs_it_is_wrong(kind: Kind) -> None:
    assert [f.text for f in kind.forms if read_time(f.text) != utc_or_none(f.means)] == []
    # a reason that holds for no form is one too many
    for read, reason in ((by_email, kind.email_is_wrong), (by_dateparser, kind.dateparser_is_wrong)):
        differs = [form.text for form in kind.forms if read(form.text) != utc_or_none(form.means)]
        assert bool(differs) == bool(reason), f"{read.__name__}: {reason or 'is said to read all'}: {differs}"


def test_over_two_hundred_forms_are_held_against_both_libraries() -> None:
    assert sum(len(kind.forms) for kind in KINDS) > 200


def test_a_time_without_a_zone_takes_the_one_it_is_given_and_only_then() -> None:
    paris = ZoneInfo("Europe/Paris")
    assert read_time("5 July 2024 10:00", default_zone=paris) == datetime(2024, 7, 5, 8, tzinfo=UTC)
    assert read_time("5 July 2024 10:00 UTC", default_zone=paris) == datetime(2024, 7, 5, 10, tzinfo=UTC)
    assert read_time("5 July 2024 10:00 BST", default_zone=paris) is None
    assert read_time("20240705100000", default_zone=UTC) == datetime(2024, 7, 5, 10, tzinfo=UTC)
    assert read_time("5 July 2024", default_zone=paris) is None


@given(st.text(max_size=60))
def test_no_text_makes_it_raise(text: str) -> None:
    found = read_time(text)
    assert found is None or (found.tzinfo is UTC and 2000 <= found.year < 2100)


@given(
    st.lists(
        st.sampled_from([*sorted(time_grammar().months), *PIECES]),
        max_size=40,
    )
)
def test_pieces_of_stamps_in_any_order_are_read_or_not(pieces: list[str]) -> None:
    for glue in (" ", ""):
        assert read_time(glue.join(pieces)) is None or len(glue.join(pieces)) <= LONGEST


@pytest.mark.parametrize(
    "text",
    [
        "1" * 10_000,
        " " * 10_000,
        "1:" * 5_000,
        "(" * 10_000,
        "()" * 5_000,
        "mar " * 2_500,
        "<time " * 1_600,
        "2024-01-05T10:00:00Z" + " " * 10_000,
        "fri, " * 79,
        "(" * 399,
        "mar " * 99,
        "<time " * 66,
        "۱" * 400,
        "2024-01-05 10:00 " + "a" * 380,
        "\ufdfa" * 400,
        "&#" + "9" * 390,
        "\0",
        "\ud800",
        "²" * 400,
    ],
)
def test_hostile_texts_cost_no_time(text: str) -> None:
    began = time.perf_counter()
    found = read_time(text)
    assert time.perf_counter() - began < 0.5
    assert found is None or text.startswith("2024-01-05T10:00:00Z")


def test_no_name_means_two_months_and_names_are_kept_in_one_spelling() -> None:
    grammar = time_grammar()
    assert set(grammar.months.values()) == set(range(1, 13))
    assert all(name == fold(name) for name in [*grammar.months, *grammar.weekdays])
