"""Planned maintenance on status pages: how long it lasts, and what it takes back."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from pipeline.core.status_records import OfficialIncident
from pipeline.core.times import utc
from pipeline.reports.planned_maintenance import announcements, maintenance_of
from pipeline.reports.reliability import official_entries
from pipeline.store import Store
from pipeline.store.official import official_incidents
from tests.copies import replace
from tests.test_status_pages import API, NOW, PLANNED, SERVICE, collect, host, incident, page, update


@pytest.mark.parametrize(
    ("planned", "over", "lasts"),
    [("04:00", None, 120), (None, None, 1440), ("04:00", "03:10", 70), ("04:00", "05:00", 120)],
)
def test_a_maintenance_lasts_as_planned_or_until_the_page_says_it_is_over(
    planned: str | None, over: str | None, lasts: int
) -> None:
    def moment(clock: str | None) -> datetime | None:
        return utc(f"2026-03-05T{clock}:00Z") if clock else None

    row = OfficialIncident(
        page="p",
        incident_id="m",
        name="n",
        status="scheduled",
        impact="maintenance",
        collected=NOW,
        scheduled_for=moment("02:00"),
        scheduled_until=moment(planned),
        resolved_at=moment(over),
    )
    assert row.maintenance_span is not None
    assert row.maintenance_span.until - row.maintenance_span.since == timedelta(minutes=lasts)
    assert replace(row, scheduled_for=None).maintenance_span is None


def test_planned_maintenance_is_known_ahead_and_is_no_outage(store: Store) -> None:
    answers = {
        API: page(),
        "/api/v2/scheduled-maintenances.json": json.dumps(
            {"page": {"id": "x"}, "scheduled_maintenances": [PLANNED]}
        ).encode(),
    }
    with host(answers) as fake:
        assert collect(store, fake).outcome == "ok"
        assert len(fake.requests) == 2
        fake.requests.clear()
        collect(store, fake, NOW + timedelta(minutes=5))
        assert fake.paths == [API]
    (kept,) = official_incidents(store, SERVICE.page, NOW)
    assert (kept.scheduled_for, kept.scheduled_until) == (utc("2026-03-05T02:00:00Z"), utc("2026-03-05T04:00:00Z"))
    assert not any(entry.counted for entry in official_entries(store, SERVICE, SERVICE.page, NOW))


def test_planned_maintenance_is_shown_until_it_is_over(store: Store) -> None:
    lists = "/api/v2/scheduled-maintenances.json"

    def body(**more: Any) -> bytes:
        return json.dumps({"page": {"id": "x"}, "scheduled_maintenances": [{**PLANNED, **more}]}).encode()

    begins, ends = utc("2026-03-05T02:00:00Z"), utc("2026-03-05T04:00:00Z")
    with host({API: page(), lists: body()}) as fake:
        collect(store, fake)
        assert announcements(store, SERVICE, NOW) == [
            "planned maintenance on 5 March 2026 from 02:00 to 04:00 UTC: Incident m"
        ]
        (ahead,) = maintenance_of(store, [SERVICE], begins - timedelta(seconds=1))
        (under_way,) = maintenance_of(store, [SERVICE], begins)
        assert (ahead.under_way, under_way.under_way) == (False, True)
        assert len(maintenance_of(store, [SERVICE], ends - timedelta(seconds=1))) == 1
        assert maintenance_of(store, [SERVICE], ends) == []
        assert announcements(store, SERVICE, NOW - timedelta(seconds=1)) == [], "not yet announced"
        early = begins + timedelta(hours=1, minutes=10)
        fake.answers[lists] = body(status="completed", resolved_at="2026-03-05T03:05:00Z")
        collect(store, fake, early)
        assert announcements(store, SERVICE, early) == []
        assert len(fake.requests) <= 4, "two at each contact"


def test_a_list_of_incidents_takes_no_maintenance_back(store: Store) -> None:
    body = json.dumps({"page": {"id": "x"}, "scheduled_maintenances": [PLANNED]}).encode()
    older = incident("a", [update("08:00", "resolved", day=1), update("07:00", "investigating", day=1)])
    with host({API: page(older), "/api/v2/scheduled-maintenances.json": body}) as fake:
        collect(store, fake)
        fake.answers = {**fake.answers, API: page(incident("b", [update("12:00", "investigating")]), older)}
        collect(store, fake, NOW + timedelta(minutes=5))
    assert len(announcements(store, SERVICE, NOW + timedelta(minutes=5))) == 1
