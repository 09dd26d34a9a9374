"""Counts as they are stored: one row for what is counted, numbers for each count, and sums by hour kept in step."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.config.paths import DASHBOARDS
from pipeline.core.records import Batch, ComplaintCount
from pipeline.core.times import iso, utc
from pipeline.store import Store
from pipeline.store.bulk import put_rows
from pipeline.store.counts import StoredCount, forget_future_counts, put_counts
from pipeline.store.observation_times import reported_since
from pipeline.store.observations import save_batch
from pipeline.store.salvage import salvage
from tests.copies import replace
from tests.test_repair import overwrite, rows

BEGIN = utc("2026-03-02T00:00:00Z")
MINUTE = timedelta(minutes=1)


def count(minute: int, total: int, *, service: str = "a", window: str = "interval", width: int = 300) -> ComplaintCount:
    start = BEGIN + minute * MINUTE
    return ComplaintCount(
        service=service,
        source="x",
        region="",
        indicator="",
        start=start,
        interval_s=width,
        total=total,
        collected=start + timedelta(seconds=width),
        window=window,
    )


def stored_hours(store: Store) -> dict[tuple[str, str, str], tuple[int, int]]:
    rows = store.rows("SELECT service, hour, window, total, intervals FROM complaint_hours")
    return {tuple(row[:3]): tuple(row[3:]) for row in rows}


def summed(store: Store) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Add up the counts themselves, in Python."""
    totals: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row in store.rows("SELECT service, start, window, total FROM complaint_counts WHERE window != 'rolling'"):
        totals[row[0], f"{row[1][:13]}:00:00Z", row[2]].append(row[3])
    return {key: (sum(found), len(found)) for key, found in totals.items()}


def stored_gaps(store: Store) -> set[tuple[str, str, str]]:
    rows = store.rows("SELECT service, last_before, first_after FROM complaint_gaps")
    found = {(str(row[0]), str(row[1]), str(row[2])) for row in rows}
    assert len(found) == len(rows)
    return found


def gaps_between(store: Store, width: timedelta) -> set[tuple[str, str, str]]:
    """Find the gaps between the counts themselves, in Python."""
    starts: dict[str, list[str]] = defaultdict(list)
    for row in store.rows("SELECT service, start FROM complaint_counts WHERE window != 'rolling' ORDER BY start"):
        starts[row[0]].append(row[1])
    pairs = [(name, before, after) for name, times in starts.items() for before, after in pairwise(times)]
    return {pair for pair in pairs if utc(pair[2]) - utc(pair[1]) > width}


def test_gaps_lie_between_the_counts_however_these_come(store: Store) -> None:
    dice = random.Random(7)
    most = 0
    for _ in range(60):
        rows = []
        for _ in range(dice.randrange(1, 8)):
            begin, service = dice.randrange(600), dice.choice("abc")
            window = dice.choice(["interval", "rolling"]) if service == "c" else "interval"
            rows += [count(begin + 5 * n, 1, service=service, window=window) for n in range(dice.randrange(1, 10))]
        with store.transaction() as conn:
            put_counts(conn, rows)
        assert stored_gaps(store) == gaps_between(store, 5 * MINUTE)
        most = max(most, len(stored_gaps(store)))
    assert most > 20
    written = store.rows("SELECT count(*) FROM count_gaps")[0][0]
    assert written > len(stored_gaps(store)), "some were closed by counts that came late"


def test_a_gap_of_counts_that_are_gone_is_none(store: Store) -> None:
    with store.transaction() as conn:
        put_counts(conn, [count(minute, 1, window="recovered") for minute in (0, 60, 65, 180, 300)])
    assert len(stored_gaps(store)) == 3
    with store.transaction() as conn:
        forget_future_counts(conn, BEGIN + 70 * MINUTE)
    assert stored_gaps(store) == {("a", iso(BEGIN), iso(BEGIN + 60 * MINUTE))}
    with store.transaction() as conn:
        put_counts(conn, [count(400, 1, window="recovered")])
    assert len(stored_gaps(store)) == 2


def test_hours_are_the_sums_of_their_counts_however_these_come(store: Store) -> None:
    dice = random.Random(5)
    known: dict[tuple[int, str, str], int] = {}
    for _ in range(60):
        rows = []
        for _ in range(dice.randrange(1, 12)):
            key = (5 * dice.randrange(100), dice.choice("abc"), dice.choice(["interval", "rolling", "recovered"]))
            known[key] = dice.randrange(9)
            rows.append(count(key[0], known[key], service=key[1], window=key[2]))
        once = {(r.start, r.service, r.window): r for r in rows}
        save_batch(store, Batch(source="x", rows=tuple(once.values())), BEGIN)
    assert stored_hours(store) == summed(store)
    totals = {tuple(row) for row in store.rows("SELECT service, start, window, total FROM complaint_counts")}
    assert totals == {(s, iso(BEGIN + m * MINUTE), w, total) for (m, s, w), total in known.items()}


