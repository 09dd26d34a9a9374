"""Times, headers and templates in the form people read; outside text is escaped by the templates, always."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import Counter
from datetime import datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import jinja2

from pipeline.config.paths import CACHE, DASHBOARDS
from pipeline.core.names import file_stem
from pipeline.core.times import utc
from pipeline.render.template_cache import TemplateCache

LONGEST_LINK = 600

MAX_TEXT = 400  # characters of outside text in a mail
LEFT_TO_RIGHT, RIGHT_TO_LEFT = "\u2066", "\u2067"  # isolates
_EMBEDDING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_ODD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def header_safe(text: str, cap: int = 200) -> str:
    """Return text fit for a mail header: no control characters, no encoded words of its own, cut at `cap`.

    Python before 3.11.10 lets an encoded word in a subject add headers (CVE-2024-6923); "=?" is broken up.
    """
    plain = _CONTROL.sub(" ", text).replace("=?", "= ?")
    plain = "".join(c for c in plain if unicodedata.category(c) not in ("Cf", "Cs", "Co", "Cn"))
    return " ".join(plain.split())[:cap]


def local(stamp: str | datetime | None, zone: str, *, date: bool = True) -> str:
    """Return `2026-03-02 03:37 PST (11:37 UTC)`, or only UTC when that is the reader's zone; empty for None."""
    if stamp is None:
        return ""
    moment = utc(stamp) if isinstance(stamp, str) else stamp
    in_utc = moment.strftime("%Y-%m-%d %H:%M UTC" if date else "%H:%M UTC")
    if zone == "UTC":
        return in_utc
    there = moment.astimezone(ZoneInfo(zone))
    return f"{there.strftime('%Y-%m-%d %H:%M %Z' if date else '%H:%M %Z')} ({moment:%H:%M} UTC)"


def clock(moment: datetime, zone: str, onset: datetime) -> str:
    """Return the time of day in the zone that the page names once; with its day where that is not the onset's."""
    there = moment.astimezone(ZoneInfo(zone))
    return f"{there:%-d %b %H:%M}" if is_another_day(moment, onset, zone) else f"{there:%H:%M}"


def is_another_day(moment: datetime, other: datetime, zone: str) -> bool:
    """Return whether two moments are of different days in a zone."""
    here = ZoneInfo(zone)
    return moment.astimezone(here).date() != other.astimezone(here).date()


def file_of(kind: str, name: str) -> str:
    """Return the file name of an incident's or a service's page."""
    return f"{kind}-{file_stem(name)}.html"


def page_url(public_url: str, kind: str, name: str) -> str:
    """Return the address of an incident's or a service's page; empty where the report is not served anywhere."""
    return f"{public_url}/{file_of(kind, name)}" if public_url else ""


def safe_link(url: str) -> str:
    """Return an address that a page may link to, as given: http or https with a host, in ASCII; else empty."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return ""
    usable = parts.scheme in ("http", "https") and host and len(url) <= LONGEST_LINK and url.isascii()
    return url if usable and url.isprintable() and not set(url) & set(" <>\"'`\\^{|}") else ""


def in_percent(p: float) -> str:
    """Return a probability as people may read it: never as certainty."""
    return "over 99 %" if p > 0.99 else ("under 1 %" if p < 0.01 else f"{p:.0%}".replace("%", " %"))


@cache
def environment(*, plain: bool = False) -> jinja2.Environment:
    """Return the template environment: all is escaped unless it is for plain text, an unknown name is an error."""
    made_by = f"{jinja2.__version__} {plain} {zlib.crc32(Path(__file__).read_bytes()):08x}"
    return jinja2.Environment(
        bytecode_cache=TemplateCache(CACHE, made_by),
        loader=jinja2.FileSystemLoader(DASHBOARDS / "templates"),
        autoescape=not plain,  # noqa: S701
        undefined=jinja2.StrictUndefined,
        finalize=_tidy,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def isolated(text: str) -> str:
    """Return text that cannot turn the direction of what stands around it, nor hold what no page may.

    Characters that embed, override or isolate are dropped; text that holds letters of a script from right to left is
    isolated as a whole (Unicode TR 9, section 6.3) in the direction of most of its letters, so that a sentence about a
    service with such a name stays a sentence. Control characters become replacement characters.
    """
    plain = _ODD.sub("\ufffd", _EMBEDDING.sub("", text))
    if plain.isascii():
        return plain
    directions = Counter(unicodedata.bidirectional(c) for c in plain)
    from_right = directions["R"] + directions["AL"]
    if not from_right:
        return plain
    return f"{RIGHT_TO_LEFT if from_right > directions['L'] else LEFT_TO_RIGHT}{plain}\u2069"


def cut(text: str, longest: int = MAX_TEXT) -> str:
    """Return outside text on one line, of at most `longest` characters, that cannot turn the direction of others."""
    return isolated(" ".join(text.split())[:longest])


def _tidy(value: object) -> object:
    return isolated(value) if type(value) is str else value
