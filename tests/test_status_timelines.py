"""Pages whose updates name the state of each part then: Datadog's and Flashduty's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pipeline.core.errors import SourceError
from pipeline.core.times import utc
from pipeline.sources.status.reader import END
from tests.fakes.status_timelines import DATADOG, FLASHDUTY_ACTIVE, FLASHDUTY_OPEN, FLASHDUTY_OVER
from tests.status_reading import NOW, STARTED, by_incident, changed, incident, read

DATADOG_AT, ACTIVE, CHANGES = (
    "/config.json",
    "/api/status-page/6410/summary/active",
    "/api/status-page/6410/change/list",
)


def test_an_incident_of_datadog_is_as_bad_as_its_updates_say_and_entered_when_they_were_written() -> None:
    reading = read(DATADOG_AT)
    assert incident(reading, "open-1").impact == "major"
    over = incident(reading, "over-1")
    assert (over.impact, over.resolved_at) == ("critical", utc("2026-03-01T09:33:00Z"))
    began, ended = by_incident(reading, "over-1")
    assert (began.displayed_at, began.created_at) == (utc("2026-03-01T07:05:00Z"), utc("2026-03-01T20:34:01.430225Z"))
    assert [part.new for part in (*began.components, *ended.components)] == ["major_outage", "operational"]
    assert began.after_the_fact


def test_a_maintenance_of_datadog_is_planned_until_it_begins_and_nothing_when_it_is_called_off() -> None:
    planned = incident(read(DATADOG_AT), "plan-1")
    assert (planned.impact, planned.scheduled_for) == ("maintenance", utc("2026-03-05T10:00:00Z"))
    called_off = read(DATADOG_AT, changed(DATADOG, "maintenances", 0, "currentStatus", to="canceled"))
    assert {row.incident_id for row in called_off.incidents} == {"open-1", "over-1"}
    none = read(DATADOG_AT, {**DATADOG, "maintenances": None})
    assert {row.incident_id for row in none.incidents} == {"open-1", "over-1"}
    with pytest.raises(SourceError):
        read(DATADOG_AT, {**DATADOG, "maintenances": None, "incidents": [{"id": "x"}]})


def test_an_incident_of_datadog_that_is_over_without_an_update_that_says_so_ends_where_its_field_does() -> None:
    cut = changed(DATADOG, "incidents", 1, "timeline", to=DATADOG["incidents"][1]["timeline"][1:])
    ended = by_incident(read(DATADOG_AT, cut), "over-1")[-1]
    assert (ended.update_id, ended.displayed_at) == (END, utc("2026-03-01T09:33:00Z"))


def test_a_change_of_flashduty_keeps_every_update_with_its_parts_and_the_worst_of_their_states() -> None:
    reading = read(CHANGES)
    rows = by_incident(reading, "7020391134287")
    assert [(row.status, row.components[0].new) for row in rows] == [
        ("investigating", "degraded_performance"),
        ("identified", "partial_outage"),
    ]
    found = incident(reading, "7020391134287")
    assert (found.impact, found.resolved_at, found.components) == ("major", None, ("寄信(Letters)",))
    assert [row.status for row in by_incident(reading, "6750347231287")] == ["investigating", "resolved"]
    assert incident(reading, "6750347231287").impact == "minor"
    assert reading.seen_down is None


def test_a_change_of_flashduty_that_is_open_no_more_is_over_and_what_is_planned_is_not() -> None:
    first = read(ACTIVE)
    planned = incident(first, "6750347231299")
    assert (planned.impact, planned.scheduled_until) == ("maintenance", STARTED + timedelta(days=3, hours=1))
    assert first.seen_down is not None
    empty: dict[str, Any] = changed(FLASHDUTY_ACTIVE, "data", "active_changes", to=[])
    (end,) = read(ACTIVE, empty, seen_down=first.seen_down, fetched_at=NOW + timedelta(hours=1)).updates
    assert (end.incident_id, end.update_id, end.status) == ("7020391134287", END, "resolved")


def test_a_change_of_flashduty_without_a_closing_update_ends_where_its_field_does() -> None:
    cut = {**FLASHDUTY_OVER, "updates": FLASHDUTY_OVER["updates"][:1]}
    reading = read(CHANGES, {"data": {"items": [cut, {**FLASHDUTY_OPEN, "status": "cancelled", "change_id": 5}]}})
    assert by_incident(reading, "6750347231287")[-1].displayed_at == STARTED + timedelta(minutes=30) - timedelta(days=1)
    assert {row.incident_id for row in reading.incidents} == {"6750347231287"}
