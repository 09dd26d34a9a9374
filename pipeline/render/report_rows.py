"""What the pages of the report hold, as their templates read it: text in the reader's zone, empty text for none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from pipeline.core.records import Availability
from pipeline.render.chart_view import ChartView
from pipeline.render.tiles import DayBars, Spark
from pipeline.render.timeline import Timeline


class ServiceTile(Struct, frozen=True, kw_only=True):
    """A service on the first page: how it stands, its last day, its last 90 days.

    `unknown` says why its state is not known, `incident` is the page of the active one, `sentence` what it says.
    `recent` is how many incidents began in the 90 days.
    """

    id: str
    name: str
    file: str
    state: str
    state_in_words: str
    impact: str
    unknown: str
    incident: str
    sentence: str
    learning: str
    spark: Spark
    days: DayBars
    recent: int
    last: IncidentRow | None

    @property
    def mood(self) -> str:
        """Return the CSS class of its state: trouble by impact, ok, or unknown."""
        if self.incident:
            return f"trouble i-{self.impact}"
        return "unknown" if self.unknown else "ok"


class IncidentRow(Struct, frozen=True, kw_only=True):
    """A line of a list of incidents; empty text: there is none."""

    file: str
    service: str
    state: str
    state_in_words: str
    impact: str
    symptom: str
    onset: str
    end: str
    lasted: str
    first_alert: str
    lead: str
    parts: str


class AdvisoryRow(Struct, frozen=True, kw_only=True):
    """A surge advisory; `until` is empty while it lasts."""

    name: str
    level: str
    since: str
    until: str
    reasons: tuple[str, ...]


class AppPlace(Struct, frozen=True, kw_only=True):
    """An app's first, last and best place in the chart in a span, and since when it had the best."""

    app: str
    first: int
    last: int
    best: int
    best_since: str


class UndatedNews(NamedTuple):
    """A news item whose time is unknown, its outlet, when it was read, and its address."""

    title: str
    outlet: str
    read: str
    url: str


class HourBar(NamedTuple):
    """What is usual in an hour of the day, in the reader's zone: as text, and as percent of the busiest hour."""

    hour: str
    usual: str
    percent: int


class ServiceCard(Struct, frozen=True, kw_only=True):
    """What the page of a service adds to its tile. `maintenance` is what its page has planned, a line each."""

    vendor: str
    status_page: str
    chart: ChartView | None
    months: Sequence[Availability]
    listed: Sequence[IncidentRow]
    older: int
    hours: Sequence[HourBar]
    parts: Sequence[str]
    undated: Sequence[UndatedNews]
    maintenance: Sequence[str] = ()


class Statement(NamedTuple):
    """A statement about an incident, and how many rows it rests on, in words."""

    text: str
    rests_on: str


class Topic(Struct, frozen=True, kw_only=True):
    """The statements of one topic: those shown at once, and those behind a click."""

    title: str
    lines: tuple[Statement, ...]
    more: tuple[Statement, ...]
    total: int


class PhaseRow(Struct, frozen=True, kw_only=True):
    """A phase of an incident."""

    episode: int
    phase: str
    since: str
    until: str
    impact: str
    why: str


class ComponentSide(NamedTuple):
    """What one side says of a component: its status now, and since when and until when, in words."""

    status: str
    spans: str
    detail: str


class ComponentRow(Struct, frozen=True, kw_only=True):
    """A component, or a member of a shared failure (`file` is its page): what users say, and what the provider says."""

    name: str
    file: str
    users: ComponentSide | None
    provider: ComponentSide | None


class LinkLine(Struct, frozen=True, kw_only=True):
    """A news event associated with the incident; `p` is None where the history is too short to say."""

    title: str
    url: str
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


class MessageRow(Struct, frozen=True, kw_only=True):
    """A message about the incident; `error` is empty where there was none."""

    at: str
    transition: str
    subject: str
    sent: bool
    error: str


class FreshSource(NamedTuple):
    """How fresh a source is: how many rows came, and minutes as `p50 / p90 / p95`, empty where there were none."""

    source: str
    rows: int
    stored: str
    alerts: int
    alerted: str


class IncidentCard(Struct, frozen=True, kw_only=True):
    """The page of an incident; `hidden` is how many links are not shown, `permalink` its address where it has one.

    `onset_at` and `end_at` are ISO times, for programs.
    """

    id: str
    part_of: str
    service: str
    service_file: str
    status_page: str
    permalink: str
    sentence: str
    state: str
    state_in_words: str
    impact: str
    symptom: str
    onset: str
    onset_at: str
    end: str
    end_at: str
    lasted: str
    episodes: int
    official: str
    first_alert: str
    lead: str
    probability: str
    chart: ChartView
    timeline: Timeline
    components: Sequence[ComponentRow]
    is_group: bool
    phases: Sequence[PhaseRow]
    topics: Sequence[Topic]
    hidden: int
    links: Sequence[LinkGroup]
    alerts: Sequence[MessageRow]
