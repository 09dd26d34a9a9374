"""What is read out of texts beyond yes or no: codes, places, times, claims; on rows we labelled and on hostile ones."""

from __future__ import annotations

import json
import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipeline.config.load import evaluation_data, load_catalogue
from pipeline.config.paths import LABELS, MODELS, PLACES
from pipeline.core.news_events import Claim
from pipeline.core.times import utc
from pipeline.core.vocabulary import ClaimKind, SaidBy
from pipeline.evaluation import extraction
from pipeline.text.claims import claims
from pipeline.text.clock_times import times_of_day
from pipeline.text.components import parts_named
from pipeline.text.error_codes import error_codes
from pipeline.text.extract import PostText, read_posts
from pipeline.text.language import LANGUAGES, language_of, languages_of
from pipeline.text.models import training
from pipeline.text.models.outage import load
from pipeline.text.onset_time import since_when
from pipeline.text.places import gazetteer, where
from pipeline.text.services import ServiceMatcher

MATCHER = ServiceMatcher(load_catalogue())
AT = utc("2026-07-14T18:00:00Z")


def test_fields_of_labelled_reports() -> None:
    for name, score in extraction.of_reports(LABELS / "details.csv", PLACES, MATCHER, load(MODELS)).items():
        assert score.rows >= 130
        least = {"language": 0.93, "symptom": 0.75}.get(
            name, 0.97
        )  # "partial" or what failed of it: often both are true
        assert score.exact / score.rows >= least, score.wrong


def test_fields_of_reports_the_rules_were_not_written_for() -> None:
    """Silence is common there, a wrong word rare."""
    for name, score in extraction.of_reports(LABELS / "details-unseen.csv", PLACES, MATCHER, load(MODELS)).items():
        assert score.rows == 80
        assert score.correct / score.predicted >= (0.6 if name == "symptom" else 0.85), score.wrong


def test_claims_of_labelled_sentences() -> None:
    score = extraction.of_claims(LABELS / "claims.csv")
    assert score.rows >= 70
    assert score.correct / score.predicted >= 0.95, score.wrong
    assert score.correct / score.labelled >= 0.95, score.wrong


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("getting 503s", ("503",)),
        ("HTTP 404", ("404",)),
        ("404 users joined", ()),
        ("paid $500 for an api key", ()),
        ("API Error: 529 overloaded_error, then 500 api_error", ("529", "overloaded_error", "500", "api_error")),
        ("read ECONNRESET", ("econnreset",)),
        ("error 503 503 503", ("503",)),
        ("call 555-0500", ()),
        ("1.500 servers", ()),
        ("529エラーが出る", ("529",)),
        ("error CE-34878-0", ("ce-34878-0",)),
        ("NW-2-5 error", ("nw-2-5",)),
        ("my zip code 90210", ()),
        ("really slow, our 400 employees wait", ()),
        ("HTTP 200", ()),
        ("Claude Code opus-4 is down", ()),
    ],
)
def test_error_codes(text: str, expected: tuple[str, ...]) -> None:
    assert error_codes(text) == expected


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("down for 20 minutes", 20),
        ("down since 5:30 AM PT", 330),
        ("since 5:30 AM PST", 270),
        ("since 2pm UTC", 240),
        ("since 10:42 IST", None),
        ("started 2 hrs ago", 120),
        ("desde hace 15 min", 15),
        ("seit 3 Stunden", 180),
        ("depuis une heure", 60),
        ("もう30分くらい", 30),
        ("since 7 PM UTC", 1380),
        ("1.5 hours ago", 90),
        ("1 hour and 20 minutes ago", 80),
        ("down for 1h 20m", 80),
        ("down for an hour and a half", 90),
        ("down for 20m", 20),
        ("I've used it for 90 days and it has been down for 10 minutes", 10),
        ("Hier in Berlin ist Claude down", None),
        ("depuis 14h plus rien", 240),
        ("seit 14 Uhr nix", 240),
        ("down again, 2 days after the last outage", None),
        ("won't load: a jam again", None),
        ("down since 14:00 GMT+2", 360),
        ("six hours ago", 360),
        ("a panne depuis 10h30 et toujours rien", 450),
        ("14時から繋がらない", 240),
        ("I signed up 2 days ago and today it won't load for 5 minutes", 5),
        ("waited in line 20 people deep", None),
        ("I have been paying for 2 years", None),
        ("at 5:30 AM PT doors open", None),
    ],
)
def test_since_when(text: str, minutes: int | None) -> None:
    began = since_when(text, AT)
    assert (None if began is None else (AT - began.at) / timedelta(minutes=1)) == minutes


