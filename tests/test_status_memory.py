"""What a status page's source remembers between runs, and how often it asks, whatever the page and the memory are."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from pipeline.stages.collect import run_collect
from pipeline.store import Store
from pipeline.store.official import official_incidents, updates_of_page
from pipeline.store.runs import save_source_state
from tests.copies import replace
from tests.fakes.base import Reply, Request
from tests.fakes.scripted import Scripted
from tests.fakes.status_apis import PAYPAL
from tests.fakes.status_histories import AWS
from tests.test_status_pages import API, HTML, NOW, REOPENED, SERVICE, collect, host, incident, page, source_at, update

PLANNED_PATH = "/api/v2/scheduled-maintenances.json"
OLD = incident("old", REOPENED[2:])


def planned(*entries: object) -> bytes:
    return json.dumps({"page": {"id": "x"}, "scheduled_maintenances": entries}).encode()


MAINTENANCE = incident(
    "m",
    [update("11:30", "scheduled")],
    impact="maintenance",
    scheduled_for="2026-03-05T02:00:00Z",
    scheduled_until="2026-03-05T04:00:00Z",
)


class Redirecting(Scripted):
    """A host that sends every visitor on `hops` times before it answers with a web page."""

    def __init__(self, hops: int) -> None:
        super().__init__()
        self.hops = hops

    def reply(self, request: Request) -> Reply:
        path, _, hop = request.path.partition("~")
        number = int(hop or 0)
        return HTML if number == self.hops else Reply(b"", 302, {"Location": f"{self.url}{path}~{number + 1}"})


@pytest.mark.parametrize("hops", range(1, 6))
def test_redirects_count_among_the_eight_requests_of_a_first_contact(store: Store, hops: int) -> None:
    fake = Redirecting(hops)
    fake.start()
    try:
        run = collect(store, fake)
        assert (run.outcome, run.error) == ("blocked", "answered with a web page instead of data")
        assert len(fake.requests) <= 8
    finally:
        fake.close()


def test_a_further_answer_that_fails_is_asked_once_and_no_more_than_three_requests_are_made(store: Store) -> None:
    with host({API: page(OLD), PLANNED_PATH: Reply(b"", 500)}) as fake:
        collect(store, fake)
        assert fake.paths == [API, PLANNED_PATH]
        fake.requests.clear()
        fake.answers[API] = page(OLD, changed=True)
        collect(store, fake, NOW + timedelta(hours=2))
        assert fake.paths == [API, PLANNED_PATH]


def test_planned_maintenance_is_read_while_the_list_of_incidents_does_not_change(store: Store) -> None:
    later = NOW + timedelta(hours=2)
    with host({API: page(OLD), PLANNED_PATH: planned()}) as fake:
        collect(store, fake)
        fake.answers[PLANNED_PATH] = planned(MAINTENANCE)
        assert collect(store, fake, NOW + timedelta(minutes=5)).outcome == "not_modified"
        assert collect(store, fake, later).outcome == "ok"
        assert collect(store, fake, later + timedelta(minutes=5)).outcome == "not_modified"
    assert {i.incident_id for i in official_incidents(store, SERVICE.page, later)} == {"old", "m"}


def test_planned_maintenance_that_is_listed_apart_is_not_taken_back_by_the_list_of_incidents(store: Store) -> None:
    later = NOW + timedelta(minutes=5)
    with host({API: page(OLD), PLANNED_PATH: planned(MAINTENANCE)}) as fake:
        collect(store, fake)
        fake.answers[API] = page(OLD, changed=True)
        assert collect(store, fake, later).outcome == "ok"
    assert {i.incident_id for i in official_incidents(store, SERVICE.page, later)} == {"old", "m"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("seen_down", text) for text in ("{", "[1]", '{"a": "x"}', '{"a": null}', "[" * 5000)),
        *((key, text) for key in ("also_read", "searched", "retry_after") for text in ("0", "soon", "2099-01-01")),
        ("reader", "none of ours"),
        ("configured", "another"),
    ],
)
def test_a_memory_that_is_damaged_is_done_without(store: Store, key: str, value: str) -> None:
    with host({API: page(OLD)}) as fake:
        collect(store, fake)
        with store.transaction() as conn:
            save_source_state(conn, f"status:{SERVICE.id}", {key: value})
        fake.answers[API] = page(OLD, changed=True)
        assert collect(store, fake, NOW + timedelta(minutes=5)).outcome == "ok"
        assert collect(store, fake, NOW + timedelta(minutes=10)).outcome == "not_modified"


@pytest.mark.parametrize(
    "address",
    [
        "nowhere",
        "ftp://x.example/y",
        "http://[",
        "https://",
        "http://x.example:99999/",
        "http://no.invalid/y",
        "//x\ny",
    ],
)
def test_a_remembered_address_that_is_damaged_is_found_again_in_one_line(
    store: Store, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    with host({API: page(OLD)}) as fake:
        collect(store, fake)
        with store.transaction() as conn:
            save_source_state(conn, f"status:{SERVICE.id}", {"address": address})
        caplog.clear()
        with caplog.at_level("INFO", logger="pipeline.sources.status.source"):
            fake.answers[API] = page(OLD, changed=True)
            assert collect(store, fake, NOW + timedelta(minutes=5)).outcome == "ok"
        searched = [line.levelname for line in caplog.records if "searched again" in line.getMessage()]
        assert searched == ["INFO"]
        assert collect(store, fake, NOW + timedelta(minutes=10)).outcome == "not_modified"


FEED = (
    b"<feed xmlns='http://www.w3.org/2005/Atom'><id>tag:s.example,2005:/history</id><title>S</title><entry>"
    b"<id>tag:s.example,2005:Incident/1</id><link href='https://s.example/incidents/a'/><title>T</title>"
    b"<published>2026-03-02T12:00:30Z</published><content type='html'>&lt;small&gt;Mar  2, 12:00 UTC&lt;/small&gt;"
    b"&lt;br&gt;&lt;strong&gt;Investigating&lt;/strong&gt; - x</content></entry></feed>"
)


@pytest.mark.parametrize("status_format", ["auto", "statuspage", "slack", "instatus"])
@pytest.mark.parametrize("status", [401, 403])
def test_where_only_the_api_is_refused_the_feed_is_read(store: Store, status: int, status_format: str) -> None:
    service = replace(SERVICE, status_format=status_format)
    refused = dict.fromkeys((API, "/api/v2.0.0/history", "/api/v2.0.0/current"), Reply(b"no", status))
    feed = "/feed/atom" if status_format == "slack" else "/history.atom"
    with host({**refused, feed: FEED}) as fake:
        assert collect(store, fake, NOW, service).outcome == "ok"
        assert len(fake.requests) <= 4
        fake.requests.clear()
        fake.answers[feed] = FEED.replace(b"- x", b"- y")
        assert collect(store, fake, NOW + timedelta(hours=2), service).outcome == "ok"
        assert fake.paths == [feed], "and is remembered"


def test_an_api_that_is_refused_from_some_day_on_is_left_for_the_feed(store: Store) -> None:
    with host({API: page(OLD)}) as fake:
        collect(store, fake)
        fake.answers = {API: Reply(b"no", 403), "/history.atom": FEED}
        assert collect(store, fake, NOW + timedelta(minutes=5)).outcome == "ok"


def test_a_page_that_refuses_everything_is_left_alone_after_a_few_addresses(store: Store) -> None:
    with host(elsewhere=Reply(b"no", 403)) as fake:
        assert collect(store, fake).outcome == "blocked"
        assert len(fake.requests) == 3
        fake.requests.clear()
        assert collect(store, fake, NOW + timedelta(minutes=5)).outcome == "blocked"
        assert len(fake.requests) == 1
    with host(elsewhere=Reply(b"no", 403, {"Retry-After": "3600"})) as fake:
        assert collect(store, fake, NOW + timedelta(hours=2)).outcome == "blocked"
        assert len(fake.requests) == 1, "who says when to come back is asked no more before then"


def test_a_clock_that_ran_ahead_does_not_put_off_what_is_read_each_hour(store: Store) -> None:
    with host({API: page(OLD), PLANNED_PATH: planned()}) as fake:
        collect(store, fake, NOW + timedelta(days=900))
        fake.requests.clear()
        collect(store, fake, NOW)
        assert fake.paths == [API, PLANNED_PATH]
    with host() as fake:
        collect(store, fake, NOW + timedelta(days=900))
        fake.answers = {"/history.atom": b"<rss><channel></channel></rss>"}
        assert collect(store, fake, NOW).outcome == "empty"


def test_what_one_form_of_a_page_showed_as_down_is_not_ended_by_another_form(store: Store) -> None:
    service = replace(SERVICE, status_format="paypal")
    paths = ("/api/v1/components",)
    answers = [PAYPAL, AWS, {"result": PAYPAL["result"][1:]}]
    with host() as fake:
        for minutes, value in enumerate(answers):
            fake.answers = {paths[0]: json.dumps(value).encode()}
            run_collect(store, source_at(fake, service, paths), NOW + timedelta(minutes=minutes))
    later = NOW + timedelta(hours=1)
    listed = {i.incident_id for i in official_incidents(store, SERVICE.page, later)}
    assert {u.incident_id for u in updates_of_page(store, SERVICE.page, later)} <= listed


def test_another_choice_of_parts_is_read_at_once_though_the_page_has_not_changed(store: Store) -> None:
    parts = [incident(name, [update("12:00", "investigating")], components=[{"name": name}]) for name in "AB"]
    with host({API: page(*parts)}) as fake:
        for minutes, name in enumerate("AB"):
            service = replace(SERVICE, status_components=(name,))
            assert collect(store, fake, NOW + timedelta(minutes=minutes), service).outcome == "ok"


def test_another_configuration_is_not_forgotten_while_the_page_does_not_answer(store: Store) -> None:
    chosen = replace(SERVICE, status_format="atom")
    feed = b"<rss><channel><title>S</title></channel></rss>"
    with host({API: page(OLD)}) as fake:
        collect(store, fake)
        fake.answers, fake.elsewhere = {}, Reply(b"", 500)
        assert collect(store, fake, NOW + timedelta(minutes=5), chosen).outcome == "error"
        fake.requests.clear()
        fake.answers = {API: page(OLD), "/history.atom": feed}
        assert collect(store, fake, NOW + timedelta(hours=2), chosen).outcome == "empty"
        assert fake.paths == ["/history.atom"]


def test_who_chose_the_feed_is_not_asked_at_the_api_not_even_where_the_catalogue_names_it(store: Store) -> None:
    chosen = replace(SERVICE, status_format="atom")
    source_data = ("api/v2/incidents.json", "https://api.status.example/public/list.json")
    with host({API: page(OLD)}) as fake:
        for minutes in (0, 5, 120):
            run, _ = run_collect(store, source_at(fake, chosen, source_data), NOW + timedelta(minutes=minutes))
            assert run.outcome == "error"
        assert not [path for path in fake.paths if "api" in path]
        assert "/" in fake.paths


def test_an_incident_whose_start_was_set_to_long_ago_takes_back_none_that_left_the_list_meanwhile(store: Store) -> None:
    later = NOW + timedelta(minutes=5)
    left = incident("left", [update("09:00", "resolved", day=1)])
    dated_back = incident("back", [update("15:00", "investigating")], started_at="2026-02-01T00:00:00Z")
    with host({API: page(OLD, left)}) as fake:
        collect(store, fake)
        fake.answers = {API: page(dated_back, OLD)}
        collect(store, fake, later)
        assert {i.incident_id for i in official_incidents(store, SERVICE.page, later)} == {"left", "old", "back"}
        fake.answers = {API: page(OLD, dated_back)}
        collect(store, fake, later)
    assert {i.incident_id for i in official_incidents(store, SERVICE.page, later)} == {"left", "old", "back"}


@pytest.mark.parametrize("number", ["", " ", None, {"a": 1}])
def test_an_incident_or_an_update_without_an_id_is_refused_alone(store: Store, number: Any) -> None:
    told = update("12:00", "investigating", name="1")
    with host({API: page(incident(number, [told]), incident("b", [{**told, "id": number}, told]), OLD)}) as fake:
        run = collect(store, fake)
    accepted_without = number is None  # an update whose page gives it none at all has its words and time for one
    assert (run.outcome, run.rejected) == ("ok", 1 if accepted_without else 2)
    assert {i.incident_id for i in official_incidents(store, SERVICE.page, NOW)} == {"old", "b"}
