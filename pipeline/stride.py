"""Which steps of a replay must be taken: those in which something is new, due or open, and their neighbours.

Counts come with every step, and nearly all of them say that all is well. They are judged a stretch ahead in a
database in memory, by the same stages: the detector is causal, so that what it finds ahead is what it finds in its
time. A step without an alarm, a post, a notice, an item, a message that is due or an incident that may still change
is left out, and its counts are stored and judged with those of the next step that is taken.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pipeline.model import ComplaintCount
from pipeline.sources.recorded import RecordedSource
from pipeline.stages.collect import run_collect
from pipeline.stages.detect import run_detect
from pipeline.store import Store
from pipeline.store.judged import alarmed, forget_counts
from pipeline.store.outbox import next_due
from pipeline.store.story import may_change
from pipeline.times import floor_to

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FORGETTING = timedelta(minutes=10)  # after midnight, in which old verdicts are forgotten
TALK = DAY  # as long as this after a post every step is taken: silence is counted, too


class Stride:
    """Looks ahead in a replay's sources; `after` says which step comes next."""

    def __init__(self, sources: Sequence[RecordedSource], detector: Any, begin: datetime, step: timedelta) -> None:
        """`begin` is the first step; all others are whole steps after it."""
        self._begin, self._step = begin, step
        counts = [s for s in sources if s.kind == "complaints" and _in_order(s)]
        self._others = [s for s in sources if s not in counts]
        self._ahead = _Ahead(counts, detector, begin, step, self._at_or_after) if counts else None

    def after(self, store: Store, now: datetime, until: datetime) -> datetime:
        """Return the step to take after the one at `now`; `until` is the last, which is always taken."""
        following = now + self._step
        if following >= until or self._lively(store, now):
            return following
        found = self._at_or_after(floor_to(now, 86400) + DAY)
        for source in self._others:
            if (public := source.next_after(now)) is not None:
                found = min(found, self._at_or_after(public))
        if (due := next_due(store)) is not None:
            found = min(found, self._at_or_after(due))
        if may_change(store, now):
            # what is over is looked at once an hour
            found = min(found, self._at_or_after(floor_to(now, 3600) + HOUR))
        found = max(following, min(found, until - (until - self._begin) % self._step))
        if self._ahead is not None and (alarm := self._ahead.alarm(now, found)) is not None:
            found = alarm
        # the step before it, so that what it finds was looked at as lately as if all had been taken
        return max(following, found - self._step)

    def _lively(self, store: Store, now: datetime) -> bool:
        if now - floor_to(now, 86400) < FORGETTING:
            return True
        if any(
            s.kind == "posts" and (last := s.last_until(now)) is not None and now - last < TALK for s in self._others
        ):
            return True
        due = next_due(store)
        return (due is not None and due <= now) or bool(store.rows("SELECT 1 FROM incidents WHERE active LIMIT 1"))

    def _at_or_after(self, moment: datetime) -> datetime:
        """Return the first step at or after a moment."""
        return self._begin + max(0, -((self._begin - moment) // self._step)) * self._step


class _Ahead:
    """Counts judged before their time, in a database of their own."""

    def __init__(
        self, sources: Sequence[RecordedSource], detector: Any, begin: datetime, step: timedelta,
        at_or_after: Callable[[datetime], datetime],
    ) -> None:  # fmt: skip
        self._sources, self._detector = sources, detector
        self._store = Store(":memory:", durable=False)
        self._memory: dict[str, Mapping[str, str]] = {s.name: {} for s in sources}
        known = {key: _by_start(rows) for key, rows in _groups(sources).items()}
        self._starts = {key: [start for start, _ in rows] for key, rows in known.items()}
        self._steps = {key: [at_or_after(public) for _, public in rows] for key, rows in known.items()}
        # a series begins with its first count: bins before that are neither judged nor stored, so no stretch may hold it inside
        begun = {at_or_after(public) for s in sources for public in _first_of_series(s)}
        self._due = sorted(at for at in begun if at > begin)
        self._stops = sorted({at - n * step for at in self._due for n in (0, 1)})
        self._through = begin
        self._judge(begin)

    def alarm(self, now: datetime, until: datetime) -> datetime | None:
        """Return the first step in (now, until] in which an alarm or a new series comes to be known; None for none."""
        low = bisect.bisect_right(self._stops, self._through)
        for stop in [*self._stops[low : bisect.bisect_right(self._stops, until)], until]:
            if stop > self._through:
                self._judge(stop)
        at = bisect.bisect_right(self._due, now)
        return self._due[at] if at < len(self._due) and self._due[at] <= until else None

    def _judge(self, until: datetime) -> None:
        for source in self._sources:
            _, self._memory[source.name] = run_collect(
                self._store, source, until, since=self._through, memory=self._memory[source.name]
            )
        run_detect(self._store, self._detector, (), until)
        for name, width, start in alarmed(self._store):
            key = name, width
            at = bisect.bisect_left(self._starts[key], start)
            if at < len(self._starts[key]) and self._steps[key][at] > self._through:
                bisect.insort(self._due, self._steps[key][at])
        forget_counts(self._store, until - DAY)
        self._through = until


def _groups(sources: Sequence[RecordedSource]) -> dict[tuple[str, int], list[tuple[datetime, datetime]]]:
    """Return (start, when public) of every count by source and width, in the order they became public."""
    found: dict[tuple[str, int], list[tuple[datetime, datetime]]] = {}
    for source in sources:
        for public, row in source.rows():
            if isinstance(row, ComplaintCount):
                found.setdefault((row.source, row.interval_s), []).append((row.start, public))
    return found


def _by_start(rows: Sequence[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    return sorted(dict(rows).items())


def _in_order(source: RecordedSource) -> bool:
    """Return whether a source's counts came bin after bin, all of a bin together: none of them changes the past."""
    for rows in _groups([source]).values():
        pairs = list(dict.fromkeys(rows))
        starts = [start for start, _ in pairs]
        if starts != sorted(set(starts)):
            return False
    return True


def _first_of_series(source: RecordedSource) -> list[datetime]:
    """Return when each series' first count became public."""
    found: dict[tuple[str, str, int], datetime] = {}
    for public, row in source.rows():
        if isinstance(row, ComplaintCount):
            found.setdefault((row.service, row.indicator, row.interval_s), public)
            found.setdefault((row.service, "", row.interval_s), public)
    return sorted(set(found.values()))
