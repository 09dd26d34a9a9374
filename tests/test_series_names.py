"""Names in series: refused at every door when not usable, and a database that holds such a name already still works."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from detectors.contract import SeriesName
from detectors.packing import rename_series
from detectors.seasonal.detector import SeasonalNB
from pipeline.commands.common import PARTIAL
from pipeline.core.names import LONGEST_NAME, usable_name
from pipeline.core.records import ComplaintCount
from pipeline.core.series import SeriesColumn, SeriesKey, VerdictPoint
from pipeline.core.times import iso, utc
from pipeline.detection.states import columns_of, load_state
from pipeline.sources.counts import parse_counts
from pipeline.sources.downdetector import parse_reports
from pipeline.stages.detect.stage import run_detect
from pipeline.store import Store
from pipeline.store.counts import put_counts
from pipeline.store.detector_state import state_parts
from pipeline.store.verdicts import verdicts
from tests.conftest import Groundswell

pa = pytest.importorskip("pyarrow", reason="pip install -e '.[scale]'")
pq = pytest.importorskip("pyarrow.parquet", reason="pip install -e '.[scale]'")

NOW = utc("2026-11-27T00:00:00Z")
LOUD_FROM = utc("2026-11-25T21:00:00Z")
WEEK = utc("2026-11-16T00:00:00Z")
UNUSABLE = ("login/web", "login|web", "log\nin", "login\0", "x" * 10_000)


def write_parquet(path: Path, indicator: str = "", service: str = "claude", region: str = "") -> None:
    """Write six quiet days in quarters of an hour, with ten loud bins at the end of the fifth."""
    begin = NOW - timedelta(days=6)
    starts = [begin + timedelta(minutes=15 * n) for n in range(576)]
    table = pa.table(
        {
            "service": [service] * len(starts),
            "start_utc": [iso(start) for start in starts],
            "interval_s": [900] * len(starts),
            "total": [400 if 0 <= (start - LOUD_FROM) / timedelta(minutes=15) < 10 else 4 for start in starts],
            "indicator": [indicator] * len(starts),
            "region": [region] * len(starts),
        }
    )
    pq.write_table(table, path)


def backfilled(groundswell: Groundswell, folder: Path, code: int = 0, **names: str) -> str:
    write_parquet(folder / "c.parquet", **names)
    done = groundswell("backfill", "out", "--counts", "c.parquet", "--into-db", "--db", "x.db", "--now", iso(NOW))
    assert done.returncode == code, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["claude", "É", "a" * LONGEST_NAME, "web app"])
def test_a_short_printable_name_is_usable(name: str) -> None:
    assert usable_name(name)


@pytest.mark.parametrize("name", ["", *UNUSABLE, "a" * (LONGEST_NAME + 1)])
def test_separators_control_characters_and_length_make_a_name_unusable(name: str) -> None:
    assert not usable_name(name)


def test_no_name_is_usable_only_where_there_may_be_none() -> None:
    assert usable_name("", empty=True)


@pytest.mark.parametrize("column", ["service", "indicator", "region"])
@pytest.mark.parametrize("name", ["login|web", "x" * 10_000])
def test_a_file_of_counts_refuses_an_unusable_name_with_its_row(column: str, name: str) -> None:
    good = {"service": "claude", "start_utc": "2026-11-01T00:00:00Z", "total": 3, "interval_s": 900}
    body = json.dumps([good, {**good, "start_utc": "2026-11-01T00:15:00Z", column: name}]).encode()
    batch = parse_counts(body, source="counts:x", fetched_at=NOW)
    assert len(batch.rows) == 1
    assert [bad.where for bad in batch.rejected] == ["line:2"]
    assert "not a usable name" in batch.rejected[0].reason


def test_an_indicator_of_an_api_without_a_usable_name_is_refused() -> None:
    points = [{"point_in_time": "2026-11-01T00:00:00Z", "total": 3, "indicators": {"log in": 1, " ": 2}}]
    batch = parse_reports(json.dumps(points).encode(), source="downdetector:US", fetched_at=NOW, service="claude")
    assert not batch.rows
    assert [bad.where for bad in batch.rejected] == ["report 0"]


@pytest.mark.parametrize("name", UNUSABLE)
def test_parquet_refuses_an_unusable_name_as_other_files_do(
    groundswell: Groundswell, tmp_path: Path, name: str
) -> None:
    assert "576 refused" in backfilled(groundswell, tmp_path, PARTIAL, indicator=name)
    explained = groundswell("explain", "--db", "x.db", "--now", iso(NOW))
    assert (explained.returncode, explained.stderr) == (0, "")


@pytest.mark.parametrize("column", ["indicator", "region", "service"])
def test_a_database_that_holds_an_unusable_name_already_works(
    groundswell: Groundswell, tmp_path: Path, column: str
) -> None:
    assert "0 refused" in backfilled(groundswell, tmp_path, indicator="web")
    with sqlite3.connect(tmp_path / "x.db") as conn:
        # what an older version wrote: the key holds one separator more than it has parts
        conn.execute(f"UPDATE series SET {column} = 'a/b', series = 'claude/a/b/' || series")
        conn.execute("UPDATE verdicts SET series = 'claude/a/b/' || series")
        conn.execute(f"UPDATE count_series SET {column} = 'a/b'")
    for command in (
        ("explain",),
        ("why", "claude", "--at", iso(LOUD_FROM + timedelta(hours=1))),
        ("status",),
        ("publish",),
        ("detect",),
        ("explain",),
    ):
        done = groundswell(*command, "--db", "x.db", "--now", iso(NOW))
        assert done.returncode == 0, (command, done.stderr)
        assert "Traceback" not in done.stderr


def test_judged_bins_come_under_the_columns_of_their_series(store: Store) -> None:
    key = SeriesKey(service="claude", channel="complaints", source="x", bin_s=900, indicator="a/b")
    with store.transaction() as conn:
        conn.execute("INSERT INTO series VALUES ('any text','claude','complaints','x','','a/b',900)")
        conn.execute("INSERT INTO verdicts VALUES ('any text','2026-11-01T00:00:00Z',7,NULL,15,3.5,0.01,1,1,'d')")
    (points,) = [points for known, points in verdicts(store, utc("2026-11-01T00:00:00Z"), NOW).items() if known == key]
    assert points[0]._replace(expected=0.0) == VerdictPoint(utc("2026-11-01T00:00:00Z"), 7.0, 0.0, 15.0, 3.5, 1)
    assert points[0].expected != points[0].expected


QUIET, LOUD = 4, 400
ODD_COLUMNS = [("claude", "log|in"), ("claude", "log/in"), ("cla|ude", "web"), ("cla|ude", ""), ("a|b|c", "d|e")]


def quarter(
    start: datetime, total: int, service: str = "claude", indicator: str = "", baseline: float | None = None
) -> ComplaintCount:
    return ComplaintCount(
        service=service,
        source="old",
        region="",
        indicator=indicator,
        start=start,
        interval_s=900,
        total=total,
        collected=start,
        baseline=baseline,
    )


def store_counts(store: Store, columns: list[tuple[str, str]], since: datetime, bins: int, *, loud: bool) -> None:
    """Store quarters of an hour as an older version did, which took any name; the last four are loud if asked."""
    rows = [
        quarter(since + timedelta(minutes=15 * n), LOUD if loud and n >= bins - 4 else QUIET, service, indicator)
        for service, indicator in columns
        for n in range(bins)
    ]
    with store.transaction() as conn:
        put_counts(conn, rows)


def judged(store: Store, now: datetime) -> dict[tuple[str, str], list[VerdictPoint]]:
    run_detect(store, SeasonalNB(), [], now)
    return {(key.service, key.indicator): points for key, points in verdicts(store, WEEK, now).items()}


@pytest.mark.parametrize("column", ODD_COLUMNS)
def test_counts_stored_under_odd_names_are_judged_as_series_of_those_names(
    store: Store, column: tuple[str, str]
) -> None:
    store_counts(store, [column], WEEK, 5 * 96, loud=False)
    assert column in judged(store, WEEK + timedelta(days=5))
    store_counts(store, [column], WEEK + timedelta(days=5), 8, loud=True)
    points = judged(store, WEEK + timedelta(days=5, hours=2))
    assert set(points) == {column, (column[0], "")}, "and as the whole of their service"
    assert [point.level for point in points[column][-4:]] == [2] * 4


def test_a_state_whose_series_are_named_as_version_0_1_named_them_goes_on(store: Store, tmp_path: Path) -> None:
    until = WEEK + timedelta(days=5)
    names: dict[SeriesName, SeriesName] = {("cla|ude", ""): "cla|ude", ("cla|ude", "log|in"): "cla|ude|log|in"}
    results = []
    with Store(tmp_path / "new.db") as new:
        for one in (store, new):
            store_counts(one, [("cla|ude", "log|in")], WEEK, 5 * 96, loud=False)
            judged(one, until)
            if one is store:
                with one.transaction() as conn:
                    (subject,) = conn.execute("SELECT subject FROM detector_state WHERE slot = 'now'").fetchone()
                    state = SeasonalNB().open(partial(state_parts, one, subject, "now"))
                    old = rename_series(state.to_bytes(), names)
                    conn.execute("DELETE FROM detector_state_parts WHERE slot = 'now'")
                    conn.execute("INSERT INTO detector_state_parts VALUES (?,'now',0,?)", (subject, old))
                    conn.execute("UPDATE detector_state SET version = 1 WHERE slot = 'now'")
            store_counts(one, [("cla|ude", "log|in")], until, 8, loud=True)
            results.append(judged(one, until + timedelta(hours=2)))
    assert repr(results[0]) == repr(results[1])
    assert {point.level for point in results[0]["cla|ude", "log|in"][-4:]} == {2}


def test_a_state_of_a_series_that_is_not_known_is_not_used() -> None:
    counts = pd.DataFrame({"claude|web": [1.0]}, index=pd.date_range("2026-11-01", periods=1, freq="15min", tz="UTC"))
    blob = SeasonalNB().start(counts).to_bytes()
    assert load_state(SeasonalNB(), blob, lambda: [SeriesColumn("claude")]) is None
    state = load_state(SeasonalNB(), blob, lambda: [SeriesColumn("claude", "web")])
    assert state is not None
    assert columns_of(state) == [SeriesColumn("claude", "web")]


@pytest.mark.parametrize("damage", ["of another version", "cut short", "a part is absent", "a figure is another"])
def test_a_state_that_cannot_be_read_is_learned_again_without_an_alarm(store: Store, damage: str) -> None:
    until = WEEK + timedelta(days=5)
    store_counts(store, [("claude", "")], WEEK, 5 * 96, loud=False)
    before = judged(store, until)
    with store.transaction() as conn:
        if damage == "of another version":
            conn.execute("UPDATE detector_state SET detector = 'SeasonalNB/3()'")
        if damage == "a figure is another":
            conn.execute(
                "UPDATE detector_state_parts SET bytes = CAST(x'01' || substr(bytes, 2) AS BLOB) WHERE part = 2"
            )
        elif damage == "a part is absent":
            conn.execute("DELETE FROM detector_state_parts WHERE part = 2")
        else:
            conn.execute("UPDATE detector_state_parts SET bytes = substr(bytes, 1, 20000)")
            conn.execute("DELETE FROM detector_state_parts WHERE part > 0")
    store_counts(store, [("claude", "")], until, 1, loud=False)
    after = judged(store, until + timedelta(minutes=15))
    (old,), (new,) = before.values(), after.values()
    assert new[: len(old)] == old
    assert len(new) == len(old) + 1
    assert max(point.level for point in new) == 0
    assert new[-1].expected == pytest.approx(QUIET, rel=0.2)


@pytest.mark.parametrize(("baseline", "levels"), [(None, {None}), (40.0, {0})])
def test_a_young_series_is_judged_by_the_baseline_of_its_source(
    store: Store, baseline: float | None, levels: set[int | None]
) -> None:
    with store.transaction() as conn:
        counts = [quarter(WEEK + timedelta(minutes=15 * n), 45 if n < 3 else 400, baseline=baseline) for n in range(4)]
        put_counts(conn, counts)
    (points,) = judged(store, WEEK + timedelta(hours=1)).values()
    known = [None if point.score != point.score else point.level for point in points]
    assert set(known[:3]) == levels
    assert known[3] == (None if baseline is None else 2)
    if baseline is not None:
        assert points[0].expected == pytest.approx(baseline, rel=0.1)
