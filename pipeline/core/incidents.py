"""What the program concludes from stored rows: incidents with their parts and evidence, and advisories. Frozen."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from pipeline.core.row_refs import RowRef
from pipeline.core.vocabulary import ComponentStatus, ConfirmedBy, EvidenceKind, Impact, PhaseName, State

LEAST_PROBABILITY = 0.05  # below it no message is sent: a few reports among many that were not counted
GROUP = "-shared"  # ends the ids of failures that many services share
GROUP_PATTERN = f"%{GROUP}"  # such ids, for LIKE
PAGES_OF_MEMBERS = "status pages"  # subject of the statement that status pages of members list a shared failure
AGAINST = "against"  # subject of a statement that speaks against what ties a shared failure's members
UNKNOWN_CAUSE = "unknown common cause"


class Evidence(Struct, frozen=True, kw_only=True):
    """One statement about an incident and the stored rows behind it.

    Where the statement holds a number it is `value`, and what it is compared with (expected, claimed, the other side)
    `compared_with`; None = there is none. `subject` is whom or what it is about: a symptom, a rival, an outlet.
    """

    kind: EvidenceKind
    at: datetime
    statement: str
    rows: tuple[RowRef, ...]
    subject: str = ""
    value: float | None = None
    compared_with: float | None = None


class ComponentSpan(Struct, frozen=True, kw_only=True):
    """A component affected or said to work, according to one source, from `since` to `until` (None = still)."""

    component: str
    source: str
    status: ComponentStatus
    since: datetime
    until: datetime | None
    detail: str


class Phase(Struct, frozen=True, kw_only=True):
    """A span of an incident; phases of one episode follow each other without a gap.

    `why` says what changed when it began. Several phases of one name may follow each other: each begins with something
    that changed.
    """

    episode: int
    phase: PhaseName
    since: datetime
    until: datetime | None
    impact: Impact
    why: str


class CrowdSpan(NamedTuple):
    """A span in which reports or complaints were above what is expected; `until` None: they still are."""

    since: datetime
    until: datetime | None


class Episode(Struct, frozen=True, kw_only=True):
    """One continuous failure within an incident, with its own onset, end (None while it lasts) and affected parts.

    The crowd rose from `crowd_since` until `crowd_until` (None while it is up); both None where only the page shows it.
    `crowd_spans` are the spans between in which it was really above, apart from each other; empty where that was not
    kept.
    """

    number: int
    onset: datetime
    end: datetime | None
    impact: Impact
    components: tuple[str, ...]
    official_first_at: datetime | None
    by_crowd: bool
    crowd_since: datetime | None = None
    crowd_until: datetime | None = None
    crowd_spans: tuple[CrowdSpan, ...] = ()


class Incident(Struct, frozen=True, kw_only=True):
    """One story about one service: one or more episodes less than three hours apart.

    `probability` that something is really broken is None where nobody has judged it; `part_of` is the incident of a
    shared dependency this one belongs to, empty for none.
    """

    id: str
    service: str
    state: State
    opened_at: datetime
    onset: datetime
    peak: datetime | None
    end: datetime | None
    impact: Impact
    symptom: str
    official_first_at: datetime | None
    episode_count: int
    active: bool
    probability: float | None = None
    part_of: str = ""
    episodes: tuple[Episode, ...] = ()
    phases: tuple[Phase, ...] = ()
    components: tuple[ComponentSpan, ...] = ()
    evidence: tuple[Evidence, ...] = ()

    @property
    def is_group(self) -> bool:
        """Return whether it is a failure many services share, not one of a single service."""
        return self.id.endswith(GROUP)

    @property
    def shared_cause(self) -> str:
        """Return what ties the members of a shared failure: a service's id, a vendor, words; empty without any."""
        ties = (e for e in self.evidence if e.kind is EvidenceKind.SHARED)
        return next((e.subject for e in ties if e.subject not in (PAGES_OF_MEMBERS, AGAINST)), "")

    @property
    def confirmed_by(self) -> ConfirmedBy | None:
        """Return what confirmed it; None while it is not confirmed, and once it is over."""
        if self.state is not State.CONFIRMED:
            return None
        if self.official_first_at is not None:
            return ConfirmedBy.PROVIDER
        by_members = any(e.kind is EvidenceKind.SHARED and e.subject == PAGES_OF_MEMBERS for e in self.evidence)
        return ConfirmedBy.DEPENDENTS if by_members else ConfirmedBy.REPORTS

    @property
    def state_in_words(self) -> str:
        """Return the state as people read it: of a confirmed incident with who confirmed it."""
        return state_in_words(self.state, self.confirmed_by)

    def affected(self, at: datetime) -> tuple[str, ...]:
        """Return the component ids that any source holds to be affected at a moment, sorted."""
        spans = (s for s in self.components if s.status is ComponentStatus.AFFECTED and s.since <= at)
        return tuple(sorted({s.component for s in spans if s.until is None or at < s.until}))


def state_in_words(state: State, confirmed_by: ConfirmedBy | None) -> str:
    """Return a state as people read it: `confirmed by the provider`, `confirmed by reports`, or the state alone."""
    if state is not State.CONFIRMED or confirmed_by is None:
        return state.value
    return f"{state.value} by {'the provider' if confirmed_by is ConfirmedBy.PROVIDER else confirmed_by.value}"


class Advisory(Struct, frozen=True, kw_only=True):
    """A service is likely to be overrun, said before anything breaks: `level` watch or high, with the reasons.

    `until` is None while it lasts. `signals` are (name, value, usual) of news, mentions, anger and chart.
    """

    service: str
    since: datetime
    until: datetime | None
    level: str
    reasons: tuple[str, ...]
    signals: tuple[tuple[str, float, float], ...]


OURS = "this database"


class PastOutage(Struct, frozen=True, kw_only=True):
    """An outage that is over: what failed (roles), how (symptom), how bad, how long, the page's steps with minutes."""

    id: str
    provider: str
    service: str
    began: datetime
    minutes: float
    impact: Impact
    roles: frozenset[str]
    symptom: str
    steps: tuple[tuple[str, float], ...]
    source: str
