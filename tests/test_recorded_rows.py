"""Counts of a recording that are kept as columns are offered, and judged ahead, as records are."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.load import load_config
from pipeline.core.times import utc
from pipeline.detection.factory import make_detector
from pipeline.replay.alarm_forecast import AlarmForecast, is_in_order
from pipeline.replay.recorded_rows import CountedRows
from pipeline.replay.recorded_source import RecordedSource
from pipeline.replay.scenario import Scenario, read_scenario
from pipeline.sources.count_columns import parse_count_columns, rows_of
from pipeline.store import Store
from pipeline.store.observations import save_batch
from pipeline.store.runs import coverage
from tests.copies import replace
from tests.replays import dump

START = utc("2026-03-02T00:00:00Z")
DELAY = timedelta(minutes=2)


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    (tmp_path / "scenario.toml").write_text(
        "start = 2026-03-02T01:00:00Z\nend = 2026-03-20T00:00:00Z\nwatch = ['github']\n"
    )
    return read_scenario(tmp_path)


def sources(scenario: Scenario, lines: list[str]) -> tuple[RecordedSource, RecordedSource]:
    """Return the same counts as columns and as records."""
    body = "\n".join(["service,start_utc,interval_s,total,region", *lines]).encode()
    read = parse_count_columns(body, source="complaints", fetched_at=scenario.end)
    assert read is not None
    assert read.columns is not None
    records = [(row.start + timedelta(seconds=row.interval_s) + DELAY, row) for row in rows_of(read.columns)]
    records = [(public, row) for public, row in records if public - DELAY >= scenario.start]
    columns = CountedRows(read.columns, scenario.start, DELAY)
    return (
        RecordedSource("complaints", scenario, "complaints", columns, []),
        RecordedSource("complaints", scenario, "complaints", records, []),
    )


def lines(names: list[tuple[str, str]], *, widths: tuple[int, ...] = (900,), days: int = 1) -> list[str]:
    dice = np.random.default_rng(7)
    made = [
        (START + timedelta(seconds=width * n), service, region, width)
        for width in widths
        for n in range(days * 86400 // width)
        for service, region in names
    ]
    totals = dice.poisson(6.0, len(made))
    return [
        f"{service},{at:%Y-%m-%dT%H:%M:%SZ},{width},{n},{region}"
        for (at, service, region, width), n in zip(made, totals, strict=True)
    ]


NAMES = [("netflix", ""), ("github", ""), ("github", "Ohio"), ("github-x", "")]


def test_they_are_offered_in_the_same_order_and_stored_alike(scenario: Scenario, tmp_path: Path) -> None:
    given = lines(NAMES, widths=(900, 3600, 10800))
    columns, records = sources(scenario, [given[n] for n in np.random.default_rng(3).permutation(len(given))])
    assert columns.size == records.size
    assert list(columns.rows()) == list(records.rows())
    moments = [scenario.start + timedelta(minutes=n) for n in (10, 11, 17, 60, 300, 301, 1600)]
    for at in moments:
        assert columns.next_after(at) == records.next_after(at)
        assert columns.last_until(at) == records.last_until(at)
    with Store(tmp_path / "a.db") as a, Store(tmp_path / "b.db") as b:
        for since, now in pairwise(moments):
            state = {} if since == moments[0] else {"begun": "x"}
            batches = columns.fetch(since, now, state), records.fetch(since, now, state)
            assert [batch.size for batch in batches] == [batches[0].size] * 2
            assert batches[0].outcome == batches[1].outcome
            assert replace(batches[0], columns=None, rows=()) == replace(batches[1], rows=())
            assert save_batch(a, batches[0], now) == save_batch(b, batches[1], now)
    assert dump(tmp_path / "a.db") == dump(tmp_path / "b.db")


def test_neither_changes_the_past(scenario: Scenario) -> None:
    columns, records = sources(scenario, lines(NAMES, widths=(900, 3600)))
    assert is_in_order(columns)
    assert is_in_order(records)


@pytest.mark.parametrize("names", [NAMES, [("netflix", ""), ("github", "")]])
def test_they_are_judged_ahead_alike(scenario: Scenario, names: list[tuple[str, str]]) -> None:
    given = lines(names, days=12)
    loud = [n for n, line in enumerate(given) if line.startswith("github,2026-03-11T1")]
    for n in loud:
        service, at, width, total, region = given[n].split(",")
        given[n] = ",".join((service, at, width, str(int(total) + 90), region))
    step = timedelta(minutes=15)
    begin = START + timedelta(days=8)

    def at_or_after(moment: datetime) -> datetime:
        return begin + max(0, -((begin - moment) // step)) * step

    found = []
    for source in sources(scenario, given):
        forecast = AlarmForecast([source], make_detector(load_config(None)), begin, step, at_or_after)
        now, alarms, end = begin, [], START + timedelta(days=12)
        while (at := forecast.next_alarm(now, end, end)) is not None:
            alarms.append(at)
            now = at
        found.append(alarms)
    assert found[0] == found[1]
    assert found[0][0].date() == utc("2026-03-11T00:00:00Z").date()


def test_runs_before_anything_is_public_cover_nothing(scenario: Scenario, tmp_path: Path) -> None:
    of_columns, _ = sources(scenario, ["github,2026-03-02T01:00:00Z,60,3,"])
    with Store(tmp_path / "a.db") as store:
        since, state = scenario.start, dict[str, str]()
        for minute in (1, 2, 3, 4):
            now = scenario.start + timedelta(minutes=minute)
            batch = of_columns.fetch(since, now, state)
            save_batch(store, batch, now)
            since, state = now, {**state, **batch.state}
        assert coverage(store, "complaints") == [(scenario.start, scenario.start + timedelta(minutes=4) - DELAY)]
        assert store.rows("SELECT total FROM complaint_counts")[0]["total"] == 3