def test_a_count_that_is_corrected_is_new_and_one_that_is_the_same_is_not(store: Store) -> None:
    with store.transaction() as conn:
        assert put_counts(conn, [count(0, 4), count(5, 4, service="b")]) == 2
        assert put_counts(conn, [count(0, 4), count(5, 5, service="b")]) == 1
        assert put_counts(conn, [replace(count(0, 4), baseline=2.5)]) == 1
        assert put_counts(conn, []) == 0
    assert stored_hours(store) == {
        ("a", iso(BEGIN), "interval"): (4, 1),
        ("b", iso(BEGIN), "interval"): (5, 1),
    }
    assert len(store.rows("SELECT 1 FROM count_series")) == 2


def test_rows_of_a_backfill_leave_what_is_there(store: Store) -> None:
    stored = StoredCount("a", "x", "", "", iso(BEGIN), 300, 9, None, "interval", iso(BEGIN))
    with store.transaction() as conn:
        put_counts(conn, [count(0, 4)])
    backwards = StoredCount._fields[::-1]
    later = stored._replace(start=iso(BEGIN + 5 * MINUTE))
    assert put_rows(store, "complaint_counts", backwards, [stored[::-1], later[::-1]]) == 1
    assert [row[0] for row in store.rows("SELECT total FROM complaint_counts ORDER BY start")] == [4, 9]
    assert stored_hours(store) == {("a", iso(BEGIN), "interval"): (13, 2)}


def test_what_a_clock_ahead_left_is_taken_out_of_the_hours_too(store: Store) -> None:
    rows = [count(minute, 1, window=window) for minute in range(0, 180, 5) for window in ("interval", "recovered")]
    with store.transaction() as conn:
        put_counts(conn, rows)
        forget_future_counts(conn, BEGIN + 70 * MINUTE)
    hours = stored_hours(store)
    assert hours == summed(store)
    assert hours["a", iso(BEGIN + 60 * MINUTE), "recovered"] == (3, 3)  # 01:00, 01:05 and 01:10
    assert ("a", iso(BEGIN + 120 * MINUTE), "recovered") not in hours
    assert hours["a", iso(BEGIN + 120 * MINUTE), "interval"] == (12, 12)
    assert store.rows("SELECT max(collected) FROM complaint_counts")[0][0] == iso(BEGIN + 70 * MINUTE)


def test_people_are_heard_since_the_first_count(store: Store) -> None:
    assert reported_since(store, "a") is None
    with store.transaction() as conn:
        put_counts(conn, [count(35, 1), count(95, 1), count(10, 1, service="b")])
    assert reported_since(store, "a") == BEGIN + 35 * MINUTE


@pytest.mark.parametrize(("minutes", "most"), [(5, 45), (15, 52), (60, 80)])
def test_a_count_takes_at_most_eighty_bytes_with_all_indexes(tmp_path: Path, minutes: int, most: int) -> None:
    series, bins = 40, 500
    rows = [count(n * minutes, n % 23, service=f"s{s}", width=60 * minutes) for n in range(bins) for s in range(series)]
    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        save_batch(store, Batch(source="x", rows=tuple(rows)), BEGIN)
        sizes = store.rows(
            "SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master"
            " WHERE tbl_name IN ('count_series', 'count_values', 'count_hours', 'count_gaps'))"
        )
    assert sizes[0][0] / (series * bins) <= most


@pytest.mark.parametrize("table", ["count_series", "count_hours", "count_gaps"])
def test_every_count_comes_back_where_its_series_or_its_hour_is_damaged(tmp_path: Path, table: str) -> None:
    path, fresh = tmp_path / "x.db", tmp_path / "fresh.db"
    with Store(path) as store:
        with store.transaction() as conn:
            put_counts(conn, [count(5 * n + n % 2, n, service=f"s{s}") for n in range(30) for s in range(200)])
        store.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = {name: rows(path, name) for name in ("complaint_counts", "complaint_hours", "complaint_gaps")}
    overwrite(path, table, 1)
    done = {one.table: one for one in salvage(path, fresh, BEGIN)}
    assert done[table].incomplete
    assert {name: rows(fresh, name) for name in whole} == whole
    assert len(whole["complaint_counts"]) == 6000
