"""Answers of a database that are kept between two questions, where nobody else writes to it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Set
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypeVar, cast

from pipeline.core.incidents import Incident
from pipeline.store.kept_rows import MovingSpans, moving_spans

T = TypeVar("T")
MOST_SPANS = 100  # answers of spans that are kept at once of a service


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
    TOTALS_BY_HOUR = "totals by hour, of a source that tells them"
    PARTS_BY_HOUR = "sums of parts by hour, of a source"
    COUNTS_BY_REGION = "counts by region"
    POSTS_BY_HOUR = "posts by hour"


OF_COUNTS = frozenset(SpanTopic) - {SpanTopic.POSTS_BY_HOUR}


class _SpanQuestion(NamedTuple):
    topic: SpanTopic
    since: datetime
    until: datetime
    source: str


class _WorkedOut(NamedTuple):
    given: object
    result: object


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
        self._of_spans: dict[str, dict[_SpanQuestion, object]] = {}  # by service
        self._read_by_one: dict[str, datetime] = {}
        self._series: set[str] = set()
        self._worked_out: dict[Hashable, _WorkedOut] = {}
        self._spans = moving_spans()

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Keep answers within: nobody else writes to the database meanwhile."""
        self._keeps = True
        try:
            yield
        finally:
            self._keeps = False
            for kept in (
                self._kinds,
                self._distinct_values,
                self._incidents,
                self._of_spans,
                self._read_by_one,
                self._series,
                self._worked_out,
                *self._spans,
            ):
                kept.clear()

    @property
    def distinct_values(self) -> dict[DistinctQuestion, list[str]]:
        """The distinct values of what was collected that are kept; to be added to."""
        return self._distinct_values if self._keeps else {}

    @property
    def incidents(self) -> dict[str, Incident]:
        """The stored incidents that are kept, by id; to be added to."""
        return self._incidents if self._keeps else {}

    @property
    def series(self) -> set[str]:
        """The names of series that are stored; to be added to."""
        return self._series if self._keeps else set()

    @property
    def read_by_one(self) -> dict[str, datetime]:
        """Since when no post was read by another model than the one of an id; to be added to."""
        return self._read_by_one if self._keeps else {}

    @property
    def spans(self) -> MovingSpans:
        """The rows that are kept of spans whose ends move on; to be added to."""
        return self._spans if self._keeps else moving_spans()

    def of_span(
        self, topic: SpanTopic, service: str, since: datetime, until: datetime, ask: Callable[[], T], source: str = ""
    ) -> T:
        """Return what rows of a service in [since, until) say, from `ask` where it is not kept; not to be changed.

        `source` restricts it to the rows of one.
        """
        question = _SpanQuestion(topic, since, until, source)
        if not self._keeps:
            return ask()
        answers = self._of_spans.setdefault(service, {})
        if question not in answers:
            if len(answers) >= MOST_SPANS:
                answers.clear()
            answers[question] = ask()
        return cast("T", answers[question])

    def worked_out(self, name: Hashable, given: object, work_out: Callable[[], T]) -> T:
        """Return what `work_out` makes of what is given, kept by a name as long as that is equal; not to be changed."""
        if not self._keeps:
            return work_out()
        known = self._worked_out.get(name)
        if known is None or known.given != given:
            if len(self._worked_out) >= MOST_SPANS:
                self._worked_out.clear()
            known = self._worked_out[name] = _WorkedOut(given, work_out())
        return cast("T", known.result)

    def note_reports(self, oldest: datetime) -> None:
        """Note that posts or votes of a moment and later are written: what is said of then is to be read again."""
        for kept in self._spans.of_posts:
            kept.note(oldest)

    def forget_reports(self) -> None:
        """Forget all that was read of posts: some of them are changed."""
        for kept in self._spans.of_posts:
            kept.clear()

    def note_verdicts(self, oldest: Mapping[str, datetime]) -> None:
        """Note that verdicts are written or deleted, by series the start of the oldest: later ones are read again."""
        for series, start in oldest.items():
            self._spans.points.note(start, series)

    def forget_verdicts(self) -> None:
        """Forget all judged bins: some of them are deleted."""
        self._spans.points.clear()

    def forget_news(self) -> None:
        """Forget the news: items or events are written."""
        self._spans.news_items.clear()
        self._spans.news_events.clear()

    def note_counts(self, oldest: Mapping[str, datetime]) -> None:
        """Note that counts are written, by service the start of the oldest: what was read of later spans is old."""
        for service in oldest.keys() & self._of_spans.keys():
            answers = self._of_spans[service]
            for question in [q for q in answers if q.until > oldest[service] and q.topic in OF_COUNTS]:
                del answers[question]

    def forget_counts(self) -> None:
        """Forget what was read of counts: some of them are taken away."""
        for answers in self._of_spans.values():
            for question in [q for q in answers if q.topic in OF_COUNTS]:
                del answers[question]
        self._distinct_values.clear()

    def note_posts(self, oldest: datetime, model: str) -> None:
        """Note that posts of a moment and later are read anew, of whatever service, by a model of this id."""
        for answers in self._of_spans.values():
            for question in [q for q in answers if q.topic is SpanTopic.POSTS_BY_HOUR and q.until > oldest]:
                del answers[question]
        for other in self._read_by_one.keys() - {model}:
            del self._read_by_one[other]

    def note_kinds(self, kinds: Set[tuple[str | int, ...]]) -> None:
        """Note of which kinds the rows are that are written: with a new one there may be other distinct values."""
        if self._keeps and not kinds <= self._kinds:
            self._kinds |= kinds
            self._distinct_values.clear()

    def forget_incidents(self, *ids: str) -> None:
        """Forget incidents that are written or deleted."""
        for incident in ids:
            self._incidents.pop(incident, None)
