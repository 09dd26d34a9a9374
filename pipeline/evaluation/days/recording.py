"""What a recorded day holds of one service, with the moment each row became public: what a rule may look at."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np

from detectors.contract import Floats
from pipeline.core.catalogue import Catalogue
from pipeline.core.records import ChartRank, ComplaintCount, NewsItem, Post
from pipeline.core.status_records import StatusUpdate
from pipeline.evaluation.days.entries import AlertEntry, EntryKind
from pipeline.replay.recorded_source import RecordedSource
from pipeline.text.services import ServiceMatcher

HOUR = timedelta(hours=1)
NO_TROUBLE = ("none", "maintenance")  # a provider's rating of a notice that is no outage
ENDED = ("resolved", "postmortem", "completed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A post that names a service or lies in its community; `title` is empty for a comment."""

    public: datetime
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An update of a provider's notice; `resolved`: it says that all is well again."""

    public: datetime
    notice: str
    resolved: bool


@dataclass(slots=True, kw_only=True)
class ServiceRecording:
    """One service in a recorded day, each list oldest first, and when a rule is run: every `step` from `begin`.

    counts: totals of intervals of one width, as (public, total); an interval that is missing is not there. outlets: who
    named it in the news. ranks: its places in app charts.
    """

    service: str
    begin: datetime
    until: datetime
    step: timedelta
    counts: list[tuple[datetime, int]] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    outlets: list[tuple[datetime, str]] = field(default_factory=list)
    ranks: list[tuple[datetime, int]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def run_at(self, public: datetime) -> datetime:
        """Return the first run that sees what became public then."""
        return self.begin + max(0, math.ceil((public - self.begin) / self.step)) * self.step

    def mentions_by_hour(self) -> list[tuple[datetime, int]]:
        """Return how many mentions were made in each hour of the recording, with when the hour was over."""
        if not self.mentions:
            return []
        first = self.mentions[0].public.replace(minute=0, second=0)
        hours = [int((mention.public - first) / HOUR) for mention in self.mentions]
        totals = np.bincount(hours, minlength=int((self.until - first) / HOUR) + 1)
        return [(first + (number + 1) * HOUR, int(total)) for number, total in enumerate(totals)]


def recordings(
    sources: Sequence[RecordedSource],
    catalogue: Catalogue,
    watched: Sequence[str],
    span: tuple[datetime, datetime],
    step: timedelta,
) -> dict[str, ServiceRecording]:
    """Return what a day's sources hold of each watched service; `span` is from the first run to the last."""
    found = {name: ServiceRecording(service=name, begin=span[0], until=span[1], step=step) for name in watched}
    matcher = ServiceMatcher(catalogue)
    pages = {catalogue[name].page: name for name in watched if catalogue[name].page}
    for source in sources:
        for public, row in source.rows():
            if isinstance(row, ComplaintCount):
                if row.service in found and not row.region and not row.indicator:
                    found[row.service].counts.append((public, row.total))
            elif isinstance(row, Post):
                text = f"{row.title}\n{row.text}"
                for name in matcher.about(text, row.community):
                    if name in found:
                        found[name].mentions.append(Mention(public=public, title=row.title, text=row.text))
            elif isinstance(row, NewsItem):
                for name in set(matcher.about(f"{row.title}\n{row.summary}")) & set(found):
                    found[name].outlets.append((public, row.outlet))
            elif isinstance(row, ChartRank):
                for name in watched:
                    if row.app in catalogue[name].app_names:
                        found[name].ranks.append((public, row.rank))
            elif isinstance(row, StatusUpdate):
                owner = pages.get(row.page)
                if owner is not None and row.impact not in NO_TROUBLE:
                    resolved = row.status in ENDED
                    found[owner].notices.append(Notice(public=public, notice=row.incident_id, resolved=resolved))
    return found


def first_notices(recorded: Mapping[str, ServiceRecording]) -> dict[str, list[datetime]]:
    """Return, for each service, when each of its provider's notices began."""
    began: dict[str, list[datetime]] = {}
    for name, service in recorded.items():
        first: dict[str, datetime] = {}
        for notice in service.notices:
            first.setdefault(notice.notice, notice.public)
        began[name] = sorted(first.values())
    return began


def alarms_of_states(
    service: ServiceRecording, states: Iterable[tuple[datetime, bool]], *, quiet: int = 2
) -> list[AlertEntry]:
    """Return an alarm where the states (public, hot), oldest first, turn hot, and its end after `quiet` cool ones.

    A rule's authors do not say when an alarm is over: two cool intervals are taken for all of them.
    """
    entries: list[AlertEntry] = []
    cool, opened = 0, ""
    for public, hot in states:
        at = service.run_at(public)
        if public <= service.begin or at > service.until:
            continue
        cool = 0 if hot else cool + 1
        if hot and not opened:
            opened = f"{service.service} {public:%Y-%m-%dT%H:%M}"
            entries.append(AlertEntry(at=at, services=(service.service,), alarm=opened))
        elif opened and cool >= quiet:
            entries.append(AlertEntry(at=at, services=(service.service,), kind=EntryKind.OVER, alarm=opened))
            opened = ""
    return entries


def totals_of(pairs: Sequence[tuple[datetime, int]]) -> Floats:
    """Return the totals alone."""
    return np.array([total for _, total in pairs], dtype=np.float64)


def width_of(pairs: Sequence[tuple[datetime, int]]) -> timedelta:
    """Return the commonest distance of neighbours, an hour where there are fewer than two."""
    if len(pairs) < 2:
        return HOUR
    steps = [(after[0] - before[0]) for before, after in pairwise(pairs)]
    return max(set(steps), key=steps.count)
