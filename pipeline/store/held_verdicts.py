"""Quiet verdicts of a replay that stay in memory: most are forgotten before anything would read them from the disk.

What says nothing unusual is deleted after two weeks, except around incidents. A replay of a year would write and
delete a row for nearly every count. The rows are the same in the end. A replay that is killed lacks those that were
held; it has lost the states of its detectors, too, for they are written later, so that the next one judges them again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from pipeline.core.verdict_columns import VerdictColumns

MOST_HELD = 1_000_000  # verdicts, of some 160 bytes each
# of one judgement: fewer are written at once, for a part of its own costs 2 kB, and each question looks at every part
FEWEST_HELD = 100


class _Part(NamedTuple):
    """What one judgement found; the starts of its first and last bin."""

    first: str
    last: str
    verdicts: VerdictColumns


class HeldVerdicts:
    """Quiet verdicts in memory, of series that are judged in one group each."""

    def __init__(self) -> None:
        """Hold nothing: all verdicts are written at once."""
        self.holds = False
        self._parts: list[_Part] = []
        self._before: tuple[bool, list[_Part]] = (False, [])
        self._subjects: dict[str, str] = {}

    def begin(self) -> None:
        """Note what is held before a transaction."""
        self._before = self.holds, self._parts.copy()

    def roll_back(self) -> None:
        """Hold what was held before the transaction."""
        self.holds, self._parts = self._before

    def is_judged_elsewhere(self, subject: str, series: Iterable[str]) -> bool:
        """Return whether another subject has judged any of the series: the order of their verdicts matters then."""
        return self.holds and any(self._subjects.setdefault(name, subject) != subject for name in series)

    def hold(self, verdicts: Iterable[VerdictColumns]) -> list[VerdictColumns]:
        """Hold the quiet ones of some verdicts, unless they are few; return those that are to be written now."""
        if not self.holds:
            return list(verdicts)
        at_once = []
        for part in verdicts:
            quiet = part.quiet
            if quiet.sum() < FEWEST_HELD:
                at_once.append(part)
                continue
            at_once.append(part.where(~quiet))
            self._parts.append(_part(part.where(quiet)))
        too_many = sum(part.verdicts.size for part in self._parts) > MOST_HELD
        return [*self.release(), *at_once] if too_many else at_once

    def release(self) -> list[VerdictColumns]:
        """Return all that is held, and hold it no longer: it is to be written."""
        released, self._parts = [part.verdicts for part in self._parts], []
        return released

    def of_series(self, series: str, since: str, until: str) -> list[VerdictColumns]:
        """Return what is held of a series, on bins that start in [since, until)."""
        found = []
        for first, last, verdicts in self._parts:
            if first < until and last >= since:
                low, high = verdicts.bin_start.searchsorted([since, until]).tolist()
                here = verdicts.where(slice(low, high))
                found.append(here.where(here.series == series))
        return found

    @property
    def oldest(self) -> str | None:
        """The start of the oldest bin that is held; None where none is."""
        return min((part.first for part in self._parts), default=None)

    def forget(self, before: str, kept: Collection[str]) -> list[VerdictColumns]:
        """Forget the verdicts on bins that start before a moment; return those of some series, to be written."""
        parts, self._parts = self._parts, []
        released = []
        for part in parts:
            if part.first >= before:
                self._parts.append(part)
                continue
            at = int(part.verdicts.bin_start.searchsorted(before))
            if part.last >= before:
                self._parts.append(_part(part.verdicts.where(slice(at, None))))
            old = part.verdicts.where(slice(at))
            released.append(old.where([name in kept for name in old.series.tolist()]))
        return released


def _part(verdicts: VerdictColumns) -> _Part:
    return _Part(str(verdicts.bin_start[0]), str(verdicts.bin_start[-1]), verdicts)
