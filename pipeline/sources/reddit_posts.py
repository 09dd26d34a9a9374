"""Reddit's objects as posts: from listings of its API, and from the dumps, which hold the same object one a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from msgspec import UNSET, Struct, convert, field
from msgspec.json import Decoder

from pipeline.config.paths import REDDIT_BOTS
from pipeline.config.reference_data import reddit_bots
from pipeline.core.errors import SourceError
from pipeline.core.records import Batch, Post, RejectedRow
from pipeline.core.vocabulary import PostKind
from pipeline.sources.author_keys import key_maker
from pipeline.sources.json_lines import LineChunk, UnreadableLine, is_utf8, value_of
from pipeline.sources.parsing import (
    MOST_ROWS,
    TEXT_CAP,
    TITLE_CAP,
    from_epoch,
    not_from_the_future,
    past,
    plain,
    read_json,
    reject,
    unescaped,
)

GONE = ("[deleted]", "[removed]")
COMMENT, SUBMISSION = "t1_", "t3_"  # what ids begin with


class RedditObject(Struct, gc=False):
    """What is read of a submission or a comment; the kinds of its values are not checked yet.

    A comment has a `body`, UNSET in a submission.
    """

    id: object = None
    name: object = None
    title: object = None
    selftext: object = None
    body: object = UNSET
    author: object = None
    author_created_utc: object = None
    subreddit: object = None
    created_utc: object = None
    edited: object = None
    parent_id: object = None
    permalink: object = None
    distinguished: object = None
    stickied: object = None
    removed_by_category: object = None
    meta: object = field(default=None, name="_meta")


_decode = Decoder(RedditObject).decode


class PostReader:
    """Turns submission and comment objects of one source into posts."""

    def __init__(self, *, source: str, fetched_at: datetime, salt: bytes) -> None:
        """`salt` keys the hashes of authors' names."""
        self.source, self.fetched_at = source, fetched_at
        self._author_key: Callable[[str], str] = key_maker(source, salt)
        self._bots = reddit_bots(REDDIT_BOTS)

    def require_salt(self) -> None:
        """Raise SourceError where the salt is missing, before the first author is met."""
        self._author_key("")

    def read(self, item: RedditObject) -> Post:
        """Turn an object into a Post; raises ValueError on one that cannot be placed in time."""
        native = typed_id(item.name or item.id, is_comment=item.body is not UNSET)
        is_comment = native.startswith(COMMENT)
        created = not_from_the_future(from_epoch(item.created_utc), self.fetched_at)
        body = None if item.body is UNSET else item.body
        text = _written(body if is_comment else item.selftext)
        meta, edited, born = item.meta, item.edited, item.author_created_utc
        gone = text in GONE or bool(item.removed_by_category)
        gone = gone or (isinstance(meta, dict) and bool(meta.get("was_deleted_later")))
        author, link = plain(item.author, 100), plain(item.permalink, 300)
        return Post(
            source=self.source,
            native_id=native,
            kind=self._kind(item, author, is_comment),
            community=plain(item.subreddit, 100),
            author_key="" if gone else self._author_key(author),
            author_created=past(from_epoch(born), self.fetched_at) if born is not None else None,
            created=created,
            collected=self.fetched_at,
            edited=past(from_epoch(edited), self.fetched_at) if edited and edited is not True else None,
            deleted=gone,
            parent_id=plain(item.parent_id, 40),
            title="" if gone else _written(item.title, TITLE_CAP),
            text="" if gone else text,
            url=f"https://www.reddit.com{link}" if link.startswith("/") and not gone else "",
        )

    def post_or_refusal(self, item: object, number: int, place: Callable[[int], str]) -> Post | RejectedRow:
        """Return an object as a Post, or why it is refused."""
        if isinstance(item, UnreadableLine):
            return reject(place(number), ValueError(item.reason), item.reason)
        try:
            if not isinstance(item, dict):
                raise ValueError("not an object")
            return self.read(_object_of(item))
        except (ValueError, TypeError, OverflowError, AttributeError) as error:
            return reject(place(number), error, item)

    def post_of_line(self, line: bytes, number: int, place: Callable[[int], str]) -> Post | RejectedRow:
        """Return the object in a line as a Post, or why it is refused.

        A line that is not taken at once is read as JSON as a whole, which says why, or reads what msgspec does not.
        What a line holds besides the fields that are read refuses it only where it is no JSON.
        """
        try:
            if is_utf8(line):  # msgspec does not look at the bytes of texts that it passes over
                return self.read(_decode(line))
        except (ValueError, TypeError, OverflowError, AttributeError, RecursionError):
            pass
        return self.post_or_refusal(value_of(line), number, place)

    def _kind(self, item: RedditObject, author: str, is_comment: bool) -> PostKind:
        """Return what an object is: `distinguished` is set by moderators and administrators, `stickied` pins it."""
        if author.casefold() in self._bots:
            return PostKind.BOT
        if item.distinguished or item.stickied:
            return PostKind.NOTICE
        return PostKind.COMMENT if is_comment else PostKind.POST


