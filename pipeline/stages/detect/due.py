"""Whether there is anything to judge; no detector is imported to find that out."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import NamedTuple

from detectors import VERSIONS
from pipeline.config.settings import Config
from pipeline.core.records import KIND, Run
from pipeline.core.times import floor_to, iso_or_none
from pipeline.core.vocabulary import RunOutcome
from pipeline.detection.series_groups import FORGETTING, complete_until, offered_bins, series_groups
from pipeline.store import Store
from pipeline.store.clock import follows_pause
from pipeline.store.detector_input import newest_collected
from pipeline.store.detector_state import state_mark
from pipeline.store.runs import get_checkpoint, heard, record_run, remembered, set_checkpoint
from pipeline.store.verdicts import forget_old_verdicts

KEEP = timedelta(days=14)
UNCHANGED = "unchanged"  # the note of what was there when nothing was left to judge


def judge_nothing(store: Store, config: Config, now: datetime) -> Run | None:
    """Note a run for which everything was judged before and return it; None where there may be bins to judge."""
    there = _there(store, config, now)
    if get_checkpoint(store, "detect", UNCHANGED) != there.digest:
        return None
    return judged(store, now, seen=there.offered, new=0)


def note_unchanged(store: Store, config: Config, now: datetime) -> None:
    """Note what is there, once everything was judged: while it stays so, no run has anything to judge."""
    with store.transaction() as conn:
        set_checkpoint(conn, "detect", UNCHANGED, _there(store, config, now).digest)


def judged(
    store: Store, now: datetime, *, seen: int, new: int, outcome: RunOutcome = RunOutcome.OK, error: str = ""
) -> Run:
    """Forget old verdicts when it is time to, and record the run; `seen` and `new` are its counts."""
    if now - floor_to(now, 86400) < FORGETTING and not follows_pause(store, now):
        forget_old_verdicts(store, now - KEEP)
    run = Run(stage="detect", subject="series", started=now, outcome=outcome, seen=seen, new=new, error=error)
    record_run(store, run)
    return run


class _There(NamedTuple):
    """A digest of what decides whether there is anything to judge, and how many known bins a run is offered again."""

    digest: str
    offered: int


def _there(store: Store, config: Config, now: datetime) -> _There:
    """Return what is there to be judged.

    The digest is of the detector and its version, what each source counts, and of each group the complete bins, the
    newest row and the newest state. Without that state, or with one of another detector, all is judged again.
    """
    version = VERSIONS.get(config.detector.name, 1)
    groups, offered = [], 0
    for group in series_groups(store):
        spans = heard(store, group.source) if group.kind == "votes" else []
        collected = newest_collected(store, group.source, group.window)
        until, state = complete_until(store, group, spans, now), state_mark(store, group.subject, "now")
        groups.append((group.subject, iso_or_none(until), iso_or_none(collected), state))
        offered += offered_bins(group, until, now) if until is not None else 0
    judged_by = config.detector, version, remembered(store, KIND)
    digest = hashlib.sha256(repr((judged_by, config.watched, groups)).encode()).hexdigest()
    return _There(digest, offered)
