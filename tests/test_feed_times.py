"""The times of feeds end to end: served on loopback, collected, linked or not.

Recorded feeds are read where WIRE_CASES points: `feeds/FILE`, and `feeds/FILE.expected.json` with what a right
reader yields.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from pipeline.core.records import NewsItem
from pipeline.core.times import iso_or_none, utc
from pipeline.replay.recorder import record
from pipeline.replay.scenario import read_scenario
from pipeline.replay.scenario_sources import load_recorded
from pipeline.sources.feed import feed_sources
from pipeline.stages.collect import run_collect
from pipeline.stages.publish.stage import run_publish
from pipeline.store import Store
from pipeline.store.incidents import incidents
from pipeline.store.news import links_of
from pipeline.store.observations import news_of_unknown_time
from tests.fakes.recording import Recording
from tests.test_explain import World, at
from tests.upstreams import client, serving

CASES = sorted(
    path.with_name(path.name.removesuffix(".expected.json"))
    for path in (Path(os.environ.get("WIRE_CASES", "/nowhere")) / "feeds").glob("*.expected.json")
)
FETCHED = utc("2026-03-12T10:05:00Z")


def collect(store: Store, body: bytes, now: datetime) -> str:
    """Serve a feed, collect it and return the outcome of the run."""
    recording = Recording()
    recording.feeds_made = {"case": body}
    with serving("feeds", recording=recording, now=now) as fake:
        (source,) = feed_sources([f"{fake.url}/case.xml"], client())
        run, _ = run_collect(store, source, now, since=now - timedelta(hours=2))
    return run.outcome


def stored(store: Store) -> list[Mapping[str, object]]:
    rows = store.rows("SELECT * FROM news_items ORDER BY published, native_id")
    return [{name: row[name] for name in row.keys()} for row in rows]  # noqa: SIM118  a row of SQLite is no mapping


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_recorded_feed_gives_the_times_it_tells(case: Path, store: Store) -> None:
    expected = json.loads(case.with_name(f"{case.name}.expected.json").read_text(encoding="utf-8"))
    fetched_at = utc(expected["fetched_at"])
    assert collect(store, case.read_bytes(), fetched_at) == expected["outcome"]
    rows = stored(store)
    for row, fields in zip(
        rows, sorted(expected.get("rows", []), key=lambda row: row.get("published") or ""), strict=False
    ):
        assert {name: row[name] for name in fields} == fields
    assert len(rows) == expected.get("row_count", len(rows))
    assert len(rows) >= len(expected.get("rows", []))
    for row in rows:
        assert {name: row[name] for name in expected.get("all_rows", {})} == expected.get("all_rows", {})
        assert row["published"] in expected.get("published_any", [row["published"]])
        assert row["published"] != expected["fetched_at"]


@pytest.mark.skipif(not CASES, reason="WIRE_CASES is not set: recorded feeds are read where it points")
def test_recorded_feeds_were_found() -> None:
    assert CASES


def rss(*dates: str, language: str = "it", title: str = "GitHub is down: outage hits developers") -> bytes:
    items = "".join(
        f"<item><title>{title}</title><guid>{number}</guid>{date}</item>" for number, date in enumerate(dates)
    )
    return (
        "<?xml version='1.0' encoding='utf-8'?><rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'>"
        f"<channel><title>Giornale</title><language>{language}</language>{items}</channel></rss>"
    ).encode()


@pytest.mark.parametrize(
    ("element", "published"),
    [
        ("<pubDate>Tue, 10 Mar 2026 09:00:00 CEST</pubDate>", "2026-03-10T07:00:00Z"),
        ("<pubDate>Tue, 10 Mar 2026 09:00:00 BST</pubDate>", None),
        ("<pubDate>lun, 10 nov 2025 09:00:00 +0100</pubDate>", "2025-11-10T08:00:00Z"),
        ("<pubDate>Ter, 10 Mar 2026 09:00:00 -0300</pubDate>", "2026-03-10T12:00:00Z"),
        ("<pubDate>Fri,06 Mar 2026 09:00:00 GMT</pubDate>", "2026-03-06T09:00:00Z"),
        ("<pubDate>2026-03-02 12:10:00 UTC</pubDate>", "2026-03-02T12:10:00Z"),
        ("<pubDate>2026/03/05 10:00:00</pubDate>", None),
        ("<pubDate>1772702400</pubDate>", "2026-03-05T09:20:00Z"),
        ("<pubDate>Thu, Mar 5 2026 02:02:33 PM</pubDate>", None),
        ("<pubDate>Thu, Mar 5 2026 02:02:33 PM EST</pubDate>", "2026-03-05T19:02:33Z"),
        (
            '<pubDate>\n <time datetime="2026-03-05T19:21:28Z">Thu, 03/05/2026 - 15:21</time>\n</pubDate>',
            "2026-03-05T19:21:28Z",
        ),
        ("<pubDate>&lt;time datetime='2026-03-05T19:21:28Z'&gt;5/3&lt;/time&gt;</pubDate>", "2026-03-05T19:21:28Z"),
        ("<dc:date>2026-03-05T10:00:00+01:00</dc:date>", "2026-03-05T09:00:00Z"),
        ("<pubDate>5 Brumaire</pubDate><dc:date>2026-03-05T10:00:00+01:00</dc:date>", "2026-03-05T09:00:00Z"),
        ("<pubDate>Fri, 13 Mar 2026 09:00:00 GMT</pubDate>", None),  # tomorrow
        ("<pubDate></pubDate>", None),
        ("", None),
    ],
)
def test_the_time_of_an_entry_is_what_its_text_means_or_unknown(
    element: str, published: str | None, store: Store
) -> None:
    assert collect(store, rss(element), FETCHED) == "ok"
    assert [row["published"] for row in stored(store)] == [published]


def test_dates_of_a_json_feed_may_be_written_as_in_mails_or_as_a_number(store: Store) -> None:
    stamps = ["Fri, 06 Mar 2026 12:17:58 -0700", 1772702400, None, [], True]
    items = [{"id": str(n), "title": "T", "date_published": stamp} for n, stamp in enumerate(stamps)]
    body = {"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": items}
    assert collect(store, json.dumps(body).encode(), FETCHED) == "ok"
    assert {row["native_id"]: row["published"] for row in stored(store)} == {
        "0": "2026-03-06T19:17:58Z",
        "1": "2026-03-05T09:20:00Z",
        "2": None,
        "3": None,
        "4": None,
    }


def test_a_time_that_can_be_read_later_is_filled_in_and_never_changed_after(store: Store) -> None:
    for date, published in (
        ("not yet", None),
        ("Thu, 05 Mar 2026 09:00:00 GMT", "2026-03-05T09:00:00Z"),
        ("Fri, 06 Mar 2026 09:00:00 GMT", "2026-03-05T09:00:00Z"),
        ("not again", "2026-03-05T09:00:00Z"),
    ):
        collect(store, rss(f"<pubDate>{date}</pubDate>"), FETCHED)
        assert [row["published"] for row in stored(store)] == [published], date


def told_of(store: Store, *dates: str) -> tuple[World, list[str], float | None, list[str]]:
    """Return what an outage of 2 March makes of a feed first read at 10:05: links, probability and evidence."""
    world = World(store, ("github",))
    world.page("github", "A", "09:50", "investigating", "major")
    world.bins("github", "09:40", 6, 80, 60)
    collect(store, rss(*(f"<pubDate>{date}</pubDate>" for date in dates)), at("10:05"))
    world.explain("10:10")
    (incident,) = incidents(store)
    relations = [link.relation for link in links_of(store, incident.id)]
    return world, relations, incident.probability, [e.statement for e in incident.evidence]


OLD = ("lun, 10 nov 2025 09:00:00 +0100", "mar, 11 nov 2025 09:00:00 +0100")


def test_articles_of_another_year_and_of_unknown_time_support_nothing(tmp_path: Path) -> None:
    made = {}
    for name, dates in (
        ("none", ()),
        ("italian", OLD),
        ("unreadable", tuple(date.replace("nov", "brum") for date in OLD)),
        ("without a zone", ("lun, 02 mar 2026 11:00:00",)),
        ("of the day", ("lun, 02 mar 2026 11:02:00 +0100",)),
    ):
        with Store(tmp_path / f"{name}.db") as store:
            made[name] = told_of(store, *dates)[1:]
    relations, _, evidence = made.pop("of the day")
    assert relations == ["reports"], "an article of the day is linked, or this test tests nothing"
    assert evidence != made["none"][2]
    for name, told in made.items():
        assert told == made["none"], name
    assert made["none"][0] == []


def test_news_of_unknown_time_is_shown_as_such(store: Store, tmp_path: Path) -> None:
    world, *_ = told_of(store, "lun, 10 brum 2025 09:00:00 +0100", OLD[0])
    run_publish(store, world.config, tmp_path / "report", at("10:15"), simulated=False)
    page = (tmp_path / "report" / "service-github.html").read_text(encoding="utf-8")
    assert page.count("GitHub is down: outage hits developers") == 1
    assert "time unknown, read " in page


def test_a_recording_keeps_news_of_unknown_time(store: Store, tmp_path: Path) -> None:
    collect(store, rss("", f"<pubDate>{format_datetime(FETCHED - timedelta(hours=1))}</pubDate>"), FETCHED)
    (unknown,) = news_of_unknown_time(store, FETCHED - timedelta(days=1), FETCHED)
    since, until = FETCHED - timedelta(days=1), FETCHED + timedelta(minutes=30)
    record(store, tmp_path / "recorded", since, until, name="x", watch=("github",), simulated=True)
    sources, problems = load_recorded(read_scenario(tmp_path / "recorded"))
    assert problems == []
    rows = [row for source in sources for row in source.fetch(since, until, {}).rows if isinstance(row, NewsItem)]
    assert sorted(iso_or_none(row.published) or "" for row in rows) == ["", "2026-03-12T09:05:00Z"]
    assert [row.collected for row in rows if row.published is None] == [unknown.collected]
