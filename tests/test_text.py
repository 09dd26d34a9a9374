"""Reading texts: services, parts, symptoms, votes, news, the models and the texts they learn from."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import timedelta

import pytest
import zstandard

from pipeline.config import LABELS, MODEL, load_catalogue
from pipeline.model import NewsItem, utc
from pipeline.text import classifier
from pipeline.text.cues import with_cues
from pipeline.text.news import claims, fold_items
from pipeline.text.normal import jaccard, shingles, skeleton
from pipeline.text.services import ServiceMatcher
from pipeline.text.symptoms import parts_named, symptom
from pipeline.text.votes import Ballot, shape_of
from tests.conftest import SCENARIO

CATALOGUE = load_catalogue()
MATCHER = ServiceMatcher(CATALOGUE)
AT = utc("2026-03-02T11:40:00Z")


@pytest.mark.parametrize(
    ("text", "community", "services"),
    [
        ("Claude is down again", "technology", ["claude"]), ("is it just me?", "ClaudeAI", ["claude"]),
        ("Monet, Claude: the garden at Giverny", "art", []), ("declaude and claudette", "x", []),
        ("GitHub Copilot fails, GitHub works", "programming", ["copilot", "github"]), ("claude.aiに繋がらない", "x", ["claude"]),
        ("Anthropic answers the ministry", "news", []), ("ＣＬＡＵＤＥ　ＣＯＤＥ error 500", "x", ["claude"]),
        ("Spotify is down, nothing plays", "ClaudeAI", None),
    ],
)  # fmt: skip
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
        ("API is not working", ["api"], []), ("browser is dead, api = perfectly happy", ["web"], ["api"]),
        ("la web no va pero la API responde sin problema", ["web"], ["api"]),
        ("die Website geht nicht, aber die API funktioniert", ["web"], ["api"]),
        ("API error 529 in Claude Code", ["code"], []), ("nothing works", [], []),
    ],
)  # fmt: skip
def test_parts_that_fail_and_parts_said_to_work(text: str, failing: list[str], working: list[str]) -> None:
    hits = [(h.start, h.end, h.component) for h in MATCHER.hits(text.casefold()) if h.service == "claude"]
    assert parts_named(text, CATALOGUE["claude"], hits) == (failing, working)


@pytest.mark.parametrize(("text", "expected"), [
    ("stuck in a login loop, error 500", "login"), ("it just spins and never loads", "no_response"), ("app crashes on start", "crash"),
    ("card declined at checkout", "payment"), ("getting 529 overloaded", "error"), ("is it down?", "all"), ("hello", ""),
    ("no me deja iniciar sesión", "login"), ("ログインできない", "login"),
])  # fmt: skip
def test_symptoms(text: str, expected: str) -> None:
    assert symptom(text) == expected


def test_votes_are_people_and_wordings_not_posts() -> None:
    ballot = Ballot()
    shape = shape_of("Claude is down!!")
    assert ballot.judge("claude", "ann", shape, AT, 0.9) == (1.0, "counted")
    assert ballot.judge("claude", "ann", shape_of("other words"), AT, 0.9)[1] == "the same author within six hours"
    assert (
        ballot.judge("claude", "bob", shape_of("claude is DOWN https://x.example"), AT, 0.9)[1]
        == "the same text within six hours"
    )
    assert (
        ballot.judge("claude", "bob", shape_of("cl\u200baude is down"), AT, 0.9)[1] == "the same text within six hours"
    )
    assert ballot.judge("claude", "", shape_of("whatever else"), AT, 0.9)[1] == "no author"
    assert ballot.judge("claude", "cy", shape_of("lovely day"), AT, 0.3)[1] == "not about an outage"
    assert ballot.judge("claude", "ann", shape, AT + timedelta(hours=6), 0.9) == (1.0, "counted")
    assert ballot.judge("github", "ann", shape, AT, 0.9) == (1.0, "counted"), "each service has its own ballot"


def labelled() -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for path in sorted(LABELS.glob("posts*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows += csv.DictReader(file)
    return rows


def test_labelled_texts_are_many_and_differ_as_people_differ() -> None:
    rows = labelled()
    assert len(rows) >= 1500
    assert len({skeleton(row["text"]) for row in rows}) >= 0.995 * len(rows)
    assert {row["lang"] for row in rows} >= {"en", "es", "pt", "fr", "de", "it", "nl", "pl", "tr", "id", "ja"}
    share = Counter(row["label"] for row in rows)
    assert share["not_outage"] >= share["outage"] >= 600
    runs = Counter(run for row in rows for run in shingles(row["text"], 4))
    assert sum(1 for count in runs.values() if count == 1) / len(runs) > 0.98, (
        "templates would share runs of four words"
    )


def test_no_labelled_text_is_a_near_duplicate_of_a_scenario_text() -> None:
    with (SCENARIO / "generator" / "texts.csv").open(encoding="utf-8", newline="") as file:
        scenario = [shingles(f"{row['title']} {row['text']}") for row in csv.DictReader(file)]
    index: dict[tuple[str, ...], set[int]] = {}
    for number, runs in enumerate(scenario):
        for run in runs:
            index.setdefault(run, set()).add(number)
    for row in labelled():
        runs = shingles(row["text"])
        for number in {n for run in runs for n in index.get(run, ())}:
            assert jaccard(runs, scenario[number]) < 0.3, row["text"]


def test_the_committed_models_are_what_training_gives_and_are_read_by_hash(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    texts, truth = classifier.read_labels(LABELS, MATCHER)
    model = classifier.fit(texts, truth)
    one, two = (
        classifier.save(classifier.fit(texts, truth), folder / name) for name in ("outage.skops", "again.skops")
    )
    assert one == two, "same texts, same bytes"
    loaded = classifier.load(folder / "outage.skops")
    few = [text.split(" cue_")[0] for text in texts[:60]]
    assert loaded.scores(few) == pytest.approx(classifier.load(MODEL).scores(few), abs=0.01), (
        "run `make train` and commit"
    )
    column = list(model.classes_).index(1)
    assert loaded.scores(few) == pytest.approx(model.predict_proba([with_cues(t) for t in few])[:, column], abs=1e-9)
    (folder / "outage.skops").write_bytes(b"cos\nsystem\n(S'touch /tmp/owned'\ntR.")
    broken = classifier.load(folder / "outage.skops")
    assert broken.id == "rules"
    assert "not the file its .sha256 speaks of" in broken.note
    assert broken.scores(["svctarget is down"])[0] > 0.5 > broken.scores(["how do i use svctarget"])[0]
    assert classifier.load(folder / "absent.skops").id == "rules"


def test_the_model_tells_outages_from_what_sounds_like_them() -> None:
    """On the simulated posts, whose texts it never saw; figures are printed by the test on failure only."""
    model = classifier.load(MODEL)
    raw = (
        zstandard.ZstdDecompressor()
        .stream_reader((SCENARIO / "posts.ndjson.zst").open("rb"))
        .read()
        .decode()
        .splitlines()
    )
    posts = [json.loads(line) for line in raw[::3]]
    texts = [f"{p.get('title', '')} {p.get('selftext', '')}{p.get('body', '')}" for p in posts]
    named = [MATCHER.about(text, post["subreddit"]) for text, post in zip(texts, posts, strict=True)]
    chosen = [(t, p["_simulated"]) for t, p, n in zip(texts, posts, named, strict=True) if "claude" in n]
    scores = model.scores([MATCHER.masked(text, "claude") for text, _ in chosen])
    outage = [s >= 0.5 for s, (_, kind) in zip(scores, chosen, strict=True) if kind.startswith("outage_")]
    everyday = [s >= 0.5 for s, (_, kind) in zip(scores, chosen, strict=True) if not kind.startswith("outage_")]
    assert sum(outage) / len(outage) > 0.75
    assert sum(everyday) / len(everyday) < 0.10


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
    items = [item(1, "Claude down for thousands", "Wire", 0, text), item(2, "Claude down for thousands today", "Herald", 1, text),
             item(3, "Cup final goes to penalties", "Herald", 1, "A long evening of football ended late")]  # fmt: skip
    events = fold_items(items, MATCHER)
    assert [event.outlets for event in events] == [("Herald", "Wire"), ("Herald",)]
    assert events[0].entities == ("claude:name",)


def test_claims_of_times_and_the_api() -> None:
    assert claims("Trouble began at 5:30 AM PST and full service returned at 11:00 AM PST") == [
        ("start", 810),
        ("end", 1140),
    ]
    assert claims("The API stayed up, and only sign-in failed") == [("api", "up")]
    assert claims("Doors open at 5:30 AM") == []
