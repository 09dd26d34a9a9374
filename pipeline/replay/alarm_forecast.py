"""Counts of a replay judged ahead: in which steps that finds an alarm, and the verdicts, for the steps to come.

The detector is causal, so that what it finds ahead is what it finds in its time.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec import structs

from detectors.contract import Detector
from detectors.count_kinds import CountKind
from pipeline.core.count_columns import CountArrays, CountColumns, to_arrays
from pipeline.core.records import ComplaintCount, Record, source_kind
from pipeline.core.series import SeriesColumn, totals
from pipeline.core.times import END, floor_to
from pipeline.detection.binning import LOOK_BACK, bin_counts
from pipeline.detection.factory import detector_for_counts
from pipeline.detection.foreseen import ForeseenGroup
from pipeline.detection.series_groups import SeriesGroup
from pipeline.replay.recorded_source import RecordedSource
from pipeline.sources import SOURCES
from pipeline.store.counts import count_key

DAY = timedelta(days=1)
AT_ONCE = 100_000  # about so many counts are judged together, and at least a day of them


class AlarmForecast:
    """Counts judged before their time, days at a time, and the steps in which that finds something."""

    def __init__(
        self,
        sources: Sequence[RecordedSource],
        detector: Detector,
        begin: datetime,
        step: timedelta,
        at_or_after: Callable[[datetime], datetime],
    ) -> None:
        """Judge what became public up to `begin`, the first step. The counts of each source come in order.

        `at_or_after` returns the first step at or after a moment.
        """
        self._sources, self._detector, self._at_or_after = sources, detector, at_or_after
        self._groups: dict[SeriesGroup, ForeseenGroup] = {}
        self._reached: dict[SeriesGroup, datetime] = {}
        listed = [row for s in sources if s.counts() is None for _, row in s.rows() if isinstance(row, ComplaintCount)]
        # what a source expects by itself is no part of what is judged ahead
        self._expecting = {row.source for row in listed if row.baseline is not None}
        # a series begins with its first count: bins before that are neither judged nor stored,
        # so no stretch reaches over it
        begun = {at_or_after(public) for s in sources for public in _first_of_series(s)}
        self._series_starts = sorted({at - n * step for at in begun for n in (0, 1) if at > begin})
        self._due = list(self._series_starts)
        self._judged_until = datetime.min.replace(tzinfo=UTC)
        self._days = min(map(_days_at_once, sources))
        self._judge(begin)

    def of(self, group: SeriesGroup, detector: Detector) -> ForeseenGroup | None:
        """Return what was judged ahead of a group by an equal detector; None where nothing was."""
        found = self._groups.get(_without_subject(group))
        if found is None or repr(found.detector) != repr(detector) or group.source in self._expecting:
            return None
        return found

    def next_alarm(self, now: datetime, until: datetime, last: datetime) -> datetime | None:
        """Return the first step in (now, until] in which an alarm becomes known or a series begins; None for none.

        `last` is the last step of all.
        """
        self.judge_to(until, last)
        at = bisect.bisect_right(self._due, now)
        return self._due[at] if at < len(self._due) and self._due[at] <= until else None

    def judge_to(self, until: datetime, last: datetime) -> None:
        """Judge what becomes public up to a step, and some days more, but none after that of `last`, the last step."""
        while self._judged_until < until:
            day = self._at_or_after(floor_to(until, 86400) + DAY)
            ahead = self._at_or_after(floor_to(until, 86400) + self._days * DAY)
            at = bisect.bisect_right(self._series_starts, self._judged_until)
            self._judge(min([max(day, min(ahead, last)), *self._series_starts[at : at + 1]]))

    def _judge(self, until: datetime) -> None:
        for source in self._sources:
            columns = source.counts(self._judged_until, until)
            if columns is not None and not any(key.region or key.indicator for key in columns.keys):
                fresh = _by_group(columns)
            else:
                fresh = _by_group_of_rows(row for _, row in source.rows(self._judged_until, until))
            for group, counts in fresh.items():
                for start in self._alarms(group, counts).tolist():
                    known = counts.known_from(start)
                    bisect.insort(self._due, self._at_or_after(datetime.fromtimestamp(known, UTC)))
        self._judged_until = until

    def _alarms(self, group: SeriesGroup, fresh: _FreshCounts) -> npt.NDArray[np.int64]:
        """Judge what is new of a group as the detect stage does; return the starts of the bins with an alarm."""
        starts = fresh.starts.tolist()
        first, end = (datetime.fromtimestamp(at, UTC) for at in (starts[0], starts[-1] + group.bin_s))
        begin = self._reached.get(group) or floor_to(max(first, end - LOOK_BACK), 86400)
        self._reached[group] = end
        ahead = self._groups.setdefault(group, ForeseenGroup(group, detector_of(self._detector, group.source)))
        columns = [*ahead.columns, *sorted(set(fresh.columns) - set(ahead.columns))]
        bins = bin_counts(group, fresh.counts.moved(fresh.columns, columns), columns, begin, end, [])
        return bins.starts[ahead.judge(columns, bins)]


class _FreshCounts(NamedTuple):
    """New counts of a group, the series they are of, the starts of their bins, sorted, and when each became public."""

    counts: CountArrays
    columns: Sequence[SeriesColumn]
    starts: npt.NDArray[np.int64]
    public: npt.NDArray[np.int64]

    def known_from(self, start: int) -> int:
        """Return when the first of the bins from one on became public."""
        return int(self.public[np.searchsorted(self.starts, start) :].min())


def _by_group(counts: CountColumns) -> dict[SeriesGroup, _FreshCounts]:
    """Return counts of services as a whole by group."""
    keys: dict[SeriesGroup, list[int]] = {}
    for n, key in enumerate(counts.keys):
        if key.window != "rolling":
            keys.setdefault(_group(key.source, key.interval_s, key.window), []).append(n)
    found = {}
    for group, members in keys.items():
        place = np.full(len(counts.keys), -1, dtype=np.int64)
        place[members] = np.arange(len(members))
        here = place[counts.series] >= 0
        at = counts.start[here]
        starts, bins = np.unique(at, return_inverse=True)
        public = starts + group.bin_s
        np.maximum.at(public, bins, counts.collected[here])
        arrays = CountArrays(place[counts.series[here]], at, counts.total[here].astype(np.float64))
        found[group] = _FreshCounts(arrays, [SeriesColumn(counts.keys[n].service) for n in members], starts, public)
    return found


def _by_group_of_rows(rows: Iterable[Record]) -> dict[SeriesGroup, _FreshCounts]:
    """Return counts by group, all regions together."""
    public: dict[SeriesGroup, dict[datetime, datetime]] = {}
    totals_by_region: dict[SeriesGroup, dict[tuple[str, str, datetime], dict[str, int]]] = {}
    for row in rows:
        if isinstance(row, ComplaintCount) and row.window != "rolling":
            group = _group(row.source, row.interval_s, row.window)
            known = max(row.collected, row.start + timedelta(seconds=row.interval_s))
            public.setdefault(group, {})[row.start] = known
            bins = totals_by_region.setdefault(group, {})
            bins.setdefault((row.service, row.indicator, row.start), {})[row.region] = row.total
    found = {}
    for group, counts in totals_by_region.items():
        raw = totals(
            (*key, by_region[""] if "" in by_region else sum(by_region.values()))
            for key, by_region in sorted(counts.items())
        )
        columns = sorted({count.column for count in raw})
        times = sorted((start.timestamp(), at.timestamp()) for start, at in public[group].items())
        starts, known_at = np.ceil(np.array(times)).astype(np.int64).T
        found[group] = _FreshCounts(to_arrays(raw, columns), columns, starts, known_at)
    return found


def _group(source: str, bin_s: int, window: str) -> SeriesGroup:
    return SeriesGroup(subject="", source=source, bin_s=bin_s, kind="complaints", window=window)


def _days_at_once(source: RecordedSource) -> int:
    """Return in how many days as many counts of a source as are judged together become public, at least one."""
    first, last = source.first(), source.last_until(END)
    if first is None or last is None:
        return 1
    return max(1, int(AT_ONCE * ((last - first) / DAY) / source.size))


def detector_of(detector: Detector, source: str) -> Detector:
    """Return the detector for the counts of a recorded source, which counts what its kind does."""
    spec = SOURCES.get(source_kind(source))
    return detector_for_counts(detector, spec.counts if spec else CountKind.REPORTS)


def _without_subject(group: SeriesGroup) -> SeriesGroup:
    return structs.replace(group, subject="")


def is_in_order(source: RecordedSource) -> bool:
    """Return whether a source's counts came in order, all of a bin together: none of them changes the past."""
    if source.counts() is not None:
        return True  # of a width all become public as long after their interval
    newest: dict[tuple[str, int, str], tuple[datetime, datetime, datetime]] = {}
    none = datetime.min.replace(tzinfo=UTC)
    for public, row in source.rows():
        if isinstance(row, ComplaintCount):
            key = row.source, row.interval_s, row.window
            before, last, known = newest.get(key, (none, none, public))
            before = last if public > known else before
            if row.start <= before:
                return False
            newest[key] = before, max(last, row.start), public
    return True


def _first_of_series(source: RecordedSource) -> list[datetime]:
    """Return when each series' first count became public."""
    columns = source.counts()
    if columns is not None:
        _, first = np.unique(columns.series, return_index=True)
        firsts = zip(columns.keys, columns.collected[first].tolist(), strict=True)
        counted = [(datetime.fromtimestamp(at, UTC), key) for key, at in firsts]
    else:
        rows = ((public, row) for public, row in source.rows() if isinstance(row, ComplaintCount))
        counted = [(public, count_key(row)) for public, row in rows]
    found: dict[tuple[str, ...], datetime] = {}
    for public, key in sorted(counted):
        if key.window != "rolling":
            for indicator in (key.indicator, ""):
                found.setdefault((key.source, str(key.interval_s), key.window, key.service, indicator), public)
    return sorted(set(found.values()))
