"""Reddit through praw, and the archive format of its dumps, which is the same object one a line.

Read-only application access: GROUNDSWELL_REDDIT_CLIENT_ID and GROUNDSWELL_REDDIT_CLIENT_SECRET from the
environment. New keys need Reddit's approval, so everything else works without this source.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config.load import Config
from pipeline.config.paths import REDDIT_BOTS
from pipeline.config.reference_data import reddit_bots
from pipeline.core.catalogue import Service
from pipeline.core.errors import SourceError
from pipeline.core.records import Batch, Post, RejectedRow
from pipeline.core.times import iso
from pipeline.core.vocabulary import PostKind
from pipeline.http.retry import retry_after
from pipeline.http.session import HttpClient
from pipeline.sources.author_keys import author_key
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
    stream,
    unescaped,
)
from pipeline.sources.reddit_client import Access, Allowance, Item, open_client, translated_errors, walk
from pipeline.sources.spec import (
    Coverage,
    DocsRow,
    SourceSpec,
    author_salt,
    first_reason,
    key_pair,
    named_services,
    unnamed,
)

if TYPE_CHECKING:
    import praw

logger = logging.getLogger(__name__)

DEPTH = 1000
LIMIT = 3 + 3 * (DEPTH // 100)
WORDS = 'down OR outage OR "not working" OR "can\'t log in" OR error OR offline'
GONE = ("[deleted]", "[removed]")


def to_post(item: Mapping[str, object], *, source: str, fetched_at: datetime, salt: bytes = b"") -> Post:
    """Turn a submission or comment object into a Post; raises ValueError on one that cannot be placed in time."""
    native = plain(item.get("name") or item.get("id"), 40)
    if not native:
        raise ValueError("no id")
    if "_" not in native:
        native = ("t1_" if "body" in item else "t3_") + native
    is_comment = native.startswith("t1_")
    created = not_from_the_future(from_epoch(item.get("created_utc")), fetched_at)
    text = _written(item.get("body") if is_comment else item.get("selftext"))
    meta = item.get("_meta")
    gone = text in GONE or bool(item.get("removed_by_category"))
    gone = gone or (isinstance(meta, dict) and bool(meta.get("was_deleted_later")))
    author, edited = plain(item.get("author"), 100), item.get("edited")
    born = item.get("author_created_utc")
    link = plain(item.get("permalink"), 300)
    return Post(
        source=source,
        native_id=native,
        kind=_kind(item, author, is_comment),
        community=plain(item.get("subreddit"), 100),
        author_key="" if gone else author_key(author, source, salt),
        author_created=past(from_epoch(born), fetched_at) if born is not None else None,
        created=created,
        collected=fetched_at,
        edited=past(from_epoch(edited), fetched_at) if edited and edited is not True else None,
        deleted=gone,
        parent_id=plain(item.get("parent_id"), 40),
        title="" if gone else _written(item.get("title"), TITLE_CAP),
        text="" if gone else text,
        url=f"https://www.reddit.com{link}" if link.startswith("/") and not gone else "",
    )


def _written(value: object, cap: int = TEXT_CAP) -> str:
    """Return a text as it was written. Without `raw_json=1` Reddit gives `&`, `<` and `>` as entities, archives too.

    A second reading takes those that Markdown itself knows, of which `&#x200B;`, an empty line, is common.
    """
    text = plain(value, cap * 2)
    if "&" in text:
        return plain(unescaped(unescaped(text)), cap)
    return text if len(text) <= cap else text[:cap].strip()


def _kind(item: Mapping[str, object], author: str, is_comment: bool) -> PostKind:
    """Return what an object is: `distinguished` is set by moderators and administrators, `stickied` pins it."""
    if author.casefold() in reddit_bots(REDDIT_BOTS):
        return PostKind.BOT
    if item.get("distinguished") or item.get("stickied"):
        return PostKind.NOTICE
    return PostKind.COMMENT if is_comment else PostKind.POST


def to_batch(items: Iterable[tuple[str, object]], *, source: str, fetched_at: datetime, salt: bytes = b"") -> Batch:
    """Turn (place, object) pairs into a Batch; a bad one is refused alone."""
    rows: dict[str, Post] = {}
    bad: list[RejectedRow] = []
    for where, item in items:
        try:
            if not isinstance(item, dict):
                raise ValueError(item if isinstance(item, str) else "not an object")
            post = to_post(item, source=source, fetched_at=fetched_at, salt=salt)
            rows[post.native_id] = post
        except (ValueError, TypeError, OverflowError, AttributeError) as error:
            bad.append(reject(where, error, item))
    return Batch(source=source, rows=tuple(rows.values()), rejected=tuple(bad), outcome="ok" if rows else "empty")


def parse_listing(body: bytes, *, source: str, fetched_at: datetime, salt: bytes = b"") -> Batch:
    """Parse a listing as the API answers it, or a bare list of the objects in one."""
    answer = read_json(body, source)
    try:
        children = answer if isinstance(answer, list) else answer["data"]["children"]
        if not isinstance(children, list):
            raise TypeError
        items = [
            (f"child {i}", child.get("data", child) if isinstance(child, dict) else child)
            for i, child in enumerate(children[:MOST_ROWS])
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise SourceError("not a Reddit listing", source=source, head=body[:200]) from error
    return to_batch(items, source=source, fetched_at=fetched_at, salt=salt)


def parse_archive(body: bytes, *, source: str, fetched_at: datetime, salt: bytes = b"", name: str = "line") -> Batch:
    """Parse archive lines: one JSON object each; a bad line is refused with its number."""
    return to_batch(objects(io.BytesIO(body), name), source=source, fetched_at=fetched_at, salt=salt)


def objects(lines: Iterable[bytes], name: str, before: int = 0) -> Iterator[Item]:
    """Yield (place, object) of each line that is not empty; for one that is no JSON, (place, what is wrong)."""
    for number, line in enumerate(lines, start=before + 1):
        if line.strip():
            try:
                yield Item(f"{name}:{number}", json.loads(line))
            except (ValueError, RecursionError) as error:
                yield Item(f"{name}:{number}", f"not JSON: {error}: {line[:80]!r}")


class RedditSource:
    """New posts and comments of the communities of the watched services, and what a search there finds."""

    def __init__(self, communities: Sequence[str], client: HttpClient, access: Access, *, salt: bytes) -> None:
        """`communities` are names without r/; `salt` keys the hashes of authors."""
        self.name = "reddit"
        self.communities = tuple(communities)
        self._client, self._access, self._salt = client, access, salt

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        """Read back to `since`, at most a thousand deep; a shallower reach is told in `covered`.

        Raises SourceError, with `retry_after` when Reddit asks us to wait.
        """
        allowance = Allowance()
        with self._client.session_for(self.name, state, now, limit=LIMIT) as session, translated_errors(self.name):
            batch = self._read(open_client(self._access, session, allowance), since, now)
        if allowance.left >= LIMIT:
            return batch
        # what is left would not do for another turn: wait until Reddit counts anew
        until = iso(now + retry_after(str(allowance.reset), now))
        logger.info("%s: %g requests left; left alone until %s", self.name, allowance.left, until)
        return replace(batch, state={"retry_after": until})

    def _read(self, client: praw.Reddit, since: datetime, now: datetime) -> Batch:
        subreddit = client.subreddit("+".join(self.communities))
        items: list[Item] = []
        reached = since
        listings = {"new": subreddit.new(limit=DEPTH), "comments": subreddit.comments(limit=DEPTH)}
        for kind, listing in listings.items():
            found = walk(kind, listing, since, now)
            items += found.items
            if not found.complete:
                # Reddit ends a listing at about a thousand: what is older was not shown
                reached = max(reached, found.oldest)
        if reached > since:
            # the communities were too busy to be read whole: at least what sounds like trouble
            search = subreddit.search(WORDS, sort="new", time_filter="week", limit=DEPTH)
            items += walk("search", search, since, now).items
        batch = to_batch(items, source=self.name, fetched_at=now, salt=self._salt)
        return stream(self.name, batch.rows, batch.rejected, since, reached, now)

    def gone(self, names: Sequence[str], now: datetime) -> set[str]:
        """Return which of the stored posts (fullnames, a hundred at most) their authors or Reddit have taken away.

        One that Reddit no longer knows counts as taken away, unless it knows none of them. Raises SourceError.
        """
        limit = 4
        with self._client.session_for(self.name, {}, now, limit=limit) as session, translated_errors(self.name):
            kept, known = set(), 0
            for thing in open_client(self._access, session, Allowance()).info(fullnames=list(names)):
                fields, known = vars(thing), known + 1
                text = fields.get("body") if "body" in fields else fields.get("selftext")
                if text not in GONE and not fields.get("removed_by_category"):
                    kept.add(str(fields.get("name")))
            if not known and len(names) > 1:
                raise SourceError(f"knows none of {len(names)} posts; not taken for deletion", source=self.name)
        return set(names) - kept


def _build(config: Config, client: HttpClient, config_path: Path | None) -> list[RedditSource]:
    key = key_pair(config.secrets.reddit_client_id, config.secrets.reddit_client_secret)
    own = {name for service in named_services(config) for name in service.communities}
    communities = sorted({*own, *config.sources.communities}, key=str.lower)
    if not config.sources.reddit or key is None or not communities:
        return []
    access = Access(*key, config.sources.reddit_base)
    return [RedditSource(communities, client, access, salt=author_salt(config))]


def _covers(config: Config, service: Service, built: frozenset[str]) -> Coverage:
    return first_reason(
        "reddit" in built and service.id in config.watch and bool(service.communities),
        ", ".join(f"r/{c}" for c in service.communities),
        unnamed(config, service),
        "" if service.communities else "no community in the catalogue",
        SPEC.missing_key(config),
    )


SPEC = SourceSpec(
    kind="reddit",
    label="Reddit",
    build=_build,
    covers=_covers,
    remedy="check GROUNDSWELL_REDDIT_CLIENT_ID and …_CLIENT_SECRET against https://www.reddit.com/prefs/apps;"
    " new keys need Reddit's approval",
    docs=DocsRow(
        "Reddit (`reddit`)",
        "new posts and comments of the services' communities and of `communities`; a search where they were too busy",
        "application key, needs Reddit's approval",
        "back to the last run, 1,000 a listing",
        "60 s",
    ),
    secrets=("reddit_client_id", "reddit_client_secret"),
    where_to_get_a_key="https://www.reddit.com/prefs/apps",
    key_kind="needs Reddit's approval",
)
