"""Sources against their wire formats: pure parsers on good and hostile bytes, real clients against local stand-ins."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import load_config
from pipeline.errors import SourceError
from pipeline.fetch import Fetcher, retry_after
from pipeline.model import Batch, ComplaintCount, NewsItem, Post, StatusUpdate, utc
from pipeline.sources import SOURCES, complaints, feed, hacker_news, reddit, statuspage
from tests.fakes.server import Upstreams, hit, post

NOW = utc("2026-03-02T12:00:00Z")
PARSERS: dict[str, Callable[..., Batch]] = {
    "feed": feed.parse_feed, "statuspage": statuspage.parse_incidents, "csv": complaints.parse_csv,
    "downstatus": complaints.parse_downstatus, "reddit": reddit.parse_listing, "archive": reddit.parse_archive,
    "hacker_news": hacker_news.parse_hits,
}  # fmt: skip
HOSTILE = [b"", b"\x00\xff\xfe", b"<html><title>Just a moment...</title></html>", b"{}", b"[]", b"null", b"[" * 5000, b'{"a":NaN}',
           b"/etc/passwd", b"file:///etc/passwd", b"\xed\xa0\x80", b'{"data":{"children":[1,null,{"data":{}}]}}',
           b'{"incidents":[null,{"id":1},{"incident_updates":[5]}]}', b'{"hits":[null,{"objectID":{}}]}',
           b"service,start_utc,interval_s,total\n\x00,,,\n"]  # fmt: skip


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
    for name in ("statuspage", "downstatus", "reddit", "hacker_news", "feed"):
        with pytest.raises(SourceError) as caught:
            PARSERS[name](HOSTILE[2], source="x", fetched_at=NOW)
        assert caught.value.outcome == "blocked", name


CSV = "service,start_utc,interval_s,total,baseline,region,indicator\n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("svc,2026-03-02T11:00:00,900,5,,,", "no time zone"), ("svc,2026-03-02T11:00:00Z,900,5.5,,,", "not a whole count"),
        ("svc,2026-03-02T11:00:00Z,900,\"1,200\",,,", "not a whole count"), ("svc,2026-03-02T11:00:00Z,900,-1,,,", "not a whole count"),
        ("svc,2026-03-02T11:00:00Z,900,٣,,,", "not a whole count"), ("svc,2026-03-02T11:00:00Z,5,1,,,", "not from 60"),
        ("svc,2027-03-02T11:00:00Z,900,1,,,", "future"), ("svc,02/03/2026 11:00,900,1,,,", "Invalid isoformat"),
        ("svc,2026-03-02T11:00:00Z,900", "3 cells where"), (",2026-03-02T11:00:00Z,900,1,,,", "usable name"),
        ("svc,2026-03-02T10:00:00Z,900,6,,,", "a second count for this interval"),
    ],
)  # fmt: skip
def test_a_csv_row_is_right_to_the_number_or_refused_with_its_line(row: str, reason: str) -> None:
    body = f"{CSV}svc,2026-03-02T10:00:00Z,900,5,,,\n{row}\nsvc,2026-03-02T10:15:00Z,900,7,,US,\n".encode()
    batch = complaints.parse_csv(body, source="x", fetched_at=NOW, name="counts.csv")
    assert [r.where for r in batch.rejected] == ["counts.csv:3"]
    assert reason in batch.rejected[0].reason
    assert [(c.total, c.region) for c in batch.rows if isinstance(c, ComplaintCount)] == [(5, ""), (7, "US")]


def test_a_stray_quote_or_byte_spoils_its_own_row_only() -> None:
    body = (
        CSV.encode()
        + b'svc,2026-03-02T10:00:00Z,900,5,,,\n"svc"x,2026-03-02T10:15:00Z,900,5,,,\n\xff,,,,,,\n"svc,2026,900,5\r\nsvc,2026-03-02T10:30:00Z,900,7,,,\n'
    )
    batch = complaints.parse_csv(body, source="x", fetched_at=NOW, name="c.csv")
    assert [r.where for r in batch.rejected] == ["c.csv:3", "c.csv:4", "c.csv:5"]
    assert [c.total for c in batch.rows if isinstance(c, ComplaintCount)] == [5, 7]


def test_times_out_of_this_world_are_refused() -> None:
    for stamp in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "1970-01-01T00:00:00Z"):
        with pytest.raises(ValueError, match="between 2000 and 2100"):
            utc(stamp)


def test_feed_text_is_plain_and_times_are_never_the_future() -> None:
    body = b"""<rss version="2.0"><channel><title>Wire</title>
    <item><title>A &lt;b&gt;bold&lt;/b&gt; claim - Outlet</title><guid>1</guid><source url="http://o">Outlet</source>
      <pubDate>Mon, 02 Mar 2026 11:00:00 GMT</pubDate><description>&lt;p&gt;x&lt;/p&gt;</description><link>javascript:alert(1)</link></item>
    <item><title>Tomorrow</title><guid>2</guid><pubDate>Tue, 02 Mar 2027 11:00:00 GMT</pubDate></item>
    <item><title></title><guid>3</guid></item></channel></rss>"""
    batch = feed.parse_feed(body, source="x", fetched_at=NOW)
    first, second = (row for row in batch.rows if isinstance(row, NewsItem))
    assert (first.title, first.outlet, first.summary, first.url) == ("A bold claim", "Outlet", "x", "")
    assert second.published == NOW
    assert [r.reason for r in batch.rejected] == ["no title"]


def test_status_times_with_offsets_and_components() -> None:
    incident = {"id": "i", "name": "n", "impact": "major", "incident_updates": [
        {"id": "u", "status": "investigating", "body": "<p>b</p>", "created_at": "2026-03-02T03:49:20.000-08:00",
         "display_at": "2026-03-02T03:49:20.000-08:00",
         "affected_components": [{"name": "claude.ai", "old_status": "operational", "new_status": "partial_outage"}]}]}  # fmt: skip
    body = json.dumps({"page": {"url": "https://status.claude.com"}, "incidents": [incident]}).encode()
    (update,) = statuspage.parse_incidents(body, source="x", fetched_at=NOW).rows
    assert isinstance(update, StatusUpdate)
    assert (update.page, update.displayed_at) == ("status.claude.com", utc("2026-03-02T11:49:20Z"))
    assert update.components == (("claude.ai", "operational", "partial_outage"),)


def test_deleted_posts_keep_nothing_of_the_author() -> None:
    gone = {**post(1, 1772450000, "[removed]", "[removed]"), "removed_by_category": "moderator"}
    row = reddit.to_post(gone, source="reddit", fetched_at=NOW, salt=b"s")
    assert (row.deleted, row.author_key, row.title, row.text) == (True, "", "", "")
    kept = reddit.to_post(post(2, 1772450000, "t"), source="reddit", fetched_at=NOW, salt=b"s")
    assert (
        kept.author_key
        == reddit.to_post(post(3, 1772450000, "u"), source="reddit", fetched_at=NOW, salt=b"s").author_key
    )
    assert "someone" not in str(kept)


def drip(handler: Any) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(40):
        time.sleep(0.25)
        try:
            handler.wfile.write(b"x")
            handler.wfile.flush()
        except OSError:
            return


def stall(handler: Any) -> None:
    time.sleep(6)


def cut(handler: Any) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"short")
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def upstreams() -> Iterator[Upstreams]:
    server = Upstreams().start()
    yield server
    server.shutdown()
    server.server_close()


def live(upstreams: Upstreams, **extra: Any) -> dict[str, Any]:
    """Return the configured sources by name, pointed at the stand-ins."""
    config = load_config(None, {"GROUNDSWELL_REDDIT_CLIENT_ID": "cid", "GROUNDSWELL_REDDIT_CLIENT_SECRET": "sec"})
    sources = config.sources.model_copy(update={
        "statuspage_base": f"{upstreams.url}/status", "hacker_news_base": upstreams.url, "downstatus_base": upstreams.url,
        "reddit_base": upstreams.url, "feeds": (f"{upstreams.url}/feed.xml",), "allow_private": True, **extra,
    })  # fmt: skip
    config = config.model_copy(update={"watch": ("claude",), "sources": sources})
    fetcher = Fetcher(allow_private=True, deadline=2.0)
    return {s.name.split(":")[0]: s for build in SOURCES.values() for s in build(config, fetcher, None)}


def test_every_live_source_brings_rows_through_its_real_client(upstreams: Upstreams) -> None:
    seconds = NOW.timestamp()
    upstreams.incidents = [{"id": "i", "name": "n", "impact": "minor", "incident_updates": [
        {"id": "u", "status": "investigating", "body": "", "created_at": "2026-03-02T11:49:20Z", "display_at": "2026-03-02T11:49:20Z"}]}]  # fmt: skip
    upstreams.feed = (
        b'<rss version="2.0"><channel><title>W</title><item><title>T</title><guid>g</guid></item></channel></rss>'
    )
    upstreams.hits = [hit(1, int(seconds) - 600, "Claude is down"), hit(2, int(seconds) - 90_000, "Claude, older")]
    upstreams.posts = [post(i, seconds - 60 * i, f"Claude post {i}") for i in range(1, 131)]
    upstreams.comments = [{**post(900, seconds - 30, ""), "name": "t1_c", "id": "c", "body": "same here"}]
    since = NOW - timedelta(hours=2)
    found = {name: source.fetch(since, NOW, {}) for name, source in live(upstreams).items()}
    counted = {name: len(batch.rows) for name, batch in found.items()}
    assert counted == {"status": 1, "feed": 1, "downstatus": 1, "hacker_news": 1, "reddit": 121}
    assert found["reddit"].covered == (since, NOW)
    comment = next(row for row in found["reddit"].rows if isinstance(row, Post) and row.kind == "comment")
    assert (comment.native_id, comment.text) == ("t1_c", "same here")
    agents = {headers.get("User-Agent", "") for _, headers in upstreams.requests}
    assert all("groundswell" in agent for agent in agents)


def test_reddit_says_when_it_could_not_reach_back(upstreams: Upstreams) -> None:
    upstreams.posts = [post(i, NOW.timestamp() - 60 * i, "Claude") for i in range(1, 1500)]
    batch = live(upstreams)["reddit"].fetch(NOW - timedelta(days=3), NOW, {})
    assert len(batch.rows) == 1000
    assert batch.covered[0] == NOW - timedelta(minutes=1000)
    assert "could reach back only to" in batch.detail


@pytest.mark.parametrize("fault", [
    (401, {}, b"{}"), (403, {}, b"no"), (403, {"WWW_Authenticate": "Basic"}, b"proxy"), (404, {}, b""), (429, {"Retry_After": "7"}, b""),
    (429, {"Retry_After": "Mon, 02 Mar 2026 13:00:00 GMT"}, b""), (200, {}, b"<html>blocked</html>"), (302, {"Location": "/subreddits/search?q=x"}, b""),
])  # fmt: skip
def test_whatever_reddit_answers_is_one_line(upstreams: Upstreams, fault: Any) -> None:
    upstreams.faults["/r/"] = fault
    with pytest.raises(SourceError) as caught:
        live(upstreams)["reddit"].fetch(NOW - timedelta(hours=1), NOW, {})
    assert "\n" not in str(caught.value)
    if fault[0] == 429:
        assert utc(caught.value.retry_after) > NOW


@pytest.mark.parametrize(("fault", "words"), [(drip, "within 2 s"), ((200, {}, b"x" * 11_000_000), "more than 10 MiB")])
def test_reddits_client_has_the_same_limits(upstreams: Upstreams, fault: Any, words: str) -> None:
    upstreams.faults["/r/"] = fault
    with pytest.raises(SourceError, match=words):
        live(upstreams)["reddit"].fetch(NOW - timedelta(hours=1), NOW, {})
    upstreams.faults.clear()
    closed = reddit.RedditSource(["x"], client_id="i", client_secret="s", salt=b"", base=upstreams.url)
    with pytest.raises(SourceError, match="private address"):
        closed.fetch(NOW - timedelta(hours=1), NOW, {})


def test_unchanged_pages_are_not_read_again(upstreams: Upstreams) -> None:
    source = live(upstreams)["status"]
    first = source.fetch(NOW, NOW, {})
    second = source.fetch(NOW, NOW, first.memory)
    assert (first.outcome, second.outcome) == ("empty", "not_modified")


def get(
    upstreams: Upstreams, path: str = "/feed.xml", *, private: bool = True, memory: dict[str, str] | None = None
) -> bytes | None:
    return (
        Fetcher(allow_private=private, deadline=1.5)
        .get(upstreams.url + path, source="s", memory=memory or {}, now=NOW)
        .body
    )


@pytest.mark.parametrize(("fault", "words"), [
    (drip, "within 1.5 s"), (stall, "within 1.5 s"), (cut, "s:"), ((500, {}, b""), "answered 500"), ((429, {}, b""), "answered 429"),
    ((200, {"Content_Encoding": "gzip"}, gzip.compress(b"0" * 50_000_000)), "more than 10 MiB"),
    ((200, {"Content_Encoding": "gzip, gzip, gzip"}, b""), "packed more than twice"),
    ((302, {"Location": "/feed.xml"}, b""), "more than 5 redirects"), ((302, {"Location": "file:///etc/passwd"}, b""), "only http and https"),
])  # fmt: skip
def test_a_bad_answer_is_one_line_within_the_deadline(upstreams: Upstreams, fault: Any, words: str) -> None:
    upstreams.faults["/feed.xml"] = fault
    began = time.monotonic()
    with pytest.raises(SourceError, match=words):
        get(upstreams)
    assert time.monotonic() - began < 5


def test_private_addresses_are_refused_also_behind_a_redirect(upstreams: Upstreams) -> None:
    with pytest.raises(SourceError, match="private address"):
        get(upstreams, private=False)
    assert not upstreams.requests
    for host in (
        "http://[::1]:1/",
        "http://[::ffff:127.0.0.1]:1/",
        "http://2130706433:1/",
        "http://169.254.169.254/",
        "http://[64:ff9b::7f00:1]/",
        "http://[fec0::1]/",
    ):
        with pytest.raises(SourceError):
            Fetcher().get(host, source="s", memory={}, now=NOW)


@pytest.mark.parametrize(("value", "seconds"), [(None, 600), ("0", 60), ("90", 90), ("1e99", 3600), ("nan", 600), ("-5", 60), ("soon", 600),
                                                ("Mon, 02 Mar 2026 12:10:00 GMT", 600), ("inf", 3600)])  # fmt: skip
def test_retry_after_is_capped(value: str | None, seconds: int) -> None:
    assert retry_after(value, NOW) == timedelta(seconds=seconds)


def test_a_source_that_asked_to_wait_is_left_alone(upstreams: Upstreams) -> None:
    with pytest.raises(SourceError, match="asked to wait"):
        get(upstreams, memory={"retry_after": "2026-03-02T12:30:00Z"})
    assert not upstreams.requests


@pytest.mark.slow
def test_bad_feeds_of_the_world(eval_data: Path) -> None:
    """Every bad feed is a batch or one line, none takes the process down. Those that hang are the worker's task."""
    tried = 0
    for path in sorted((eval_data / "bad" / "feeds").rglob("*")):
        if not path.is_file() or path.stat().st_size > 100_000:
            continue
        tried += 1
        try:
            feed.parse_feed(path.read_bytes(), source="x", fetched_at=NOW)
        except SourceError:
            continue
    assert tried > 300


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["counts", "statuspage", "posts"])
def test_bad_inputs_of_the_world(eval_data: Path, folder: str) -> None:
    parser = {"counts": complaints.parse_csv, "statuspage": statuspage.parse_incidents, "posts": reddit.parse_listing}[
        folder
    ]
    tried = 0
    for path in sorted((eval_data / "bad" / folder).iterdir()):
        tried += 1
        try:
            parser(path.read_bytes(), source="x", fetched_at=datetime.fromisoformat("2026-11-01T00:00:00Z"))
        except SourceError as error:
            assert "\n" not in str(error)
    assert tried > 10
