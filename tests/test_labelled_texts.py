"""The labelled texts that the models learn from."""

from __future__ import annotations

import csv
from collections import Counter

from pipeline.text.normalize import jaccard, shingles, strip_to_words
from tests.conftest import SCENARIO
from tests.labelled_texts import labelled


def test_labelled_texts_are_many_and_differ_as_people_differ() -> None:
    rows = labelled()
    assert len(rows) >= 1500
    assert len({strip_to_words(row["text"]) for row in rows}) >= 0.995 * len(rows)
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
