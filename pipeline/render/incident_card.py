"""The page of one incident, made ready for its template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from pipeline.core.alerts import Alert
from pipeline.core.catalogue import Catalogue, Service, names
from pipeline.core.incidents import ComponentSpan, Incident
from pipeline.core.news_events import LinkRow
from pipeline.core.records import QuotedPost
from pipeline.core.series import Points, SeriesKey
from pipeline.core.status_records import StatusUpdate
from pipeline.core.times import iso
from pipeline.core.vocabulary import Channel, ComponentStatus
from pipeline.render.charts import ChartContext, highest_peak, incident_chart, peak_of
from pipeline.render.formatting import file_of, in_percent, is_another_day, isolated, local, page_url, safe_link
from pipeline.render.incident_lists import component_rows, link_groups, member_rows, phase_rows, topics_of
from pipeline.render.report_rows import IncidentCard, MessageRow
from pipeline.render.summary import IncidentSummary, duration, summary_sentence, symptom_name
from pipeline.render.timeline import TimelineContext, timeline
from pipeline.store.report_data import IncidentHead

SHORT = timedelta(minutes=30)  # what worked for less is not worth a clause


class IncidentContext(Struct, frozen=True, kw_only=True):
    """An incident with its messages, verdicts around it, links, posts that counted as reports, and notices.

    `updates` are the provider's, `notices` the addresses of its incidents by id. `members` are the incidents of a
    shared failure, whose series are theirs.
    """

    incident: Incident
    service: Service
    catalogue: Catalogue
    alerts: Sequence[Alert]
    series: Mapping[SeriesKey, Points]
    links: Sequence[LinkRow]
    posts: Sequence[QuotedPost]
    updates: Sequence[StatusUpdate]
    notices: Mapping[str, str]
    members: Sequence[IncidentHead]
    zone: str
    now: datetime
    simulated: bool
    public_url: str


def incident_card(context: IncidentContext) -> IncidentCard:
    """Return what the page of an incident says."""
    incident, service, zone, now = context.incident, context.service, context.zone, context.now
    alerted_at, official = first_sent_at(context.alerts), incident.official_first_at
    return IncidentCard(
        id=incident.id,
        part_of=file_of("incident", incident.part_of) if incident.part_of else "",
        service=service.name,
        service_file=file_of("service", incident.service),
        status_page=safe_link(service.status_page),
        permalink=page_url(context.public_url, "incident", incident.id),
        sentence=summary_sentence(_summary(context), zone),
        state=incident.state,
        state_in_words=incident.state_in_words,
        impact=incident.impact,
        symptom=symptom_name(incident.symptom),
        onset=local(incident.onset, zone),
        onset_at=iso(incident.onset),
        end=local(incident.end, zone),
        end_at=iso(incident.end) if incident.end else "",
        lasted=duration((incident.end or now) - incident.onset),
        episodes=incident.episode_count,
        official=local(official, zone, date=official is not None and is_another_day(official, incident.onset, zone)),
        first_alert=first_alert(
            alerted_at,
            bool(context.alerts),
            zone,
            date=alerted_at is not None and is_another_day(alerted_at, incident.onset, zone),
        ),
        lead=lead_over_provider(alerted_at, incident.official_first_at),
        probability=in_percent(incident.probability) if incident.probability is not None else "",
        chart=incident_chart(
            ChartContext(
                incident=incident,
                service=service,
                catalogue=context.catalogue,
                series=context.series,
                links=context.links,
                members=context.members,
                first_alert_at=alerted_at,
                zone=zone,
                now=now,
                simulated=context.simulated,
            )
        ),
        timeline=timeline(
            TimelineContext(
                incident=incident,
                service=service,
                catalogue=context.catalogue,
                updates=context.updates,
                notices=context.notices,
                posts=context.posts,
                links=context.links,
                alerts=context.alerts,
                members=context.members,
                zone=zone,
                simulated=context.simulated,
            )
        ),
        components=member_rows(context.members, context.catalogue, zone, incident.onset)
        if incident.is_group
        else component_rows(incident, service, zone),
        is_group=incident.is_group,
        phases=phase_rows(incident, zone),
        topics=topics_of(incident),
        hidden=sum(not link.shown for link in context.links),
        links=link_groups(context.links, zone),
        alerts=[
            MessageRow(
                at=local(a.created, zone),
                transition=a.transition.replace("_", " "),
                subject=isolated(a.subject),
                sent=a.sent_at is not None,
                error=a.error,
            )
            for a in context.alerts
        ],
    )


def _summary(context: IncidentContext) -> IncidentSummary:
    incident = context.incident
    works = dict(_works(incident))
    affected = {c.component for c in incident.components if c.status is ComponentStatus.AFFECTED} - set(works)
    return IncidentSummary(
        service=context.service.name,
        state=incident.state,
        symptom=incident.symptom,
        onset=incident.onset,
        end=incident.end,
        now=context.now,
        affected=names(sorted(affected), context.service),
        works=[(name, works[part]) for part, name in ((p, names([p], context.service)[0]) for p in sorted(works))],
        official_first_at=incident.official_first_at,
        reported_since=min((e.crowd_since for e in incident.episodes if e.crowd_since is not None), default=None),
        first_alert_at=first_sent_at(context.alerts),
        peak=highest_peak(context.series, incident, {m.service: _name(context, m.service) for m in context.members})
        if incident.is_group
        else peak_of(context.series, incident),
        members=[_name(context, member.service) for member in context.members],
        has_page=bool(context.service.status_page),
    )


def _works(incident: Incident) -> Iterable[tuple[str, datetime | None]]:
    """Yield the components that worked at first by what users say, and until when; None: as far as is known."""
    first: dict[str, ComponentSpan] = {}
    for c in sorted(incident.components, key=lambda c: c.since):
        if c.source == Channel.VOTES:
            first.setdefault(c.component, c)
    for component, span in first.items():
        long_enough = span.until is None or span.until - span.since >= SHORT
        if span.status is ComponentStatus.WORKS and long_enough:
            fails = any(c.component == component and c.status is ComponentStatus.AFFECTED for c in incident.components)
            yield component, span.until if fails else None


def _name(context: IncidentContext, service: str) -> str:
    return context.catalogue[service].name if service in context.catalogue else service


def first_sent_at(alerts: Iterable[Alert]) -> datetime | None:
    """Return when the first of some messages was sent; None while none was."""
    return min((a.sent_at for a in alerts if a.sent_at is not None), default=None)


def first_alert(sent_at: datetime | None, written: bool, zone: str, *, date: bool = True) -> str:
    """Return when the first message was sent, in words; empty without any message."""
    return local(sent_at, zone, date=date) if sent_at else ("written, not sent" if written else "")


def lead_over_provider(sent_at: datetime | None, official_first_at: datetime | None) -> str:
    """Return how long before or after the provider the first message was sent; empty unless both are known."""
    if sent_at is None or official_first_at is None:
        return ""
    minutes = (official_first_at - sent_at) / timedelta(minutes=1)
    return f"{duration(abs(official_first_at - sent_at))} {'before' if minutes >= 0 else 'after'} the provider"
