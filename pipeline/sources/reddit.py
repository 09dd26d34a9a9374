"""Reddit through praw, and the archive format of its dumps, which is the same object one a line.

Read-only application access: GROUNDSWELL_REDDIT_CLIENT_ID and GROUNDSWELL_REDDIT_CLIENT_SECRET from the
environment. New keys need Reddit's approval, so everything else works without this source.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.config.load import Config
from pipeline.core.catalogue import Service
from pipeline.core.errors import Reason, SourceError
from pipeline.core.records import Batch, Post, RejectedRow
from pipeline.core.times import iso
from pipeline.http.retry import failure_of, retry_after
from pipeline.http.session import HttpClient, SourceSession
from pipeline.sources.parsing import (
    MOST_ROWS,
    TITLE_CAP,
    author_key,
    from_epoch,
    not_from_the_future,
    past,
    plain,
    read_json,
    reject,
    stream,
)
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

DEPTH = 1000
CUT = 900  # a listing shorter than this ended by itself
KNOWN_IN_A_ROW = 10  # older than wanted, one after the other: a single back-dated item must not end the reading
LIMIT = 3 + 3 * (DEPTH // 100)
WORDS = 'down OR outage OR "not working" OR "can\'t log in" OR error OR offline'
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
    meta = item.get("_meta")
    gone = text in GONE or bool(item.get("removed_by_category"))
    gone = gone or (isinstance(meta, dict) and bool(meta.get("was_deleted_later")))
    edited = item.get("edited")
    born = item.get("author_created_utc")
    link = plain(item.get("permalink"), 300)
    return Post(
        source=source,
        native_id=native,
        kind="comment" if is_comment else "post",
        community=plain(item.get("subreddit"), 100),
        author_key="" if gone else author_key(plain(item.get("author"), 100), source, salt),
        author_created=past(from_epoch(born), fetched_at) if born is not None else None,
        created=created,
        collected=fetched_at,
        edited=past(from_epoch(edited), fetched_at) if edited and edited is not True else None,
        deleted=gone,
        parent_id=plain(item.get("parent_id"), 40),
        title="" if gone else plain(item.get("title"), TITLE_CAP),
        text="" if gone else text,
        url=f"https://www.reddit.com{link}" if link.startswith("/") and not gone else "",
    )


def to_batch(items: Iterable[tuple[str, Any]], *, source: str, fetched_at: datetime, salt: bytes = b"") -> Batch:
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


def objects(lines: Iterable[bytes], name: str, before: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield (place, object) of each line that is not empty; for one that is no JSON, (place, what is wrong)."""
    for number, line in enumerate(lines, start=before + 1):
        if line.strip():
            try:
                yield f"{name}:{number}", json.loads(line)
            except (ValueError, RecursionError) as error:
                yield f"{name}:{number}", f"not JSON: {error}: {line[:80]!r}"


class _Allowance:
    """What Reddit says is left of our hundred requests a minute: read here, so that no client library sleeps on it."""

    def __init__(self) -> None:
        self.left, self.reset = 100.0, 0.0

    def read(self, response: Any) -> None:
        told = {key: response.headers.pop(f"x-ratelimit-{key}", "") for key in ("remaining", "used", "reset")}
        if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", told["remaining"]) and re.fullmatch(
            r"\d{1,6}(\.\d{1,6})?", told["reset"]
        ):
            self.left, self.reset = float(told["remaining"]), float(told["reset"])


class RedditSource:
    """New posts and comments of the communities of the watched services, and what a search there finds."""

    def __init__(
        self,
        communities: Sequence[str],
        client: HttpClient,
        *,
        client_id: str,
        client_secret: str,
        salt: bytes,
        base: str = "",
    ) -> None:
        """`base` points praw elsewhere than Reddit, for a local stand-in."""
        self.name = "reddit"
        self.communities = tuple(communities)
        self._client, self._id, self._secret, self._salt, self._base = client, client_id, client_secret, salt, base

    def _praw(self, session: SourceSession) -> Any:
        """Return a client of its own: praw is not for sharing between threads."""
        import logging

        import praw

        # what goes wrong is told once, by us: its log would fill a cron job's mails
        logging.getLogger("prawcore").addHandler(logging.NullHandler())
        where = {"oauth_url": self._base, "reddit_url": self._base} if self._base else {}
        # everything by keyword, so that a praw.ini in the working folder changes nothing
        return praw.Reddit(
            client_id=self._id,
            client_secret=self._secret,
            username=None,
            password=None,
            refresh_token=None,
            user_agent="linux:groundswell:0.2 (outage detection)",
            check_for_updates=False,
            requestor_kwargs={"timeout": 15, "session": session.transport},
            **where,
        )

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        """Read back to `since`, at most a thousand deep; a shallower reach is told in `covered`.

        Raises SourceError, with `retry_after` when Reddit asks us to wait.
        """
        allowance = _Allowance()
        with self._client.session_for(self.name, state, now, limit=LIMIT) as session, _translated(self.name):
            batch = self._read(self._praw(_watched(session, allowance)), since, now)
        if allowance.left >= LIMIT:
            return batch
        # what is left would not do for another turn: wait until Reddit counts anew
        until = iso(now + retry_after(str(allowance.reset), now))
        return Batch(
            source=self.name,
            rows=batch.rows,
            rejected=batch.rejected,
            coverage=batch.coverage,
            outcome=batch.outcome,
            detail=batch.detail,
            state={"retry_after": until},
        )

    def _read(self, praw: Any, since: datetime, now: datetime) -> Batch:
        subreddit = praw.subreddit("+".join(self.communities))
        items: list[tuple[str, Any]] = []
        reached = since
        listings = {"new": subreddit.new(limit=DEPTH), "comments": subreddit.comments(limit=DEPTH)}
        for kind, listing in listings.items():
            found, oldest, complete = _walk(kind, listing, since, now)
            items += found
            if not complete:
                # Reddit ends a listing at about a thousand: what is older was not shown
                reached = max(reached, oldest)
        if reached > since:
            # the communities were too busy to be read whole: at least what sounds like trouble
            found, _, _ = _walk(
                "search", subreddit.search(WORDS, sort="new", time_filter="week", limit=DEPTH), since, now
            )
            items += found
        batch = to_batch(items, source=self.name, fetched_at=now, salt=self._salt)
        return stream(self.name, batch.rows, batch.rejected, since, reached, now)

    def gone(self, names: Sequence[str], now: datetime) -> set[str]:
        """Return which of the stored posts (fullnames, a hundred at most) their authors or Reddit have taken away.

        One that Reddit no longer knows counts as taken away, unless it knows none of them. Raises SourceError.
        """
        limit = 4
        with self._client.session_for(self.name, {}, now, limit=limit) as session, _translated(self.name):
            kept, known = set(), 0
            for thing in self._praw(_watched(session, _Allowance())).info(fullnames=list(names)):
                fields, known = vars(thing), known + 1
                text = fields.get("body") if "body" in fields else fields.get("selftext")
                if text not in GONE and not fields.get("removed_by_category"):
                    kept.add(str(fields.get("name")))
            if not known and len(names) > 1:
                raise SourceError(f"knows none of {len(names)} posts; not taken for deletion", source=self.name)
        return set(names) - kept


