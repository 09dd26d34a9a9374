"""Listings that come in pages, newest first: read back to a moment, never in a circle, and honest about how far."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from pipeline.core.errors import SourceError
from pipeline.core.records import Post, Record, RejectedRow

logger = logging.getLogger(__name__)


class Page(NamedTuple):
    """One page of a listing; `following` is the address or cursor of the next, older one, None on the last."""

    rows: tuple[Record, ...]
    rejected: tuple[RejectedRow, ...]
    following: str | None


class Listing(NamedTuple):
    """What was read of one or more listings of posts, by native id, and the moment it reaches back to without a gap."""

    posts: dict[str, Post]
    rejected: list[RejectedRow]
    reached: datetime


def pages(first: str, read: Callable[[str], Page], *, source: str, most: int) -> Iterator[Page]:
    """Yield a listing's pages from the first address or cursor on, `most` at most.

    Ends after the last page (`following` is None), at the cap, or before an address that was read already: an upstream
    that leads in a circle costs one page more, not an endless loop. The last page yielded tells which: only where its
    `following` is None was the listing read whole. Raises what `read` raises.
    """
    cursor: str | None = first
    read_already: set[str] = set()
    while cursor is not None and len(read_already) < most:
        read_already.add(cursor)
        page = read(cursor)
        yield page
        cursor = page.following
        if cursor in read_already:
            logger.info("%s: its pages lead in a circle after %d; the rest is a gap", source, len(read_already))
            return


def read_back(
    first: str, read: Callable[[str], Page], *, source: str, since: datetime, now: datetime, most: int
) -> Listing:
    """Read a listing of posts, newest first, back to `since` or as far as its pages go; see `pages`.

    `reached` is `since` when the listing ended or a whole page was older; otherwise the oldest post that was shown,
    since what lies before it is not known.
    """
    posts: dict[str, Post] = {}
    rejected: list[RejectedRow] = []
    oldest = now
    for page in pages(first, read, source=source, most=most):
        shown = [row for row in page.rows if isinstance(row, Post)]
        posts |= {post.native_id: post for post in shown if post.created >= since}
        rejected += page.rejected
        oldest = min([oldest, *(post.created for post in shown)])
        # a page of rows that are left out, or one back-dated post, is not the end
        if page.following is None or (shown and max(post.created for post in shown) < since):
            return Listing(posts, rejected, since)
    return Listing(posts, rejected, max(since, oldest))


def merged(listings: Iterable[Listing], since: datetime) -> Listing:
    """Return several listings as one, which reaches back no further than the shortest of them."""
    posts: dict[str, Post] = {}
    rejected: list[RejectedRow] = []
    reached = since
    for listing in listings:
        posts |= listing.posts
        rejected += listing.rejected
        reached = max(reached, listing.reached)
    return Listing(posts, rejected, reached)


def next_address(url: str, following: str, source: str) -> str:
    """Return the next page's address, which has to be on the same host, or the same one with another page number.

    `following` is what the upstream says of it: an address, or a number. Raises SourceError.
    """
    if following.isdecimal():
        parts = urlsplit(url)
        kept = [pair for pair in parts.query.split("&") if not pair.startswith("page=")]
        return parts._replace(query="&".join([*kept, f"page={following}"])).geturl()
    target = urljoin(url, following)
    if urlsplit(target).netloc != urlsplit(url).netloc:
        raise SourceError("its next page lies on another host", source=source)
    return target
