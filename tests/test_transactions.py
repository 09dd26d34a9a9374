"""Files and transactions: what is not ours is refused, writers wait, and what fails leaves nothing."""

from __future__ import annotations

import multiprocessing
import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.core.errors import StoreError
from pipeline.core.news_events import NewsEvent
from pipeline.core.records import Batch
from pipeline.store import Store, health, open_readonly
from pipeline.store.news import put_news_events
from pipeline.store.observations import save_batch
from pipeline.store.runs import checkpoints, set_checkpoint
from tests.copies import replace
from tests.stored_rows import NOW, a_post


@pytest.mark.parametrize("kind", ["text", "newer", "foreign", "cut", "folder"])
def test_a_file_that_is_not_ours_is_refused_and_kept(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.db"
    if kind == "text":
        path.write_text("these are notes, no database " * 50)
    elif kind == "folder":
        path.mkdir()
    elif kind == "foreign":
        sqlite3.connect(path).execute("CREATE TABLE mine (a)").connection.commit()
    else:
        with Store(path) as store:
            if kind == "newer":
                store.conn.execute(
                    "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
                    "VALUES ('groundswell', 'later', 'x')"
                )
        if kind == "cut":
            path.write_bytes(path.read_bytes()[:3000])
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(StoreError) as caught:
        Store(path)
    assert str(path) in str(caught.value)
    if kind in ("text", "foreign", "newer"):
        assert path.read_bytes() == before


def _write(path: str, number: int) -> None:
    with Store(path) as store:
        for i in range(40):
            save_batch(store, Batch(source="x", rows=(a_post(number * 1000 + i),)), NOW)


def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    path = str(tmp_path / "x.db")
    Store(path).conn.close()
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        pool.starmap(_write, [(path, n) for n in range(3)])
    with Store(path) as store:
        assert store.rows("SELECT count(*) FROM posts")[0][0] == 120


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db") as store:
        bad = Batch(source="x", rows=(a_post(1), replace(a_post(2), kind=None)))  # type: ignore[arg-type]
        with pytest.raises(sqlite3.IntegrityError):
            save_batch(store, bad, NOW)
        assert store.rows("SELECT count(*) FROM posts")[0][0] == 0


def test_reading_commands_cannot_write(tmp_path: Path) -> None:
    Store(tmp_path / "x.db").conn.close()
    conn = open_readonly(tmp_path / "x.db")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        conn.execute("DELETE FROM posts")
    with pytest.raises(StoreError, match="no such database"):
        open_readonly(tmp_path / "absent.db")


def test_a_database_with_news_in_it_is_whole_and_a_damaged_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    event = NewsEvent(
        id="n", kind="other", title="t", entities=(), outlets=("o",), first_seen=NOW, items=(("feeds", "1"),)
    )
    with Store(path) as store, store.transaction() as conn:
        put_news_events(conn, [event])
    assert health(path) == ("ok", "never")
    with Store(path) as store:
        save_batch(store, Batch(source="x", rows=tuple(a_post(i, "down " * 50) for i in range(500))), NOW)
        (page,) = store.rows("SELECT pageno FROM dbstat WHERE name = 'posts' AND pagetype = 'leaf' LIMIT 1")[0]
        store.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = bytearray(path.read_bytes())
    raw[(page - 1) * 4096 : page * 4096] = b"x" * 4096
    path.write_bytes(raw)
    try:
        state = health(path)[0]
    except StoreError as error:  # SQLite gives up, or lists what is wrong
        state = str(error)
    assert state != "ok"


def together_and_fail(store: Store) -> None:
    with store.together():
        with store.transaction() as conn:
            set_checkpoint(conn, "test", "gone", "x")
        raise KeyError("gone")


def test_transactions_taken_together_are_one_and_a_part_that_fails_undoes_all(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db", durable=False) as store:

        def note(key: str) -> None:
            with store.transaction() as conn:
                set_checkpoint(conn, "test", key, "x")

        def failing() -> None:
            with store.transaction() as conn:
                set_checkpoint(conn, "test", "lost", "x")
                raise KeyError("lost")

        def undone() -> None:
            with store.together():
                note("undone")
                with suppress(KeyError):
                    failing()

        with pytest.raises(KeyError):
            undone()
        with store.together():
            note("first")
            note("last")
            other = sqlite3.connect(tmp_path / "x.db")
            assert other.execute("SELECT count(*) FROM stage_memory WHERE stage = 'test'").fetchone() == (0,)
        assert other.execute("SELECT key FROM stage_memory WHERE stage = 'test'").fetchall() == [("first",), ("last",)]
        other.close()
        with pytest.raises(KeyError):
            together_and_fail(store)
        assert set(checkpoints(store, "test")) == {"first", "last"}
        note("after")
        assert "after" in checkpoints(store, "test")
