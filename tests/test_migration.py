"""Bringing a database up to date: the old file is kept, a kill loses nothing, old queries keep working."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from sqlite_utils import Database

from pipeline.config.paths import DASHBOARDS
from pipeline.core.errors import StoreError
from pipeline.core.times import utc
from pipeline.store import Store
from pipeline.store.damage import damage_of
from pipeline.store.incidents import incidents
from pipeline.store.kept_views import replace_by_view
from pipeline.store.migration import applied_steps, backup_path, migrate, missing_steps
from pipeline.store.observations import news_of_unknown_time
from pipeline.store.retention import remove_old_backups
from pipeline.store.schema import STEPS, Step
from pipeline.store.verdicts import state_parts
from tests.conftest import ROOT, Groundswell

OLD = (ROOT / "tests" / "database_0_1.sql").read_text(encoding="utf-8")
NOW, EARLY = utc("2026-03-10T00:00:00Z"), utc("2026-01-01T00:00:00Z")


def split_labels(db: Database) -> None:
    """Store the table `labels` otherwise: what a later version may do."""
    db.execute(
        "CREATE TABLE opinions (source TEXT, native_id TEXT, service TEXT, verdict TEXT, said_at TEXT,"
        " PRIMARY KEY (source, native_id, service)) STRICT"
    )
    db.execute(
        "INSERT INTO opinions SELECT source, native_id, service, iif(outage, 'outage', 'none'), labelled_at FROM labels"
    )
    replace_by_view(
        db.conn,
        "labels",
        "SELECT source, native_id, service, verdict = 'outage' AS outage, said_at AS labelled_at FROM opinions",
    )


def rebuild_incidents(db: Database) -> None:
    """Build a table anew that others refer to."""
    db.execute("CREATE TABLE built AS SELECT * FROM incidents")
    (statement,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'incidents'").fetchone()
    db.execute("DROP TABLE incidents")
    db.execute(statement)
    db.execute("INSERT INTO incidents SELECT * FROM built")
    db.execute("DROP TABLE built")


# the steps that the database of version 0.1 has taken, and two of our own
TAKEN = dict(list(STEPS.items())[: list(STEPS).index("cut_states") + 1])
LATER: Mapping[str, Step] = {**TAKEN, "split_labels": split_labels, "rebuild_incidents": rebuild_incidents}


def old_database(path: Path) -> Path:
    """Write a database as version 0.1 made it."""
    with sqlite3.connect(path) as conn:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.executescript(OLD)
    conn.close()
    return path


def open_plain(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def rows_of(path: Path, sql: str) -> list[tuple[object, ...]]:
    conn = open_plain(path)
    try:
        return conn.execute(sql).fetchall()
    finally:
        conn.close()


def test_a_database_of_version_0_1_opens_and_answers_every_view(tmp_path: Path) -> None:
    path = old_database(tmp_path / "x.db")
    old_views = rows_of(path, "SELECT name FROM sqlite_master WHERE type = 'view'")
    with Store(path, views=DASHBOARDS / "views.sql") as store:
        assert missing_steps(store.conn, store.path) == []
        for (view,) in old_views:
            store.rows(f'SELECT * FROM "{view}"')
        (incident,) = incidents(store)
        assert (incident.id, len(incident.episodes)) == ("claude-20260302T1137Z", 1)
        assert state_parts(store, "complaints", "now")
        assert store.rows("SELECT count(*) FROM posts_fts WHERE posts_fts MATCH 'claude'")[0][0] == 1
        assert {"incident_overview", "what_is_wrong_now"} <= {view for (view,) in old_views}
    if store.backup is not None:
        assert rows_of(store.backup, "SELECT count(*) FROM posts") == [(3,)]


def test_news_that_was_dated_by_its_collection_is_of_unknown_time_and_supports_nothing(tmp_path: Path) -> None:
    path = old_database(tmp_path / "x.db")
    conn = open_plain(path)
    conn.executescript(
        """INSERT INTO news_items (source, native_id, outlet, published, collected, title, summary, url) VALUES
          ('f', '1', 'A', '2026-03-02T12:00:00Z', '2026-03-02T12:05:00Z', 'Claude is down', '', ''),
          ('f', '2', 'B', '2026-03-02T12:10:00Z', '2026-03-02T12:10:00Z', 'Claude is down', '', ''),
          ('f', '3', 'C', '2026-03-02T12:10:00Z', '2026-03-02T12:10:00Z', 'A quarterly look', '', '');
        INSERT INTO news_events VALUES ('both', 'service_outage', 'Claude is down', '[]', 2, '2026-03-02T12:00:00Z'),
          ('alone', 'service_outage', 'A quarterly look', '[]', 1, '2026-03-02T12:10:00Z');
        INSERT INTO news_event_items VALUES ('both', 'f', '1'), ('both', 'f', '2'), ('alone', 'f', '3');
        INSERT INTO links (incident, news_event, relation, score, evidence_for, evidence_against)
          SELECT id, 'alone', 'reports', 1, '[]', '[]' FROM incidents;
        INSERT INTO claims VALUES ('f', '3', 'start', '11:00', 'outlet', '')"""
    )
    conn.close()
    before = rows_of(path, "SELECT native_id, published FROM news_items WHERE source != 'f' ORDER BY native_id")
    with Store(path, views=DASHBOARDS / "views.sql") as store:
        assert rows_of(path, "SELECT native_id, published FROM news_items WHERE source = 'f' ORDER BY native_id") == [
            ("1", "2026-03-02T12:00:00Z"),
            ("2", None),
            ("3", None),
        ]
        assert rows_of(path, "SELECT id, outlets FROM news_events WHERE id IN ('both', 'alone')") == [("both", 1)]
        assert rows_of(path, "SELECT 1 FROM links WHERE news_event = 'alone'") == []
        assert rows_of(path, "SELECT 1 FROM claims WHERE source = 'f'") == []
        assert [(i.native_id, i.published) for i in news_of_unknown_time(store, EARLY, NOW)] == [
            ("2", None),
            ("3", None),
        ]
        after = rows_of(path, "SELECT native_id, published FROM news_items WHERE source != 'f' ORDER BY native_id")
        assert after == before
        assert store.rows("SELECT count(*) FROM news_items_fts WHERE news_items_fts MATCH 'quarterly'")[0][0] == 1


def test_the_old_database_is_kept_as_it_was(tmp_path: Path) -> None:
    path = old_database(tmp_path / "x.db")
    path.chmod(0o640)
    before = rows_of(path, "SELECT * FROM labels")
    conn = open_plain(path)
    backup = migrate(conn, str(path), LATER)
    conn.close()
    assert backup is not None
    assert backup.parent == tmp_path
    assert rows_of(backup, "SELECT * FROM labels") == before
    assert rows_of(backup, "SELECT type FROM sqlite_master WHERE name = 'labels'") == [("table",)]
    assert backup.stat().st_mode & 0o777 == 0o640
    conn = open_plain(path)
    assert migrate(conn, str(path), LATER) is None, "there is nothing left to do"
    conn.close()


def test_a_former_table_answers_under_its_name_and_columns(tmp_path: Path) -> None:
    path = old_database(tmp_path / "x.db")
    before = rows_of(path, "SELECT * FROM labels")
    columns = rows_of(path, "SELECT name FROM pragma_table_info('labels')")
    overview = rows_of(path, "SELECT * FROM incident_overview")
    children = rows_of(path, "SELECT count(*) FROM incident_evidence")
    conn = open_plain(path)
    migrate(conn, str(path), LATER)
    conn.close()
    assert rows_of(path, "SELECT * FROM labels") == before
    assert rows_of(path, "SELECT name FROM pragma_table_info('labels')") == columns
    assert rows_of(path, "SELECT * FROM incident_overview") == overview, "the analysts' views are there again"
    assert rows_of(path, "SELECT count(*) FROM incident_evidence") == children, (
        "no row went with the table it refers to"
    )


def test_new_views_leave_the_former_tables_alone(tmp_path: Path) -> None:
    path = old_database(tmp_path / "x.db")
    with Store(path, views=DASHBOARDS / "views.sql") as store, store.transaction() as conn:
        split_labels(Database(conn))
    views = tmp_path / "views.sql"
    views.write_text("CREATE VIEW only_one AS SELECT 1 AS one;\n", encoding="utf-8")
    with Store(path, views=views) as store:
        names = [row[0] for row in store.rows("SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name")]
        assert names == ["complaint_counts", "complaint_gaps", "complaint_hours", "labels", "only_one"]


def test_views_of_others_stay_when_a_version_brings_its_own_or_drops_one(tmp_path: Path) -> None:
    path, views = old_database(tmp_path / "x.db"), tmp_path / "views.sql"
    with contextlib.closing(open_plain(path)) as conn:
        conn.execute("CREATE VIEW mine AS SELECT service, sum(total) AS total FROM complaint_counts GROUP BY service")
        conn.execute('CREATE VIEW "Alarms_2" AS SELECT 1')
        total = conn.execute("SELECT * FROM mine").fetchall()
    for sql, kept, gone in (
        ((DASHBOARDS / "views.sql").read_text(encoding="utf-8"), {"mine", "alarms", "Alarms_2"}, set()),
        ("CREATE VIEW alarms_2 AS SELECT 2; -- a view; of ours\n", {"mine", "alarms_2"}, {"alarms", "Alarms_2"}),
        ("", {"mine"}, {"alarms_2"}),
    ):
        views.write_text(sql, encoding="utf-8")
        with Store(path, views=views) as store:
            names = {row[0] for row in store.rows("SELECT name FROM sqlite_master WHERE type = 'view'")}
            assert kept <= names
            assert not gone & names
            assert [tuple(row) for row in store.rows("SELECT * FROM mine")] == total


def test_a_view_with_other_columns_than_its_table_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    def wrong(db: Database) -> None:
        replace_by_view(db.conn, "labels", "SELECT source, native_id FROM posts")

    path = old_database(tmp_path / "x.db")
    before = rows_of(path, "SELECT * FROM sqlite_master ORDER BY name")
    conn = open_plain(path)
    with pytest.raises(
        StoreError, match="the view labels must have the columns of the former table: source, native_id"
    ):
        migrate(conn, str(path), {**STEPS, "wrong": wrong})
    conn.close()
    assert rows_of(path, "SELECT * FROM sqlite_master ORDER BY name") == before


def test_a_step_that_leaves_rows_without_what_they_refer_to_is_undone(tmp_path: Path) -> None:
    def wrong(db: Database) -> None:
        db.execute("DELETE FROM incidents")

    path = old_database(tmp_path / "x.db")
    conn = open_plain(path)
    with pytest.raises(StoreError, match="rows would refer to rows that are gone"):
        migrate(conn, str(path), {**STEPS, "wrong": wrong})
    conn.close()
    assert rows_of(path, "SELECT count(*) FROM incidents") == [(1,)]


def test_too_little_room_for_the_copy_is_said_and_nothing_changes(tmp_path: Path) -> None:
    path = old_database(tmp_path / "x.db")
    before = path.read_bytes()
    conn = open_plain(path)
    with pytest.raises(StoreError, match=r"x\.db: .* has too little: 17 MB more must be free"):
        migrate(conn, str(path), LATER, lambda folder: 1_000_000)
    assert not conn.in_transaction
    conn.close()
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["x.db"]


def test_the_room_is_for_the_copy_and_for_what_a_step_writes_anew(tmp_path: Path) -> None:
    """Measured: a database of 117 MB of counts took 2.23 times its size at most."""
    path = old_database(tmp_path / "x.db")
    with contextlib.closing(open_plain(path)) as conn:
        conn.execute("CREATE TABLE filling AS SELECT zeroblob(20000000) AS bytes")
        with pytest.raises(StoreError, match=r"must be free"):
            migrate(conn, str(path), LATER, lambda folder: 16_800_000 + 46_000_000)
        assert migrate(conn, str(path), LATER, lambda folder: 16_800_000 + 52_000_000) is not None


def test_a_copy_that_is_left_of_a_killed_start_is_replaced_and_its_room_counts(tmp_path: Path) -> None:
    path = old_database(tmp_path / "x.db")
    left = backup_path(str(path), "split_labels")
    left.write_bytes(bytes(30_000_000))
    with contextlib.closing(open_plain(path)) as conn:
        assert migrate(conn, str(path), LATER, lambda folder: 0) == left
    assert rows_of(left, "SELECT type FROM sqlite_master WHERE name = 'labels'") == [("table",)]


def test_a_new_database_needs_no_copy(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db") as store:
        assert store.backup is None
    with Store(":memory:") as store:
        assert store.backup is None
    assert not list(tmp_path.glob("*.backup"))


def test_copies_go_after_a_month(tmp_path: Path) -> None:
    path = old_database(tmp_path / "x.db")
    conn = open_plain(path)
    conn.execute("DELETE FROM _sqlite_migrations WHERE name = 'cut_states'")
    conn.close()
    first, last = backup_path(str(path), "create_tables"), backup_path(str(path), "tell_the_rest")
    others = backup_path(str(tmp_path / "y.db"), "create_tables")
    for file in (first, last, others):
        file.write_bytes(b"")
    conn = open_plain(path)
    conn.execute("UPDATE _sqlite_migrations SET applied_at = ? WHERE name = 'tell_the_rest'", (f"{NOW}",))
    conn.execute("INSERT INTO _sqlite_migrations VALUES (7, 'groundswell', 'cut_states', '2026-02-16 00:00:00+00:00')")
    conn.close()
    with Store(path) as store:
        assert remove_old_backups(store, utc("2026-03-10T00:00:00Z")) == []
        assert remove_old_backups(store, utc("2026-03-20T00:00:00Z")) == [first]
        assert remove_old_backups(store, NOW + timedelta(days=31)) == [last]
    assert others.exists(), "another database's copy"


def test_a_database_of_another_program_with_steps_of_its_own_is_refused(tmp_path: Path) -> None:
    conn = open_plain(tmp_path / "x.db")
    conn.executescript("CREATE TABLE mine (a); CREATE TABLE _sqlite_migrations (migration_set, name, applied_at);")
    conn.execute("INSERT INTO _sqlite_migrations VALUES ('theirs', 'create_tables', '2026-01-01')")
    conn.close()
    with pytest.raises(StoreError, match="not one of Groundswell's"):
        Store(tmp_path / "x.db")


def _starter(path: str, start: Barrier, results: multiprocessing.Queue[str]) -> None:
    start.wait()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as conn:
        results.put(str(migrate(conn, path, LATER)))


def test_of_two_starters_at_once_one_migrates(tmp_path: Path) -> None:
    path = old_database(tmp_path / "x.db")
    spawn = multiprocessing.get_context("spawn")
    start, results = spawn.Barrier(2), spawn.Queue()
    starters = [spawn.Process(target=_starter, args=(str(path), start, results)) for _ in range(2)]
    for starter in starters:
        starter.start()
    done = sorted(results.get(timeout=60) for _ in starters)
    for starter in starters:
        starter.join()
    assert done == sorted(["None", str(backup_path(str(path), "split_labels"))])
    assert rows_of(path, "SELECT count(*) FROM labels") == [(1,)]


KILLED = """
import sys, sqlite3, time
from pathlib import Path
from pipeline.store.migration import migrate
from tests.test_migration import LATER

