"""What each source does beyond parsing: its reach, what it leaves out and what it remembers; all of them together."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from pipeline.core.errors import SourceError
from pipeline.core.records import ChartRank, ComplaintCount, ExternalStatus, NewsItem, Post
from pipeline.core.status_records import StatusUpdate
from pipeline.sources import build_sources
from pipeline.sources.news_desks import NEWS_DESKS
from pipeline.sources.reddit import RedditSource
from pipeline.stages.collect import run_collect
from pipeline.store import Store
from pipeline.store.runs import coverage
from tests.fakes import faults
from tests.fakes.recording import Recording
from tests.fakes.reddit import Reddit
from tests.upstreams import NOW, TWO_HOURS, client, config_for, recorded_day, serving, source_of

KINDS = (
    "statuspage",
    "atom",
    "feeds",
    "google_news",
    "downstatus",
    "downdetector",
    "hacker_news",
    "reddit",
    "mastodon",
    "bluesky",
    "charts",
    "legacy charts",
)


@pytest.mark.parametrize("kind", KINDS)
def test_every_source_brings_what_was_recorded_once(kind: str, store: Store) -> None:
    with serving(kind) as fake:
        source = source_of(kind, fake.url, client())
        first, _ = run_collect(store, source, NOW, since=TWO_HOURS)
        assert (first.outcome, first.rejected, first.new) == ("ok", 0, first.seen)
        again, _ = run_collect(store, source, NOW, since=TWO_HOURS)
        assert (again.outcome, again.new) in (("ok", 0), ("not_modified", 0))
        assert all("groundswell" in request.headers["user-agent"] for request in fake.requests)
        assert coverage(store, source.name)[-1][1] in (NOW, NOW - timedelta(seconds=60), NOW - timedelta(minutes=2))


def test_what_is_recorded_of_a_post_is_no_name() -> None:
    for kind in ("reddit", "hacker_news", "mastodon", "bluesky"):
        with serving(kind) as fake:
            batch = source_of(kind, fake.url, client()).fetch(TWO_HOURS, NOW, {})
        posts = [row for row in batch.rows if isinstance(row, Post)]
        assert len(posts) == len(batch.rows) > 20, kind
        assert all(TWO_HOURS - timedelta(days=1) <= post.created <= NOW for post in posts)
        names = {str(post.get("author")) for post in recorded_day().posts(NOW)}
        assert not any(post.author_key in names for post in posts)
        assert len({post.author_key for post in posts}) > 5


def _made(count: int, every: int = 60) -> Recording:
    recording = Recording()
    recording.posts_made = [
        {
            "id": f"p{i}",
            "title": f"Claude is down {i}",
            "selftext": "",
            "author": f"u{i}",
            "subreddit": "ClaudeAI",
            "created_utc": NOW.timestamp() - every * i,
            "permalink": f"/r/ClaudeAI/comments/p{i}/",
        }
        for i in range(1, count)
    ]
    return recording


def test_reddit_says_when_it_could_not_reach_back_and_searches_what_it_could_not_read() -> None:
    with serving("reddit", recording=_made(1500)) as fake:
        batch = source_of("reddit", fake.url, client()).fetch(NOW - timedelta(days=3), NOW, {})
        assert len(batch.rows) == 1000
        assert batch.covered is not None
        assert batch.covered[0] == NOW - timedelta(minutes=1000)
        assert "could reach back only to" in batch.detail
        assert any("/search" in request.path for request in fake.requests)


def test_one_back_dated_post_does_not_end_the_reading() -> None:
    recording = _made(200)
    recording.posts_made[10]["created_utc"] = NOW.timestamp() - 86400 * 400
    recording.posts_made.append(
        {"id": "p999", "title": "x", "author": "x", "subreddit": "ClaudeAI", "created_utc": NOW.timestamp() + 9999}
    )

    with serving("reddit", recording=recording) as fake:
        # the listing keeps its order while one post claims another time
        listing = sorted(recording.posts_made, key=lambda post: int(str(post["id"])[1:]))
        fake.recording.posts = lambda now: listing  # type: ignore[method-assign]
        batch = source_of("reddit", fake.url, client()).fetch(NOW - timedelta(minutes=100), NOW, {})
    times = [row.created for row in batch.rows if isinstance(row, Post)]
    assert len(times) >= 98
    assert max(times) <= NOW
    assert min(times) >= NOW - timedelta(days=1, minutes=100)
    assert [bad.reason.split(" lies")[-1] for bad in batch.rejected] == []


def test_reddits_allowance_is_kept_across_runs_and_never_slept_on() -> None:
    with serving("reddit") as fake:
        assert isinstance(fake, Reddit)
        fake.left, fake.reset = 0.0, 240
        began = time.monotonic()
        source = source_of("reddit", fake.url, client())
        batch = source.fetch(TWO_HOURS, NOW, {})
        assert time.monotonic() - began < 10
        assert batch.rows
        with pytest.raises(SourceError, match="asked to wait until 2026-03-02T12:04:00Z"):
            source.fetch(TWO_HOURS, NOW, batch.state)
        fake.left = 995.0
        assert source.fetch(TWO_HOURS, NOW + timedelta(minutes=5), batch.state).state["retry_after"] == ""


def test_reddit_tells_which_stored_posts_were_taken_away() -> None:
    recording = _made(250)
    recording.posts_made[3] |= {"selftext": "[removed]", "removed_by_category": "moderator"}
    with serving("reddit", recording=recording) as fake:
        source = source_of("reddit", fake.url, client())
        assert isinstance(source, RedditSource)
        names = [f"t3_p{i}" for i in range(1, 100)] + ["t3_gone"]
        assert source.gone(names, NOW) == {"t3_p4", "t3_gone"}
        assert sum(request.path.startswith("/api/info") for request in fake.requests) == 1
        with pytest.raises(SourceError, match="knows none of 2 posts"):
            source.gone(["t3_x", "t3_y"], NOW)


def test_hacker_news_slices_time_where_the_index_stops_at_a_thousand() -> None:
    with serving("hacker_news", recording=_made(2300, every=2)) as fake:
        batch = source_of("hacker_news", fake.url, client()).fetch(TWO_HOURS, NOW, {})
        assert (len(batch.rows), len(fake.requests), batch.detail) == (2299, 3, "")


def test_a_mastodon_that_shows_guests_nothing_is_blocked_not_empty() -> None:
    with serving("mastodon") as fake:
        fake.closed = True  # type: ignore[attr-defined]
        with pytest.raises(SourceError, match="to no guest") as caught:
            source_of("mastodon", fake.url, client()).fetch(TWO_HOURS, NOW, {})
        assert caught.value.outcome == "blocked"
        fake.closed = False  # type: ignore[attr-defined]
        quiet = source_of("mastodon", fake.url, client(), mastodon_tags=("zzqqxdown",)).fetch(TWO_HOURS, NOW, {})
        assert quiet.outcome == "empty"


def test_mastodon_pages_back_and_follows_no_link_elsewhere() -> None:
    with serving("mastodon", recording=_made(120)) as fake:
        batch = source_of("mastodon", fake.url, client()).fetch(TWO_HOURS, NOW, {})
        assert len(batch.rows) >= 118
        fake.spoil(faults.body(lambda right: right, Link='<http://127.0.0.2:1/x>; rel="next"'))
        assert source_of("mastodon", fake.url, client()).fetch(TWO_HOURS, NOW, {}).rows


def test_bluesky_counts_a_post_when_it_was_indexed_and_pages_by_cursor() -> None:
    with serving("bluesky", recording=_made(250, every=20)) as fake:
        batch = source_of("bluesky", fake.url, client()).fetch(TWO_HOURS, NOW, {})
        assert len(batch.rows) == 249
        assert all(row.created.year == 2026 for row in batch.rows if isinstance(row, Post))


def test_downdetector_pages_keeps_their_verdict_apart_and_reads_countries() -> None:
    with serving("downdetector") as fake:
        whole = source_of("downdetector", fake.url, client()).fetch(TWO_HOURS, NOW, {})
        fake.page = 20  # type: ignore[attr-defined]
        paged = source_of("downdetector", fake.url, client(), downdetector_countries=("US",)).fetch(
            TWO_HOURS, NOW, whole.state
        )
    (verdict,) = [row for row in whole.rows if isinstance(row, ExternalStatus)]
    assert (verdict.source, verdict.service, verdict.verdict) == ("downdetector", "claude", "success")
    (recent,) = [row for row in whole.rows if isinstance(row, ComplaintCount) and row.window == "rolling"]
    assert (recent.start, recent.interval_s, recent.total) == (NOW - timedelta(minutes=15), 900, 5)
    totals = {
        row.start: row
        for row in whole.rows
        if isinstance(row, ComplaintCount) and row.window == "interval" and not row.indicator
    }
    recorded = {start: counts[""] for start, counts in recorded_day().counts("claude", "", NOW)}
    assert {start: row.total for start, row in totals.items()} == recorded
    assert max(totals) == NOW - timedelta(minutes=30), "the interval that ended this minute is not settled"
    # the usual reports of the stand-in are those of its recorded day
    lately = [row for row in totals.values() if row.start > NOW - timedelta(hours=23)]
    assert [row.baseline for row in lately] == [row.total for row in lately]
    regions = {row.region for row in paged.rows if isinstance(row, ComplaintCount)}
    assert regions == {"", "US"}
    assert {
        row.start: row.total
        for row in paged.rows
        if isinstance(row, ComplaintCount) and row.window == "interval" and not (row.indicator or row.region)
    } == recorded
    assert "dd-secret" not in str(whole) + str(paged)


def test_a_step_at_downstatus_is_recovered_and_stored_beside_the_rolling_hour(store: Store) -> None:
    recording = Recording()
    step = NOW - timedelta(minutes=58)
    recording.rolling["claude"] = [NOW - timedelta(seconds=150 * i) for i in range(-60, 200)] + [step] * 80
    at = NOW - timedelta(hours=3)
    with serving("downstatus", recording=recording, now=at) as fake:
        while at <= NOW + timedelta(hours=2):
            fake.now = at
            run, _ = run_collect(store, source_of("downstatus", fake.url, client()), at)
            assert run.outcome == "ok"
            at += timedelta(minutes=5)
    rows = store.rows("SELECT start, total FROM complaint_counts WHERE window = 'recovered' ORDER BY start")
    high = [(row[0], row[1]) for row in rows if row[1] > 10]
    assert [start for start, _ in high] == ["2026-03-02T11:00:00Z"]
    assert 80 <= high[0][1] <= 84
    assert {row[0] for row in store.rows("SELECT interval_s FROM complaint_counts WHERE window = 'recovered'")} == {300}
    assert (
        store.rows("SELECT count(*) FROM complaint_counts WHERE window = 'rolling' AND interval_s = 3600")[0][0] == 61
    )
    assert store.rows("SELECT DISTINCT verdict FROM outside_verdicts")[0][0] == "operational"


def test_unchanged_pages_are_not_read_again_and_a_rewritten_entry_keeps_its_revisions(store: Store) -> None:
    feed = "<rss version='2.0'><channel><title>W</title><item><title>{}</title><guid>1</guid></item></channel></rss>"
    recording = Recording()
    with serving("feeds", recording=recording) as fake:
        outcomes = []
        for title in ("Directive planned", "Directive planned", "Directive issued"):
            recording.feeds_made = {"tech-daily": feed.format(title).encode()}
            outcomes.append(run_collect(store, source_of("feeds", fake.url, client()), NOW)[0].outcome)
    assert outcomes == ["ok", "not_modified", "ok"]
    assert [row[0] for row in store.rows("SELECT title FROM news_items")] == ["Directive issued"]
    assert [row[0] for row in store.rows("SELECT title FROM item_revisions")] == ["Directive planned"]


def test_the_same_unreadable_body_is_not_read_for_ten_seconds_twice(
    monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    from pipeline.sources import feed

    monkeypatch.setattr(feed, "PARSE_SECONDS", 1.0)
    bomb = (
        b"<rss version='2.0'><channel><title "
        + b" ".join(b"a%d='1'" % i for i in range(60_000))
        + b">x</title></channel></rss>"
    )
    recording = Recording()
    recording.feeds_made = {"tech-daily": bomb}
    with serving("feeds", recording=recording) as fake:
        source = source_of("feeds", fake.url, client())
        first, _ = run_collect(store, source, NOW)
        began = time.monotonic()
        second, _ = run_collect(store, source, NOW + timedelta(minutes=5))
        assert time.monotonic() - began < 0.9
        assert ("given up" in first.error, "same body" in second.error) == (True, True)
        recording.feeds_made = {
            "tech-daily": b"<rss version='2.0'><channel><title>W</title><item><title>T</title></item></channel></rss>"
        }
        assert run_collect(store, source, NOW + timedelta(minutes=10))[0].new == 1
        assert store.rows("SELECT place FROM quarantine")[0][0] == "the whole answer"


def test_the_desks_are_of_several_kinds_and_countries() -> None:
    political = [url for desk in ("politics", "regulators", "wires and world") for url in NEWS_DESKS[desk]]
    assert len(set(political)) == len(political) >= 12
    outside = [
        url
        for url in political
        if any(
            part in url
            for part in (".co.uk", "gov.uk", "europa.eu", "aljazeera", "dw.com", "france24", "nhk", "cbc.ca")
        )
    ]
    assert len(outside) >= 2
    config = config_for("feeds", "http://127.0.0.1:9", news_desks=True)
    names = [source.name for source in build_sources(config, client(), None, ["feed"])]
    assert len(names) == len(set(names)) == 1 + sum(map(len, NEWS_DESKS.values()))


def test_a_name_is_all_an_announcement_needs_to_reach_its_service() -> None:
    from pipeline.text.services import ServiceMatcher

    matcher = ServiceMatcher(config_for("feeds", "http://127.0.0.1:9").catalogue)
    for title in (
        "Pentagon orders agencies to stop using Anthropic",
        "Dario Amodei to testify before the Senate",
        "Anthropic's Claude climbs the charts",
    ):
        assert "claude" in matcher.entities(title), title


def test_charts_hold_ranks_as_places() -> None:
    with serving("charts") as fake:
        batch = source_of("charts", fake.url, client()).fetch(TWO_HOURS, NOW, {})
    ranks = {row.app: row.rank for row in batch.rows if isinstance(row, ChartRank)}
    assert ranks["Claude by Anthropic"] == 1


def test_the_history_feed_is_read_where_the_catalogue_says_so() -> None:
    with serving("atom") as fake:
        batch = source_of("atom", fake.url, client()).fetch(TWO_HOURS, NOW, {})
        assert fake.requests[0].path.endswith("/history.atom")
    assert {row.page for row in batch.rows if isinstance(row, StatusUpdate)} == {"status.claude.com"}


def test_google_news_asks_for_product_and_vendor() -> None:
    with serving("google_news") as fake:
        batch = source_of("google_news", fake.url, client()).fetch(TWO_HOURS, NOW, {})
        assert '"Claude" OR "Anthropic"' in fake.requests[0].one("q")
    items = [row for row in batch.rows if isinstance(row, NewsItem)]
    assert {item.source for item in items} == {"google_news"}
    assert all(item.native_id.startswith("google:") and not item.title.endswith(item.outlet) for item in items)


def test_a_rolling_hour_beside_its_recovered_counts_is_judged_once_and_only_where_new(store: Store) -> None:
    from detectors.seasonal.detector import SeasonalNB
    from pipeline.stages.detect.stage import run_detect

    recording = Recording()
    recording.rolling["claude"] = [NOW + timedelta(seconds=100 * i) for i in range(-300, 300)]
    at = NOW - timedelta(hours=3)
    judged = []
    with serving("downstatus", recording=recording, now=at) as fake:
        while at <= NOW:
            fake.now = at
            run_collect(store, source_of("downstatus", fake.url, client()), at)
            judged.append(run_detect(store, SeasonalNB(), ("claude",), at).new)
            at += timedelta(minutes=5)
    series = [row[0] for row in store.rows("SELECT series FROM series")]
    assert series == ["claude/complaints/downstatus///300"]
    assert store.rows("SELECT count(*) FROM verdicts WHERE observed IS NOT NULL")[0][0] > 20
    assert sorted(judged)[-2] <= 2, "a look at the rolling hour sends the detector back"
