"""From when to when something failed, as a provider states it: "between 14:32 and 14:46 UTC on March 2"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache

from msgspec import Struct

from pipeline.text.clock_times import clock_matches, clock_of, zone_of
from pipeline.text.lexicon import lexicon
from pipeline.text.named_days import days_named
from pipeline.text.normalize import normalize
from pipeline.text.time_layouts import fold, time_grammar
from pipeline.text.time_zones import UTC_NAMES, zone_names

EARLIEST = timedelta(days=7)  # how long before its first post a failure is believed to have begun
DAY, YEAR = timedelta(days=1), timedelta(days=366)
_GLUED_ZONE = re.compile(rf"(?i)(\d)({'|'.join(UTC_NAMES)})\b")
_DAY_FIRST = re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.)? (?:of )?([^\W\d_]{3,})\.?(?:,? (\d{4}))?")
_MONTH_FIRST = re.compile(r"([^\W\d_]{3,})\.? (\d{1,2})(?:st|nd|rd|th)?(?:,? (\d{4}))?")


class StatedSpan(Struct, frozen=True):
    """Since when something failed, and until when; `end` is None where only the start is stated, or several spans."""

    start: datetime
    end: datetime | None


class _Clock(Struct, frozen=True):
    """A time of day as written; `zone`, `day` and `half` are None where it stands without."""

    clock: time | None
    zone: tzinfo | None
    names_zone: bool
    day: date | None
    names_day: bool
    half: str | None


class _Bounds(Struct, frozen=True):
    """What a start is held against: the first post, the closing word, and the only day that the text names."""

    first_post: datetime
    closed: datetime
    only_day: date | None
    several_days: bool


@cache
def _expression() -> re.Pattern[str]:
    lists = lexicon("stated_times")
    zones = "|".join(re.escape(name) for name in sorted(zone_names().anywhere, key=len, reverse=True))
    day = (
        r"(?:\d{4}-\d{2}-\d{2}|\d{1,2}(?:st|nd|rd|th|\.)? (?:of )?[^\W\d_]{3,9}\.?(?:,? \d{4})?(?!\d)"
        r"|[^\W\d_]{3,9}\.? \d{1,2}(?:st|nd|rd|th)?(?:,? \d{4})?(?![\d:]))"
    )
    clock = rf"\d{{1,2}}(?:[:.]\d{{2}})?(?: ?[ap]\.?m\b\.?)?(?:(?: (?:{zones})\b(?:[+-]\d{{1,2}}(?::?\d{{2}})?)?)|z\b)?"

    def moment(name: str) -> str:
        return (
            rf"(?:(?:(?:%(on)s) )?(?P<day_before_{name}>{day})(?:,| at|, at|)? )?(?:(?:%(about)s) ?){{0,2}}"
            rf"(?P<clock_{name}>{clock})(?! ?%%)(?![\d:])(?:,? (?:(?:%(on)s) )(?P<day_after_{name}>{day}))?"
        )

    return lists.compile(
        rf"(?:\b(?:%(on)s) (?P<day_ahead>{day}),? )?"
        rf"(?:\b(?:%(from)s) {moment('from')} ?(?:[-–—]| (?:%(to)s) |(?:%(to)s) ) ?{moment('to')}"
        rf"|\b(?:%(began)s) {moment('began')})"
    )


def stated_span(text: str, first_post: datetime, closed: datetime) -> StatedSpan | None:
    """Return from when to when something failed, as a text states it; None where that is not certain.

    `first_post` is when the page first posted about it, `closed` when it said that it was over (aware UTC). A time
    needs a zone that means one thing. A day that is not named is that of the post, where the incident did not pass
    midnight in the zone. The start lies in the week before the first post; of several spans the first must be the
    earliest.
    """
    text = _GLUED_ZONE.sub(r"\1 \2", text)
    normalized = normalize(text)
    days = {day for day in days_named(normalized, closed.date()) if abs(day - closed.date()) <= YEAR}
    bounds = _Bounds(first_post, closed, next(iter(days)) if len(days) == 1 else None, len(days) > 1)
    spans = list(_spans(normalized, text, bounds))
    if not spans or spans[0] is None:
        return None
    first, others = spans[0], [span for span in spans[1:] if span is not None]
    if any(other.start < first.start or (first.end is None and other.start != first.start) for other in others):
        return None
    # with several spans, when it was over for good is not stated by the first
    return StatedSpan(first.start, None) if others else first


def _spans(normalized: str, original: str, bounds: _Bounds) -> Iterator[StatedSpan | None]:
    """Yield what each expression of a text states, None where it is not certain."""
    for match in _expression().finditer(normalized):
        ahead = _day_of(match["day_ahead"], bounds)
        if match["day_ahead"] and ahead is None:
            yield None
        elif match["clock_began"]:
            began = _clock(match, "began", original, bounds)
            start = _moment(began, began.zone, began.day or ahead, bounds)
            yield None if start is None or start > bounds.first_post else StatedSpan(start, None)
        else:
            yield _span(_clock(match, "from", original, bounds), _clock(match, "to", original, bounds), ahead, bounds)


def _span(first: _Clock, last: _Clock, ahead: date | None, bounds: _Bounds) -> StatedSpan | None:
    """Return the span between two times; the zone of one holds for both where the other names none."""
    if last.day is not None and first.day is None and ahead is None and first.names_zone:
        return None  # the day of the first is anybody's guess: "from 18:00 UTC to 20:15 UTC on April 10"
    zone = first.zone if first.names_zone else last.zone
    last_zone = last.zone if last.names_zone else first.zone
    day = first.day or ahead or last.day
    start = _moment(first, zone, day, bounds)
    if start is None or last_zone is None or last.clock is None or start > bounds.first_post:
        return None
    if last.names_day and last.day is None:
        return None
    end_day = last.day or start.astimezone(last_zone).date()
    end = datetime.combine(end_day, last.clock, last_zone).astimezone(UTC)
    if end <= start and last.day is None and (first.day or ahead) and first.half == last.half:
        end += DAY  # past midnight, with the day of the start named
    return StatedSpan(start, end) if end > start else None


def _clock(match: re.Match[str], name: str, original: str, bounds: _Bounds) -> _Clock:
    """Read one time of an expression."""
    text = match[f"clock_{name}"]
    half = None
    written = next(clock_matches(text), None)
    if written is None or written["half"] is None:
        other = match["clock_to"] if name == "from" else None
        later = next(clock_matches(other), None) if other else None
        if later is not None and later["half"]:
            written = next(clock_matches(_with_half(text, later["half"])), None)
    else:
        half = written["half"][0]
    day_text = match[f"day_before_{name}"] or match[f"day_after_{name}"]
    names_zone, zone = zone_of(written, original) if written else (False, None)
    return _Clock(
        clock_of(written) if written else None,
        zone,
        names_zone,
        _day_of(day_text, bounds),
        day_text is not None,
        half,
    )


def _with_half(text: str, half: str) -> str:
    """Return "9 et" as "9 am et"."""
    return re.sub(r"^(\d{1,2}(?:[:.]\d{2})?)", rf"\1 {half}", text)


def _moment(written: _Clock, zone: tzinfo | None, day: date | None, bounds: _Bounds) -> datetime | None:
    """Return the moment of a time of day up to the first post; None where its day or zone is not certain."""
    if written.clock is None or zone is None or (written.names_day and written.day is None):
        return None
    if day is None:
        if bounds.several_days:
            return None
        day = bounds.only_day
    if day is None:
        posted, closed = bounds.first_post.astimezone(zone), bounds.closed.astimezone(zone)
        if posted.date() != closed.date():
            return None
        day = posted.date()
    moment = datetime.combine(day, written.clock, zone).astimezone(UTC)
    return moment if bounds.first_post - moment <= EARLIEST else None


def _day_of(text: str | None, bounds: _Bounds) -> date | None:
    """Read a day; without a year it is the latest up to the closing word. None where it is none, or a year away."""
    day = _written_day(text, bounds) if text else None
    return day if day is not None and abs(day - bounds.closed.date()) <= YEAR else None


def _written_day(text: str, bounds: _Bounds) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    if match := _DAY_FIRST.fullmatch(text):
        number, name, year = match.groups()
    elif match := _MONTH_FIRST.fullmatch(text):
        name, number, year = match.groups()
    else:
        return None
    month = time_grammar().months.get(fold(name))
    if month is None:
        return None
    latest = (bounds.closed + DAY).date()
    try:
        day = date(int(year or latest.year), month, int(number))
        return day if year or day <= latest else day.replace(year=day.year - 1)
    except ValueError:  # there is no such day in that year
        return None
