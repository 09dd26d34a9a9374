"""Which steps of a replay must be taken: those in which something is new, due or open, and their neighbours.

Counts come with every step, and nearly all of them say that all is well. They are judged ahead (`alarm_forecast`). A
step without an alarm, a post, a notice, an item, a
message that is due or an incident that may still change is left out, and its counts are stored and judged with those of
the next step that is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pipeline.core.times import floor_to
from pipeline.detection.series_groups import FORGETTING
from pipeline.replay.alarm_forecast import AlarmForecast, is_in_order
from pipeline.replay.recorded_source import RecordedSource
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
        self._begin, self._step, self._config = begin, step, pipeline.config
        counts = [s for s in sources if s.kind == "complaints" and is_in_order(s)]
        self._others = [s for s in sources if s not in counts]
        self.forecast = AlarmForecast(counts, pipeline.detector, begin, step, self._at_or_after) if counts else None

    def prepare(self, now: datetime, until: datetime) -> None:
        """Judge the counts that the step at `now` will judge; `until` is the last step."""
        if self.forecast is not None:
            self.forecast.judge_to(now, until)

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
        return (self.forecast.next_alarm(now, found, until) if self.forecast is not None else None) or found

    def _posted_lately(self, now: datetime) -> bool:
        """Return whether anybody posted of late."""
        last = (source.last_until(now) for source in self._others if source.kind == "posts")
        return any(at is not None and now - at < AFTER_A_POST for at in last)

    def _at_or_after(self, moment: datetime) -> datetime:
        """Return the first step at or after a moment."""
        return self._begin + max(0, -((self._begin - moment) // self._step)) * self._step
