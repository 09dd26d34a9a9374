"""What the pages of the report are made of, read from the store for many services at once."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pipeline.config.settings import Config
from pipeline.core.catalogue import Service
from pipeline.core.incidents import Incident
from pipeline.core.names import file_stem
from pipeline.core.news_events import LinkRow
from pipeline.core.records import Availability, NewsItem, QuotedPost
from pipeline.core.series import Points, SeriesKey, VerdictPoint
from pipeline.core.shared_failure import service_shown
from pipeline.core.status_records import StatusUpdate
from pipeline.core.vocabulary import Channel, EvidenceKind
from pipeline.render.chart_view import ChartView, Counts, Step, panel, table
from pipeline.render.feeds import Feed, FeedEntry
from pipeline.render.formatting import file_of, isolated, local, page_url, safe_link
from pipeline.render.incident_card import IncidentContext
from pipeline.render.report import LISTED, ReportContext, incident_rows
from pipeline.render.report_rows import HourBar, ServiceCard, UndatedNews
from pipeline.render.status_json import changed_at, incident_title
from pipeline.render.tiles import SPARK_SPAN, SPARK_STEP
from pipeline.render.time_axis import Axis
from pipeline.reports.planned_maintenance import announcements
from pipeline.stages.publish.metrics import RunMetrics, ServiceMetrics
from pipeline.store import Store
from pipeline.store.news import links_of
from pipeline.store.observations import news_of_unknown_time
from pipeline.store.official import official_incidents, status_updates
from pipeline.store.outbox import alerts_of, stuck_alerts
from pipeline.store.report_data import IncidentHead, all_availability, usual_by_hour
from pipeline.store.summary import evidence_posts, failed_alerts
from pipeline.store.verdicts import verdicts
from pipeline.text.normalize import differently_worded

SPAN = timedelta(days=7)
LEARNING = timedelta(days=14)
BEFORE, AFTER = timedelta(hours=6), timedelta(hours=3)
POSTS, OFFERED = 8, 80  # posts quoted in a timeline, of so many
MONTHS = 48


def incident_context(store: Store, context: ReportContext, incident: Incident) -> IncidentContext:
    """Return what the page of an incident is made of; of a shared failure, what its members' pages are."""
    members = [head for head in context.heads if head.part_of == incident.id] if incident.is_group else []
    services = sorted({m.service for m in members} | {incident.service})
    since, until = incident.onset - BEFORE, (incident.end or context.now) + AFTER
    series: dict[SeriesKey, Points] = {}
    for service in services:
        series.update(verdicts(store, since, until, service=service))
    alerts = [*alerts_of(store, incident.id), *(alerts_of(store, incident.part_of) if incident.part_of else ())]
    about = [m.id for m in members] or [incident.id]
    offered = max(POSTS // 2, OFFERED // len(about))
    updates, notices = _updates(store, context, incident, members)
    return IncidentContext(
        incident=incident,
        service=service_shown(incident, context.catalogue),
        catalogue=context.catalogue,
        alerts=sorted(alerts, key=lambda a: (a.created, a.message_id)),
        series=series,
        links=_strongest(link for name in about for link in links_of(store, name)),
        posts=_quoted([p for name in about for p in evidence_posts(store, name, offered, context.language)]),
        updates=updates,
        notices=notices,
        members=members,
        zone=context.zone,
        now=context.now,
        simulated=context.simulated,
        public_url=context.public_url,
    )


def _quoted(posts: Sequence[QuotedPost]) -> list[QuotedPost]:
    """Return the first posts that are worded differently from each other."""
    return [posts[place] for place in differently_worded([f"{p.title} {p.text}" for p in posts], POSTS)]


def _strongest(links: Iterable[LinkRow]) -> list[LinkRow]:
    """Return of each news event the strongest link, by relation, the strongest first."""
    strongest: dict[str, LinkRow] = {}
    for link in links:
        known = strongest.get(link.news_event)
        if known is None or link.score > known.score:
            strongest[link.news_event] = link
    return sorted(strongest.values(), key=lambda link: (link.relation, -link.score, link.first_seen, link.news_event))


def _updates(
    store: Store, context: ReportContext, incident: Incident, members: Sequence[IncidentHead]
) -> tuple[list[StatusUpdate], dict[str, str]]:
    """Return the updates of the provider's incidents that an incident rests on, and the addresses of these by id.

    Of a shared failure they are those of its members' pages while it lasted.
    """
    until = min(context.now, (incident.end or context.now) + AFTER)
    named = {e.subject for e in incident.evidence if e.kind is EvidenceKind.OFFICIAL}
    updates: list[StatusUpdate] = []
    notices: dict[str, str] = {}
    for service in sorted({incident.service, *(m.service for m in members)}):
        page = context.catalogue[service].page
        if not page or not (named or members):
            continue
        posted = status_updates(store, page, incident.onset - BEFORE, until)
        updates += [u for u in posted if (members or u.incident_id in named) and u.displayed_at <= until]
        notices |= {i.incident_id: i.url for i in official_incidents(store, page, context.now) if i.url}
    return updates, notices


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceInputs:
    """What the pages of services are made of, by service."""

    months: Mapping[str, Sequence[Availability]]
    usual: Mapping[str, Mapping[int, float]]
    undated: Mapping[str, Sequence[NewsItem]]
    maintenance: Mapping[str, Sequence[str]]


def service_inputs(store: Store, config: Config, context: ReportContext) -> ServiceInputs:
    """Return it; what is usual by hour is of the last seven whole days, so that it changes once a day."""
    midnight = context.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return ServiceInputs(
        months=all_availability(store),
        usual=usual_by_hour(store, midnight - SPAN, midnight),
        undated=_undated_news(store, config, context.now),
        maintenance={name: announcements(store, config.catalogue[name], context.now) for name in context.services},
    )


def service_card(context: ReportContext, inputs: ServiceInputs, service: Service) -> ServiceCard:
    """Return what the page of a service says beside its tile."""
    own = context.by_service.get(service.id, [])
    return ServiceCard(
        vendor=service.vendor,
        status_page=safe_link(service.status_page),
        chart=_last_day(context, service),
        months=inputs.months.get(service.id, ())[:MONTHS],
        listed=incident_rows(context, own[:LISTED]),
        older=max(0, len(own) - LISTED),
        hours=_hours(inputs.usual.get(service.id, {}), context),
        parts=[part.name for part in service.components],
        undated=[
            UndatedNews(
                isolated(item.title), isolated(item.outlet), local(item.collected, context.zone), safe_link(item.url)
            )
            for item in inputs.undated.get(service.id, ())[:LISTED]
        ],
        maintenance=[isolated(line) for line in inputs.maintenance.get(service.id, ())[:LISTED]],
    )


def _last_day(context: ReportContext, service: Service) -> ChartView | None:
    """Return the chart of the last 24 hours in whole half hours; None where nothing was counted."""
    counted = context.counts.get(service.id, {})
    last = int(context.now.timestamp()) // SPARK_STEP * SPARK_STEP
    time_axis = Axis(first=last - int(SPARK_SPAN.total_seconds()), last=last, step=SPARK_STEP, zone=context.zone)
    shown = []
    for channel, unit in ((Channel.COMPLAINTS, "complaints"), (Channel.VOTES, "reports")):
        known = {step.start: step for step in counted.get(channel, ())}
        if not any(step.observed for start, step in known.items() if start in time_axis.starts()):
            continue
        usual = channel is Channel.COMPLAINTS
        absent = Step(0, None if usual else 0.0)
        steps = [
            Step(start, known[start].observed, known[start].expected if usual else None)
            if start in known
            else absent._replace(start=start)
            for start in time_axis.starts()
        ]
        title = f"{unit} in {SPARK_STEP // 60} min{' (simulated)' if context.simulated else ''}"
        shown.append(Counts(title=title, unit=unit, steps=steps))
    if not shown:
        return None
    heads, rows = table(shown, time_axis)
    return ChartView(
        title=f"{service.name}, last 24 hours",
        panels=tuple(panel(counts, time_axis) for counts in shown),
        impact=(),
        lanes=(),
        marks=(),
        hours=time_axis.hours(),
        columns=heads,
        rows=rows,
    )


def _hours(usual: Mapping[int, float], context: ReportContext) -> list[HourBar]:
    """Return what is usual by hour of the reader's day, from midnight on; empty without any."""
    top = max(usual.values(), default=0.0)
    if top <= 0:
        return []
    here = ZoneInfo(context.zone)
    there = {
        (context.now.astimezone(UTC).replace(hour=hour, minute=0).astimezone(here).hour): value
        for hour, value in usual.items()
    }
    return [
        HourBar(f"{hour:02}:00", f"{there.get(hour, 0.0):.1f}", round(100 * there.get(hour, 0.0) / top))
        for hour in range(24)
    ]


def _undated_news(store: Store, config: Config, now: datetime) -> Mapping[str, Sequence[NewsItem]]:
    """Return the last days' news items of unknown time by the services they name, latest first."""
    items = news_of_unknown_time(store, now - SPAN, now)
    if not items:
        return {}
    from pipeline.text.services import ServiceMatcher

    matcher, found = ServiceMatcher(config.catalogue), defaultdict[str, list[NewsItem]](list)
    for item in reversed(items):
        for service in matcher.entities(f"{item.title}. {item.summary}"):
            found[service].append(item)
    return found


def learning_of(store: Store, service: str, since: datetime | None, now: datetime) -> str:
    """Return how far a service's daily pattern is learned and what can be seen meanwhile, empty once it is."""
    if since is None:
        return "no counts and no posts about it were read yet"
    if now - since >= LEARNING:
        return ""
    limits = [
        f"{newest.upperbound:.0f} {'complaints' if key.channel == Channel.COMPLAINTS else f'reports on {key.source}'}"
        f" in {key.bin_s // 60} min"
        for key, newest in _newest(store, service, now)
    ]
    sees = f"; can see only outages above {' or '.join(limits)}" if limits else ""
    return f"learning: {(now - since) // timedelta(days=1)} of {LEARNING.days} days{sees}"


def _newest(store: Store, service: str, now: datetime) -> list[tuple[SeriesKey, VerdictPoint]]:
    """Return the newest judged bin of each total whose upper bound is known."""
    found = []
    judged = verdicts(store, now - timedelta(hours=6), now, service=service)
    for key, points in sorted(judged.items(), key=lambda pair: str(pair[0])):
        known = [point for point in points if not math.isnan(point.upperbound)]
        if known and key.is_total:
            found.append((key, known[-1]))
    return found


def feed_of(context: ReportContext, heads: Sequence[IncidentHead], service: Service | None = None) -> Feed:
    """Return the feed of the incidents that changed last, newest change first: of one service, or of all."""
    suffix = " (simulated)" if context.simulated else ""
    return Feed(
        id=f"urn:groundswell:{f'service:{service.id}' if service else 'incidents'}",
        title=f"{service.name if service else 'Groundswell'}: incidents{suffix}",
        file=f"service-{file_stem(service.id)}" if service else "incidents",
        page=file_of("service", service.id) if service else "index.html",
        public_url=context.public_url,
        entries=[_entry(context, head) for head in sorted(heads, key=changed_at, reverse=True)[:LISTED]],
    )


def _entry(context: ReportContext, head: IncidentHead) -> FeedEntry:
    service = context.catalogue[head.service]
    (row,) = incident_rows(context, [head])
    over = f"over after {row.lasted}" if head.end else head.state_in_words
    lead = f"; first alert {row.lead}" if row.lead else ""
    return FeedEntry(
        id=head.id,
        service=head.service,
        title=f"{incident_title(service, head)}: {over}, impact {head.impact}",
        summary=context.sentences.get(head.id)
        or f"{service.name}: began {row.onset}, {over}, impact {head.impact}{lead}.",
        published=head.onset,
        updated=changed_at(head),
        file=row.file,
        url=page_url(context.public_url, "incident", head.id),
        state=head.state,
        impact=head.impact,
        active=head.active,
    )


def metrics_of(store: Store, context: ReportContext) -> list[ServiceMetrics]:
    """Return what is measured of each service."""
    months, month = all_availability(store), f"{context.now:%Y-%m}"
    found = []
    for name in context.services:
        active, read = context.active(name), context.read.get(name)
        found.append(
            ServiceMetrics(
                service=name,
                state=active.state.rank + 1 if active else 0,
                impact=active.impact.rank if active else 0,
                incidents=len(context.by_service.get(name, ())),
                last_read=read.timestamp() if read else None,
                availability={m.said_by: m.availability for m in months.get(name, ()) if m.month == month},
            )
        )
    return found


def run_metrics(store: Store, now: datetime) -> RunMetrics:
    """Return what is measured of the program itself."""
    return RunMetrics(now.timestamp(), len(stuck_alerts(store, now)), len(failed_alerts(store, now - SPAN)))
