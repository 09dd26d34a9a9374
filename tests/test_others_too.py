"""Is it only me: what `status SERVICE` answers, and how fresh `status` says sources are."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.config.load import load_config
from pipeline.config.paths import DASHBOARDS
from pipeline.config.settings import Config
from pipeline.core.alert_facts import AlertFacts
from pipeline.core.alerts import Alert
from pipeline.core.catalogue import Service
from pipeline.core.records import Batch, ComplaintCount
from pipeline.core.times import Span, utc
from pipeline.core.vocabulary import Impact, State, Transition
from pipeline.reports.evidence_now import EvidenceClass
from pipeline.reports.others_too import Answer, others_too
from pipeline.store import Store
from pipeline.store.freshness import freshness, spread
from pipeline.store.incidents import put_incident
from pipeline.store.outbox import mark_sent, put_alerts
from tests.command_line import call_main
from tests.copies import replace
from tests.stored_rows import an_incident

NOW = utc("2026-03-02T12:00:00Z")
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(None)


def count(start: datetime, total: int, collected: datetime | None = None, width: timedelta = HOUR) -> ComplaintCount:
    return ComplaintCount(
        service="github",
        source="tickets",
        region="",
        indicator="",
        start=start,
        interval_s=int(width.total_seconds()),
        total=total,
        baseline=None,
        window="interval",
        collected=collected or start + width,
    )


def put(store: Store, *rows: ComplaintCount) -> None:
    from pipeline.store.observations import save_batch

    save_batch(store, Batch(source="tickets", rows=rows, coverage=(Span(NOW - 7 * 24 * HOUR, NOW),)), NOW)


def answer(store: Store, config: Config) -> Answer:
    return others_too(store, config, config.catalogue["github"], NOW).answer


def test_without_any_source_of_reports_it_cannot_tell(store: Store, config: Config) -> None:
    found = others_too(store, config, config.catalogue["github"], NOW)
    assert found.answer is Answer.CANNOT_TELL
    assert {finding.evidence for finding in found.findings} >= {EvidenceClass.OFFICIAL, EvidenceClass.PRESS}


def test_of_a_service_without_a_status_page_no_reading_of_it_is_missed(store: Store, config: Config) -> None:
    found = others_too(store, config, Service(id="shop", name="Our shop"), NOW)
    assert EvidenceClass.OFFICIAL not in {finding.evidence for finding in found.findings}


def test_usual_counts_mean_that_it_is_probably_only_you(store: Store, config: Config) -> None:
    put(store, *(count(NOW - HOUR - n * 24 * HOUR, 10) for n in range(4)))
    assert answer(store, config) is Answer.ONLY_YOU


def test_more_than_usual_and_no_incident_cannot_be_told(store: Store, config: Config) -> None:
    put(store, count(NOW - HOUR, 40), *(count(NOW - HOUR - n * 24 * HOUR, 10) for n in range(1, 4)))
    assert answer(store, config) is Answer.CANNOT_TELL


def test_counts_that_stopped_say_nothing(store: Store, config: Config) -> None:
    put(store, *(count(NOW - HOUR - n * 24 * HOUR, 10) for n in range(1, 4)))
    assert answer(store, config) is Answer.CANNOT_TELL


def test_counts_of_more_than_an_hour_name_the_span_they_cover(store: Store, config: Config) -> None:
    six = 6 * HOUR
    put(store, *(count(NOW - six - n * 24 * HOUR, 40, width=six) for n in range(4)))
    (crowd, *_) = others_too(store, config, config.catalogue["github"], NOW).findings
    assert crowd.statement == "tickets: 40 in the 6 h to 12:00, 40 usual at this time of day"


def test_freshness_leaves_the_first_reading_out(store: Store) -> None:
    first = NOW - 6 * HOUR
    put(store, *(count(first - n * HOUR, 1, collected=first) for n in range(2, 9)))
    put(store, *(count(NOW - n * HOUR, 1, collected=NOW - (n - 1) * HOUR + timedelta(minutes=n)) for n in range(1, 4)))
    (found,) = freshness(store, NOW - 24 * HOUR, NOW + HOUR)
    assert (found.source, found.stored.n) == ("tickets", 3)
    assert (found.stored.p50, found.stored.p95) == (2.0, 3.0)


def test_the_oldest_sqlite_that_is_accepted_has_every_function_that_freshness_and_the_views_use(
    tmp_path: Path,
) -> None:
    newer = {
        "unixepoch",
        "format",
        "->",
        "->>",
        "octet_length",
        "concat",
        "concat_ws",
        "string_agg",
        "timediff",
        "unhex",
    }

    def allowed(action: int, first: str | None, name: str | None, database: str | None, view: str | None) -> int:
        return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_FUNCTION and name in newer else sqlite3.SQLITE_OK

    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        put(store, *(count(NOW - n * HOUR, 1) for n in range(2, 4)))
        store.conn.set_authorizer(allowed)
        with pytest.raises(sqlite3.Error, match="unixepoch"):
            store.conn.execute("SELECT unixepoch('2026-03-02T12:00:00Z')")
        freshness(store, NOW - 24 * HOUR, NOW + HOUR)
        views = [row[0] for row in store.rows("SELECT name FROM sqlite_master WHERE type = 'view'")]
        assert len(views) > 20
        for view in views:
            store.rows(f"SELECT * FROM {view} LIMIT 1")


def test_quantiles_are_by_nearest_rank_and_of_nothing_none() -> None:
    assert (spread([]).p50, str(spread([]))) == (None, "- (n 0)")
    assert str(spread([(1.0, 5), (2.0, 4), (30.0, 1)])) == "1.0 min (p90 2.0, p95 30.0, n 10)"
    found = spread([(1.0, 5), (2.0, 4), (30.0, 1)])
    assert (found.n, found.p50, found.p90, found.p95) == (10, 1.0, 2.0, 30.0)


def test_the_command_answers_and_refuses_what_the_catalogue_lacks(tmp_path: Path) -> None:
    with Store(tmp_path / "groundswell.db", views=DASHBOARDS / "views.sql") as store:
        put(store, *(count(NOW - HOUR - n * 24 * HOUR, 10) for n in range(4)))
    args = ("--db", str(tmp_path / "groundswell.db"), "--now", "2026-03-02T12:00:00Z")
    said = call_main(("status", "github", *args), tmp_path, {})
    assert (said.returncode, said.stdout.splitlines()[0]) == (
        0,
        "GitHub: probably only you. What others report is as usual.",
    )
    assert (
        json.loads(call_main(("status", "github", "--json", *args), tmp_path, {}).stdout)["answer"]
        == "probably only you"
    )
    assert call_main(("status", "nobody", *args), tmp_path, {}).returncode == 2


def quarter(start: datetime, total: int) -> ComplaintCount:
    return replace(count(start, total), interval_s=900, collected=start + timedelta(minutes=15))


def quarters_until(store: Store, *last: int) -> None:
    """Put eight days of 20 to 22 complaints in a quarter of an hour, and `last` in the newest, which end at noon."""
    starts = [NOW - n * timedelta(minutes=15) for n in range(8 * 96, 0, -1)]
    totals = [20 + n % 3 for n in range(len(starts))]
    totals[len(totals) - len(last) :] = last
    put(store, *(quarter(start, total) for start, total in zip(starts, totals, strict=True)))


def test_counts_are_compared_with_what_is_usual_in_the_same_intervals_only(store: Store, config: Config) -> None:
    quarters_until(store)
    found = others_too(store, config, config.catalogue["github"], NOW + timedelta(minutes=20))
    (crowd,) = [f for f in found.findings if f.evidence is EvidenceClass.CROWD]
    assert crowd.statement == "tickets: 63 in the part of the last hour to 12:00, 63 usual at this time of day"
    assert found.answer is Answer.ONLY_YOU


@pytest.mark.parametrize("late", [31, 44])
def test_an_hour_of_which_less_than_half_is_counted_allows_no_answer(store: Store, config: Config, late: int) -> None:
    quarters_until(store)
    found = others_too(store, config, config.catalogue["github"], NOW + timedelta(minutes=late))
    assert (found.answer, found.reason) == (Answer.CANNOT_TELL, f"the last {late} min are not counted yet")


@pytest.mark.parametrize("late", [31, 44])
def test_a_surge_whose_counts_then_stop_is_not_only_you(store: Store, config: Config, late: int) -> None:
    quarters_until(store, 75, 75)
    found = others_too(store, config, config.catalogue["github"], NOW + timedelta(minutes=late))
    assert found.answer is Answer.CANNOT_TELL
    assert found.reason.startswith("there is more than usual")
    assert found.reason.endswith(f"the last {late} min are not counted yet")
    (crowd,) = [f for f in found.findings if f.evidence is EvidenceClass.CROWD]
    assert crowd.raised, crowd.statement


def test_data_that_end_days_ago_are_named_with_their_end(store: Store, config: Config) -> None:
    quarters_until(store)
    found = others_too(store, config, config.catalogue["github"], NOW + timedelta(days=30))
    assert found.answer is Answer.CANNOT_TELL
    assert found.reason.endswith("the newest data are of 2026-03-02 12:00 UTC")


ONSET, SENT = utc("2026-03-02T11:37:00Z"), utc("2026-03-02T11:40:00Z")
POSSIBLE = replace(an_incident("github", ONSET), opened_at=SENT, probability=0.83)
OPENED = Alert(
    message_id="<1>",
    incident=POSSIBLE.id,
    service="github",
    transition=Transition.OPENED,
    channel="file",
    created=SENT,
    due_at=SENT,
    subject="",
    facts=AlertFacts(
        service="GitHub",
        service_id="github",
        transition=Transition.OPENED,
        state=State.POSSIBLE,
        impact=Impact.LOW,
        symptom="",
        onset=ONSET,
        at=SENT,
        next_after=SENT,
        affected=(),
    ),
)


@pytest.mark.parametrize("sent", [True, False])
def test_an_open_incident_and_its_message_are_named(store: Store, config: Config, sent: bool) -> None:
    with store.transaction() as conn:
        put_incident(conn, POSSIBLE)
        put_alerts(conn, [OPENED] if sent else [])
    if sent:
        mark_sent(store, OPENED, SENT)
    found = others_too(store, config, config.catalogue["github"], utc("2026-03-02T11:41:00Z"))
    message = "message sent 11:40" if sent else "no message sent"
    assert found.open_incidents == (f"possible outage since 11:37 (83 %), {message}",)
    assert found.answer is (Answer.OTHERS if sent else Answer.CANNOT_TELL)


def test_an_incident_that_ended_later_is_open_at_an_earlier_moment(store: Store, config: Config) -> None:
    over = replace(POSSIBLE, state=State.RESOLVED, active=False, end=SENT + HOUR)
    with store.transaction() as conn:
        put_incident(conn, over)
        put_alerts(conn, [OPENED])
    mark_sent(store, OPENED, SENT)
    github = config.catalogue["github"]
    then, later = (others_too(store, config, github, SENT + timedelta(minutes=m)) for m in (1, 61))
    assert (then.answer, then.open_incidents) == (Answer.OTHERS, ("outage since 11:37, message sent 11:40",))
    assert (later.answer, later.open_incidents) == (Answer.CANNOT_TELL, ())


def test_freshness_reaches_from_the_newest_row_of_a_source_to_the_first_message(store: Store) -> None:
    minute = timedelta(minutes=1)
    put(store, count(SENT - 30 * HOUR, 1), *(count(SENT - n * HOUR - 4 * minute, 1) for n in (1, 2, 3)))
    with store.transaction() as conn:
        put_incident(conn, POSSIBLE)
        put_alerts(conn, [OPENED])
    mark_sent(store, OPENED, SENT)
    (found,) = freshness(store, SENT - 24 * HOUR, SENT)
    assert (found.alerted.n, found.alerted.p50) == (1, 4.0)
    before_the_message = freshness(store, SENT - 24 * HOUR, SENT - minute)
    assert [source.alerted.n for source in before_the_message] == [0]
