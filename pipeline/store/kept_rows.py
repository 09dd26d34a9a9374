"""Rows of a span of time that are kept between two questions, of a span whose ends move on."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Generic, NamedTuple, TypeVar

from pipeline.core.news_events import NewsEvent
from pipeline.core.records import NewsItem
from pipeline.core.reports import AccountReport, Report, Vote
from pipeline.core.series import Mention, VerdictPoint

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)  # what is stored is of whole ones: a span with its end in it ends one later
Row = TypeVar("Row")


class _Kept(NamedTuple, Generic[Row]):
    """The rows of a subject in [since, until), in the order of their moments."""

    since: datetime
    until: datetime
    rows: list[Row]


class KeptRows(Generic[Row]):
    """The rows that were read of each subject (a service, a series, a source), and from when to when."""

    def __init__(self, moment: Callable[[Row], datetime], *, before: timedelta) -> None:
        """`moment` says when a row lies; rows of `before` the span that was asked for last are kept, too."""
        self._moment, self._before = moment, before
        self._of: dict[str, _Kept[Row]] = {}

    def rows(
        self, subject: str, since: datetime, until: datetime, read: Callable[[datetime, datetime], list[Row]]
    ) -> list[Row]:
        """Return the rows of a subject in [since, until), in the order of their moments.

        `read` is asked for the parts of the span that are not kept. Fractions of a second are dropped, as in the
        database.
        """
        since, until = since.replace(microsecond=0), until.replace(microsecond=0)
        known = self._of.get(subject)
        if known is None or known.since > since:
            known = _Kept(since, until, read(since, until))
        elif known.until < until:
            begin = max(known.since, since - self._before)
            newer = read(known.until, until)
            known = _Kept(begin, until, [*known.rows[self._place(known, begin) :], *newer])
        self._of[subject] = known
        return known.rows[self._place(known, since) : self._place(known, until)]

    def _place(self, known: _Kept[Row], moment: datetime) -> int:
        """Return the place of the first row at a moment or later."""
        return bisect_left(known.rows, moment, key=self._moment)

    def note(self, oldest: datetime, subject: str | None = None) -> None:
        """Note that rows of a moment and later are written or deleted, of a subject or of any: they are read again."""
        oldest = oldest.replace(microsecond=0)  # spans end at whole seconds
        for name in self._of if subject is None else (subject,):
            known = self._of.get(name)
            if known is not None and oldest < known.until:
                until = max(known.since, oldest)
                self._of[name] = _Kept(known.since, until, known.rows[: self._place(known, until)])

    def clear(self) -> None:
        """Forget all rows."""
        self._of.clear()


class MovingSpans(NamedTuple):
    """What is kept: reports by service, judged bins by series, mentions by source, and others of all services."""

    reports: KeptRows[Report]
    mentions: KeptRows[Mention]
    votes: KeptRows[Vote]
    accounts: KeptRows[AccountReport]
    points: KeptRows[VerdictPoint]
    news_items: KeptRows[NewsItem]
    news_events: KeptRows[tuple[NewsEvent, str]]

    @property
    def of_posts(self) -> tuple[KeptRows[Report], KeptRows[Mention], KeptRows[Vote], KeptRows[AccountReport]]:
        """What hangs on posts and their votes."""
        return self.reports, self.mentions, self.votes, self.accounts


def moving_spans() -> MovingSpans:
    """Return rows of which none is kept yet."""
    return MovingSpans(
        reports=KeptRows(attrgetter("created"), before=timedelta(0)),
        mentions=KeptRows(attrgetter("created"), before=DAY),
        votes=KeptRows(attrgetter("created"), before=DAY),
        accounts=KeptRows(attrgetter("created"), before=DAY),
        points=KeptRows(attrgetter("start"), before=DAY),
        news_items=KeptRows(attrgetter("published"), before=timedelta(0)),
        news_events=KeptRows(lambda row: row[0].first_seen, before=timedelta(0)),
    )
