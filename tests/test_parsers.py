"""The pure parsers on good and hostile bytes, ours and other people's."""

from __future__ import annotations

import csv
import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import SourceError
from pipeline.model import Batch, ComplaintCount, NewsItem, Post, StatusUpdate
from pipeline.sources import (
    archive,
    bluesky,
    charts,
    complaints,
    downdetector,
    downstatus,
    feed,
    hacker_news,
    mastodon,
    reddit,
    status_archive,
    statuspage,
)
from pipeline.sources.reading import read_json
from pipeline.times import utc
from tests.fakes.faults import PAGE
from tests.fakes.recording import Recording
from tests.fakes.statuspage import Statuspage
from tests.upstreams import recorded_day

NOW = utc("2026-03-02T12:00:00Z")
JSON_PARSERS: dict[str, Callable[..., Batch]] = {
    "statuspage": statuspage.parse_incidents, "downstatus": downstatus.parse_downstatus, "reddit": reddit.parse_listing,
    "hacker_news": hacker_news.parse_hits, "mastodon": mastodon.parse_statuses, "bluesky": bluesky.parse_posts,
    "charts": charts.parse_chart, "downdetector": downdetector.parse_reports, "last_15": downdetector.parse_last_15,
}  # fmt: skip
PARSERS: dict[str, Callable[..., Batch]] = {
    **JSON_PARSERS, "feed": feed.parse_feed, "history": statuspage.parse_history, "csv": complaints.parse_csv,
    "counts": complaints.parse_counts, "archive": reddit.parse_archive,
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
    for name in (*JSON_PARSERS, "feed", "history"):
        with pytest.raises(SourceError) as caught:
            PARSERS[name](PAGE, source="x", fetched_at=NOW)
        assert caught.value.head == PAGE[:200], name
        assert caught.value.outcome == "blocked", name


CSV = "service,start_utc,interval_s,total,baseline,region,indicator\n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("svc,2026-03-02T11:00:00,900,5,,,", "no time zone"), ("svc,2026-03-02T11:00:00Z,900,5.5,,,", "not a whole count"),
        ("svc,2026-03-02T11:00:00Z,900,\"1,200\",,,", "not a whole count"), ("svc,2026-03-02T11:00:00Z,900,-1,,,", "not a whole count"),
        ("svc,2026-03-02T11:00:00Z,900,٣,,,", "not a whole count"), ("svc,2026-03-02T11:00:00Z,5,1,,,", "not from 60"),
        ("svc,2027-03-02T11:00:00Z,900,1,,,", "future"), ("svc,02/03/2026 11:00,900,1,,,", "reads two ways"),
        ("svc,2026-03-02T11:00:00Z,900", "3 cells where"), (",2026-03-02T11:00:00Z,900,1,,,", "usable name"), ("svc,2026-03-02T11:00:00Z,900,12.000,,,", "not a whole count"),
        ("svc,2026-03-02T11:00:00Z,900,,,,", "empty"), ("svc,2026-03-02T11:00:00Z,900,1e3,,,", "not a whole count"), ("svc,2026-03-02T11:00:00Z,900,12,,,,9", "8 cells"),
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
    first, second, third = (row for row in batch.rows if isinstance(row, NewsItem))
    assert (first.title, first.outlet, first.summary, first.url) == ("A bold claim", "Outlet", "x", "")
    assert second.published == NOW
    assert (third.native_id, third.title) == ("3", "(untitled)")


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
    gone = {**_post(1, 1772450000, "[removed]", "[removed]"), "removed_by_category": "moderator"}
    row = reddit.to_post(gone, source="reddit", fetched_at=NOW, salt=b"s")
    assert (row.deleted, row.author_key, row.title, row.text) == (True, "", "", "")
    kept = reddit.to_post(_post(2, 1772450000, "t"), source="reddit", fetched_at=NOW, salt=b"s")
    assert (
        kept.author_key
        == reddit.to_post(_post(3, 1772450000, "u"), source="reddit", fetched_at=NOW, salt=b"s").author_key
    )
    assert "someone" not in str(kept)


def _post(number: int, created: float, title: str, text: str = "", author: str = "someone") -> dict[str, Any]:
    return {"id": f"p{number}", "name": f"t3_p{number}", "title": title, "selftext": text, "author": author, "subreddit": "ClaudeAI",
            "created_utc": float(created), "edited": False, "permalink": f"/r/ClaudeAI/comments/p{number}/x/", "removed_by_category": None}  # fmt: skip


TWO = [("acme", 12), ("acme", 15)]


@pytest.mark.parametrize(
    "body",
    [
        b"service,ts,count\nacme,2026-03-02T10:00:00Z,12\nacme,2026-03-02T10:15:00Z,15\n",
        b"service\tts\tcount\nacme\t2026-03-02T10:00:00Z\t12\nacme\t2026-03-02T10:15:00Z\t15\n",
        b"sep=;\r\nservice;ts;count\r\nacme;2026-03-02T10:00:00Z;12\r\nacme;2026-03-02T10:15:00Z;15\r\n",
        "service|timestamp_utc|value\nacme|2026-03-02T11:00:00+01:00|12.0\nacme|2026-03-02T10:15Z|15\n".encode(
            "utf-16"
        ),
        b'\xef\xbb\xbf"Service","TS","Count"\n"acme",1772445600,12\nacme,1772446500000,15\n',
        b'[{"service":"acme","ts":"2026-03-02T10:00:00Z","count":12},{"service":"acme","ts":"2026-03-02T10:15:00Z","count":15}]',
        b'{"service":"acme","ts":"2026-03-02T10:00:00Z","count":12}\n{"service":"acme","ts":"2026-03-02T10:15:00Z","count":15}\n',
        b'{"counts":[{"service":"acme","ts":1772445600,"total":12},{"service":"acme","ts":1772446500,"total":15.0}]}',
    ],
    ids=["csv", "tab", "sep", "utf-16", "quoted epoch", "json", "ndjson", "object"],
)
def test_the_same_counts_in_every_dialect(body: bytes) -> None:
    batch = complaints.parse_counts(body, source="x", fetched_at=NOW)
    assert [(row.service, row.total) for row in batch.rows if isinstance(row, ComplaintCount)] == TWO
    assert not batch.rejected
    assert {(row.interval_s, row.start.minute) for row in batch.rows if isinstance(row, ComplaintCount)} == {
        (900, 0),
        (900, 15),
    }
    assert "900 s" in batch.detail


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"service":"acme","ts":"2026-03-02T10:00:00Z","count":12,"count":13}\n{"service":"acme","ts":"2026-03-02T10:15:00Z","count":3.5}\n',
         ["a key comes twice", "not a whole count"]),
        (b'[{"service":"a","ts":"2026-03-02T10:00:00Z","count":true},{"service":"a","ts":"2026-03-02T10:00:00Z","count":null},7]',
         ["neither a number", "empty", "not an object"]),
        (b"service,ts,count,value\na,2026-03-02T10:00:00Z,1,2\nb,2026-03-02T10:00:00Z,3,3\n", ["two different values"]),
    ],
)  # fmt: skip
def test_what_reads_two_ways_is_refused(body: bytes, words: list[str]) -> None:
    batch = complaints.parse_counts(body, source="x", fetched_at=NOW)
    assert len(batch.rejected) == len(words)
    assert all(w in bad.reason for w, bad in zip(words, batch.rejected, strict=True))
    for body in (b"service,ts,count,count\na,2026-03-02T10:00:00Z,1,2\n", b"{", b"[1", b"a,b\n1,2\n"):
        with pytest.raises(SourceError):
            complaints.parse_counts(body, source="x", fetched_at=NOW)


