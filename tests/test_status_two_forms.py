"""A page that is read by its API and by its feed in turn: one ledger, whichever form is read first and last."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta

import pytest

from pipeline.core.catalogue import Service
from pipeline.core.times import iso, utc
from pipeline.http.session import HttpClient
from pipeline.reports.reliability import official_entries
from pipeline.sources.status.source import StatusPageSource
from pipeline.stages.collect import run_collect
from pipeline.store import Store
from pipeline.store.official import official_incidents, updates_of_page
from tests.fakes.base import Reply
from tests.fakes.scripted import Scripted
from tests.fakes.status_feeds import Notice, Update, google, incident_io, slack, so_far, statuspage, statuspage_rss

NOW = utc("2026-03-02T12:00:00Z")
BEGAN = utc("2026-03-02T09:00:11Z")
SCRIPT = [
    Notice(
        "0aa1",
        "Older",
        [Update(BEGAN - timedelta(days=2), "Investigating", "x"), Update(BEGAN - timedelta(days=1), "Resolved", "y")],
        ["API"],
    ),
    Notice(
        "0bb2",
        "Newer",
        [
            Update(BEGAN, "Investigating", "We look into it."),
            Update(BEGAN + timedelta(minutes=20), "Identified", "We found it."),
            Update(BEGAN + timedelta(minutes=20, seconds=30), "Identified", "We repair it."),
            Update(BEGAN + timedelta(minutes=70), "Resolved", "It is over."),
        ],
        ["API"],
    ),
]
MOMENTS = [BEGAN + timedelta(minutes=minutes) for minutes in (5, 15, 21, 30, 60, 75, 80, 90)]


def as_json(notices: Sequence[Notice]) -> bytes:
    incidents = [
        {
            "id": notice.id,
            "name": notice.title,
            "impact": "critical",
            "status": notice.updates[-1].state.lower(),
            "created_at": iso(notice.updates[0].at),
            "started_at": iso(notice.updates[0].at),
            "resolved_at": iso(notice.updates[-1].at) if notice.over else None,
            "components": [{"name": part} for part in notice.parts],
            "incident_updates": [
                {"id": f"{notice.id}-u{place}", "status": u.state.lower(), "body": u.text, "created_at": iso(u.at)}
                for place, u in enumerate(notice.updates)
            ][::-1],
        }
        for notice in notices
    ]
    return json.dumps({"page": {"id": "p"}, "incidents": incidents}).encode()


def as_slack(notices: Sequence[Notice]) -> bytes:
    return json.dumps(
        [
            {
                "id": number,
                "date_created": iso(notice.updates[0].at),
                "title": notice.title,
                "type": "incident",
                "status": "resolved" if notice.over else "active",
                "url": f"https://status.slack.com/{notice.updates[0].at:%Y-%m}/{notice.id}",
                "services": list(notice.parts),
                "notes": [{"date_created": iso(u.at), "body": u.text} for u in notice.updates][::-1],
            }
            for number, notice in enumerate(notices, 900)
        ]
    ).encode()


def as_google(notices: Sequence[Notice]) -> bytes:
    return json.dumps(
        [
            {
                "id": notice.id,
                "begin": iso(notice.updates[0].at),
                **({"end": iso(notice.updates[-1].at - timedelta(minutes=10))} if notice.over else {}),
                "external_desc": notice.title,
                "status_impact": "SERVICE_OUTAGE",
                "affected_products": [{"title": part} for part in notice.parts],
                "updates": [{"when": iso(u.at), "created": iso(u.at), "text": u.text} for u in notice.updates][::-1],
            }
            for notice in notices
        ]
    ).encode()


FORMS = {
    "statuspage": (("api/v2/incidents.json", as_json), ("history.atom", statuspage)),
    "statuspage by rss": (("api/v2/incidents.json", as_json), ("history.rss", statuspage_rss)),
    "incident.io": (("api/v2/incidents.json", as_json), ("feed.atom", incident_io)),
    "slack": (("api/v2.0.0/history", as_slack), ("feed/atom", slack)),
    "google": (("incidents.json", as_google), ("en/feed.atom", google)),
}


def polled(store: Store, platform: str, turns: Sequence[int]) -> set[tuple[object, ...]]:
    """Return of each incident its title, from when until when it lasted, in minutes, and its impact."""
    forms = FORMS[platform]
    service = Service(id="mine", name="Mine", status_page="https://status.example")
    with closing(Scripted()) as fake:
        fake.start()
        source = StatusPageSource(
            service, fake.url, HttpClient(allow=["127.0.0.1"], pause=0.0), data=[path for path, _ in forms]
        )
        for now, turn in zip(MOMENTS, turns, strict=False):
            path, write = forms[turn]
            fake.answers = {f"/{forms[1 - turn][0]}": Reply(b"", 403), f"/{path}": write(so_far(SCRIPT, now))}
            run, _ = run_collect(store, source, now)
            assert run.outcome in ("ok", "not_modified"), run
    start = BEGAN.replace(second=0)
    names = {incident.incident_id: incident.name for incident in official_incidents(store, service.page, NOW)}
    records = official_entries(store, service, service.page, NOW)
    assert len(names) == len(records) == len(SCRIPT)
    return {
        (
            names[record.id],
            (record.began - start) // timedelta(minutes=1),
            (record.ended - start) // timedelta(minutes=1) if record.ended else None,
            record.impact,
        )
        for record in records
    }


@pytest.mark.parametrize("turns", [(0, 1) * 4, (1, 0) * 4, (0, 0, 1, 1, 1, 1, 0, 1)], ids=str)
@pytest.mark.parametrize("platform", FORMS)
def test_a_page_read_in_both_forms_in_turn_has_one_ledger(store: Store, platform: str, turns: Sequence[int]) -> None:
    with Store(":memory:") as other:
        expected = polled(other, platform, (0,) * 8)
        count = len(updates_of_page(other, "status.example", NOW))
    assert polled(store, platform, turns) == expected
    # what Google posts after an end is shown at that end by its feed alone
    later = len(SCRIPT) if platform == "google" else 0
    assert len(updates_of_page(store, "status.example", NOW)) == count + later


def test_a_link_that_several_incidents_share_makes_none_of_them_one(store: Store) -> None:
    service = Service(id="mine", name="Mine", status_page="https://status.example")
    entries = [{"id": name, "url": "https://s.example/all", "notes": [{"date_created": iso(BEGAN)}]} for name in "abc"]
    rest = {"date_created": iso(BEGAN), "title": "T", "type": "incident", "status": "active", "services": []}
    with closing(Scripted()) as fake:
        fake.start()
        path = "/api/v2.0.0/history"
        source = StatusPageSource(service, fake.url, HttpClient(allow=["127.0.0.1"], pause=0.0), data=(path,))
        for place, now in enumerate(MOMENTS[:2], 1):
            fake.answers = {path: json.dumps([{**entry, **rest} for entry in entries[: 1 + place]]).encode()}
            run_collect(store, source, now)
    assert {incident.incident_id for incident in official_incidents(store, service.page, NOW)} == set("abc")
