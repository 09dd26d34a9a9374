"""Answers of providers' own status pages with a history of incidents: forms as recorded, contents invented."""

from __future__ import annotations

from typing import Any

OPEN_ID = "open-1"
BEGAN, LATER, NOW = "2026-03-02T10:00:00Z", "2026-03-02T10:30:00Z", "2026-03-02T12:00:00Z"
BEGAN_S, LATER_S = 1772445600, 1772447400


def _google_update(at: str, status: str, text: str) -> dict[str, Any]:
    place = {"title": "Ostland (east-1)", "id": "east-1"}
    return {"created": at, "modified": at, "when": at, "text": text, "status": status, "affected_locations": [place]}


GOOGLE = [
    {
        "id": OPEN_ID,
        "number": "1",
        "begin": "2026-03-02T10:00:00+00:00",
        "end": None,
        "created": "2026-03-02T10:30:00+00:00",
        "modified": "2026-03-02T10:30:00+00:00",
        "external_desc": "**Title:**\nLetters are **slow** to arrive",
        "updates": [_google_update("2026-03-02T10:30:00+00:00", "SERVICE_DISRUPTION", "We look into it.")],
        "status_impact": "SERVICE_DISRUPTION",
        "severity": "medium",
        "service_key": "p1",
        "service_name": "Multiple Products",
        "affected_products": [{"title": "Letters", "id": "p1"}, {"title": "Parcels", "id": "p2"}],
        "uri": "incidents/open-1",
        "currently_affected_locations": [{"title": "Ostland (east-1)", "id": "east-1"}],
        "previously_affected_locations": [],
    },
    {
        "id": "over-1",
        "number": "2",
        "begin": "2026-03-01T10:00:00+00:00",
        "end": "2026-03-01T12:00:00+00:00",
        "created": "2026-03-01T11:00:00+00:00",
        "modified": "2026-03-02T09:00:00+00:00",
        "external_desc": "Stamps could not be bought",
        "updates": [
            _google_update("2026-03-02T09:00:00+00:00", "AVAILABLE", "The cause was a full disk."),
            _google_update("2026-03-01T12:10:00+00:00", "AVAILABLE", "It works again."),
            _google_update("2026-03-01T11:00:00+00:00", "SERVICE_OUTAGE", "We look into it."),
        ],
        "status_impact": "SERVICE_OUTAGE",
        "severity": "high",
        "service_name": "Stamps",
        "affected_products": [{"title": "Stamps", "id": "p3"}],
        "uri": "incidents/over-1",
        "currently_affected_locations": [],
        "previously_affected_locations": [{"title": "Global", "id": "global"}],
    },
]

AWS = [
    {
        "date": str(BEGAN_S),
        "arn": "arn:aws:health:xx-east-1::event/POST/AWS_POST_OPERATIONAL_ISSUE/AWS_POST_OPERATIONAL_ISSUE_ABCDE_"
        + "0" * 40,
        "region_name": "Ostland",
        "status": "2",
        "service": "post-xx-east-1",
        "service_name": "Post",
        "summary": "Increased delays",
        "event_log": [
            {"summary": "Delays", "message": "We look into it.", "status": 1, "timestamp": BEGAN_S},
            {"summary": "Delays", "message": "We know the cause.", "status": 2, "timestamp": LATER_S},
        ],
        "impacted_services": {"post-xx-east-1": {"service_name": "Post Office", "current": "2", "max": "2"}},
        "impacted_service_status_changes": [],
    }
]

SLACK_HISTORY = [
    {
        "id": 901,
        "date_created": "2026-03-02T02:00:00-08:00",
        "date_updated": "2026-03-02T02:30:00-08:00",
        "title": "Bells do not ring",
        "type": "incident",
        "status": "active",
        "url": "https://slack-status.com/2026-03/aa",
        "services": ["Notifications"],
        "notes": [
            {"date_created": "2026-03-02T02:30:00-08:00", "body": "<p>We know the cause.</p>"},
            {"date_created": "2026-03-02T02:00:00-08:00", "body": "We look into it."},
        ],
    },
    {
        "id": 900,
        "date_created": "2026-02-27T02:00:00-08:00",
        "date_updated": "2026-02-27T04:00:00-08:00",
        "title": "Nobody could sign in",
        "type": "outage",
        "status": "resolved",
        "url": "https://slack-status.com/2026-02/bb",
        "services": ["Login/SSO", "Messaging"],
        "notes": [
            {"date_created": "2026-02-27T04:00:00-08:00", "body": "It works again."},
            {"date_created": "2026-02-27T02:00:00-08:00", "body": "We look into it."},
        ],
    },
]

