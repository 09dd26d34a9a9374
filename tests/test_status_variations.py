"""Valid variations of what platforms answer: other time forms, absent and null fields, other capitals, empty lists."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.sources.status.platforms import reader_of
from pipeline.sources.status.reader import Answer
from tests.status_reading import context

INCIDENT: dict[str, Any] = {
    "id": "a",
    "name": "N",
    "status": "resolved",
    "impact": None,
    "shortlink": None,
    "components": None,
    "created_at": "2026-03-02T02:00:00.000-08:00",
    "resolved_at": "2026-03-02T11:00:00.123456+00:00",
    "incident_updates": [
        {"id": "u", "status": "resolved", "body": None, "created_at": "2026-03-02T11:00:00Z", "display_at": None}
    ],
}
SLACK: dict[str, Any] = {
    "id": 546,
    "date_created": "2026-03-02T02:00:00-08:00",
    "title": "T",
    "type": "incident",
    "status": "active",
    "url": "https://slack-status.com/2026-03/7dea",
    "services": ["Login/SSO"],
    "notes": [{"date_created": "2026-03-02T02:00:00-08:00", "body": "x"}],
}
INSTATUS = {"name": "N", "started": "2026-03-02T10:00:00Z", "status": "INVESTIGATING", "impact": "MINOROUTAGE"}
GOOGLE = {"id": "B1", "begin": "2026-03-02T10:00:00+00:00", "end": "", "external_desc": "D", "updates": []}


def statuspage(**fields: Any) -> dict[str, Any]:
    return {"page": {"id": "p"}, "incidents": [{**INCIDENT, **fields}]}


def slack(**fields: Any) -> dict[str, Any]:
    return {"status": "active", "active_incidents": [{**SLACK, **fields}]}


def instatus(word: str = "HASISSUES", **fields: Any) -> dict[str, Any]:
    return {"page": {"name": "P", "url": "u", "status": word}, "activeIncidents": [{**INSTATUS, **fields}]}


@pytest.mark.parametrize(
    ("value", "incident_id", "first", "impact"),
    [
        (statuspage(), "a", ("resolved", "11:00"), "none"),
        (statuspage(impact="Major"), "a", ("resolved", "11:00"), "major"),
        (
            statuspage(created_at="2026-03-02 10:00:00 UTC", incident_updates=[]),
            "a",
            ("investigating", "10:00"),
            "none",
        ),
        (
            statuspage(created_at="Mon, 02 Mar 2026 10:00:00 GMT", incident_updates=[]),
            "a",
            ("investigating", "10:00"),
            "none",
        ),
        (statuspage(created_at=1772445600, incident_updates=None), "a", ("investigating", "10:00"), "none"),
        (
            statuspage(incident_updates=[{"id": 7, "status": "", "created_at": "2026-03-02T10:30:00Z"}]),
            "a",
            ("update", "10:30"),
            "none",
        ),
        (slack(), "546", ("investigating", "10:00"), "minor"),
        (slack(services=None, notes=None), "546", ("investigating", "10:00"), "minor"),
        (slack(type="Outage", status="Active"), "546", ("investigating", "10:00"), "major"),
        ([{**GOOGLE, "status_impact": "AVAILABLE"}], "B1", ("investigating", "10:00"), "none"),
        (
            [{**GOOGLE, "status_impact": "SERVICE_OUTAGE", "affected_products": None}],
            "B1",
            ("investigating", "10:00"),
            "major",
        ),
        (instatus(id="c1"), "c1", ("investigating", "10:00"), "minor"),
        (instatus(url="https://p.instatus.com/c2"), "c2", ("investigating", "10:00"), "minor"),
        (instatus("ALLUNDERMAINTENANCE", id="c1"), "c1", ("investigating", "10:00"), "minor"),
    ],
)
def test_a_valid_variation_is_read(value: object, incident_id: str, first: tuple[str, str], impact: str) -> None:
    answer = Answer(body=json.dumps(value).encode())
    reader = reader_of(answer)
    assert reader is not None
    reading = reader.read(answer, context())
    assert reading.rejected == ()
    assert {row.incident_id for row in (*reading.updates, *reading.incidents)} == {incident_id}
    update = reading.updates[0]
    assert ((update.status, f"{update.displayed_at:%H:%M}"), update.impact) == (first, impact)


def test_an_empty_history_of_slack_is_an_answer() -> None:
    answer = Answer(body=b"[]", url="https://slack-status.com/api/v2.0.0/history")
    reader = reader_of(answer)
    assert reader is not None
    assert reader.name == "slack"
    assert reader.read(answer, context()).updates == ()


def feed_ids(body: str) -> list[str]:
    answer = Answer(body=body.encode())
    reader = reader_of(answer)
    assert reader is not None
    reading = reader.read(answer, context())
    assert reading.rejected == ()
    return sorted(incident.name for incident in reading.incidents)


@pytest.mark.parametrize("link", ["https://s.example/", "https://s.example/status"])
def test_entries_that_link_to_one_page_are_several_incidents(link: str) -> None:
    when = "<pubDate>Sun, 01 Mar 2026 12:00:00 GMT</pubDate>"
    items = "".join(
        f"<item><title>{title}</title><link>{link}</link>{when}</item>" for title in ("A", "Resolved: A", "B")
    )
    assert feed_ids(f"<rss version='2.0'><channel><title>S</title>{items}</channel></rss>") == ["A", "B"]


def test_ids_that_end_alike_are_several_incidents() -> None:
    when = "<updated>2026-03-01T12:00:00Z</updated>"
    entries = "".join(f"<entry><id>tag:s,2026:/{n}/update</id><title>{n}</title>{when}</entry>" for n in "ab")
    assert feed_ids(f"<feed xmlns='http://www.w3.org/2005/Atom'><title>S</title>{entries}</feed>") == ["a", "b"]


def test_a_feed_whose_elements_have_a_prefix_is_a_feed() -> None:
    entry = "<a:entry><a:id>1</a:id><a:title>T</a:title><a:updated>2026-03-01T12:00:00Z</a:updated></a:entry>"
    assert feed_ids(f"<a:feed xmlns:a='http://www.w3.org/2005/Atom'><a:title>S</a:title>{entry}</a:feed>") == ["T"]


def test_updates_without_an_id_are_known_by_time_and_state_however_many_follow_them() -> None:
    updates = [
        {"status": state, "body": body, "display_at": f"2026-03-02T{clock}.000Z", "affected_components": None}
        for state, body, clock in (("investigating", "a", "10:00:00"), ("identified", "b", "10:30:00"))
    ]
    updates.insert(1, {**updates[0], "body": "c"})

    def ids(shown: list[dict[str, Any]]) -> dict[str, str]:
        answer = Answer(body=json.dumps(statuspage(incident_updates=shown[::-1])).encode())
        reader = reader_of(answer)
        assert reader is not None
        reading = reader.read(answer, context())
        assert not reading.rejected
        return {update.body: update.update_id for update in reading.updates}

    assert len(set(ids(updates).values())) == 3
    assert ids(updates[:1]).items() < ids(updates[:2]).items() < ids(updates).items()
