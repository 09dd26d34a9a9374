"""Is it only me? Whether the evidence about a service is enough for an answer, and which."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pipeline.config.settings import Config
from pipeline.core.catalogue import Service
from pipeline.core.incidents import Incident
from pipeline.core.vocabulary import State
from pipeline.reports.evidence_now import DAY, HOUR, EvidenceClass, Finding, findings_of
from pipeline.store import Store
from pipeline.store.incidents import incidents
from pipeline.store.levels import newest_data
from pipeline.store.outbox import alerts_of

SENT_PROBABILITY = 0.5  # from here on an incident of which a message was sent is shared by others


class Answer(StrEnum):
    """Whether others have the trouble, too."""

    OTHERS = "others see it, too"
    ONLY_YOU = "probably only you"
    CANNOT_TELL = "cannot tell"


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
    findings = tuple(findings_of(store, config, service, lately, now))
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
