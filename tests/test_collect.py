"""The sources together: side by side, each for itself; what is remembered, what is covered, what is a gap."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from pipeline.core.records import Batch
from pipeline.core.times import Span
from pipeline.http.session import HttpClient
from pipeline.sources import Source, build_sources
from pipeline.stages.collect import collect_all, honest, run_collect
from pipeline.store import Store
from pipeline.store.runs import heard, load_source_state
from tests.copies import replace
from tests.fakes import faults
from tests.fakes.recording import Recording
from tests.upstreams import NOW, TWO_HOURS, client, config_for, serving, source_of


class Slow:
    """A source of this test's making; `hold` keeps it from coming back."""

    def __init__(self, name: str, hold: threading.Event | None = None) -> None:
        self.name, self._hold = name, hold

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        if self._hold:
            self._hold.wait(60)
        if self.name == "broken":
            raise RuntimeError("surprise\nin two lines")
        return Batch(source=self.name, rows=(), outcome="empty", coverage=(Span(since, now),))


def test_one_source_s_trouble_costs_no_other_its_turn(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.stages import collect

    monkeypatch.setattr(collect, "GRACE", 0.5)
    hold = threading.Event()
    held: list[Source] = [Slow(f"held{i}", hold) for i in range(26)]
    sources: list[Source] = [*held, Slow("broken"), *(Slow(f"good{i}") for i in range(30))]
    began = time.monotonic()
    runs = collect_all(store, sources, NOW, deadline=0.5)
    hold.set()
    assert time.monotonic() - began < 15
    assert [run.subject for run in runs] == [source.name for source in sources]
    outcomes = {run.subject: (run.outcome, run.error) for run in runs}
    assert all(outcomes[f"good{i}"][0] == "empty" for i in range(30))
    assert all("did not come back" in outcomes[f"held{i}"][1] for i in range(26))
    assert outcomes["broken"] == ("error", "unexpected RuntimeError: surprise in two lines")


@pytest.mark.slow
def test_sixty_services_and_two_hundred_feeds_in_half_a_minute(store: Store) -> None:
    from contextlib import ExitStack

    catalogue = dict(
        [item for item in config_for("statuspage", "http://x").catalogue.items() if item[1].status_page][:60]
    )
    feed = b"<rss version='2.0'><channel><title>W</title><item><title>T</title><guid>1</guid></item></channel></rss>"
    recording = Recording()
    recording.feeds_made = {f"f{i}": feed for i in range(200)}
    recording.pages_made = {name: {"page": {"url": "https://s.example"}, "incidents": []} for name in catalogue}
    hosts = [f"127.0.0.{i}" for i in range(1, 21)]
    with ExitStack() as stack:
        feeds = [stack.enter_context(serving("feeds", recording=recording, host=host, latency=0.2)) for host in hosts]
        pages = stack.enter_context(serving("statuspage", recording=recording, latency=0.2))
        config = config_for(
            "statuspage",
            pages.url,
            feeds=tuple(f"{feeds[i % 20].url}/f{i}.xml" for i in range(200)),
            hacker_news=False,
            downstatus=False,
            google_news=False,
            reddit=False,
            bluesky=False,
            downdetector=False,
        )
        services = {name: replace(service, status_format="statuspage") for name, service in catalogue.items()}
        config = replace(config, watch=tuple(services), catalogue=services)
        sources = build_sources(config, HttpClient(allow=hosts), None)
        assert len(sources) == 260
        began = time.monotonic()
        runs = collect_all(store, sources, NOW, deadline=30.0)
        took = time.monotonic() - began
        assert {run.outcome for run in runs} == {"ok", "empty"}, {run.error for run in runs}
        assert sum(run.new for run in runs) == 200
        assert max(fake.most_at_once for fake in [*feeds, pages]) <= 2
        assert took < 30, took


def test_what_was_asked_to_be_remembered_is_obeyed_by_the_next_run(store: Store) -> None:
    with serving("statuspage") as fake:
        fake.spoil(faults.FAULTS["429 seconds"], times=1)
        source = source_of("statuspage", fake.url, client())
        outcomes = [run_collect(store, source, NOW + timedelta(seconds=at))[0].outcome for at in (0, 60, 119, 121)]
        assert outcomes == ["blocked", "blocked", "blocked", "ok"]
        assert [r.path for r in fake.requests][:2] == 2 * ["/claude/api/v2/incidents.json"]
        assert len(fake.requests) == 3
        assert load_source_state(store, source.name)["retry_after"] == ""


def test_a_gap_stays_a_gap_and_several_instances_are_one_stream(store: Store) -> None:
    with serving("mastodon") as fake:
        source = source_of("mastodon", fake.url, client())
        run_collect(store, source, NOW)
        fake.spoil(faults.FAULTS["block page"])
        run_collect(store, source, NOW + timedelta(minutes=5))
        spans = heard(store, "mastodon")
        assert spans == [(NOW - timedelta(hours=24), NOW - timedelta(seconds=60))]
        fake.spoil(None)
        run_collect(store, source, NOW + timedelta(minutes=10))
        assert heard(store, "mastodon") == [(NOW - timedelta(hours=24), NOW + timedelta(minutes=9))]
        (row,) = store.rows("SELECT outcome, covered_from FROM runs WHERE outcome = 'blocked'")
        assert tuple(row) == ("blocked", None)


def test_a_batch_of_refused_rows_is_no_silence() -> None:
    from pipeline.core.records import RejectedRow

    refused = Batch(
        source="s",
        rows=(),
        rejected=(RejectedRow(where="1", reason="bad", head=""),),
        outcome="empty",
        coverage=(Span(TWO_HOURS, NOW),),
    )
    assert (honest(refused).outcome, honest(refused).covered) == ("error", None)
    empty = replace(refused, rejected=())
    assert honest(empty) is empty
