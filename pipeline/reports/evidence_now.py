"""What each class of evidence says of a service now, compared with what is usual."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from detectors.count_kinds import CountKind
from pipeline.config.settings import Config
from pipeline.core.catalogue import Service
from pipeline.core.incidents import Incident
from pipeline.core.status_records import StatusUpdate
from pipeline.render.summary import duration
from pipeline.store import Store
from pipeline.store.levels import Bin, Counter, counted, ended_bins
from pipeline.store.news import news_events
from pipeline.store.official import updates_of_page
from pipeline.store.runs import coverage

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
ENDED, NO_TROUBLE = ("resolved", "postmortem", "completed"), ("none", "maintenance")
READ_LATELY = timedelta(minutes=30)
DAYS_COMPARED = 7
RAISED, ADDED = 1.5, 3  # more than so many times the usual and so many reports on top is no ordinary hour
POSTS_A_WEEK = 3  # counted reports; a service of which fewer are read in a week is not seen in posts


class EvidenceClass(StrEnum):
    """Where evidence comes from; docs/operators.md says what each can show."""

    CROWD = "crowd"
    MEASURED = "measured"
    DEPENDENT = "dependent"
    OFFICIAL = "official"
    PRESS = "press"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one class of evidence says: `raised` True or False, None where it can say nothing of the last hour.

    `gap` says what of the last hour is not counted where that is more than half of it; empty otherwise.
    """

    evidence: EvidenceClass
    raised: bool | None
    statement: str
    gap: str = ""


def findings_of(
    store: Store, config: Config, service: Service, lately: Sequence[Incident], now: datetime
) -> Iterator[Finding]:
    kinds = config.sources.counts_kind
    last = ended_bins(store, service.id, now - HOUR, now)
    before = [ended_bins(store, service.id, now - HOUR - n * DAY, now - n * DAY) for n in range(1, DAYS_COMPARED + 1)]
    for counter in sorted({counter for hour in (last, *before) for counter in hour}):
        is_measured = kinds.get(counter.source) is CountKind.MEASURED
        evidence = EvidenceClass.MEASURED if is_measured else EvidenceClass.CROWD
        yield _compared(evidence, counter, last.get(counter, []), [hour.get(counter, []) for hour in before], now)
    in_last_hour = counted(store, service.id, now - HOUR, now)
    votes = {counter.source: value for counter, value in in_last_hour.items() if counter.channel == "votes"}
    week = counted(store, service.id, now - DAYS_COMPARED * DAY, now)
    for counter, total in sorted(week.items()):
        if counter.channel != "votes":
            continue
        spans = coverage(store, counter.source)
        is_read = bool(spans) and now - spans[-1][1] <= READ_LATELY and total >= POSTS_A_WEEK
        usual, now_counted = total / (DAYS_COMPARED * 24), votes.get(counter.source, 0.0)
        raised = now_counted > RAISED * usual + ADDED if is_read else None
        yield Finding(
            evidence=EvidenceClass.CROWD,
            raised=raised,
            statement=f"{counter.source}: {_people(now_counted)} reported trouble in the last hour, {usual:.1f} usual"
            + ("" if is_read else "; not read lately, or too seldom speaks of it"),
        )
    hit = sorted(i.service for i in lately if i.active and service.id in _runs_on(config, i.service))
    statement = (
        f"services that run on it have trouble: {', '.join(hit)}"
        if hit
        else "no service that runs on it is known to be out"
    )
    yield Finding(evidence=EvidenceClass.DEPENDENT, raised=bool(hit) or None, statement=statement)
    notices = _open_notices(store, service, now)
    if notices:
        statement = f"its provider: {notices[0]}"
    elif _page_is_read(store, service, now):
        statement = "its provider has no open notice, which proves nothing"
    else:
        statement = "its provider's status page was not read lately"
    if service.status_page:
        yield Finding(evidence=EvidenceClass.OFFICIAL, raised=bool(notices) or None, statement=statement)
    outlets = {
        o for event, _ in news_events(store, now - DAY, now) if service.id in event.services for o in event.outlets
    }
    yield Finding(
        evidence=EvidenceClass.PRESS,
        raised=None,
        statement=f"outlets read that named it in a day: {len(outlets) or 'none known'};"
        " the press follows, it is no evidence of its own",
    )


