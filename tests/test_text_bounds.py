"""The bounds that the readers of texts document, each held just below and just above."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pytest

from pipeline.config.load import load_catalogue
from pipeline.config.paths import PLACES
from pipeline.core.records import NewsItem
from pipeline.core.times import utc
from pipeline.text import claims, error_codes, news, normalize, onset_time, places
from pipeline.text.cues import lexicon_features
from pipeline.text.extract import EXACT, REPORT, Extraction, ExtractionRequest, extract, masked_for
from pipeline.text.language import language_of
from pipeline.text.masking import TARGET
from pipeline.text.models.encoder import find_encoder
from pipeline.text.models.outage import SURE, OutageModel
from pipeline.text.models.training import is_holdout
from pipeline.text.named_days import RECENT, days_named
from pipeline.text.services import ServiceMatcher
from pipeline.text.symptoms import anger

MATCHER = ServiceMatcher(load_catalogue())
POSTED = utc("2026-07-14T18:00:00Z")
DAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("text", "published", "day"),
    [
        ("the outage of 6 March", date(2026, 1, 5), date(2026, 3, 6)),  # sixty days ahead: announced
        ("the outage of 7 March", date(2026, 1, 5), date(2025, 3, 7)),  # sixty-one: last year's
        ("the outage of 31 December", date(2026, 1, 5), date(2025, 12, 31)),
        ("the outage of December 31st", date(2026, 1, 5), date(2025, 12, 31)),
        ("the outage of 30 November", date(2026, 12, 31), date(2026, 11, 30)),
        ("planned for 2 March 2027", date(2025, 9, 1), date(2027, 3, 2)),  # a year that is named stands
        ("planned for 2 March 2026", date(2025, 9, 1), date(2026, 3, 2)),
        ("as on 2 March 2020", date(2026, 3, 2), date(2020, 3, 2)),
    ],
)
def test_a_date_without_a_year_is_last_years_when_it_lies_more_than_sixty_days_ahead(
    text: str, published: date, day: date
) -> None:
    assert timedelta(days=60) == RECENT
    assert days_named(text, published) == {day}


def test_days_that_do_not_exist_are_not_named() -> None:
    assert days_named("29 February", date(2026, 3, 1)) == set()
    assert days_named("29 February", date(2028, 3, 1)) == {date(2028, 2, 29)}
    assert days_named("31 April 2026", date(2026, 3, 1)) == set()


@pytest.mark.parametrize(
    ("text", "days"),
    [("monday", 0), ("tuesday", 6), ("sonntag", 1), ("dimanche", 1), ("miércoles", 5), ("yesterday", 1)],
)
def test_a_weekday_is_the_latest_up_to_the_day_of_publication(text: str, days: int) -> None:
    assert days_named(text, DAY) == {DAY - timedelta(days=days)}  # DAY is a Monday


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("it began at 12:59 UTC", "12:59"),
        ("it began at 12:60 UTC", ""),
        ("it began at 23:00 UTC", "23:00"),
        ("it began at 24:00 UTC", ""),
        ("it began at 12 am UTC", "00:00"),
        ("it began at 12 pm UTC", "12:00"),
        ("it began at 13 pm UTC", ""),
        ("it began at 0 am UTC", ""),
        ("it began at 14:00 UTC+14", "00:00"),
        ("it began at 14:00 UTC+15", ""),
        ("it began at 14:00 CET+1", ""),
        ("it began at 14:00 IST", ""),
    ],
)
def test_a_time_of_day_is_read_where_it_is_one_and_its_zone_means_one_thing(text: str, moment: str) -> None:
    assert [claim.value for claim in claims.claims(f"{text}, when the service went down", DAY)][:1] == [
        *([moment] if moment else [])
    ]


@pytest.mark.parametrize(
    ("text", "hours_ago", "within"),
    [
        ("down since 18:05 UTC", -5 / 60, 5 / 60),  # clocks differ by five minutes
        ("down since 18:06 UTC", 23 + 54 / 60, 5 / 60),
        ("down since 17:30", 0.5, 12.0),  # on the writer's own clock, which may be anybody's
        ("down for 20 minutes", 1 / 3, 5 / 60),  # a quarter of it, five minutes at least
        ("down for 24 minutes", 0.4, 0.1),
        ("down for 4 hours", 4.0, 1.0),
        ("down since this morning", 11.0, 16.0),
        ("down since last night", 20.0, 5.0),
    ],
)
def test_since_when_it_fails_comes_with_how_far_off_that_may_be(text: str, hours_ago: float, within: float) -> None:
    began = onset_time.since_when(text, POSTED)
    assert began is not None
    assert (POSTED - began.at).total_seconds() / 3600 == pytest.approx(hours_ago)
    assert began.within.total_seconds() / 3600 == pytest.approx(within)


class Certain:
    """An outage model of one probability."""

    id = "certain"

    def scores(self, masked: Sequence[str]) -> list[float]:
        return [REPORT for _ in masked]

    def symptoms_of(self, texts: Sequence[str], masked: Sequence[str]) -> list[str]:
        return ["by the model" for _ in masked]


def test_only_an_onset_within_an_hour_is_stored_as_a_moment() -> None:
    assert timedelta(hours=1) == EXACT
    texts = ("claude login down for 4 hours", "claude login down for 5 hours")
    requests = [ExtractionRequest(text=t, service="claude", matches=(), posted=POSTED) for t in texts]
    near, far = extract(requests, MATCHER, Certain(), PLACES)  # type: ignore[arg-type]
    assert near.began == POSTED - timedelta(hours=4)
    assert far.began is None
    assert (near.symptom, far.symptom) == ("by the model", "by the model")


def test_a_probability_of_a_half_is_a_report() -> None:
    def of(p: float) -> Extraction:
        return Extraction(p_outage=p, service="", components=(), working_components=(), language="en")

    assert of(0.5).outage
    assert not of(0.4999).outage


def test_a_language_is_told_from_six_letters_on() -> None:
    assert language_of("outag!") == "und"
    assert language_of("is down") != "und"


def test_a_service_outside_the_catalogue_is_masked_from_three_letters_on() -> None:
    assert masked_for("qrs is down", "qrs", MATCHER) == f"{TARGET} is down"
    assert masked_for("qr is down", "qr", MATCHER) == "qr is down"


def test_five_error_codes_and_five_places_are_kept() -> None:
    assert error_codes.error_codes(" ".join(f"error 50{n}" for n in range(1, 7))) == ("501", "502", "503", "504", "505")
    cities = ["in Lyon", "in Berlin", "in Chicago", "in Madrid", "in Milan", "in Boston"]
    assert places.where(", ".join(cities), PLACES).count(";") == 4


def test_a_bare_number_is_a_code_within_thirty_characters_of_such_a_word() -> None:
    assert error_codes.error_codes(f"503 {'x' * 21} gateway") == ("503",)
    assert error_codes.error_codes(f"503 {'x' * 22} gateway") == ()


@pytest.mark.parametrize(("number", "value"), [(50, ["50"]), (49, [])])
def test_a_count_of_reports_is_at_least_fifty(number: int, value: list[str]) -> None:
    assert [c.value for c in claims.claims(f"Downdetector had {number} reports of the outage", DAY)] == value


def test_an_article_is_read_up_to_twenty_thousand_characters() -> None:
    sentence = "The outage drew 500 reports on Downdetector"
    (whole,) = claims.claims("x" * (20_000 - len(sentence) - 2) + ". " + sentence, DAY)
    (cut,) = claims.claims("x" * (20_000 - len(sentence) - 1) + ". " + sentence, DAY)
    assert (whole.said_by, cut.said_by) == ("tracker", "outlet")


def test_a_text_is_normalized_up_to_four_thousand_characters() -> None:
    assert normalize.CAP == 4_000
    assert len(normalize.normalize("a" * 4_001)) == 4_000
    assert normalize.text_fingerprint("ab " * 2_000) == normalize.text_fingerprint("ab " * 2_000 + "more")
    assert normalize.text_fingerprint("ab " * 1_000) != normalize.text_fingerprint("ab " * 1_000 + "more")


@pytest.mark.parametrize(("words", "name"), [(5, "cue_len0"), (6, "cue_len1"), (29, "cue_len4"), (30, "cue_len5")])
def test_the_length_of_a_text_is_a_cue_in_six_classes(words: int, name: str) -> None:
    assert name in lexicon_features(" ".join(["xy"] * words))


def test_anger_is_three_marks_or_a_word_in_capitals_of_four_letters() -> None:
    assert anger("wtf") == pytest.approx(0.34)
    assert anger("wtf wtf wtf") == 1.0
    assert anger("DOWN") == pytest.approx(0.15)
    assert anger("API") == 0.0


def item(number: int, hours: float, title: str) -> NewsItem:
    published = utc("2026-03-02T12:00:00Z") + timedelta(hours=hours)
    return NewsItem(
        source="s",
        native_id=str(number),
        outlet=f"outlet {number}",
        published=published,
        title=title,
        summary="",
        url="",
        collected=published,
    )


def test_items_are_folded_within_three_days_of_the_first() -> None:
    title = "Claude is down for thousands of users"
    assert len(news.fold_items([item(1, 0, title), item(2, 72, title)], MATCHER)) == 1
    assert len(news.fold_items([item(1, 0, title), item(2, 72.01, title)], MATCHER)) == 2


def test_items_are_folded_when_half_of_their_runs_of_words_are_shared() -> None:
    words = [f"w{n}" for n in range(20)]
    one = " ".join(words[:11])  # 9 runs of three words
    for shared, events in ((6, 1), (5, 2)):  # of 12 runs 6, of 13 runs 5
        other = " ".join([*words[: shared + 2], *(f"v{n}" for n in range(11 - shared - 2))])
        assert len(news.fold_items([item(1, 0, one), item(2, 1, other)], MATCHER)) == events, shared


class Margins:
    """A linear classifier that has the log odds it is given."""

    def __init__(self, *log_odds: float) -> None:
        self.log_odds = list(log_odds)

    def decision_function(self, masked: Sequence[str]) -> list[float]:
        return self.log_odds


class Always:
    """A stacked classifier of one answer."""

    def scores(self, masked: Sequence[str], log_odds: Sequence[float]) -> list[float]:
        return [0.123 for _ in masked]


def test_the_linear_classifier_is_believed_beyond_odds_of_nineteen_to_one() -> None:
    assert pytest.approx(np.log(19)) == SURE
    linear = Margins(SURE, SURE + 1e-6, -SURE, -SURE - 1e-6)
    model = OutageModel("x", "", linear, Always())  # type: ignore[arg-type]
    first, second, third, fourth = model.scores(["a", "b", "c", "d"])
    assert (first, third) == (0.123, 0.123)
    assert second == pytest.approx(0.95, abs=1e-5)
    assert fourth == pytest.approx(0.05, abs=1e-5)


def test_a_sentence_vector_is_of_the_first_thousand_characters() -> None:
    encoder, why = find_encoder()
    assert encoder is not None, why
    text = ("it does not load " * 100)[:1_000]
    assert (encoder.vector(text) == encoder.vector(text + " and the weather is fine")).all()
    assert (encoder.vector(text[:-40]) != encoder.vector(text[:-40] + " and the weather is fine")).any()


def test_a_tenth_of_all_texts_is_held_back() -> None:
    share = sum(is_holdout(f"text number {n}") for n in range(20_000)) / 20_000
    assert 0.0975 < share < 0.106  # 26 of 256 first bytes


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("errors southern greater Lyon", "Lyon, FR"),  # 17 characters
        ("errors provincia de greater Lyon", ""),  # 21
    ],
)
def test_a_word_such_as_in_is_looked_for_in_the_twenty_characters_before_a_place(text: str, named: str) -> None:
    assert places.where(text, PLACES) == named


def test_the_longest_word_such_as_since_is_read_before_a_clock_time() -> None:
    assert onset_time.since_when("down à partir de kwart over 17:30", POSTED) == onset_time.since_when(
        "down since 17:30", POSTED
    )