SLACK_CURRENT = {
    "status": "active",
    "date_created": "2026-03-02T02:00:00-08:00",
    "date_updated": "2026-03-02T02:30:00-08:00",
    "active_incidents": SLACK_HISTORY[:1],
}


def _heroku_update(number: int, at: str, kind: str, colour: str) -> dict[str, Any]:
    return {
        "id": number,
        "created_at": at,
        "updated_at": at,
        "incident_id": 3000,
        "update_type": kind,
        "contents": "We look into it.\r\n",
        "title": "Letters are slow",
        "status_dev": "green",
        "status_prod": colour,
    }


HEROKU_INCIDENT = {
    "id": 3000,
    "created_at": "2026-03-02T10:00:00.231Z",
    "updated_at": "2026-03-02T10:30:00.721Z",
    "title": "Letters are slow",
    "state": "investigating",
    "resolved": False,
    "full_url": "https://status.heroku.com/incidents/3000",
    "systems": [{"name": "Apps", "status": "yellow", "services": ["Apps"]}],
    "tags": ["EMEA"],
    "updates": [
        _heroku_update(7001, "2026-03-02T10:30:00.743Z", "issue", "red"),
        _heroku_update(7000, "2026-03-02T10:00:00.231Z", "investigating", "yellow"),
    ],
}
HEROKU_OVER = {
    **HEROKU_INCIDENT,
    "id": 2999,
    "created_at": "2026-03-01T10:00:00.000Z",
    "title": "Parcels were slow",
    "state": "resolved",
    "systems": [{"name": "Data", "status": "green", "services": ["Data"]}],
    "updates": [
        _heroku_update(6999, "2026-03-01T11:00:00.000Z", "resolved", "green"),
        _heroku_update(6998, "2026-03-01T10:00:00.000Z", "issue", "yellow"),
    ],
}
HEROKU_CURRENT = {
    "status": [{"system": "Apps", "status": "yellow"}, {"system": "Data", "status": "green"}],
    "incidents": [HEROKU_INCIDENT],
    "scheduled": [
        {
            **HEROKU_INCIDENT,
            "id": 2120,
            "title": "Data service update",
            "state": "upcoming",
            "systems": [{"name": "Data", "status": "blue"}],
            "updates": [_heroku_update(6685, "2026-03-01T00:55:34.418Z", "scheduled", "blue")],
        }
    ],
}

SALESFORCE = [
    {
        "id": 20004999,
        "externalId": "93999999",
        "status": "Active",
        "type": "Disruption",
        "createdAt": "2026-03-02T10:10:00.000Z",
        "updatedAt": "2026-03-02T10:30:00.000Z",
        "serviceKeys": ["letterService"],
        "instanceKeys": ["EU99"],
        "message": {"rootCause": None},
        "IncidentImpacts": [
            {
                "id": 1,
                "startTime": "2026-03-02T08:00:00.000Z",
                "endTime": "2026-03-02T09:00:00.000Z",
                "type": "serviceDisruption",
                "severity": "minor",
            },
            {
                "id": 2,
                "startTime": "2026-03-02T10:00:00.000Z",
                "endTime": "",
                "type": "serviceDisruption",
                "severity": "major",
                "createdAt": "2026-03-02T10:10:00.000Z",
            },
        ],
        "IncidentEvents": [
            {"id": 12, "type": "update", "message": "Again.", "createdAt": "2026-03-02T10:30:00.000Z"},
            {"id": 11, "type": "update", "message": "It was over.", "createdAt": "2026-03-02T09:30:00.000Z"},
        ],
    }
]

_APPLE_EVENT = {
    "messageId": "2000001",
    "statusType": "Outage",
    "message": "Users cannot send letters.",
    "datePosted": "03/02/2026 02:20 PST",
    "startDate": "03/02/2026 02:00 PST",
    "endDate": None,
    "epochStartDate": BEGAN_S * 1000,
    "epochEndDate": None,
    "usersAffected": "Some users are affected",
    "affectedServices": None,
    "eventStatus": "ongoing",
}
_APPLE_OVER = {
    **_APPLE_EVENT,
    "messageId": "2000000",
    "statusType": "Performance",
    "epochStartDate": (BEGAN_S - 86400) * 1000,
    "epochEndDate": (LATER_S - 86400) * 1000,
    "datePosted": "03/01/2026 02:20 PST",
    "eventStatus": "resolved",
}
APPLE = {
    "drMessage": None,
    "drpost": False,
    "services": [
        {"serviceName": "Letters", "redirectUrl": None, "events": [_APPLE_EVENT, _APPLE_OVER]},
        {"serviceName": "Parcels", "redirectUrl": None, "events": [_APPLE_EVENT]},
        {"serviceName": "Stamps", "redirectUrl": None, "events": []},
    ],
}
