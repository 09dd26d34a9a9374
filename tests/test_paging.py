"""Listings in pages, over real sockets: read back to a moment, never in a circle; coverage ends where reading did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pipeline.core.records import Batch
from pipeline.sources import bluesky, hacker_news, mastodon
from pipeline.sources.pagination import Page, pages
from tests.fakes.recording import Recording
from tests.upstreams import NOW, TWO_HOURS, client, serving, source_of

SHOWN = {
    "bluesky": bluesky.PAGES * bluesky.PAGE,
    "mastodon": mastodon.PAGES * mastodon.PAGE,
    "hacker_news": hacker_news.SLICES * hacker_news.PAGE,
}
EVERY = timedelta(seconds=10)
WHOLE_SECOND = {"hacker_news": timedelta(seconds=1)}  # its pages are cut by the second: the last one may hold more


def busy(posts: int) -> Recording:
    """Return a recording in which somebody writes every ten seconds."""
    recording = Recording()
    recording.posts_made = [
        {
            "id": f"p{i}",
            "title": "Claude is down",
            "selftext": "",
            "author": f"u{i}",
            "subreddit": "ClaudeAI",
            "created_utc": (NOW - i * EVERY).timestamp(),
        }
        for i in range(1, posts + 1)
    ]
    return recording


def read(kind: str, recording: Recording, reach: timedelta, *, circles: bool = False) -> tuple[Batch, int]:
    """Return what a source reads back over a span, and how many pages it asked for."""
    with serving(kind, recording=recording) as fake:
        fake.circles = circles  # type: ignore[attr-defined]
        options: dict[str, Any] = {"mastodon_tags": ("claudedown",)} if kind == "mastodon" else {}
        batch = source_of(kind, fake.url, client(), **options).fetch(NOW - reach, NOW, {})
        return batch, sum("createSession" not in request.path for request in fake.requests)


@pytest.mark.parametrize("kind", SHOWN)
def test_a_listing_is_read_back_to_the_moment_asked_for(kind: str) -> None:
    batch, _ = read(kind, busy(300), timedelta(minutes=25))
    assert batch.covered is not None
    assert (batch.covered.since, batch.detail) == (NOW - timedelta(minutes=25), "")
    assert len(batch.rows) == 150


@pytest.mark.parametrize("kind", SHOWN)
def test_what_lies_behind_the_last_page_is_a_gap(kind: str) -> None:
    shown = SHOWN[kind]
    batch, asked = read(kind, busy(shown + 200), timedelta(days=3))
    assert batch.covered is not None
    reached = NOW - (len(batch.rows)) * EVERY + WHOLE_SECOND.get(kind, timedelta(0))
    assert shown - 5 <= len(batch.rows) <= shown
    assert batch.covered.since == reached
    assert "could reach back only to" in batch.detail
    assert asked == {"bluesky": bluesky.PAGES, "mastodon": mastodon.PAGES, "hacker_news": hacker_news.SLICES}[kind]


@pytest.mark.parametrize("kind", SHOWN)
def test_pages_that_lead_in_a_circle_end_and_are_a_gap(kind: str) -> None:
    batch, asked = read(kind, busy(300), timedelta(days=3), circles=True)
    assert batch.covered is not None
    assert batch.rows, "what was shown before the circle is kept"
    oldest = min(row.created for row in batch.rows if hasattr(row, "created"))
    assert batch.covered.since == oldest + WHOLE_SECOND.get(kind, timedelta(0))
    assert "could reach back only to" in batch.detail
    assert asked <= 2, "the same page is not asked for over and over"


def test_a_circle_of_several_pages_is_seen_too() -> None:
    following = {"a": "b", "b": "c", "c": "a"}
    asked = list(pages("a", lambda cursor: Page((), (), following[cursor]), source="s", most=100))
    assert [page.following for page in asked] == ["b", "c", "a"]
    assert len(list(pages("a", lambda cursor: Page((), (), cursor + "x"), source="s", most=4))) == 4
    assert len(list(pages("a", lambda cursor: Page((), (), None), source="s", most=4))) == 1


def test_counts_whose_pages_lead_in_a_circle_cover_nothing() -> None:
    with serving("downdetector") as fake:
        fake.page, fake.circles = 4, True  # type: ignore[attr-defined]
        batch = source_of("downdetector", fake.url, client()).fetch(TWO_HOURS, NOW, {})
        asked = sum(request.path.endswith("/reports") for request in fake.requests)
    assert (asked, batch.covered, bool(batch.rows)) == (2, None, True)
    assert "the rest was left" in batch.detail