def _watched(session: SourceSession, allowance: _Allowance) -> SourceSession:
    """Return the session with refusals read by us, before the client library sees them."""

    def refuse(response: Any) -> None:
        allowance.read(response)
        if response.status_code in (403, 429) or (response.status_code == 503 and "Retry-After" in response.headers):
            session.check_response(response)
        if "html" in response.headers.get("Content-Type", ""):
            raise SourceError("answered with a web page", reason=Reason.REFUSED)

    session.transport.inspect = refuse
    return session


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """Turn whatever praw and prawcore raise into a SourceError."""
    import praw.exceptions
    import prawcore

    try:
        yield
    except SourceError:
        raise
    except (prawcore.PrawcoreException, praw.exceptions.PRAWException, LookupError, ValueError, TypeError) as error:
        inner = getattr(error, "original_exception", None)
        if isinstance(inner, SourceError):
            raise inner from error
        status = getattr(getattr(error, "response", None), "status_code", None)
        words, reason = f"{type(error).__name__}: {plain(error, 160)}", Reason.UNREADABLE
        # prawcore fails on a 401 without the header it expects with a bare KeyError
        if status == 401 or error.args == (401,) or isinstance(error, prawcore.OAuthException | prawcore.InvalidToken):
            words, reason = "its key is not accepted; see https://www.reddit.com/prefs/apps", Reason.KEY
        elif isinstance(error, prawcore.NotFound | prawcore.Redirect):
            words, reason = "one of its communities does not exist", Reason.STATUS
        elif isinstance(error, prawcore.BadJSON | prawcore.UnavailableForLegalReasons):
            reason = Reason.REFUSED
        elif isinstance(inner, OSError):
            reason = failure_of(inner).reason
        raise SourceError(words, source=name, reason=reason, status=status) from error


def _walk(
    kind: str, listing: Iterable[Any], since: datetime, now: datetime
) -> tuple[list[tuple[str, Any]], datetime, bool]:
    """Return a listing's items since a moment, the oldest time seen, and whether it was read as far as wanted.

    Items a day older than wanted are left out: back-dated ones move nothing.
    """
    items: list[tuple[str, Any]] = []
    oldest, count, older = now, 0, 0
    for number, thing in enumerate(listing):
        # an attribute the listing lacks would be asked of Reddit, one request each
        fields = {key: value for key, value in vars(thing).items() if not key.startswith("_")}
        fields["author"] = "" if fields.get("author") is None else str(fields["author"])
        fields["subreddit"] = str(fields.get("subreddit", ""))
        count = number + 1
        try:
            created = from_epoch(fields.get("created_utc"))
        except ValueError:
            items.append((f"{kind} {number}", fields))  # refused alone, with the others
            continue
        older = older + 1 if created < since else 0
        if older >= KNOWN_IN_A_ROW:
            return items, oldest, True
        if created >= since - timedelta(days=1):
            items.append((f"{kind} {number}", fields))
        if not older:
            oldest = min(oldest, created)
    return items, oldest, older > 0 or count < CUT


def _build(config: Config, client: HttpClient, config_path: Path | None) -> list[RedditSource]:
    key = key_pair(config.secrets.reddit_client_id, config.secrets.reddit_client_secret)
    own = {name for service in named_services(config) for name in service.communities}
    communities = sorted({*own, *config.sources.communities}, key=str.lower)
    if not config.sources.reddit or key is None or not communities:
        return []
    return [
        RedditSource(
            communities,
            client,
            client_id=key[0],
            client_secret=key[1],
            salt=author_salt(config),
            base=config.sources.reddit_base,
        )
    ]


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
    enabled=lambda config: config.sources.reddit,
)
