"""Counts that are moved into tables keyed by series: none is lost, and what cannot be read is kept as refused."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.config.paths import DASHBOARDS
from pipeline.store import Store
from pipeline.store.damage import damage_of
from pipeline.store.migration import migrate, missing_steps
from tests.conftest import ROOT
from tests.old_database import old_database, open_plain, rows_of

FULL_COUNTS = """INSERT INTO complaint_counts
 WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 3999)
 SELECT 's' || (i % 4), iif(i % 8 < 4, 'x', 'y'), iif(i % 4 = 1, 'US', ''), iif(i % 4 = 2, 'login', ''),
 strftime('%Y-%m-%dT%H:%M:%SZ', 1772323200 + i / 8 * 300, 'unixepoch'), 300, i * 7 % 31, iif(i % 3, NULL, i / 10.0),
 iif(i % 4 = 3, 'rolling', 'interval'), '2026-03-03T00:00:01Z' FROM n"""


ALL_COUNTS = "SELECT * FROM complaint_counts ORDER BY source, service, region, indicator, start, interval_s, window"


BY_HOUR = "SELECT * FROM complaints_by_hour ORDER BY service, hour, source, interval_s, window"


def database_of_counts(path: Path) -> Path:
    """Write an old database that holds some thousand counts of each kind."""
    with contextlib.closing(open_plain(old_database(path))) as conn:
        conn.execute(FULL_COUNTS)
    return path


def test_counts_are_the_same_rows_after_they_are_keyed_by_series(tmp_path: Path) -> None:
    path = database_of_counts(tmp_path / "x.db")
    counts, hours = rows_of(path, ALL_COUNTS), rows_of(path, BY_HOUR)
    columns = rows_of(path, "SELECT name FROM pragma_table_info('complaint_counts')")
    with Store(path, views=DASHBOARDS / "views.sql") as store:
        assert [tuple(row) for row in store.rows(ALL_COUNTS)] == counts
        assert [tuple(row) for row in store.rows(BY_HOUR)] == hours
        assert rows_of(path, "SELECT name FROM pragma_table_info('complaint_counts')") == columns
        assert store.rows("SELECT count(*) FROM quarantine WHERE place = 'complaint_counts'")[0][0] == 0
    assert len(counts) > 4000
    assert len(hours) > 80


def test_a_count_whose_time_cannot_be_read_is_kept_as_a_refused_row(tmp_path: Path) -> None:
    path = old_database(tmp_path / "x.db")
    with contextlib.closing(open_plain(path)) as conn:
        conn.execute("UPDATE complaint_counts SET start = '2026-03-x2T11:00:00Z' WHERE start LIKE '%11:15:00Z'")
        before = len(conn.execute(ALL_COUNTS).fetchall())
    with Store(path) as store:
        assert len(store.rows(ALL_COUNTS)) == before - 1
        (refused,) = store.rows("SELECT reason, head FROM quarantine WHERE place = 'complaint_counts'")
        assert tuple(refused) == (
            "a time cannot be read",
            "claude,,,2026-03-x2T11:00:00Z,900,11,interval,2026-03-02T11:32:00Z",
        )


def test_a_second_that_was_counted_twice_is_refused_once_and_stops_no_upgrade(tmp_path: Path) -> None:
    path = old_database(tmp_path / "x.db")
    with contextlib.closing(open_plain(path)) as conn:
        before = conn.execute(ALL_COUNTS).fetchall()
        (one, two) = (row[4] for row in before[:2])
        for text, total in ((one.replace("T", " ")[:-1], 70), (one.replace("Z", ".5Z"), 71), (two, 0)):
            conn.execute(
                "INSERT OR IGNORE INTO complaint_counts SELECT service, source, region, indicator, ?, interval_s, ?,"
                " baseline, window, collected FROM complaint_counts WHERE start = ?",
                (text, total, one),
            )
        # two that both are written otherwise, and one that only its collection is
        for text, collected in (
            ("2026-03-09 11:00:00", "2026-03-09T12:00:00Z"),
            ("2026-03-09T11:00:00", "2026-03-09T12:00:00Z"),
            ("2026-03-09T12:00:00Z", "2026-03-09 12:30:00"),
        ):
            conn.execute(
                "INSERT INTO complaint_counts VALUES ('claude', 'x', '', '', ?, 900, 5, NULL, 'interval', ?)",
                (text, collected),
            )
    with Store(path) as store:
        after = [tuple(row) for row in store.rows(ALL_COUNTS)]
        assert [row for row in after if row[1] != "x"] == [row for row in before if row[1] != "x"]
        assert [(row[4], row[9]) for row in after if row[4] > "2026-03-09"] == [
            ("2026-03-09T11:00:00Z", "2026-03-09T12:00:00Z"),
            ("2026-03-09T12:00:00Z", "2026-03-09T12:30:00Z"),
        ]
        refused = store.rows("SELECT reason, head FROM quarantine WHERE place = 'complaint_counts' ORDER BY head")
        assert {row[0] for row in refused} == {"another count of this second is there"}
        assert [row[1].split(",")[3] for row in refused] == [
            one.replace("T", " ")[:-1],
            one.replace("Z", ".5Z"),
            "2026-03-09T11:00:00",
        ]


@pytest.mark.parametrize("start", ["1985-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z"])
def test_a_count_outside_the_years_that_are_stored_becomes_a_refused_row(tmp_path: Path, start: str) -> None:
    path = old_database(tmp_path / "x.db")
    with contextlib.closing(open_plain(path)) as conn:
        conn.execute(
            "INSERT INTO complaint_counts VALUES ('old', 'x', '', '', ?, 900, 5, NULL, 'interval', ?)",
            (start, "2026-03-09T12:00:00Z"),
        )
    with Store(path) as store:
        assert store.rows("SELECT * FROM complaint_counts WHERE service = 'old'") == []
        (refused,) = store.rows("SELECT reason FROM quarantine WHERE place = 'complaint_counts'")
        assert refused[0] == "a time is not between 2000 and 2100"
    assert damage_of(path) == ""


def test_a_disk_that_is_full_while_counts_are_moved_leaves_the_old_database(tmp_path: Path) -> None:
    path = database_of_counts(tmp_path / "x.db")
    before = rows_of(path, ALL_COUNTS)
    with contextlib.closing(open_plain(path)) as conn:
        (pages,) = conn.execute("PRAGMA page_count").fetchone()
        conn.execute(f"PRAGMA max_page_count = {pages + 20}")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            migrate(conn, str(path))
        assert "key_counts_by_series" in missing_steps(conn, str(path))
    assert list(tmp_path.glob("*.backup")) == [], "it takes the room of the next attempt"
    assert rows_of(path, ALL_COUNTS) == before
    with Store(path) as store:
        assert [tuple(row) for row in store.rows(ALL_COUNTS)] == before


KILLED_AT_A_STATEMENT = """
import os, signal, sqlite3, sys
from pipeline.store.migration import migrate

left = int(sys.argv[2])
def stop():
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
conn = sqlite3.connect(sys.argv[1], isolation_level=None)
conn.set_progress_handler(stop, 20_000)  # so many instructions of SQLite's machine
migrate(conn, sys.argv[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize("moment", [1, 12, 15, 17])
def test_a_kill_at_any_moment_while_counts_are_moved_loses_none(tmp_path: Path, moment: int) -> None:
    path = database_of_counts(tmp_path / "x.db")
    before = rows_of(path, ALL_COUNTS)
    done = subprocess.run([sys.executable, "-c", KILLED_AT_A_STATEMENT, str(path), str(moment)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert rows_of(path, ALL_COUNTS) == before
    assert rows_of(path, "SELECT type FROM sqlite_master WHERE name = 'complaint_counts'") == [("table",)]
    with Store(path) as store:
        assert [tuple(row) for row in store.rows(ALL_COUNTS)] == before
        assert store.backup is not None
        assert rows_of(store.backup, ALL_COUNTS) == before