def stop(db):
    print("here", flush=True)
    time.sleep(60)

path, where = sys.argv[1:]
conn = sqlite3.connect(path, isolation_level=None)
if where == "while copying":
    def free(folder):
        Path(f"{path}.before-split_labels.backup.partial").write_bytes(b"SQLite format 3, half of it")
        stop(None)
    migrate(conn, path, LATER, free)
migrate(conn, path, {**LATER, "stop": stop} if where == "after the steps" else {"stop": stop, **LATER})
"""


@pytest.mark.slow
@pytest.mark.parametrize("where", ["while copying", "after the copy", "after the steps"])
def test_a_kill_leaves_the_old_database_and_the_next_start_goes_on(tmp_path: Path, where: str) -> None:
    path = old_database(tmp_path / "x.db")
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(path), where], stdout=subprocess.PIPE, cwd=ROOT)
    assert child.stdout is not None
    assert child.stdout.readline() == b"here\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    step = "stop" if where == "after the copy" else "split_labels"
    backup = backup_path(str(path), step)
    assert backup.exists() == (where != "while copying")
    conn = open_plain(path)
    assert missing_steps(conn, str(path), LATER) == ["split_labels", "rebuild_incidents"]
    assert conn.execute("SELECT type FROM sqlite_master WHERE name = 'labels'").fetchone() == ("table",)
    kept = migrate(conn, str(path), LATER)
    assert kept == backup_path(str(path), "split_labels")
    assert list(applied_steps(conn)) == list(LATER)
    conn.close()
    assert rows_of(kept, "SELECT * FROM labels") == rows_of(path, "SELECT * FROM labels")
    assert rows_of(kept, "SELECT type FROM sqlite_master WHERE name = 'labels'") == [("table",)]
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another user to meet a file that may not be written")
def test_a_database_that_may_not_be_written_is_refused_by_name() -> None:
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    path = old_database(folder / "x.db")
    path.chmod(0o444)
    try:
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            try:
                Store(path)
            except StoreError as error:
                os._exit(0 if "x.db" in str(error) else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert rows_of(path, "SELECT count(*) FROM incidents") == [(1,)]
    finally:
        shutil.rmtree(folder)


def test_the_command_that_migrates_says_once_where_the_old_database_is(
    groundswell: Groundswell, tmp_path: Path
) -> None:
    path = old_database(tmp_path / "groundswell.db")
    with contextlib.closing(open_plain(path)) as conn:
        # as it was before states were kept in parts
        conn.executescript(
            "DROP TABLE detector_state_parts; ALTER TABLE detector_state ADD COLUMN blob BLOB NOT NULL DEFAULT x'';"
            " DELETE FROM _sqlite_migrations WHERE name = 'cut_states'"
        )
    backup = backup_path("groundswell.db", "cut_states")
    before = path.read_bytes()
    for args in (("status",), ("status", "claude"), ("why", "claude"), ("ledger",), ("export", "out")):
        refused = groundswell(*args)
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1), args
        assert "was written by an older version; the next `groundswell run` updates it" in refused.stderr
    assert path.read_bytes() == before
    said = groundswell("purge").stderr
    assert f"the old database is kept for a month as {backup}" in said
    assert (tmp_path / backup).is_file()
    assert "brought up to date" not in groundswell("status").stderr


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
