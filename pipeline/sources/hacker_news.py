"""Hacker News through Algolia's search: stories and comments that name a watched service. No key is needed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

from pipeline.core.errors import Reason, SourceError
from pipeline.core.records import Batch, Post, RejectedRow
from pipeline.http.session import HttpClient
from pipeline.sources.parsing import (
    MOST_ROWS,
    TITLE_CAP,
    author_key,
    from_epoch,
    not_from_the_future,
    plain,
    read_json,
    reject,
    stream,
    unmarked,
)

PAGE = 1000  # the most the index gives for one query, whatever page is asked for
SLICES = 3


def parse_hits(body: bytes, *, source: str, fetched_at: datetime, salt: bytes = b"") -> Batch:
    """Parse an answer of `/search_by_date`; a bad hit is refused alone. Raises SourceError on another answer."""
    answer = read_json(body, source)
    hits = answer.get("hits") if isinstance(answer, dict) else None
    if not isinstance(hits, list):
        raise SourceError("no hits in the answer", source=source, reason=Reason.REFUSED, head=body[:200])
    rows: dict[str, Post] = {}
    bad: list[RejectedRow] = []
    for number, hit in enumerate(hits[:MOST_ROWS]):
        try:
            native = plain(hit["objectID"], 40)
            if not native:
                raise ValueError("no objectID")
            is_comment = bool(hit.get("comment_text"))
            rows[native] = Post(
                source="hacker_news",
                native_id=native,
                kind="comment" if is_comment else "post",
                community="HN",
                author_key=author_key(plain(hit.get("author"), 100), "hacker_news", salt),
                author_created=None,
                created=not_from_the_future(from_epoch(hit["created_at_i"]), fetched_at),
                collected=fetched_at,
                parent_id=plain(hit.get("parent_id"), 40),
                title=unmarked(hit.get("title"), TITLE_CAP),
                text=unmarked(hit.get("comment_text") or hit.get("story_text")),
                url=f"https://news.ycombinator.com/item?id={native}" if native.isdigit() else "",
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            bad.append(reject(f"hit {number}", error, hit))
    return Batch(source=source, rows=tuple(rows.values()), rejected=tuple(bad), outcome="ok" if rows else "empty")


def _given(body: bytes, source: str) -> tuple[int, int]:
    """Return how many hits an answer holds, and how many it says there are; a full page says nothing reliable."""
    answer = read_json(body, source)
    given, told = len(answer["hits"]), answer.get("nbHits")
    known = told if isinstance(told, int) and not isinstance(told, bool) else given
    return given, max(known, given + 1) if given >= PAGE else known


class HackerNewsSource:
    """Everything that names one of the watched services since last time."""

    def __init__(self, names: tuple[str, ...], client: HttpClient, *, salt: bytes, base: str) -> None:
        """`names` are searched in quotes, so that the engine does not match what is merely spelt alike."""
        self.name = "hacker_news"
        self._names, self._client, self._salt, self._base = names, client, salt, base.rstrip("/")

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        """Search each name in the span. Raises SourceError when any search fails: half a picture is a gap."""
        rows: dict[str, Post] = {}
        rejected: list[RejectedRow] = []
        reached = since
        limit = len(self._names) * SLICES + 2
        with self._client.session_for(self.name, state, now, limit=limit) as session:
            for name in self._names:
                until = int(now.timestamp())
                for _ in range(SLICES):
                    span = f"created_at_i>={int(since.timestamp())},created_at_i<{until}"
                    query = urlencode(
                        {"query": f'"{name}"', "tags": "(story,comment)", "numericFilters": span, "hitsPerPage": PAGE}
                    )
                    answer = session.fetch(f"{self._base}/api/v1/search_by_date?{query}")
                    batch = parse_hits(answer.body or b"", source=self.name, fetched_at=now, salt=self._salt)
                    found = [row for row in batch.rows if isinstance(row, Post) and row.created >= since]
                    rows |= {post.native_id: post for post in found}
                    rejected += batch.rejected
                    given, of = _given(answer.body or b"", self.name)
                    if given >= of:
                        break
                    # newest first and cut: ask again for what is older
                    oldest = min([post.created for post in found], default=now)
                    if int(oldest.timestamp()) + 1 >= until:
                        reached = max(reached, oldest)
                        break
                    until = int(oldest.timestamp()) + 1
                else:
                    reached = max(reached, oldest + timedelta(seconds=1))
        return stream(self.name, rows.values(), rejected, since, reached, now)
