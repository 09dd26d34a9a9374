"""Status pages with an API of their own, each at its provider's path: forms as recorded, contents invented.

Every page tells of trouble that began at 10:00 on 2 March 2026 and, where the form has history, of some that is over.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.fakes.base import Fake, Reply, Request
from tests.fakes.status_histories import (
    APPLE,
    AWS,
    GOOGLE,
    HEROKU_CURRENT,
    HEROKU_INCIDENT,
    HEROKU_OVER,
    LATER,
    SALESFORCE,
    SLACK_CURRENT,
    SLACK_HISTORY,
)
from tests.fakes.status_hosted import (
    BETTER_STACK,
    CACHET,
    CACHET_COMPONENTS,
    INSTATUS,
    STATUS_IO,
    UPTIMEROBOT,
    UPTIMEROBOT_EVENTS,
)
from tests.fakes.status_timelines import DATADOG, FLASHDUTY_ACTIVE, FLASHDUTY_CHANGES


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


def _wording(text: str) -> list[dict[str, str]]:
    return [{"locale": "de_DE", "content": f"[de] {text}"}, {"locale": "en_US", "content": text}]


RIOT = {
    "id": "NA1",
    "name": "North America",
    "locales": ["en_US"],
    "maintenances": [
        {
            "id": 8,
            "created_at": "2026-03-01T10:00:00.000000+00:00",
            "updated_at": None,
            "archive_at": None,
            "titles": _wording("New maps"),
            "updates": [
                {"id": 81, "created_at": "2026-03-01T10:00:00.000000+00:00", "translations": _wording("On Thursday.")}
            ],
            "platforms": ["windows"],
            "maintenance_status": "scheduled",
            "incident_severity": None,
        }
    ],
    "incidents": [
        {
            "id": 7,
            "created_at": "2026-03-02T10:00:00.000000+00:00",
            "updated_at": None,
            "archive_at": None,
            "titles": _wording("Letters are slow"),
            "updates": [
                {
                    "id": 71,
                    "created_at": "2026-03-02T10:00:00.000000+00:00",
                    "updated_at": "2026-03-02T10:00:00.000000+00:00",
                    "publish": True,
                    "translations": _wording("We look into it."),
                    "publish_locations": ["riotstatus"],
                    "author": "",
                }
            ],
            "platforms": ["windows", "macos"],
            "maintenance_status": None,
            "incident_severity": "critical",
        }
    ],
}


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
    Form("riot", "/channels/public/x/status/na1.json", RIOT),
    Form("datadog", "/config.json", DATADOG),
    Form("flashduty", "/api/status-page/6410/summary/active", FLASHDUTY_ACTIVE),
    Form("flashduty", "/api/status-page/6410/change/list", FLASHDUTY_CHANGES),
)


class StatusApis(Fake):
    """Every form at its provider's path; anything else is an HTML page that is not found."""

    conditional = True

    def reply(self, request: Request) -> Reply:
        for form in FORMS:
            if request.path == form.path:
                return Reply(form.body, headers={"Content-Type": form.content_type})
        return Reply(b"<!DOCTYPE html><html><title>Not found</title></html>", 404, {"Content-Type": "text/html"})
