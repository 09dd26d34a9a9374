"""Refused rows as lines: those that are refused for the same reason in one, with their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pipeline.core.quantities import quantity
from pipeline.core.records import RejectedRow

MOST_LINES = 20  # reasons that are named


class RefusalLines:
    """Sums up refused rows, which may come some thousand at a time."""

    def __init__(self) -> None:
        """`total` is how many rows there were."""
        self.total = 0
        self._first: dict[str, str] = {}  # by reason the place of the first row
        self._counts: Counter[str] = Counter()

    def add(self, rejected: Iterable[RejectedRow]) -> None:
        """Add rows."""
        for row in rejected:
            self.total += 1
            if row.reason in self._first or len(self._first) < MOST_LINES:
                self._first.setdefault(row.reason, row.where)
                self._counts[row.reason] += 1

    @property
    def unnamed(self) -> int:
        """How many rows the lines leave out."""
        return self.total - self._counts.total()

    def lines(self) -> list[str]:
        """Return a line for each reason: where the first such row lies, the reason, and how many more there are."""
        return [
            f"{where}: {reason}"
            + (f" (and {quantity(more, 'more row')})" if (more := self._counts[reason] - 1) else "")
            for reason, where in self._first.items()
        ]
