"""Each bound of collecting, held just below and just above it: how far back, how many at once, what is asked again."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from pipeline.core.errors import SourceError
from pipeline.core.records import Batch
from pipeline.core.times import Span
from pipeline.http import retry
from pipeline.http.hosts import HostLimits
from pipeline.stages import collect
from pipeline.store import Store
from pipeline.store.observations import save_batch
from tests.fakes import faults
from tests.upstreams import NOW, client, serving

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Counted:
    """A source that notes how many of its kind are under way at once, and may fail or not come back."""

    most = under_way = 0
    lock = threading.Lock()

    def __init__(self, name: str = "s", *, hold: threading.Event | None = None, error: str = "") -> None:
        self.name, self._hold, self._error = name, hold, error

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        with Counted.lock:
            Counted.under_way += 1
            Counted.most = max(Counted.most, Counted.under_way)
        if self._hold:
            self._hold.wait(20)
        with Counted.lock:
            Counted.under_way -= 1
        if self._error:
            raise SourceError(self._error)
        return Batch(source=self.name, rows=(), outcome="empty", coverage=(Span(since, now),))


@pytest.mark.parametrize(
    ("read_to", "expected"),
    [
        (None, DAY),
        (HOUR, HOUR),
        (7 * DAY - SECOND, 7 * DAY - SECOND),
        (7 * DAY, 7 * DAY),
        (7 * DAY + SECOND, 7 * DAY),
        (-HOUR, timedelta(0)),  # the clock was set back
    ],
)
def test_a_source_is_read_from_where_it_was_read_to_a_day_at_first_a_week_at_most(
    store: Store, read_to: timedelta | None, expected: timedelta
) -> None:
    if read_to is not None:
        span = Span(NOW - read_to - DAY, NOW - read_to)
        save_batch(store, Batch(source="s", rows=(), outcome="empty", coverage=(span,)), NOW)
    assert NOW - collect.read_from(store, Counted(), NOW) == expected


@pytest.mark.parametrize(("sources", "at_once"), [(23, 23), (24, 24), (30, 24)])
def test_at_most_24_sources_are_asked_at_once(sources: int, at_once: int) -> None:
    Counted.most = Counted.under_way = 0
    hold = threading.Event()
    asked = [Counted(f"s{n}", hold=hold) for n in range(sources)]
    release = threading.Timer(0.3, hold.set)
    release.start()
    known: list[tuple[datetime, Mapping[str, str]]] = [(NOW - HOUR, {})] * sources
    assert len(list(collect.fetch_all(asked, known, NOW, deadline=20.0))) == sources
    assert Counted.most == at_once


def test_a_source_is_given_up_half_a_minute_after_its_deadline(store: Store) -> None:
    hold = threading.Event()
    began = time.monotonic()
    # so that the test is quick, the deadline lies before the beginning: 30 seconds later is in one second
    (run,) = collect.collect_all(store, [Counted("held", hold=hold)], NOW, deadline=-29.0)
    took = time.monotonic() - began
    hold.set()
    assert (run.outcome, "did not come back within 1 s" in run.error) == ("error", True)
    assert 1.0 < took < 5.0


@pytest.mark.parametrize(("length", "kept"), [(499, 499), (500, 500), (501, 500)])
def test_an_error_is_stored_up_to_five_hundred_characters(store: Store, length: int, kept: int) -> None:
    run, _ = collect.run_collect(store, Counted(error="x" * length), NOW)
    assert len(run.error) == kept


ASKED_AGAIN = {408, 500, 502, 503, 504, *range(520, 525)}


@pytest.mark.parametrize("status", [400, 404, 407, 408, 409, 410, *range(500, 506), *range(519, 526)])
def test_a_passing_failure_is_asked_again_twice_and_any_other_not_at_all(status: int) -> None:
    with serving("feeds") as fake:
        fake.spoil(faults.status(status))
        with client().session_for("s", {}, NOW) as session, pytest.raises(SourceError, match=str(status)):
            session.fetch(f"{fake.url}/tech-daily.xml")
        assert len(fake.requests) == (3 if status in ASKED_AGAIN else 1)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("59", MINUTE),
        ("60", MINUTE),
        ("61", 61 * SECOND),
        ("3599", HOUR - SECOND),
        ("3600", HOUR),
        ("3601", HOUR),
        ("Mon, 02 Mar 2026 12:00:59 GMT", MINUTE),
        ("Mon, 02 Mar 2026 12:01:01 GMT", 61 * SECOND),
        ("Mon, 02 Mar 2026 12:59:59 GMT", HOUR - SECOND),
        ("Mon, 02 Mar 2026 13:00:01 GMT", HOUR),
        ("Mon, 02 Mar 2026 11:00:00 GMT", MINUTE),
        ("", 10 * MINUTE),
        ("Mon, 99 Mar 2026", 10 * MINUTE),
    ],
)
def test_a_wait_that_is_asked_for_is_a_minute_to_an_hour(value: str, wait: timedelta) -> None:
    assert retry.retry_after(value, NOW) == wait


@pytest.mark.parametrize(
    ("until", "asked"),
    [
        (-SECOND, True),
        (timedelta(0), True),
        (SECOND, False),
        (HOUR, False),
        (HOUR + SECOND, True),  # longer than any wait that is kept: the clock was set back
    ],
)
def test_a_source_is_left_alone_until_the_moment_it_gave(until: timedelta, asked: bool) -> None:
    state = {"retry_after": f"{NOW + until:%Y-%m-%dT%H:%M:%SZ}"}
    if asked:
        client().session_for("s", state, NOW).close()
    else:
        with pytest.raises(SourceError, match="asked to wait"):
            client().session_for("s", state, NOW)


@pytest.mark.parametrize(("timeouts", "left_alone"), [(2, False), (3, True)])
def test_a_host_that_let_three_sessions_run_out_is_left_alone(timeouts: int, left_alone: bool) -> None:
    hosts = HostLimits()
    for _ in range(timeouts):
        hosts.record_host_outcome("a.example", answered=False)
    assert hosts.acquire_host("b.example", 0.0)
    if left_alone:
        with pytest.raises(SourceError, match="not asked again"):
            hosts.acquire_host("a.example", 0.0)
    else:
        assert hosts.acquire_host("a.example", 0.0)
    hosts.record_host_outcome("a.example", answered=True)
    assert hosts.acquire_host("a.example", 0.0)


@pytest.mark.parametrize(("taken", "free"), [(1, True), (2, False)])
def test_two_sources_may_ask_a_host_at_once(taken: int, free: bool) -> None:
    hosts = HostLimits()
    for _ in range(taken):
        assert hosts.acquire_host("a.example", 0.0)
    assert hosts.acquire_host("a.example", 0.0) == free
    hosts.release_host("a.example")
    assert hosts.acquire_host("a.example", 0.0)
