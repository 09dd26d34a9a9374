"""Read the outcome of a replay from its database, and compare it with the recorded truth."""

from __future__ import annotations

from datetime import datetime

from pipeline.core.alert_facts import AlertFacts
from pipeline.core.incidents import Incident
from pipeline.core.replay_result import (
    AdvisoryResult,
    AlertResult,
    ComponentResult,
    EvidenceResult,
    IncidentResult,
    LinkResult,
    OfficialResult,
    PhaseResult,
    ReplayResult,
)
from pipeline.replay.scenario import Scenario
from pipeline.replay.scores import scores
from pipeline.store import Store
from pipeline.store.advisories import advisories
from pipeline.store.incidents import incidents
from pipeline.store.news import links_of
from pipeline.store.official import notice_impacts
from pipeline.store.outbox import alerts_of


def result(store: Store, scenario: Scenario, begin: datetime, until: datetime) -> ReplayResult:
    """Return incidents, phases, links, alerts and scores, advisories and evidence."""
    stored = incidents(store)
    alerts = [alert for alert in alerts_of(store) if alert.created <= until]
    first_alert: dict[str, datetime] = {}
    for alert in alerts:
        if alert.incident:
            first_alert.setdefault(alert.incident, alert.created)
    return ReplayResult(
        scenario=scenario.name,
        simulated=scenario.simulated,
        incidents=tuple(_incident(i, first_alert.get(i.id)) for i in stored),
        phases=tuple(
            PhaseResult(
                incident=i.id,
                episode=p.episode,
                phase=p.phase,
                since=p.since,
                until=p.until,
                impact=p.impact,
                why=p.why,
            )
            for i in stored
            for p in i.phases
        ),
        components=tuple(
            ComponentResult(
                incident=i.id,
                component=c.component,
                source=c.source,
                status=c.status,
                since=c.since,
                until=c.until,
                detail=c.detail,
            )
            for i in stored
            for c in i.components
        ),
        official=tuple(
            OfficialResult(incident=i.id, at=e.at, statement=e.statement)
            for i in stored
            for e in i.evidence
            if e.kind == "official"
        ),
        links=tuple(link for i in stored for link in _links(store, i.id)),
        advisories=tuple(
            AdvisoryResult(service=a.service, level=a.level, since=a.since, until=a.until, reasons=tuple(a.reasons))
            for a in advisories(store)
        ),
        evidence=tuple(
            EvidenceResult(
                incident=i.id,
                kind=e.kind,
                at=e.at,
                subject=e.subject,
                value=e.value,
                beside=e.compared_with,
                statement=e.statement,
            )
            for i in stored
            for e in i.evidence
            if e.kind not in ("official", "certainty")
        ),
        alerts=tuple(
            AlertResult(
                at=a.created,
                transition=a.transition,
                incident=a.incident,
                service=a.service,
                subject=a.subject,
                components=a.facts.affected if isinstance(a.facts, AlertFacts) else (),
                message_id=a.message_id,
            )
            for a in alerts
        ),
        scores=scores(scenario.truth, stored, alerts, begin, until, notice_impacts(store)),
    )


def _incident(i: Incident, first_alert: datetime | None) -> IncidentResult:
    return IncidentResult(
        id=i.id,
        service=i.service,
        state=i.state,
        onset=i.onset,
        peak=i.peak,
        end=i.end,
        impact=i.impact,
        symptom=i.symptom,
        episodes=i.episode_count,
        probability=i.probability,
        part_of=i.part_of,
        components=tuple(sorted({c.component for c in i.components if c.status == "affected"})),
        first_alert_at=first_alert,
        official_first_at=i.official_first_at,
    )


def _links(store: Store, incident: str) -> list[LinkResult]:
    return [
        LinkResult(
            incident=incident,
            relation=link.relation,
            title=link.title,
            first_seen=link.first_seen,
            kind=link.kind,
            outlets=link.outlets,
            score=link.score,
            evidence_for=tuple(link.evidence_for),
            evidence_against=tuple(link.evidence_against),
            p=link.p,
            shown=link.shown,
        )
        for link in links_of(store, incident)
    ]