def clock(text: str, day: date = date(2026, 7, 14)) -> list[str]:
    return [f"{moment:%H:%M}" for _, _, moment in times_of_day(text.lower(), text, day)]


def test_zones_are_read_where_they_mean_one_thing() -> None:
    assert clock("at 10:00 am IST") == []
    assert clock("10:30 am pt, 10:30 am pst, 10:30 PT") == ["17:30", "18:30", "17:30"]
    assert clock("10:30 am ET", date(2026, 1, 5)) == ["15:30"]
    assert clock("25:10 UTC, 13 UTC, 17 pm UTC, 10:75 UTC") == []
    assert clock("depuis 10h30 et toujours rien; od 14:30 z telefonu; depuis 10h30 est down") == [], "words, not zones"
    assert clock("14:00 GMT+2, 14:00 UTC-0330, 14:30z, 9:00 MEZ") == ["12:00", "17:30", "14:30", "08:00"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("down here in Berlin", "Berlin, DE"),
        ("same in Lyon and in Paris", "Lyon, FR; Paris, FR"),
        ("nice work everyone", ""),
        ("reading a book", ""),
        ("no internet with Comcast in Ohio", "network comcast; US-OH"),
        ("大阪も無理", "Osaka, JP"),
        ("my orange cat", ""),
        ("no signal, @orange", "network orange"),
        ("la box Orange est morte", "network orange"),
        ("we all are Reading in Reading", "Reading, GB"),
        ("caído en El Salvador", "SV"),
        ("down in Paris, Texas", "US-TX"),
        ("in New South Wales", "AU-NSW"),
        ("in der Schweiz", "CH"),
        ("in ganz Deutschland", "DE"),
        ("Orange en panne à Lille", "network orange; Lille, FR"),
    ],
)
def test_places(text: str, expected: str) -> None:
    assert where(text, PLACES) == expected


def test_every_place_is_stored_once_and_has_a_country() -> None:
    known = gazetteer(PLACES)
    assert len(known.places) > 300
    assert all(len(place.rpartition(", ")[2][:2]) == 2 for place in known.places.values())


def test_claims_say_who_and_what_was_counted() -> None:
    told = claims(
        "Trouble began at 5:30 AM PST and full service returned at 11:00 AM PST. Reports peaked at 2,000 on "
        "Downdetector. "
        "The API stayed up, the company said.",
        date(2026, 3, 2),
    )
    assert told == [
        Claim(kind=ClaimKind.START, value="13:30"),
        Claim(kind=ClaimKind.END, value="19:00"),
        Claim(kind=ClaimKind.REPORTS, value="2000", said_by=SaidBy.TRACKER, definition="peak"),
        Claim(kind=ClaimKind.UP, value="api", said_by=SaidBy.COMPANY),
    ]
    assert claims("Doors open at 5:30 AM PST for the launch event", date(2026, 3, 2)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Service was fully restored around 5 p.m. ET.", [("end", "22:00")]),
        ("Outage reports peaked at around 11 a.m. ET.", []),
        ("The outage lasted from 9:00 a.m. to 11:30 a.m. ET.", [("start", "14:00"), ("end", "16:30")]),
        ("It ran from 12:03 to 14:40 UTC, the incident.", [("start", "12:03"), ("end", "14:40")]),
        ("More than 3,000 reports by 8 a.m. ET.", [("reports", "3000")]),
        ("The API is not down, Anthropic said.", [("up", "api")]),
        ("Downdetector, founded in 2012, logged 5,600 reports.", [("reports", "5600")]),
        ("Downdetector received 1,200 million reports.", [("reports", "1200000")]),
        ("Downdetector saw 45K reports.", [("reports", "45000")]),
        ("Error 503 reports flooded Downdetector, 9,000 in all.", [("reports", "9000")]),
        (
            "The API stayed up, and only sign-in on the website failed.",
            [("up", "api"), ("down", "web"), ("down", "login")],
        ),
        ("Sign-in is broken, the API is a separate matter.", [("down", "login")]),
        ("Users report blank pages and 500 errors.", []),
        ("The vendor told customers that its API continues to work as intended.", [("up", "api")]),
        ("The cause was identified by 7:00 AM.", []),
        ("The outage began at 9:30 A.M. ET on Monday.", [("start", "14:30")]),
    ],
)
def test_claims_a_reader_would_take(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(claim.kind, claim.value) for claim in claims(text, date(2026, 3, 2))] == expected


