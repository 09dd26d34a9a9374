"""What one run of the explain stage works with, from its reading to its writing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.config.settings import Config
from pipeline.core.catalogue import Service
from pipeline.core.incidents import Incident
from pipeline.core.news_events import Link, NewsEvent
from pipeline.core.reports import Report
from pipeline.core.series import Interval
from pipeline.incidents.attention import NamedServices
from pipeline.incidents.episodes import ProviderIncident
from pipeline.stages.explain.alerts import AlertingContext
from pipeline.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainRun:
    """One run: where it reads and writes, what is known, and from when rows matter.

    `known` are the stored incidents of the last days by id; `events` the news events of the last days, each with the
    text of its first item. `since` is from when rows matter; `watermark` is up to when earlier runs have explained,
    None on the first; `judged_again` from when detect has judged bins anew since then, None for not. `alerted`
    is when the first message about each incident was written, by its id. `named_in` gives the services a text names.
    `watched` are the ids of services that may alert.
    """

    store: Store
    config: Config
    alerting: AlertingContext
    known: Mapping[str, Incident]
    events: Sequence[tuple[NewsEvent, str]]
    now: datetime
    since: datetime
    watermark: datetime | None
    judged_again: datetime | None
    alerted: Mapping[str, datetime]
    named_in: NamedServices
    watched: frozenset[str]

    @property
    def news_events(self) -> list[NewsEvent]:
        """Return the news events alone."""
        return [event for event, _ in self.events]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFindings:
    """A service's incidents as they stand now, and what they are made of.

    `absorbed` maps the id of an incident that dissolved into another to that one's id.
    """

    service: Service
    built: Sequence[Incident]
    absorbed: Mapping[str, str]
    intervals: Sequence[Interval]
    provider_incidents: Sequence[ProviderIncident]
    reports: Sequence[Report]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedIncident:
    """An incident ready to be written, with its links, strongest first.

    `watched`: whether new alerts may tell of it. `digest` names what a finished incident was explained from, empty
    while it is active; `shared_by` are the services of a shared failure, `links_of_members` what its members are linked
    to: its messages name them, it has none of its own.
    """

    findings: ServiceFindings
    incident: Incident
    links: Sequence[Link]
    watched: bool
    digest: str = ""
    shared_by: tuple[str, ...] = ()
    links_of_members: Sequence[Link] = ()
