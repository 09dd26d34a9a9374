"""`groundswell repair` saves what is readable, never writes to the damaged file, and nothing is told twice."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.config.load import load_config
from pipeline.config.paths import DASHBOARDS
from pipeline.core.errors import StoreError
from pipeline.core.records import Batch, ComplaintCount
from pipeline.stages.alert.stage import run_alert
from pipeline.stages.pipeline import Models, Pipeline, Stage
from pipeline.store import Store
from pipeline.store.damage import damage_of
from pipeline.store.file_format import is_database_file
from pipeline.store.observations import save_batch
from pipeline.store.outbox import alerts_of
from pipeline.store.runs import get_checkpoint
from pipeline.store.salvage import salvage
from tests.sending import ScriptedChannel
from tests.test_damage import OFFLINE, called, damage, seeds, whole  # noqa: F401 - whole is a fixture
from tests.world import World, at

NOW = at("13:00")
PAGE = 4096


def digest(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("groundswell.db*"))}


def rows(path: Path, table: str) -> set[tuple[object, ...]]:
    with sqlite3.connect(path) as conn:
        return set(conn.execute(f"SELECT * FROM {table}"))


def overwrite(path: Path, table: str, which: int) -> None:
    """Overwrite one leaf page of a table."""
    with sqlite3.connect(path) as conn:
        sql = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path"
        pages = [row[0] for row in conn.execute(sql, (table,))]
    raw = bytearray(path.read_bytes())
    page = pages[which % len(pages)]
    raw[(page - 1) * PAGE : page * PAGE] = b"\xa5" * PAGE
    path.write_bytes(raw)


@pytest.fixture
def place(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:  # noqa: F811
    """A folder with a database of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "groundswell.toml").write_text(OFFLINE)
    shutil.copyfile(whole, tmp_path / "groundswell.db")
    return tmp_path