@given(
    st.lists(st.integers(0, 10**6), min_size=2, max_size=40),
    st.sampled_from([60, 300, 900, 3600]),
    st.sampled_from(",;\t|"),
)
def test_written_counts_are_read_back_to_the_number(totals: list[int], width: int, separator: str) -> None:
    start = NOW - timedelta(seconds=width * len(totals))
    lines = [separator.join(("service", "start_utc", "total"))]
    lines += [
        separator.join(("svc", f"{start + timedelta(seconds=width * i):%Y-%m-%dT%H:%M:%SZ}", str(n)))
        for i, n in enumerate(totals)
    ]
    batch = complaints.parse_csv("\n".join(lines).encode(), source="x", fetched_at=NOW)
    assert [row.total for row in batch.rows if isinstance(row, ComplaintCount)] == totals
    assert {row.interval_s for row in batch.rows if isinstance(row, ComplaintCount)} == {width}


def _recovered(stamps: list[int], polls: list[int], slips: frozenset[int] = frozenset()) -> dict[int, int]:
    """Return what is recovered of reports at `stamps` by polls of a rolling hour; polls in `slips` answer 0."""
    state, found = downstatus.Rolling(), {}
    for number, at in enumerate(polls):
        total = 0 if number in slips else sum(at - 3600 < stamp <= at for stamp in stamps)
        for start, reports in downstatus.recover(state, datetime.fromtimestamp(at, UTC), total):
            assert start.timestamp() not in found, "a bin is told once"
            found[int(start.timestamp())] = reports
        state = downstatus.Rolling.of(state.to_json())
    return found


