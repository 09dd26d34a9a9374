"""The report: self-contained pages, nothing fetched from anywhere, readable on a phone and in the dark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.core.alerts import Alert
from pipeline.core.catalogue import Catalogue, Service, names
from pipeline.core.incidents import Advisory, Incident, LinkRow
from pipeline.core.records import Availability, NewsItem, QuotedPost, SilentSource
from pipeline.core.series import Points, SeriesKey
from pipeline.render.formatting import environment, file_of, isolated, local
from pipeline.render.incident_card import IncidentContext, first_alert, incident_card, lead_over_provider
from pipeline.render.report_rows import AdvisoryRow, AppPlace, IncidentRow, ServiceCard, ServiceStanding, UndatedNews

LISTED = 40
STALE = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContext:
    """What the whole report is made of; `read` is when anything that could tell of a service was last read."""

    catalogue: Catalogue
    watched: Sequence[str]
    incidents: Sequence[Incident]
    alerts: Sequence[Alert]
    zone: str
    now: datetime
    simulated: bool
    note: str
    read: Mapping[str, datetime | None]

    def words(self) -> dict[str, object]:
        """Return what every page says."""
        return {"now": local(self.now, self.zone), "zone": self.zone, "simulated": self.simulated, "note": self.note}

    @property
    def services(self) -> list[str]:
        """Return the services that have a page: watched, when they are few, or with an incident."""
        known = {i.service for i in self.incidents} & set(self.catalogue)
        return sorted(known | set(self.watched)) if len(self.watched) < 20 else sorted(known)


def index_page(
    context: ReportContext,
    *,
    learning: Mapping[str, str],
    advisories: Sequence[Advisory],
    ranks: Sequence[tuple[str, datetime, int]],
    rows: Mapping[str, int],
    blind: Sequence[SilentSource],
    doubts: Sequence[str] = (),
) -> str:
    """Return the first page: what is wrong now, surges, silent sources, incidents newest first.

    `learning` says how far each service's rhythm is learned, `rows` how many rows each table holds.
    """
    newest = _newest_first(i for i in context.incidents if i.service in context.catalogue)
    return (
        environment()
        .get_template("index.html")
        .render(
            context.words(),
            services=[_standing(context, service, learning.get(service, "")) for service in context.services],
            listed=_incident_rows(context, newest[:LISTED]),
            rest=max(0, len(newest) - LISTED),
            total=len(context.incidents),
            rows=rows,
            doubts=doubts,
            ranks=_ranks(ranks, context.zone),
            blind=[b._replace(since=local(b.since, context.zone) if b.since else "never") for b in blind],
            advisories=[
                AdvisoryRow(
                    name=context.catalogue[a.service].name,
                    level=a.level,
                    since=local(a.since, context.zone),
                    until=local(a.until, context.zone),
                    reasons=a.reasons,
                )
                for a in advisories
                if a.service in context.catalogue
            ],
        )
    )


def incident_page(
    context: ReportContext,
    incident: Incident,
    *,
    series: Mapping[SeriesKey, Points],
    links: Sequence[LinkRow],
    quotes: Sequence[QuotedPost],
) -> str:
    """Return the page of one incident."""
    card = incident_card(
        IncidentContext(
            incident=incident,
            service=context.catalogue[incident.service],
            alerts=_alerts_of(context.alerts, incident),
            series=series,
            links=links,
            posts=quotes,
            zone=context.zone,
            now=context.now,
            simulated=context.simulated,
        )
    )
    return environment().get_template("incident.html").render(context.words(), c=card)


def service_page(
    context: ReportContext,
    service: Service,
    *,
    learning: str,
    takes: Sequence[str],
    months: Sequence[Availability],
    undated: Sequence[NewsItem] = (),
    maintenance: Sequence[str] = (),
) -> str:
    """Return the page of one service: now, what an alarm takes, availability, incidents, parts.

    `undated` are news items that name it and whose time is unknown, `maintenance` what its page has planned, in words.
    """
    newest = _newest_first(i for i in context.incidents if i.service == service.id)
    card = ServiceCard(
        vendor=service.vendor,
        status_page=service.status_page,
        takes=takes,
        months=months,
        listed=_incident_rows(context, newest[:LISTED]),
        parts=[part.name for part in service.components],
        undated=[
            UndatedNews(isolated(item.title), isolated(item.outlet), local(item.collected, context.zone))
            for item in undated[:LISTED]
        ],
        maintenance=[isolated(line) for line in maintenance[:LISTED]],
    )
    standing = _standing(context, service.id, learning)
    return environment().get_template("service.html").render(context.words(), standing=standing, card=card)


def gone_page(context: ReportContext) -> str:
    """Return what stands where the page of an incident was that is none of its own any more."""
    return environment().get_template("gone.html").render(context.words())


def _newest_first(incidents: Iterable[Incident]) -> list[Incident]:
    return sorted(incidents, key=lambda i: (i.onset, i.id), reverse=True)


def _standing(context: ReportContext, service: str, learning: str) -> ServiceStanding:
    """Return how a service stands; `unknown` in words where nothing that could tell was read lately."""
    read = context.read.get(service)
    unknown = (
        ""
        if read is not None and context.now - read <= STALE
        else f"not known: nothing was read {'since ' + local(read, context.zone) if read else 'yet'}"
    )
    active = next((i for i in reversed(context.incidents) if i.active and i.service == service), None)
    return ServiceStanding(
        name=context.catalogue[service].name,
        file=file_of("service", service),
        state=active.state if active else "quiet",
        state_in_words=active.state_in_words if active else "quiet",
        impact=active.impact if active else "none",
        unknown=unknown,
        incident=file_of("incident", active.id) if active else "",
        count=sum(i.service == service for i in context.incidents),
        learning=learning,
    )


def _incident_rows(context: ReportContext, incidents: Sequence[Incident]) -> list[IncidentRow]:
    incident_rows = []
    for i in incidents:
        service = context.catalogue[i.service]
        alerts = _alerts_of(context.alerts, i)
        affected = sorted({c.component for c in i.components if c.status == "affected"})
        incident_rows.append(
            IncidentRow(
                file=file_of("incident", i.id),
                service=service.name,
                state=i.state,
                state_in_words=i.state_in_words,
                impact=i.impact,
                onset=local(i.onset, context.zone),
                end=local(i.end, context.zone),
                first_alert=first_alert(alerts, context.zone),
                lead=lead_over_provider(alerts, i),
                parts=", ".join(names(affected, service)[:4]),
            )
        )
    return incident_rows


def _alerts_of(alerts: Sequence[Alert], incident: Incident) -> list[Alert]:
    """Return an incident's messages, those of the failure it is part of among them."""
    return [a for a in alerts if a.incident and a.incident in (incident.id, incident.part_of)]


def _ranks(ranks: Sequence[tuple[str, datetime, int]], zone: str) -> list[AppPlace]:
    """Return the latest and the best place of each app in the span."""
    by_app: dict[str, list[tuple[datetime, int]]] = {}
    for app, observed, rank in ranks:
        by_app.setdefault(app, []).append((observed, rank))
    places_of_apps = []
    for app, places in sorted(by_app.items()):
        best = min(rank for _, rank in places)
        since = next(at for at, rank in places if rank == best)
        places_of_apps.append(
            AppPlace(app=app, first=places[0][1], last=places[-1][1], best=best, best_since=local(since, zone))
        )
    return places_of_apps
