"""Reddit through praw, and the archive format of its dumps, which is the same object one a line.

Read-only application access: GROUNDSWELL_REDDIT_CLIENT_ID and GROUNDSWELL_REDDIT_CLIENT_SECRET from the
environment. New keys need Reddit's approval, so everything else works without this source.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pipeline.errors import SourceError
from pipeline.fetch import GuardedSession, retry_after
from pipeline.model import Batch, Post, Reject, iso, utc
from pipeline.sources.reading import (
    TITLE_CAP,
    author_key,
    from_epoch,
    not_from_the_future,
    plain,
    read_json,
    reject,
)

DEPTH = 1000
CUT = 900
GONE = ("[deleted]", "[removed]")


def to_post(item: Mapping[str, Any], *, source: str, fetched_at: datetime, salt: bytes = b"") -> Post:
    """Turn a submission or comment object into a Post; raises ValueError on one that cannot be placed in time."""
    native = plain(item.get("name") or item.get("id"), 40)
    if not native:
        raise ValueError("no id")
    if "_" not in native:
        native = ("t1_" if "body" in item else "t3_") + native
    is_comment = native.startswith("t1_")
    created = not_from_the_future(from_epoch(item.get("created_utc")), fetched_at)
    text = plain(item.get("body") if is_comment else item.get("selftext"))
    gone = text in GONE or bool(item.get("removed_by_category"))
    edited = item.get("edited")
    born = item.get("author_created_utc")
    link = plain(item.get("permalink"), 300)
    return Post(
        source=source, native_id=native, kind="comment" if is_comment else "post",
        community=plain(item.get("subreddit"), 100),
        author_key="" if gone else author_key(plain(item.get("author"), 100), source, salt),
        author_created=from_epoch(born) if born is not None else None, created=created, collected=fetched_at,
        edited=from_epoch(edited) if edited and edited is not True else None, deleted=gone,
        parent_id=plain(item.get("parent_id"), 40), title="" if gone else plain(item.get("title"), TITLE_CAP),
        text="" if gone else text, url=f"https://www.reddit.com{link}" if link.startswith("/") else "",
    )  # fmt: skip


def to_batch(items: Iterable[tuple[str, Any]], *, source: str, fetched_at: datetime, salt: bytes = b"") -> Batch:
    """Turn (place, object) pairs into a Batch; a bad one is refused alone."""
    rows: dict[str, Post] = {}
    bad: list[Reject] = []
    for where, item in items:
        try:
            if not isinstance(item, dict):
                raise ValueError(item if isinstance(item, str) else "not an object")
            post = to_post(item, source=source, fetched_at=fetched_at, salt=salt)
            rows[post.native_id] = post
        except (ValueError, TypeError, OverflowError) as error:
            bad.append(reject(where, error, item))
    return Batch(source=source, rows=tuple(rows.values()), rejected=tuple(bad), outcome="ok" if rows else "empty")


def parse_listing(body: bytes, *, source: str, fetched_at: datetime, salt: bytes = b"") -> Batch:
    """Parse a listing as the API answers it."""
    try:
        children = read_json(body, source)["data"]["children"]
        items = [(f"child {i}", child.get("data")) for i, child in enumerate(children)]
    except (KeyError, TypeError, AttributeError) as error:
        raise SourceError(f"{source}: not a Reddit listing") from error
    return to_batch(items, source=source, fetched_at=fetched_at, salt=salt)


def parse_archive(body: bytes, *, source: str, fetched_at: datetime, salt: bytes = b"", name: str = "line") -> Batch:
    """Parse archive lines: one JSON object each; a bad line is refused with its number."""
    items: list[tuple[str, Any]] = []
    for number, line in enumerate(body.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            items.append((f"{name}:{number}", json.loads(line)))
        except (ValueError, RecursionError) as error:
            items.append((f"{name}:{number}", f"not JSON: {error}: {line[:80]!r}"))
    return to_batch(items, source=source, fetched_at=fetched_at, salt=salt)


class RedditSource:
    """New posts and comments of the communities of the watched services."""

    def __init__(
        self,
        communities: Sequence[str],
        *,
        client_id: str,
        client_secret: str,
        salt: bytes,
        base: str = "",
        session: GuardedSession | None = None,
    ) -> None:
        """`base` points praw elsewhere than Reddit, for a local stand-in; `session` has other limits than the usual."""
        self.name = "reddit"
        self.communities = tuple(communities)
        self._id, self._secret, self._salt, self._base = client_id, client_secret, salt, base
        self._session = session

    def _client(self) -> Any:
        import praw

        where = {"oauth_url": self._base, "reddit_url": self._base} if self._base else {}
        return praw.Reddit(
            client_id=self._id, client_secret=self._secret, check_for_updates=False,
            user_agent="python:groundswell:v0.1 (outage detection; read-only)",
            requestor_kwargs={"timeout": 15, "session": self._session or GuardedSession(self.name)}, **where,
        )  # fmt: skip

    def fetch(self, since: datetime, now: datetime, memory: Mapping[str, str]) -> Batch:
        """Read back to `since`, at most a thousand deep; a shallower reach is told in `covered`.

        Raises SourceError, with `retry_after` when Reddit asks us to wait.
        """
        if (until := memory.get("retry_after", "")) and now < utc(until):
            raise SourceError(f"reddit: asked to wait until {until}", outcome="blocked", retry_after=until)
        import praw.exceptions
        import prawcore

        try:
            return self._read(since, now)
        except (prawcore.TooManyRequests, ValueError) as error:
            # prawcore fails on a Retry-After that is a date with a bare ValueError
            until = iso(now + retry_after(str(getattr(error, "retry_after", "") or ""), now))
            raise SourceError("reddit: too many requests", outcome="blocked", retry_after=until) from error
        except (prawcore.PrawcoreException, praw.exceptions.PRAWException, LookupError) as error:
            refused = isinstance(error, prawcore.Forbidden | prawcore.BadJSON)
            kind = "blocked" if refused else "error"
            raise SourceError(f"reddit: {type(error).__name__}: {plain(error, 160)}", outcome=kind) from error

    def _read(self, since: datetime, now: datetime) -> Batch:
        subreddit = self._client().subreddit("+".join(self.communities))
        items: list[tuple[str, Any]] = []
        reached = since
        for kind, listing in (("new", subreddit.new(limit=DEPTH)), ("comments", subreddit.comments(limit=DEPTH))):
            met, oldest, count = False, now, 0
            for number, thing in enumerate(listing):
                fields = {key: value for key, value in vars(thing).items() if not key.startswith("_")}
                fields["author"] = "" if fields.get("author") is None else str(fields["author"])
                fields["subreddit"] = str(fields.get("subreddit", ""))
                count = number + 1
                try:
                    oldest = from_epoch(fields.get("created_utc"))
                except ValueError:
                    items.append((f"{kind} {number}", fields))  # refused alone, with the others
                    continue
                if oldest < since:
                    met = True
                    break
                items.append((f"{kind} {number}", fields))
            if not met and count >= CUT:
                # Reddit ends a listing at about a thousand: what is older was not shown
                reached = max(reached, oldest)
        batch = to_batch(items, source=self.name, fetched_at=now, salt=self._salt)
        detail = "" if reached == since else f"could reach back only to {reached:%Y-%m-%d %H:%M} UTC"
        return Batch(
            source=self.name, rows=batch.rows, rejected=batch.rejected, covered=(reached, now),
            outcome=batch.outcome, detail=detail, memory={"retry_after": ""},
        )  # fmt: skip
