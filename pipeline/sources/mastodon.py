"""Mastodon: what public hashtag timelines of an instance say, without a key where the instance allows it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from pipeline.config.settings import Config
from pipeline.core.catalogue import Service
from pipeline.core.errors import Reason, SourceError
from pipeline.core.records import Batch, Post, RejectedRow
from pipeline.core.times import utc
from pipeline.core.vocabulary import PostKind
from pipeline.http.session import HttpClient, SourceSession
from pipeline.sources.author_keys import author_key
from pipeline.sources.pagination import Listing, Page, merged, read_back
from pipeline.sources.parsing import (
    MOST_ROWS,
    TITLE_CAP,
    not_from_the_future,
    past,
    plain,
    read_json,
    reject,
    said,
    stream,
    unmarked,
)
from pipeline.sources.spec import Coverage, DocsRow, ReadPlan, SourceSpec, author_salt, searched_services

PAGE = 40
PAGES = 5
TAGS_AT_ONCE = 5  # one in the path and four in the query
NO_SUCH_ENDPOINT = frozenset({404, 405, 410, 501})
_HOST = re.compile(r"https?://([^/?#\s]{1,253})")
_NEXT = re.compile(r'<([^<>]{1,2000})>\s*;\s*rel="next"')


def parse_statuses(body: bytes, *, source: str, fetched_at: datetime, salt: bytes = b"") -> Batch:
    """Parse a timeline; boosts are left out, a bad status is refused alone. Raises SourceError otherwise.

    A status is known by its `uri`: two instances show the same one under different ids.
    """
    answer = read_json(body, source)
    if not isinstance(answer, list):
        words = plain(answer.get("error"), 100) if isinstance(answer, dict) else "no list of statuses"
        raise SourceError(words or "no list of statuses", source=source, reason=Reason.REFUSED, head=body[:200])
    rows: dict[str, Post] = {}
    bad: list[RejectedRow] = []
    for number, status in enumerate(answer[:MOST_ROWS]):
        try:
            account = status["account"]
            if status.get("reblog"):
                continue
            native = plain(status["uri"], 300)
            if not native:
                raise ValueError("no uri")
            # a content warning is the author's own words, also where it is that of a reply
            warning, text = unmarked(status.get("spoiler_text"), TITLE_CAP), said(status.get("content"))
            reply = bool(status.get("in_reply_to_id"))
            kind = PostKind.BOT if account.get("bot") else PostKind.COMMENT if reply else PostKind.POST
            born, edited = account.get("created_at"), status.get("edited_at")
            rows[native] = Post(
                source="mastodon",
                native_id=native,
                kind=kind,
                community="#mastodon",
                author_key=author_key(_address(plain(account["acct"], 200), native), "mastodon", salt),
                author_created=past(utc(born), fetched_at) if isinstance(born, str) else None,
                created=not_from_the_future(utc(str(status["created_at"])), fetched_at),
                collected=fetched_at,
                edited=past(utc(edited), fetched_at) if isinstance(edited, str) else None,
                parent_id=plain(status.get("in_reply_to_id"), 40),
                title="" if reply else warning,
                text=f"{warning}\n{text}".strip() if reply else text,
                url=native if native.startswith("https://") else "",
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            bad.append(reject(f"status {number}", error, status))
    return Batch(source=source, rows=tuple(rows.values()), rejected=tuple(bad), outcome="ok" if rows else "empty")


def _address(account: str, uri: str) -> str:
    """Return an author by name and server: an instance leaves the server out of its own accounts' names.

    The server is the one where the post was written, the same whichever instance shows it.
    """
    host = _HOST.match(uri)
    return f"{account.partition('@')[0]}@{host[1].lower()}" if account and host else account


class MastodonSource:
    """The hashtags of the watched services, as one instance sees them."""

    def __init__(self, instance: str, tags: Sequence[str], client: HttpClient, *, salt: bytes) -> None:
        """`instance` is a base address such as https://mastodon.social; tags come without `#`."""
        self.name = f"mastodon:{urlsplit(instance).hostname}"
        self._base, self._client, self._salt = instance.rstrip("/"), client, salt
        self._groups = [tags[i : i + TAGS_AT_ONCE] for i in range(0, len(tags), TAGS_AT_ONCE)]

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        """Read back to `since`, some pages deep. Raises SourceError, also where guests are shown nothing."""
        limit = len(self._groups) * PAGES + 3
        with self._client.session_for(self.name, state, now, limit=limit) as session:
            found = merged((self._read_tags(session, tags, since, now) for tags in self._groups), since)
            if not found.posts and not found.rejected:
                self._check_open(session)
        return stream(self.name, found.posts.values(), found.rejected, since, found.reached, now)

    def _read_tags(self, session: SourceSession, tags: Sequence[str], since: datetime, now: datetime) -> Listing:
        def read(url: str) -> Page:
            answer = session.fetch(url)
            batch = parse_statuses(answer.body or b"", source=self.name, fetched_at=now, salt=self._salt)
            return Page(batch.rows, batch.rejected, self._next(answer.headers.get("link", "")))

        query = urlencode([("limit", PAGE), *(("any[]", tag) for tag in tags[1:])])
        first = f"{self._base}/api/v1/timelines/tag/{quote(tags[0])}?{query}"
        return read_back(first, read, source=self.name, since=since, now=now, most=PAGES)

    def _next(self, link: str) -> str | None:
        match = _NEXT.search(link)
        if match is None:
            return None
        # followed on the same instance only
        return match[1] if urlsplit(match[1]).netloc == urlsplit(self._base).netloc else None

    def _check_open(self, session: SourceSession) -> None:
        """Raise SourceError when the empty list means that guests are shown nothing (Mastodon since version 4.5).

        Servers without `/api/v2/instance` (Mastodon 3, GoToSocial, Pixelfed, Friendica) have no such setting.
        """
        try:
            answer = read_json(session.fetch(f"{self._base}/api/v2/instance").body or b"", self.name)
        except SourceError as error:
            if error.status in NO_SUCH_ENDPOINT:
                return
            raise
        try:
            access = answer["configuration"]["timelines_access"]["hashtag_feeds"]
        except (KeyError, TypeError):
            return  # older: there a closed timeline answers 401
        if "public" not in (access.values() if isinstance(access, dict) else [access]):
            raise SourceError(
                "this instance shows hashtags to no guest; choose another", source=self.name, reason=Reason.REFUSED
            )


