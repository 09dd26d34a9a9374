"""Status pages end to end: found, read, remembered and stored, over loopback through the real client."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.load import load_catalogue
from pipeline.core.catalogue import Service
from pipeline.core.errors import ConfigError
from pipeline.core.records import Run
from pipeline.core.times import utc
from pipeline.http.session import HttpClient
from pipeline.incidents.episodes import by_incident
from pipeline.incidents.reliability import months
from pipeline.reports.reliability import official_entries
from pipeline.sources import build_sources
from pipeline.sources.status.platforms import READERS, reader_of
from pipeline.sources.status.reader import Answer
from pipeline.sources.status.source import StatusPageSource
from pipeline.sources.status.statuspage_atom import STATUSPAGE_FEED
from pipeline.stages.collect import run_collect
from pipeline.store import Store
from pipeline.store.official import official_incidents, updates_of_page
from tests.copies import replace
from tests.fakes.base import Reply
from tests.fakes.scripted import Scripted
from tests.upstreams import config_for

NOW = utc("2026-03-02T16:00:00Z")
API = "/api/v2/incidents.json"
SERVICE = Service(id="acme", name="Acme", status_page="https://acme.statuspage.io")
HTML = Reply(b"<!doctype html><html><body>Loading</body></html>", 200, {"Content-Type": "text/html; charset=utf-8"})


@contextmanager
def host(answers: Mapping[str, Reply | bytes] | None = None, **more: Any) -> Iterator[Scripted]:
    fake = Scripted(answers, **more)
    fake.start()
    try:
        yield fake
    finally:
        fake.close()


def source_at(fake: Scripted, service: Service = SERVICE, data: tuple[str, ...] = ()) -> StatusPageSource:
    return StatusPageSource(service, fake.url, HttpClient(allow=["127.0.0.1"], pause=0.0), data=data)


def update(clock: str, status: str, *, day: int = 2, shown: str = "", name: str = "", body: str = "") -> dict[str, Any]:
    at = f"2026-03-{day:02}T{clock}:00Z"
    return {
        "id": name or f"u{day}{clock.replace(':', '')}",
        "status": status,
        "body": body,
        "created_at": at,
        "display_at": f"2026-03-{day:02}T{shown}:00Z" if shown else at,
        "affected_components": None,
    }


def incident(number: str, updates: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    begun = updates[-1]["created_at"] if updates else "2026-03-02T10:00:00Z"
    status = updates[0]["status"] if updates else "investigating"
    return {
        "id": number,
        "name": f"Incident {number}",
        "status": status,
        "impact": "major",
        "created_at": begun,
        "started_at": begun,
        "resolved_at": None,
        "components": [],
        "incident_updates": updates,
        **more,
    }


def page(*incidents: dict[str, Any], **more: Any) -> bytes:
    return json.dumps(
        {"page": {"id": "x", "url": "https://status.acme.example"}, "incidents": incidents, **more}
    ).encode()


PLANNED = incident(
    "m",
    [update("09:00", "scheduled")],
    impact="maintenance",
    scheduled_for="2026-03-05T02:00:00Z",
    scheduled_until="2026-03-05T04:00:00Z",
)


def collect(store: Store, fake: Scripted, now: datetime = NOW, service: Service = SERVICE) -> Run:
    return run_collect(store, source_at(fake, service), now)[0]


def test_what_a_page_says_belongs_to_the_service_that_was_asked_whatever_host_it_names(store: Store) -> None:
    with host({API: page(incident("a", [update("10:00", "investigating")]))}) as fake:
        assert collect(store, fake).outcome == "ok"
    assert [u.page for u in updates_of_page(store, SERVICE.page, NOW)] == ["acme.statuspage.io"]
    (record,) = official_entries(store, SERVICE, SERVICE.page, NOW)
    assert record.began == utc("2026-03-02T10:00:00Z")


def test_a_page_that_leaves_its_empty_list_out_has_nothing_to_say(store: Store) -> None:
    with host({API: json.dumps({"page": {"name": "A", "url": "https://status.a.example/"}}).encode()}) as fake:
        run = collect(store, fake)
    assert (run.outcome, run.rejected, run.covered is not None) == ("empty", 0, True)


def test_a_page_that_moved_is_followed_and_told_once(store: Store) -> None:
    with host({API: page(incident("a", [update("10:00", "investigating")]))}, elsewhere=HTML) as new, host() as old:
        old.elsewhere = Reply(b"", 301, {"Location": f"{new.url}/"})
        first = collect(store, old)
        assert first.outcome == "ok"
        assert f"moved to {new.url.removeprefix('http://')}, Statuspage now" in first.error
        assert len(old.requests) + len(new.requests) <= 8
        old.requests.clear()
        again = collect(store, old, NOW + timedelta(minutes=5))
        assert (again.outcome, again.error, old.requests) == ("not_modified", "", [])
    assert len(updates_of_page(store, SERVICE.page, NOW)) == 1


def test_a_page_whose_platform_changes_is_read_in_its_new_form(store: Store) -> None:
    atom = (
        b"<feed xmlns='http://www.w3.org/2005/Atom'><title>S</title><entry><id>1</id>"
        b"<link href='https://s.example/incidents/abc'/><title>T</title><updated>2026-03-02T12:00:00Z</updated>"
        b"<published>2026-03-02T12:00:00Z</published><content type='html'>&lt;p&gt;&lt;small&gt;Mar 2, 12:00 UTC"
        b"&lt;/small&gt;&lt;br&gt;&lt;strong&gt;Investigating&lt;/strong&gt; - x&lt;/p&gt;</content></entry></feed>"
    )
    with host({API: page()}) as fake:
        assert collect(store, fake).outcome == "empty"
        fake.answers = {"/history.atom": atom}
        run = collect(store, fake, NOW + timedelta(minutes=5))
        assert run.outcome == "ok"
        fake.requests.clear()
        collect(store, fake, NOW + timedelta(minutes=10))
        assert fake.paths == ["/history.atom"]


def test_a_first_contact_costs_eight_requests_at_most_and_a_page_that_cannot_be_read_one_until_an_hour_later(
    store: Store,
) -> None:
    with host() as fake:
        assert collect(store, fake).outcome == "error"
        assert 3 <= len(fake.requests) <= 8
        counts = []
        for minutes in (5, 30, 61):
            fake.requests.clear()
            assert collect(store, fake, NOW + timedelta(minutes=minutes)).outcome == "error"
            counts.append(len(fake.requests))
        assert counts[:2] == [1, 1]
        assert counts[2] > 1
        fake.answers = {API: page(incident("a", [update("10:00", "investigating")]))}
        assert collect(store, fake, NOW + timedelta(minutes=66)).outcome == "ok"


@pytest.mark.parametrize(
    ("answer", "outcome", "words"),
    [
        (HTML, "blocked", "a web page"),
        (Reply(b""), "error", "nothing"),
        (Reply(b'{"error": "gone"}'), "error", "no reader"),
        (Reply(b'{"page": {"id": "x"}, "incidents": [{"id"'), "error", "no reader"),
        (Reply(b"<html><title>Just a moment...</title></html>", 403), "blocked", "403"),
    ],
)
def test_what_is_no_status_page_is_told_as_what_it_is(store: Store, answer: Reply, outcome: str, words: str) -> None:
    with host(elsewhere=answer) as fake:
        run = collect(store, fake)
    assert (run.outcome, run.covered) == (outcome, None)
    assert words in run.error


def test_a_form_that_a_configuration_names_is_tried_first(store: Store) -> None:
    with host({"/elsewhere/list.json": page()}) as fake:
        run, _ = run_collect(store, source_at(fake, data=("/elsewhere/list.json",)), NOW)
        assert run.outcome == "empty"
        assert fake.paths[0] == "/elsewhere/list.json"


def test_an_unknown_form_in_the_configuration_is_refused_with_the_nearest() -> None:
    config = config_for("statuspage", "http://127.0.0.1:9")
    claude = replace(config.catalogue["claude"], status_format="statuspag")
    wrong = replace(config, catalogue={**config.catalogue, "claude": claude})
    with pytest.raises(ConfigError, match=r"services\.claude\.status_format: .*did you mean 'statuspage'"):
        build_sources(wrong, HttpClient(), None)


def test_an_incident_without_updates_exists_and_ends(store: Store) -> None:
    with host({API: page(incident("a", []))}) as fake:
        assert collect(store, fake).outcome == "ok"
        (record,) = official_entries(store, SERVICE, SERVICE.page, NOW)
        assert (record.began, record.ended, record.impact) == (utc("2026-03-02T10:00:00Z"), None, "major")
        fake.answers[API] = page(incident("a", [], status="resolved", resolved_at="2026-03-02T11:30:00Z"))
        collect(store, fake, NOW + timedelta(minutes=5))
    (record,) = official_entries(store, SERVICE, SERVICE.page, NOW)
    assert record.ended == utc("2026-03-02T11:30:00Z")


def test_updates_that_come_later_replace_the_one_that_stood_for_the_incident(store: Store) -> None:
    with host({API: page(incident("a", []))}) as fake:
        collect(store, fake)
        fake.answers[API] = page(incident("a", [update("10:20", "resolved"), update("10:02", "investigating")]))
        collect(store, fake, NOW + timedelta(minutes=5))
    (record,) = official_entries(store, SERVICE, SERVICE.page, NOW)
    assert (record.began, record.ended) == (utc("2026-03-02T10:02:00Z"), utc("2026-03-02T10:20:00Z"))


REOPENED = [
    update("15:00", "resolved"),
    update("14:00", "investigating"),
    update("11:00", "resolved"),
    update("10:00", "investigating"),
]


@pytest.mark.parametrize(("day", "minutes"), [(2, 120), (9, 120)])
def test_an_incident_opened_again_under_its_id_was_down_twice(store: Store, day: int, minutes: int) -> None:
    later = [update("15:00", "resolved", day=day), update("14:00", "investigating", day=day), *REOPENED[2:]]
    with host({API: page(incident("a", later))}) as fake:
        collect(store, fake, NOW + timedelta(days=day - 2))
    until = NOW + timedelta(days=day - 2)
    entries = official_entries(store, SERVICE, SERVICE.page, until)
    (march,) = months(entries, until)
    assert (march.down_minutes, march.incidents, march.mttr) == (minutes, 2, 60)


def test_the_state_does_not_depend_on_when_a_page_was_looked_at(tmp_path: Path) -> None:
    bodies = [
        page(incident("a", [update("10:10", "investigating", name="1")])),
        page(incident("a", [update("10:30", "identified", name="2"), update("10:10", "investigating", name="1")])),
        page(
            incident(
                "a",
                [
                    update("11:00", "resolved", name="3"),
                    update("10:30", "identified", name="2"),
                    update("10:10", "investigating", name="1", shown="09:10"),
                ],
                resolved_at="2026-03-02T11:00:00Z",
            ),
            incident("b", [update("12:00", "investigating", name="4")]),
        ),
    ]
    ledgers = set()
    for number, chosen in enumerate(itertools.chain(*(itertools.combinations(range(2), n) for n in range(3)))):
        with Store(tmp_path / f"{number}.db") as store, host() as fake:
            for look in (*chosen, 2):
                fake.answers = {API: bodies[look]}
                collect(store, fake, NOW + timedelta(minutes=look))
            ledgers.add(
                tuple((e.id, e.began, e.ended, e.posted) for e in official_entries(store, SERVICE, SERVICE.page, NOW))
            )
    assert len(ledgers) == 1
    assert next(iter(ledgers))[0][:3] == ("a", utc("2026-03-02T09:10:00Z"), utc("2026-03-02T11:00:00Z"))


def test_an_older_answer_stored_later_changes_nothing(store: Store) -> None:
    first = page(incident("a", [update("10:10", "investigating", name="1")]))
    edited = page(incident("a", [update("10:10", "investigating", name="1", shown="09:10")]))
    with host({API: edited}) as fake:
        collect(store, fake, NOW)
        fake.answers = {API: first}
        collect(store, fake, NOW - timedelta(minutes=30))
    (record,) = official_entries(store, SERVICE, SERVICE.page, NOW)
    assert record.began == utc("2026-03-02T09:10:00Z")


def test_an_incident_that_disappears_while_older_ones_stay_was_taken_back_and_may_come_again(store: Store) -> None:
    old, new = incident("old", REOPENED[2:]), incident("new", [update("12:00", "investigating")])
    with host({API: page(new, old)}) as fake:
        collect(store, fake)
        fake.answers = {API: page(old)}
        collect(store, fake, NOW + timedelta(minutes=5))
        assert [i.incident_id for i in official_incidents(store, SERVICE.page, NOW + timedelta(minutes=5))] == ["old"]
        assert {u.incident_id for u in updates_of_page(store, SERVICE.page, NOW + timedelta(minutes=5))} == {"old"}
        # what was known before it was taken back can still be asked
        assert len(official_incidents(store, SERVICE.page, NOW)) == 2
        fake.answers = {API: page(new, old)}
        collect(store, fake, NOW + timedelta(minutes=10))
        assert len(official_incidents(store, SERVICE.page, NOW + timedelta(minutes=10))) == 2


def test_an_incident_that_left_the_end_of_the_list_was_not_taken_back(store: Store) -> None:
    old, new = incident("old", REOPENED[2:]), incident("new", [update("12:00", "investigating")])
    with host({API: page(new, old)}) as fake:
        collect(store, fake)
        fake.answers = {API: page(new)}
        collect(store, fake, NOW + timedelta(minutes=5))
    assert len(official_incidents(store, SERVICE.page, NOW + timedelta(minutes=5))) == 2


def test_each_wording_of_an_update_is_kept_with_when_it_was_first_read(store: Store) -> None:
    wordings = ("This incident has been resolved.", "A failed deploy caused it.", "A failed deploy at 09:31 caused it.")
    with host() as fake:
        for days, body in enumerate(wordings):
            fake.answers = {API: page(incident("a", [update("11:00", "resolved", name="1", body=body)]))}
            collect(store, fake, NOW + timedelta(days=days))
    known = [updates_of_page(store, SERVICE.page, NOW + timedelta(days=days, hours=1))[0].body for days in range(3)]
    assert known == list(wordings)
    (count,) = store.conn.execute("SELECT count(*) FROM status_wordings").fetchone()
    assert count == 3


def test_a_list_in_which_nothing_is_the_services_takes_back_what_was(store: Store) -> None:
    service = replace(SERVICE, status_components=("API",))
    old = incident("old", REOPENED[2:], components=[{"id": "q", "name": "Store", "status": "operational"}])
    new = incident("new", [update("12:00", "investigating")], components=[{"id": "p", "name": "API"}])
    with host({API: page(new, old)}) as fake:
        collect(store, fake, NOW, service)
        assert len(official_incidents(store, service.page, NOW)) == 1
        fake.answers = {API: page(old)}
        later = NOW + timedelta(minutes=5)
        assert collect(store, fake, later, service).outcome == "empty"
    assert official_incidents(store, service.page, later) == []


def test_a_part_that_is_only_listed_is_what_the_incident_is_about(store: Store) -> None:
    listed = [{"id": "p", "name": "API Requests", "status": "operational"}]
    with host({API: page(incident("a", REOPENED[2:], components=listed))}) as fake:
        collect(store, fake)
    (record,) = official_entries(store, SERVICE, SERVICE.page, NOW)
    assert record.components == {"API Requests"}


def test_only_the_incidents_of_its_own_parts_concern_a_service_on_a_shared_page(store: Store) -> None:
    service = replace(SERVICE, status_components=("Fortnite",))
    mine = [{"id": "p", "name": "Fortnite - Login", "status": "operational"}]
    others = [{"id": "q", "name": "Rocket League", "status": "operational"}]
    bodies = page(
        incident("a", REOPENED[2:], components=mine),
        incident("b", [update("12:00", "investigating")], components=others),
        incident("c", [update("13:00", "investigating")], name="Fortnite matchmaking"),
        incident("d", [update("13:30", "investigating")], name="Store"),
    )
    with host({API: bodies}) as fake:
        collect(store, fake, service=service)
    assert service.page == "acme.statuspage.io/acme"
    kept = {i.incident_id for i in official_incidents(store, service.page, NOW)}
    assert kept == {"a", "c", "d"}, "one that names no part concerns everyone on the page"


def test_every_page_of_the_catalogue_has_a_known_form() -> None:
    config = config_for("statuspage", "http://127.0.0.1:9")
    config = replace(config, watch=())
    built = build_sources(config, HttpClient(), None, ["status"])
    assert len(built) == sum(bool(s.status_page) and s.status_format != "none" for s in load_catalogue().values())


def test_of_one_minute_the_states_of_a_feed_are_read_in_their_usual_order(store: Store) -> None:
    blocks = "".join(
        f"&lt;small&gt;Mar 2, 12:00 UTC&lt;/small&gt;&lt;br&gt;&lt;strong&gt;{state}&lt;/strong&gt; - x"
        for state in ("Identified", "Investigating")
    )
    atom = (
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>S</title><entry><id>1</id>"
        "<link href='https://s.example/incidents/abc'/><title>T</title><updated>2026-03-02T12:00:30Z</updated>"
        f"<published>2026-03-02T12:00:30Z</published><content type='html'>{blocks}</content></entry></feed>"
    )
    with host({"/history.atom": atom.encode()}) as fake:
        collect(store, fake)
    (rows,) = by_incident(updates_of_page(store, SERVICE.page, NOW)).values()
    assert [row.status for row in rows] == ["investigating", "identified"]


def test_a_page_read_as_a_mere_feed_is_read_in_its_platforms_own_form_once_it_has_one() -> None:
    general = READERS[-1]
    atom = Answer(
        body=b"<feed xmlns='http://www.w3.org/2005/Atom'><title>S</title><entry><id>1</id>"
        b"<link href='https://s.example/incidents/abc'/><title>T</title><updated>2026-03-02T12:00:00Z</updated>"
        b"<published>2026-03-02T12:00:00Z</published><content type='html'>&lt;p&gt;&lt;small&gt;Mar 2, 12:00 UTC"
        b"&lt;/small&gt;&lt;br&gt;&lt;strong&gt;Investigating&lt;/strong&gt; - x&lt;/p&gt;</content></entry></feed>"
    )
    assert general.recognises(atom)
    assert reader_of(atom, general) is STATUSPAGE_FEED


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_an_answer_of_statuspage_is_recognised_in_every_encoding_of_json(store: Store, encoding: str) -> None:
    body = page(incident("a", [update("12:00", "investigating")], name="Übertragung")).decode().encode(encoding)
    with host({API: body}) as fake:
        assert collect(store, fake).outcome == "ok"
    assert [row.name for row in official_incidents(store, SERVICE.page, NOW)] == ["Übertragung"]
