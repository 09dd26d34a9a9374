"""Detect: judge every bin that is complete and new, keep the detector's state, go back when a bin came late.

Votes are counted by the minute for each service and source of posts, beside all that is said about it (the talk
channel); complaint counts are judged in the bins they come in. A minute counts as observed only where its source
was truly read: elsewhere it is a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from detectors.contract import BinnedCounts, Detector
from detectors.count_kinds import CountKind
from pipeline.core.records import Run, source_kind
from pipeline.core.series import SeriesColumn, VerdictRow
from pipeline.core.times import floor_to, utc
from pipeline.detection.binning import LOOK_BACK, bin_counts, to_arrays, verdict_rows
from pipeline.detection.factory import assume_baselines, counts_kind, detector_for_counts, detector_for_votes
from pipeline.detection.held_states import DAY, NOW, DetectorStates, LoadedState
from pipeline.detection.report_counting import WINDOW, without_copies
from pipeline.detection.series_groups import SeriesGroup, complete_until, offered_bins, series_groups
from pipeline.detection.states import columns_of
from pipeline.sources import SOURCES
from pipeline.stages.detect.due import judged
from pipeline.store import Store
from pipeline.store import verdicts as rows
from pipeline.store.isolation import Isolation
from pipeline.store.runs import get_checkpoint, heard, load_source_state


@dataclass(frozen=True, slots=True)
class _ResumePoint:
    """Where to score from, with which state (None = a new one); redo: verdicts from there on are to be replaced."""

    start: datetime
    loaded: LoadedState | None = None
    redo: bool = False


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
    start, state = resume.start, None
    if group.kind == "votes":
        raw = without_copies(rows.mentions(store, group.source, start - WINDOW, until), start)
    else:
        raw = rows.counts(store, group.source, group.bin_s, group.window, start, until)
    always = map(SeriesColumn, watched) if group.kind == "votes" and len(watched) < 20 else ()
    columns = sorted({count.column for count in raw} | set(always))
    before = b""  # what could not be read back is written whole
    if resume.loaded is not None:
        state, before = resume.loaded
        known = columns_of(state)
        columns = [*known, *sorted(set(columns) - set(known))]
        state = state.with_series(columns, silent=group.kind == "votes")
    if not columns:
        return 0, 0
    here = to_arrays(raw, columns)
    saved: dict[str, rows.StoredState] = {}
    found: list[VerdictRow] = []
    midnight = until.replace(hour=0, minute=0, second=0)
    total = 0
    for begin, end in ((start, min(until, midnight)), (max(start, midnight), until)):
        if begin >= end:
            continue
        bins = bin_counts(group, here, columns, begin, end, spans)
        if state is None:
            state = detector.begin(group.bin_s, columns, talk=group.kind == "votes")
        if group.kind == "complaints":
            assume_baselines(state, partial(_baselines, store, group, columns, begin, end))
        found += verdict_rows(group, columns, bins, state.extend_arrays(bins), repr(detector))
        total += len(bins.starts)
        for slot in (DAY, NOW) if end == midnight else (NOW,):
            if states.in_memory:
                states.keep(group.subject, slot, repr(detector), end, state)
            else:
                saved[slot] = rows.StoredState(repr(detector), 1, end, state.to_bytes())
    new = rows.save_judgement(
        store,
        rows.Judgement(
            subject=group.subject,
            keys=[group.key(c) for c in columns],
            verdicts=found,
            states=saved,
            redo_from=start if resume.redo else None,
            now=now,
            collected=rows.newest_collected(store, group.source, group.window),
            before=before,
        ),
    )
    return total * len(columns), new


def _baselines(
    store: Store, group: SeriesGroup, columns: Sequence[SeriesColumn], begin: datetime, end: datetime
) -> BinnedCounts:
    """Return what a source itself expects of the columns in bins of a span, NaN where it does not say."""
    raw = rows.baselines(store, group.source, group.bin_s, group.window, begin, end)
    return bin_counts(group, to_arrays(raw, columns), columns, begin, end, [])


def _resume(states: DetectorStates, group: SeriesGroup, detector: Detector, until: datetime) -> _ResumePoint | None:
    """Return where to score from, None when nothing is new."""
    store, name = states.store, repr(detector)
    current = states.mark(group.subject, NOW)
    in_step = current is None or not group.divides_day or current.through == floor_to(current.through, group.bin_s)
    if current is not None and current.detector == name and in_step:
        noted = get_checkpoint(store, "detect", group.subject)
        late = rows.oldest_change(store, group.source, group.bin_s, group.window, utc(noted)) if noted else None
        if late is None or late >= current.through:
            if until <= current.through:
                return None
            if (loaded := states.load(group, detector, NOW)) is not None:
                return _ResumePoint(current.through, loaded)
            late = None
        day = states.mark(group.subject, DAY)
        if late is not None and day is not None and day.detector == name and late >= day.through:
            loaded = states.load(group, detector, DAY)
            if loaded is not None:
                # what lies in the database is the state of another moment
                return _ResumePoint(day.through, loaded._replace(stored=b""), redo=True)
    first = rows.first_bin(store, group.source, group.bin_s, group.window)
    if first is None:
        return None
    begin = floor_to(max(first, until - LOOK_BACK), 86400)
    return _ResumePoint(begin, redo=current is not None)
