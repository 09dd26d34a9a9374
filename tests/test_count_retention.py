"""Counts that are rolled up: their sums by hour stay true, also when the same counts are offered again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.paths import DASHBOARDS
from pipeline.config.settings import Keep
from pipeline.config.validation import validated
from pipeline.core.count_columns import CountColumns, CountKey
from pipeline.core.errors import ConfigError
from pipeline.core.records import Batch, ComplaintCount
from pipeline.core.times import iso, utc
from pipeline.stages.retention import tidy
from pipeline.store import Store
from pipeline.store.count_retention import roll_up_counts
from pipeline.store.observation_times import reported_since
from pipeline.store.observations import save_batch

BEGIN = utc("2025-03-01T00:20:00Z")
UNTIL = BEGIN + timedelta(days=2, hours=7)  # the first days are whole, the third is not
KEPT_FROM = "2025-03-03T00:00:00Z"
HOURS = "SELECT * FROM complaint_hours ORDER BY service, region, indicator, hour, window"
BY_HOUR = "SELECT * FROM complaints_by_hour ORDER BY service, hour, window"


def series(service: str, region: str = "", window: str = "interval", *, more: int = 0) -> list[ComplaintCount]:
    """Return four days of quarters of an hour."""
    return [
        ComplaintCount(
            service=service,
            source="x",
            region=region,
            indicator="",
            start=BEGIN + timedelta(minutes=15 * n),
            interval_s=900,
            total=n % 7 + more,
            collected=BEGIN + timedelta(minutes=15 * n + 20),
            window=window,
        )
        for n in range(4 * 96)
    ]


@pytest.fixture
def counted(tmp_path: Path) -> Store:
    store = Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql")
    rows = [*series("claude"), *series("claude", "US"), *series("github", "US"), *series("netflix", window="rolling")]
    # its total is counted on the first days only: later there are only its parts
    rows += [*[row for row in series("vercel") if iso(row.start) < KEPT_FROM], *series("vercel", "US")]
    save_batch(store, Batch(source="x", rows=tuple(rows)), UNTIL)
    with store.transaction() as conn:
        for name in ("claude", "github", "netflix", "vercel"):
            conn.execute("INSERT INTO series VALUES (?,?,'complaints','x','','',900)", (name, name))
    return store


def starts(store: Store, service: str, region: str = "") -> list[str]:
    sql = "SELECT start FROM complaint_counts WHERE service = ? AND region = ? ORDER BY start"
    return [row[0] for row in store.rows(sql, (service, region))]


def told(store: Store, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in store.rows(sql)]


def test_hours_stay_and_counts_of_whole_days_go(counted: Store) -> None:
    hours, by_hour = told(counted, HOURS), told(counted, BY_HOUR)
    whole = starts(counted, "claude")
    assert {row[0] for row in by_hour} == {"claude", "github", "vercel"}
    gone = roll_up_counts(counted, UNTIL)
    assert told(counted, HOURS) == hours
    assert told(counted, BY_HOUR) == by_hour
    assert len(by_hour) > 90
    assert starts(counted, "claude") == starts(counted, "claude", "US") == [at for at in whole if at >= KEPT_FROM]
    assert starts(counted, "github", "US") == whole, "its sum is taken interval by interval"
    rolling = starts(counted, "netflix")
    assert rolling[:2] == ["2025-03-01T00:50:00Z", "2025-03-01T01:50:00Z"], "the last of each hour"
    assert rolling[-96:] == whole[-96:]
    assert gone == 4 * sum(at < KEPT_FROM for at in whole) + len(whole) - len(rolling)
    assert told(counted, "SELECT * FROM gaps WHERE service = 'claude'") == []
    assert reported_since(counted, "claude") == utc("2025-03-01T00:00:00Z")
    assert roll_up_counts(counted, UNTIL) == 0


@pytest.mark.parametrize("as_columns", [False, True])
def test_counts_that_are_offered_again_change_nothing(counted: Store, as_columns: bool) -> None:
    roll_up_counts(counted, UNTIL)
    hours, counts = told(counted, HOURS), told(counted, "SELECT * FROM complaint_counts")
    again = [row for row in series("claude", more=1) if iso(row.start) < KEPT_FROM]
    new = [row for row in series("slack") if iso(row.start) < KEPT_FROM]

    def batch(rows: list[ComplaintCount]) -> Batch:
        if not as_columns:
            return Batch(source="x", rows=tuple(rows))
        columns = CountColumns(
            keys=(CountKey("x", 900, "interval", rows[0].service, "", ""),),
            series=np.zeros(len(rows), dtype=np.int64),
            start=np.array([int(row.start.timestamp()) for row in rows]),
            total=np.array([row.total for row in rows]),
            collected=np.full(len(rows), int(UNTIL.timestamp())),
        )
        return Batch(source="x", rows=(), columns=columns)

    assert save_batch(counted, batch(again), UNTIL) == 0
    assert (told(counted, HOURS), told(counted, "SELECT * FROM complaint_counts")) == (hours, counts)
    assert save_batch(counted, batch(new), UNTIL) == len(new), "what is old and was never here is history"
    assert roll_up_counts(counted, UNTIL) == len(new)
    assert len(told(counted, HOURS)) == len(hours) + 48


def test_what_was_rolled_up_stays_so_when_counts_are_kept_longer(counted: Store) -> None:
    roll_up_counts(counted, UNTIL)
    hours, counts = told(counted, HOURS), told(counted, "SELECT * FROM complaint_counts")
    assert roll_up_counts(counted, UNTIL - timedelta(days=300)) == 0
    again = [row for row in series("claude", more=1) if iso(row.start) < KEPT_FROM]
    assert save_batch(counted, Batch(source="x", rows=tuple(again)), UNTIL) == 0
    assert (told(counted, HOURS), told(counted, "SELECT * FROM complaint_counts")) == (hours, counts)


def test_what_an_hour_lacked_when_it_was_rolled_up_is_not_added_later(counted: Store) -> None:
    quarters = [row for row in series("slack") if iso(row.start).startswith("2025-03-01T01")]
    assert save_batch(counted, Batch(source="x", rows=tuple(quarters[:2])), UNTIL) == 2
    roll_up_counts(counted, UNTIL)
    assert save_batch(counted, Batch(source="x", rows=tuple(quarters[2:])), UNTIL) == 0
    assert told(counted, "SELECT hour, intervals FROM complaint_hours WHERE service = 'slack'") == [
        ("2025-03-01T01:00:00Z", 2)
    ]


def test_it_is_off_unless_it_is_set_and_long_enough(counted: Store) -> None:
    before, now = starts(counted, "claude"), UNTIL + timedelta(days=100)
    assert tidy(counted, now - timedelta(days=1), Keep()) is None, "first it makes sure of the day"
    assert tidy(counted, now, Keep()) is not None
    assert starts(counted, "claude") == before
    assert tidy(counted, now + timedelta(days=1), Keep(counts=timedelta(days=101))) is not None
    assert starts(counted, "claude") == [at for at in before if at >= KEPT_FROM]
    with pytest.raises(ConfigError, match="counts: at least 90d"):
        validated(Keep, {"counts": "89d"}, Path("groundswell.toml"))
