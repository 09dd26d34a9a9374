"""The page of one incident, made ready for its template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.core.alerts import Alert
from pipeline.core.catalogue import Service, names
from pipeline.core.incidents import CHANCE, Evidence, Incident, LinkRow
from pipeline.core.records import QuotedPost
from pipeline.core.series import Points, SeriesKey
from pipeline.render.charts import count_charts, parts_over_time
from pipeline.render.formatting import file_of, in_percent, isolated, local
from pipeline.render.report_rows import (
    ComponentRow,
    EvidenceRow,
    IncidentCard,
    LinkGroup,
    LinkLine,
    MessageRow,
    PhaseRow,
    Quote,
    Statement,
    Topic,
)

BASIS = ("complaints", "votes", "official", "shared", "maintenance")
TOPICS = (
    ("What is affected, and what is not", ("doors", "part", "differs", "unknown", "where", "region", "symptom")),
    ("Claims and measurements", ("disagreement", "figure", "comparison", "page")),
    ("Competitors", ("rival", "fallback")),
    ("Similar past incidents", ("comparable", "outlook")),
    ("Confidence breakdown (log-odds)", ("certainty",)),
)
LINES = 14
RELATIONS = ("context_before", "reports", "follow_up", "other_incident", "shared_dependency")


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentContext:
    """An incident with its messages, recent verdicts of its service, its links, and posts that counted as votes."""

    incident: Incident
    service: Service
    alerts: Sequence[Alert]
    series: Mapping[SeriesKey, Points]
    links: Sequence[LinkRow]
    posts: Sequence[QuotedPost]
    zone: str
    now: datetime
    simulated: bool


def incident_card(context: IncidentContext) -> IncidentCard:
    """Return what the page of an incident says."""
    incident, service, zone, now = context.incident, context.service, context.zone, context.now
    return IncidentCard(
        id=incident.id,
        part_of=file_of("incident", incident.part_of) if incident.part_of else "",
        service=service.name,
        service_file=file_of("service", incident.service),
        state=incident.state,
        state_in_words=incident.state_in_words,
        impact=incident.impact,
        symptom=incident.symptom.replace("_", " "),
        onset=local(incident.onset, zone),
        end=local(incident.end, zone),
        episodes=incident.episode_count,
        charts=count_charts(incident, context.series, context.alerts, context.links, now, simulated=context.simulated),
        parts_chart=parts_over_time(incident, service, now),
        official=local(incident.official_first_at, zone, date=False),
        first_alert=first_alert(context.alerts, zone, date=False),
        lead=lead_over_provider(context.alerts, incident),
        phases=_phases(incident, zone),
        components=_components(incident, service, zone),
        topics=_topics(incident),
        probability=in_percent(incident.probability) if incident.probability is not None else "",
        hidden=sum(not link.shown for link in context.links),
        evidence=[
            EvidenceRow(local(e.at, zone), e.kind, isolated(e.statement), _rests_on(e))
            for e in incident.evidence
            if e.kind in BASIS
        ],
        quotes=[
            Quote(isolated(f"{post.title} {post.text}".strip()), post.community, local(post.created, zone))
            for post in context.posts
        ],
        links=_links(context.links, zone),
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


def _phases(incident: Incident, zone: str) -> list[PhaseRow]:
    return [
        PhaseRow(
            episode=p.episode,
            phase=p.phase,
            since=local(p.since, zone),
            until=local(p.until, zone, date=False),
            impact=p.impact,
            why=p.why,
        )
        for p in incident.phases
    ]


def _components(incident: Incident, service: Service, zone: str) -> list[ComponentRow]:
    return [
        ComponentRow(
            name=names([c.component], service)[0],
            status=c.status,
            source=c.source,
            since=local(c.since, zone),
            until=local(c.until, zone) if c.until else "still",
            detail=c.detail,
        )
        for c in sorted(incident.components, key=lambda c: (c.since, c.component, c.source))
    ]


def _links(links: Sequence[LinkRow], zone: str) -> list[LinkGroup]:
    """Return the links that are shown by relation, without relations that have none."""
    groups = []
    for relation in RELATIONS:
        shown = [_link(link, zone) for link in links if link.relation == relation and link.shown]
        better = tuple(line for line in shown if line.p is None or line.p <= CHANCE)
        by_chance = tuple(line for line in shown if line not in better)
        groups.append(LinkGroup(relation.replace("_", " "), better, by_chance))
    return [group for group in groups if group.links or group.by_chance]


def _link(link: LinkRow, zone: str) -> LinkLine:
    return LinkLine(
        title=isolated(link.title),
        seen=local(link.first_seen, zone),
        outlets=link.outlets,
        p=link.p,
        evidence_for=link.evidence_for,
        evidence_against=link.evidence_against,
    )


def _topics(incident: Incident) -> list[Topic]:
    """Return what is known of an incident by topic, each statement with what it rests on, in the order of its kinds."""

    def place(e: Evidence, kinds: Sequence[str]) -> tuple[int, float]:
        alike = {"comparable": e.compared_with, "certainty": e.value, "part": e.value, "symptom": e.value}.get(e.kind)
        return kinds.index(e.kind), -(alike or 0.0)

    topics = []
    for title, kinds in TOPICS:
        statements = sorted((e for e in incident.evidence if e.kind in kinds), key=lambda e: place(e, kinds))
        if statements:
            lines = tuple(Statement(isolated(e.statement), _rests_on(e)) for e in statements)
            topics.append(Topic(title=title, lines=lines[:LINES], more=lines[LINES:], total=len(lines)))
    return topics


def _rests_on(e: Evidence) -> str:
    if any(row.is_span for row in e.rows):
        return "rests on all rows of a span"
    return f"rests on {len(e.rows)} row{'s' if len(e.rows) != 1 else ''}" if e.rows else ""


def first_sent_at(alerts: Sequence[Alert]) -> datetime | None:
    """Return when the first of some messages was sent; None while none was."""
    return min((a.sent_at for a in alerts if a.sent_at is not None), default=None)


def first_alert(alerts: Sequence[Alert], zone: str, *, date: bool = True) -> str:
    """Return when the first message was sent, in words; empty without any message."""
    at = first_sent_at(alerts)
    return local(at, zone, date=date) if at else ("written, not sent" if alerts else "")


def lead_over_provider(alerts: Sequence[Alert], incident: Incident) -> str:
    """Return how long before or after the provider the first message was sent; empty unless both are known."""
    at = first_sent_at(alerts)
    if at is None or incident.official_first_at is None:
        return ""
    minutes = (incident.official_first_at - at) / timedelta(minutes=1)
    return f"{abs(minutes):.0f} min {'before' if minutes >= 0 else 'after'} the provider"
