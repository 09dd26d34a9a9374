"""Hacker News through Algolia's search: stories and comments that name a watched service. No key is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from pipeline.config.settings import Config
from pipeline.core.catalogue import Service
from pipeline.core.errors import Reason, SourceError
from pipeline.core.records import Batch, Post, RejectedRow
from pipeline.core.vocabulary import PostKind
from pipeline.http.session import HttpClient, SourceSession
from pipeline.sources.author_keys import author_key
from pipeline.sources.pagination import Listing, Page, merged, read_back
from pipeline.sources.parsing import (
    MOST_ROWS,
    TITLE_CAP,
    from_epoch,
    not_from_the_future,
    plain,
    read_json,
    reject,
    said,
    stream,
    unmarked,
)
from pipeline.sources.spec import (
    MOST_SEARCHES,
    Coverage,
    DocsRow,
    ReadPlan,
    SourceSpec,
    author_salt,
    first_reason,
    named_services,
    unnamed,
)

PAGE = 1000  # the most the index gives for one query, whatever page is asked for
SLICES = 3
EVERYTHING = ""  # the search that finds all that is posted
SLICES_OF_EVERYTHING = 20  # a day and a half of it


def parse_hits(body: bytes, *, source: str, fetched_at: datetime, salt: bytes = b"") -> Batch:
    """Parse an answer of `/search_by_date`; a bad hit is refused alone. Raises SourceError on another answer.

    A comment's title is that of its story: it tells what a comment is about that does not name the service.
    """
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
                kind=PostKind.COMMENT if is_comment else PostKind.POST,
                community="HN",
                author_key=author_key(plain(hit.get("author"), 100), "hacker_news", salt),
                author_created=None,
                created=not_from_the_future(from_epoch(hit["created_at_i"]), fetched_at),
                collected=fetched_at,
                parent_id=plain(hit.get("parent_id"), 40),
                title=unmarked(hit.get("story_title") if is_comment else hit.get("title"), TITLE_CAP),
                text=said(hit.get("comment_text") or hit.get("story_text")),
                url=f"https://news.ycombinator.com/item?id={native}" if native.isdigit() else "",
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            bad.append(reject(f"hit {number}", error, hit))
    return Batch(source=source, rows=tuple(rows.values()), rejected=tuple(bad), outcome="ok" if rows else "empty")


def _is_cut(body: bytes, source: str) -> bool:
    """Return whether an answer holds fewer hits than it says there are; a full page says nothing reliable."""
    answer = read_json(body, source)
    given, announced = len(answer["hits"]), answer.get("nbHits")
    known = isinstance(announced, int) and not isinstance(announced, bool)
    return given >= PAGE or (known and given < announced)


class HackerNewsSource:
    """Everything that names one of the watched services since last time."""

    def __init__(self, names: Sequence[str], client: HttpClient, *, salt: bytes, base: str) -> None:
        """`names` are searched in quotes, so that the engine does not match what is merely spelt alike.

        With more than MOST_SEARCHES everything that is posted is read instead: one search finds it.
        """
        self.name = "hacker_news"
        names, self._slices = (names, SLICES) if len(names) <= MOST_SEARCHES else ([EVERYTHING], SLICES_OF_EVERYTHING)
        self._names, self._client, self._salt, self._base = tuple(names), client, salt, base.rstrip("/")

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        """Search each name in the span. Raises SourceError when any search fails: half a picture is a gap."""
        limit = len(self._names) * self._slices + 2
        with self._client.session_for(self.name, state, now, limit=limit) as session:
            found = merged((self._search(session, name, since, now) for name in self._names), since)
        return stream(self.name, found.posts.values(), found.rejected, since, found.reached, now)

    def _search(self, session: SourceSession, name: str, since: datetime, now: datetime) -> Listing:
        def read(until: str) -> Page:
            span = f"created_at_i>={int(since.timestamp())},created_at_i<{until}"
            query = {
                "query": f'"{name}"' if name else "",
                "tags": "(story,comment)",
                "numericFilters": span,
                "hitsPerPage": PAGE,
            }
            body = session.fetch(f"{self._base}/api/v1/search_by_date?{urlencode(query)}").body or b""
            batch = parse_hits(body, source=self.name, fetched_at=now, salt=self._salt)
            if not _is_cut(body, self.name):
                return Page(batch.rows, batch.rejected, None)
            # newest first and cut: ask again for what is older
            shown = [row.created for row in batch.rows if isinstance(row, Post) and row.created >= since]
            return Page(batch.rows, batch.rejected, str(min(int(until), int(min(shown, default=now).timestamp()) + 1)))

        first = str(int(now.timestamp()))
        listing = read_back(first, read, source=self.name, since=since, now=now, most=self._slices)
        # the second of the oldest one shown may hold more
        whole = listing.reached == since
        return listing if whole else listing._replace(reached=listing.reached + timedelta(seconds=1))


def _build(config: Config, client: HttpClient, config_path: Path | None) -> list[HackerNewsSource]:
    if not config.sources.hacker_news:
        return []
    # with nothing named to watch, two words find what is talked of as broken; the catalogue says what it is about
    names = [service.name for service in named_services(config)] or ["outage", "down"]
    return [HackerNewsSource(names, client, salt=author_salt(config), base=config.sources.hacker_news_base)]


def _covers(plan: ReadPlan, service: Service) -> Coverage:
    if len(plan.named) > MOST_SEARCHES:
        return first_reason("hacker_news" in plan.built, "all that is posted")
    named = service.id in plan.named
    how = f'"{service.name}"' if named else 'only where "outage" or "down" is said'
    return first_reason("hacker_news" in plan.built and (named or not plan.named), how, unnamed(plan, service))


SPEC = SourceSpec(
    kind="hacker_news",
    label="Hacker News",
    build=_build,
    covers=_covers,
    remedy="wait; its index needs no key",
    docs=DocsRow(
        "Hacker News (`hacker_news`)",
        "stories and comments that name a watched service; a comment counts only where its own words report",
        "none",
        f"back to the last run, 3,000 a name; 20,000 of all that is posted where more than {MOST_SEARCHES} are watched",
        "60 s",
    ),
)
