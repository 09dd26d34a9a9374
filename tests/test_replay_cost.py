"""What a step of a replay asks of the database, and that what it keeps in memory is what lies there."""

from __future__ import annotations

import random
import statistics
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from pipeline.commands.backtest import plan_replay
from pipeline.commands.common import Setting
from pipeline.config.load import load_config
from pipeline.core.count_columns import CountColumns, CountKey
from pipeline.core.records import Batch, ComplaintCount
from pipeline.core.series import SeriesKey, VerdictPoint
from pipeline.core.times import iso, utc
from pipeline.notify.channels.file import NoChannel
from pipeline.replay.runner import replay
from pipeline.replay.scenario_sources import load_recorded
from pipeline.stages.pipeline import Models
from pipeline.store import Store
from pipeline.store.activity import complaint_bins, complaints_by_hour
from pipeline.store.count_retention import roll_up_counts
from pipeline.store.counts import epoch
from pipeline.store.detector_input import count_groups
from pipeline.store.kept_answers import KeptAnswers
from pipeline.store.observations import save_batch
from pipeline.store.verdicts import Judgement, forget_old_verdicts, save_judgement, verdicts
from tests.benchmarks.archives import write_recording
from tests.stored_rows import VerdictRow, as_columns

NOW = utc("2026-03-02T10:00:00Z")


def test_a_step_in_which_nothing_happens_asks_the_database_forty_times_at_most(tmp_path: Path) -> None:
    write_recording(tmp_path / "day", ("github", "netflix", "slack"), 15, first_run=14, outages=0)
    setting = Setting(config=load_config(None), config_path=None, db=tmp_path / "x.db", now=NOW)
    plan = plan_replay(setting, tmp_path / "day", every=True)
    sources, _ = load_recorded(plan.scenario)
    asked: list[str] = []
    steps: list[int] = []
    with Store(tmp_path / "x.db", durable=False) as store:
        store.conn.set_trace_callback(asked.append)

        def step(done: int, total: int) -> None:
            # the rows of one `executemany` are one statement
            heads = [sql[:28] for sql in asked]
            steps.append(sum(head != before for head, before in zip(heads, ["", *heads], strict=False)))
            asked.clear()

        replay(store, plan, sources, {"file": NoChannel()}, Models(), step)
        assert store.rows("SELECT count(*) FROM incidents")[0][0] == 0, "nothing happened"
        assert store.rows("SELECT count(*) FROM verdicts")[0][0] > 3000, "and all was judged"
    assert len(steps) == 96
    assert statistics.median(steps) <= 40


def counts(service: str, start: datetime, total: int, *, source: str = "site", width: int = 900) -> Batch:
    row = ComplaintCount(
        service=service,
        source=source,
        region="",
        indicator="",
        start=start,
        interval_s=width,
        total=total,
        collected=NOW,
    )
    return Batch(source=source, rows=(row,))


def verdict(series: str, start: datetime, score: float) -> VerdictRow:
    return VerdictRow(series, iso(start), 1.0, 0.5, None, score, None, 0, 0, "d")


@pytest.mark.parametrize("late", [False, True])
def test_what_is_kept_of_a_span_is_read_again_when_a_count_of_it_is_written(tmp_path: Path, late: bool) -> None:
    span = NOW - timedelta(hours=2), NOW
    with Store(tmp_path / "x.db") as store, store.kept.keeping():
        save_batch(store, counts("github", NOW - timedelta(hours=1), 5), NOW)
        before = complaints_by_hour(store, "github", *span), complaint_bins(store, "github", *span)
        save_batch(store, counts("netflix", NOW - timedelta(hours=1), 9), NOW)
        save_batch(store, counts("github", NOW - timedelta(hours=1) if late else NOW, 7), NOW)
        after = complaints_by_hour(store, "github", *span), complaint_bins(store, "github", *span)
        assert [counted.total for counted in after[1]] == [7.0 if late else 5.0]
        assert (after[0] is before[0]) is not late, "what lies outside the span changes nothing"
    with Store(tmp_path / "x.db") as store:
        assert complaints_by_hour(store, "github", *span) == after[0]


def test_a_new_width_or_source_of_counts_is_seen_at_once(tmp_path: Path) -> None:
    with Store(tmp_path / "x.db") as store, store.kept.keeping():
        save_batch(store, counts("github", NOW, 1), NOW)
        assert count_groups(store) == [("site", 900, "interval")]
        save_batch(store, counts("github", NOW, 1, width=300), NOW)
        save_batch(store, counts("github", NOW, 1, source="other"), NOW)
        assert count_groups(store) == [("other", 900, "interval"), ("site", 300, "interval"), ("site", 900, "interval")]


