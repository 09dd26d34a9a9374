"""Bluesky's search, which needs an account: GROUNDSWELL_BLUESKY_IDENTIFIER and an app password of it.

Make one under Settings, Privacy and security, App passwords, and put it in GROUNDSWELL_BLUESKY_PASSWORD.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

from pipeline.config.settings import Config
from pipeline.core.catalogue import Service
from pipeline.core.errors import Reason, SourceError
from pipeline.core.records import Batch, Post, RejectedRow
from pipeline.core.times import iso, utc
from pipeline.core.vocabulary import PostKind
from pipeline.http.session import HttpClient, SourceSession
from pipeline.sources.author_keys import author_key
from pipeline.sources.pagination import Listing, Page, merged, read_back
from pipeline.sources.parsing import (
    MOST_ROWS,
    not_from_the_future,
    plain,
    read_json,
    reject,
    stream,
    text_field,
)
from pipeline.sources.spec import (
    MOST_SEARCHES,
    Coverage,
    DocsRow,
    ReadPlan,
    SourceSpec,
    author_salt,
    first_reason,
    key_pair,
    searched_services,
    unsearched,
)

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
                kind=PostKind.BOT if _is_bot(author) else PostKind.COMMENT if reply else PostKind.POST,
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


def _is_bot(author: Mapping[str, object]) -> bool:
    """Return whether an account is labelled as automated: by convention bots label themselves so."""
    labels = author.get("labels")
    return isinstance(labels, list) and any(
        isinstance(label, dict) and label.get("val") == "bot" and not label.get("neg") for label in labels
    )


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
        limit = 3 + len(self._names) * PAGES
        with self._client.session_for(self.name, state, now, limit=limit) as session:
            headers = {"Authorization": f"Bearer {self._log_in(session)}"}
            found = merged((self._search(session, headers, name, since, now) for name in self._names), since)
        return stream(self.name, found.posts.values(), found.rejected, since, found.reached, now)

    def _log_in(self, session: SourceSession) -> str:
        """Return the token of a new session there; raises SourceError."""
        answer = session.post(
            f"{self._base}/xrpc/com.atproto.server.createSession",
            data=self._login,
            headers={"Content-Type": "application/json"},
        )
        token = text_field(read_json(answer.body or b"", self.name), "accessJwt")
        if token is None or not token.isascii() or not token.isprintable():
            raise SourceError("no accessJwt in the answer to the password", source=self.name, reason=Reason.KEY)
        return token

    def _search(
        self, session: SourceSession, headers: Mapping[str, str], name: str, since: datetime, now: datetime
    ) -> Listing:
        query = {"q": f'"{name}"', "sort": "latest", "since": iso(since), "until": iso(now), "limit": str(PAGE)}

        def read(cursor: str) -> Page:
            asked = urlencode(query | ({"cursor": cursor} if cursor else {}))
            body = session.fetch(f"{self._base}/xrpc/app.bsky.feed.searchPosts?{asked}", headers=headers).body or b""
            batch = parse_posts(body, source=self.name, fetched_at=now, salt=self._salt)
            return Page(batch.rows, batch.rejected, text_field(read_json(body, self.name), "cursor") or None)

        return read_back("", read, source=self.name, since=since, now=now, most=PAGES)


def _build(config: Config, client: HttpClient, config_path: Path | None) -> list[BlueskySource]:
    key = key_pair(config.secrets.bluesky_identifier, config.secrets.bluesky_password)
    names = [service.name for service in searched_services(config)]
    if not config.sources.bluesky or key is None or not names:
        return []
    return [
        BlueskySource(
            names,
            client,
            identifier=key[0],
            password=key[1],
            salt=author_salt(config),
            base=config.sources.bluesky_base,
        )
    ]


def _covers(plan: ReadPlan, service: Service) -> Coverage:
    covered = "bluesky" in plan.built and not unsearched(plan, service)
    return first_reason(covered, f'"{service.name}"', unsearched(plan, service), SPEC.missing_key(plan.config))


SPEC = SourceSpec(
    kind="bluesky",
    label="Bluesky",
    build=_build,
    covers=_covers,
    remedy="check GROUNDSWELL_BLUESKY_IDENTIFIER; make an app password at https://bsky.app/settings/app-passwords",
    docs=DocsRow(
        "Bluesky (`bluesky`)",
        "posts that name a watched service, by when they were indexed",
        "app password",
        f"back to the last run, 500 a name, of the first {MOST_SEARCHES}",
        "60 s",
    ),
    secrets=("bluesky_identifier", "bluesky_password"),
    where_to_get_a_key="https://bsky.app/settings/app-passwords",
    key_kind="an app password",
)