@pytest.mark.parametrize("seed", seeds())
def test_of_sixty_damaged_databases_what_is_readable_comes_back(
    place: Path,
    whole: Path,  # noqa: F811
    seed: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    damage(place / "groundswell.db", seed)
    before, fault = digest(place), damage_of(place / "groundswell.db")
    code = called("repair", "--now", "2026-03-02T13:00:00Z")
    told = capsys.readouterr()
    after = digest(place)
    after.pop("groundswell.db.lock", None)
    after = {name: value for name, value in after.items() if name in before}
    assert after == before, "the damaged file is as it was"
    assert code in (0, 1, 3)
    if not fault:
        assert "nothing is damaged" in told.out
        return
    if code == 1:
        assert "nothing can be read of it" in told.err
        return
    assert "To go on: move groundswell.db away" in told.out
    fresh = place / "groundswell-repaired.db"
    assert damage_of(fresh) == ""
    conn = sqlite3.connect(fresh)
    assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
    assert len(rows(fresh, "posts")) <= len(rows(whole, "posts"))
    conn.close()
    fresh.replace(place / "groundswell.db")
    assert called("run", "--now", "2026-03-02T13:05:00Z") in (0, 3)
    assert called("status", "--now", "2026-03-02T13:06:00Z") in (0, 3)
    assert "Traceback" not in capsys.readouterr().err


def test_most_of_what_was_damaged_at_random_is_saved(place: Path, whole: Path) -> None:  # noqa: F811
    kept = wanted = 0
    for seed in range(20):
        shutil.copyfile(whole, place / "groundswell.db")
        damage(place / "groundswell.db", seed)
        (place / "fresh.db").unlink(missing_ok=True)
        wanted += len(rows(whole, "posts"))
        try:
            salvage(place / "groundswell.db", place / "fresh.db", NOW)
        except StoreError:
            continue
        kept += len(rows(place / "fresh.db", "posts") & rows(whole, "posts"))
    assert kept > 0.5 * wanted, f"{kept} of {wanted}"


def test_what_a_repair_that_was_killed_left_is_removed_by_the_next(place: Path) -> None:
    overwrite(place / "groundswell.db", "posts", 0)
    left, other = place / ".fresh.db.repair-abc", place / ".fresh.db.notes"
    for folder in (left, other):
        folder.mkdir()
        (folder / "damaged.db").write_bytes(b"half a copy")
    salvage(place / "groundswell.db", place / "fresh.db", NOW)
    assert (left.exists(), other.exists()) == (False, True)


@pytest.mark.parametrize("which", [0, 3, -1])
@pytest.mark.parametrize("table", ["posts", "verdicts"])
def test_around_a_damaged_page_every_row_comes_back(
    place: Path,
    whole: Path,  # noqa: F811
    table: str,
    which: int,
) -> None:
    path = place / "groundswell.db"
    overwrite(path, table, which)
    done = {one.table: one for one in salvage(path, place / "fresh.db", NOW)}
    kept, had = rows(place / "fresh.db", table), rows(whole, table)
    assert kept < had
    assert done[table].incomplete
    assert len(kept) >= len(had) - 45, "a page holds no more"
    untouched = [name for name in ("news_items", "incidents", "alerts", "runs") if name != table]
    assert all(rows(place / "fresh.db", name) == rows(whole, name) for name in untouched)
    assert (place / "fresh.db").stat().st_mode & 0o777 == 0o600
    with pytest.raises(StoreError, match="exists already"):
        salvage(path, place / "fresh.db", NOW)


def test_nothing_is_told_twice_and_what_waits_is_told(tmp_path: Path) -> None:
    path, channel = tmp_path / "x.db", ScriptedChannel()
    with Store(path, views=DASHBOARDS / "views.sql") as store:
        world = World(store, ("claude", "github"))
        world.page("claude", "one", "11:00", "investigating", "major")
        world.explain("11:02")
        run_alert(store, {"file": channel}, at("11:02"))
        world.page("github", "two", "11:05", "investigating", "major")
        world.explain("11:06")
        waiting = {a.message_id for a in alerts_of(store) if a.sent_at is None}
        store.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert len(channel.sent) == len(waiting) == 1
    overwrite(path, "posts", 0)
    for lost in ("", "DELETE FROM alerts", "DELETE FROM stage_memory"):
        fresh = tmp_path / f"fresh{len(lost)}.db"
        salvage(path, fresh, at("11:10"))
        again = ScriptedChannel()
        with Store(fresh) as store:
            if lost:
                store.conn.execute(lost)
            world.store = store
            world.explain("11:12")
            run_alert(store, {"file": again}, at("11:12"))
        if lost == "DELETE FROM alerts":
            # rows of the outbox that are lost: at least once, under the same Message-IDs
            assert set(again.sent) == {*channel.sent, *waiting}
        else:
            assert set(again.sent) == waiting


def detected(store: Store, minute: int) -> tuple[int, int]:
    """Run the detect stage as a run does; return how many verdicts there are afterwards, and how many alarms."""
    pipeline = Pipeline(
        store=store, config=load_config(None, {}), models=Models(), channels=dict, collect=lambda *_: []
    )
    pipeline.run(NOW + timedelta(minutes=minute), (Stage.DETECT,))
    return tuple(store.rows("SELECT count(*), ifnull(sum(alarm), 0) FROM verdicts")[0])


def test_lost_verdicts_are_judged_again_by_the_next_run_though_no_count_is_new(tmp_path: Path) -> None:
    path, fresh = tmp_path / "x.db", tmp_path / "fresh.db"
    rows = tuple(
        ComplaintCount(
            service="claude",
            source="x",
            region="",
            indicator="",
            start=NOW - timedelta(minutes=15 * (n + 1)),
            interval_s=900,
            total=200 if n < 5 else n % 3,
            collected=NOW,
        )
        for n in range(10 * 96)
    )
    with Store(path) as store:
        save_batch(store, Batch(source="x", rows=rows), NOW)
        whole = [detected(store, minute) for minute in range(3)][-1]
        store.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert whole[1] >= 3, "an outage is running"
    overwrite(path, "verdicts", -1)
    salvage(path, fresh, NOW + timedelta(minutes=3))
    with Store(fresh) as store:
        assert get_checkpoint(store, "detect", "unchanged") is None
        assert store.rows("SELECT count(*) FROM verdicts")[0][0] < whole[0]
        assert detected(store, 4) == whole


@pytest.mark.parametrize(
    "question", [("status",), ("incidents",), ("ledger", "--service", "claude"), ("export", "out")]
)
def test_a_repaired_database_is_read_at_once(
    place: Path, question: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    overwrite(place / "groundswell.db", "posts", 0)
    assert called("repair", "--now", "2026-03-02T13:00:00Z") == 3
    capsys.readouterr()
    code = called(*question, "--db", "groundswell-repaired.db", "--now", "2026-03-02T13:00:00Z")
    assert code in (0, 3), "3: alerts that were to be sent still wait"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("content", [b"root:x:0:0\n" * 2000, b"\n" * 9000, bytes(9000)])
def test_a_file_that_is_no_database_is_not_repaired(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_bytes(content)
    for question in ("repair", "incidents"):
        assert called(question, "--db", "notes.txt") == 1
        assert capsys.readouterr().err == "groundswell: notes.txt: is not a database\n"
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")] == ["notes.txt"]


@pytest.mark.parametrize("length", [16, 4096])
def test_a_database_whose_beginning_is_overwritten_is_still_repaired(place: Path, length: int) -> None:
    path = place / "groundswell.db"
    path.write_bytes(b"x" * length + path.read_bytes()[length:])
    assert is_database_file(path)
    if length == 16:
        assert called("repair", "--now", "2026-03-02T13:00:00Z") in (0, 3)
        assert len(rows(place / "groundswell-repaired.db", "posts")) == 300
