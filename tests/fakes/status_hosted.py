"""Answers of status pages that a platform hosts for many providers: forms as recorded, contents invented."""

from __future__ import annotations

from typing import Any

from tests.fakes.status_histories import BEGAN, BEGAN_S, LATER, OPEN_ID


def _better(kind: str, number: str, attributes: dict[str, Any], updates: list[str] | None = None) -> dict[str, Any]:
    data = [{"id": update, "type": "status_update"} for update in updates or []]
    return {
        "type": kind,
        "id": number,
        "attributes": attributes,
        "relationships": {"status_updates": {"data": data}} if updates is not None else {},
    }


def _better_parts(state: str) -> list[dict[str, str]]:
    return [{"status_page_resource_id": "4", "status": state}]


BETTER_STACK = {
    "data": {"id": "1", "type": "status_page", "attributes": {"company_name": "Post", "aggregate_state": "degraded"}},
    "included": [
        _better("status_page_section", "3", {"name": "Mail", "position": 0}),
        _better(
            "status_page_resource", "4", {"public_name": "Letters", "status": "degraded", "status_page_section_id": 3}
        ),
        _better(
            "status_report",
            "10",
            {
                "title": "Letters are slow",
                "report_type": "manual",
                "starts_at": "2026-03-02T10:00:00.000Z",
                "ends_at": None,
                "aggregate_state": "degraded",
                "affected_resources": _better_parts("degraded"),
            },
            ["21"],
        ),
        _better(
            "status_report",
            "9",
            {
                "title": "Letters were lost",
                "report_type": "manual",
                "starts_at": "2026-03-01T10:00:00.000Z",
                "ends_at": None,
                "aggregate_state": "resolved",
                "affected_resources": _better_parts("resolved"),
            },
            ["20", "19"],
        ),
        _better(
            "status_report",
            "8",
            {
                "title": "New boxes",
                "report_type": "maintenance",
                "starts_at": "2026-03-05T10:00:00.000Z",
                "ends_at": "2026-03-05T11:00:00.000Z",
                "aggregate_state": "operational",
                "affected_resources": _better_parts("maintenance"),
            },
            [],
        ),
        _better(
            "status_update",
            "21",
            {
                "message": "We look into it.",
                "published_at": "2026-03-02T10:30:00.000Z",
                "affected_resources": _better_parts("degraded"),
            },
        ),
        _better(
            "status_update",
            "20",
            {
                "message": "All is well again.",
                "published_at": "2026-03-01T12:00:00.000Z",
                "affected_resources": _better_parts("resolved"),
            },
        ),
        _better(
            "status_update",
            "19",
            {
                "message": "We look into it.",
                "published_at": "2026-03-01T10:00:00.000Z",
                "affected_resources": _better_parts("downtime"),
            },
        ),
    ],
}


def _statusio_message(at: str, state: int, status: int) -> dict[str, Any]:
    return {"details": "We look into it.", "state": state, "status": status, "datetime": at}


STATUS_IO = {
    "result": {
        "status_overall": {"updated": LATER, "status": "Degraded Performance", "status_code": 300},
        "status": [{"id": "c1", "name": "Website", "updated": LATER, "status": "Degraded", "status_code": 300}],
        "incidents": [
            {
                "name": "Letters are slow",
                "_id": OPEN_ID,
                "datetime_open": "2026-03-02T10:00:00.000Z",
                "messages": [
                    _statusio_message("2026-03-02T10:00:00.000Z", 100, 500),
                    _statusio_message("2026-03-02T10:30:00.000Z", 200, 300),
                ],
                "containers_affected": [{"name": "Ostland", "_id": "k1"}],
                "components_affected": [{"name": "Website", "_id": "c1"}, {"name": "Letters", "_id": "c2"}],
            }
        ],
        "maintenance": {
            "active": [],
            "upcoming": [
                {
                    "name": "New boxes",
                    "_id": "plan-1",
                    "datetime_open": "2026-03-01T10:00:00.000Z",
                    "datetime_planned_start": "2026-03-05T10:00:00.000Z",
                    "datetime_planned_end": "2026-03-05T11:00:00.000Z",
                    "messages": [_statusio_message("2026-03-01T10:00:00.000Z", 100, 200)],
                    "containers_affected": [],
                    "components_affected": [{"name": "Letters", "_id": "c2"}],
                }
            ],
        },
    }
}


def _monitor(number: int, state: str, name: str) -> dict[str, Any]:
    return {
        "monitorId": number,
        "createdAt": 1706748387,
        "statusClass": state,
        "name": name,
        "url": None,
        "type": "HTTP(s)",
        "dailyRatios": [{"ratio": "100.00", "label": "success"}],
    }


UPTIMEROBOT = {
    "status": "ok",
    "psp": {
        "perPage": 30,
        "totalMonitors": 52,
        "monitors": [
            _monitor(1, "danger", "letters.example"),
            _monitor(2, "success", "parcels.example"),
            _monitor(3, "black", "stamps.example"),
        ],
        "timezone": "+00:00",
    },
    "statistics": {"counts": {"up": 42, "down": 9, "paused": 1}},
}
UPTIMEROBOT_EVENTS = {
    "status": True,
    "results": [
        {
            "eventType": "ann",
            "icon": "alert-triangle",
            "title": "Letters are slow",
            "content": "We look into it.",
            "ts": BEGAN_S,
            "date": "March 2, 2026",
            "time": "10:00",
            "timeGMT": "March 2, 2026, 10:00",
            "endDate": None,
            "endDateGMT": None,
        }
    ],
    "meta": {"count": 1, "total": 1},
}

INSTATUS = {
    "page": {"name": "Post", "url": "https://status.example.org", "status": "HASISSUES"},
    "activeIncidents": [
        {
            "id": OPEN_ID,
            "name": "Letters are slow",
            "started": BEGAN,
            "status": "IDENTIFIED",
            "impact": "PARTIALOUTAGE",
            "url": "https://status.example.org/incident/open-1",
            "updatedAt": LATER,
        }
    ],
    "activeMaintenances": [
        {
            "id": "plan-1",
            "name": "New boxes",
            "start": "2026-03-05T10:00:00Z",
            "status": "NOTSTARTEDYET",
            "duration": "60",
            "url": "https://status.example.org/maintenance/plan-1",
            "updatedAt": BEGAN,
        }
    ],
}

CACHET = {
    "meta": {"pagination": {"total": 1, "count": 1, "per_page": 50, "current_page": 1, "total_pages": 1}},
    "data": [
        {
            "id": 5,
            "component_id": 1,
            "name": "Letters are slow",
            "status": 1,
            "human_status": "Investigating",
            "message": "We look into it.",
            "created_at": "2026-03-02T10:00:00+00:00",
            "occurred_at": "2026-03-02T10:00:00+00:00",
            "scheduled_at": None,
            "updates": [
                {"id": 8, "status": 2, "message": "We know the cause.", "created_at": "2026-03-02T10:30:00+00:00"}
            ],
        }
    ],
}
CACHET_COMPONENTS = {
    "meta": {"pagination": {"total": 2, "count": 2, "per_page": 100, "current_page": 1, "total_pages": 1}},
    "data": [
        {"id": 1, "name": "Letters", "status": 3, "status_name": "Partial Outage", "created_at": "2019-01-01 00:00:00"},
        {"id": 2, "name": "Parcels", "status": 1, "status_name": "Operational", "created_at": "2019-01-01 00:00:00"},
    ],
}
