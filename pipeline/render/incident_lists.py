"""The lists of an incident's page, made ready for its template: components, members, phases, topics, news."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import structs

from pipeline.core.catalogue import Catalogue, Service, names
from pipeline.core.incidents import ComponentSpan, Evidence, Incident
from pipeline.core.news_events import CHANCE, LinkRow
from pipeline.core.quantities import quantity
from pipeline.core.vocabulary import Channel, ComponentStatus
from pipeline.render.formatting import clock, file_of, isolated, local, safe_link
from pipeline.render.report_rows import ComponentRow, ComponentSide, LinkGroup, LinkLine, PhaseRow, Statement, Topic
from pipeline.store.report_data import IncidentHead

TOPICS = (
    ("What is affected, and what is not", ("doors", "part", "differs", "unknown", "where", "region", "symptom")),
    ("Basis", ("complaints", "votes", "shared", "maintenance")),
    ("Claims and measurements", ("disagreement", "figure", "comparison", "page")),
    ("Competitors", ("rival", "fallback")),
    ("Similar past incidents", ("comparable", "outlook")),
    ("Confidence breakdown (log-odds)", ("certainty",)),
)
LINES = 14
RELATIONS = ("context_before", "reports", "follow_up", "other_incident", "shared_dependency")


def phase_rows(incident: Incident, zone: str) -> list[PhaseRow]:
    """Return a row a phase, in order."""
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


def component_rows(incident: Incident, service: Service, zone: str) -> list[ComponentRow]:
    """Return a row a component: what users and the provider say of it."""
    spans: dict[str, list[ComponentSpan]] = {}
    for c in sorted(incident.components, key=lambda c: (c.since, c.component, c.source)):
        spans.setdefault(c.component, []).append(c)
    return [
        ComponentRow(
            name=names([component], service)[0],
            file="",
            users=_side([c for c in of if c.source == Channel.VOTES], zone, incident.onset),
            provider=_side(
                [structs.replace(c, detail="") for c in of if c.source != Channel.VOTES], zone, incident.onset
            ),
        )
        for component, of in spans.items()
    ]


def _side(spans: Sequence[ComponentSpan], zone: str, onset: datetime) -> ComponentSide | None:
    if not spans:
        return None
    times = [
        f"{'works' if c.status is ComponentStatus.WORKS else 'fails'}"
        f" {clock(c.since, zone, onset)} – {clock(c.until, zone, onset) if c.until else 'still'}"
        for c in spans
    ]
    shown = times if len(times) <= 4 else [*times[:3], f"{len(times) - 3} more"]
    return ComponentSide(spans[-1].status, "; ".join(shown), isolated(spans[-1].detail))


def member_rows(
    members: Iterable[IncidentHead], catalogue: Catalogue, zone: str, onset: datetime
) -> list[ComponentRow]:
    """Return a row a member of a shared failure, which began at `onset`."""
    return [
        ComponentRow(
            name=catalogue[member.service].name if member.service in catalogue else member.service,
            file=file_of("incident", member.id),
            users=ComponentSide(
                "affected",
                f"{clock(member.onset, zone, onset)} – {clock(member.end, zone, onset) if member.end else 'still'}",
                "",
            ),
            provider=ComponentSide("affected", f"posted {clock(member.official_first_at, zone, onset)}", "")
            if member.official_first_at
            else None,
        )
        for member in members
    ]


def link_groups(links: Sequence[LinkRow], zone: str) -> list[LinkGroup]:
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
        url=safe_link(link.url),
        seen=local(link.first_seen, zone),
        outlets=link.outlets,
        p=link.p,
        evidence_for=link.evidence_for,
        evidence_against=link.evidence_against,
    )


def topics_of(incident: Incident) -> list[Topic]:
    """Return what is known of an incident by topic, each statement with what it rests on, in the order of its kinds."""

    def place(e: Evidence, kinds: Sequence[str]) -> tuple[int, float]:
        alike = {"comparable": e.compared_with, "certainty": e.value, "part": e.value, "symptom": e.value}.get(e.kind)
        return kinds.index(e.kind), -(alike or 0.0)

    topics = []
    for title, kinds in TOPICS:
        statements = sorted((e for e in incident.evidence if e.kind in kinds), key=lambda e: place(e, kinds))
        if statements:
            lines = tuple(Statement(isolated(e.statement), rests_on(e)) for e in statements)
            topics.append(Topic(title=title, lines=lines[:LINES], more=lines[LINES:], total=len(lines)))
    return topics


def rests_on(e: Evidence) -> str:
    """Return how many stored rows a statement rests on, in words; empty where it names none."""
    if any(row.is_span for row in e.rows):
        return "evidence: all rows of a span"
    return f"evidence: {quantity(len(e.rows), 'row')}" if e.rows else ""
