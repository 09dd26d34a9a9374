"""The pure parsers on good and hostile bytes, ours and other people's."""

from __future__ import annotations

import csv
import gc
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.errors import SourceError
from pipeline.core.records import Batch, NewsItem, StatusUpdate
from pipeline.core.times import utc
from pipeline.core.vocabulary import PostKind
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
from pipeline.sources.parsing import read_json
from pipeline.sources.status import statuspage_json
from pipeline.sources.status.reader import Answer, PageContext
from pipeline.sources.status.statuspage_atom import STATUSPAGE_FEED
from tests.fakes.faults import PAGE
from tests.fakes.recording import Recording
from tests.fakes.statuspage import Statuspage
from tests.upstreams import recorded_day

NOW = utc("2026-03-02T12:00:00Z")


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
    values = [value for values in json_lines.values_of(json_lines.lines_of([body], "line")) for value in values]
    return reddit_posts.to_batch(values, json_lines.place_in("line"), source=source, fetched_at=fetched_at)


PARSERS: dict[str, Callable[..., Batch]] = {
    **JSON_PARSERS,
    "feed": feed.parse_feed,
    "history": parse_history,
    "csv": counts.parse_counts,
    "counts": counts.parse_counts,
    "archive": read_lines,
}
HOSTILE = [
    b"",
    b"\x00\xff\xfe",
    b"<html><title>Just a moment...</title></html>",
    b"{}",
    b"[]",
    b"null",
    b"[" * 5000,
    b'{"a":NaN}',
    b"/etc/passwd",
    b"file:///etc/passwd",
    b"\xed\xa0\x80",
    b'{"data":{"children":[1,null,{"data":{}}]}}',
    b'{"incidents":[null,{"id":1},{"incident_updates":[5]}]}',
    b'{"hits":[null,{"objectID":{}}]}',
    b"service,start_utc,interval_s,total\n\x00,,,\n",
]


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Collect no garbage within: at the limit of recursion the ends of what other tests left would fail."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_a_parser_gives_a_batch_or_one_line(name: str, body: bytes) -> None:
    try:
        batch = PARSERS[name](body, source="x", fetched_at=NOW)
    except SourceError as error:
        assert "\n" not in str(error)
    else:
        assert all(row.collected <= NOW for row in batch.rows)


def test_a_web_page_is_blocked_not_empty() -> None:
    for name in (*JSON_PARSERS, "feed", "history"):
        with pytest.raises(SourceError) as caught:
            PARSERS[name](PAGE, source="x", fetched_at=NOW)
        assert caught.value.head == PAGE[:200], name
        assert caught.value.outcome == "blocked", name


def test_times_out_of_this_world_are_refused() -> None:
    for stamp in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "1970-01-01T00:00:00Z"):
        with pytest.raises(ValueError, match="between 2000 and 2100"):
            utc(stamp)


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


def test_status_times_with_offsets_and_components() -> None:
    incident = {
        "id": "i",
        "name": "n",
        "impact": "major",
        "incident_updates": [
            {
                "id": "u",
                "status": "investigating",
                "body": "<p>b</p>",
                "created_at": "2026-03-02T03:49:20.000-08:00",
                "display_at": "2026-03-02T03:49:20.000-08:00",
                "affected_components": [
                    {"name": "claude.ai", "old_status": "operational", "new_status": "partial_outage"}
                ],
            }
        ],
    }
    body = json.dumps({"page": {"url": "https://status.claude.com"}, "incidents": [incident]}).encode()
    (update,) = parse_incidents(body, source="x", fetched_at=NOW).rows
    assert isinstance(update, StatusUpdate)
    assert (update.page, update.displayed_at) == ("status.claude.com", utc("2026-03-02T11:49:20Z"))
    assert update.components == (("claude.ai", "operational", "partial_outage"),)


def test_deleted_posts_keep_nothing_of_the_author() -> None:
    gone = {**_post(1, 1772450000, "[removed]", "[removed]"), "removed_by_category": "moderator"}
    row = reddit_posts.to_post(gone, source="reddit", fetched_at=NOW, salt=b"s")
    assert (row.deleted, row.author_key, row.title, row.text) == (True, "", "", "")
    kept = reddit_posts.to_post(_post(2, 1772450000, "t"), source="reddit", fetched_at=NOW, salt=b"s")
    assert (
        kept.author_key
        == reddit_posts.to_post(_post(3, 1772450000, "u"), source="reddit", fetched_at=NOW, salt=b"s").author_key
    )
    assert "someone" not in str(kept)


def _post(number: int, created: float, title: str, text: str = "", author: str = "someone") -> dict[str, Any]:
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


@pytest.mark.parametrize("plain", [False, True])
def test_both_dialects_of_the_history_feed_say_what_the_api_says(plain: bool) -> None:
    fake = Statuspage.__new__(Statuspage)  # only its words are wanted, not its socket
    fake.plain = plain
    page = recorded_day().page("claude", NOW)
    assert page is not None
    atom = parse_history(fake._atom(page).encode(), source="x", fetched_at=NOW)
    api = parse_incidents(json.dumps(page).encode(), source="x", fetched_at=NOW)
    assert not atom.rejected

    def told(batch: Batch) -> set[tuple[str, str, str, str]]:
        return {
            (u.page, u.incident_id, u.status, f"{u.displayed_at:%m-%d %H:%M}")
            for u in batch.rows
            if isinstance(u, StatusUpdate)
        }

    assert told(atom) == told(api)


