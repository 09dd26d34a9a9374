"""Recordings: what is written down comes back as it was, and a damaged one is replayed as far as it can be read."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.core.times import iso
from tests.conftest import Groundswell
from tests.copies import replace
from tests.test_cli_sources import write
from tests.upstreams import NOW, serving


def test_a_recording_gives_every_row_back_as_it_was(tmp_path: Path) -> None:
    from pipeline.core.records import Batch, ComplaintCount, NewsItem, Post, Run
    from pipeline.core.status_records import ComponentChange, StatusUpdate
    from pipeline.core.vocabulary import PostKind
    from pipeline.replay.recorder import record
    from pipeline.replay.scenario import read_scenario
    from pipeline.replay.scenario_sources import load_recorded
    from pipeline.store import Store
    from pipeline.store.observations import save_batch
    from pipeline.store.runs import record_run

    odd = 'a "quoted", <b>text</b> &amp; &lt;x&gt;\nwith :: commas, \x0b and \ufffe'
    at = NOW - timedelta(minutes=3)
    posts = [
        Post(
            source=source,
            native_id=native,
            kind=PostKind(kind),
            community="c",
            author_key=key,
            author_created=None,
            created=NOW - timedelta(hours=1),
            collected=at,
            title=title,
            text=text,
            url=url,
            parent_id=parent,
            deleted=gone,
        )
        for source, native, kind, key, title, text, url, parent, gone in (
            ("reddit", "t3_a", "post", "k1", "T", odd, "https://www.reddit.com/r/c/1/", "", False),
            ("reddit", "t1_b", "comment", "", "", "[kept", "", "t3_a", False),
            ("reddit", "t3_gone", "post", "", "", "", "", "", True),
            (
                "mastodon",
                "https://m.example/@a_b/1",
                "comment",
                "k2",
                "a warning",
                odd,
                "https://m.example/@a_b/1",
                "1" * 60,
                False,
            ),
            (
                "bluesky",
                "at://did:plc:x/app.bsky.feed.post/a_b",
                "post",
                "k3",
                "",
                "[removed]",
                "https://bsky.app/x",
                "",
                False,
            ),
            ("hacker_news", "123", "post", "k1", "Ask", "", "https://news.ycombinator.com/item?id=123", "", False),
        )
    ]
    news = [
        NewsItem(
            source=source,
            native_id="same,guid",
            outlet="The Desk",
            published=NOW - timedelta(hours=2),
            collected=at,
            title=title,
            summary=odd,
            url="https://x/?a=1&b=2",
        )
        for source, title in (("feed:a", "Down - The Desk"), ("google_news", "How <script> works"))
    ]
    counts = [
        ComplaintCount(
            service="s",
            source=source,
            region="",
            indicator="log-in",
            start=NOW - timedelta(hours=1),
            interval_s=width,
            total=total,
            collected=at,
            window=window,
        )
        for source, width, total, window in (
            ("a", 900, 3, "interval"),
            ("b", 900, 4, "interval"),
            ("b", 300, 1, "recovered"),
            ("b", 3600, 9, "rolling"),
        )
    ]
    status = [
        StatusUpdate(
            page=page,
            incident_id="i",
            update_id=update,
            name=name,
            status="investigating",
            impact=impact,
            components=(ComponentChange("Web, mobile", "a", "b"),),
            displayed_at=NOW - timedelta(hours=1),
            created_at=NOW - timedelta(minutes=30),
            collected=at,
            body="x < y & z",
        )
        for page, update, name, impact in (
            ("status:claude", "1", "One", "minor"),
            ("s.example", "1", "One", "minor"),
            ("s.example", "2\rof two lines", "Two", "major"),
        )
    ]
    with Store(tmp_path / "groundswell.db") as store:
        save_batch(store, Batch(source="x", rows=(*posts, *news, *counts, *status)), NOW)
        record_run(
            store,
            Run(stage="collect", subject="reddit", started=NOW, outcome="ok", covered=(NOW - timedelta(hours=5), NOW)),
        )
        record(store, tmp_path / "day", NOW - timedelta(days=1), NOW, name="Fire 🔥", watch=["claude"], simulated=True)
    sources, problems = load_recorded(read_scenario(tmp_path / "day"))
    assert not problems
    assert not [bad for source in sources for bad in source.rejected]
    given = {
        str(replace(row, author_key="") if isinstance(row, Post) else row)
        for source in sources
        for _, row in source.rows()
    }
    assert given == {
        str(replace(row, author_key="") if isinstance(row, Post) else row) for row in (*posts, *news, *counts, *status)
    }


def test_a_recording_gets_a_folder_of_its_own(groundswell: Groundswell, tmp_path: Path) -> None:
    with serving("charts") as fake:
        write(tmp_path, f'charts = ["us"]\ncharts_base = "{fake.url}"')
        assert groundswell("collect", "--now", iso(NOW)).returncode == 0
    begin = iso(NOW - timedelta(days=1))
    done = groundswell("record", "day", "--from", begin, "--now", iso(NOW))
    assert (done.returncode, "10 chart ranks" in done.stdout) == (0, True)
    assert groundswell("backtest", "day").returncode == 0
    assert "is not empty" in groundswell("record", "day", "--from", begin, "--now", iso(NOW)).stderr
    assert (
        groundswell("record", "none", "--from", "2020-01-01T00:00:00Z", "--until", "2020-01-02T00:00:00Z").returncode
        == 1
    )
    assert groundswell("record", "none", "--from", begin, "--until", begin).returncode == 2


@pytest.mark.parametrize(
    "text",
    [
        "file,key\na,b\n",
        "file,key,collected_utc,source,window,other\nposts.ndjson,t3_a,yesterday,,,\n",
        'file,key,collected_utc,source,window,other\nposts.ndjson,t3_a,2026-03-02T00:10:00Z,,,"{""created"": 1}"\n',
    ],
)
def test_a_spoilt_recording_is_told_and_the_rest_replayed(groundswell: Groundswell, tmp_path: Path, text: str) -> None:
    folder = tmp_path / "day"
    folder.mkdir()
    (folder / "scenario.toml").write_text(
        "start = 2026-03-02T00:00:00Z\nend = 2026-03-02T01:00:00Z\nfirst_run = 2026-03-02T00:30:00Z\n"
    )
    (folder / "posts.ndjson").write_text(
        json.dumps({"id": "a", "title": "Claude down", "selftext": "", "created_utc": 1772410000})
    )
    (folder / "collected.csv").write_text(text)
    done = groundswell("backtest", "day")
    assert (done.returncode, "collected.csv" in done.stderr, "Traceback" in done.stderr) == (3, True, False)
