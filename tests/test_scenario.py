"""The recorded day holds what it promises, and its generator makes it byte for byte."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import zstandard

from pipeline.core.records import NewsItem
from pipeline.core.status_records import StatusUpdate
from pipeline.core.times import utc
from pipeline.replay.scenario import read_scenario
from pipeline.replay.scenario_sources import load_recorded
from pipeline.text.normalize import strip_to_words
from tests.conftest import SCENARIO

GENERATE = SCENARIO / "generator" / "generate.py"


@pytest.fixture(scope="module")
def posts() -> list[dict[str, object]]:
    raw = zstandard.ZstdDecompressor().stream_reader((SCENARIO / "posts.ndjson.zst").open("rb")).read().decode()
    return [json.loads(line) for line in raw.splitlines()]


@pytest.fixture(scope="module")
def totals() -> dict[tuple[str, str], int]:
    with (SCENARIO / "complaints.csv").open(newline="") as file:
        return {
            (r["service"], r["start_utc"]): int(r["total"])
            for r in csv.DictReader(file)
            if not r["region"] and not r["indicator"]
        }


def when(post: dict[str, object]) -> datetime:
    return datetime.fromtimestamp(int(str(post["created_utc"])), tz=utc("2026-01-01T00:00:00Z").tzinfo)


def test_it_is_small_and_made_by_its_generator(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(GENERATE), "--out", str(tmp_path)], check=True)
    made = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    kept = sorted(p.relative_to(SCENARIO) for p in SCENARIO.rglob("*") if p.is_file() and "generator" not in p.parts)
    assert made == kept
    for name in made:
        if name.suffix != ".zst":
            assert (tmp_path / name).read_bytes() == (SCENARIO / name).read_bytes(), name
    one, two = ((folder / "posts.ndjson.zst").read_bytes() for folder in (tmp_path, SCENARIO))
    assert (
        zstandard.ZstdDecompressor().stream_reader(one).read() == zstandard.ZstdDecompressor().stream_reader(two).read()
    )
    assert sum((SCENARIO / name).stat().st_size for name in kept) < 8 * 2**20


def test_the_crowd_begins_when_the_record_says(posts: list[dict[str, object]]) -> None:
    day = utc("2026-03-02T00:00:00Z")
    outage = [when(p) for p in posts if str(p["_simulated"]).startswith("outage_")]
    begin = utc("2026-03-02T11:37:00Z")
    assert not [moment for moment in outage if day <= moment < begin]
    minutes = Counter(
        int((moment - begin) / timedelta(minutes=1))
        for moment in outage
        if begin <= moment < begin + timedelta(minutes=8)
    )
    assert set(minutes) == set(range(8))
    assert all(1 <= count <= 4 for count in minutes.values())


def test_complaints_follow_the_published_figures(totals: dict[tuple[str, str], int]) -> None:
    def at(clock: str) -> int:
        return totals["claude", f"2026-03-02T{clock}:00Z"]

    assert at("11:30") <= 40
    assert 200 <= at("11:45") <= 600
    assert 1700 <= at("11:45") + at("12:00") + at("12:15") <= 2300
    bins = {key[1]: total for key, total in totals.items() if key[0] == "claude" and key[1].startswith("2026-03-02")}
    peak = max(bins, key=lambda start: bins[start])
    assert 800 <= bins[peak] <= 1200
    assert "12:15" <= peak[11:16] <= "12:45"


def test_counts_have_parts_a_gap_and_a_rhythm(totals: dict[tuple[str, str], int]) -> None:
    assert {service for service, _ in totals} == {"claude", "chatgpt", "gemini"}
    missing = [
        i
        for i in range(17 * 96)
        if ("claude", (utc("2026-02-16T00:00:00Z") + timedelta(minutes=15 * i)).strftime("%Y-%m-%dT%H:%M:%SZ"))
        not in totals
    ]
    assert len(missing) == 8, "two hours"
    assert missing == list(range(missing[0], missing[0] + 8))
    with (SCENARIO / "complaints.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {r["indicator"] for r in rows} == {"", "login", "website", "app", "API"}
    assert {r["region"] for r in rows} == {"", "US", "CA", "GB", "DE", "IN", "JP"}
    parts: dict[tuple[str, str, str], int] = defaultdict(int)
    for r in rows:
        parts[
            r["service"], r["start_utc"], "region" if r["region"] else "indicator" if r["indicator"] else "total"
        ] += int(r["total"])
    for (service, start), total in totals.items():
        assert parts[service, start, "region"] == parts[service, start, "indicator"] == total
    night = sum(totals["chatgpt", f"2026-02-1{d}T06:00:00Z"] for d in (7, 8, 9))
    noon = sum(totals["chatgpt", f"2026-02-1{d}T16:00:00Z"] for d in (7, 8, 9))
    assert noon > 1.5 * night


def test_posts_are_many_varied_and_hold_the_hard_ones(posts: list[dict[str, object]]) -> None:
    assert len(posts) >= 6000
    kinds = Counter(str(p["_simulated"]) for p in posts)
    for kind in (
        "politics",
        "praise",
        "howto",
        "usage_limit",
        "outage_partial_api_ok",
        "api_fine",
        "outage_question",
        "joke",
        "retrospective",
        "other_outage",
        "aws_fire",
        "copied",
    ):
        assert kinds[kind] > 0, kind
    with (SCENARIO / "generator" / "texts.csv").open(encoding="utf-8", newline="") as file:
        texts = [f"{r['title']} {r['text']}" for r in csv.DictReader(file)]
    bare = {strip_to_words(re.sub(r"\{\w+\}", " ", text)) for text in texts}
    assert len(bare) >= 250, "texts that differ in wording and not only in slots"
    authors = Counter(str(p["author"]) for p in posts)
    assert max(authors.values()) >= 40
    copied = [p for p in posts if p["_simulated"] == "copied"]
    assert len(copied) == 12
    assert len({str(p["author"]) for p in copied}) == 12
    assert all(int(str(p["created_utc"])) - int(str(p["author_created_utc"])) < 3 * 86400 for p in copied)
    surge = [
        p
        for p in posts
        if p["_simulated"] == "politics" and utc("2026-02-27T20:58:00Z") <= when(p) < utc("2026-03-01T00:00:00Z")
    ]
    assert len(surge) > 200


def test_official_times_are_the_records(posts: list[dict[str, object]]) -> None:
    sources, problems = load_recorded(read_scenario(SCENARIO))
    assert not problems
    rows = {source.kind: source for source in sources}
    status = rows["status"].fetch(utc("2026-02-16T00:00:00Z"), utc("2026-03-06T00:00:00Z"), {}).rows
    main = [u for u in status if isinstance(u, StatusUpdate) and u.incident_id == "0ghc53zpsfmt"]
    shown = [u.displayed_at.strftime("%H:%M:%S") for u in main]
    assert shown == ["11:49:20", "12:06:11", "12:21:24", "13:22:17", "13:37:01", "14:05:39", "15:25:23", "15:47:09"]
    news = [
        n
        for n in rows["feeds"].fetch(utc("2026-02-16T00:00:00Z"), utc("2026-03-06T00:00:00Z"), {}).rows
        if isinstance(n, NewsItem)
    ]
    assert len(news) >= 80
    claimed = [n for n in news if "5:30 AM PST" in f"{n.title} {n.summary}"]
    assert len({n.outlet for n in claimed}) >= 2


def test_every_figure_has_its_source() -> None:
    head = tomllib.loads((SCENARIO / "scenario.toml").read_text(encoding="utf-8"))
    assert head["simulated"] is True
    assert "simulated" in head["note"]
    assert len(head["sources"]) >= 8


def test_a_malformed_file_or_row_is_told_with_its_place_and_the_rest_is_used(tmp_path: Path) -> None:
    (tmp_path / "scenario.toml").write_text('name = "x"\nstart = 2026-03-01T00:00:00Z\nend = 2026-03-02T00:00:00Z\n')
    (tmp_path / "complaints.csv").write_text(
        "service,start_utc,interval_s,total\nclaude,2026-03-01T00:00:00Z,900,5\nclaude,soon,900,5\n"
    )
    (tmp_path / "posts.ndjson").write_text('{"id":"a","name":"t3_a","created_utc":1772330000,"title":"x"}\n{broken\n')
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "bad.xml").write_text("not a feed")
    (tmp_path / "charts.csv").write_text("a,b\n")
    sources, problems = load_recorded(read_scenario(tmp_path))
    assert any("bad.xml" in line for line in problems)
    assert any("charts.csv:1" in line for line in problems)
    batches = {s.kind: s.fetch(utc("2026-03-01T00:00:00Z"), utc("2026-03-03T00:00:00Z"), {}) for s in sources}
    assert [r.where for r in batches["complaints"].rejected] == ["complaints.csv:3"]
    assert [r.where for r in batches["posts"].rejected] == ["posts.ndjson:2"]
    assert len(batches["posts"].rows) == len(batches["complaints"].rows) == 1
