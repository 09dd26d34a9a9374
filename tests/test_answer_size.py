"""An answer to a language model is under two thousand tokens, whatever its rows hold."""

from __future__ import annotations

import json
import runpy

import pytest

from pipeline.config.paths import DASHBOARDS

PLUGIN = runpy.run_path(str(DASHBOARDS / "plugins" / "questions.py"))
tokens = PLUGIN["tokens"]


@pytest.mark.parametrize(
    "cell", ["2026-03-02T11:37:00Z", "plain words of a long sentence ", "障害が発生", "t1_a06500 "]
)
def test_an_answer_of_whatever_rows_is_under_two_thousand_tokens(cell: str) -> None:
    rows = [{"incident": cell * 3, "title": cell * 30, "onset": cell} for _ in range(200)]
    answer = PLUGIN["answer"]("q", rows)
    assert answer["rows"]
    assert answer["more_rows"]
    assert tokens(json.dumps(answer, indent=2, ensure_ascii=False)) < 2000


def test_tokens_are_counted_as_tokenizers_cut_text() -> None:
    assert tokens("an outage began at 11:37 UTC") == 8 + 5, "words, numbers and a sign; each blank counts, too"
    assert tokens("障害") == 4
