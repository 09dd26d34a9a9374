"""Counts of a replay judged ahead: in which steps that finds an alarm, and the verdicts, for the steps to come.

The detector is causal, so that what it finds ahead is what it finds in its time.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from detectors.contract import Detector
from detectors.count_kinds import CountKind
from pipeline.core.records import ComplaintCount, source_kind
from pipeline.core.series import SeriesCount, totals
from pipeline.core.times import floor_to
from pipeline.detection.binning import LOOK_BACK, bin_counts, to_arrays
from pipeline.detection.factory import detector_for_counts
from pipeline.detection.foreseen import ForeseenGroup
from pipeline.detection.series_groups import SeriesGroup
from pipeline.replay.scenario import RecordedSource
from pipeline.sources import SOURCES

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
        counted = [(at, row) for s in sources for at, row in s.rows() if isinstance(row, ComplaintCount)]
        # what a source expects by itself is no part of what is judged ahead
        self._expecting = {row.source for _, row in counted if row.baseline is not None}
        # a series begins with its first count: bins before that are neither judged nor stored,
        # so no stretch reaches over it
        begun = {at_or_after(public) for s in sources for public in _first_of_series(s)}
        self._series_starts = sorted({at - n * step for at in begun for n in (0, 1) if at > begin})
        self._due = list(self._series_starts)
        self._judged_until = datetime.min.replace(tzinfo=UTC)
        moments = [at for at, _ in counted]
        days = (max(moments) - min(moments)) / DAY if moments else 0.0
        self._days = max(1, int(AT_ONCE * days / max(1, len(moments))))
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
        fresh: dict[SeriesGroup, dict[datetime, datetime]] = {}  # when each bin became public
        totals_by_region: dict[SeriesGroup, dict[tuple[str, str, datetime], dict[str, int]]] = {}
        for source in self._sources:
            for public, row in source.rows(self._judged_until, until):
                if isinstance(row, ComplaintCount) and row.window != "rolling":
                    group = SeriesGroup(
                        subject="", source=row.source, bin_s=row.interval_s, kind="complaints", window=row.window
                    )
                    fresh.setdefault(group, {})[row.start] = max(public, row.start + timedelta(seconds=row.interval_s))
                    bins = totals_by_region.setdefault(group, {})
                    bins.setdefault((row.service, row.indicator, row.start), {})[row.region] = row.total
        for group, counts in totals_by_region.items():
            raw = totals(
                (*key, by_region[""] if "" in by_region else sum(by_region.values()))
                for key, by_region in sorted(counts.items())
            )
            starts = sorted(fresh[group])
            publics = np.array([fresh[group][start].timestamp() for start in starts])
            earliest = np.minimum.accumulate(publics[::-1])[::-1]  # of a bin and those after it
            for start in self._alarms(group, raw, starts[-1]):
                known = earliest[bisect.bisect_left(starts, start)]
                bisect.insort(self._due, self._at_or_after(datetime.fromtimestamp(known, UTC)))
        self._judged_until = until

    def _alarms(self, group: SeriesGroup, raw: Sequence[SeriesCount], newest: datetime) -> list[datetime]:
        """Judge what is new of a group as the detect stage does; return the bins with an alarm."""
        end = newest + timedelta(seconds=group.bin_s)
        begin = self._reached.get(group) or floor_to(max(min(count.start for count in raw), end - LOOK_BACK), 86400)
        self._reached[group] = end
        ahead = self._groups.setdefault(group, ForeseenGroup(group, detector_of(self._detector, group.source)))
        columns = [*ahead.columns, *sorted({count.column for count in raw} - set(ahead.columns))]
        bins = bin_counts(group, to_arrays(raw, columns), columns, begin, end, [])
        return [datetime.fromtimestamp(at, UTC) for at in bins.starts[ahead.judge(columns, bins)].tolist()]


def detector_of(detector: Detector, source: str) -> Detector:
    """Return the detector for the counts of a recorded source, which counts what its kind does."""
    spec = SOURCES.get(source_kind(source))
    return detector_for_counts(detector, spec.counts if spec else CountKind.REPORTS)


def _without_subject(group: SeriesGroup) -> SeriesGroup:
    return replace(group, subject="")


def is_in_order(source: RecordedSource) -> bool:
    """Return whether a source's counts came in order, all of a bin together: none of them changes the past."""
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
    found: dict[tuple[str, ...], datetime] = {}
    for public, row in source.rows():
        if isinstance(row, ComplaintCount) and row.window != "rolling":
            for indicator in (row.indicator, ""):
                found.setdefault((row.source, str(row.interval_s), row.window, row.service, indicator), public)
    return sorted(set(found.values()))
