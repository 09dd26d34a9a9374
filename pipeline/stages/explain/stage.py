"""Explain: incidents from alarms and provider updates, linked to news, with evidence, and the alerts they are worth.

The passes: fold_news, build_incidents, share, then for each incident link, evidence, plan_alerts and write. An
incident, its parts, its links and its outbox rows go into one transaction. What is unchanged is not written, so that
running it again changes nothing.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from datetime import datetime, timedelta

from msgspec import structs

from pipeline.config.settings import Config
from pipeline.core.incidents import Incident
from pipeline.core.news_events import Link
from pipeline.core.records import Run
from pipeline.core.shared_failure import service_shown
from pipeline.core.times import floor_to, utc, utc_or_none
from pipeline.incidents.build import in_order
from pipeline.incidents.news_links import link
from pipeline.incidents.shared_cause import outside_causes
from pipeline.incidents.shared_dependency import NamedCauses, groups, named_causes
from pipeline.stages.explain.alerts import AlertingContext
from pipeline.stages.explain.context import (
    IncidentHistory,
    Surroundings,
    incident_history,
    link_context,
)
from pipeline.stages.explain.due import explain_nothing, explained, is_surge_watch_due
from pipeline.stages.explain.findings import BEFORE_ONSET, LOOK_BACK, build_incidents, read_alarms, rows_since
from pipeline.stages.explain.held import held_incidents
from pipeline.stages.explain.news import fold_news
from pipeline.stages.explain.records import ExplainedIncident, ExplainRun, ServiceFindings
from pipeline.stages.explain.supplementary import supplementary_evidence
from pipeline.stages.explain.surge import watch_surges
from pipeline.stages.explain.write import write_incident
from pipeline.store import Store
from pipeline.store.incidents import incidents
from pipeline.store.isolation import Isolation
from pipeline.store.news import links_of
from pipeline.store.outbox import first_messages
from pipeline.store.runs import get_checkpoint
from pipeline.text.models.kinds import NewsModel
from pipeline.text.services import ServiceMatcher

logger = logging.getLogger(__name__)

LINK_FOR = timedelta(days=3)


def run_explain(
    store: Store,
    config: Config,
    matcher: ServiceMatcher,
    news_model: Callable[[], NewsModel],
    alerting: AlertingContext,
    now: datetime,
    *,
    alarm: float,
) -> Run:
    """Bring the incidents up to date; return the run.

    It counts rows considered (seen), and incidents, links and advisories changed (new). `news_model` is asked for when
    new items are to be read: loading it costs seconds. `alarm` is the score from which the detector calls a bin an
    alarm.
    """
    if (quiet := explain_nothing(store, now)) is not None:
        return quiet
    watermark = utc_or_none(get_checkpoint(store, "explain", "through"))
    # rows of the past that came later are explained at the watermark, not where they lie
    now = max(now, watermark) if watermark else now
    surge_due = is_surge_watch_due(store, now)
    judged_again = _judged_again(store, watermark)
    events = fold_news(store, matcher, news_model, now)
    recent = now - LOOK_BACK - LINK_FOR
    known = incidents(store, recent)
    since = rows_since(known, watermark, judged_again)
    known = incidents(store, since) if since < recent else known
    run = ExplainRun(
        store=store,
        config=config,
        alerting=alerting,
        known={i.id: i for i in known},
        events=events,
        now=now,
        since=since,
        watermark=watermark,
        judged_again=judged_again,
        alerted=first_messages(store),
        named_in=matcher.entities,
        watched=frozenset(config.watched),
    )
    alarms = read_alarms(run, alarm)
    isolation = Isolation(store)
    findings = build_incidents(run, alarms, isolation)
    current = _current(run, findings)
    notices = {found.service.id: found.provider_incidents for found in findings}
    named = named_causes(notices, run.news_events, matcher.entities, config.catalogue, now)
    outside = outside_causes(notices, events, now)
    surroundings = Surroundings(
        store=store, catalogue=config.catalogue, incidents=list(current.values()), events=run.news_events, now=now
    )
    held = held_incidents(run, findings, surroundings, alarms, isolation)
    # what is not sent alone makes no shared failure; what became a member before it was held stays one
    credible = {i.id: i for i in current.values() if i.part_of or i.id not in held}
    shared = list(_share(run, findings, credible, named, outside))
    part_of = {member: group.incident.id for group, members in shared for member in members}
    new = sum(write_incident(run, group) for group, _ in shared)
    for found in findings:
        with isolation.of(found.service.id):
            explained_incidents = _explain(run, found, held, part_of, surroundings)
            new += sum(write_incident(run, incident) for incident in explained_incidents)
    new += watch_surges(run) if surge_due else 0
    seen = max(1, alarms.bins + len(events))
    return explained(store, now, seen=seen, new=new, outcome=isolation.outcome, error=isolation.error)


def _judged_again(store: Store, watermark: datetime | None) -> datetime | None:
    """Return from when detect has judged bins since the watermark, with the hours before; None for not."""
    alarmed = utc_or_none(get_checkpoint(store, "detect", "alarmed"))
    if watermark is None or alarmed is None or alarmed <= watermark:
        return None
    return utc(str(get_checkpoint(store, "detect", "alarmed_bin"))) - BEFORE_ONSET


def _current(run: ExplainRun, findings: Sequence[ServiceFindings]) -> dict[str, Incident]:
    """Return every incident of one service by id, as it stands now."""
    known = {i.id: i for i in run.known.values() if not i.is_group}
    return {**known, **{i.id: i for found in findings for i in found.built}}


def _share(
    run: ExplainRun,
    findings: Sequence[ServiceFindings],
    current: Mapping[str, Incident],
    named: NamedCauses,
    outside: NamedCauses,
) -> Iterator[tuple[ExplainedIncident, Sequence[str]]]:
    """Yield each failure that services share, with the ids of its members."""
    catalogue = run.config.catalogue
    known = [i for i in run.known.values() if i.is_group and i.service in catalogue]
    for group, members in groups(list(current.values()), catalogue, run.now, known, named, outside, run.watched):
        shared_by = tuple(dict.fromkeys(current[member].service for member in members))
        alone = ServiceFindings(
            service=service_shown(group, catalogue),
            built=[group],
            absorbed={},
            intervals=[i for found in findings if found.service.id in shared_by for i in found.intervals],
            # a dependent's page tells of that service; only the own page tells of what all run on
            provider_incidents=[
                o
                for found in findings
                if found.service.id == group.shared_cause in shared_by
                for o in found.provider_incidents
            ],
            reports=[],
        )
        # who watches a member is alerted of the group; a group without members is closed to whom it was sent
        eligible = not members or bool(set(shared_by) & run.watched)
        yield (
            ExplainedIncident(
                findings=alone,
                incident=group,
                links=[],
                watched=eligible,
                shared_by=shared_by,
                links_of_members=_strongest_links(run.store, members),
            ),
            members,
        )


def _strongest_links(store: Store, members: Sequence[str]) -> list[Link]:
    """Return of each news event the strongest stored link of some incidents, by relation, the strongest first."""
    strongest: dict[str, Link] = {}
    for stored in (row.link for member in members for row in links_of(store, member)):
        known = strongest.get(stored.news_event)
        if known is None or stored.score > known.score:
            strongest[stored.news_event] = stored
    return sorted(strongest.values(), key=lambda found: (found.relation, -found.score, found.news_event))


def _explain(
    run: ExplainRun,
    found: ServiceFindings,
    held: Set[str],
    part_of: Mapping[str, str],
    surroundings: Surroundings,
) -> Iterator[ExplainedIncident]:
    """Yield each incident of a service that may have changed, with its links and all its evidence.

    Each is to be written before the next is asked for: outages that are over by then are compared with.
    """
    history: IncidentHistory | None = None
    for built in found.built:
        incident = structs.replace(built, part_of=part_of.get(built.id, ""))
        digest = "" if incident.active else _digest(run, incident)
        if _settled(run, found, incident, digest):
            continue
        history = history or incident_history(run.store, found.service, found.built, run.now)
        context = link_context(surroundings, found.service, incident, history, found.provider_incidents)
        links = link(incident, found.service, run.events, context, run.now)
        more = supplementary_evidence(surroundings, found.service, incident, links, context.provider_incidents)
        yield ExplainedIncident(
            findings=found,
            incident=structs.replace(incident, evidence=in_order([*incident.evidence, *more])),
            links=links,
            # new messages may tell of what is watched, stands alone and is not held
            watched=built.service in run.watched and not incident.part_of and incident.id not in held,
            digest=digest,
        )


def _digest(run: ExplainRun, incident: Incident) -> str:
    """Return a digest of what an incident is explained from: itself, the hour, and the news of the last days.

    What is over changes with the news, and for a day with charts and competitors: it is explained again once an hour.
    """
    news = [(event.id, event.outlets, event.kind) for event in run.news_events]
    return hashlib.sha256(repr((incident, floor_to(run.now, 3600), news)).encode()).hexdigest()


def _settled(run: ExplainRun, findings: ServiceFindings, incident: Incident, digest: str) -> bool:
    """Return whether an incident is over, is stored as over, and nothing has changed that it is explained from."""
    before = run.known.get(incident.id)
    if incident.active or before is None or before.active or incident.id in findings.absorbed.values():
        return False
    if incident.end is not None and run.now - incident.end >= LINK_FOR:
        return True
    return get_checkpoint(run.store, "explain", f"seen:{incident.id}") == digest
