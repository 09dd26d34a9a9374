"""Status pages with an API of their own, each at its provider's path: forms as recorded, contents invented.

Every page tells of trouble that began at 10:00 on 2 March 2026 and, where the form has history, of some that is over.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.fakes.base import Fake, Reply, Request

OPEN_ID = "open-1"
BEGAN, LATER, NOW = "2026-03-02T10:00:00Z", "2026-03-02T10:30:00Z", "2026-03-02T12:00:00Z"
_BEGAN_S, _LATER_S = 1772445600, 1772447400


@dataclass(frozen=True)
class Form:
    """One form of answer: whose it is, where the provider has it, and what it holds."""

    reader: str
    path: str
    value: Any
    encoding: str = "utf-8"
    content_type: str = "application/json"
    wrap: str = "{}"

    @property
    def body(self) -> bytes:
        text = self.value if isinstance(self.value, str) else json.dumps(self.value, ensure_ascii=False)
        return self.wrap.replace("{}", text).encode(self.encoding)


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
        "date": str(_BEGAN_S),
        "arn": "arn:aws:health:xx-east-1::event/POST/AWS_POST_OPERATIONAL_ISSUE/AWS_POST_OPERATIONAL_ISSUE_ABCDE_"
        + "0" * 40,
        "region_name": "Ostland",
        "status": "2",
        "service": "post-xx-east-1",
        "service_name": "Post",
        "summary": "Increased delays",
        "event_log": [
            {"summary": "Delays", "message": "We look into it.", "status": 1, "timestamp": _BEGAN_S},
            {"summary": "Delays", "message": "We know the cause.", "status": 2, "timestamp": _LATER_S},
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
    "epochStartDate": _BEGAN_S * 1000,
    "epochEndDate": None,
    "usersAffected": "Some users are affected",
    "affectedServices": None,
    "eventStatus": "ongoing",
}
_APPLE_OVER = {
    **_APPLE_EVENT,
    "messageId": "2000000",
    "statusType": "Performance",
    "epochStartDate": (_BEGAN_S - 86400) * 1000,
    "epochEndDate": (_LATER_S - 86400) * 1000,
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


def _paypal(name: str, state: str) -> dict[str, Any]:
    return {
        "id": name.lower(),
        "name": name,
        "category": {"name": "product"},
        "status": {"production": state, "sandbox": "Service Outage"},
    }


PAYPAL = {"result": [_paypal("Letters", "Service Disruption"), _paypal("Parcels", "Operational")]}

_PSN_OPEN = {
    "statusId": "77",
    "statusType": "Outage",
    "startDate": "2026-03-02T10:00:00.000Z",
    "endDate": None,
    "message": {"messages": {"en-US": "We look into it."}},
}
_PSN_PLANNED = {
    "statusId": "78",
    "statusType": "Maintenance",
    "startDate": "2026-03-04T10:00:00.000Z",
    "endDate": "2026-03-04T12:00:00.000Z",
}
PLAYSTATION = {
    "regionName": "SCEA",
    "status": [],
    "countries": [
        {
            "countryCode": country,
            "status": [],
            "services": [
                {"serviceId": 1, "serviceName": "Account Management", "resources": [], "status": [_PSN_OPEN]},
                {"serviceId": 2, "serviceName": "Store", "resources": [], "status": [_PSN_OPEN, _PSN_PLANNED]},
                {"serviceId": 3, "serviceName": "Games", "resources": [], "status": []},
            ],
        }
        for country in ("US", "CA")
    ],
}


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
            "ts": _BEGAN_S,
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

XBOX = {
    "Status": {"Overall": {"State": "Impacted", "LastUpdated": LATER}, "SelectedScenarios": {"State": "Impacted"}},
    "CoreServices": [
        {"Id": 1, "Name": "Account & profile", "Status": {"Name": "Impacted"}},
        {"Id": 2, "Name": "Store & subscriptions", "Status": {"Name": "None"}},
    ],
    "Titles": [],
}
XBOX_XML = (
    "<?xml version='1.0' encoding='utf-8'?><ServiceStatus><Status><Overall><State>Impacted</State></Overall></Status>"
    "<CoreServices><Category><Id>1</Id><Name>Account &amp; more</Name><Status><Name>Impacted</Name></Status></Category>"
    "<Category><Id>2</Id><Name>Store</Name><Status><Name>None</Name></Status></Category></CoreServices></ServiceStatus>"
)

MICROSOFT = [
    {
        "ServiceDisplayName": "Outlook.com",
        "Status": "Service degradation",
        "Title": "Letters are slow",
        "Message": "We look into it.",
        "LastUpdatedTime": LATER,
    },
    {"ServiceDisplayName": "OneDrive", "Status": "Operational", "Title": "", "Message": "", "LastUpdatedTime": LATER},
]

FORMS = (
    Form("google", "/incidents.json", GOOGLE),
    Form("aws", "/public/currentevents", AWS, "utf-16", "application/json;charset=utf-16"),
    Form("slack", "/api/v2.0.0/history", SLACK_HISTORY),
    Form("slack", "/api/v2.0.0/current", SLACK_CURRENT),
    Form("heroku", "/api/v4/incidents", [HEROKU_INCIDENT, HEROKU_OVER]),
    Form("heroku", "/api/v4/current-status", HEROKU_CURRENT),
    Form("salesforce", "/v1/incidents/active", SALESFORCE),
    Form(
        "apple", "/data/system_status_en_US.js", APPLE, content_type="application/javascript", wrap="jsonCallback({});"
    ),
    Form("paypal", "/api/v1/components", PAYPAL),
    Form("playstation", "/data/statuses/region/SCEA.json", PLAYSTATION),
    Form("better_stack", "/index.json", BETTER_STACK),
    Form("status_io", "/1.0/status/abc", STATUS_IO),
    Form("uptimerobot", "/api/getMonitorList/abc", UPTIMEROBOT),
    Form("uptimerobot", "/api/getEventFeed/abc", UPTIMEROBOT_EVENTS),
    Form("instatus", "/summary.json", INSTATUS),
    Form("cachet", "/api/v1/incidents", CACHET),
    Form("cachet", "/cachet/api/v1/components", CACHET_COMPONENTS),
    Form("xbox", "/servicestatusv6/US/en-US", XBOX),
    Form("xbox", "/servicestatusv6/GB/en-GB", XBOX_XML, content_type="application/xml"),
    Form("microsoft", "/api/posts/m365Consumer", MICROSOFT),
)


class StatusApis(Fake):
    """Every form at its provider's path; anything else is an HTML page that is not found."""

    conditional = True

    def reply(self, request: Request) -> Reply:
        for form in FORMS:
            if request.path == form.path:
                return Reply(form.body, headers={"Content-Type": form.content_type})
        return Reply(b"<!DOCTYPE html><html><title>Not found</title></html>", 404, {"Content-Type": "text/html"})