BEGUN = int(NOW.timestamp()) - 6 * 3600


@pytest.mark.parametrize(
    ("cadence", "phase", "jitter"),
    [(300, 0, 0), (300, 0, 20), (300, 150, 18), (60, 0, 5), (120, 30, 0), (420, 0, 0), (600, 100, 0), (900, 0, 30)],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_step_in_a_rolling_hour_is_found_where_it_was_and_leaves_no_echo(
    seed: int, cadence: int, phase: int, jitter: int
) -> None:
    random_ = random.Random(seed)
    step = BEGUN + 3 * 3600 + 130
    background = [BEGUN - 3600 + random_.randrange(7 * 3600) for _ in range(7 * 20)]
    polls = [
        at + phase + (random_.randrange(jitter) if jitter else 0) for at in range(BEGUN, BEGUN + 6 * 3600, cadence)
    ]
    found = _recovered(background + [step + random_.randrange(60) for _ in range(100)], polls)
    assert len(found) > 4 * 12 - 3 * cadence // 300
    near = sum(n for at, n in found.items() if step - cadence - 300 <= at <= step + cadence)
    assert near >= 90
    later = {at: n for at, n in found.items() if at > step + cadence + 300}
    assert max(later.values()) <= 15, later
    known = sum(min(found) <= stamp < max(found) + 300 for stamp in background) + 100
    assert abs(sum(found.values()) - known) <= 0.12 * known


@pytest.mark.parametrize(("cadence", "phase", "jitter"), [(300, 0, 0), (300, 150, 18), (420, 0, 0), (600, 0, 0)])
def test_a_steady_stream_stays_steady(cadence: int, phase: int, jitter: int) -> None:
    random_ = random.Random(1)
    stamps = list(range(BEGUN - 3600, BEGUN + 6 * 3600, 3))  # a hundred in five minutes
    polls = [
        at + phase + (random_.randrange(jitter) if jitter else 0) for at in range(BEGUN, BEGUN + 6 * 3600, cadence)
    ]
    found = _recovered(stamps, polls)
    assert len(found) >= 4 * 12
    assert all(80 <= n <= 120 for n in found.values()), sorted(found.values())


@pytest.mark.parametrize("slip", [5, 30, 31])
def test_a_single_wrong_zero_makes_no_peak_now_and_no_echo_later(slip: int) -> None:
    stamps = list(range(BEGUN - 3600, BEGUN + 6 * 3600, 3))
    found = _recovered(stamps, list(range(BEGUN, BEGUN + 6 * 3600, 300)), frozenset({slip}))
    assert all(80 <= n <= 120 for n in found.values()), sorted(found.values())


def test_a_pause_in_the_polls_is_a_gap_and_a_clock_gone_wrong_heals() -> None:
    stamps = list(range(BEGUN - 3600, BEGUN + 6 * 3600, 30))
    polls = [*range(BEGUN, BEGUN + 9000, 300), *range(BEGUN + 12_000, BEGUN + 13_500, 300)]
    found = _recovered(stamps, polls)
    assert max(found) < BEGUN + 9000, "the hour has to be learned again"
    ahead = [*range(BEGUN, BEGUN + 6000, 300), BEGUN + 86400 * 30, *range(BEGUN + 6300, BEGUN + 6 * 3600, 300)]
    found = _recovered(stamps, ahead)
    assert max(found) >= BEGUN + 5 * 3600


def test_downdetector_leaves_the_interval_that_still_grows() -> None:
    points = [{"point_in_time": "2026-03-02T11:30:00Z", "total": 7, "indicators": {"login": 3}, "other": 4},
              {"point_in_time": "2026-03-02T11:45:00Z", "total": 2, "indicators": {}, "other": 2}, {"point_in_time": "x", "total": 1},
              {"point_in_time": "2026-03-02T11:15:00Z", "total": 1.5}]  # fmt: skip
    batch = downdetector.parse_reports(json.dumps(points).encode(), source="x", fetched_at=NOW, service="claude")
    assert [(c.indicator, c.total) for c in batch.rows if isinstance(c, ComplaintCount)] == [("", 7), ("login", 3)]
    assert len(batch.rejected) == 2


@pytest.mark.parametrize("plain", [False, True])
def test_both_dialects_of_the_history_feed_say_what_the_api_says(plain: bool) -> None:
    fake = Statuspage.__new__(Statuspage)  # only its words are wanted, not its socket
    fake.plain = plain
    page = recorded_day().page("claude", NOW)
    assert page is not None
    atom = statuspage.parse_history(fake._atom(page).encode(), source="x", fetched_at=NOW)
    api = statuspage.parse_incidents(json.dumps(page).encode(), source="x", fetched_at=NOW)
    assert not atom.rejected

    def told(batch: Batch) -> set[tuple[str, str, str, str]]:
        return {
            (u.page, u.incident_id, u.status, f"{u.displayed_at:%m-%d %H:%M}")
            for u in batch.rows
            if isinstance(u, StatusUpdate)
        }

    assert told(atom) == told(api)


def test_the_year_a_history_feed_leaves_out_is_the_one_before_its_own_date() -> None:
    body = ("<feed xmlns='http://www.w3.org/2005/Atom'><title>S</title><entry><id>1</id><link href='https://s.example/incidents/abc'/><title>T</title>"
            "<updated>2026-01-01T02:00:00Z</updated><published>2025-12-31T23:00:00Z</published><content type='html'>&lt;p&gt;&lt;small&gt;Jan 1, 01:50 UTC&lt;/small&gt;&lt;br&gt;"
            "&lt;strong&gt;Resolved&lt;/strong&gt; - x&lt;/p&gt;&lt;p&gt;&lt;small&gt;Dec 31, 15:10 PST&lt;/small&gt;&lt;br&gt;&lt;strong&gt;Investigating&lt;/strong&gt; - y&lt;/p&gt;"
            "&lt;p&gt;&lt;small&gt;Dec 31, 15:00 IST&lt;/small&gt;&lt;br&gt;&lt;strong&gt;Identified&lt;/strong&gt; - z&lt;/p&gt;</content></entry></feed>")  # fmt: skip
    rows = statuspage.parse_history(body.encode(), source="x", fetched_at=NOW).rows
    assert [(u.status, f"{u.displayed_at:%Y-%m-%d %H:%M}") for u in rows if isinstance(u, StatusUpdate)] == [
        ("resolved", "2026-01-01 01:50"), ("investigating", "2025-12-31 23:10")]  # fmt: skip


def test_json_feed_and_the_same_headline_behind_changing_links() -> None:
    body = {"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": [
        {"id": 5, "url": "https://j.example/5", "title": "A <b>x</b>", "content_text": "text", "date_published": "2026-03-02T10:00:00+01:00"}, 7]}  # fmt: skip
    batch = feed.parse_feed(json.dumps(body).encode(), source="x", fetched_at=NOW)
    (item,) = batch.rows
    assert isinstance(item, NewsItem)
    assert (item.native_id, item.title, item.published) == ("5", "A x", utc("2026-03-02T09:00:00Z"))
    assert len(batch.rejected) == 1
    google = "<rss version='2.0'><channel><title>G</title>{}</channel></rss>"
    entry = "<item><title>Down - Outlet</title><link>https://news.google.com/rss/articles/{0}</link><guid>{0}</guid><source url='https://o'>Outlet</source></item>"
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
        f"<!DOCTYPE r [<!ENTITY x SYSTEM 'file://{secret}'>]><rss version='2.0'><channel><item><title>&x;</title></item></channel></rss>",
    ):
        try:
            batch = feed.parse_feed(body.encode(), source="x", fetched_at=NOW)
        except SourceError:
            continue
        assert "leaked" not in str(batch)


