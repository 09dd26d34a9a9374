"""What is kept for how long, applied once a day."""

from __future__ import annotations

from datetime import datetime, timedelta

from pipeline.config.settings import Keep
from pipeline.core.records import Run
from pipeline.core.times import iso, utc
from pipeline.store import Store
from pipeline.store.count_retention import roll_up_counts
from pipeline.store.retention import forget, forget_refused, forget_runs, ids_before, remove_old_backups
from pipeline.store.runs import get_checkpoint, record_run, set_checkpoint

SURE = timedelta(days=3)  # between two runs: beyond that the clock is not believed at once


def tidy(store: Store, now: datetime, keep: Keep) -> Run | None:
    """Take away what is older than it is kept, once a day; None when that was done today or is not due.

    The day after a pause of more than three nothing is taken away.
    """
    today, last = iso(now)[:10], get_checkpoint(store, "tidy", "day")
    if last == today:
        return None
    if last is None or abs(now - utc(f"{last}T00:00:00Z")) > SURE:
        # after a pause, or by a clock that stands wrong: what is gone is gone, so it waits for a second day
        with store.transaction() as conn:
            set_checkpoint(conn, "tidy", "day", today)
        return None
    old = ids_before(store, now - keep.words) if keep.words is not None else {}
    gone = sum(forget(store, source, ids) for source, ids in old.items())
    gone += forget_refused(store, now - keep.refused) + forget_runs(store, now - keep.runs)
    gone += roll_up_counts(store, now - keep.counts) if keep.counts is not None else 0
    gone += len(remove_old_backups(store, now))
    with store.transaction() as conn:
        set_checkpoint(conn, "tidy", "day", today)
    run = Run(stage="tidy", subject="database", started=now, outcome="ok", new=gone)
    record_run(store, run)
    return run
