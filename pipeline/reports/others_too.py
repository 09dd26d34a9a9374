"""Is it only me? What each class of evidence says of a service now, and whether that is enough for an answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from detectors.count_kinds import CountKind
from pipeline.config.settings import Config
from pipeline.core.catalogue import Service
from pipeline.core.incidents import Incident
from pipeline.core.records import StatusUpdate
from pipeline.core.vocabulary import State
from pipeline.render.summary import duration
from pipeline.store import Store
from pipeline.store.incidents import incidents
from pipeline.store.levels import Bin, Counter, counted, ended_bins, newest_data
from pipeline.store.news import news_events
from pipeline.store.official import updates_of_page
from pipeline.store.outbox import alerts_of
from pipeline.store.runs import coverage

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
ENDED, NO_TROUBLE = ("resolved", "postmortem", "completed"), ("none", "maintenance")
READ_LATELY = timedelta(minutes=30)
DAYS_COMPARED = 7
RAISED, ADDED = 1.5, 3  # more than so many times the usual and so many reports on top is no ordinary hour
SENT_PROBABILITY = 0.5  # from here on an incident of which a message was sent is shared by others
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
    """What one class of evidence says: `raised` True or False, None where it can say nothing of the last hour.

    `gap` says what of the last hour is not counted where that is more than half of it; empty otherwise.
    """

    evidence: EvidenceClass
    raised: bool | None
    statement: str
    gap: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OthersToo:
    """The answer for a service at a moment, why, the incidents open at it in words, and the findings it rests on."""

    service: str
    at: datetime
    answer: Answer
    reason: str
    open_incidents: tuple[str, ...]
    findings: tuple[Finding, ...]


def others_too(store: Store, config: Config, service: Service, now: datetime) -> OthersToo:
    """Return whether others have trouble with a service at `now`.

    An incident of at least `likely` that lasts is shared by others, as is one of at least SENT_PROBABILITY of which a
    message went out. Only evidence of a crowd, or measurements, that are read and usual allow `probably only you`: a
    silent page does not, providers are late.
    """
    lately = incidents(store, now - DAY)
    findings = tuple(_findings(store, config, service, lately, now))
    open_now = [i for i in lately if i.service == service.id and _is_open(i, now)]
    sent = {i.id: _first_sent(store, i, now) for i in open_now}
    sure = [i for i in open_now if i.state in (State.LIKELY, State.CONFIRMED)]
    alerted = [i for i in open_now if sent[i.id] and (i.probability is None or i.probability >= SENT_PROBABILITY)]
    crowd = [f for f in findings if f.evidence in (EvidenceClass.CROWD, EvidenceClass.MEASURED)]
    gap = next((f.gap for f in crowd if f.gap), "")
    if sure:
        answer, reason = Answer.OTHERS, f"an incident is {sure[0].state} since {sure[0].onset:%Y-%m-%d %H:%M} UTC"
    elif any(f.raised for f in findings if f.evidence is EvidenceClass.OFFICIAL):
        answer, reason = Answer.OTHERS, "its provider says so"
    elif alerted:
        answer, reason = Answer.OTHERS, "a message about an incident was sent"
    elif open_now or any(f.raised for f in crowd):
        answer, reason = Answer.CANNOT_TELL, "there is more than usual, and too little to be sure"
        reason += f"; {gap}" if gap else ""
    elif any(f.raised is False for f in crowd):
        answer, reason = Answer.ONLY_YOU, "what others report is as usual"
    elif gap:
        answer, reason = Answer.CANNOT_TELL, gap
    else:
        answer, reason = Answer.CANNOT_TELL, "no source of reports or measurements covers it now"
        newest = newest_data(store, service.id, now)
        reason += f"; the newest data are of {newest:%Y-%m-%d %H:%M} UTC" if newest and now - newest > HOUR else ""
    return OthersToo(
        service=service.id,
        at=now,
        answer=answer,
        reason=reason,
        open_incidents=tuple(_incident_in_words(i, sent[i.id], now) for i in open_now),
        findings=findings,
    )


def _is_open(incident: Incident, now: datetime) -> bool:
    """Return whether an incident was known and not over at `now`, which may lie in the past of the database."""
    if incident.onset > now or incident.opened_at > now:
        return False
    return incident.active or (incident.end is not None and incident.end > now)


def _first_sent(store: Store, incident: Incident, now: datetime) -> datetime | None:
    """Return when the first message about an incident, or the shared failure it belongs to, was sent by `now`."""
    alerts = [a for name in (incident.id, incident.part_of) if name for a in alerts_of(store, name)]
    return min((a.sent_at for a in alerts if a.sent_at is not None and a.sent_at <= now), default=None)


def _incident_in_words(incident: Incident, sent: datetime | None, now: datetime) -> str:
    """Return `possible outage since 11:37 (83 %), message sent 11:40`; times of other days have their date.

    The state and the probability are those the database ends with, so of an incident that is over they are left out.
    """
    words = f"outage since {_clock(incident.onset, now)}"
    if incident.active:
        words = f"{incident.state} {words}"
        words += f" ({incident.probability * 100:.0f} %)" if incident.probability is not None else ""
    return f"{words}, message sent {_clock(sent, now)}" if sent else f"{words}, no message sent"


def _clock(moment: datetime, now: datetime) -> str:
    return f"{moment:%H:%M}" if moment.date() == now.date() else f"{moment:%Y-%m-%d %H:%M}"


def _findings(
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
