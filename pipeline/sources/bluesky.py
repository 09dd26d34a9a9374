"""Bluesky's search, which needs an account: GROUNDSWELL_BLUESKY_IDENTIFIER and an app password of it.

Make one under Settings, Privacy and security, App passwords, and put it in GROUNDSWELL_BLUESKY_PASSWORD.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode

from pipeline.core.errors import Reason, SourceError
from pipeline.core.records import Batch, Post, RejectedRow
from pipeline.core.times import iso, utc
from pipeline.http.session import HttpClient
from pipeline.sources.parsing import MOST_ROWS, author_key, not_from_the_future, plain, read_json, reject, stream

PAGE = 100
PAGES = 5


def parse_posts(body: bytes, *, source: str, fetched_at: datetime, salt: bytes = b"") -> Batch:
    """Parse an answer of app.bsky.feed.searchPosts; a bad post is refused alone. Raises SourceError otherwise.

    `indexedAt` is the time of a post: `createdAt` is what its author's program claims.
    """
    answer = read_json(body, source)
    posts = answer.get("posts") if isinstance(answer, dict) else None
    if not isinstance(posts, list):
        raise SourceError("no posts in the answer", source=source, reason=Reason.REFUSED, head=body[:200])
    rows: dict[str, Post] = {}
    bad: list[RejectedRow] = []
    for number, post in enumerate(posts[:MOST_ROWS]):
        try:
            native, record, author = plain(post["uri"], 300), post["record"], post["author"]
            if not native.startswith("at://"):
                raise ValueError("no at:// address")
            reply = record.get("reply")
            key, handle = native.rsplit("/", 1)[-1], plain(author.get("handle"), 250)
            rows[native] = Post(
                source="bluesky",
                native_id=native,
                kind="comment" if reply else "post",
                community="bluesky",
                author_key=author_key(plain(author["did"], 200), "bluesky", salt),
                author_created=None,
                created=not_from_the_future(utc(str(post["indexedAt"])), fetched_at),
                collected=fetched_at,
                parent_id=plain(reply["parent"]["uri"], 300) if reply else "",
                text=plain(record["text"], 3000),
                url=f"https://bsky.app/profile/{handle}/post/{key}" if handle.isascii() and key.isalnum() else "",
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            bad.append(reject(f"post {number}", error, post))
    return Batch(source=source, rows=tuple(rows.values()), rejected=tuple(bad), outcome="ok" if rows else "empty")


class BlueskySource:
    """Posts that name one of the watched services since last time."""

    def __init__(
        self, names: Sequence[str], client: HttpClient, *, identifier: str, password: str, salt: bytes, base: str
    ) -> None:
        """`base` is the account's own server; the session token lives as long as one fetch."""
        self.name = "bluesky"
        self._names, self._client, self._salt, self._base = tuple(names), client, salt, base.rstrip("/")
        self._login = json.dumps({"identifier": identifier, "password": password}).encode()

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        """Search each name in the span. Raises SourceError when any search fails: half a picture is a gap."""
        rows: dict[str, Post] = {}
        bad: list[RejectedRow] = []
        reached = since
        with self._client.session_for(self.name, state, now, limit=3 + len(self._names) * PAGES) as session:
            answer = session.post(
                f"{self._base}/xrpc/com.atproto.server.createSession",
                data=self._login,
                headers={"Content-Type": "application/json"},
            )
            login = read_json(answer.body or b"", self.name)
            token = login.get("accessJwt") if isinstance(login, dict) else None
            if not isinstance(token, str) or not token.isascii() or not token.isprintable():
                raise SourceError("no accessJwt in the answer to the password", source=self.name, reason=Reason.KEY)
            headers = {"Authorization": f"Bearer {token}"}
            for name in self._names:
                query = {"q": f'"{name}"', "sort": "latest", "since": iso(since), "until": iso(now), "limit": str(PAGE)}
                oldest = now
                for _ in range(PAGES):
                    url = f"{self._base}/xrpc/app.bsky.feed.searchPosts?{urlencode(query)}"
                    body = session.fetch(url, headers=headers).body or b""
                    batch = parse_posts(body, source=self.name, fetched_at=now, salt=self._salt)
                    found = [row for row in batch.rows if isinstance(row, Post)]
                    rows |= {post.native_id: post for post in found if post.created >= since}
                    bad += batch.rejected
                    oldest = min([oldest, *(post.created for post in found)])
                    cursor = read_json(body, self.name).get("cursor")
                    if not isinstance(cursor, str) or (found and max(post.created for post in found) < since):
                        break
                    query["cursor"] = cursor
                else:
                    reached = max(reached, oldest)
        return stream(self.name, rows.values(), bad, since, reached, now)
