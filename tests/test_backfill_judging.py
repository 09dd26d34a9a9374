"""The second pass of a backfill: what it writes does not depend on the order and the overlap of archives."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="pip install -e '.[scale]'")

import pyarrow as pa
import pyarrow.parquet as pq

from detectors.seasonal.detector import SeasonalNB
from pipeline.config.load import load_catalogue
from pipeline.core.times import utc
from pipeline.scale.engines import Local
from pipeline.scale.inputs import parts_of
from pipeline.scale.parquet import Writer
from pipeline.scale.row_order import once
from pipeline.scale.tasks import Job
from tests.archives import NOW

BEGIN = datetime(2026, 1, 20, tzinfo=UTC)


def count_lines(services: int, hours: int) -> list[str]:
    """Return counts of an hour as lines of CSV, in order of time."""
    return [
        f"s{service},{BEGIN + timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ},3600,{(hour * 7 + service) % 11 + 1}"
        for hour in range(hours)
        for service in range(services)
    ]


def backfilled(folder: Path, *archives: list[str]) -> dict[str, list[dict[str, object]]]:
    """Return the rows of every file that a backfill of archives of counts publishes, by the file's place."""
    for number, lines in enumerate(archives):
        path = folder / f"{number}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text("service,start_utc,interval_s,total\n" + "\n".join(lines) + "\n", encoding="utf-8")
    job = Job(
        root=str(folder / "out"),
        now=utc(NOW),
        catalogue=load_catalogue(),
        detector=SeasonalNB(),
        model="",
        salt_mark="",
        new_services=True,
    )
    result = Local().run(parts_of("counts", [str(folder / "*.csv")], "m"), job, lambda done, total: None)
    assert not [one.error for one in (*result.parts, *result.buckets) if one.error]
    tables = sorted((folder / "out").glob("[a-z]*/**/*.parquet"))
    return {str(path.relative_to(folder)): pq.read_table(path, partitioning=None).to_pylist() for path in tables}


def test_archives_that_overlap_and_are_in_no_order_give_the_rows_of_one_in_order(tmp_path: Path) -> None:
    lines = count_lines(3, 400)
    shuffled = lines[300:]
    random.Random(5).shuffle(shuffled)
    in_order = backfilled(tmp_path / "one", lines)
    assert backfilled(tmp_path / "two", shuffled, lines[:900]) == in_order
    counted = [
        row["start"] for path, rows in in_order.items() if "/complaint_counts/service=s0/" in path for row in rows
    ]
    assert counted == sorted({line.split(",")[1] for line in lines})


def test_rows_of_a_key_are_kept_once_and_the_first_of_them() -> None:
    columns = {"key": ["b", "a", "b", "a", "c"], "n": [2, 1, 2, 1, 0], "of": ["1st", "2nd", "3rd", "4th", "5th"]}
    kept = [{"key": "a", "n": 1, "of": "2nd"}, {"key": "b", "n": 2, "of": "1st"}, {"key": "c", "n": 0, "of": "5th"}]
    table = pa.table(columns)
    assert once(table, ("key", "n")).to_pylist() == kept
    assert once(pa.concat_tables([table.slice(0, 2), table.slice(2)]), ("key", "n")).to_pylist() == kept
    assert [once(table.slice(0, rows), ("key", "n")).num_rows for rows in (0, 1)] == [0, 1]


def test_a_task_with_more_files_than_may_be_open_at_once_publishes_every_row_in_order(tmp_path: Path) -> None:
    writer = Writer(tmp_path, "task", most_open=2)
    schema = pa.schema([("n", pa.int64()), ("name", pa.string())])
    for n in range(12):
        writer.add_table(Path(f"folder{n % 4}"), pa.table({"n": [n], "name": [str(n)]}, schema=schema))
    writer.publish()
    published = {path.parent.name: pq.read_table(path)["n"].to_pylist() for path in tmp_path.rglob("*.parquet")}
    assert published == {f"folder{n}": [n, n + 4, n + 8] for n in range(4)}
    assert not list((tmp_path / "_aside").iterdir())