def test_what_is_kept_of_counts_is_read_again_when_they_are_rolled_up(tmp_path: Path) -> None:
    span = NOW - timedelta(days=3), NOW
    with Store(tmp_path / "x.db") as store, store.kept.keeping():
        save_batch(store, counts("github", NOW - timedelta(days=2), 5), NOW)
        save_batch(store, counts("github", NOW - timedelta(days=2), 5, source="old"), NOW)
        save_batch(store, counts("github", NOW - timedelta(hours=1), 7), NOW)
        assert [counted.total for counted in complaint_bins(store, "github", *span)] == [5.0, 7.0]
        assert len(count_groups(store)) == 2
        roll_up_counts(store, NOW - timedelta(days=1))
        assert [counted.total for counted in complaint_bins(store, "github", *span)] == [7.0]
        assert count_groups(store) == [("site", 900, "interval")]
        kept = complaint_bins(store, "github", *span)
        roll_up_counts(store, NOW - timedelta(days=1))
        assert complaint_bins(store, "github", *span) is kept, "nothing was left to roll up"


def test_columns_of_a_known_kind_leave_what_is_kept_of_kinds(tmp_path: Path) -> None:
    key = CountKey("site", 900, "interval", "github", "", "")
    column = np.array([epoch(NOW)], dtype=np.int64)
    zero = np.zeros(1, dtype=np.int64)
    columns = CountColumns(keys=(key,), series=zero, start=column, total=zero, collected=column)
    with Store(tmp_path / "x.db") as store, store.kept.keeping():
        save_batch(store, counts("github", NOW - timedelta(hours=1), 5), NOW)
        assert count_groups(store) == [("site", 900, "interval")]
        kept = dict(store.kept.distinct_values)
        assert kept
        save_batch(store, Batch(source="site", rows=(), columns=columns), NOW)
        assert store.kept.distinct_values == kept


def test_what_is_kept_of_verdicts_is_what_a_store_that_keeps_none_reads(tmp_path: Path) -> None:
    dice = random.Random(4)
    keys = [SeriesKey(service="github", channel="votes", source=name, bin_s=60) for name in ("a", "b")]
    begin = NOW - timedelta(hours=5)
    with Store(tmp_path / "kept.db") as kept, Store(tmp_path / "plain.db") as plain, kept.kept.keeping():
        for turn in range(40):
            start = turn * 5 - dice.choice([0, 0, 0, 30])  # some come late
            judgement = Judgement(
                subject="a",
                keys=keys[: 1 + turn % 2],
                verdicts=[
                    as_columns(
                        [verdict(str(key), begin + timedelta(minutes=start + n), dice.uniform(0, 9)) for n in range(5)]
                    )
                    for key in keys[: 1 + turn % 2]
                ],
                states={},
                redo_from=begin + timedelta(minutes=start - 7) if dice.random() < 0.3 else None,
                now=NOW,
                collected=None,
            )
            for store in (kept, plain):
                save_judgement(store, judgement)
                if turn == 30:
                    forget_old_verdicts(store, NOW - timedelta(hours=4))
            until = begin + timedelta(minutes=turn * 5 + dice.randrange(20))
            for since in (begin + timedelta(minutes=turn), begin, begin + timedelta(minutes=turn * 2)):
                assert verdicts(kept, since, until) == verdicts(plain, since, until)
        assert len(verdicts(plain, begin, NOW)) == 2


def test_judged_bins_that_are_kept_are_not_read_again() -> None:
    answers, asked = KeptAnswers(), []

    def read(since: datetime, until: datetime) -> list[VerdictPoint]:
        asked.append((since, until))
        minutes = (until - since) // timedelta(minutes=1)
        return [VerdictPoint(since + timedelta(minutes=n), 1, 1, 1, 1, 0) for n in range(minutes)]

    minute, day = timedelta(minutes=1), timedelta(days=1)
    with answers.keeping():
        assert len(answers.spans.points.rows("s", NOW, NOW + 5 * minute, read)) == 5
        assert len(answers.spans.points.rows("s", NOW + minute, NOW + 9 * minute, read)) == 8
        assert asked == [(NOW, NOW + 5 * minute), (NOW + 5 * minute, NOW + 9 * minute)]
        assert len(answers.spans.points.rows("s", NOW + 2 * day, NOW + 2 * day, read)) == 0
        asked.clear()
        assert len(answers.spans.points.rows("s", NOW, NOW + minute, read)) == 1
        assert asked == [(NOW, NOW + minute)], "what is long past is not kept"
