"""Every pure parser under one signature, and a post as Reddit gives it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pipeline.core.records import Batch
from pipeline.sources import (
    bluesky,
    charts,
    counts,
    downdetector,
    downstatus,
    feed,
    hacker_news,
    json_lines,
    mastodon,
    reddit_posts,
)
from pipeline.sources.status import statuspage_json
from pipeline.sources.status.reader import Answer, PageContext
from pipeline.sources.status.statuspage_atom import STATUSPAGE_FEED
from tests.copies import replace


def parse_incidents(body: bytes, *, source: str, fetched_at: datetime) -> Batch:
    """Read a Statuspage answer under the host it names."""
    reading = statuspage_json.read(Answer(body=body), PageContext(page="p", source=source, fetched_at=fetched_at))
    page = statuspage_json.host_without_www(statuspage_json.page_address(body)) or source
    rows = tuple(replace(row, page=page) for row in reading.updates)
    return Batch(source=source, rows=rows, rejected=reading.rejected, outcome="ok" if rows else "empty")


def parse_history(body: bytes, *, source: str, fetched_at: datetime) -> Batch:
    """Read a Statuspage feed under the name of its host."""
    context = PageContext(page="status.claude.com", source=source, fetched_at=fetched_at)
    reading = STATUSPAGE_FEED.read(Answer(body=body), context)
    outcome = "ok" if reading.updates else "empty"
    return Batch(source=source, rows=reading.updates, rejected=reading.rejected, outcome=outcome)


JSON_PARSERS: dict[str, Callable[..., Batch]] = {
    "statuspage": parse_incidents,
    "downstatus": downstatus.parse_downstatus,
    "reddit": reddit_posts.parse_listing,
    "hacker_news": hacker_news.parse_hits,
    "mastodon": mastodon.parse_statuses,
    "bluesky": bluesky.parse_posts,
    "charts": charts.parse_chart,
    "downdetector": downdetector.parse_reports,
    "last_15": downdetector.parse_last_15,
}


def read_lines(body: bytes, *, source: str, fetched_at: datetime) -> Batch:
    """Read what a file of archived posts holds."""
    reader = reddit_posts.PostReader(source=source, fetched_at=fetched_at, salt=b"")
    chunk = json_lines.LineChunk(1, list(json_lines.lines_of([body], "line")))
    return reddit_posts.batch_of_lines(chunk, json_lines.place_in("line"), reader)


PARSERS: dict[str, Callable[..., Batch]] = {
    **JSON_PARSERS,
    "feed": feed.parse_feed,
    "history": parse_history,
    "csv": counts.parse_counts,
    "counts": counts.parse_counts,
    "archive": read_lines,
}


def reddit_item(number: int, created: float, title: str, text: str = "", author: str = "someone") -> dict[str, Any]:
    return {
        "id": f"p{number}",
        "name": f"t3_p{number}",
        "title": title,
        "selftext": text,
        "author": author,
        "subreddit": "ClaudeAI",
        "created_utc": float(created),
        "edited": False,
        "permalink": f"/r/ClaudeAI/comments/p{number}/x/",
        "removed_by_category": None,
    }
