"""What the pages of the report hold, as their templates read it: text in the reader's zone, empty text for none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.core.records import Availability


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStanding:
    """How a service stands; `unknown` says why that is not known, `incident` is the page of the active one."""

    name: str
    file: str
    state: str
    state_in_words: str
    impact: str
    unknown: str
    incident: str
    count: int
    learning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRow:
    """A line of a table of incidents; empty text: there is none."""

    file: str
    service: str
    state: str
    state_in_words: str
    impact: str
    onset: str
    end: str
    first_alert: str
    lead: str
    parts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisoryRow:
    """A surge advisory; `until` is empty while it lasts."""

    name: str
    level: str
    since: str
    until: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppPlace:
    """An app's first, last and best place in the chart in a span, and since when it had the best."""

    app: str
    first: int
    last: int
    best: int
    best_since: str


class UndatedNews(NamedTuple):
    """A news item whose time is unknown, its outlet, and when it was read."""

    title: str
    outlet: str
    read: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCard:
    """What the page of a service adds to how it stands; `takes` says how many complaints stand out.

    `maintenance` is what its page has planned, a line each.
    """

    vendor: str
    status_page: str
    takes: Sequence[str]
    months: Sequence[Availability]
    listed: Sequence[IncidentRow]
    parts: Sequence[str]
    undated: Sequence[UndatedNews]
    maintenance: Sequence[str] = ()


class Statement(NamedTuple):
    """A statement about an incident, and how many rows it rests on, in words."""

    text: str
    rests_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """The statements of one topic: those shown at once, and those behind a click."""

    title: str
    lines: tuple[Statement, ...]
    more: tuple[Statement, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseRow:
    """A phase of an incident."""

    episode: int
    phase: str
    since: str
    until: str
    impact: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentRow:
    """A component affected or said to work, by one source."""

    name: str
    status: str
    source: str
    since: str
    until: str
    detail: str


class EvidenceRow(NamedTuple):
    """A statement with its time, its kind and what it rests on."""

    at: str
    kind: str
    statement: str
    rests_on: str


class Quote(NamedTuple):
    """A post in its author's words, where it was posted and when."""

    text: str
    where: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLine:
    """A news event associated with the incident; `p` is None where the history is too short to say."""

    title: str
    seen: str
    outlets: int
    p: float | None
    evidence_for: tuple[str, ...]
    evidence_against: tuple[str, ...]


class LinkGroup(NamedTuple):
    """The links of one relation: those better than chance, and those that are not."""

    relation: str
    links: tuple[LinkLine, ...]
    by_chance: tuple[LinkLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """A message about the incident; `error` is empty where there was none."""

    at: str
    transition: str
    subject: str
    sent: bool
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentCard:
    """The page of an incident; `hidden` is how many links are not shown, charts are SVG."""

    id: str
    part_of: str
    service: str
    service_file: str
    state: str
    state_in_words: str
    impact: str
    symptom: str
    onset: str
    end: str
    episodes: int
    charts: Sequence[str]
    parts_chart: str
    official: str
    first_alert: str
    lead: str
    phases: Sequence[PhaseRow]
    components: Sequence[ComponentRow]
    topics: Sequence[Topic]
    probability: str
    hidden: int
    evidence: Sequence[EvidenceRow]
    quotes: Sequence[Quote]
    links: Sequence[LinkGroup]
    alerts: Sequence[MessageRow]
