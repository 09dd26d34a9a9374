"""Posts of an archive of which only those are built that may be about a service; the others are checked and counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from msgspec import UNSET, Struct, UnsetType
from msgspec.json import Decoder

from pipeline.core.records import Batch, Post, RejectedRow
from pipeline.sources.json_lines import LineChunk, is_utf8
from pipeline.sources.parsing import END_SECOND, FIRST_SECOND, FUTURE, TITLE_CAP, from_epoch, plain
from pipeline.sources.reddit_posts import PostReader, typed_id
from pipeline.text.mention_prefilter import MentionPrefilter


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenedPosts:
    """Some thousand posts of an archive.

    posts: those that may be about a service, in order. others: how many more there are, which name none. first, last:
    when the first and the last of all was written; None without any. rejected: rows that were refused. repeated: how
    many rows had the id of another one, of which the last is there.
    """

    source: str
    posts: tuple[Post, ...]
    others: int
    first: datetime | None
    last: datetime | None
    rejected: tuple[RejectedRow, ...]
    repeated: int


class _Outline(Struct, gc=False):
    """What is looked at of every object; values of other kinds are in doubt."""

    id: str | None = None
    name: str | None = None
    title: str | None = None
    selftext: str | None = None
    body: str | UnsetType | None = UNSET
    subreddit: str | None = None
    created_utc: int | float | str | None = None
    edited: bool | int | float | None = None
    author_created_utc: int | float | None = None


_decode = Decoder(_Outline).decode


class _Unnamed(NamedTuple):
    """A valid post that is not built, as long as its text names no service; `created` in seconds of the epoch."""

    native_id: str
    created: float
    text: str


def all_of(batch: Batch) -> ScreenedPosts:
    """Return a batch of posts with every one of them."""
    posts = tuple(row for row in batch.rows if isinstance(row, Post))
    times = [post.created for post in posts]
    return ScreenedPosts(
        source=batch.source,
        posts=posts,
        others=0,
        first=min(times, default=None),
        last=max(times, default=None),
        rejected=batch.rejected,
        repeated=batch.repeated,
    )


def screen(
    chunk: LineChunk, place: Callable[[int], str], reader: PostReader, prefilter: MentionPrefilter
) -> ScreenedPosts:
    """Turn lines of JSON into posts; a bad one is refused by its place, whether it names a service or not.

    Of several with one id the last counts, as in to_batch. Raises SourceError where the salt of authors is missing.
    """
    reader.require_salt()
    lines = chunk.lines
    screened = _without_names(lines, min(END_SECOND, (reader.fetched_at + FUTURE).timestamp() - 1), prefilter)
    found: dict[str, Post | float] = {}
    bad: list[RejectedRow] = []
    empty = 0
    for at, unnamed in enumerate(screened):
        if unnamed is not None:
            found[unnamed.native_id] = unnamed.created
        elif lines[at].isspace():
            empty += 1
        else:
            post = reader.post_of_line(lines[at], chunk.first + at, place)
            if isinstance(post, Post):
                found[post.native_id] = post
            else:
                bad.append(post)
    posts = tuple(row for row in found.values() if isinstance(row, Post))
    others = [row for row in found.values() if not isinstance(row, Post)]
    times = [post.created for post in posts] + [from_epoch(end(others)) for end in (min, max) if others]
    return ScreenedPosts(
        source=reader.source,
        posts=posts,
        others=len(others),
        first=min(times, default=None),
        last=max(times, default=None),
        rejected=tuple(bad),
        repeated=len(lines) - empty - len(bad) - len(found),
    )


def _without_names(lines: Sequence[bytes], latest: float, prefilter: MentionPrefilter) -> list[_Unnamed | None]:
    """Return what is needed of each line that PostReader would surely take and that names nothing; None of others."""
    screened: list[_Unnamed | None] = []
    # msgspec does not look at the bytes of texts that it passes over
    all_utf8, homes = is_utf8(b"".join(lines)), _Homes(prefilter)
    for line in lines:
        try:
            outline = _decode(line) if all_utf8 or is_utf8(line) else None
        except (ValueError, RecursionError):
            outline = None
        screened.append(None if outline is None else _unnamed(outline, latest, homes))
    texts = {at: post.text for at, post in enumerate(screened) if post is not None}
    hits = prefilter.candidates(list(texts.values()))
    for number, at in enumerate(texts):
        if number in hits:
            screened[at] = None
    return screened


class _Homes(dict[str | None, bool]):
    """By the name of a community as it is written whether it is a service's own; each is looked up once."""

    def __init__(self, prefilter: MentionPrefilter) -> None:
        self._is_home = prefilter.is_home

    def __missing__(self, community: str | None) -> bool:
        return self.setdefault(community, self._is_home(plain(community, 100)))


def _unnamed(outline: _Outline, latest: float, homes: _Homes) -> _Unnamed | None:
    """Return what is needed of an object that PostReader would surely take; None where that is in any doubt."""
    created, edited, born = outline.created_utc, outline.edited, outline.author_created_utc
    title, body = outline.title or "", outline.body
    try:
        if isinstance(created, str):  # as older archives have it
            created = float(created)
        if created is None or not FIRST_SECOND <= created < latest or not _is_plain(edited) or not _is_plain(born):
            return None
        if len(title) > TITLE_CAP or homes[outline.subreddit]:
            return None
        native = typed_id(outline.name or outline.id, is_comment=body is not UNSET)
    except ValueError:
        return None
    return _Unnamed(native, float(created), f"{title}\n{outline.selftext or ''}\n{body or ''}")


def _is_plain(seconds: float | None) -> bool:
    """Return whether a time is not given, True or False as of a post never edited, or seconds that can be placed."""
    return seconds is None or isinstance(seconds, bool) or FIRST_SECOND <= seconds < END_SECOND
