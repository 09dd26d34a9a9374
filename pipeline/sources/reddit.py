"""Reddit through praw.

Read-only application access: GROUNDSWELL_REDDIT_CLIENT_ID and GROUNDSWELL_REDDIT_CLIENT_SECRET from the
environment. New keys need Reddit's approval, so everything else works without this source.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from pipeline.config.settings import Config
from pipeline.core.catalogue import Service
from pipeline.core.errors import SourceError
from pipeline.core.records import Batch
from pipeline.core.times import iso
from pipeline.http.retry import retry_after
from pipeline.http.session import HttpClient
from pipeline.sources.parsing import stream
from pipeline.sources.reddit_client import Access, Allowance, Item, open_client, translated_errors, walk
from pipeline.sources.reddit_posts import GONE, to_batch
from pipeline.sources.spec import (
    Coverage,
    DocsRow,
    ReadPlan,
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


class RedditSource:
    """New posts and comments of the communities of the watched services, and what a search there finds."""

    def __init__(self, communities: Sequence[str], client: HttpClient, access: Access, *, salt: bytes) -> None:
        """`communities` are names without r/; `salt` keys the hashes of authors."""
        self.name = "reddit"
        self.communities = tuple(communities)
        self._client, self._access, self._salt = client, access, salt

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        """Read back to `since`, at most a thousand deep; a shallower reach is given in `covered`.

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
        return structs.replace(batch, state={"retry_after": until})

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
        values = enumerate(item.value for item in items)
        batch = to_batch(values, lambda number: items[number].place, source=self.name, fetched_at=now, salt=self._salt)
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


def _covers(plan: ReadPlan, service: Service) -> Coverage:
    return first_reason(
        "reddit" in plan.built and service.id in plan.named and bool(service.communities),
        ", ".join(f"r/{c}" for c in service.communities),
        unnamed(plan, service),
        "" if service.communities else "no community in the catalogue",
        SPEC.missing_key(plan.config),
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
