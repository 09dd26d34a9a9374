"""Counts whose intervals begin at other minutes than the bins: judged on from run to run, whatever the minute."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from detectors.seasonal.detector import SeasonalNB
from pipeline.core.records import Batch, ComplaintCount
from pipeline.core.times import utc
from pipeline.stages.detect.stage import run_detect
from pipeline.store import Store
from pipeline.store.observations import save_batch

NOON = utc("2026-03-02T12:00:00Z")


def save(store: Store, since: datetime, until: datetime, interval: timedelta, now: datetime) -> None:
    """Save counts of intervals one after the other: 5 each, and 150 in the last."""
    starts = [since + n * interval for n in range((until - since) // interval)]
    rows = [
        ComplaintCount(
            service="claude",
            source="counts",
            region="",
            indicator="",
            start=start,
            interval_s=int(interval.total_seconds()),
            total=150 if start == starts[-1] else 4 + n % 3,
            collected=now,
            window="interval",
        )
        for n, start in enumerate(starts)
    ]
    save_batch(store, Batch(source="counts", rows=tuple(rows)), now)


@pytest.mark.parametrize("minutes", [0, 1, 14], ids="{} minutes off".format)
@pytest.mark.parametrize("interval", [timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)], ids=str)
def test_counts_that_begin_at_any_minute_are_judged_on_the_next_day(
    store: Store, interval: timedelta, minutes: int
) -> None:
    begin = utc("2026-01-20T00:00:00Z") + timedelta(minutes=minutes)
    for now in (NOON, NOON + timedelta(days=1), NOON + timedelta(days=2)):
        save(store, begin, now, interval, now)
        assert run_detect(store, SeasonalNB(), ("claude",), now).outcome == "ok"
        (last,) = store.rows("SELECT bin_start, observed, alarm FROM verdicts ORDER BY bin_start DESC LIMIT 1")
        assert (last["observed"], last["alarm"]) == (150, 1), "the newest interval is judged"
        assert now - utc(last["bin_start"]) < 2 * interval + timedelta(minutes=15)