@pytest.mark.parametrize(
    ("text", "failing", "working"),
    [
        ("Necesito ayuda, Claude no funciona", [], []),
        ("Todos los servicios de Claude caídos", [], []),
        ("The Claude API is broken, website works", ["api"], ["web"]),
        ("Claude Code was working fine this morning, now it just returns 500", ["code"], []),
        ("Does the Claude API work for anyone?", [], []),
        ("I use the Claude app for work and it is down", ["mobile"], []),
        ("Claude Code is down. I hope Claude Code works again soon", ["code"], []),
        ("The API keeps failing. Yesterday the API was fine.", ["api"], []),
        ("la app de Claude va fatal", ["mobile"], []),
        ("claude.ai geht nix mehr", ["web"], []),
        ("L'appli Claude marche pas, le site oui", ["mobile"], ["web"]),
        ("API works on my Plus plan but claude.ai doesn't", ["web"], ["api"]),
        ("my microphone is fine, Claude is down", [], []),
    ],
)
def test_parts_as_people_speak_of_them(text: str, failing: list[str], working: list[str]) -> None:
    matches = MATCHER.about(text, "ClaudeAI").get("claude", [])
    assert parts_named(text, MATCHER.catalogue["claude"], matches) == (failing, working)


HOSTILE = (
    "",
    "\x00" * 100,
    "\ud800\udfff",
    "a" * 1_000_000,
    "🤬" * 50_000,
    "since " * 20_000,
    "1:" * 20_000,
    "(" * 50_000,
    "\u202eclaude is down\u202c",
    "cl\u200baude 500 in \u200bBerlin",
    "error " * 30_000,
    "10 min " * 20_000,
    "in " * 30_000,
)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_hostile_texts_are_read_in_bounded_time(text: str) -> None:
    read_posts([PostText("claude is down")], MATCHER, load(MODELS), PLACES)  # loads what is loaded once
    model = load(MODELS)
    before = time.process_time()
    (reading,) = read_posts([PostText(text, "claude")], MATCHER, model, PLACES)
    claims(text, date(2026, 3, 2))
    since_when(text, AT)
    spent = time.process_time() - before
    assert 0 <= reading.p_outage <= 1
    assert spent < 2, "a pattern that backtracks takes minutes"


@pytest.mark.skipif(evaluation_data() is None, reason="EVAL_DATA is not set")
def test_hostile_texts_of_others_are_read() -> None:
    folder = evaluation_data()
    assert folder is not None
    model = load(MODELS)
    texts = [
        str(row.get("s", row.get("text", line)))
        for path in sorted((folder / "bad" / "text").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.strip() and isinstance(row := json.loads(line), dict)
    ]
    assert len(texts) > 200
    before = time.process_time()
    for reading in read_posts([PostText(text) for text in texts], MATCHER, model, PLACES):
        assert 0 <= reading.p_outage <= 1
        assert reading.language
    assert (time.process_time() - before) / len(texts) < 0.05


@pytest.mark.skipif(evaluation_data() is None, reason="EVAL_DATA is not set")
def test_parts_named_by_providers_titles() -> None:
    folder = evaluation_data()
    assert folder is not None
    path: Path = folder / "series" / "github_status" / "incidents.csv"
    score = extraction.of_titles(extraction.read_official(path, "github", MATCHER), "github", MATCHER)
    assert score.rows > 300
    assert score.correct / score.predicted >= 0.95
    assert score.correct / score.labelled >= 0.88
    assert score.exact / score.rows >= 0.78


def test_language_of_short_posts() -> None:
    assert [
        language_of(text)
        for text in (
            "is claude down?",
            "ça marche pas du tout",
            "¿se cayó otra vez?",
            "geht bei euch was",
            "500",
            "落ちてる?",
        )
    ] == ["en", "fr", "es", "de", "und", "und"]


def test_languages_are_those_of_py3langid_one_text_after_the_other() -> None:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    identifier.set_languages(list(LANGUAGES))
    texts = [row.text for row in training.read_labels(LABELS, MATCHER)][::5]
    texts += [
        "CLAUDE IST SEIT HEUTE MORGEN KAPUTT",
        "落ちてる" * 200,
        "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 لا تعمل",
    ]
    read = languages_of(texts)
    assert [text for text, language in zip(texts, read, strict=True) if language == "und"] != texts
    for text, language in zip(texts, read, strict=True):
        if language != "und":
            assert language == identifier.classify(text[:400])[0], text
    assert languages_of(texts[:7]) == read[:7]
    assert languages_of([]) == []