def hashtags(config: Config) -> list[str]:
    """Return the hashtags to read: those of the configuration, else `…down` of the first services named, #outage."""
    made = [re.sub(r"\W", "", s.name.lower()) + "down" for s in searched_services(config)]
    return list(config.sources.mastodon_tags) or [*made, "outage"]


def _build(config: Config, client: HttpClient, config_path: Path | None) -> list[MastodonSource]:
    tags = hashtags(config)
    return [MastodonSource(url, tags, client, salt=author_salt(config)) for url in config.sources.mastodon]


def _covers(plan: ReadPlan, service: Service) -> Coverage:
    if not plan.config.sources.mastodon:
        return Coverage(covered=False, how="no instance in sources.mastodon")
    own = f"{re.sub(r'[^a-z0-9_]', '', service.name.lower())}down"
    every = hashtags(plan.config)
    tags = [tag for tag in every if tag in (own, "outage")] or every
    return Coverage(covered=True, how=f"#{', #'.join(tags)}")


SPEC = SourceSpec(
    kind="mastodon",
    label="Mastodon",
    build=_build,
    covers=_covers,
    remedy="choose another instance in sources.mastodon",
    docs=DocsRow(
        "Mastodon (`mastodon`)",
        "hashtags (`#claudedown`, `#outage`, or `mastodon_tags`) as instances of your choice see them",
        "none",
        "back to the last run, 200 a group of five tags",
        "60 s",
    ),
)
