"""How a replay's messages compare with what truly happened: by outage, and by notice of the provider. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median
from types import MappingProxyType

from pipeline.core.alerts import Alert
from pipeline.core.incidents import Incident
from pipeline.core.replay_result import NoticeScore, OutageScore, Scores
from pipeline.core.times import minutes_between
from pipeline.core.vocabulary import Impact, Transition
from pipeline.incidents.episodes import COUNTED_IMPACTS
from pipeline.notify.policy import FRESH
from pipeline.replay.truth import TrueOutage, Truth

EARLY = timedelta(minutes=30)  # a message so long before an onset, or a notice, may tell of it
LATE = timedelta(hours=1)  # after an outage's end
NOTICE_LATE = timedelta(hours=2)
SOON = timedelta(minutes=30)  # after a notice; a message so late still tells of it
NOT_A_WARNING = (Transition.EASING, Transition.OVER, Transition.REMINDER)


def scores(
    truth: Truth,
    stored: Sequence[Incident],
    alerts: Sequence[Alert],
    begin: datetime,
    until: datetime,
    rated: Mapping[str, str] = MappingProxyType({}),
) -> Scores:
    """Compare with truth.toml over [begin, until]: each outage and each notice with the first message that told of it.

    A message tells of its service and, where it is about a shared failure, of the members it names. Only the first
    message at or after an onset counts for the delay; where the only one came up to half an hour before, it is early.
    What eases or is over is no warning. `rated` is how bad the provider calls each notice, by its id.
    `alerts_in_quiet_spans` counts incidents without a notice that were told.
    """
    outages = [_outage(outage, alerts) for outage in truth.outages if begin <= outage.onset <= until]
    notices = [
        _notice(service, notice, posted, alerts, rated.get(notice, ""))
        for service, notice, posted in _posted(stored, begin, until)
    ]
    delays = [outage.minutes for outage in outages if outage.minutes is not None]
    quiet = [span for span in truth.quiet if span.until >= begin and span.since <= until]
    told = {alert.incident for alert in alerts}
    disturbed = sum(
        1
        for span in quiet
        for i in stored
        if i.id in told
        and i.service == span.service
        and i.official_first_at is None
        and span.since <= i.onset < span.until
    )
    return Scores(
        outages=len(outages),
        found=sum(outage.alert_at is not None for outage in outages),
        quiet_spans=len(quiet),
        alerts_in_quiet_spans=disturbed,
        median_minutes_to_alert=round(median(delays), 1) if delays else None,
        notices=len(notices),
        notices_with_message=sum(notice.alert_at is not None for notice in notices),
        notices_covered=sum(notice.covered for notice in notices),
        by_outage=tuple(outages),
        by_notice=tuple(notices),
    )


def _outage(outage: TrueOutage, alerts: Sequence[Alert]) -> OutageScore:
    warnings = _warnings(outage.service, alerts, outage.onset - EARLY, outage.end + LATE)
    after = next((at for at in warnings if at >= outage.onset), None)
    first = after or next(iter(warnings), None)
    return OutageScore(
        service=outage.service,
        onset=outage.onset,
        end=outage.end,
        alert_at=first,
        minutes=minutes_between(outage.onset, after) if after else None,
        early=after is None and first is not None,
    )


def _notice(service: str, notice: str, posted: datetime, alerts: Sequence[Alert], rated: str) -> NoticeScore:
    warnings = _warnings(service, alerts, posted - EARLY, posted + NOTICE_LATE)
    first = next((at for at in warnings if at >= posted), None) or next(reversed(warnings), None)
    return NoticeScore(
        service=service,
        notice=notice,
        posted=posted,
        alert_at=first,
        minutes=minutes_between(posted, first) if first else None,
        covered=_is_covered(service, posted, alerts, COUNTED_IMPACTS.get(rated, Impact.NONE)),
    )


def _is_covered(service: str, posted: datetime, alerts: Sequence[Alert], impact: Impact) -> bool:
    """Return whether a message follows a notice soon, or the newest before it is fresh and of no lesser impact."""
    if _warnings(service, alerts, posted, posted + SOON):
        return True
    before = [a for a in alerts if a.sent_at is not None and a.sent_at < posted and service in a.named_services]
    newest = max(before, key=lambda a: a.sent_at or a.created, default=None)
    return (
        newest is not None
        and newest.transition not in NOT_A_WARNING
        and posted - (newest.sent_at or newest.created) <= FRESH
        and newest.incident_facts.impact.rank >= impact.rank
    )


def _warnings(service: str, alerts: Sequence[Alert], since: datetime, until: datetime) -> list[datetime]:
    """Return when messages that warn of a service were sent in [since, until], oldest first."""
    return sorted(
        alert.sent_at
        for alert in alerts
        if alert.sent_at is not None
        and since <= alert.sent_at <= until
        and alert.transition not in NOT_A_WARNING
        and service in alert.named_services
    )


def _posted(stored: Sequence[Incident], begin: datetime, until: datetime) -> Iterator[tuple[str, str, datetime]]:
    """Yield (service, id, first update) of every notice in [begin, until] that counts for an incident."""
    first: dict[tuple[str, str], datetime] = {}
    for incident in stored:
        if incident.is_group:
            continue
        for evidence in incident.evidence:
            if evidence.kind == "official":
                key = (incident.service, evidence.subject)
                first[key] = min(first.get(key, evidence.at), evidence.at)
    for (service, notice), posted in sorted(first.items(), key=lambda pair: (pair[1], pair[0])):
        if begin <= posted <= until:
            yield service, notice, posted
