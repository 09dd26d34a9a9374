"""What is read out of texts beyond yes or no: codes, places, times, claims; on rows we labelled and on hostile ones."""

from __future__ import annotations

import json
import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipeline.config import LABELS, MODELS, PLACES, evaluation_data, load_catalogue
from pipeline.model import utc
from pipeline.text.claims import Claim, claims
from pipeline.text.classifier import load
from pipeline.text.clock import times_of_day
from pipeline.text.codes import error_codes
from pipeline.text.places import gazetteer, where
from pipeline.text.reading import ask_about, language_of, read_texts
from pipeline.text.services import ServiceMatcher
from pipeline.text.since import since_when
from pipeline.trials import extraction

MATCHER = ServiceMatcher(load_catalogue())
AT = utc("2026-07-14T18:00:00Z")


def test_fields_of_labelled_reports() -> None:
    for name, score in extraction.of_reports(LABELS / "details.csv", PLACES, MATCHER, load(MODELS)).items():
        assert score.rows >= 130
        least = {"language": 0.93, "symptom": 0.75}.get(
            name, 0.97
        )  # "partial" or what failed of it: often both are true
        assert score.exact / score.rows >= least, score.wrong


def test_claims_of_labelled_sentences() -> None:
    score = extraction.of_claims(LABELS / "claims.csv")
    assert score.rows >= 70
    assert score.both / score.said >= 0.95, score.wrong
    assert score.both / score.true >= 0.95, score.wrong


@pytest.mark.parametrize(("text", "expected"), [
    ("getting 503s", ("503",)), ("HTTP 404", ("404",)), ("404 users joined", ()), ("paid $500 for an api key", ()),
    ("API Error: 529 overloaded_error, then 500 api_error", ("529", "overloaded_error", "500", "api_error")), ("read ECONNRESET", ("econnreset",)),
    ("error 503 503 503", ("503",)), ("call 555-0500", ()), ("1.500 servers", ()),
])  # fmt: skip
def test_error_codes(text: str, expected: tuple[str, ...]) -> None:
    assert error_codes(text) == expected


@pytest.mark.parametrize(("text", "minutes"), [
    ("down for 20 minutes", 20), ("down since 5:30 AM PT", 330), ("since 5:30 AM PST", 270), ("since 2pm UTC", 240), ("since 10:42 IST", None),
    ("started 2 hrs ago", 120), ("desde hace 15 min", 15), ("seit 3 Stunden", 180), ("depuis une heure", 60), ("もう30分くらい", 30),
    ("since 7 PM UTC", 1380), ("waited in line 20 people deep", None), ("I have been paying for 2 years", None), ("at 5:30 AM PT doors open", None),
])  # fmt: skip
def test_since_when(text: str, minutes: int | None) -> None:
    began = since_when(text, AT)
    assert (None if began is None else (AT - began.at) / timedelta(minutes=1)) == minutes


def test_zones_that_mean_several_things_need_a_country() -> None:
    day = date(2026, 7, 14)
    assert [m for _, _, m in times_of_day("at 10:00 am ist", day)] == []
    assert [f"{m:%H:%M}" for _, _, m in times_of_day("at 10:00 am ist", day, "IN")] == ["04:30"]
    assert [f"{m:%H:%M}" for _, _, m in times_of_day("10:30 am pt, 10:30 am pst", day)] == ["17:30", "18:30"]
    assert [f"{m:%H:%M}" for _, _, m in times_of_day("10:30 am et", date(2026, 1, 5))] == ["15:30"]
    assert list(times_of_day("25:10 utc, 13 utc, 17 pm utc, 10:75 utc", day)) == []


@pytest.mark.parametrize(("text", "expected"), [
    ("down here in Berlin", "Berlin, DE"), ("same in Lyon and in Paris", "Lyon, FR; Paris, FR"), ("nice work everyone", ""), ("reading a book", ""),
    ("no internet with Comcast in Ohio", "network comcast; US-OH"), ("大阪も無理", "Osaka, JP"), ("my orange cat", ""), ("no signal, @orange", "network orange"), ("la box Orange est morte", "network orange"), ("we all are Reading in Reading", "Reading, GB"),
])  # fmt: skip
def test_places(text: str, expected: str) -> None:
    assert where(text, PLACES) == expected


def test_every_place_is_stored_once_and_has_a_country() -> None:
    known = gazetteer(PLACES)
    assert len(known.places) > 300
    assert all(len(place.rpartition(", ")[2][:2]) == 2 for place in known.places.values())


def test_claims_say_who_and_what_was_counted() -> None:
    told = claims(
        "Trouble began at 5:30 AM PST and full service returned at 11:00 AM PST. Reports peaked at 2,000 on Downdetector. "
        "The API stayed up, the company said.",
        date(2026, 3, 2),
    )
    assert told == [
        Claim(kind="start", value="13:30"), Claim(kind="end", value="19:00"),
        Claim(kind="reports", value="2000", said_by="tracker", definition="peak"), Claim(kind="up", value="api", said_by="company"),
    ]  # fmt: skip
    assert claims("Doors open at 5:30 AM PST for the launch event", date(2026, 3, 2)) == []


HOSTILE = ("", "\x00" * 100, "\ud800\udfff", "a" * 1_000_000, "🤬" * 50_000, "since " * 20_000, "1:" * 20_000, "(" * 50_000,
           "\u202eclaude is down\u202c", "cl\u200baude 500 in \u200bBerlin", "error " * 30_000, "10 min " * 20_000, "in " * 30_000)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_hostile_texts_are_read_in_bounded_time(text: str) -> None:
    read_texts([ask_about("claude is down", "", MATCHER)], MATCHER, load(MODELS), PLACES)  # loads what is loaded once
    model = load(MODELS)
    before = time.process_time()
    (reading,) = read_texts([ask_about(text, "claude", MATCHER)], MATCHER, model, PLACES)
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
    for reading in read_texts([ask_about(text, "", MATCHER) for text in texts], MATCHER, model, PLACES):
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
    assert score.both / score.said >= 0.95
    assert score.both / score.true >= 0.88
    assert score.exact / score.rows >= 0.78


def test_language_of_short_posts() -> None:
    assert [language_of(text) for text in ("is claude down?", "ça marche pas du tout", "¿se cayó otra vez?", "geht bei euch was", "500", "落ちてる?")] == [
        "en", "fr", "es", "de", "und", "und"]  # fmt: skip
