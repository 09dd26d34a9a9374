"""Small things every source needs to read outside data safely: clean text, keyed author names, strict numbers."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from pipeline.core.errors import Reason, SourceError
from pipeline.core.records import Batch, Record, RejectedRow
from pipeline.core.times import END, FIRST, Span

TEXT_CAP = 20_000
TITLE_CAP = 500
MOST_ROWS = 5000  # of one answer; no upstream gives more at a time
FUTURE = timedelta(minutes=5)
_SECONDS = (int, float, str)  # what seconds of the epoch are given as
FIRST_SECOND, END_SECOND = FIRST.timestamp(), END.timestamp()
SETTLED = timedelta(seconds=60)  # what is younger may not be shown yet: its absence says nothing
_WHO = ("author", "author_fullname", "account", "user", "by", "_highlightResult")
_TAG = re.compile(r"<[^<>]{0,2000}>")
_BREAK = re.compile(r"(?i)<\s*(br|/p|/li|/div)[^<>]{0,200}>")
_WITHIN = re.compile(r"(?i)</?(?:a|b|bdi|bdo|code|del|em|i|s|small|span|strong|sub|sup|u|wbr)(?:\s[^<>]{0,2000})?/?>")
_PARAGRAPH = re.compile(r"(?i)<(?:p|li|pre|blockquote)(?:\s[^<>]{0,2000})?>")
_QUOTED_LINK = re.compile(r"(?is)<(p|span)\s[^<>]{0,200}\bquote-inline\b[^<>]{0,200}>.{0,3000}?</\1>")


def plain(value: object, cap: int = TEXT_CAP) -> str:
    """Return outside text fit for storage: a string, capped, without NUL and lone surrogates."""
    if value is None:
        return ""
    if isinstance(value, str) and len(value) <= cap and value.isascii() and "\0" not in value:
        return value.strip()
    text = (value if isinstance(value, str) else _shown(value))[:cap].replace("\0", "")
    return text.strip() if text.isascii() else text.encode("utf-8", "replace").decode("utf-8").strip()


def _shown(value: object) -> str:
    try:
        return str(value)
    except RecursionError:
        return "nested too deep to be shown"


def unescaped(text: str) -> str:
    """Return a text with its character references read, once."""
    # one of thousands of digits is none, and more than Python reads
    return html.unescape(re.sub(r"&#[xX]?[0-9a-fA-F]{8,}", " ", text))


def unmarked(value: object, cap: int = TEXT_CAP) -> str:
    """Return the text of a piece of HTML; what looks like a tag is dropped, entities are read once."""
    text = unescaped(_TAG.sub(" ", _BREAK.sub("\n", plain(value, cap * 4))))
    return plain(re.sub(r"[ \t]+", " ", text), cap)


def said(value: object, cap: int = TEXT_CAP) -> str:
    """Return the text of a post's HTML: what is marked within a word stays one word, each paragraph is a line.

    Mastodon writes a hashtag as `#<span>name</span>` and a link in three pieces. The link to a post that is quoted,
    which the server adds, is left out.
    """
    marked = _WITHIN.sub("", _QUOTED_LINK.sub("\n", plain(value, cap * 4)))
    return re.sub(r"\s*\n\s*", "\n", unmarked(_PARAGRAPH.sub("\n", marked), cap))


def from_epoch(value: object) -> datetime:
    """Read seconds of the epoch, as a number or as text; raises ValueError outside 2000 to 2100."""
    if isinstance(value, bool) or not isinstance(value, _SECONDS):
        raise ValueError("time is not a number of seconds")
    try:
        seconds = float(value)
    except OverflowError as error:
        raise ValueError("time is out of range") from error
    if not FIRST_SECOND <= seconds < END_SECOND:
        raise ValueError(f"time {plain(value, 40)!r} is out of range")
    return datetime.fromtimestamp(seconds, UTC)


def not_from_the_future(moment: datetime, now: datetime) -> datetime:
    """Return the moment; raises ValueError when it lies more than five minutes ahead of `now`."""
    if moment > now + FUTURE:
        raise ValueError(f"time {moment.isoformat()} is in the future")
    return moment


def past(moment: datetime, now: datetime) -> datetime | None:
    """Return a moment that is given in addition to the one that counts, None when it lies ahead."""
    return moment if moment <= now + FUTURE else None


_WHOLE = re.compile(r"0*([0-9]+)")
LARGEST_COUNT = 2**53  # whole numbers up to here are exact as floats


def whole(text: str) -> int:
    """Read a count written in ASCII digits only, up to 2**53.

    Raises ValueError on signs, fractions, separators, other digits, and on what is larger.
    """
    digits = _WHOLE.fullmatch(text)
    if digits is None:
        raise ValueError(f"{text[:40]!r} is not a whole count")
    if len(digits[1]) > 16 or int(digits[1]) > LARGEST_COUNT:
        raise ValueError(f"{text[:40]!r} is above {LARGEST_COUNT}, the largest count that is read")
    return int(digits[1])


def read_json(body: bytes, source: str) -> Any:
    """Parse JSON strictly, in UTF-8 or UTF-16; raises SourceError, `blocked` when the answer is a web page."""

    def no_constant(name: str) -> NoReturn:
        raise ValueError(f"{name} is not JSON")

    try:
        return json.loads(body.decode(json.detect_encoding(body)), parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        head = body[:200]
        if body.lstrip()[:1] == b"<":
            words = "answered with a web page instead of JSON"
            raise SourceError(words, source=source, reason=Reason.REFUSED, head=head) from error
        if not body.strip():
            raise SourceError("answered with nothing", source=source) from error
        raise SourceError(f"not valid JSON: {plain(error, 120)}", source=source, head=head) from error


def text_field(answer: object, key: str) -> str | None:
    """Return a text of a JSON object by its key; None when there is no such text, or the answer is no object."""
    value = answer.get(key) if isinstance(answer, dict) else None
    return value if isinstance(value, str) else None


def is_page(body: bytes) -> bool:
    """Return whether a body is a web page: what a block page, a login or a captcha comes as."""
    return bool(re.search(rb"(?i)<(!doctype\s+html|html)[\s>]", body[:4000]))


def stream(
    source: str,
    rows: Iterable[Record],
    rejected: Iterable[RejectedRow],
    since: datetime,
    reached: datetime,
    now: datetime,
) -> Batch:
    """Return what was read of a stream of posts, covered from where it reached back to until what may not show yet."""
    kept = tuple(rows)
    detail = "" if reached == since else f"could reach back only to {reached:%Y-%m-%d %H:%M} UTC"
    return Batch(
        source=source,
        rows=kept,
        rejected=tuple(rejected),
        detail=detail,
        outcome="ok" if kept else "empty",
        coverage=(Span(reached, max(reached, now - SETTLED)),),
        state={"retry_after": ""},
    )


def reject(where: str, reason: object, head: object) -> RejectedRow:
    """Describe a refused row."""
    if isinstance(reason, KeyError):
        reason = f"no {reason.args[0]}"
    elif isinstance(reason, TypeError | AttributeError):
        reason = "not of the expected shape"
    if isinstance(head, dict):
        # who wrote it is not kept, here as little as elsewhere
        head = {key: value for key, value in head.items() if key not in _WHO}
    return RejectedRow(where=plain(where, 200), reason=plain(reason, 200), head=plain(head, 200))
