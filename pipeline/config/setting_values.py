"""Types of single settings: each says what is refused, and how."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import time, timedelta
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.config.constraints import After, Before

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def parse_duration(value: object) -> timedelta:
    """Read `30s`, `5min`, `3h` or `14d`; raises ValueError on anything else."""
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"\s*(\d{1,6})\s*(s|min|h|d)\s*", str(value))
    if not match:
        raise ValueError(f"{value!r} is not a duration; write it as 30s, 5min, 3h or 14d")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


_ADDRESS = r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9.\-]{1,255}"


def plain_address(written: str) -> str:
    """Return a mail address alone, of `Ann <ann@example.org>` too; raises ValueError on what is none."""
    match = re.fullmatch(rf"\s*(?:({_ADDRESS})|[^<>@,;\r\n]{{0,100}}<({_ADDRESS})>)\s*", written)
    if match is None:
        raise ValueError(f"{written[:80]!r} is not a mail address such as me@example.org")
    return match[1] or match[2]


def _plain_addresses(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(plain_address, value))


class TimeInterval(NamedTuple):
    """A span of the wall clock of a zone, over midnight where it does not begin before it ends."""

    begin: time
    end: time
    zone: ZoneInfo


def parse_time_interval(value: str) -> TimeInterval:
    """Read `22:00-07:00 Europe/Berlin`; raises ValueError on anything else."""
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d) (\S{1,60})", value)
    if match is None:
        raise ValueError(f"{value!r} is not a span of hours; write it as 22:00-07:00 Europe/Berlin")
    try:
        zone = ZoneInfo(match[5])
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{match[5]!r} is not a time zone; write it as Europe/Berlin or UTC") from error
    return TimeInterval(time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4])), zone)


def _time_intervals(value: tuple[str, ...]) -> tuple[str, ...]:
    for interval in value:
        parse_time_interval(interval)
    return value


def _mail_server(value: str) -> str:
    if not re.fullmatch(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*|[0-9a-fA-F:.]+", value):
        raise ValueError(f"{value[:80]!r} is not the name or address of a server")
    return value


def zone_name(value: str) -> str:
    """Return the name of a time zone; raises ValueError where this machine does not know it."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{value!r} is not a time zone; write it as Europe/Berlin or UTC") from error
    return value


def _quiet_time(value: object) -> timedelta:
    quiet = timedelta(0) if str(value).strip() == "0" else parse_duration(value)
    if not timedelta(0) < quiet <= timedelta(days=1):
        raise ValueError(f"{value!r} must be positive and at most a day, such as 30min")
    return quiet


def _web_addresses(value: tuple[str, ...]) -> tuple[str, ...]:
    for url in value:
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not an address such as https://example.org/feed.xml")
    return value


def _countries(value: tuple[str, ...]) -> tuple[str, ...]:
    for where in value:
        if not re.fullmatch(r"[a-z]{2}(:\d{1,6})?", where):
            raise ValueError(f"{where!r} is not a country as us, or country and genre as us:6007")
    return value


def _hosts(value: tuple[str, ...]) -> tuple[str, ...]:
    from ipaddress import ip_network

    for entry in value:
        try:
            ip_network(entry)
        except ValueError:
            if not re.fullmatch(r"[A-Za-z0-9._-]{1,253}", entry):
                raise ValueError(f"{entry!r} is neither a host nor a network such as 10.1.0.0/16") from None
    return value


def _public_url(value: str) -> str:
    if value and not re.fullmatch(r"https?://[A-Za-z0-9._\[\]:-]+(/[A-Za-z0-9._~/-]*)?", value):
        raise ValueError(f"{value[:80]!r} is not an address such as https://status.example.org/groundswell")
    return value.rstrip("/")