def _page_is_read(store: Store, service: Service, now: datetime) -> bool:
    """Return whether a service's status page was read lately, by its own source or by that of a recording."""
    spans = [*coverage(store, "status"), *coverage(store, f"status:{service.id}")]
    return any(now - until <= READ_LATELY for _, until in spans)


def _runs_on(config: Config, service: str) -> tuple[str, ...]:
    known = config.catalogue.get(service)
    return known.runs_on if known is not None else ()


def _open_notices(store: Store, service: Service, now: datetime) -> list[str]:
    """Return the names of notices on the provider's page whose newest update, a week old at most, ends nothing."""
    newest: dict[str, StatusUpdate] = {}
    for update in updates_of_page(store, service.page, now) if service.page else ():
        before = newest.get(update.incident_id)
        if before is None or update.written >= before.written:
            newest[update.incident_id] = update
    return [
        update.name
        for update in newest.values()
        if update.status not in ENDED and update.impact not in NO_TROUBLE and now - update.written <= WEEK
    ]


def _compared(
    evidence: EvidenceClass, counter: Counter, last: list[Bin], before: list[list[Bin]], now: datetime
) -> Finding:
    """Compare the intervals that ended in the last hour with those of the same time of day on the days `before`."""
    if not last:
        return Finding(evidence=evidence, raised=None, statement=f"{counter.source}: not counted in the last hour")
    value, end = sum(b.total for b in last), int(now.timestamp())
    unread, hour = end - last[-1].end, HOUR // timedelta(seconds=1)
    span = _span_in_words(counter, last[-1], now)
    usual = _usual(last, before)
    if usual is None:
        return Finding(
            evidence=evidence, raised=None, statement=f"{counter.source}: {value:.0f} {span}, usual not known yet"
        )
    covered = sum(b.end - max(b.start, end - hour) for b in last)
    gap = ""
    if covered < hour / 2 and unread >= counter.interval_s:
        gap = f"the last {unread // 60} min are not counted yet"
    elif covered < hour / 2:
        gap = f"only {covered // 60} min of the last hour are counted"
    raised = value > RAISED * usual + ADDED
    return Finding(
        evidence=evidence,
        raised=None if gap and not raised else raised,
        statement=f"{counter.source}: {value:.0f} {span}, {usual:.0f} usual at this time of day"
        + (f"; {gap}" if gap else ""),
        gap=gap,
    )


def _people(many: float) -> str:
    return f"{many:.0f} {'person' if round(many) == 1 else 'people'}"


def _span_in_words(counter: Counter, newest: Bin, now: datetime) -> str:
    """Return which span the intervals that ended in the last hour cover, the newest of them ending with `newest`."""
    end = f"{datetime.fromtimestamp(newest.end, tz=UTC):%H:%M}"
    if counter.interval_s > HOUR // timedelta(seconds=1):
        return f"in the {duration(timedelta(seconds=counter.interval_s))} to {end}"
    if int(now.timestamp()) - newest.end < counter.interval_s:
        return "in the last hour"
    return f"in the part of the last hour to {end}"


def _usual(last: list[Bin], before: list[list[Bin]]) -> float | None:
    """Return what so many intervals usually hold, from those that ended in the same part of the hour; None without."""
    means = []
    for days, bins in enumerate(before, 1):
        shift = days * (DAY // timedelta(seconds=1))
        same = [b.total for b in bins if last[0].start <= b.start + shift and b.end + shift <= last[-1].end]
        if same:
            means.append(sum(same) / len(same))
    return len(last) * sum(means) / len(means) if means else None
