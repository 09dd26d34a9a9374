"""The last pass of explain: an incident, its links and the alerts it is worth are written in one transaction."""

from __future__ import annotations

from msgspec import structs

from pipeline.stages.explain.alerts import AlertInputs, plan_alerts
from pipeline.stages.explain.records import ExplainedIncident, ExplainRun
from pipeline.store.incidents import put_incident
from pipeline.store.news import links_of, put_links
from pipeline.store.outbox import put_alerts
from pipeline.store.runs import set_checkpoint
from pipeline.store.successors import revive_incident, succeed_incident


def write_incident(run: ExplainRun, explained: ExplainedIncident) -> int:
    """Write what changed of an incident, and its alerts; return how many changed of the two, incident and links."""
    incident, findings, store = explained.incident, explained.findings, run.store
    revive_incident(store, incident.id)
    links = sorted((structs.replace(k, score=round(k.score, 3)) for k in explained.links), key=lambda k: k.news_event)
    stored = sorted((row.link for row in links_of(store, incident.id)), key=lambda k: k.news_event)
    inputs = AlertInputs(
        service=findings.service,
        reports=findings.reports,
        intervals=findings.intervals,
        provider_incidents=findings.provider_incidents,
        links=[k for k in (*explained.links, *explained.links_of_members) if k.shown],
        events=run.events,
        hit=explained.shared_by,
    )
    alerts = plan_alerts(store, run.config, run.alerting, incident, inputs, run.now, eligible=explained.watched)
    changed = run.known.get(incident.id) != incident
    absorbed = [old for old, by in findings.absorbed.items() if by == incident.id]
    if not (changed or stored != links or alerts or absorbed or explained.digest):
        return 0
    store.kept.forget_incidents(incident.id, *absorbed)
    with store.transaction() as conn:
        for old in absorbed:
            succeed_incident(conn, old, incident.id)
        if changed:
            put_incident(conn, incident)
        if stored != links:
            put_links(conn, incident.id, links)
        put_alerts(conn, alerts)
        if explained.digest:
            set_checkpoint(conn, "explain", f"seen:{incident.id}", explained.digest)
    return int(changed) + int(stored != links)
