"""The copy of an old database: made before its steps, with room for it, and kept for a month."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sqlite3
import subprocess
import sys
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from pipeline.core.errors import StoreError
from pipeline.core.times import utc
from pipeline.store import Store
from pipeline.store.migration import applied_steps, backup_path, migrate, missing_steps
from pipeline.store.retention import remove_old_backups
from tests.conftest import ROOT, Groundswell
from tests.old_database import LATER, old_database, open_plain, rows_of

NOW, EARLY = utc("2026-03-10T00:00:00Z"), utc("2026-01-01T00:00:00Z")


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
from tests.old_database import LATER

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
