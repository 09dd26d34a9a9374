"""The pure parsers on good and hostile bytes, ours and other people's."""

from __future__ import annotations

import csv
import gc
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.core.errors import SourceError
from pipeline.core.records import Batch, NewsItem
from pipeline.core.times import utc
from pipeline.core.vocabulary import PostKind
from pipeline.sources import (
    charts,
    reddit_posts,
)
from pipeline.sources.parsing import read_json
from tests.fakes.faults import PAGE
from tests.fakes.recording import Recording
from tests.parsers import JSON_PARSERS, PARSERS, reddit_item
from tests.upstreams import recorded_day

NOW = utc("2026-03-02T12:00:00Z")
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


def test_deleted_posts_keep_nothing_of_the_author() -> None:
    gone = {**reddit_item(1, 1772450000, "[removed]", "[removed]"), "removed_by_category": "moderator"}
    row = reddit_posts.to_post(gone, source="reddit", fetched_at=NOW, salt=b"s")
    assert (row.deleted, row.author_key, row.title, row.text) == (True, "", "", "")
    kept = reddit_posts.to_post(reddit_item(2, 1772450000, "t"), source="reddit", fetched_at=NOW, salt=b"s")
    assert (
        kept.author_key
        == reddit_posts.to_post(reddit_item(3, 1772450000, "u"), source="reddit", fetched_at=NOW, salt=b"s").author_key
    )
    assert "someone" not in str(kept)


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
    item = {**reddit_item(1, 1772450000, "Claude is down"), "author": author}
    assert reddit_posts.to_post(item, source="reddit", fetched_at=NOW, salt=b"s").kind is kind
