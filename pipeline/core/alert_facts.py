"""Everything a message says, as records: fixed when its row of the outbox is written, read by channels and templates.

Times are aware UTC. `pipeline.store.alert_facts` says how they are stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct, field

from pipeline.core.vocabulary import ComponentStatus, ConfirmedBy, Impact, Relation, State, Transition


class PeakFacts(NamedTuple):
    """The highest count since the onset: what was counted in `minutes`, and what is expected then (None: not known).

    `service` is the name of the service of a shared failure that it is of, empty where there is only one.
    """

    observed: float
    expected: float | None
    unit: str
    minutes: int
    service: str = ""


class OutLink(NamedTuple):
    """An address of the web that shows what a message rests on, and what is there."""

    label: str
    url: str


class OfficialLine(NamedTuple):
    """An update of the provider: when it was posted, and what it says."""

    at: datetime
    statement: str


class ComponentFacts(Struct, frozen=True, kw_only=True):
    """A component affected or said to work, by one source; `until` None: still."""

    name: str
    source: str
    status: ComponentStatus
    since: datetime
    until: datetime | None
    detail: str


class LinkFacts(Struct, frozen=True, kw_only=True):
    """A news event associated with the incident: when it was first seen, by how many outlets, and the evidence."""

    relation: Relation
    title: str
    seen: datetime
    outlets: int
    evidence_for: tuple[str, ...]
    evidence_against: tuple[str, ...]


class ChartFacts(Struct, frozen=True, kw_only=True):
    """Counts in steps that begin at `times` (seconds of the epoch); None: not observed, or no expectation."""

    label: str
    times: tuple[int, ...]
    observed: tuple[float | None, ...]
    expected: tuple[float | None, ...]
    upper: tuple[float | None, ...]


class AlertFacts(Struct, frozen=True, kw_only=True):
    """What a message about one incident says. What older versions did not store has a default.

    `affected` are component ids, `affected_names` and `works_names` what people call them. `refused` counts the reports
    that were not counted, by reason. `hit` are the services of a shared failure, empty for an incident of one service;
    `restored` those of them that are over while another still fails, in a message that says so.
    `quoted_at` is when each of `quotes` was written, empty where an older version did not keep it.
    `next_after` is when ordinary news may follow. `chart` is None without counts. `confirmed_by` is None unless the
    state is confirmed. `new_level` says which counts stayed above what they were before an incident that is over,
    `missing` what would make an unsure one surer. `page_url` is the incident's page of the report, `status_page` the
    provider's own page; empty: there is none. `first_message_at` is when the first message about it was written, None
    where an older version did not keep it; `out_links` are where a reader can look for themselves. `peak_count` is
    None without counts, and for a shared failure.
    """

    service: str
    service_id: str
    transition: Transition
    state: State
    impact: Impact
    symptom: str
    onset: datetime
    at: datetime
    next_after: datetime
    peak: datetime | None = None
    end: datetime | None = None
    official_first_at: datetime | None = None
    affected: tuple[str, ...] = ()
    affected_names: tuple[str, ...] = ()
    works_names: tuple[str, ...] = ()
    components: tuple[ComponentFacts, ...] = ()
    evidence: tuple[str, ...] = ()
    official: tuple[OfficialLine, ...] = ()
    sources: tuple[str, ...] = ()
    votes: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    quotes: tuple[str, ...] = ()
    quoted_at: tuple[datetime, ...] = ()
    episodes: int = 1
    probability: float | None = None
    where: str = ""
    fallback: str = ""
    comparable: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    links: tuple[LinkFacts, ...] = ()
    simulated: bool = False
    chart: ChartFacts | None = None
    hit: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    restored_names: tuple[str, ...] = ()
    confirmed_by: ConfirmedBy | None = None
    new_level: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    page_url: str = ""
    status_page: str = ""
    first_message_at: datetime | None = None
    out_links: tuple[OutLink, ...] = ()
    peak_count: PeakFacts | None = None


class Section(NamedTuple):
    """A titled list of lines."""

    title: str
    lines: tuple[str, ...]


class SystemFacts(Struct, frozen=True, kw_only=True):
    """What a message says that is about no single incident: a digest, or a trouble of the program's own."""

    subject: str
    heading: str
    at: datetime
    sections: tuple[Section, ...]
    simulated: bool = False


class SummaryFacts(SystemFacts, frozen=True, kw_only=True):
    """One message for several; `incidents` are the ids of those it names."""

    incidents: tuple[str, ...]


class SignalFacts(Struct, frozen=True, kw_only=True):
    """A signal of a surge: its value now, and what is usual."""

    name: str
    value: float
    usual: float


class AdvisoryFacts(Struct, frozen=True, kw_only=True):
    """A surge advisory as a program that scales capacity reads it; `until` None: it is active."""

    service: str
    name: str
    level: str
    since: datetime
    until: datetime | None
    reasons: tuple[str, ...]
    signals: tuple[SignalFacts, ...]
    simulated: bool

    @property
    def active(self) -> bool:
        """Return whether the surge lasts."""
        return self.until is None


class SurgeFacts(SystemFacts, frozen=True, kw_only=True):
    """A surge advisory, in lines for people and as `advisory` for programs."""

    advisory: AdvisoryFacts


MessageFacts = AlertFacts | SystemFacts