def to_post(item: Mapping[str, object], *, source: str, fetched_at: datetime, salt: bytes = b"") -> Post:
    """Turn one object into a Post; see PostReader.read."""
    return PostReader(source=source, fetched_at=fetched_at, salt=salt).read(_object_of(item))


def _object_of(item: Mapping[str, object]) -> RedditObject:
    """Return the fields of an object that are read; what else it holds is not looked at."""
    return convert({name: item[name] for name in RedditObject.__struct_encode_fields__ if name in item}, RedditObject)


def typed_id(given: object, *, is_comment: bool) -> str:
    """Return an id, `is_comment` or of a submission where it does not say so itself; raises ValueError of none."""
    native = plain(given, 40)
    if not native:
        raise ValueError("no id")
    if "_" in native:
        return native
    return (COMMENT if is_comment else SUBMISSION) + native


def _written(value: object, cap: int = TEXT_CAP) -> str:
    """Return a text as it was written. Without `raw_json=1` Reddit gives `&`, `<` and `>` as entities, archives too.

    A second reading takes those that Markdown itself knows, of which `&#x200B;`, an empty line, is common.
    """
    text = plain(value, cap * 2)
    if "&" in text:
        return plain(unescaped(unescaped(text)), cap)
    return text if len(text) <= cap else text[:cap].strip()


Numbered = tuple[int, object]  # an object of a listing or a file with its number there, from which its place is known


def to_batch(
    items: Iterable[Numbered], place: Callable[[int], str], *, source: str, fetched_at: datetime, salt: bytes = b""
) -> Batch:
    """Turn numbered objects into a Batch; a bad one is refused alone, by its place. Of one id the last is kept."""
    reader = PostReader(source=source, fetched_at=fetched_at, salt=salt)
    return _batch(source, (reader.post_or_refusal(item, number, place) for number, item in items))


def batch_of_lines(chunk: LineChunk, place: Callable[[int], str], reader: PostReader) -> Batch:
    """Turn lines of an archive into a Batch as `to_batch` does; empty lines are passed over."""
    numbered = enumerate(chunk.lines, start=chunk.first)
    return _batch(
        reader.source, (reader.post_of_line(line, number, place) for number, line in numbered if not line.isspace())
    )


def _batch(source: str, posts: Iterable[Post | RejectedRow]) -> Batch:
    """Return posts and refusals as a Batch. Of one id the last is kept."""
    read = list(posts)
    rows = {post.native_id: post for post in read if isinstance(post, Post)}
    bad = tuple(post for post in read if isinstance(post, RejectedRow))
    return Batch(
        source=source,
        rows=tuple(rows.values()),
        rejected=bad,
        repeated=len(read) - len(bad) - len(rows),
        outcome="ok" if rows else "empty",
    )


def parse_listing(body: bytes, *, source: str, fetched_at: datetime, salt: bytes = b"") -> Batch:
    """Parse a listing as the API answers it, or a bare list of the objects in one."""
    answer = read_json(body, source)
    try:
        children = answer if isinstance(answer, list) else answer["data"]["children"]
        if not isinstance(children, list):
            raise TypeError
        things = [child.get("data", child) if isinstance(child, dict) else child for child in children[:MOST_ROWS]]
    except (KeyError, TypeError, AttributeError) as error:
        raise SourceError("not a Reddit listing", source=source, head=body[:200]) from error
    return to_batch(
        enumerate(things), lambda number: f"child {number}", source=source, fetched_at=fetched_at, salt=salt
    )
