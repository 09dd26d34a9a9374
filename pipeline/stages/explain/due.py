"""Whether there is anything to explain; nothing heavy is imported to find that out."""

from __future__ import annotations

from datetime import datetime

from pipeline.core.records import Run
from pipeline.core.times import floor_to, iso, utc_or_none
from pipeline.core.vocabulary import RunOutcome
from pipeline.store import Store
from pipeline.store.incidents import anything_to_explain
from pipeline.store.runs import get_checkpoint, record_run, set_checkpoint


def explain_nothing(store: Store, now: datetime) -> Run | None:
    """Note a run in which nothing can have changed the incidents and return it; None where there is work to do."""
    watermark = utc_or_none(get_checkpoint(store, "explain", "through"))
    if watermark is None:
        return None
    now = max(now, watermark)
    if is_surge_watch_due(store, now) or anything_to_explain(store, watermark):
        return None
    return explained(store, now, seen=1, new=0)


def explained(
    store: Store, now: datetime, *, seen: int, new: int, outcome: RunOutcome = RunOutcome.OK, error: str = ""
) -> Run:
    """Note up to when was explained, and the run; `seen` and `new` are its counts."""
    with store.transaction() as conn:
        set_checkpoint(conn, "explain", "through", iso(now))
    run = Run(stage="explain", subject="incidents", started=now, outcome=outcome, seen=seen, new=new, error=error)
    record_run(store, run)
    return run


def is_surge_watch_due(store: Store, now: datetime) -> bool:
    """Return whether the watch has not looked since the hour began: its signals are those of whole hours."""
    return (get_checkpoint(store, "explain", "surge") or "") < iso(floor_to(now, 3600))