def matching(pattern: str, words: str) -> After:
    """Return a check that raises ValueError, with what is expected in words, on a text that does not match in full."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"{value[:80]!r} is not {words}")
        return value

    return After(check)


def _each_matching(pattern: str, words: str) -> After:
    """Return the same check for each text of a list."""
    one = matching(pattern, words)

    def check(values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            one.check(value)
        return values

    return After(check)


def _base(value: str) -> str:
    _web_addresses((value,))
    return value


def _base_or_none(value: str) -> str:
    return value and _base(value)


def _textfile(value: str) -> str:
    if value and not value.endswith(".prom"):
        raise ValueError(f"{value[:80]!r}: the textfile collector reads files that end in .prom only")
    return value


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    return value


def _within(shortest: timedelta, longest: timedelta, reason: str) -> Callable[[timedelta], timedelta]:
    """Return a check that raises ValueError, with the reason, on a duration outside two bounds."""

    def check(value: timedelta) -> timedelta:
        if not shortest <= value <= longest:
            raise ValueError(reason)
        return value

    return check


def _at_most(longest: timedelta, words: str) -> After:
    return After(_within(timedelta(0), longest, f"must be at most {words}"))


_SECOND, _MINUTE, _DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
_LONGEST = 9000 * _DAY
Duration = Annotated[timedelta, Before(parse_duration)]
MailTimeout = Annotated[Duration, After(_within(_SECOND, 5 * _MINUTE, "must lie between 1s and 5min"))]
Deadline = Annotated[Duration, After(_within(_SECOND, 10 * _MINUTE, "must lie between 1s and 10min"))]
GroupWait = Annotated[Duration, _at_most(_DAY, "1d")]
GroupInterval = Annotated[Duration, _at_most(7 * _DAY, "7d")]
RepeatInterval = Annotated[Duration, _at_most(30 * _DAY, "30d")]
QuietTime = Annotated[timedelta, Before(_quiet_time)]
Kept = Annotated[
    Duration,
    After(
        _within(7 * _DAY, _LONGEST, "at least 7d (a week is what digests and late counts look back) and at most 9000d"),
    ),
]
KeptCounts = Annotated[
    Duration,
    After(
        _within(
            90 * _DAY,
            _LONGEST,
            "at least 90d (detectors learn from 60 days of counts, links from 90) and at most 9000d",
        ),
    ),
]
Address = Annotated[str, After(plain_address)]
Addresses = Annotated[tuple[str, ...], After(_plain_addresses)]
TimeIntervals = Annotated[tuple[str, ...], After(_time_intervals)]
MailServer = Annotated[str, After(_mail_server)]
TimeZoneName = Annotated[str, After(zone_name)]
WebAddresses = Annotated[tuple[str, ...], After(_web_addresses)]
Countries = Annotated[tuple[str, ...], After(_countries)]
CountryCodes = Annotated[tuple[str, ...], _each_matching(r"[A-Za-z]{2}", "the code of a country such as US")]
Communities = Annotated[tuple[str, ...], _each_matching(r"[A-Za-z0-9_]{2,50}", "a subreddit's name such as sysadmin")]
Hashtags = Annotated[tuple[str, ...], _each_matching(r"\w{1,100}", "a hashtag without its #, such as outage")]
BaseAddress = Annotated[str, After(_base)]
OptionalBase = Annotated[str, After(_base_or_none)]
Hosts = Annotated[tuple[str, ...], After(_hosts)]
PublicUrl = Annotated[str, After(_public_url)]
Textfile = Annotated[str, After(_textfile)]
LanguageCode = Annotated[str, matching(r"[a-z]{2,3}", "the code of a language such as en")]
ClockTime = Annotated[str, matching(r"([01]\d|2[0-3]):[0-5]\d", "a time of day such as 08:00")]
RouteName = Annotated[str, matching(r"[a-z0-9_-]{1,40}", "1 to 40 of a-z, 0-9, - and _")]
Contact = Annotated[
    str,
    matching(
        r"[\x21-\x27\x2a-\x7e]{0,200}",
        "at most 200 ASCII characters without blanks and brackets, such as mailto:me@example.org",
    ),
]
Parameter = Annotated[float | int | str, Before(_number)]
ChannelName = Literal["file", "email", "webhook", "apprise", "alertmanager", "pagerduty"]
StateName = Literal["possible", "likely", "confirmed"]
ImpactName = Literal["none", "low", "moderate", "high", "critical"]
