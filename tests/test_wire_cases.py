"""Answers of social sources, served on loopback at their providers' paths: what is stored, and who counts as a report.

Each file of a case has `FILE.expected.json` beside it: `fetched_at`, `outcome`, and as far as given `row_count`, `rows`
(oldest first, only the named fields count; null: not known), `all_rows` (fields equal in all rows), `routes` (path
prefix: body or status). WIRE_CASES names a further folder with the subfolders `mastodon` and `reddit`.
"""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.load import load_catalogue
from pipeline.config.paths import MODELS
from pipeline.core.records import Post
from pipeline.core.times import iso, utc
from pipeline.core.vocabulary import VoteReason
from pipeline.sources import bluesky
from pipeline.stages.collect import run_collect
from pipeline.stages.tag import run_tag
from pipeline.store import Store
from pipeline.store.detector_input import mentions
from pipeline.store.reports import reports
from pipeline.text.models.outage import load
from pipeline.text.services import ServiceMatcher
from tests.fakes.base import Fake, Reply, Request, as_json
from tests.fakes.recording import Recording
from tests.upstreams import client, source_of

OWN = Path(__file__).parent / "wire"
FOLDERS = [OWN, *(Path(folder) for folder in [os.environ.get("WIRE_CASES", "")] if folder)]
KINDS = ("mastodon", "reddit")
LONG_AGO = utc("2000-01-02T00:00:00Z")
CASES = [
    pytest.param(kind, path, id=f"{folder.name}-{kind}-{path.name}")
    for folder in FOLDERS
    for kind in KINDS
    for path in sorted((folder / kind).glob("*"))
    if path.with_name(f"{path.name}.expected.json").exists()
]


class Serving(Fake):
    """Answers a kind's paths with one body; `routes` come before it."""

    def __init__(self, kind: str, body: bytes, routes: dict[str, str | int]) -> None:
        super().__init__(Recording())
        self.kind, self.body, self.routes = kind, body, routes

    def reply(self, request: Request) -> Reply:
        for prefix, answer in self.routes.items():
            if request.path.startswith(prefix):
                return Reply(b"{}", answer) if isinstance(answer, int) else _json(answer.encode())
        if request.path == "/api/v1/access_token":
            return as_json({"access_token": "token", "token_type": "bearer", "expires_in": 86400, "scope": "*"})
        if request.path.startswith("/api/v1/timelines/tag/"):
            return _json(self.body)
        if self.kind == "reddit" and request.path.endswith("/new"):
            return _json(self.body)
        if self.kind == "reddit":
            return as_json({"kind": "Listing", "data": {"after": None, "before": None, "dist": 0, "children": []}})
        return as_json({"error": "Record not found"}, 404)


def _json(body: bytes) -> Reply:
    return Reply(body, headers={"Content-Type": "application/json; charset=utf-8"})


def collected(kind: str, body: bytes, store: Store, now: datetime, routes: dict[str, str | int] | None = None) -> str:
    """Collect a body served on loopback into the store; return the run's outcome."""
    fake = Serving(kind, body, routes or {})
    fake.start()
    try:
        run, _ = run_collect(store, source_of(kind, fake.url, client()), now, since=LONG_AGO)
    finally:
        fake.close()
    assert not run.rejected
    return run.outcome


@pytest.mark.parametrize(("kind", "path"), CASES)
def test_a_recorded_answer_is_stored_as_expected(kind: str, path: Path, store: Store) -> None:
    expected: dict[str, Any] = json.loads(path.with_name(f"{path.name}.expected.json").read_text(encoding="utf-8"))
    outcome = collected(kind, path.read_bytes(), store, utc(expected["fetched_at"]), expected.get("routes"))
    assert outcome == expected["outcome"]
    rows = [dict(row) for row in store.rows("SELECT * FROM posts ORDER BY created, native_id")]
    assert len(rows) == expected.get("row_count", len(rows))
    wanted = expected.get("rows", [])
    assert [{name: row[name] for name in one} for one, row in zip(wanted, rows, strict=bool(wanted))] == wanted
    for row in rows:
        assert {name: row[name] for name in expected.get("all_rows", {})} == expected.get("all_rows", {})
        if row["deleted"]:
            assert (row["author_key"], row["title"], row["text"]) == ("", "", "")


def test_the_cases_of_our_own_are_there() -> None:
    assert {path.parent.name for path in OWN.glob("*/*.expected.json")} == set(KINDS)


NOW = utc("2026-03-02T12:00:00Z")


def tagged(store: Store) -> dict[str, str]:
    """Read the stored posts; return why each counts as a report about Claude or does not, by its id."""
    run_tag(store, ServiceMatcher(load_catalogue()), load(MODELS), NOW, since=LONG_AGO)
    return {row[0]: row[1] for row in store.rows("SELECT native_id, reason FROM votes WHERE service = 'claude'")}


