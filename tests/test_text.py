"""Reading texts: services, parts, symptoms, votes, and news folded into events."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.config.load import load_catalogue
from pipeline.core.news_events import NewsEntity
from pipeline.core.records import NewsItem, Post
from pipeline.core.reports import AccountReport, Vote
from pipeline.core.times import utc
from pipeline.detection.report_counting import ReportCounter
from pipeline.text.components import parts_named
from pipeline.text.news import fold_items
from pipeline.text.normalize import text_fingerprint
from pipeline.text.services import ServiceMatcher
from pipeline.text.symptoms import symptom

CATALOGUE = load_catalogue()
MATCHER = ServiceMatcher(CATALOGUE)
AT = utc("2026-03-02T11:40:00Z")


@pytest.mark.parametrize(
    ("text", "community", "services"),
    [
        ("Claude is down again", "technology", ["claude"]),
        ("is it just me?", "ClaudeAI", ["claude"]),
        ("Monet, Claude: the garden at Giverny", "art", []),
        ("declaude and claudette", "x", []),
        ("GitHub Copilot fails, GitHub works", "programming", ["copilot", "github"]),
        ("claude.aiに繋がらない", "x", ["claude"]),
        ("Anthropic answers the ministry", "news", []),
        ("ＣＬＡＵＤＥ　ＣＯＤＥ error 500", "x", ["claude"]),
        ("Spotify is down, nothing plays", "ClaudeAI", None),
        ("claude giriş yapılmıyor", "x", ["claude"]),
        ("uncle Claude painted the fence", "x", []),
        ("discord in the family again", "x", []),
        ("discord keine verbindung", "x", ["discord"]),
    ],
)
def test_services_named(text: str, community: str, services: list[str] | None) -> None:
    found = list(MATCHER.about(text, community))
    if services is None:
        assert "claude" not in found, "another service is named, so the community does not decide"
    elif services == ["copilot", "github"]:
        assert "github" in found
    else:
        assert found == services


@pytest.mark.parametrize(
    ("text", "failing", "working"),
    [
        ("claude.ai won't load but the API works fine", ["web"], ["api"]),
        ("Claude Code can't log in, website is also broken", ["code", "web"], []),
        ("API is not working", ["api"], []),
        ("browser is dead, api = perfectly happy", ["web"], ["api"]),
        ("la web no va pero la API responde sin problema", ["web"], ["api"]),
        ("die Website geht nicht, aber die API funktioniert", ["web"], ["api"]),
        ("API error 529 in Claude Code", ["code"], []),
        ("nothing works", [], []),
    ],
)
def test_parts_that_fail_and_parts_said_to_work(text: str, failing: list[str], working: list[str]) -> None:
    matches = [match for match in MATCHER.name_matches(text.casefold()) if match.service == "claude"]
    assert parts_named(text, CATALOGUE["claude"], matches) == (failing, working)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stuck in a login loop, error 500", "login"),
        ("it just spins and never loads", "no_response"),
        ("app crashes on start", "crash"),
        ("card declined at checkout", "payment"),
        ("getting 529 overloaded", "error"),
        ("is it down?", "all"),
        ("hello", ""),
        ("no me deja iniciar sesión", "login"),
        ("ログインできない", "login"),
    ],
)
def test_symptoms(text: str, expected: str) -> None:
    assert symptom(text) == expected


def post(author: str, after: timedelta = timedelta(), **more: object) -> Post:
    fields = {
        "source": "s",
        "native_id": "1",
        "kind": "post",
        "community": "",
        "author_key": author,
        "author_created": None,
        "created": AT + after,
        "collected": AT + after,
    }
    return Post(**{**fields, **more})  # type: ignore[arg-type]


def test_votes_are_people_and_wordings_not_posts() -> None:
    counter = ReportCounter()
    shape = text_fingerprint("Claude is down!!")
    same_text = "the same text within six hours"
    assert counter.count("claude", post("ann"), shape, 0.9) == (1.0, "counted")
    assert (
        counter.count("claude", post("ann"), text_fingerprint("other words"), 0.9)[1]
        == "the same author within six hours"
    )
    assert (
        counter.count("claude", post("bob"), text_fingerprint("claude is DOWN https://x.example"), 0.9)[1] == same_text
    )
    assert counter.count("claude", post("bob"), text_fingerprint("cl\u200baude is down"), 0.9)[1] == same_text
    assert counter.count("claude", post(""), text_fingerprint("whatever else"), 0.9)[1] == "no author"
    assert counter.count("claude", post("cy"), text_fingerprint("lovely day"), 0.3)[1] == "not about an outage"
    assert counter.count("claude", post("di", deleted=True), text_fingerprint("gone"), 0.9)[1] == "deleted"
    assert counter.count("claude", post("ann", timedelta(hours=6)), shape, 0.9) == (1.0, "counted")
    assert counter.count("github", post("ann"), shape, 0.9) == (1.0, "counted"), "each service is counted by itself"


def test_two_new_accounts_are_one_vote_and_newborn_ones_none() -> None:
    counter = ReportCounter()
    young = [post(f"n{i}", timedelta(minutes=i), author_created=AT - timedelta(days=3, hours=i)) for i in range(8)]
    alone = [counter.count("claude", p, text_fingerprint(f"text {p.author_key}"), 0.9)[0] for p in young[:4]]
    assert alone == [0.0] * 4, "however many they are"
    for name in ("x", "y"):
        assert counter.count("claude", post(name), text_fingerprint(f"whole {name}"), 0.9)[0] == 1.0
    beside = [counter.count("claude", p, text_fingerprint(f"text {p.author_key}"), 0.9)[0] for p in young[4:]]
    assert beside == [1.0, 0.0, 0.0, 0.0], "a pair for two whole votes"
    twin = post("t", author_created=AT - timedelta(days=3))
    assert (
        counter.count("claude", twin, text_fingerprint("made together"), 0.9)[1]
        == "an account made in the same minute as another's"
    )
    newborn = post("b", author_created=AT - timedelta(hours=3))
    assert (
        counter.count("claude", newborn, text_fingerprint("made for this"), 0.9)[1] == "an account younger than a day"
    )
    old = post("o", author_created=AT - timedelta(days=900))
    assert counter.count("claude", old, text_fingerprint("an old hand"), 0.9) == (1.0, "counted")
    rewritten = post("r", edited=AT + timedelta(hours=1))
    assert counter.count("claude", rewritten, text_fingerprint("edited in"), 0.9)[0] == 0.0


def test_a_counter_restored_from_the_database_counts_as_if_it_had_gone_on() -> None:
    whole, first = ReportCounter(), ReportCounter()
    posts = [
        post(f"n{i}", timedelta(minutes=i), author_created=AT - timedelta(days=900 if i < 3 else 3, hours=i))
        for i in range(6)
    ]
    expected = [whole.count("claude", p, text_fingerprint(p.author_key), 0.9) for p in posts]
    before = [first.count("claude", p, text_fingerprint(p.author_key), 0.9) for p in posts[:5]]
    stored = [
        Vote(p.source, p.native_id, "claude", p.created, weight, reason, p.author_key, text_fingerprint(p.author_key))
        for p, (weight, reason) in zip(posts, before, strict=False)
    ]
    later = ReportCounter()
    later.restore(stored)
    assert before + [later.count("claude", p, text_fingerprint(p.author_key), 0.9) for p in posts[5:]] == expected


def test_who_was_made_in_the_same_minute_is_known_over_passes_and_for_six_hours() -> None:
    made = AT - timedelta(days=900)
    later = ReportCounter()
    later.restore_accounts([AccountReport("claude", "first", made, AT)])
    twin = post("twin", timedelta(hours=1), author_created=made + timedelta(seconds=20))
    assert (
        later.count("claude", twin, text_fingerprint("one"), 0.9)[1]
        == "an account made in the same minute as another's"
    )
    assert (
        later.count("claude", post("first", timedelta(hours=6.5), author_created=made), text_fingerprint("two"), 0.9)[0]
        == 0.0
    ), "the twin spoke"
    late = post("third", timedelta(hours=14), author_created=made)
    assert later.count("claude", late, text_fingerprint("three"), 0.9) == (1.0, "counted")
    later.forget(AT + timedelta(hours=30))
    assert (later.authors, later.texts, later.accounts) == ({}, {}, {})


def item(number: int, title: str, outlet: str, hours: float = 0.0, summary: str = "") -> NewsItem:
    moment = AT + timedelta(hours=hours)
    return NewsItem(
        source="f",
        native_id=str(number),
        outlet=outlet,
        published=moment,
        collected=moment,
        title=title,
        summary=summary,
        url="",
    )


def test_syndicated_copies_are_one_event_with_its_outlets() -> None:
    text = "Users cannot sign in to Claude since noon, the company says it is looking into the failures it sees"
    items = [
        item(1, "Claude down for thousands", "Wire", 0, text),
        item(2, "Claude down for thousands today", "Herald", 1, text),
        item(3, "Cup final goes to penalties", "Herald", 1, "A long evening of football ended late"),
    ]
    events = fold_items(items, MATCHER)
    assert [event.outlets for event in events] == [("Herald", "Wire"), ("Herald",)]
    assert events[0].entities == (NewsEntity("claude", ("name", "headline")),)