def test_the_year_a_history_feed_leaves_out_is_the_one_before_its_own_date() -> None:
    body = (
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>S</title><entry><id>1</id>"
        "<link href='https://s.example/incidents/abc'/><title>T</title>"
        "<updated>2026-01-01T02:00:00Z</updated><published>2025-12-31T23:00:00Z</published>"
        "<content type='html'>&lt;p&gt;&lt;small&gt;Jan 1, 01:50 UTC&lt;/small&gt;&lt;br&gt;"
        "&lt;strong&gt;Resolved&lt;/strong&gt; - x&lt;/p&gt;&lt;p&gt;&lt;small&gt;Dec 31, 15:10 PST&lt;/small&gt;"
        "&lt;br&gt;&lt;strong&gt;Investigating&lt;/strong&gt; - y&lt;/p&gt;"
        "&lt;p&gt;&lt;small&gt;Dec 31, 15:00 IST&lt;/small&gt;&lt;br&gt;"
        "&lt;strong&gt;Identified&lt;/strong&gt; - z&lt;/p&gt;</content></entry></feed>"
    )
    rows = parse_history(body.encode(), source="x", fetched_at=NOW).rows
    assert [(u.status, f"{u.displayed_at:%Y-%m-%d %H:%M}") for u in rows if isinstance(u, StatusUpdate)] == [
        ("investigating", "2025-12-31 23:10"),
        ("resolved", "2026-01-01 01:50"),
    ]


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


def test_legacy_charts_have_a_bare_object_for_a_single_app() -> None:
    entry = {"im:name": {"label": "App"}, "id": {"attributes": {"im:id": "1"}}}
    for body in ({"feed": {"entry": entry}}, {"feed": {"entry": [entry]}}):
        (row,) = charts.parse_chart(json.dumps(body).encode(), source="x", fetched_at=NOW, country="us").rows
        assert (row.app, row.rank, row.observed) == ("App", 1, NOW)  # type: ignore[union-attr]


def test_the_recording_of_the_stand_ins_is_the_recorded_day() -> None:
    assert Recording().posts(NOW) == []
    assert len(recorded_day().posts(utc("2026-03-05T00:00:00Z"))) > 9000


@pytest.mark.slow
def test_bad_inputs_of_the_world(eval_data: Path) -> None:
    """Every bad input of every kind, through every parser that might be given it: each `expect` of its index is met."""
    now = utc("2026-11-02T12:00:00Z")
    with (eval_data / "bad" / "INDEX.tsv").open(encoding="utf-8", newline="") as file:
        index = list(csv.DictReader(file, delimiter="\t"))
    tried, unmet = 0, []
    for row in index:
        body = (eval_data / "bad" / row["path"]).read_bytes()
        names = {
            "feed": ["feed", "history"],
            "xml": ["feed"],
            "html": ["feed", "history"],
            "counts": ["counts", "csv"],
            "csv": ["counts", "csv"],
            "statuspage": ["statuspage"],
            "posts": ["reddit"],
        }.get(row["kind"], [*PARSERS] if row["kind"] in ("json", "gzip", "zlib", "url") else [])
        for name in names:
            tried += 1
            began = time.process_time()
            try:
                batch: Batch | None = PARSERS[name](body, source="x", fetched_at=now)
            except SourceError as error:
                assert "\n" not in str(error)
                batch = None
            assert time.process_time() - began < 10, row["path"]
            if name == names[0] and not _as_expected(row, body, batch):
                unmet.append(f"{row['path']}: {row['expect']}")
        if row["kind"] == "json" and row["expect"] in ("accept", "reject"):
            try:
                read_json(body, "x")
                got = "accept"
            except SourceError:
                got = "reject"
            if got != row["expect"]:
                unmet.append(f"{row['path']}: {row['expect']}")
    assert tried > 8000
    assert not unmet, "\n".join(unmet)


def _as_expected(row: dict[str, str], body: bytes, batch: Batch | None) -> bool:
    """Say whether what INDEX.tsv asks of a file holds; `survive` asks no more than to come back."""
    expect = row["expect"]
    if expect == "parse" and row["kind"] == "feed":
        # a feed without entries has none to store; a body feedparser itself finds none in cannot be asked for one
        entries = body.lower().count(b"<item") + body.lower().count(b"<entry")
        return batch is not None and (bool(batch.rows) or not entries) if entries else True
    if expect == "parse":
        return batch is not None and bool(batch.rows)
    if expect == "quarantine":
        return batch is None or not batch.rows
    if expect == "4-good-rows-kept":
        return batch is not None and len({getattr(row, "native_id", "") for row in batch.rows}) >= 4
    if expect == "sane-time":
        return batch is not None and all(
            r.published is None or r.published <= utc("2026-11-02T12:05:00Z")
            for r in batch.rows
            if isinstance(r, NewsItem)
        )
    if expect == "inert-link":
        return batch is not None and all(
            not r.url or r.url.startswith("http") for r in batch.rows if isinstance(r, NewsItem)
        )
    if expect == "no-file-no-net":
        return batch is None or "root:" not in str(batch.rows)
    return True


@pytest.mark.parametrize(
    ("author", "kind"),
    [
        ("AutoModerator", PostKind.BOT),
        ("remindmebot", PostKind.BOT),
        ("claudeai-mod-bot", PostKind.BOT),
        ("isdownapp", PostKind.BOT),
        ("mr_talbot", PostKind.POST),
        ("totally_not_a_bot", PostKind.POST),
        ("iAmNoBot", PostKind.POST),
        ("definitely-bot", PostKind.POST),
    ],
)
def test_only_accounts_that_are_known_as_bots_are_bots(author: str, kind: PostKind) -> None:
    item = {**_post(1, 1772450000, "Claude is down"), "author": author}
    assert reddit_posts.to_post(item, source="reddit", fetched_at=NOW, salt=b"s").kind is kind
