"""Which incidents no message may name yet: another failure explains their reports, or other evidence denies them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from pipeline.core.incidents import Incident
from pipeline.incidents import counts_usual, unreported_counts
from pipeline.incidents.attention import overshadowing, signal_kinds
from pipeline.incidents.counts_usual import counts_are_usual
from pipeline.incidents.holds import in_words, press_reports_it
from pipeline.incidents.news_links import link
from pipeline.incidents.unreported_counts import counts_are_unreported
from pipeline.stages.explain.context import Surroundings, incident_history, link_context
from pipeline.stages.explain.findings import Alarms
from pipeline.stages.explain.records import ExplainRun, ServiceFindings
from pipeline.store.isolation import Isolation
from pipeline.store.service_history import service_history
from pipeline.store.verdicts import verdicts

logger = logging.getLogger(__name__)
AFTER_END = timedelta(minutes=30)  # the last interval of an incident is counted by then


def held_incidents(
    run: ExplainRun, findings: Sequence[ServiceFindings], around: Surroundings, alarms: Alarms, isolation: Isolation
) -> frozenset[str]:
    """Return the ids of the incidents that are held; none that a message named before.

    Of services that are not watched, too: a held incident is no member of a shared failure either.
    """
    held: set[str] = set()
    for found in findings:
        asked = [incident for incident in found.built if incident.id not in run.alerted]
        held.update(incident.id for incident in asked)  # in this run, if what follows fails
        with isolation.of(found.service.id):
            free = set[str]()
            for incident in asked:
                words = _explained_by_another(run, found, incident, around, alarms) or _denied(
                    run, found, incident, around, alarms
                )
                if not words:
                    free.add(incident.id)
                elif incident.active and incident.service in run.watched and not incident.part_of:
                    logger.info("%s is not sent: %s", incident.id, words)
            held -= free
    return frozenset(held)


def _explained_by_another(
    run: ExplainRun, found: ServiceFindings, incident: Incident, around: Surroundings, alarms: Alarms
) -> str:
    """Return, in words, which failure of another service explains the reports of an incident; empty where none does."""
    catalogue = run.config.catalogue
    hold = overshadowing(incident, around.incidents, catalogue, found.reports, run.named_in, alarms.levels)
    return in_words(hold, catalogue[hold.other.service].name) if hold is not None else ""


def _denied(run: ExplainRun, found: ServiceFindings, incident: Incident, around: Surroundings, alarms: Alarms) -> str:
    """Return, in words, which other evidence denies the only kind of signal of an incident; empty where none does.

    Posts alone where complaints are usual, or complaints of a new series where posts are silent. What is over is judged
    by what was known shortly after its end, so that it is not let into a shared failure later.
    """
    if len(signal_kinds(incident)) != 1:
        return ""
    at = run.now if incident.end is None else min(run.now, incident.end + AFTER_END)
    judged = verdicts(run.store, incident.onset, at, service=incident.service)
    if counts_are_usual(incident, judged, at, alarms.alarm):
        words = counts_usual.IN_WORDS
    elif counts_are_unreported(
        incident, found.reports, judged, service_history(run.store, incident.service, at), at, alarms.alarm
    ):
        words = unreported_counts.IN_WORDS
    else:
        return ""
    history = incident_history(run.store, found.service, found.built, run.now)
    context = link_context(around, found.service, incident, history, found.provider_incidents)
    return "" if press_reports_it(link(incident, found.service, run.events, context, run.now)) else words
