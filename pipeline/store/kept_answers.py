"""Answers of a database that are kept between two questions, where nobody else writes to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypeVar, cast

from pipeline.core.incidents import Incident

T = TypeVar("T")
MOST_SPANS = 2000  # answers of spans that are kept at once


class DistinctQuestion(NamedTuple):
    """Which distinct values are asked for: of a column of a table, in the rows that a condition holds for."""

    table: str
    column: str
    where: str
    values: tuple[object, ...]


class SpanTopic(StrEnum):
    """What is read of a service over a span."""

    COUNTS_BY_BIN = "counts by bin"
    COUNTS_BY_HOUR = "counts by hour"
    COUNTS_BY_REGION = "counts by region"
    POSTS_BY_HOUR = "posts by hour"


OF_COUNTS = (SpanTopic.COUNTS_BY_BIN, SpanTopic.COUNTS_BY_HOUR, SpanTopic.COUNTS_BY_REGION)


class _SpanQuestion(NamedTuple):
    topic: SpanTopic
    service: str
    since: datetime
    until: datetime


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
        self._of_spans: dict[_SpanQuestion, object] = {}

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Keep answers within: nobody else writes to the database meanwhile."""
        self._keeps = True
        try:
            yield
        finally:
            self._keeps = False
            for kept in (self._kinds, self._distinct_values, self._incidents, self._of_spans):
                kept.clear()

    @property
    def distinct_values(self) -> dict[DistinctQuestion, list[str]]:
        """The distinct values of what was collected that are kept; to be added to."""
        return self._distinct_values if self._keeps else {}

    @property
    def incidents(self) -> dict[str, Incident]:
        """The stored incidents that are kept, by id; to be added to."""
        return self._incidents if self._keeps else {}

    def of_span(self, topic: SpanTopic, service: str, since: datetime, until: datetime, ask: Callable[[], T]) -> T:
        """Return what rows of a service in [since, until) say, from `ask` where it is not kept; not to be changed."""
        question = _SpanQuestion(topic, service, since, until)
        if not self._keeps:
            return ask()
        if question not in self._of_spans:
            if len(self._of_spans) >= MOST_SPANS:
                self._of_spans.clear()
            self._of_spans[question] = ask()
        return cast("T", self._of_spans[question])

    def note_counts(self, oldest: Mapping[str, datetime]) -> None:
        """Note that counts are written, by service the start of the oldest: what was read of later spans is old."""
        for question in [q for q in self._of_spans if q.topic in OF_COUNTS and q.service in oldest]:
            if question.until > oldest[question.service]:
                del self._of_spans[question]

    def forget_counts(self) -> None:
        """Forget what was read of counts: some of them are taken away."""
        for question in [q for q in self._of_spans if q.topic in OF_COUNTS]:
            del self._of_spans[question]
        self._distinct_values.clear()

    def note_posts(self, oldest: datetime) -> None:
        """Note that posts of a moment and later are read anew, of whatever service."""
        for question in [q for q in self._of_spans if q.topic is SpanTopic.POSTS_BY_HOUR and q.until > oldest]:
            del self._of_spans[question]

    def note_kinds(self, kinds: Set[tuple[str | int, ...]]) -> None:
        """Note of which kinds the rows are that are written: with a new one there may be other distinct values."""
        if self._keeps and not kinds <= self._kinds:
            self._kinds |= kinds
            self._distinct_values.clear()

    def forget_incidents(self, *ids: str) -> None:
        """Forget incidents that are written or deleted."""
        for incident in ids:
            self._incidents.pop(incident, None)