def test_moderators_and_bots_of_reddit_count_neither_as_reports_nor_in_the_talk(store: Store) -> None:
    collected("reddit", (OWN / "reddit" / "people-and-moderators.json").read_bytes(), store, NOW)
    reasons = tagged(store)
    people = {"t3_x0", "t1_x1", "t3_x8"}
    assert {name for name, reason in reasons.items() if reason == VoteReason.COUNTED} == people
    assert {name for name, reason in reasons.items() if reason == VoteReason.NOT_A_USER} == {
        f"{kind}_x{n}" for kind, n in (("t1", 2), ("t3", 3), ("t1", 4), ("t3", 5), ("t3", 6))
    }
    spoken = mentions(store, "reddit", LONG_AGO, NOW)
    assert [iso(mention.created) for mention in spoken if mention.service == "claude"] == [
        f"2026-03-02T11:{minute:02}:00Z"
        for minute in (0, 1, 7, 8)  # a deleted one was a mention, too
    ]
    assert sum(report.counted for report in reports(store, "claude", LONG_AGO, NOW)) == 3


def test_twelve_people_of_mastodon_who_joined_on_one_day_are_twelve_reports(store: Store) -> None:
    (model,) = json.loads((OWN / "mastodon" / "people-and-a-bot.json").read_bytes())[:1]
    statuses = [
        {
            **model,
            "id": str(n),
            "uri": f"https://one.example/users/u{n}/statuses/{n}",
            "created_at": f"2026-03-02T11:{n:02}:00.000Z",
            "content": f"<p>Claude is down, error {500 + n} since {n} minutes</p>",
            "account": {"acct": f"u{n}", "bot": n == 12, "created_at": "2022-11-05T00:00:00.000Z"},
        }
        for n in range(13)
    ]
    assert collected("mastodon", json.dumps(statuses).encode(), store, NOW) == "ok"
    reasons = list(tagged(store).values())
    assert reasons.count(VoteReason.COUNTED) == 12
    assert reasons.count(VoteReason.NOT_A_USER) == 1


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_mastodon_that_refuses_to_describe_itself_is_not_taken_for_a_quiet_one(status: int, store: Store) -> None:
    outcome = collected("mastodon", b"[]", store, NOW, {"/api/v2/instance": status})
    assert outcome in ("blocked", "error")


def hit(number: int, **more: object) -> dict[str, object]:
    """Return a hit of Hacker News' search, a comment unless `more` says otherwise."""
    return {
        "objectID": str(number),
        "author": f"user{number}",
        "created_at_i": int(utc("2026-03-02T11:00:00Z").timestamp()) + number,
        "story_title": "Claude is down",
        "comment_text": "",
        "parent_id": 1,
        **more,
    }


def test_a_comment_of_hacker_news_counts_only_where_its_own_words_report(store: Store) -> None:
    hits = [
        hit(1, title="Claude is down", story_title=None, comment_text=None, story_text=None, parent_id=None),
        hit(2, comment_text="Same here, I get error 500 and cannot log in since ten minutes"),
        hit(3, comment_text="Works for me."),
        hit(4, comment_text="lol", author="user3"),
    ]
    fake = Serving("hacker_news", b"", {"/api/v1/search_by_date": json.dumps({"hits": hits, "nbHits": len(hits)})})
    fake.start()
    try:
        run, _ = run_collect(store, source_of("hacker_news", fake.url, client()), NOW, since=LONG_AGO)
    finally:
        fake.close()
    assert (run.outcome, run.new) == ("ok", 4)
    reasons = tagged(store)
    # all are about the service, by their story's title; the title itself is nothing that they say
    assert reasons == {
        "1": VoteReason.COUNTED,
        "2": VoteReason.COUNTED,
        "3": VoteReason.NOT_ABOUT_OUTAGE,
        "4": VoteReason.NOT_ABOUT_OUTAGE,
    }


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        ([{"val": "bot"}], "bot"),
        ([{"val": "bot", "neg": True}], "post"),
        ([{"val": "nudity"}, 7], "post"),
        (None, "post"),
    ],
)
def test_an_account_of_bluesky_that_is_labelled_a_bot_is_one(labels: object, kind: str) -> None:
    post = {
        "uri": "at://did:plc:a/app.bsky.feed.post/1",
        "author": {"did": "did:plc:a", "handle": "a.example", "labels": labels},
        "record": {"text": "Claude is down"},
        "indexedAt": "2026-03-02T11:00:00Z",
    }
    (row,) = bluesky.parse_posts(json.dumps({"posts": [post]}).encode(), source="bluesky", fetched_at=NOW).rows
    assert isinstance(row, Post)
    assert row.kind == kind
