"""Which failures of a run are reported: each one once, when it begins, and once more when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from pipeline.core.records import Run
from pipeline.core.times import iso, utc
from pipeline.core.vocabulary import RunOutcome
from pipeline.store import Store
from pipeline.store.runs import checkpoints, delete_checkpoints, set_checkpoint

SETTLED = timedelta(
    minutes=30
)  # so long without a failure before it counts as over: a flapping source is reported once
BEGAN, LAST = "failing_since", "failed_last"  # the stages of `stage_memory` under which both times are kept


class Recovery(Struct, frozen=True):
    """A source or stage that works again, and since when it had failed."""

    run: Run
    failing_since: datetime


class FailureReport(Struct, frozen=True):
    """The failed runs by whether they were reported before, and what works again."""

    began: tuple[Run, ...] = ()
    lasting: tuple[Run, ...] = ()
    recovered: tuple[Recovery, ...] = ()


def has_failed(run: Run) -> bool:
    """Return whether a run was an error, was blocked or refused rows."""
    return run.outcome in (RunOutcome.ERROR, RunOutcome.BLOCKED) or run.rejected > 0


def report_failures(store: Store, runs: Sequence[Run], now: datetime) -> FailureReport:
    """Sort the failures of a run into new and known ones, and remember them; return what is to be reported.

    A source is over its failure when it has answered and none failed for `SETTLED`. Refused rows end without a report.
    """
    since, last = checkpoints(store, BEGAN), checkpoints(store, LAST)
    began: list[Run] = []
    lasting: list[Run] = []
    recovered: list[Recovery] = []
    over: list[str] = []
    failed = [run for run in runs if has_failed(run)]
    for run in failed:
        (lasting if _key(run) in since else began).append(run)
    failed_subjects = {(run.stage, run.subject) for run in failed}
    for run in runs:
        answers = run.outcome is not RunOutcome.ERROR and run.rejected > 0  # it refuses rows
        if not answers and ((run.stage, run.subject) in failed_subjects or not _shows_recovery(run)):
            continue
        silence = _key(run, refused=False)
        for key in (silence,) if answers else (silence, _key(run, refused=True)):
            if key in since and now - utc(last.get(key, since[key])) >= SETTLED:
                over.append(key)
                if key == silence:
                    recovered.append(Recovery(run, utc(since[key])))
    if not (failed or over):
        return FailureReport()
    with store.transaction() as conn:
        for run in began:
            set_checkpoint(conn, BEGAN, _key(run), iso(now))
        for run in failed:
            set_checkpoint(conn, LAST, _key(run), iso(now))
        delete_checkpoints(conn, BEGAN, over)
        delete_checkpoints(conn, LAST, over)
    return FailureReport(tuple(began), tuple(lasting), tuple(recovered))


def _key(run: Run, *, refused: bool | None = None) -> str:
    """Return under which name a failure is remembered: refused rows are another one than no answer."""
    if refused is None:
        refused = run.outcome not in (RunOutcome.ERROR, RunOutcome.BLOCKED) and run.rejected > 0
    return f"{run.stage} {run.subject}{' refused' if refused else ''}"


def _shows_recovery(run: Run) -> bool:
    """Return whether a run without failure shows that its subject works: a channel with nothing to send does not."""
    return run.stage != "alert" or run.new > 0
