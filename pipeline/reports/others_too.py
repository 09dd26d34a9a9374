"""Is it only me? What each class of evidence says of a service now, and whether that is enough for an answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from detectors.count_kinds import CountKind
from pipeline.config.load import Config
from pipeline.core.catalogue import Service
from pipeline.core.records import StatusUpdate
from pipeline.core.vocabulary import State
from pipeline.store import Store
from pipeline.store.incidents import incidents
from pipeline.store.levels import Counter, counted
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


class Answer(StrEnum):
    """Whether others have the trouble, too."""

    OTHERS = "others see it, too"
    ONLY_YOU = "probably only you"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one class of evidence says: `raised` True or False, None where it can say nothing of the last hour."""

    evidence: EvidenceClass
    raised: bool | None
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OthersToo:
    """The answer for a service at a moment, why, and the findings it rests on."""

    service: str
    at: datetime
    answer: Answer
    reason: str
    findings: tuple[Finding, ...]


def others_too(store: Store, config: Config, service: Service, now: datetime) -> OthersToo:
    """Return whether others have trouble with a service at `now`.

    An incident of at least `likely` that lasts is shared by others. Only evidence of a crowd, or measurements, that are
    read and usual allow `probably only you`: a silent page does not, providers are late.
    """
    findings = tuple(_findings(store, config, service, now))
    open_now = [i for i in incidents(store, now - DAY) if i.service == service.id and i.active and i.onset <= now]
    sure = [i for i in open_now if i.state in (State.LIKELY, State.CONFIRMED)]
    crowd = [f for f in findings if f.evidence in (EvidenceClass.CROWD, EvidenceClass.MEASURED)]
    if sure:
        answer, reason = Answer.OTHERS, f"an incident is {sure[0].state} since {sure[0].onset:%Y-%m-%d %H:%M} UTC"
    elif any(f.raised for f in findings if f.evidence is EvidenceClass.OFFICIAL):
        answer, reason = Answer.OTHERS, "its provider says so"
    elif open_now or any(f.raised for f in crowd):
        answer, reason = Answer.CANNOT_TELL, "there is more than usual, and too little to be sure"
    elif any(f.raised is False for f in crowd):
        answer, reason = Answer.ONLY_YOU, "what others report is as usual"
    else:
        answer, reason = Answer.CANNOT_TELL, "no source of reports or measurements covers it now"
    return OthersToo(service=service.id, at=now, answer=answer, reason=reason, findings=findings)


def _findings(store: Store, config: Config, service: Service, now: datetime) -> Iterator[Finding]:
    kinds = config.sources.counts_kind
    last = counted(store, service.id, now - HOUR, now)
    before = [counted(store, service.id, now - HOUR - n * DAY, now - n * DAY) for n in range(1, DAYS_COMPARED + 1)]
    for counter in sorted({counter for hour in (last, *before) for counter in hour}):
        if counter.channel == "complaints":
            is_measured = kinds.get(counter.source) is CountKind.MEASURED
            evidence = EvidenceClass.MEASURED if is_measured else EvidenceClass.CROWD
            yield _compared(evidence, counter, last, [hour[counter] for hour in before if counter in hour])
    votes = {counter.source: value for counter, value in last.items() if counter.channel == "votes"}
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
            statement=f"{counter.source}: {now_counted:.0f} people reported trouble in the last hour, {usual:.1f} usual"
            + ("" if is_read else "; not read lately, or too seldom speaks of it"),
        )
    hit = sorted(
        i.service for i in incidents(store, now - DAY) if i.active and service.id in _runs_on(config, i.service)
    )
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


def _compared(evidence: EvidenceClass, counter: Counter, last: dict[Counter, float], before: list[float]) -> Finding:
    usual = sum(before) / len(before) if before else None
    value = last.get(counter)
    if value is None or usual is None:
        words = (
            "not counted in the last hour" if value is None else f"{value:.0f} in the last hour, usual not known yet"
        )
        return Finding(evidence=evidence, raised=None, statement=f"{counter.source}: {words}")
    return Finding(
        evidence=evidence,
        raised=value > RAISED * usual + ADDED,
        statement=f"{counter.source}: {value:.0f} in the last hour, {usual:.0f} usual at this time of day",
    )
