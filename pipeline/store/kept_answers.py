"""Answers of a database that are kept between two questions, where nobody else writes to it."""

from __future__ import annotations

from collections.abc import Iterator, Set
from contextlib import contextmanager
from typing import NamedTuple

from pipeline.core.incidents import Incident


class DistinctQuestion(NamedTuple):
    """Which distinct values are asked for: of a column of a table, in the rows that a condition holds for."""

    table: str
    column: str
    where: str
    values: tuple[object, ...]


class KeptAnswers:
    """What was read and is still true. Whoever writes what changes an answer has it forgotten.

    Only a replay keeps anything: it alone writes to its database, step after step.
    """

    def __init__(self) -> None:
        """Keep nothing: every question is asked again."""
        self._keeps = False
        self._kinds: set[tuple[str | int, ...]] = set()
        self._distinct_values: dict[DistinctQuestion, list[str]] = {}
        self._incidents: dict[str, Incident] = {}

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Keep answers within: nobody else writes to the database meanwhile."""
        self._keeps = True
        try:
            yield
        finally:
            self._keeps = False
            for kept in (self._kinds, self._distinct_values, self._incidents):
                kept.clear()

    @property
    def distinct_values(self) -> dict[DistinctQuestion, list[str]]:
        """The distinct values of what was collected that are kept; to be added to."""
        return self._distinct_values if self._keeps else {}

    @property
    def incidents(self) -> dict[str, Incident]:
        """The stored incidents that are kept, by id; to be added to."""
        return self._incidents if self._keeps else {}

    def note_kinds(self, kinds: Set[tuple[str | int, ...]]) -> None:
        """Note of which kinds the rows are that are written: with a new one there may be other distinct values."""
        if self._keeps and not kinds <= self._kinds:
            self._kinds |= kinds
            self._distinct_values.clear()

    def forget_incidents(self, *ids: str) -> None:
        """Forget incidents that are written or deleted."""
        for incident in ids:
            self._incidents.pop(incident, None)
