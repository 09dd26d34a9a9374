"""What a message says: as a record, as the outbox stores it, as older versions stored it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.commands.test_alert import sample
from pipeline.core.alert_facts import (
    AdvisoryFacts,
    AlertFacts,
    ComponentFacts,
    LinkFacts,
    OfficialLine,
    Section,
    SignalFacts,
    SummaryFacts,
    SurgeFacts,
    SystemFacts,
)
from pipeline.core.alert_json import from_json, to_json
from pipeline.core.vocabulary import ComponentStatus, Relation
from pipeline.store import Store
from pipeline.store.outbox import alerts_of, put_alerts
from tests.copies import replace
from tests.world import at

NOW = at("12:00")
INCIDENT = replace(
    sample(NOW).incident_facts,
    components=(
        ComponentFacts(
            name="web", source="votes", status=ComponentStatus.AFFECTED, since=NOW, until=None, detail="3 reports"
        ),
        ComponentFacts(name="api", source="official", status=ComponentStatus.WORKS, since=NOW, until=NOW, detail=""),
    ),
    official=(OfficialLine(NOW, "investigating"),),
    refused={"the same text within six hours": 2},
    probability=0.9,
    links=(
        LinkFacts(
            relation=Relation.REPORTS,
            title="t",
            seen=NOW,
            outlets=2,
            evidence_for=("names it",),
            evidence_against=("late",),
        ),
    ),
    hit=("a", "b"),
)
SYSTEM = SystemFacts(subject="s", heading="h", at=NOW, sections=(Section("Runs", ("one", "two")),))
SUMMARY = SummaryFacts(subject="s", heading="h", at=NOW, sections=(), simulated=True, incidents=("a", "b"))
SURGE = SurgeFacts(
    subject="s",
    heading="h",
    at=NOW,
    sections=(),
    advisory=AdvisoryFacts(
        service="svc",
        name="Svc",
        level="watch",
        since=NOW,
        until=None,
        reasons=("r",),
        signals=(SignalFacts(name="news", value=7.0, usual=1.0),),
        simulated=False,
    ),
)


@pytest.mark.parametrize("facts", [INCIDENT, SYSTEM, SUMMARY, SURGE], ids=["incident", "system", "summary", "surge"])
def test_a_row_of_the_outbox_gives_back_what_was_written(facts: AlertFacts | SystemFacts, store: Store) -> None:
    with store.transaction() as conn:
        put_alerts(conn, [replace(sample(NOW), facts=facts)])
    assert alerts_of(store)[0].facts == facts


def test_facts_are_stored_under_the_names_that_rows_and_webhooks_have() -> None:
    stored = to_json(INCIDENT)
    assert stored["links"] == [
        {
            "relation": "reports",
            "title": "t",
            "seen": "2026-03-02T12:00:00Z",
            "outlets": 2,
            "for": ["names it"],
            "against": ["late"],
        }
    ]
    assert stored["official"] == [["2026-03-02T12:00:00Z", "investigating"]]
    assert set(to_json(sample(NOW).facts)["chart"]) == {"label", "t", "observed", "expected", "upper"}  # type: ignore[call-overload]
    assert to_json(SYSTEM) == {
        "note": True,
        "subject": "s",
        "heading": "h",
        "at": "2026-03-02T12:00:00Z",
        "simulated": False,
        "sections": [{"title": "Runs", "lines": ["one", "two"]}],
    }
    assert to_json(SURGE)["advisory"] == {
        "schema": 1,
        "type": "surge_advisory",
        "service": "svc",
        "name": "Svc",
        "level": "watch",
        "active": True,
        "since": "2026-03-02T12:00:00Z",
        "until": None,
        "reasons": ["r"],
        "signals": [{"name": "news", "value": 7.0, "usual": 1.0}],
        "simulated": False,
    }


LATER_KEYS = ("probability", "refused", "where", "fallback", "comparable", "differs", "hit", "simulated", "works_names")


def test_a_row_that_an_older_version_wrote_is_read_with_defaults() -> None:
    stored: dict[str, Any] = json.loads(json.dumps(to_json(INCIDENT)))
    older = from_json({key: value for key, value in stored.items() if key not in LATER_KEYS})
    assert older == replace(
        INCIDENT,
        probability=None,
        refused={},
        where="",
        fallback="",
        comparable=(),
        differs=(),
        hit=(),
        simulated=False,
        works_names=(),
    )
    for key in LATER_KEYS:
        assert from_json({**stored, key: None}) is not None, f"{key} was stored as null"


def test_only_a_message_about_one_incident_has_its_facts() -> None:
    with pytest.raises(TypeError, match="about no single incident"):
        _ = replace(sample(NOW), facts=SUMMARY).incident_facts
