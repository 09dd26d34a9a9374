"""A recorded day as a source: at simulated time t it offers what was public by t less its kind's publication delay."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from pipeline.core.count_columns import CountColumns
from pipeline.core.records import Batch, Record, RejectedRow
from pipeline.core.times import Span, iso
from pipeline.replay.provenance import RecordedRun
from pipeline.replay.recorded_rows import CountedRows, listed
from pipeline.replay.scenario import Scenario


class RecordedSource:
    """One kind of a scenario's records, offered by the time they became public."""

    def __init__(
        self,
        name: str,
        scenario: Scenario,
        kind: str,
        rows: Iterable[tuple[datetime, Record]] | CountedRows,
        bad: Iterable[RejectedRow],
        runs: Sequence[RecordedRun] = (),
        notes: Sequence[str] = (),
    ) -> None:
        """Sort the rows by when they became public; `runs` are what recorded runs covered, where that is known.

        `notes` say what is odd in the files, and does not matter.
        """
        self.notes = tuple(notes)
        self.name, self.kind = name, kind
        self._delay = scenario.delays[kind]
        self._start = scenario.start
        self._runs = runs
        self._rows = rows if isinstance(rows, CountedRows) else listed(rows)
        self.rejected = tuple(bad)

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        """Return what became public in (since, now]; refused rows come with the first fetch of a replay."""
        first = state.get("begun") is None
        low = 0 if first else self._rows.after(since)
        high = self._rows.after(now)
        columns = self._rows.columns(low, high) if low < high else None
        rows = tuple(self._rows.between(low, high)) if columns is None else ()
        spans = [self._span(since, now, first=first)]
        if self._runs:
            spans = [run.covered for run in self._runs if (first or run.at > since) and run.at <= now]
        return Batch(
            source=self.name,
            rows=rows,
            columns=columns,
            rejected=self.rejected if first else (),
            coverage=tuple(spans),
            outcome="ok" if low < high else "empty",
            state={"begun": iso(since)} if first else {},
        )

    def rows(self, since: datetime | None = None, until: datetime | None = None) -> Iterator[tuple[datetime, Record]]:
        """Yield (when it became public, row) in that order, of all or of what became public in (since, until]."""
        return ((row.collected, row) for row in self._rows.between(*self._places(since, until)))

    def counts(self, since: datetime | None = None, until: datetime | None = None) -> CountColumns | None:
        """Return the counts of all or of what became public in (since, until]; None where they are kept as records."""
        return self._rows.columns(*self._places(since, until))

    def _places(self, since: datetime | None, until: datetime | None) -> tuple[int, int]:
        return self._rows.after(since) if since else 0, self._rows.after(until) if until else len(self._rows)

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def first(self) -> datetime | None:
        """Return when the first row became public; None where there is none."""
        return self._rows.public(0) if len(self._rows) else None

    def next_after(self, moment: datetime) -> datetime | None:
        """Return when the next row after a moment became public, or the next recorded run was; None for never."""
        at = self._rows.after(moment)
        run = bisect.bisect_right(self._runs, moment, key=lambda told: told.at)
        public = [self._rows.public(at)] if at < len(self._rows) else []
        return min([*public, *(told.at for told in self._runs[run : run + 1])], default=None)

    def last_until(self, moment: datetime) -> datetime | None:
        """Return when the newest row up to a moment became public; None when there was none."""
        at = self._rows.after(moment)
        return self._rows.public(at - 1) if at else None

    def _span(self, since: datetime, now: datetime, *, first: bool) -> Span:
        begin = self._start if first else max(since - self._delay, self._start)
        return Span(begin, max(begin, now - self._delay))  # nothing is public within the first delay
