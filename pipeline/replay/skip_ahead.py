"""Which steps of a replay must be taken: those in which something is new, due or open, and their neighbours.

Counts come with every step, and nearly all of them say that all is well. They are judged a day ahead: the detector is
causal, so that what it finds ahead is what it finds in its time. A step without an alarm, a post, a notice, an item, a
message that is due or an incident that may still change is left out, and its counts are stored and judged with those of
the next step that is taken.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property

from detectors.contract import Detector, DetectorState
from pipeline.core.records import ComplaintCount
from pipeline.core.series import SeriesCount, totals
from pipeline.core.times import floor_to
from pipeline.detection.binning import LOOK_BACK, bin_counts, to_arrays
from pipeline.detection.series_groups import FORGETTING, SeriesGroup
from pipeline.detection.states import columns_of
from pipeline.replay.scenario import RecordedSource
from pipeline.stages.alert.self_monitoring import next_digest
from pipeline.stages.pipeline import Pipeline
from pipeline.store import Store
from pipeline.store.incidents import anything_open, may_change
from pipeline.store.outbox import next_due

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
AFTER_A_POST = DAY  # as long as this after a post every step is taken: silence is counted, too


class SkipAhead:
    """Looks ahead in a replay's sources; `next_step` returns the step to take next."""

    def __init__(self, pipeline: Pipeline, sources: Sequence[RecordedSource], begin: datetime, step: timedelta) -> None:
        """`begin` is the first step; all others are whole steps after it."""
        self._begin, self._step, self._config, self._detector = begin, step, pipeline.config, pipeline.detector
        self._counts = [s for s in sources if s.kind == "complaints" and _in_order(s)]
        self._others = [s for s in sources if s not in self._counts]

    @cached_property
    def _forecast(self) -> _AlarmForecast | None:
        """The counts judged ahead, made when a step may be left out for the first time; None where there are none."""
        if not self._counts:
            return None
        return _AlarmForecast(self._counts, self._detector, self._begin, self._step, self._at_or_after)

    def next_step(self, store: Store, now: datetime, until: datetime) -> datetime:
        """Return the step to take after the one at `now`; `until` is the last, which is always taken."""
        following = now + self._step
        due = next_due(store)
        if (
            following >= until
            or self._posted_lately(now)
            or anything_open(store)
            or now - floor_to(now, 86400) <= FORGETTING
        ):
            return following
        found = self._at_or_after(floor_to(now, 86400) + DAY)
        for source in self._others:
            if (public := source.next_after(now)) is not None:
                # and the step before it: what it finds depends on how lately one looked
                found = min(found, self._at_or_after(public) - self._step)
        for moment in (due, next_digest(self._config, now)):
            if moment is not None:
                found = min(found, self._at_or_after(moment))
        if may_change(store, now):
            # what is over is looked at once an hour
            found = min(found, self._at_or_after(floor_to(now, 3600) + HOUR))
        found = max(following, min(found, until - (until - self._begin) % self._step))
        return (self._forecast.next_alarm(now, found) if self._forecast is not None else None) or found

    def _posted_lately(self, now: datetime) -> bool:
        """Return whether anybody posted of late."""
        last = (source.last_until(now) for source in self._others if source.kind == "posts")
        return any(at is not None and now - at < AFTER_A_POST for at in last)

    def _at_or_after(self, moment: datetime) -> datetime:
        """Return the first step at or after a moment."""
        return self._begin + max(0, -((self._begin - moment) // self._step)) * self._step


class _AlarmForecast:
    """Counts judged before their time, a day at a time, and the steps in which that finds something."""

    def __init__(
        self,
        sources: Sequence[RecordedSource],
        detector: Detector,
        begin: datetime,
        step: timedelta,
        at_or_after: Callable[[datetime], datetime],
    ) -> None:
        self._sources, self._detector, self._at_or_after = sources, detector, at_or_after
        self._states: dict[SeriesGroup, DetectorState] = {}
        self._reached: dict[SeriesGroup, datetime] = {}
        # a series begins with its first count: bins before that are neither judged nor stored,
        # so no stretch reaches over it
        begun = {at_or_after(public) for s in sources for public in _first_of_series(s)}
        self._series_starts = sorted({at - n * step for at in begun for n in (0, 1) if at > begin})
        self._due = list(self._series_starts)
        self._judged_until = datetime.min.replace(tzinfo=UTC)
        self._judge(begin)

    def next_alarm(self, now: datetime, until: datetime) -> datetime | None:
        """Return the first step in (now, until] in which an alarm becomes known or a series begins; None for none."""
        while self._judged_until < until:
            day = self._at_or_after(floor_to(until, 86400) + DAY)
            at = bisect.bisect_right(self._series_starts, self._judged_until)
            self._judge(min([day, *self._series_starts[at : at + 1]]))
        at = bisect.bisect_right(self._due, now)
        return self._due[at] if at < len(self._due) and self._due[at] <= until else None

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
            for start in self._alarms(group, raw, max(fresh[group])):
                known = min(public for bin_start, public in fresh[group].items() if bin_start >= start)
                bisect.insort(self._due, self._at_or_after(known))
        self._judged_until = until

    def _alarms(self, group: SeriesGroup, raw: Sequence[SeriesCount], newest: datetime) -> list[datetime]:
        """Judge what is new of a group as the detect stage does; return the bins with an alarm."""
        end = newest + timedelta(seconds=group.bin_s)
        begin = self._reached.get(group) or floor_to(max(min(count.start for count in raw), end - LOOK_BACK), 86400)
        state, self._reached[group] = self._states.get(group), end
        known = columns_of(state) if state is not None else []
        columns = [*known, *sorted({count.column for count in raw} - set(known))]
        bins = bin_counts(group, to_arrays(raw, columns), columns, begin, end, [])
        state = self._detector.begin(group.bin_s, columns, talk=False) if state is None else state.with_series(columns)
        alarmed = state.extend_arrays(bins).values("level").any(axis=1)
        self._states[group] = state
        return [datetime.fromtimestamp(at, UTC) for at in bins.starts[alarmed].tolist()]


def _in_order(source: RecordedSource) -> bool:
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
