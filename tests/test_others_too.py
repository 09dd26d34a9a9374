"""Is it only me: what `status SERVICE` answers, and how fresh `status` says sources are."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.config.load import Config, load_config
from pipeline.config.paths import DASHBOARDS
from pipeline.core.records import Batch, ComplaintCount, Span
from pipeline.core.times import utc
from pipeline.reports.others_too import Answer, EvidenceClass, others_too
from pipeline.store import Store
from pipeline.store.freshness import freshness, spread
from tests.command_line import call_main

NOW = utc("2026-03-02T12:00:00Z")
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(None)


def count(start: datetime, total: int, collected: datetime | None = None) -> ComplaintCount:
    return ComplaintCount(
        service="github",
        source="tickets",
        region="",
        indicator="",
        start=start,
        interval_s=3600,
        total=total,
        baseline=None,
        window="interval",
        collected=collected or start + HOUR,
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


def test_usual_counts_mean_that_it_is_probably_only_you(store: Store, config: Config) -> None:
    put(store, *(count(NOW - HOUR - n * 24 * HOUR, 10) for n in range(4)))
    assert answer(store, config) is Answer.ONLY_YOU


def test_more_than_usual_and_no_incident_cannot_be_told(store: Store, config: Config) -> None:
    put(store, count(NOW - HOUR, 40), *(count(NOW - HOUR - n * 24 * HOUR, 10) for n in range(1, 4)))
    assert answer(store, config) is Answer.CANNOT_TELL


def test_counts_that_stopped_say_nothing(store: Store, config: Config) -> None:
    put(store, *(count(NOW - HOUR - n * 24 * HOUR, 10) for n in range(1, 4)))
    assert answer(store, config) is Answer.CANNOT_TELL


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
    assert str(spread([(1.0, 5), (2.0, 4), (30.0, 1)])) == "1.0 min (p95 30.0, n 10)"
    found = spread([(1.0, 5), (2.0, 4), (30.0, 1)])
    assert (found.n, found.p50, found.p90, found.p95) == (10, 1.0, 2.0, 30.0)


def test_the_command_answers_and_refuses_what_the_catalogue_lacks(store: Store, tmp_path: Path) -> None:
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
