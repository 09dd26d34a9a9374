"""Detect: judge every bin that is complete and new, keep the detector's state, go back when a bin came late.

Votes are counted by the minute for each service and source of posts, beside all that is said about it (the talk
channel); complaint counts are judged in the bins they come in. A minute counts as observed only where its source
was truly read: elsewhere it is a gap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from detectors.base import ForeignState, Verdicts
from detectors.seasonal_nb import SeasonalNB
from pipeline.findings import SeriesKey
from pipeline.model import Run
from pipeline.store import Store
from pipeline.store import judged as rows
from pipeline.store.runs import heard, record_run, stage_note
from pipeline.times import floor_to, iso, utc

VOTE_BIN = 60
KEEP = timedelta(days=14)
LOOK_BACK = timedelta(days=60)
KEPT_SCORE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Series that share a source and bin width and so one detector state."""

    subject: str
    source: str
    bin_s: int
    kind: str
    window: str = ""

    def key(self, column: str) -> SeriesKey:
        service, _, indicator = column.partition("|")
        return SeriesKey(service=service, channel=self.kind, source=self.source, bin_s=self.bin_s, indicator=indicator)


def run_detect(store: Store, detector: Any, watched: Sequence[str], now: datetime) -> Run:
    """Judge what is new in every group; the run counts bins offered (seen) and verdicts written (new)."""
    seen = new = 0
    groups = [
        _Group(subject=f"votes:{source}", source=source, bin_s=VOTE_BIN, kind="votes") for source in rows.post_sources(store)
    ] + [
        _Group(subject=f"complaints:{source}:{width}:{window}", source=source, bin_s=width, kind="complaints", window=window)
        for source, width, window in rows.count_groups(store)
    ]  # fmt: skip
    # a vote is a person: nobody repeats himself, and four are four
    people = replace(detector, repeats=0.0) if isinstance(detector, SeasonalNB) else detector
    for group in groups:
        bins, written = _judge(store, group, people if group.kind == "votes" else detector, watched, now)
        seen += bins
        new += written
    if now.hour == 0 and now.minute < 10:
        rows.forget_old_verdicts(store, now - KEEP)
    run = Run(stage="detect", subject="series", started=now, outcome="ok", seen=seen, new=new)
    record_run(store, run)
    return run


