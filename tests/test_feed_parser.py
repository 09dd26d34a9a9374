"""The parser of news feeds: plain text, no times in the future, one headline once, no path opened, no feed too slow."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from pipeline.core.errors import SourceError
from pipeline.core.records import NewsItem
from pipeline.core.times import utc
from pipeline.sources import (
    feed,
)

NOW = utc("2026-03-02T12:00:00Z")


def test_feed_text_is_plain_and_times_are_never_the_future() -> None:
    body = b"""<rss version="2.0"><channel><title>Wire</title>
    <item><title>A &lt;b&gt;bold&lt;/b&gt; claim - Outlet</title><guid>1</guid><source url="http://o">Outlet</source>
      <pubDate>Mon, 02 Mar 2026 11:00:00 GMT</pubDate><description>&lt;p&gt;x&lt;/p&gt;</description>
      <link>javascript:alert(1)</link></item>
    <item><title>Tomorrow</title><guid>2</guid><pubDate>Tue, 02 Mar 2027 11:00:00 GMT</pubDate></item>
    <item><title></title><guid>3</guid></item></channel></rss>"""
    batch = feed.parse_feed(body, source="x", fetched_at=NOW)
    first, second, third = (row for row in batch.rows if isinstance(row, NewsItem))
    assert (first.title, first.outlet, first.summary, first.url) == ("A bold claim", "Outlet", "x", "")
    assert second.published is None
    assert (third.native_id, third.title, third.published) == ("3", "(untitled)", None)


def test_json_feed_and_the_same_headline_behind_changing_links() -> None:
    body = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "J",
        "items": [
            {
                "id": 5,
                "url": "https://j.example/5",
                "title": "A <b>x</b>",
                "content_text": "text",
                "date_published": "2026-03-02T10:00:00+01:00",
            },
            7,
        ],
    }
    batch = feed.parse_feed(json.dumps(body).encode(), source="x", fetched_at=NOW)
    (item,) = batch.rows
    assert isinstance(item, NewsItem)
    assert (item.native_id, item.title, item.published) == ("5", "A x", utc("2026-03-02T09:00:00Z"))
    assert len(batch.rejected) == 1
    google = "<rss version='2.0'><channel><title>G</title>{}</channel></rss>"
    entry = (
        "<item><title>Down - Outlet</title><link>https://news.google.com/rss/articles/{0}</link><guid>{0}</guid>"
        "<source url='https://o'>Outlet</source></item>"
    )
    batch = feed.parse_feed(
        google.format(entry.format("CBMa") + entry.format("CBMb")).encode(), source="x", fetched_at=NOW
    )
    assert [row.outlet for row in batch.rows if isinstance(row, NewsItem)] == ["Outlet"]


def test_a_feed_that_takes_too_long_costs_itself_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "PARSE_SECONDS", 1.5)
    good = b"<rss version='2.0'><channel><title>W</title><item><title>T</title><guid>1</guid></item></channel></rss>"
    first = feed.parse_feed(good, source="x", fetched_at=NOW)
    bomb = (
        b"<rss version='2.0'><channel><title "
        + b" ".join(b"a%d='1'" % i for i in range(60_000))
        + b">x</title></channel></rss>"
    )
    began = time.monotonic()
    with pytest.raises(SourceError, match="not read within"):
        feed.parse_feed(bomb, source="x", fetched_at=NOW)
    assert time.monotonic() - began < 5
    assert feed.parse_feed(good, source="x", fetched_at=NOW) == first


def test_a_body_that_looks_like_a_path_is_never_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_text(
        "<rss version='2.0'><channel><title>secret</title><item><title>leaked</title></item></channel></rss>"
    )
    for body in (
        str(secret),
        f"file://{secret}",
        (
            f"<!DOCTYPE r [<!ENTITY x SYSTEM 'file://{secret}'>]>"
            "<rss version='2.0'><channel><item><title>&x;</title></item></channel></rss>"
        ),
    ):
        try:
            batch = feed.parse_feed(body.encode(), source="x", fetched_at=NOW)
        except SourceError:
            continue
        assert "leaked" not in str(batch)
