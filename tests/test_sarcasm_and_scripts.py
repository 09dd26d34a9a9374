"""Posts that praise what they complain of, and posts that write a service's name in their own script."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from pipeline.config.load import load_catalogue
from pipeline.config.paths import LABELS, MODELS, PLACES
from pipeline.core.errors import StoreError
from pipeline.evaluation import no_reports
from pipeline.text.extract import (
    REPORT,
    Extraction,
    ExtractionRequest,
    PostText,
    extract,
    outage_probabilities,
    read_posts,
)
from pipeline.text.models import outage
from pipeline.text.models.outage import OutageModel
from pipeline.text.models.training import read_labels
from pipeline.text.services import ServiceMatcher

MATCHER = ServiceMatcher(load_catalogue())
MOST_SECONDS = 0.05


@pytest.fixture(scope="module")
def model() -> OutageModel:
    return outage.load(MODELS)


def read(text: str, model: OutageModel, service: str = "") -> Extraction:
    return read_posts([PostText(text, service)], MATCHER, model, PLACES)[0]


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("Great work GitHub, I adore waiting 25 minutes for one merge. Real champions of uptime", "github"),
        ("oh wonderful, Zoom decided to nap just as the interview began", "zoom"),
        ("Thanks PayPal for dying at the checkout, exactly what I needed today", "paypal"),
        ("Azure having one of those moments again", "azure"),
    ],
)
def test_praise_of_what_fails_is_a_report(text: str, service: str, model: OutageModel) -> None:
    assert read(text, model, service).outage


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("Great work GitHub, the new merge button is lovely. Real champions of design", "github"),
        ("oh wonderful, Zoom raised its price again, just what I needed", "zoom"),
        ("Thanks PayPal for the quick refund, exactly what I needed today", "paypal"),
    ],
)
def test_praise_and_mockery_of_what_works_is_no_report(text: str, service: str, model: OutageModel) -> None:
    assert not read(text, model, service).outage


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("クロードが落ちた？返事が来ない", "claude"),
        ("クロードまたエラー", "claude"),
        ("Клод не открывается, ошибка", "claude"),
        ("클로드 지금 안 돼요", "claude"),
        ("كلود ما يفتح", "claude"),
        ("क्लॉड नहीं चल रहा", "claude"),
        ("Телеграм лежит", "telegram"),
        ("ワッツアップ送れない、障害？", "whatsapp"),
        ("유튜브 안 열려요", "youtube"),
        ("微信崩了", "wechat"),
    ],
)
def test_a_report_with_the_name_in_its_own_script_counts_for_the_service(
    text: str, service: str, model: OutageModel
) -> None:
    requests = [ExtractionRequest(text=text, service=s, matches=m) for s, m in MATCHER.about(text).items()]
    counted = [each.service for each in extract(requests, MATCHER, model, PLACES) if each.outage]
    assert counted == [service]


def everything_in_many_languages() -> str:
    """Return words of a hundred alphabets' blocks, one after the other."""
    return " ".join(chr(start + at) * 3 for start in range(0x0390, 0x0390 + 100 * 0x80, 0x80) for at in (8, 20, 33))


LISTS_OF_NAMES = " ".join(service.name for service in load_catalogue().values())


@pytest.mark.parametrize(
    "text",
    [
        "#" + "claudedown" * 1_000,
        "@" + "x" * 10_000 + " is down",
        "#" + "a_" * 5_000 + "down",
        f"{LISTS_OF_NAMES} {LISTS_OF_NAMES} are all down",
        f"Claude is down {everything_in_many_languages()} Claude is down",
        "Claude is down, if Claude is down. " * 110,
        "claude " * 570,
    ],
    ids=["hashtag", "handle", "underscores", "300 services", "100 scripts", "clauses", "one name"],
)
def test_a_text_of_any_kind_is_read_in_fifty_milliseconds(text: str, model: OutageModel) -> None:
    def once(number: int) -> float:
        begin = time.process_time()
        requests = [
            ExtractionRequest(text=t, service=s, matches=m)
            for t in [f"{text[:9_000]} {number}", text]
            for s, m in MATCHER.about(t).items()
        ]
        extract(requests, MATCHER, model, PLACES)
        return (time.process_time() - begin) / 2

    once(0)
    assert min(once(number) for number in (1, 2, 3)) <= MOST_SECONDS


def test_rows_of_what_is_no_report_are_25_a_language_and_most_are_read_so(model: OutageModel) -> None:
    rows = no_reports.read_no_reports(LABELS / "stances-unseen.csv")
    languages = {row.language for row in rows}
    assert len(languages) >= 14
    assert all(sum(row.language == language for row in rows) >= 25 for language in languages)
    shares = list(no_reports.report(rows, MATCHER, model))[-1].split()[-3:]
    assert all(float(share) >= 0.85 for share in shares), shares


def test_most_reports_in_languages_of_few_training_rows_are_read_as_such(model: OutageModel) -> None:
    rows = read_labels(LABELS, MATCHER, "more-languages-unseen.csv")
    learnt = {row.text for row in read_labels(LABELS, MATCHER)}
    assert not learnt & {row.text for row in rows}
    judged = zip(rows, outage_probabilities([row.masked for row in rows], model), strict=True)
    as_reports = [row for row, p in judged if p >= REPORT]
    found = Counter(row.language for row in as_reports if row.outage)
    false = sum(not row.outage for row in as_reports)
    assert set(found) == {row.language for row in rows}
    assert min(found.values()) >= 2, found  # of four each
    assert sum(found.values()) >= 32, found
    assert false <= 8, false  # of thirty


def test_a_row_of_an_unknown_kind_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("lang,kind,text\nen,recovery,it is back\nen,rumour,who knows\n", encoding="utf-8")
    with pytest.raises(StoreError, match=r"rows\.csv:3: needs a text and a kind"):
        no_reports.read_no_reports(path)


def test_a_report_has_a_probability_of_a_half_and_more(model: OutageModel) -> None:
    assert read("Claude is down", model).p_outage >= REPORT > read("Claude is fine", model).p_outage
