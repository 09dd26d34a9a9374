"""A replay delivers as a live run does: what waits, is merged or is over the hourly cap has the same rows in both."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.core.times import utc
from pipeline.store import open_readonly
from tests.conftest import SCENARIO
from tests.demo_live import run_live
from tests.replays import begun_later

BEGIN, UNTIL = utc("2026-03-02T11:30:00Z"), utc("2026-03-02T12:15:00Z")
OUTBOX = """SELECT transition, created, due_at, sent_at, merged_into, message_id, subject
FROM alerts ORDER BY created, message_id"""


def _outbox(db: Path) -> list[dict[str, str | None]]:
    conn = open_readonly(db)
    try:
        return [dict(row) for row in conn.execute(OUTBOX)]
    finally:
        conn.close()


@pytest.mark.slow
def test_live_and_replayed_hours_have_the_same_outbox(tmp_path: Path) -> None:
    out = tmp_path / "live"
    recorded = shutil.copytree(SCENARIO, tmp_path / "recorded", ignore=shutil.ignore_patterns("generator"))
    begun_later(recorded, "2026-02-22")  # what came before is not looked at here, and costs most of the time
    told = {"group_wait": timedelta(minutes=10), "max_per_hour": 1}
    live = run_live(recorded, out, BEGIN, UNTIL, progress=False, alerts=told)
    assert not live.troubles, live.troubles[:3]
    rows = _outbox(out / "groundswell.db")
    assert _outbox(out / "replayed.db") == rows
    # else a replay that sends all at once would pass, too
    waited = [row for row in rows if row["merged_into"] or (row["sent_at"] and row["sent_at"] > str(row["created"]))]
    assert waited, rows