def test_archives_stream_in_both_eras_and_tell_where_they_break_off(tmp_path: Path) -> None:
    old = {"id": "a1", "title": "down", "selftext": "", "author": "x", "subreddit": "s", "created_utc": "1230768000"}
    new = {**_post(2, 1772450000.0, "later deleted"), "_meta": {"was_deleted_later": True}}
    lines = [
        json.dumps(old),
        "{broken",
        json.dumps(new),
        *(json.dumps(_post(n, 1772440000 + n, "t")) for n in range(10, 12_000)),
    ]
    packed = zstandard.ZstdCompressor(level=3, compression_params=None).compress("\n".join(lines).encode())
    path = tmp_path / "RS_2026-03.zst"
    path.write_bytes(packed)
    batches = list(archive.read_archive(path, source="reddit", fetched_at=NOW))
    rows = [row for batch in batches for row in batch.rows if isinstance(row, Post)]
    assert (len(batches), len(rows), rows[0].created.year) == (3, 11_992, 2009)
    assert [(r.native_id, r.title) for r in rows if r.deleted] == [("t3_p2", "")]
    assert [bad.where for batch in batches for bad in batch.rejected] == ["RS_2026-03.zst:2"]
    path.write_bytes(packed[: len(packed) // 2])
    reader = archive.read_archive(path, source="reddit", fetched_at=NOW)
    assert len(next(reader).rows) == 4999
    with pytest.raises(SourceError, match=r"RS_2026-03\.zst: breaks off"):
        list(reader)


def test_an_archive_of_incidents_knows_what_was_written_after_the_fact() -> None:
    body = (b"id,name,impact,status,started_at,created_at,monitoring_at,resolved_at,components\n"
            b"a,One,major,resolved,2026-02-01T10:00:00Z,2026-02-01T10:02:00Z,,2026-02-01T11:00:00Z,Web|API\n"
            b"b,Two,minor,resolved,2026-02-02T10:00:00Z,2026-02-02T15:00:00Z,,2026-02-02T11:00:00Z,\n"
            b"c,Three,minor,resolved,2026-02-03T10:00:00Z,,,2026-02-03T09:00:00Z,\nd,Four,terrible,,2026-02-03T10:00:00Z,,,,\n")  # fmt: skip
    batch = status_archive.parse_incident_archive(body, page="s.example", source="x", fetched_at=NOW, name="i.csv")
    rows = [row for row in batch.rows if isinstance(row, StatusUpdate)]
    assert [(u.incident_id, u.status, u.after_the_fact) for u in rows] == [
        ("a", "investigating", False), ("a", "resolved", False), ("b", "investigating", True), ("b", "resolved", True)]  # fmt: skip
    assert rows[0].components == (("Web", "operational", "partial_outage"), ("API", "operational", "partial_outage"))
    assert [bad.where for bad in batch.rejected] == ["i.csv:4", "i.csv:5"]


def test_real_archives_of_incidents_are_read_to_the_line(eval_data: Path) -> None:
    for name in ("claude_status", "github_status"):
        path = eval_data / "series" / name / "incidents.csv"
        with path.open(encoding="utf-8", newline="") as file:
            lines = sum(1 for _ in csv.DictReader(file))
        batch = status_archive.parse_incident_archive(
            path.read_bytes(), page="p", source="x", fetched_at=utc("2026-11-01T00:00:00Z")
        )
        told = {row.incident_id for row in batch.rows if isinstance(row, StatusUpdate)}
        assert len(told) + len(batch.rejected) == lines
        assert len(batch.rejected) < 0.1 * lines


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
        names = {"feed": ["feed", "history"], "xml": ["feed"], "html": ["feed", "history"], "counts": ["counts", "csv"], "csv": ["counts", "csv"],
                 "statuspage": ["statuspage"], "posts": ["reddit"]}.get(row["kind"], [*PARSERS] if row["kind"] in ("json", "gzip", "zlib", "url") else [])  # fmt: skip
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
            r.published <= utc("2026-11-02T12:05:00Z") for r in batch.rows if isinstance(r, NewsItem)
        )
    if expect == "inert-link":
        return batch is not None and all(
            not r.url or r.url.startswith("http") for r in batch.rows if isinstance(r, NewsItem)
        )
    if expect == "no-file-no-net":
        return batch is None or "root:" not in str(batch.rows)
    return True
