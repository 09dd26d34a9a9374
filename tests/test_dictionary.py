"""The data dictionary is true: it names every word that a column may hold, and the thresholds of the detector."""

from __future__ import annotations

import yaml

from detectors.seasonal.detector import SeasonalNB
from pipeline.config.paths import DASHBOARDS
from pipeline.core.vocabulary import Impact, PhaseName, Relation, RunOutcome, State, Symptom, Transition, VoteReason


def test_the_dictionary_names_every_word_of_the_closed_sets() -> None:
    tables = yaml.safe_load((DASHBOARDS / "metadata.yml").read_text(encoding="utf-8"))["databases"]["groundswell"][
        "tables"
    ]
    for table, column, words in (
        ("votes", "reason", [reason for reason in VoteReason if reason]),
        ("incident_phases", "phase", PhaseName),
        ("how_it_went", "phase", PhaseName),
        ("incidents", "state", State),
        ("incidents", "impact", Impact),
        ("post_tags", "symptom", Symptom),
        ("links", "relation", [relation for relation in Relation if relation != Relation.NONE]),
        ("runs", "outcome", RunOutcome),
        ("alerts", "transition", Transition),
    ):
        text = " ".join(tables[table]["columns"][column].split())
        missing = [word for word in words if word not in text]
        assert not missing, (table, column)
    for threshold in (f"{SeasonalNB().alarm:g} alarms", f"{SeasonalNB().strong:g} is strong"):
        assert threshold in tables["verdicts"]["columns"]["score"]
