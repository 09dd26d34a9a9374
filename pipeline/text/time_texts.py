"""Stamps as feeds, pages, posts and archives write them, read to their end; what does not mean one instant is unknown.

Read are RFC 5322, RFC 3339, seconds and milliseconds of the epoch, and dates with the day and month names of
data/lexicon/time_texts.toml. A date of numbers alone is read where its order is sure: with the year first, where one
number is no month, or where the weekday with it settles the order. A wrong weekday does not matter otherwise.
Unknown are a date without a time of day, a time without a zone, and a zone whose name means several.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.text.time_layouts import REGION, fold, time_grammar
from pipeline.text.time_zones import UTC_NAMES, zone_names, zone_of_offset

LONGEST = 400  # characters; no stamp is longer, markup around it included
FIRST_YEAR, LAST_YEAR = 2000, 2099
_TIME_ELEMENT = re.compile(
    r"""<time\b[^<>]*?\bdatetime\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)')[^<>]*>[^<>]*(?:</time\s*>)?""", re.I
)
_COMMENT = re.compile(r" ?(?:\(([^()]*)\)|\[[a-z_/+-]+\])")
_EPOCH = re.compile(r"(?P<seconds>[0-9]{9,10})(?:\.(?P<fraction>[0-9]{1,9}))?|(?P<milliseconds>[0-9]{12,13})")


def read_time(text: str, *, default_zone: tzinfo | None = None) -> datetime | None:
    """Return the instant a stamp means, in UTC; None where it means none, or one outside 2000 to 2099.

    `default_zone` is the zone of a time that names none; without it such a time is unknown. An HTML element
    `<time datetime="...">` is read by its attribute. Raises nothing, whatever the text.
    """
    text = text.strip()
    if len(text) > LONGEST:
        return None
    element = _TIME_ELEMENT.fullmatch(text)
    if element is not None:
        text = html.unescape(element[1] or element[2] or "")
    folded = fold(text)
    epoch = _EPOCH.fullmatch(folded)
    if epoch is not None and (moment := _of_epoch(epoch)) is not None:
        return moment
    comments = [match[1] for match in _COMMENT.finditer(folded) if match[1]]
    bare = " ".join(_COMMENT.sub(" ", folded).split())
    grammar = time_grammar()
    for layout in grammar.layouts:
        match = layout.pattern.fullmatch(bare)
        if match is not None:
            fields = {name: value for name, value in match.groupdict().items() if value is not None}
            return _instant(fields, comments, layout.in_mails, default_zone)
    return None


def _of_epoch(match: re.Match[str]) -> datetime | None:
    milliseconds, fraction = match["milliseconds"], match["fraction"] or ""
    microseconds = int(milliseconds) * 1000 if milliseconds else int(match["seconds"]) * 1_000_000
    return _in_range(datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds + _microseconds(fraction)))


def _instant(
    fields: Mapping[str, str], comments: Sequence[str], in_mails: bool, default_zone: tzinfo | None
) -> datetime | None:
    """Return the instant that the parts of a stamp mean, in UTC, None where they contradict each other or mean none."""
    day = _day(fields, comments)
    hour, minute, second = (int(fields.get(name, 0)) for name in ("hour", "minute", "second"))
    half = fields.get("half") or fields.get("half_before")
    if half is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half in time_grammar().after_noon else 0)
    elif "minute" not in fields:
        return None
    if day is None or hour > 23 or minute > 59 or second > 60:
        return None
    written = timedelta(
        hours=hour, minutes=minute, seconds=second, microseconds=_microseconds(fields.get("fraction", ""))
    )
    try:
        local = datetime(day.year, day.month, day.day) + written  # noqa: DTZ001  its zone is looked for next
        zone = _zone(fields, comments, in_mails, local) if _names_zone(fields, comments) else default_zone
        if zone is None or _twice_or_never(local, zone):
            return None
        return _in_range(local.replace(tzinfo=zone).astimezone(UTC))
    except OverflowError:
        return None


def _day(fields: Mapping[str, str], comments: Sequence[str]) -> date | None:
    """Return the day that a stamp names; None where there is no such day, or where its numbers may mean two."""
    year = int(fields["year"])
    if len(fields["year"]) == 2:
        year += 2000 if year < 50 else 1900
    grammar = time_grammar()
    if "first" in fields:
        one, other = int(fields["first"]), int(fields["second_number"])
        possible = {day for day in (_date(year, other, one), _date(year, one, other)) if day is not None}
        names = [fields.get("weekday", ""), fields.get("weekday_after", ""), *comments]
        for named in (grammar.weekdays[name] for name in names if name in grammar.weekdays):
            if len(possible) > 1:
                possible = {day for day in possible if day.weekday() in named}
        return possible.pop() if len(possible) == 1 else None
    month = grammar.months[fields["month"]] if "month" in fields else int(fields["number"])
    return _date(year, month, int(fields["day"]))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _names_zone(fields: Mapping[str, str], comments: Sequence[str]) -> bool:
    return "zone" in fields or "offset" in fields or any(comment in zone_names().anywhere for comment in comments)


def _zone(fields: Mapping[str, str], comments: Sequence[str], in_mails: bool, local: datetime) -> tzinfo | None:
    """Return the zone that a stamp names; None where it means several, or where name and offset differ.

    An offset decides for a name that means several; a name in brackets counts where there is neither.
    """
    offset = zone_of_offset(fields["offset"]) if "offset" in fields else None
    if "offset" in fields and offset is None:
        return None
    name = fields.get("zone") or fields.get("alias")
    if name is None and offset is None:
        name = next(comment for comment in comments if comment in zone_names().anywhere)
    if name is None or (offset is not None and name in UTC_NAMES and "alias" not in fields):
        return offset
    named = _zone_named(name, in_mails)
    if offset is None:
        return named
    return offset if named is None or named.utcoffset(local) == offset.utcoffset(local) else None


def _zone_named(name: str, in_mails: bool) -> tzinfo | None:
    if name == "z":
        return UTC
    zones = zone_names()
    if in_mails and name in zones.in_mails:
        return zones.in_mails[name]
    if re.fullmatch(REGION, name):
        try:
            return ZoneInfo("/".join(part.title() for part in name.split("/")))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return None
    return zones.anywhere.get(name)


def _twice_or_never(local: datetime, zone: tzinfo) -> bool:
    """Return whether the clocks of a place showed a time twice, or skipped it."""
    return local.replace(tzinfo=zone, fold=0).utcoffset() != local.replace(tzinfo=zone, fold=1).utcoffset()


def _microseconds(fraction: str) -> int:
    return int(fraction[:6].ljust(6, "0")) if fraction else 0


def _in_range(moment: datetime) -> datetime | None:
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None
