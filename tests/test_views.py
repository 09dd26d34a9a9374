"""The views and questions that people put to the database: they run, are in the dictionary, and use indexes."""

from __future__ import annotations

import importlib.util
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from pipeline.config.paths import DASHBOARDS
from pipeline.core.records import Batch, ComplaintCount
from pipeline.core.times import iso, utc
from pipeline.store import Store
from pipeline.store.observations import save_batch
from tests.conftest import ROOT


def test_every_view_runs_and_every_column_is_in_the_dictionary(tmp_path: Path) -> None:
    metadata = yaml.safe_load((DASHBOARDS / "metadata.yml").read_text(encoding="utf-8"))["databases"]["groundswell"]
    told = metadata["tables"]
    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        names = {
            r[0]: r[1]
            for r in store.rows(
                "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE '%fts%'"
                " AND name NOT LIKE 'sqlite%' AND name NOT LIKE '_sqlite%'"
            )
        }
        assert set(names) == set(told)
        for name, kind in names.items():
            store.rows(f'SELECT * FROM "{name}" LIMIT 1')
            columns = [r[1] for r in store.rows(f'PRAGMA table_info("{name}")')]
            assert set(columns) == set(told[name]["columns"]), name
            # what a view is asked for is a contract: its columns, in this order
            assert kind == "table" or columns == list(told[name]["columns"]), name
        for query in metadata["queries"].values():
            values = {
                key: 'it\'s "quoted" AND * ('
                for key in ("words", "service", "day", "incident", "moment", "hour")
                if f":{key}" in query["sql"]
            }
            store.rows(query["sql"], values)


def test_every_query_of_the_cookbook_runs(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("cookbook", ROOT / "docs" / "cookbook.py")
    assert spec is not None
    assert spec.loader is not None
    cookbook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cookbook)
    found = cookbook.queries((ROOT / "docs" / "analysts.md").read_text(encoding="utf-8"))
    assert len(found) >= 18
    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        for query in found:
            store.rows(query)
    assert cookbook.table(["a", "b"], [("x" * 200, None), (1, 2)]).splitlines()[0].split() == ["a", "b"]


LARGE = ("posts", "post_tags", "votes", "count_values", "count_hours", "verdicts", "news_items", "status_updates")


@pytest.mark.parametrize(
    "question",
    [
        "complaints_by_hour WHERE service = 'x' AND hour >= '2026-03-01'",
        "gaps WHERE service = 'x'",
        "gaps WHERE last_before >= '2026-03-01'",
        "alarms WHERE bin_start >= '2026-03-01'",
        "what_is_wrong_now",
        "incident_overview",
        "blind_sources",
        "how_good_are_we",
        "counted_votes WHERE created >= '2026-03-01'",
        "who_said_it_began WHERE incident = 'x'",
        "what_the_press_claims WHERE published >= '2026-03-01'",
        "news_around WHERE incident = 'x'",
        "official_updates WHERE displayed_at >= '2026-03-01'",
        "which_component WHERE incident = 'x'",
        "official_lag",
        "episodes",
        "how_sure WHERE incident = 'x'",
        "how_it_went WHERE incident = 'x'",
        "availability_by_month",
        "rivals_meanwhile WHERE incident = 'x'",
        "outages_like_it WHERE incident = 'x'",
        "messages",
        "surge_watch",
        "what_else_was_wrong WHERE incident = 'x'",
    ],
)
def test_no_question_reads_a_large_table_whole(tmp_path: Path, question: str) -> None:
    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        plan = [str(row[3]) for row in store.rows(f"EXPLAIN QUERY PLAN SELECT * FROM {question}")]
        aliases = {"h": "count_hours", "v": "verdicts", "p": "posts", "t": "post_tags", "n": "news_items"}
        for step in plan:
            words = step.split()
            assert words[0] != "SCAN" or (words[1] not in LARGE and not (words[1] in aliases and words[1] != "n")), step


@pytest.mark.parametrize(
    ("hours", "count"), [("hour = '2026-03-01T05:00:00Z'", 1), ("hour >= '2026-03-01' AND hour < '2026-03-02'", 24)]
)
def test_hours_of_all_services_are_found_by_an_index(tmp_path: Path, hours: str, count: int) -> None:
    start = utc("2026-02-20T00:00:00Z")
    counted = [
        ComplaintCount(
            service=f"s{i % 5}",
            source="x",
            region="",
            indicator="",
            start=start + timedelta(minutes=15 * (i // 5)),
            interval_s=900,
            total=1,
            collected=start,
        )
        for i in range(5 * 96 * 12)
    ]
    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        save_batch(store, Batch(source="x", rows=tuple(counted)), start)
        question = f"SELECT * FROM complaints_by_hour WHERE {hours} ORDER BY service, hour"
        plan = [str(row[3]) for row in store.rows(f"EXPLAIN QUERY PLAN {question}")]
        assert any(step.startswith("SEARCH h USING PRIMARY KEY (series=? AND hour") for step in plan), plan
        assert len(store.rows(question)) == 5 * count


def test_the_dashboard_reads_its_last_hours_by_the_index(tmp_path: Path) -> None:
    told = yaml.safe_load((DASHBOARDS / "metadata.yml").read_text(encoding="utf-8"))
    query = told["plugins"]["datasette-dashboards"]["story"]["charts"]["complaints"]["query"]
    with Store(tmp_path / "x.db", views=DASHBOARDS / "views.sql") as store:
        plan = [str(row[3]) for row in store.rows(f"EXPLAIN QUERY PLAN {query}")]
        assert any(step.startswith("SEARCH h USING PRIMARY KEY (series=? AND hour>?)") for step in plan), plan
        begin = utc("2026-03-01T00:00:00Z")
        counted = [
            ComplaintCount(
                service=service,
                source="x",
                region=region,
                indicator="",
                start=begin + timedelta(minutes=30 * n),
                interval_s=1800,
                total=3,
                collected=begin,
            )
            for n in range(48 * 9)
            for service, region in (("whole", ""), ("parts", "north"), ("parts", "south"))
        ]
        save_batch(store, Batch(source="x", rows=tuple(counted)), begin)
        with store.transaction() as conn:  # as detect does for what it judges
            conn.execute("INSERT INTO series VALUES ('p', 'parts', 'complaints', 'x', '', '', 1800)")
        hours: dict[str, list[tuple[str, int]]] = {}
        for hour, name, complaints in store.rows(query):
            hours.setdefault(name, []).append((hour, complaints))
        last = [iso(begin + timedelta(days=9) - timedelta(hours=n)) for n in range(1, 7 * 24 + 1)]
        assert hours == {"whole, x": [(hour, 6) for hour in last], "parts, x": [(hour, 12) for hour in last]}
