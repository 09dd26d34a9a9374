"""Views and tables that people add to the database: exported and repaired, and no mistake in one stops the rest."""

from __future__ import annotations

import csv
import sqlite3
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.config.paths import DASHBOARDS
from pipeline.core.names import file_stem
from pipeline.core.records import Batch
from pipeline.store import Store
from pipeline.store.damage import damage_of
from pipeline.store.observations import save_batch
from pipeline.store.user_objects import quoted
from tests.conftest import Groundswell
from tests.stored_rows import NOW, a_post
from tests.test_repair import overwrite

LONG, MINE = "v" * 300, 'my "posts"'


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with posts, to which views and tables were added."""
    path = tmp_path / "groundswell.db"
    with Store(path, views=DASHBOARDS / "views.sql") as store:
        save_batch(store, Batch(source="x", rows=tuple(a_post(n, "down " * 20) for n in range(300))), NOW)
        store.conn.executescript(f"""
            CREATE TABLE "my notes" (start TEXT, blob_of_mine BLOB, note TEXT);
            CREATE INDEX by_note ON "my notes" (note);
            CREATE INDEX by_title ON posts (title);
            INSERT INTO "my notes" VALUES ('yesterday', x'ff00fe', 'ünïcode'), (NULL, NULL, '=1+1');
            CREATE VIEW {quoted(MINE)} AS SELECT native_id, text FROM posts;
            CREATE VIEW "../../escaped" AS SELECT 1 AS one;
            CREATE VIEW {LONG} AS SELECT 2 AS two;
            CREATE VIEW broken AS SELECT * FROM a_table_that_is_gone;
            CREATE VIEW fails_late AS SELECT abs(CASE native_id WHEN '7' THEN -9223372036854775807 - 1 ELSE 1 END)
              AS x FROM (SELECT '1' AS native_id UNION ALL SELECT '7');
            CREATE VIRTUAL TABLE searched USING fts5 (words);
            CREATE TABLE searched_by_me (rowid TEXT, term TEXT);
            INSERT INTO searched_by_me VALUES ('a', 'x'), ('a', 'y'), (NULL, 'z'), ('b', 'w');
            CREATE TRIGGER kept AFTER INSERT ON "my notes" BEGIN SELECT 1; END;
            PRAGMA wal_checkpoint(TRUNCATE);
        """)
    return path


def test_a_broken_view_is_named_and_everything_else_is_exported(
    groundswell: Groundswell, database: Path, tmp_path: Path
) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "broken.csv").write_text("of an earlier export")
    done = groundswell("export", "--format", "csv", "tables")
    assert done.returncode == 3, done.stderr
    broken, late = done.stderr.splitlines()
    assert "the view broken cannot be answered: no such table: main.a_table_that_is_gone" in broken
    assert "the view fails_late cannot be answered: integer overflow" in late
    with Store(database) as store:
        tables = [row[0] for row in store.rows("SELECT name FROM sqlite_master WHERE type = 'view'")]
    written = {path.name for path in (tmp_path / "tables").iterdir()}
    assert {f"{file_stem(name)}.csv" for name in tables} - written == {"broken.csv", "fails_late.csv"}
    assert {"posts.csv", "incidents.csv", "incident_overview.csv"} <= written
    assert not [name for name in written if name.endswith(".new")]


def test_a_view_is_exported_into_the_folder_whatever_its_name(
    groundswell: Groundswell, database: Path, tmp_path: Path
) -> None:
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert groundswell("export", "--format", "csv", "deep/er/tables").returncode == 3
    folder = tmp_path / "deep" / "er" / "tables"
    outside = {path for path in tmp_path.rglob("*") if path.is_file() and path.parent != folder} - before
    assert {path.name for path in outside} <= {"groundswell.db-wal", "groundswell.db-shm"}
    for name, rows in (("../../escaped", 1), (LONG, 1), (MINE, 300)):
        with (folder / f"{file_stem(name)}.csv").open(newline="", encoding="utf-8") as file:
            assert len(list(csv.reader(file))) == 1 + rows, name


def test_no_cell_and_no_name_of_a_column_is_a_formula_in_an_export(
    groundswell: Groundswell, database: Path, tmp_path: Path
) -> None:
    with Store(database) as store:
        store.conn.execute("""CREATE VIEW signs AS SELECT column1 AS "=x" FROM
          (VALUES ('=1+1'), ('+1'), ('-1'), ('@a'), (char(9) || '=1'), (char(13) || '=1'),
          ('a' || char(13) || '=1'), ('＝1'), ('plain'), (-1))""")
    groundswell("export", "--format", "csv", "tables")
    with (tmp_path / "tables" / "signs.csv").open(newline="", encoding="utf-8") as file:
        cells = [row[0] for row in csv.reader(file)]
    assert [cell for cell in cells if cell[:1] in tuple("=+-@\t\r＝")] == ["-1"], "the number is one"
    assert cells[0] == "'=x"
    assert len(cells) == 11, "a carriage return ends no row"


def test_what_people_added_is_repaired_with_the_rest_and_what_is_not_is_named(
    groundswell: Groundswell, database: Path, tmp_path: Path
) -> None:
    overwrite(database, "posts", 0)
    done = groundswell("repair", "--now", "2026-03-02T13:00:00Z")
    assert done.returncode == 3, done.stderr
    lost = [line for line in done.stdout.splitlines() if "not carried over" in line]
    assert lost == [
        "table searched: not carried over: it is a virtual table; create it again",
        "trigger kept: not carried over: it is a trigger; create it again",
    ]
    fresh = tmp_path / "groundswell-repaired.db"
    with sqlite3.connect(fresh) as conn:
        notes = conn.execute('SELECT * FROM "my notes" ORDER BY rowid').fetchall()
        assert notes == [("yesterday", b"\xff\x00\xfe", "ünïcode"), (None, None, "=1+1")]
        names = {row[0] for row in conn.execute("SELECT name FROM sqlite_master")}
        assert {"by_note", "by_title", MINE, "../../escaped", LONG, "broken", "fails_late"} <= names
        assert [name for name in names if name.startswith("searched")] == ["searched_by_me"]
        terms = conn.execute("SELECT rowid, term FROM searched_by_me ORDER BY _rowid_").fetchall()
        assert terms == [("a", "x"), ("a", "y"), (None, "z"), ("b", "w")], "the column is not the number of the row"
        assert 200 < conn.execute(f"SELECT count(*) FROM {quoted(MINE)}").fetchone()[0] < 300
    assert damage_of(fresh) == ""
    with Store(fresh, views=DASHBOARDS / "views.sql") as store:
        assert store.rows("SELECT count(*) FROM incident_overview")[0][0] == 0, "the analysts' views are there"
        assert store.rows("SELECT 1 FROM sqlite_master WHERE name = 'broken'")


def test_a_name_that_steers_a_terminal_is_printed_without_doing_so(groundswell: Groundswell, database: Path) -> None:
    with sqlite3.connect(database) as conn:
        conn.execute('CREATE VIEW "\x1b[2Jred" AS SELECT * FROM a_table_that_is_gone')
        conn.execute('CREATE TRIGGER "\x1b[2Jt" AFTER INSERT ON "my notes" BEGIN SELECT 1; END')
    conn.close()
    exported = groundswell("export", "--format", "csv", "tables")
    overwrite(database, "posts", 0)
    repaired = groundswell("repair", "--now", "2026-03-02T13:00:00Z")
    assert "the view \ufffd[2Jred cannot be answered" in exported.stderr
    assert "trigger \ufffd[2Jt: not carried over" in repaired.stdout
    assert "\x1b" not in exported.stdout + exported.stderr + repaired.stdout + repaired.stderr


def test_what_people_store_in_tables_of_their_own_is_no_damage(database: Path) -> None:
    assert damage_of(database) == ""


@pytest.mark.parametrize("name", ["a/b", "..", ".", "", "con/", "A.b", "é", "x" * 300, "\ud800", "a\0b"])
def test_a_name_of_any_kind_becomes_one_plain_part_of_a_file_name(name: str) -> None:
    stem = file_stem(name)
    assert stem.isascii()
    assert len(stem) <= 89
    assert not set(stem) & set("/\\.\0")


def test_two_names_never_share_a_file() -> None:
    names = ["a/b", "a_b", "a.b", "x" * 300, "x" * 301, "claude"]
    assert len({file_stem(name) for name in names}) == len(names)
    assert file_stem("claude") == "claude"


def test_a_table_of_ones_own_is_exported_with_its_values_and_one_that_cannot_be_read_is_named(
    groundswell: Groundswell, database: Path, tmp_path: Path
) -> None:
    with sqlite3.connect(database) as conn:
        conn.execute("CREATE TABLE plain (a, b, c)")
        conn.execute("INSERT INTO plain VALUES (1, 'x', 1), (2, NULL, 0.5)")
        conn.execute("CREATE TABLE mixed (a, b)")
        conn.execute("INSERT INTO mixed VALUES (1, x'ff00'), ('two', NULL)")
        conn.execute("CREATE TABLE unreadable (a)")
        conn.execute("INSERT INTO unreadable VALUES (cast(x'ff' AS TEXT))")
    conn.close()
    done = groundswell("export", "tables")
    assert done.returncode == 3, done.stderr
    assert next(line for line in done.stderr.splitlines() if "cannot be" in line).startswith(
        "groundswell: the table unreadable cannot be read: "
    )
    read = pq.ParquetFile(tmp_path / "tables" / "plain" / "plain.parquet").read().to_pylist()
    assert read == [{"a": 1, "b": "x", "c": 1.0}, {"a": 2, "b": None, "c": 0.5}]
    read = pq.ParquetFile(tmp_path / "tables" / "mixed" / "mixed.parquet").read().to_pylist()
    assert read == [{"a": "1", "b": b"\xff\x00"}, {"a": "two", "b": None}]
    assert not (tmp_path / "tables" / "unreadable" / "unreadable.parquet").exists()
    done = groundswell("export", "--format", "csv", "cells")
    assert "the table unreadable cannot be read" in done.stderr
    assert (tmp_path / "cells" / "plain.csv").read_text() == "a,b,c\n1,x,1\n2,,0.5\n"
    assert (tmp_path / "cells" / "mixed.csv").read_text() == "a,b\n1,ff00\ntwo,\n"
    assert not (tmp_path / "cells" / "unreadable.csv").exists()
    notes = (tmp_path / "cells" / f"{file_stem('my notes')}.csv").read_text(encoding="utf-8")
    assert notes == "start,blob_of_mine,note\nyesterday,ff00fe,ünïcode\n,,'=1+1\n"
