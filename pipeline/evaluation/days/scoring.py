"""How a system's messages compare with the truth of a recorded day, as docs/benchmark.md defines it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pipeline.core.times import minutes_between
from pipeline.evaluation.days.entries import AlertEntry, EntryKind
from pipeline.replay.truth import TrueOutage, Truth

EARLY = timedelta(minutes=30)  # a warning so long before an onset discovers the outage
LATE = timedelta(hours=1)  # and so long after its end
NOTICE_LATE = timedelta(hours=2)  # a warning so long after a provider's notice is no false alarm
OVER_EARLY, OVER_LATE = timedelta(minutes=15), timedelta(hours=2)
ONE_ALARM = timedelta(hours=24)  # messages without an id, so near each other, are one alarm
SERIOUS = ("major", "critical")


class Group(StrEnum):
    """Of what sort a recorded day is: figures are given for each by itself."""

    OUTAGE = "days with outages"
    BLIND_OUTAGE = "blind days with outages"
    QUIET = "quiet weeks"
    BLIND_QUIET = "blind quiet weeks"
    COUNTS = "real counts"


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchDay:
    """A day to be scored: from the first run to the last, whom it watches, what truly happened.

    notices: for each service, when the provider's notices began.
    """

    name: str
    group: Group
    begin: datetime
    until: datetime
    watched: tuple[str, ...]
    truth: Truth
    notices: Mapping[str, Sequence[datetime]]

    @property
    def service_weeks(self) -> float:
        """Return how many weeks of one service are watched."""
        return len(self.watched) * (self.until - self.begin) / timedelta(days=7)

    @property
    def outages(self) -> list[TrueOutage]:
        """Return the outages that began while it was watched."""
        return [o for o in self.truth.outages if self.begin <= o.onset <= self.until and o.service in self.watched]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageFigures:
    """An outage and what a system said of it; `alert_at` None: missed, and then all that follows is None or 0.

    Minutes are from the third credible report, the onset and the provider's notice to the first message, None where
    that moment is not known; `over_after` from the end to the last message that says it is over, None without one.
    """

    day: str
    service: str
    onset: datetime
    impact: str
    alert_at: datetime | None
    from_third_report: float | None
    from_onset: float | None
    from_notice: float | None
    has_third_report: bool
    has_notice: bool
    over_after: float | None
    over_in_time: bool
    components_true: int
    components_named: int
    components_right: int

    @property
    def serious(self) -> bool:
        """Return whether it was major or critical."""
        return self.impact in SERIOUS


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseAlarm:
    """An alarm of a service that was not broken, and of which its provider said nothing."""

    day: str
    service: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """What a system did in a day.

    right_alarms, noticed_alarms: alarms of a service during an outage of it, and near a provider's notice of another
    trouble. links_true: links that truth.toml names of outages; links_found of them were shown, links_wrong are shown
    items that truth.toml calls unrelated.
    """

    day: str
    group: Group
    service_weeks: float
    outages: tuple[OutageFigures, ...]
    right_alarms: int
    noticed_alarms: int
    false_alarms: tuple[FalseAlarm, ...]
    messages: int
    most_a_day: int
    links_true: int
    links_found: int
    links_wrong: int


def score_day(day: BenchDay, entries: Sequence[AlertEntry]) -> DayFigures:
    """Compare a system's messages, in any order, with the truth of a day; others than the day's are left out."""
    here = sorted((e for e in entries if e.day in ("", day.name) and day.begin <= e.at <= day.until), key=_at)
    right = noticed = 0
    wrong: list[FalseAlarm] = []
    for service in day.watched:
        for alarm in _alarms(service, here):
            times = [entry.at for entry in alarm]
            if any(o.service == service and _is_about(o, at) for o in day.truth.outages for at in times):
                right += 1
            elif any(-EARLY <= at - posted <= NOTICE_LATE for posted in day.notices.get(service, ()) for at in times):
                noticed += 1
            else:
                wrong.append(FalseAlarm(day=day.name, service=service, at=times[0]))
    shown = [(service, link) for e in here for service in e.services for link in e.links]
    outages = day.outages
    affected = {outage.service for outage in outages}
    links = [link for link in day.truth.links if link.service in affected]
    related = [link for link in links if link.relation != "unrelated"]
    return DayFigures(
        day=day.name,
        group=day.group,
        service_weeks=day.service_weeks,
        outages=tuple(_outage(day, outage, here) for outage in outages),
        right_alarms=right,
        noticed_alarms=noticed,
        false_alarms=tuple(wrong),
        messages=len(here),
        most_a_day=max(Counter(entry.at.date() for entry in here).values(), default=0),
        links_true=len(related),
        links_found=sum(any(s == k.service and url.startswith(k.url) for s, url in shown) for k in related),
        links_wrong=len(
            {url for k in day.truth.links if k.relation == "unrelated" for _, url in shown if url.startswith(k.url)}
        ),
    )


def _at(entry: AlertEntry) -> datetime:
    return entry.at


def _is_about(outage: TrueOutage, at: datetime) -> bool:
    return outage.onset - EARLY <= at <= outage.end + LATE


def _alarms(service: str, entries: Sequence[AlertEntry]) -> list[list[AlertEntry]]:
    """Return the warnings of a service, those of one alarm together, in the order of their first."""
    alarms: dict[str, list[AlertEntry]] = {}
    unnamed = 0
    is_open = False
    for entry in entries:
        if service not in entry.services:
            continue
        if entry.kind is EntryKind.OVER and not entry.alarm:
            is_open = False
        if not entry.kind.warns:
            continue
        key = entry.alarm
        if not key:
            last = alarms.get(f" {unnamed}")
            if last is None or not is_open or entry.at - last[-1].at > ONE_ALARM:
                unnamed += 1
            key, is_open = f" {unnamed}", True
        alarms.setdefault(key, []).append(entry)
    return list(alarms.values())


def _outage(day: BenchDay, outage: TrueOutage, entries: Sequence[AlertEntry]) -> OutageFigures:
    mine = [entry for entry in entries if outage.service in entry.services]
    near = [entry for entry in mine if entry.kind.warns and _is_about(outage, entry.at)]
    first = near[0].at if near else None
    posted = outage.official_first or min(
        (at for at in day.notices.get(outage.service, ()) if _is_about(outage, at)), default=None
    )
    overs = [
        minutes_between(outage.end, entry.at)
        for entry in mine
        if entry.kind is EntryKind.OVER and first is not None and first <= entry.at <= outage.end + 2 * OVER_LATE
    ]
    over = overs[-1] if overs else None
    named = {component for entry in near for component in entry.components} if outage.components else set()
    return OutageFigures(
        day=day.name,
        service=outage.service,
        onset=outage.onset,
        impact=outage.impact,
        alert_at=first,
        from_third_report=_minutes(outage.third_report, first),
        from_onset=_minutes(outage.onset, first),
        from_notice=_minutes(posted, first),
        has_third_report=outage.third_report is not None,
        has_notice=posted is not None,
        over_after=over,
        over_in_time=over is not None and -OVER_EARLY <= timedelta(minutes=over) <= OVER_LATE,
        components_true=len(outage.components),
        components_named=len(named),
        components_right=len(named & set(outage.components)),
    )


def _minutes(since: datetime | None, until: datetime | None) -> float | None:
    return round(minutes_between(since, until), 1) if since is not None and until is not None else None
