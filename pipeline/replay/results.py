"""The outcome of a replay as plain values: what `backtest --json` prints, schema 1."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median
from typing import Any

from pipeline.core.alert_facts import AlertFacts
from pipeline.core.incidents import Incident
from pipeline.core.times import iso, minutes_between
from pipeline.replay.scenario import Scenario
from pipeline.store import Store
from pipeline.store.activity import advisories
from pipeline.store.incidents import incidents
from pipeline.store.news import links_of
from pipeline.store.outbox import alerts_of


def result(store: Store, scenario: Scenario, begin: datetime, until: datetime) -> dict[str, Any]:
    """Return incidents, phases, links, alerts and scores, advisories and evidence."""
    found = incidents(store)
    alerts = [alert for alert in alerts_of(store) if alert.created <= until]
    first: dict[str, datetime] = {}
    for alert in alerts:
        first.setdefault(alert.incident, alert.created)
    told = [
        {
            "at": iso(a.created),
            "transition": a.transition,
            "incident": a.incident,
            "service": a.service,
            "subject": a.subject,
            "components": list(a.facts.affected) if isinstance(a.facts, AlertFacts) else [],
            "message_id": a.message_id,
        }
        for a in alerts
    ]
    return {
        "schema": 1,
        "scenario": scenario.name,
        "simulated": scenario.simulated,
        "incidents": [_incident(i, first.get(i.id)) for i in found],
        "phases": [
            {
                "incident": i.id,
                "episode": p.episode,
                "phase": p.phase,
                "since": iso(p.since),
                "until": iso(p.until) if p.until else None,
                "impact": p.impact,
                "why": p.why,
            }
            for i in found
            for p in i.phases
        ],
        "components": [
            {
                "incident": i.id,
                "component": c.component,
                "source": c.source,
                "status": c.status,
                "since": iso(c.since),
                "until": iso(c.until) if c.until else None,
                "detail": c.detail,
            }
            for i in found
            for c in i.components
        ],
        "official": [
            {"incident": i.id, "at": iso(e.at), "statement": e.statement}
            for i in found
            for e in i.evidence
            if e.kind == "official"
        ],
        "links": [
            {
                "incident": i.id,
                "relation": k.relation,
                "title": k.title,
                "first_seen": iso(k.first_seen),
                "kind": k.kind,
                "outlets": k.outlets,
                "score": k.score,
                "evidence_for": list(k.evidence_for),
                "evidence_against": list(k.evidence_against),
                "p": k.p,
                "shown": k.shown,
            }
            for i in found
            for k in links_of(store, i.id)
        ],
        "advisories": [
            {
                "service": a.service,
                "level": a.level,
                "since": iso(a.since),
                "until": iso(a.until) if a.until else None,
                "reasons": list(a.reasons),
            }
            for a in advisories(store)
        ],
        "evidence": [
            {
                "incident": i.id,
                "kind": e.kind,
                "at": iso(e.at),
                "subject": e.subject,
                "value": e.value,
                "beside": e.compared_with,
                "statement": e.statement,
            }
            for i in found
            for e in i.evidence
            if e.kind not in ("official", "certainty")
        ],
        "alerts": told,
        "scores": scores(scenario, found, first, begin, until),
    }


def _incident(i: Incident, first_alert: datetime | None) -> dict[str, Any]:
    return {
        "id": i.id,
        "service": i.service,
        "state": i.state,
        "onset": iso(i.onset),
        "peak": iso(i.peak) if i.peak else None,
        "end": iso(i.end) if i.end else None,
        "impact": i.impact,
        "symptom": i.symptom,
        "episodes": i.episode_count,
        "probability": i.probability,
        "part_of": i.part_of,
        "components": sorted({c.component for c in i.components if c.status == "affected"}),
        "first_alert_at": iso(first_alert) if first_alert else None,
        "official_first_at": iso(i.official_first_at) if i.official_first_at else None,
    }


def scores(
    scenario: Scenario, found: list[Incident], first: dict[str, datetime], begin: datetime, until: datetime
) -> dict[str, Any]:
    """Compare with truth.toml: outages found, minutes from onset to first alert, alerts in spans that were quiet."""
    truth = [t for t in scenario.truth.get("incident", []) if begin <= t["onset"] <= until]
    delays = []
    for real in truth:
        hits = [
            first[i.id]
            for i in found
            if i.service == real["service"]
            and i.id in first
            and i.onset <= real["end"] + timedelta(hours=1)
            and (i.end or until) >= real["onset"] - timedelta(minutes=30)
        ]
        if hits:
            delays.append(max(0.0, minutes_between(real["onset"], min(hits))))
    quiet = [q for q in scenario.truth.get("quiet", []) if q["until"] >= begin and q["from"] <= until]
    disturbed = sum(
        1
        for q in quiet
        for i in found
        if i.id in first
        and i.service == q["service"]
        and i.official_first_at is None
        and q["from"] <= i.onset < q["until"]
    )
    return {
        "outages": len(truth),
        "found": len(delays),
        "quiet_spans": len(quiet),
        "alerts_in_quiet_spans": disturbed,
        "median_minutes_to_alert": round(median(delays), 1) if delays else None,
    }
