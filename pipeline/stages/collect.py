"""Collect: ask one source for what is new, store its rows, rejects, memory and coverage in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from pipeline.errors import SourceError
from pipeline.model import Run
from pipeline.sources import Source
from pipeline.store import Store
from pipeline.store.collected import save_batch
from pipeline.store.runs import coverage, memory_of, record_run, remember

FIRST_LOOK = timedelta(hours=24)


def run_collect(
    store: Store,
    source: Source,
    now: datetime,
    *,
    since: datetime | None = None,
    memory: Mapping[str, str] | None = None,
) -> tuple[Run, Mapping[str, str]]:
    """Fetch one source; return what happened and the source's memory. A failure is recorded, never raised.

    A replay gives `since` and `memory` itself; a live run takes them from the store.
    """
    replay = since is not None
    known = memory if memory is not None else memory_of(store, source.name)
    if since is None:
        spans = coverage(store, source.name)
        since = max(spans[-1][1], now - timedelta(days=7)) if spans else now - FIRST_LOOK
    try:
        batch = source.fetch(min(since, now), now, known)
    except SourceError as error:
        if error.retry_after and not replay:
            with store.transaction() as conn:
                remember(conn, source.name, {"retry_after": error.retry_after})
        run = Run(stage="collect", subject=source.name, started=now, outcome=error.outcome, error=str(error)[:500])
    except Exception as error:  # noqa: BLE001  one source's surprise must not cost the others their turn
        words = f"{source.name}: unexpected {type(error).__name__}: {str(error)[:160]}"
        run = Run(stage="collect", subject=source.name, started=now, outcome="error", error=words)
    else:
        new = save_batch(store, batch, now)
        known = {**known, **batch.memory}
        run = Run(stage="collect", subject=source.name, started=now, outcome=batch.outcome, seen=len(batch.rows),
                  new=new, rejected=len(batch.rejected), covered=batch.covered, error=batch.detail)  # fmt: skip
    record_run(store, run)
    return run, known