def _judge(store: Store, group: _Group, detector: Any, watched: Sequence[str], now: datetime) -> tuple[int, int]:
    spans = heard(store, group.source) if group.kind == "votes" else []
    until = _complete_until(store, group, spans, now)
    if until is None:
        return 0, 0
    states = rows.load_states(store, group.subject)
    start, state, redo = _resume(store, group, detector, states, until)
    if start is None:
        # nothing to go back for: the bins up to here were offered again and are known
        offered = max(1, int((min(until, now) - (now - timedelta(minutes=5))).total_seconds() // group.bin_s))
        return offered, 0
    if group.kind == "votes":
        raw = rows.talk(store, group.source, start, until)
    else:
        raw = rows.counts(store, group.source, group.bin_s, group.window, start, until)
    columns = sorted({row[0] for row in raw} | set(watched if group.kind == "votes" and len(watched) < 20 else ()))
    if state is not None:
        columns = [*state.series, *(c for c in columns if c not in set(state.series))]
        state = state.with_series(columns, silent=group.kind == "votes")
    if not columns:
        return 0, 0
    saved: dict[str, tuple[str, int, datetime, bytes]] = {}
    found: list[rows.VerdictRow] = []
    midnight = until.replace(hour=0, minute=0, second=0)
    total = 0
    for begin, end in ((start, min(until, midnight)), (max(start, midnight), until)):
        if begin >= end:
            continue
        counts, mentions = _frames(group, raw, columns, begin, end, spans)
        if state is None:
            state = detector.start(counts.iloc[:0], None if mentions is None else mentions.iloc[:0])
        verdicts = state.extend(counts, mentions)
        found += _rows(group, columns, verdicts, repr(detector))
        total += len(counts)
        for slot in ("day", "now") if end == midnight else ("now",):
            saved[slot] = (repr(detector), 1, end, state.to_bytes())
    noted = max(iso(now), stage_note(store, "detect", group.subject) or "")
    new = rows.save_judgement(
        store, group.subject, [group.key(c) for c in columns], found, saved, start if redo else None, noted
    )
    return total * len(columns), new


def _complete_until(
    store: Store, group: _Group, spans: Sequence[tuple[datetime, datetime]], now: datetime
) -> datetime | None:
    """Return the end of the last bin that will not change any more."""
    if group.kind == "votes":
        return floor_to(min(spans[-1][1], now), group.bin_s) if spans else None
    newest = rows.newest_start(store, group.source, group.bin_s, group.window)
    if newest is None:
        return None
    end = newest + timedelta(seconds=group.bin_s)
    return end if end <= now else floor_to(now, group.bin_s)


def _resume(
    store: Store, group: _Group, detector: Any, states: Mapping[str, tuple[str, int, datetime, bytes]], until: datetime
) -> tuple[datetime | None, Any, bool]:
    """Return where to judge from (None = nothing new), the state there, and whether verdicts are to be replaced."""
    name = repr(detector)
    current = states.get("now")
    if current is not None and current[0] == name:
        noted = stage_note(store, "detect", group.subject)
        late = rows.oldest_change(store, group.source, group.bin_s, group.window, utc(noted)) if noted else None
        if late is None or late >= current[2]:
            if until <= current[2]:
                return None, None, False
            return current[2], _load(detector, current[3]), False
        day = states.get("day")
        if day is not None and day[0] == name and late >= day[2]:
            return day[2], _load(detector, day[3]), True
    first = rows.first_bin(store, group.source, group.bin_s, group.window)
    if first is None:
        return None, None, False
    begin = floor_to(max(first, until - LOOK_BACK), 86400)
    return begin, None, current is not None


def _load(detector: Any, blob: bytes) -> Any:
    try:
        return detector.load(blob)
    except ForeignState:
        return None


def _frames(
    group: _Group, raw: Sequence[tuple[str, datetime, float]], columns: list[str], start: datetime, until: datetime,
    spans: Sequence[tuple[datetime, datetime]],
) -> tuple[pd.DataFrame, pd.DataFrame | None]:  # fmt: skip
    """Return counts (and mentions) of complete bins in [start, until), NaN where nothing was observed."""
    index = pd.date_range(start, until, freq=f"{group.bin_s}s", inclusive="left")
    place = {column: i for i, column in enumerate(columns)}
    begin = start.timestamp()

    here = [
        (int((at.timestamp() - begin) // group.bin_s), place[column], n) for column, at, n in raw if start <= at < until
    ]
    if group.kind == "complaints":
        values = np.full((len(index), len(columns)), np.nan)
        for slot, column, total in here:
            values[slot, column] = total
        return pd.DataFrame(values, index=index, columns=pd.Index(columns)), None
    votes = np.zeros((len(index), len(columns)))
    talk = np.zeros_like(votes)
    for slot, column, counted in here:
        talk[slot, column] += 1
        votes[slot, column] += counted
    covered = np.zeros(len(index), dtype=bool)
    starts = index.as_unit("s").asi8
    for since, end in spans:
        covered |= (starts >= since.timestamp()) & (starts + group.bin_s <= end.timestamp())
    votes[~covered], talk[~covered] = np.nan, np.nan
    return (pd.DataFrame(votes, index=index, columns=pd.Index(columns)),
            pd.DataFrame(talk, index=index, columns=pd.Index(columns)))  # fmt: skip


def _rows(group: _Group, columns: list[str], verdicts: Verdicts, detector: str) -> list[rows.VerdictRow]:
    """Return the verdicts worth keeping: something observed, a complaint count missing, or a raised score."""
    observed, score = verdicts.observed.to_numpy(), verdicts.score.to_numpy()
    keep = (np.nan_to_num(observed) > 0) | (np.nan_to_num(score) >= KEPT_SCORE)
    if group.kind == "complaints":
        keep |= np.isnan(observed)
    starts = [iso(stamp.to_pydatetime()) for stamp in verdicts.observed.index]
    names = [str(group.key(column)) for column in columns]
    parts = [getattr(verdicts, name).to_numpy() for name in ("expected", "upperbound", "p", "level")]
    found: list[rows.VerdictRow] = []
    for i, j in zip(*np.nonzero(keep), strict=True):
        expected, upper, p, level = (part[i, j] for part in parts)
        found.append((names[j], starts[i], _null(observed[i, j]), _null(expected), _null(upper), _null(score[i, j]),
                      _null(p, 12), int(level), int(level >= 1), detector))  # fmt: skip
    return found


def _null(value: float, digits: int = 4) -> float | None:
    return None if np.isnan(value) else round(float(value), digits)
