"""Answers of pages whose updates name the state of each part then: forms as recorded, contents invented."""

from __future__ import annotations

from typing import Any

from tests.fakes.status_histories import BEGAN_S, LATER_S, OPEN_ID


def _datadog_part(state: str, name: str = "Letters (/v1/letters)") -> dict[str, Any]:
    return {"id": f"part-{name[:4]}", "name": name, "position": 0, "status": state, "type": "Component"}


def _datadog_update(number: str, at: str, status: str, state: str, written: str) -> dict[str, Any]:
    return {
        "componentsAffected": [_datadog_part(state)],
        "createdAt": written,
        "startedAt": at,
        "lastModifiedAt": written,
        "description": "We look into it.",
        "id": number,
        "status": status,
    }


_WRITTEN_LATER = "2026-03-01T20:34:01.430225Z"
DATADOG: dict[str, Any] = {
    "companyLogoThumbnail": "data:image/png;base64,AAAA",
    "components": [
        {
            "id": "group-1",
            "name": "API",
            "position": 0,
            "type": "ComponentGroup",
            "components": [_datadog_part("degraded")],
        }
    ],
    "created": "2026-01-08T22:25:02.658427Z",
    "customDomain": "status.example.org",
    "customDomainEnabled": True,
    "domainPrefix": "post",
    "enabled": True,
    "id": "page-1",
    "incidents": [
        {
            "componentsAffected": [_datadog_part("degraded")],
            "currentStatus": "investigating",
            "description": "We look into it.",
            "id": OPEN_ID,
            "lastModifiedAt": "2026-03-02T10:05:00Z",
            "publishedDate": "2026-03-02T10:00:00Z",
            "resolved": False,
            "resolvedDate": None,
            "timeline": [
                _datadog_update("u3", "2026-03-02T10:00:00Z", "investigating", "partial_outage", "2026-03-02T10:05:00Z")
            ],
            "title": "Letters are slow",
        },
        {
            "componentsAffected": [_datadog_part("operational")],
            "currentStatus": "resolved",
            "description": "All is well again.",
            "id": "over-1",
            "lastModifiedAt": _WRITTEN_LATER,
            "publishedDate": "2026-03-01T07:05:00Z",
            "resolved": True,
            "resolvedDate": "2026-03-01T09:33:00Z",
            "timeline": [
                _datadog_update("u2", "2026-03-01T09:33:00Z", "resolved", "operational", _WRITTEN_LATER),
                _datadog_update("u1", "2026-03-01T07:05:00Z", "investigating", "major_outage", _WRITTEN_LATER),
            ],
            "title": "Letters were lost",
        },
    ],
    "maintenances": [
        {
            "componentsAffected": [_datadog_part("maintenance")],
            "currentStatus": "scheduled",
            "id": "plan-1",
            "startDate": "2026-03-05T10:00:00Z",
            "completedDate": "2026-03-05T11:00:00Z",
            "scheduledDescription": "New boxes.",
            "timeline": [],
            "title": "New boxes",
        }
    ],
    "name": "Post",
    "pageType": "public",
    "pageUrl": "https://post.statuspage.datadoghq.com",
}


def _flashduty_part(state: str, name: str = "寄信(Letters)") -> dict[str, Any]:
    return {"component_id": f"01KX{name[:2]}", "name": name, "available_since_seconds": 1706745600, "status": state}


def _flashduty_change(state: str, name: str = "寄信(Letters)") -> dict[str, Any]:
    return {"component_id": f"01KX{name[:2]}", "component_name": name, "status": state}


FLASHDUTY_OPEN: dict[str, Any] = {
    "change_id": 7020391134287,
    "page_id": 6410,
    "type": "incident",
    "title": "信件变慢（Letters are slow）",
    "description": "We look into it.",
    "status": "identified",
    "affected_components": [_flashduty_part("partial_outage")],
    "start_at_seconds": BEGAN_S,
    "close_at_seconds": 0,
    "updates": [
        {
            "update_id": "01KXA",
            "at_seconds": BEGAN_S,
            "status": "investigating",
            "description": "We look into it.",
            "component_changes": [_flashduty_change("degraded")],
        },
        {
            "update_id": "01KXB",
            "at_seconds": LATER_S,
            "status": "identified",
            "description": "We know the cause.",
            "component_changes": [_flashduty_change("partial_outage")],
        },
    ],
}
FLASHDUTY_OVER: dict[str, Any] = {
    **FLASHDUTY_OPEN,
    "change_id": 6750347231287,
    "status": "resolved",
    "affected_components": [_flashduty_part("operational")],
    "start_at_seconds": BEGAN_S - 86400,
    "close_at_seconds": LATER_S - 86400,
    "updates": [
        {**FLASHDUTY_OPEN["updates"][0], "update_id": "01KWA", "at_seconds": BEGAN_S - 86400},
        {
            "update_id": "01KWB",
            "at_seconds": LATER_S - 86400,
            "status": "resolved",
            "description": "All is well again.",
            "component_changes": [_flashduty_change("operational")],
        },
    ],
}
_PLANNED: dict[str, Any] = {
    "change_id": 6750347231299,
    "type": "maintenance",
    "title": "New boxes",
    "status": "scheduled",
    "affected_components": [_flashduty_part("under_maintenance")],
    "start_at_seconds": BEGAN_S + 3 * 86400,
    "end_at_seconds": BEGAN_S + 3 * 86400 + 3600,
    "close_at_seconds": 0,
    "updates": [],
}
FLASHDUTY_ACTIVE: dict[str, Any] = {
    "request_id": "r1",
    "data": {
        "page": {"page_id": 6410, "name": "Post", "components": [_flashduty_part("")], "sections": []},
        "active_changes": [FLASHDUTY_OPEN, _PLANNED],
    },
}
FLASHDUTY_CHANGES: dict[str, Any] = {"request_id": "r2", "data": {"items": [FLASHDUTY_OPEN, FLASHDUTY_OVER]}}
