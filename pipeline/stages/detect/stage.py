"""Detect: judge every bin that is complete and new, keep the detector's state, go back when a bin came late.

Votes are counted by the minute for each service and source of posts, beside all that is said about it (the talk
channel); complaint counts are judged in the bins they come in. A minute counts as observed only where its source
was truly read: elsewhere it is a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from msgspec import Struct

from detectors.contract import BinnedCounts, Detector, DetectorState, IncompatibleStateError
from detectors.count_kinds import CountKind
from pipeline.core.count_columns import SeriesCounts, to_arrays
from pipeline.core.records import Run, source_kind
from pipeline.core.series import SeriesColumn
from pipeline.core.times import floor_to, utc
from pipeline.core.verdict_columns import VerdictColumns
from pipeline.detection.binning import LOOK_BACK, bin_counts
from pipeline.detection.factory import assume_baselines, counts_kind, detector_for_counts, detector_for_votes
from pipeline.detection.foreseen import judged_columns
from pipeline.detection.held_states import DAY, NOW, DetectorStates, stored_state
from pipeline.detection.report_counting import WINDOW, without_copies
from pipeline.detection.series_groups import SeriesGroup, complete_until, offered_bins, series_groups
from pipeline.detection.states import columns_of
from pipeline.sources import SOURCES
from pipeline.stages.detect.due import judged
from pipeline.store import Store, detector_input, detector_state
from pipeline.store import verdicts as rows
from pipeline.store.isolation import Isolation
from pipeline.store.runs import get_checkpoint, heard, load_source_state


class _ResumePoint(Struct, frozen=True):
    """Where to score from, with which state (None = a new one); redo: verdicts from there on are to be replaced.

    is_stored: the state is the one that lies in the slot `now` of the database.
    """

    start: datetime
    state: DetectorState | None = None
    redo: bool = False
    is_stored: bool = False


class _Task(NamedTuple):
    """What a pass over a group is for: watched services, when it is, the end of the bins that are complete.

    spans: when posts were read.
    """

    watched: Sequence[str]
    now: datetime
    until: datetime
    spans: Sequence[tuple[datetime, datetime]]


def run_detect(
    store: Store, detector: Detector, watched: Sequence[str], now: datetime, states: DetectorStates | None = None
) -> Run:
    """Judge what is new in every group; the run counts bins offered (seen) and verdicts written (new).

    `states` are those of the store, None: read from it and written to it.
    """
    states = states or DetectorStates(store)
    isolation = Isolation(store)
    seen = new = 0
    for group in series_groups(store):
        with isolation.of(group.subject):
            if group.kind == "votes":
                judge = detector_for_votes(detector)
            else:
                judge = detector_for_counts(detector, _counts_kind(store, group.source))
            bins, written = _judge(states, group, judge, watched, now)
            seen += bins
            new += written
    return judged(store, now, seen=seen, new=new, outcome=isolation.outcome, error=isolation.error)


def _counts_kind(store: Store, source: str) -> CountKind:
    """Return what a source counts: by its own word, else by its kind."""
    spec = SOURCES.get(source_kind(source))
    return counts_kind(load_source_state(store, source), spec.counts if spec else CountKind.REPORTS)


def _judge(
    states: DetectorStates, group: SeriesGroup, detector: Detector, watched: Sequence[str], now: datetime
) -> tuple[int, int]:
    store = states.store
    spans = heard(store, group.source) if group.kind == "votes" else []
    until = complete_until(store, group, spans, now)
    if until is None:
        return 0, 0
    resume = _resume(states, group, detector, until)
    if resume is None:
        # nothing to go back for: the bins up to here were offered again and are known
        return offered_bins(group, until, now), 0
    task = _Task(watched, now, until, spans)
    try:
        return _judge_from(states, group, detector, task, resume)
    except IncompatibleStateError:  # a part that is damaged was needed for the first time
        anew = _from_the_first_bin(states, group, until)
        return (0, 0) if anew is None else _judge_from(states, group, detector, task, anew)


def _judge_from(
    states: DetectorStates, group: SeriesGroup, detector: Detector, task: _Task, resume: _ResumePoint
) -> tuple[int, int]:
    """Judge the bins of a group from a point on; return how many there were, and how many verdicts changed.

    Raises IncompatibleStateError when the state of the point is found to be damaged; nothing was written then.
    """
    store, (watched, now, until, spans) = states.store, task
    start, state = resume.start, resume.state
    counted = _counted(store, group, start, until)
    always = map(SeriesColumn, watched) if group.kind == "votes" and len(watched) < 20 else ()
    columns = sorted({*counted.columns, *always})
    if state is not None:
        known = columns_of(state)
        columns = [*known, *sorted(set(columns) - set(known))]
        state = state.with_series(columns, silent=group.kind == "votes")
    if not columns:
        return 0, 0
    here = counted.arrays.moved(counted.columns, columns)
    saved: dict[str, detector_state.StoredState] = {}
    found: list[VerdictColumns] = []
    midnight = until.replace(hour=0, minute=0, second=0)
    total = 0
    for begin, end in ((start, min(until, midnight)), (max(start, midnight), until)):
        if begin >= end:
            continue
        bins = bin_counts(group, here, columns, begin, end, spans)
        if state is None:
            state = states.begin(group, detector, columns)
        if group.kind == "complaints":
            assume_baselines(state, partial(_baselines, store, group, columns, begin, end))
        found += judged_columns(group, columns, bins, state, repr(detector))
        total += len(bins.starts)
        for slot in (DAY, NOW) if end == midnight else (NOW,):
            if states.in_memory:
                states.keep(group.subject, slot, repr(detector), end, state)
            else:
                changed_only = slot == NOW and resume.is_stored
                saved[slot] = stored_state(state, repr(detector), end, changed_only=changed_only)
    new = rows.save_judgement(
        store,
        rows.Judgement(
            subject=group.subject,
            keys=[group.key(c) for c in columns],
            verdicts=found,
            states=saved,
            redo_from=start if resume.redo else None,
            now=now,
            collected=detector_input.newest_collected(store, group.source, group.window),
        ),
    )
    return total * len(columns), new


def _counted(store: Store, group: SeriesGroup, start: datetime, until: datetime) -> SeriesCounts:
    """Return what was counted of the series of a group in [start, until); of posts, each by itself."""
    if group.kind != "votes":
        return detector_input.counts(store, group.source, group.bin_s, group.window, start, until)
    raw = without_copies(detector_input.mentions(store, group.source, start - WINDOW, until), start)
    columns = sorted({count.column for count in raw})
    return SeriesCounts(columns, to_arrays(raw, columns))


def _baselines(
    store: Store, group: SeriesGroup, columns: Sequence[SeriesColumn], begin: datetime, end: datetime
) -> BinnedCounts:
    """Return what a source itself expects of the columns in bins of a span, NaN where it does not say."""
    raw = detector_input.baselines(store, group.source, group.bin_s, group.window, begin, end)
    return bin_counts(group, to_arrays(raw, columns), columns, begin, end, [])


def _resume(states: DetectorStates, group: SeriesGroup, detector: Detector, until: datetime) -> _ResumePoint | None:
    """Return where to score from, None when nothing is new."""
    store, name = states.store, repr(detector)
    current = states.mark(group.subject, NOW)
    in_step = current is None or not group.divides_day or current.through == floor_to(current.through, group.bin_s)
    if current is not None and current.detector == name and in_step:
        noted = get_checkpoint(store, "detect", group.subject)
        late = (
            detector_input.oldest_change(store, group.source, group.bin_s, group.window, utc(noted)) if noted else None
        )
        if late is None or late >= current.through:
            if until <= current.through:
                return None
            if (state := states.load(group, detector, NOW)) is not None:
                return _ResumePoint(current.through, state, is_stored=True)
            late = None
        day = states.mark(group.subject, DAY)
        if late is not None and day is not None and day.detector == name and late >= day.through:
            state = states.load(group, detector, DAY)
            if state is not None:
                return _ResumePoint(day.through, state, redo=True)
    return _from_the_first_bin(states, group, until)


def _from_the_first_bin(states: DetectorStates, group: SeriesGroup, until: datetime) -> _ResumePoint | None:
    """Return where to learn from anew, None where there are no bins."""
    first = detector_input.first_bin(states.store, group.source, group.bin_s, group.window)
    if first is None:
        return None
    begin = floor_to(max(first, until - LOOK_BACK), 86400)
    return _ResumePoint(begin, redo=states.mark(group.subject, NOW) is not None)
