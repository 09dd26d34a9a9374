"""Readers of status pages with an API of their own, on the forms the providers have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import pytest

from pipeline.core.catalogue import Service
from pipeline.core.errors import SourceError
from pipeline.http.session import HttpClient
from pipeline.sources.status.apis import API_READERS
from pipeline.sources.status.platforms import BY_NAME, READERS
from pipeline.sources.status.reader import Answer, Reader
from pipeline.sources.status.source import StatusPageSource
from tests.fakes.faults import PAGE
from tests.fakes.recording import Recording
from tests.fakes.status_apis import FORMS, Form, StatusApis
from tests.status_reading import NOW, STARTED, answer, changed, context, form_of, read

PRESENT_STATE = {"paypal", "xbox", "microsoft", "uptimerobot", "cachet"}


@pytest.fixture(scope="module")
def pages() -> Iterator[StatusApis]:
    fake = StatusApis(Recording())
    fake.start()
    yield fake
    fake.close()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.path)
def test_every_form_is_recognised_by_its_own_reader_and_by_no_other(form: Form) -> None:
    assert [reader.name for reader in READERS if reader.recognises(answer(form))] == [form.reader]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.path)
def test_every_form_is_read_as_its_provider_serves_it(form: Form, pages: StatusApis) -> None:
    with urlopen(pages.url + form.path) as served:
        got = Answer(body=served.read(), url=served.url, content_type=served.headers["Content-Type"])
    reader = BY_NAME[form.reader]
    assert reader.recognises(got)
    reading = reader.read(got, context())
    assert not reading.rejected
    assert reading.updates
    assert {row.page for row in (*reading.updates, *reading.incidents)} == {"post"}
    assert {update.incident_id for update in reading.updates} <= {row.incident_id for row in reading.incidents}
    assert all(update.displayed_at <= NOW for update in reading.updates)
    begun = [update for update in reading.updates if update.status not in ("resolved", "completed", "scheduled")]
    if form.reader not in PRESENT_STATE:
        starts = [row.started_at.replace(microsecond=0) for row in reading.incidents if row.started_at]
        assert STARTED in starts or form.reader == "salesforce"
    assert begun
    assert {row.impact for row in reading.incidents} <= {"none", "minor", "major", "critical", "maintenance"}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.path)
def test_a_page_is_read_by_the_source_where_the_catalogue_says_its_data_lie(form: Form, pages: StatusApis) -> None:
    service = Service(id="post", name="Post", status_page=f"{pages.url}/start")
    client = HttpClient(allow=["127.0.0.1"], pause=0.01)
    source = StatusPageSource(service, service.status_page, client, data=[f"{pages.url}{form.path}"])
    first = source.fetch(STARTED, NOW, {})
    assert first.outcome == "ok"
    assert first.state["reader"] == form.reader
    again = source.fetch(NOW, NOW, first.state)
    assert again.outcome == "not_modified"


@pytest.mark.parametrize("reader", API_READERS, ids=lambda reader: reader.name)
def test_a_reader_names_its_source_and_has_a_stand_in(reader: Reader) -> None:
    assert reader.origin
    assert reader.paths
    assert reader.name in {form.reader for form in FORMS}


BAD_BODIES = {
    "nothing": b"",
    "blanks": b" \n ",
    "a web page": PAGE,
    "a web page in UTF-16": PAGE.decode().encode("utf-16"),
    "cut": b'{"result": [{"status":',
    "a number": b"7",
    "null": b"null",
    "a text": b'"well"',
    "an empty object": b"{}",
    "a list of nothing": b"[null, 1, []]",
    "deep": b"[" * 100_000,
    "bytes": bytes(range(256)),
    "another page's": b'{"page": {"id": "x", "url": "https://other.example"}, "incidents": []}',
    "odd UTF-16": "[]".encode("utf-16") + b"\0",
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
@pytest.mark.parametrize("reader", API_READERS, ids=lambda reader: reader.name)
def test_what_is_no_answer_of_the_platform_is_neither_recognised_nor_an_empty_success(
    reader: Reader, body: bytes
) -> None:
    bad = Answer(body=body, url="https://status.example.org/")
    assert not reader.recognises(bad)
    try:
        reading = reader.read(bad, context())
    except SourceError as error:
        assert error.source == "status:post"
    else:
        pytest.fail(f"read as {reading}")


def _spoilt(value: Any) -> Iterator[Any]:
    """Yield copies of a JSON value with one member spoilt."""
    spoils: list[Any] = [
        None,
        [],
        {},
        "",
        "x" * 10_000,
        -1,
        1e300,
        True,
        "2099-01-01T00:00:00Z",
        ["\ud800", {"a": None}],
    ]
    for path in _places(value):
        for spoil in spoils:
            yield changed(value, *path, to=spoil)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*path, key)
        yield from _places(item, (*path, key))


@pytest.mark.parametrize("form", [f for f in FORMS if not isinstance(f.value, str)], ids=lambda form: form.path)
def test_a_spoilt_member_spoils_at_most_its_own_entry_and_nothing_crashes(form: Form) -> None:
    reader = BY_NAME[form.reader]
    for value in _spoilt(form.value):
        got = Answer(body=form.wrap.replace("{}", json.dumps(value)).encode(form.encoding), url=form.path)
        try:
            reader.recognises(got)
            reading = reader.read(got, context())
        except SourceError:
            continue
        for found in reading.incidents:
            assert max(found.started_at or NOW, found.resolved_at or NOW) <= NOW
        for row in reading.updates:
            assert row.displayed_at <= NOW
            assert len(row.name) <= 500
            assert len(row.incident_id) <= 350
            assert all(len(part.name) <= 120 for part in row.components)


@pytest.mark.parametrize(
    ("path", "other"), [("/incidents.json", "over-1"), ("/api/v2.0.0/history", "900"), ("/api/v4/incidents", "2999")]
)
def test_one_bad_incident_does_not_keep_the_next_from_being_read(path: str, other: str) -> None:
    value = form_of(path).value
    for place in _places(value[0]):
        for spoil in (None, [], "x", -1):
            reading = read(path, changed(value, 0, *place, to=spoil))
            assert other in {row.incident_id for row in reading.incidents}
            assert other in {row.incident_id for row in reading.updates}
