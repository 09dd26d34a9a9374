"""A series with its scores and what is known of it, and figures of how well the scores meet that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from detectors.benchmark.metrics import episodes
from detectors.contract import Floats

EARLY, LATE = 3600, 4 * 3600


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A series with its scores and spans of truth, all in seconds of the epoch."""

    name: str
    starts: Floats
    counts: Floats
    score: Floats
    width: int
    truth: Sequence[tuple[float, float]]

    def runs(self, threshold: float, join_s: int) -> list[tuple[float, float]]:
        """Return alarm episodes (start of the first bin, end of the last)."""
        hot = np.flatnonzero(np.nan_to_num(self.score) >= threshold)
        hot_spans = episodes(hot, max(1, join_s // self.width))
        return [(float(self.starts[a]), float(self.starts[b]) + self.width) for a, b in hot_spans]

    def open_spans(self, threshold: float, quiet_s: int = 1800) -> list[tuple[float, float]]:
        """Return from when to when an event was open: from the end of its first alarm bin to that of its last warm one.

        It stays open while the score is at least half the threshold, and for `quiet_s` seconds below it.
        """
        score = np.nan_to_num(self.score)
        spans = []
        for a, b in episodes(np.flatnonzero(score >= threshold / 2), max(2, quiet_s // self.width)):
            hot = np.flatnonzero(score[a : b + 1] >= threshold)
            if len(hot):
                spans.append((float(self.starts[a + hot[0]]) + self.width, float(self.starts[b]) + self.width))
        return spans


class WindowFigures(NamedTuple):
    """How a detector did on windows around one onset each.

    hits: windows with an event that opens or is open from an hour before to four hours after the onset. early_a_day:
    events a day that were over before that. delay: median minutes from the onset to when the event opened (an hour
    before it, where that is earlier), NaN without hits. missed: names.
    """

    hits: int
    early_a_day: float
    delay: float
    missed: list[str]


class OutsideAlarm(NamedTuple):
    """An episode outside every span of truth: series, start in seconds of the epoch, highest count in a bin."""

    series: str
    start: float
    peak: float


class SpanFigures(NamedTuple):
    """Spans of truth that an episode meets, of how many, and the episodes that meet none."""

    met: int
    total: int
    outside: list[OutsideAlarm]


def window_figures(windows: Sequence[Scored], threshold: float) -> WindowFigures:
    """Return the figures at a threshold."""
    hits, early, days = 0, 0, 0.0
    delays: list[float] = []
    missed: list[str] = []
    for window in windows:
        onset = window.truth[0][0]
        spans = window.open_spans(threshold)
        near = [span for span in spans if span[1] >= onset - EARLY and span[0] <= onset + LATE]
        early += sum(closed < onset - EARLY for _, closed in spans)
        days += max(0.0, onset - EARLY - float(window.starts[0])) / 86400
        if near:
            hits += 1
            delays.append((max(near[0][0], onset - EARLY) - onset) / 60)
        else:
            missed.append(window.name)
    delay = float(np.median(delays)) if delays else float("nan")
    return WindowFigures(hits, early / days, delay, sorted(set(missed)))


def span_figures(series: Sequence[Scored], threshold: float, join_s: int = 1800) -> SpanFigures:
    """Return the figures at a threshold; alarms at most `join_s` seconds apart are one episode."""
    met = total = 0
    outside: list[OutsideAlarm] = []
    for one in series:
        runs = one.runs(threshold, join_s)
        met += sum(any(a <= end and b >= start for a, b in runs) for start, end in one.truth)
        total += len(one.truth)
        for a, b in runs:
            if not any(a <= end and b >= start for start, end in one.truth):
                inside = (one.starts >= a) & (one.starts < b)
                outside.append(OutsideAlarm(one.name, a, float(np.nanmax(one.counts[inside]))))
    return SpanFigures(met, total, outside)


class PairedFigures(NamedTuple):
    """Cases that only the first or only the second finds, and how probable so uneven a split is by chance."""

    first_only: int
    second_only: int
    p: float


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> PairedFigures:
    """Return the exact McNemar test of two detectors on the same cases."""
    from scipy.stats import binomtest

    one = sum(a and not b for a, b in zip(first, second, strict=True))
    other = sum(b and not a for a, b in zip(first, second, strict=True))
    return PairedFigures(one, other, float(binomtest(one, one + other).pvalue) if one + other else 1.0)
