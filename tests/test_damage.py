"""Failed writes and damaged databases end in one line that names the file and what to do, never in a traceback."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.config.paths import DASHBOARDS
from pipeline.core.errors import StoreError
from pipeline.core.records import Batch
from pipeline.store import Store
from pipeline.store.damage import damage_of
from pipeline.store.observations import save_batch
from tests.stored_rows import NOW, a_post
from tests.world import World

OFFLINE = """watch = ["claude", "github", "aws"]
[sources]
statuspage = false
hacker_news = false
downstatus = false
news_desks = false
google_news = false
"""
QUESTIONS = (
    ("status",),
    ("incidents", "--since", "30d"),
    ("why", "claude"),
    ("ledger", "--service", "claude"),
    ("doctor", "--offline"),
    ("sql", "select * from what_is_wrong_now"),
    ("silence", "list"),
    ("run", "--now", "2026-03-02T13:00:00Z"),
)


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with posts, news, an official incident, counts, verdicts and messages in it."""
    path = tmp_path_factory.mktemp("whole") / "groundswell.db"
    with Store(path, views=DASHBOARDS / "views.sql") as store:
        world = World(store, ("claude", "github", "aws"))
        save_batch(store, Batch(source="x", rows=tuple(a_post(n, "down " * 20) for n in range(300))), NOW)
        for clock in ("09:00", "10:00", "11:00"):
            world.news(clock, f"An outage at {clock}")
            world.page("claude", "one", clock, "investigating", "major")
            world.bins("claude", clock, 12, 90.0, 20.0)
            world.bins("github", clock, 12, 70.0, 20.0)
            world.explain(clock)
        world.explain("12:30")
        store.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert damage_of(path) == ""
    return path


def damage(path: Path, seed: int) -> None:
    """Flip bits, overwrite bytes and pages, or cut the file, as the seed says."""
    dice, raw = random.Random(seed), bytearray(path.read_bytes())
    for _ in range(dice.randint(1, 6)):
        kind, at = dice.choice(("bits", "bytes", "page", "zeros")), dice.randrange(len(raw))
        if dice.random() < 0.2:
            at = dice.randrange(4096)  # the header, and where the tables lie
        if kind == "bits":
            raw[at] ^= 1 << dice.randrange(8)
        else:
            length = {"bytes": dice.randint(1, 200), "page": 4096, "zeros": dice.randint(100, 20_000)}[kind]
            piece = bytes(length) if kind == "zeros" else dice.randbytes(length)
            raw[at : at + length] = piece[: len(raw) - at]
    path.write_bytes(raw[: dice.randrange(len(raw))] if dice.random() < 0.15 else raw)


def called(*args: str) -> int:
    """Run a command line in this process; return its exit code. A traceback is an exception of the test."""
    before, sys.argv = sys.argv, ["groundswell", *args]
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    finally:
        sys.argv = before
    return 0


def seeds() -> list[object]:
    """Return sixty seeds, and some more that once failed: the first few are quick tests."""
    chosen = [*range(60), 106, 130, 175]  # tables described wrongly, an index that offers posts again and again
    return [pytest.param(seed, marks=() if seed < 6 else pytest.mark.slow) for seed in chosen]


@pytest.mark.parametrize("seed", seeds())
def test_no_command_on_a_damaged_database_ends_in_a_traceback(
    whole: Path, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "groundswell.toml").write_text(OFFLINE)
    for question in QUESTIONS:
        shutil.copyfile(whole, "groundswell.db")
        for aside in ("groundswell.db-wal", "groundswell.db-shm"):
            Path(aside).unlink(missing_ok=True)
        damage(Path("groundswell.db"), seed)
        code = called(*question)
        lines = capsys.readouterr().err.splitlines()
        if code == 1 and lines:
            assert len(lines) == 1, (question, lines)
            assert "groundswell.db: " in lines[0]
            assert "repair" in lines[0], (question, lines)
            assert "not one of Groundswell's" not in lines[0]


@contextmanager
def no_room(byte_count: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (byte_count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def fill(store: Store) -> None:
    """Store posts until the disk is full."""
    for number in range(500):
        save_batch(store, Batch(source="x", rows=(a_post(number, "down " * 200),)), NOW)


@pytest.mark.parametrize("kilobytes", range(8, 200, 16))
def test_a_disk_without_room_is_one_line_and_keeps_what_was_stored(tmp_path: Path, kilobytes: int) -> None:
    with Store(tmp_path / "x.db") as store:
        save_batch(store, Batch(source="x", rows=(a_post(1000),)), NOW)
        stored = os.path.getsize(tmp_path / "x.db-wal")
        with no_room(stored + kilobytes * 1024), pytest.raises(StoreError, match="what was stored before is safe"):
            fill(store)
        save_batch(store, Batch(source="x", rows=(a_post(2000),)), NOW)
        keys = {row[0] for row in store.rows("SELECT native_id FROM posts")}
        assert {"t3_1000", "t3_2000"} <= keys
    assert damage_of(tmp_path / "x.db") == ""


def test_a_commit_that_fails_is_not_answered_with_a_rollback(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db") as store:
        store.conn.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        store.conn.execute("CREATE TABLE child (id REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
        with pytest.raises(sqlite3.IntegrityError), store.transaction() as conn:
            conn.execute("INSERT INTO child VALUES (1)")
        assert not store.conn.in_transaction
        store.conn.execute("PRAGMA max_page_count = 1")
        with pytest.raises(StoreError, match="disk is full"):
            fill(store)
        assert not store.conn.in_transaction


def test_an_empty_file_is_no_database_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "groundswell.db").touch()
    for question in QUESTIONS[:6]:
        assert called(*question) in (1, 2)
        told = capsys.readouterr()
        assert "is empty, no database yet" in told.err + told.out, question
    assert (tmp_path / "groundswell.db").stat().st_size == 0
