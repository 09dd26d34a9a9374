"""What a replay concluded, as records: what `backtest --json` prints, schema 1, under the names of their fields."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from pipeline.core.times import iso


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentResult:
    """An incident; `components` are the affected ones; a time is None where there is none."""

    id: str
    service: str
    state: str
    onset: datetime
    peak: datetime | None
    end: datetime | None
    impact: str
    symptom: str
    episodes: int
    probability: float | None
    part_of: str
    components: tuple[str, ...]
    first_alert_at: datetime | None
    official_first_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseResult:
    """A phase of an incident; `until` None: it lasts."""

    incident: str
    episode: int
    phase: str
    since: datetime
    until: datetime | None
    impact: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentResult:
    """A component affected or said to work, by one source; `until` None: still."""

    incident: str
    component: str
    source: str
    status: str
    since: datetime
    until: datetime | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialResult:
    """An official notice."""

    incident: str
    at: datetime
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkResult:
    """A news event associated with an incident; `p` is None where the history is too short to say."""

    incident: str
    relation: str
    title: str
    first_seen: datetime
    kind: str
    outlets: int
    score: float
    evidence_for: tuple[str, ...]
    evidence_against: tuple[str, ...]
    p: float | None
    shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisoryResult:
    """A surge advisory; `until` None: it is active."""

    service: str
    level: str
    since: datetime
    until: datetime | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceResult:
    """A statement about an incident: its number and what that is compared with (`beside`), None without."""

    incident: str
    kind: str
    at: datetime
    subject: str
    value: float | None
    beside: float | None
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertResult:
    """A message that was written."""

    at: datetime
    transition: str
    incident: str
    service: str
    subject: str
    components: tuple[str, ...]
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageScore:
    """A true outage and the first message about it; `alert_at` None: missed.

    `minutes` from the onset to the first message at or after it; None where there is none: then the outage was missed
    or, `early`, a message came before its onset only.
    """

    service: str
    onset: datetime
    end: datetime
    alert_at: datetime | None
    minutes: float | None
    early: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeScore:
    """A provider's notice and the message from half an hour before to two hours after it; both None: there is none.

    `minutes` are negative where the message came first and none followed. `covered`: a message came within half an hour
    after it, or the newest up to then, less than an hour old, says as much: of the service, at no lesser impact.
    """

    service: str
    notice: str
    posted: datetime
    alert_at: datetime | None
    minutes: float | None
    covered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The comparison with the recorded truth; the median is None where no message came at or after an onset."""

    outages: int
    found: int
    quiet_spans: int
    alerts_in_quiet_spans: int
    median_minutes_to_alert: float | None
    notices: int
    notices_with_message: int
    notices_covered: int
    by_outage: tuple[OutageScore, ...]
    by_notice: tuple[NoticeScore, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """Everything a replay concluded."""

    schema: int = 1
    scenario: str
    simulated: bool
    incidents: tuple[IncidentResult, ...]
    phases: tuple[PhaseResult, ...]
    components: tuple[ComponentResult, ...]
    official: tuple[OfficialResult, ...]
    links: tuple[LinkResult, ...]
    advisories: tuple[AdvisoryResult, ...]
    evidence: tuple[EvidenceResult, ...]
    alerts: tuple[AlertResult, ...]
    scores: Scores

    def to_json(self) -> str:
        """Return the text that `backtest --json` prints."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False, default=iso)
