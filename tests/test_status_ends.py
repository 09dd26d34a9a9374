"""What readers make of starts and ends, to the ledger: an end is never lost beside the posts of a page."""

from __future__ import annotations

import html
import json
import time
from datetime import timedelta

import pytest

from pipeline.core.errors import SourceError
from pipeline.core.times import utc
from pipeline.reports.reliability import official_entries
from pipeline.sources.status.generic_feed import GENERIC_FEED
from pipeline.sources.status.reader import Answer
from pipeline.sources.status.xai_rss import XAI_FEED
from pipeline.sources.status.xbox import XBOX
from pipeline.stages.collect import run_collect
from pipeline.store import Store
from tests.copies import replace
from tests.fakes import status_histories, status_hosted
from tests.fakes.status_apis import PAYPAL
from tests.status_reading import changed, context
from tests.test_status_pages import NOW, SERVICE, host, source_at

LATER = NOW + timedelta(minutes=20)
AWS_PATH, PAYPAL_PATH, INSTATUS_PATH = "/public/currentevents", "/api/v1/components", "/summary.json"


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("path", "form", "open_now", "well"),
    [
        (PAYPAL_PATH, "paypal", PAYPAL, changed(PAYPAL, "result", 0, "status", "production", to="Operational")),
        (AWS_PATH, "aws", status_histories.AWS, []),
        (INSTATUS_PATH, "instatus", status_hosted.INSTATUS, {"page": {"name": "A", "status": "UP"}}),
    ],
)
def test_what_is_no_longer_shown_as_down_ended_when_that_was_first_seen(
    store: Store, path: str, form: str, open_now: object, well: object
) -> None:
    service = replace(SERVICE, status_format=form)
    with host({path: encoded(open_now)}) as fake:
        run_collect(store, source_at(fake, service, (path,)), NOW)
        begun = [entry for entry in official_entries(store, service, service.page, NOW) if entry.ended is None]
        fake.answers[path] = encoded(well)
        run_collect(store, source_at(fake, service, (path,)), LATER)
    assert begun
    ended = {entry.id: entry.ended for entry in official_entries(store, service, service.page, LATER)}
    assert {ended[entry.id] for entry in begun} == {LATER}


def test_the_end_that_google_gives_counts_and_not_the_posts_that_follow_it(store: Store) -> None:
    path = "/incidents.json"
    entry = changed(status_histories.GOOGLE, 0, "end", to="2026-03-02T11:10:00+00:00")[0]
    entry["updates"] = [
        {"created": f"2026-03-02T{clock}:00Z", "when": f"2026-03-02T{clock}:00Z", "text": "t", "status": state}
        for clock, state in (("10:05", "SERVICE_OUTAGE"), ("11:45", "AVAILABLE"))
    ]
    with host({path: encoded([entry])}) as fake:
        run_collect(store, source_at(fake, replace(SERVICE, status_format="google"), (path,)), NOW)
    (record,) = official_entries(store, SERVICE, SERVICE.page, NOW)
    assert record.ended == utc("2026-03-02T11:10:00Z")


def test_a_feed_of_xai_that_is_all_beginnings_is_read_in_time_that_grows_with_its_length() -> None:
    beginnings = html.escape("<div><p><strong>x</strong></p>" * 6_000)
    item = f"<item><title>T</title><guid>a</guid><description>{beginnings}</description></item>"
    feed = f"<rss><channel><title>S</title>{item * 5}</channel></rss>".encode()
    spent = []
    for reader in (GENERIC_FEED, XAI_FEED):
        began = time.process_time()
        reader.read(Answer(body=feed), context())
        spent.append(time.process_time() - began)
    assert spent[1] < 2 * spent[0] + 1


@pytest.mark.parametrize("encoding", ["utL-8", "utf-16", "idna", "rot13"])
def test_an_answer_of_xbox_in_an_encoding_that_is_none_is_not_readable(encoding: str) -> None:
    body = f"<?xml version='1.0' encoding='{encoding}'?><S><CoreServices><Category/></CoreServices></S>".encode()
    assert XBOX.recognises(Answer(body=body))
    with pytest.raises(SourceError, match="not valid XML"):
        XBOX.read(Answer(body=body), context())
