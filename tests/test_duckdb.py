"""The views over Parquet, asked by DuckDB: the same answers as SQLite's, and nothing else is read or written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.store import Store
from tests.conftest import Groundswell
from tests.recomputed_views.world import write_world

pytest.importorskip("duckdb", reason="pip install -e '.[scale]'")
pytestmark = pytest.mark.slow


def alike(rows: Sequence[Sequence[Any]]) -> list[str]:
    """Return rows in one order, numbers as numbers: DuckDB has booleans and whole numbers where SQLite has not."""
    return sorted(repr([round(float(v), 6) if isinstance(v, bool | int | float) else v for v in row]) for row in rows)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "groundswell.db"
    write_world(path, tmp_path / "report")
    return path


def test_every_view_says_the_same_in_duckdb(groundswell: Groundswell, database: Path) -> None:
    from pipeline.scale.duckdb_views import open_parquet

    done = groundswell("export", "parquet")
    assert (done.returncode, "38 tables" in done.stdout) == (0, True), done.stderr + done.stdout
    seen = 0
    with Store(database) as store, open_parquet(database.parent / "parquet") as duck:
        for (view,) in store.rows("SELECT name FROM sqlite_master WHERE type = 'view'"):
            ours = [tuple(row) for row in store.rows(f"SELECT * FROM {view}")]
            theirs = duck.execute(f"SELECT * FROM {view}").fetchall()
            assert alike(theirs) == alike(ours), view
            seen += len(ours)
    assert seen > 60


@pytest.mark.parametrize(
    "question",
    [
        "select * from read_csv('/etc/passwd')",
        "copy (select 1) to 'x.csv'",
        "copy (select 1) to '{folder}/x.csv'",
        "attach 'x.db'",
        "create table t as select 1",
        "select 1; drop view posts",
        "set enable_external_access = true",
        "install httpfs",
        "select * from nothing_here",
    ],
)
def test_questions_read_the_folder_and_nothing_else(groundswell: Groundswell, database: Path, question: str) -> None:
    assert groundswell("export", "parquet").returncode == 0
    folder = database.parent / "parquet"
    before = sorted(folder.rglob("*"))
    done = groundswell("sql", "--parquet", "parquet", question.format(folder=folder))
    assert (done.returncode, "Traceback" in done.stderr, done.stdout) == (1, False, ""), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(folder.rglob("*")) == before


def test_a_question_is_answered_as_csv_and_json(groundswell: Groundswell, database: Path) -> None:
    assert groundswell("export", "parquet").returncode == 0
    halves = "select 7 / 2 as half, 7.0 / 2 as exact"
    assert (
        groundswell("sql", "--parquet", "parquet", halves).stdout
        == groundswell("sql", halves).stdout
        == "half,exact\n3,3.5\n"
    )
    alike_too = "select iif(1 > 2, 'a', 'b') as chosen, julianday('2026-03-05') as day"
    assert groundswell("sql", "--parquet", "parquet", alike_too).stdout == groundswell("sql", alike_too).stdout
    asked = "select service, state from incident_overview where service = 'Heroku'"
    assert (
        groundswell("sql", "--parquet", "parquet", asked).stdout
        == groundswell("sql", asked).stdout
        == "service,state\nHeroku,confirmed\n"
    )
    assert (
        groundswell("sql", "--json", "--parquet", "parquet", asked).stdout == groundswell("sql", "--json", asked).stdout
    )


def test_exported_times_are_timestamps_and_the_views_answer_as_before(groundswell: Groundswell, database: Path) -> None:
    import pandas as pd

    assert groundswell("export", "parquet").returncode == 0
    folder = database.parent / "parquet"
    frame = pd.read_parquet(folder / "incidents" / "incidents.parquet")
    assert str(frame["onset"].dtype) == "datetime64[ms, UTC]"
    with Store(database) as store:
        onsets = [row[0] for row in store.rows("SELECT onset FROM incidents ORDER BY id")]
    assert frame.sort_values("id")["onset"].dt.strftime("%Y-%m-%dT%H:%M:%SZ").tolist() == onsets


def test_an_export_as_csv_has_every_table_and_view_with_times_that_pandas_reads(
    groundswell: Groundswell, database: Path
) -> None:
    import pandas as pd

    done = groundswell("export", "--format", "csv", "tables")
    assert done.returncode == 0, done.stderr
    folder = database.parent / "tables"
    with Store(database) as store:
        for name in ("posts", "incidents", "incident_overview", "alarms"):
            frame = pd.read_csv(folder / f"{name}.csv")
            assert len(frame) == store.rows(f"SELECT count(*) FROM {name}")[0][0], name
    overview = pd.read_csv(folder / "incident_overview.csv", parse_dates=["onset"])
    assert overview["onset"].dt.tz is not None
