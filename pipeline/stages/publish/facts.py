"""What the pages of the report are made of, read from the store for many services at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from pipeline.core.catalogue import Service
from pipeline.core.incidents import Incident
from pipeline.core.names import file_stem
from pipeline.core.news_events import LinkRow
from pipeline.core.records import QuotedPost
from pipeline.core.series import Points, SeriesKey
from pipeline.core.shared_failure import service_shown
from pipeline.core.status_records import StatusUpdate
from pipeline.core.vocabulary import EvidenceKind
from pipeline.render.feeds import Feed, FeedEntry
from pipeline.render.formatting import file_of, page_url
from pipeline.render.incident_card import IncidentContext
from pipeline.render.report import LISTED, ReportContext, incident_rows
from pipeline.render.status_json import changed_at, incident_title
from pipeline.stages.publish.metrics import RunMetrics, ServiceMetrics
from pipeline.store import Store
from pipeline.store.news import links_of
from pipeline.store.official import official_incidents, status_updates
from pipeline.store.outbox import alerts_of, stuck_alerts
from pipeline.store.report_data import IncidentHead, all_availability
from pipeline.store.summary import evidence_posts, failed_alerts
from pipeline.store.verdicts import verdicts
from pipeline.text.normalize import differently_worded

SPAN = timedelta(days=7)
BEFORE, AFTER = timedelta(hours=6), timedelta(hours=3)
POSTS, OFFERED = 8, 80  # posts quoted in a timeline, of so many


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
