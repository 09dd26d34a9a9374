"""Which services a bare text counts for: one of two, lists, who moved, denials, parts, prices, people, plain words."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from pipeline.config.load import load_catalogue
from pipeline.config.paths import LABELS, MODELS
from pipeline.core.errors import StoreError
from pipeline.evaluation import counted_kinds
from pipeline.evaluation.counted_kinds import KindRow
from pipeline.text.models import outage
from pipeline.text.models.outage import OutageModel
from pipeline.text.services import ServiceMatcher

MATCHER = ServiceMatcher(load_catalogue())
FEWEST = 0.6  # of the rows of a kind that are counted rightly


@pytest.fixture(scope="module")
def model() -> OutageModel:
    return outage.load(MODELS)


def counted(text: str, model: OutageModel) -> set[str]:
    (result,) = counted_kinds.count_rows([KindRow("", "", frozenset(), text)], MATCHER, model)
    return set(result.counted)


@pytest.mark.parametrize(
    ("text", "services"),
    [
        ("GitHub is down, GitLab isn't", {"github"}),
        ("GitLab isn't, but GitHub is down", {"github"}),
        ("GitHub is down but not GitLab", {"github"}),
        ("Verizon works, T-Mobile doesn't", {"tmobile_us"}),
        ("Netflix, Spotify and Discord are down", {"netflix", "spotify", "discord"}),
        ("Discord, Netflix and Spotify are down", {"netflix", "spotify", "discord"}),
        ("Claude is down so I switched to ChatGPT", {"claude"}),
        ("I switched to ChatGPT because Claude is down", {"claude"}),
        ("Discord hat keine Störung gemeldet, geht aber nicht", {"discord"}),
        ("WhatsApp works on wifi but not on mobile data", {"whatsapp"}),
        ("Claude was back for a minute, now down again", {"claude"}),
        ("Netflix stock is down", set()),
        ("Apple is down 3% today", set()),
        ("Jean-Claude est en panne", set()),
        ("Claude won't come to dinner, he is down with flu", set()),
        ("Weather outlook not good, servers freeze", set()),
    ],
)
def test_a_text_counts_for_exactly_the_services_that_it_says_fail(
    text: str, services: set[str], model: OutageModel
) -> None:
    assert counted(text, model) == services


@pytest.mark.parametrize("text", ["{0}, {1} and {2} are down", "{0}, {1} y {2} están caídos", "{0} und {1} sind weg"])
def test_the_order_of_a_list_says_nothing(text: str) -> None:
    names = ("Netflix", "Spotify", "Discord")[: text.count("{")]
    masked = {MATCHER.masked(text.format(*order), "spotify") for order in permutations(names)}
    assert len(masked) == 1


@pytest.mark.parametrize("text", ["outlook down?", "Outlook won't load my mail", "nothing since ten in Outlook"])
def test_a_part_whose_name_is_a_word_counts_with_trouble_or_a_capital(text: str) -> None:
    assert MATCHER.about(text)


@pytest.mark.parametrize(("file", "least"), [("counted.csv", 0.9), ("counted-unseen.csv", 0.8)])
def test_most_rows_of_every_kind_are_counted_rightly(file: str, least: float, model: OutageModel) -> None:
    rows = counted_kinds.read_kind_rows(LABELS / file, MATCHER)
    results = counted_kinds.count_rows(rows, MATCHER, model)
    right = {
        kind: [r.counted == r.row.counted for r in results if r.row.kind == kind] for kind in {r.kind for r in rows}
    }
    assert all(len(each) >= 12 and sum(each) >= FEWEST * len(each) for each in right.values()), right
    assert sum(map(sum, right.values())) >= least * len(rows)


def test_a_row_about_a_service_that_is_not_in_the_catalogue_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("lang,kind,counted,text\nen,list,github,down\nen,list,nowhere,down\n", encoding="utf-8")
    with pytest.raises(StoreError, match=r"rows\.csv:3: needs a text"):
        counted_kinds.read_kind_rows(path, MATCHER)
