"""Posts of an archive of which only those are built that may be about a service; the others are checked and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeGuard

from pipeline.core.records import Batch, Post, RejectedRow
from pipeline.sources.parsing import END_SECOND, FIRST_SECOND, FUTURE, TITLE_CAP, from_epoch, plain
from pipeline.sources.reddit_posts import Numbered, PostReader, native_id
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
    values: Iterable[Numbered], place: Callable[[int], str], reader: PostReader, prefilter: MentionPrefilter
) -> ScreenedPosts:
    """Turn numbered objects into posts; a bad one is refused by its place, whether it names a service or not.

    Of several with one id the last counts, as in to_batch. Raises SourceError where the salt of authors is missing.
    """
    reader.require_salt()
    numbered = list(values)
    latest = min(END_SECOND, (reader.fetched_at + FUTURE).timestamp() - 1)
    screened = [_unnamed(item, latest, prefilter) for _, item in numbered]
    texts = {at: post.text for at, post in enumerate(screened) if post is not None}
    hits = prefilter.candidates(list(texts.values()))
    for number, at in enumerate(texts):
        if number in hits:
            screened[at] = None
    found: dict[str, Post | float] = {}
    bad: list[RejectedRow] = []
    for (number, item), unnamed in zip(numbered, screened, strict=True):
        if unnamed is not None:
            found[unnamed.native_id] = unnamed.created
            continue
        post = reader.post_or_refusal(item, number, place)
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
        repeated=len(numbered) - len(bad) - len(found),
    )


def _unnamed(item: object, latest: float, prefilter: MentionPrefilter) -> _Unnamed | None:
    """Return what is needed of an object that PostReader would surely take; None where that is in any doubt."""
    if not isinstance(item, dict):
        return None
    get = item.get
    title, text, body, community = get("title", ""), get("selftext", ""), get("body", ""), get("subreddit", "")
    if not (_is_text(title) and _is_text(text) and _is_text(body) and _is_text(community)):
        return None
    if len(title or "") > TITLE_CAP or not _has_plain_times(item, latest) or prefilter.is_home(plain(community, 100)):
        return None
    try:
        return _Unnamed(native_id(item), float(item["created_utc"]), f"{title}\n{text}\n{body}")
    except ValueError:
        return None


def _is_text(value: object) -> TypeGuard[str | None]:
    return value is None or isinstance(value, str)


def _has_plain_times(item: Mapping[str, object], latest: float) -> bool:
    """Return whether an object's times are numbers of seconds that can be placed, or are not given."""
    created, edited, born = item.get("created_utc"), item.get("edited"), item.get("author_created_utc")
    if isinstance(created, str):  # as older archives have it
        try:
            created = float(created)
        except ValueError:
            return False
    if not _is_between(created, latest):
        return False
    if edited is not None and not isinstance(edited, bool) and not _is_between(edited, END_SECOND):
        return False
    return born is None or _is_between(born, END_SECOND)


def _is_between(seconds: object, end: float) -> bool:
    """Return whether a value is a number of seconds from 2000 on and before `end`; truth values are before 2000."""
    return isinstance(seconds, (int, float)) and FIRST_SECOND <= seconds < end
