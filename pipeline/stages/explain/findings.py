"""The second pass of explain: each service's incidents are built anew from alarms, reports and its page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, structs

from pipeline.core.catalogue import Service
from pipeline.core.incidents import Incident
from pipeline.core.series import Points, SeriesKey
from pipeline.core.times import Span, floor_to
from pipeline.core.vocabulary import Channel, NewsKind
from pipeline.detection.alarm_intervals import Heard, spans
from pipeline.detection.joint_alarms import REACH, SHARE_OF_ALARM, with_joint_alarms, without_alarm
from pipeline.incidents.build import IncidentInputs, build, withdrawn
from pipeline.incidents.closing import LATELY, ClosingRule
from pipeline.incidents.episodes import STORY_GAP, read_provider_incidents
from pipeline.incidents.scope import deduplicate_clearances
from pipeline.stages.explain.records import ExplainRun, ServiceFindings
from pipeline.store.detector_input import zero_counts_until
from pipeline.store.isolation import Isolation
from pipeline.store.official import official_incidents, pages_between, status_updates
from pipeline.store.reports import reports
from pipeline.store.runs import heard
from pipeline.store.verdicts import services_near_alarm, verdicts

LOOK_BACK = timedelta(hours=6)
BEFORE_ONSET = timedelta(hours=2)
ARTICLES = (NewsKind.SERVICE_OUTAGE, NewsKind.OUTAGE_FOLLOWUP)
FIRST = datetime.fromisoformat("2000-01-01T00:00:00Z")


class Alarms(Struct, frozen=True, kw_only=True):
    """Verdicts above the alarm, and the spans in which each source of reports was read."""

    alarm: float
    levels: Mapping[SeriesKey, Points]
    read: Heard

    @property
    def bins(self) -> int:
        """Return how many bins there are."""
        return sum(len(points) for points in self.levels.values())

    def totals_by_service(self) -> Mapping[str, Mapping[SeriesKey, Points]]:
        """Return the levels of each service's totals."""
        found: dict[str, dict[SeriesKey, Points]] = defaultdict(dict)
        for key, points in self.levels.items():
            if key.is_total:
                found[key.service][key] = points
        return found


def rows_since(known: Sequence[Incident], watermark: datetime | None, judged_again: datetime | None) -> datetime:
    """Return from when rows matter: six hours before the watermark or what is judged again.

    Never into the middle of an incident. Whole hours, so that how often explain is run does not matter.
    """
    if watermark is None:
        return FIRST
    since = min(floor_to(watermark, 3600) - LOOK_BACK, judged_again or watermark)
    for incident in sorted(known, key=lambda i: i.onset, reverse=True):
        begin = incident.onset - BEFORE_ONSET
        if begin < since and (incident.end is None or incident.end + STORY_GAP >= since):
            since = begin
    return since


def _counted(levels: Mapping[SeriesKey, Points]) -> list[tuple[datetime, str]]:
    """Return when complaints alarmed and about which service, in order."""
    return sorted(
        (point.start, key.service)
        for key, points in levels.items()
        if key.channel == Channel.COMPLAINTS and key.is_total
        for point in points
    )


def read_alarms(run: ExplainRun, alarm: float) -> Alarms:
    """Return the bins of series with a score of at least `alarm` since rows matter, alone or counts and posts together.

    The latter are looked for as far back as a service's own incidents ask, and not in history that the first run finds.
    """
    levels: dict[SeriesKey, Points] = {**verdicts(run.store, run.since, run.now, minimum=alarm)}
    counted = _counted(levels)
    known, first = _by_service(run.known.values()), run.now - LOOK_BACK if run.watermark is None else FIRST
    begins = {name: rows_since(mine, run.watermark, run.judged_again) for name, mine in known.items()}
    others_begin = max(first, rows_since([], run.watermark, run.judged_again))
    near = services_near_alarm(run.store, others_begin - REACH, run.now, SHARE_OF_ALARM * alarm, alarm)
    for service in sorted({*near, *begins}):
        since = max(first, begins.get(service, others_begin)) - REACH
        judged = verdicts(run.store, since, run.now, service=service)
        # while another service fails, people ask about others like it and blame their network, in posts and in
        # complaints alike: the two are not independent then
        others = [start for start, name in counted if name != service]
        together = with_joint_alarms(judged, alarm, others)
        mine = [incident for incident in known.get(service, ()) if incident.onset >= since]
        if lost := _lost(run, mine, [*_of(levels, service), *_of(together, service)]):
            together = with_joint_alarms(judged, alarm, others, lost)
        for key, points in together.items():
            # an alarm of its own may be older than what was judged here
            older = [point for point in levels.get(key, ()) if point.start < points[0].start]
            levels[key] = [*older, *points]
    sources = {key.source for key in levels if key.channel == Channel.VOTES}
    read = {source: heard(run.store, source) for source in sorted(sources)}
    return Alarms(alarm=alarm, levels=levels, read=read)


def _of(levels: Mapping[SeriesKey, Points], service: str) -> Iterator[datetime]:
    """Yield when the bins of a service's totals begin."""
    return (
        point.start for key, points in levels.items() if key.service == service and key.is_total for point in points
    )


def _lost(run: ExplainRun, known: Sequence[Incident], starts: Sequence[datetime]) -> list[Span]:
    """Return the spans, from onset to first message, of incidents of alarms that were sent and of which none is left.

    `known` are a service's incidents, `starts` the bins in alarm.
    """
    sent = (
        Span(incident.onset, first)
        for incident in known
        if any(episode.by_crowd for episode in incident.episodes)
        and (first := run.alerted.get(incident.id) or run.alerted.get(incident.part_of))
    )
    return without_alarm(sent, starts)


def build_incidents(run: ExplainRun, alarms: Alarms, isolation: Isolation) -> list[ServiceFindings]:
    """Return the findings of each service with an alarm, a known incident or an update of its page, by service id.

    A service that fails unexpectedly has none; what is known of it stays as it is.
    """
    catalogue = run.config.catalogue
    pages = pages_between(run.store, run.since, run.now)
    touched = {key.service for key in alarms.levels} | {i.service for i in run.known.values() if not i.is_group}
    touched |= {s.id for s in catalogue.values() if s.status_page and s.page in pages} if pages else set()
    known, totals = _by_service(run.known.values()), alarms.totals_by_service()
    found = []
    for name in sorted(touched & set(catalogue)):
        with isolation.of(name):
            judged = structs.replace(alarms, levels=totals.get(name, {}))
            found.append(_findings(run, catalogue[name], judged, known.get(name, [])))
    return [findings for findings in found if findings is not None]


def _by_service(incidents: Iterable[Incident]) -> Mapping[str, list[Incident]]:
    """Return the incidents of each service, without shared failures."""
    found: dict[str, list[Incident]] = defaultdict(list)
    for incident in incidents:
        if not incident.is_group:
            found[incident.service].append(incident)
    return found


def _findings(run: ExplainRun, service: Service, alarms: Alarms, known: Sequence[Incident]) -> ServiceFindings | None:
    """Return a service's incidents as they stand now, from its own alarms; None where there are none.

    `known` are those that are stored.
    """
    # as far back as this service's own incidents ask: what is long over elsewhere is not explained again
    since = rows_since(known, run.watermark, run.judged_again)
    levels = {
        key: kept
        for key, points in alarms.levels.items()
        if (kept := [point for point in points if point.start >= since])
    }
    zeros_until = {
        key: until
        for key, points in levels.items()
        if key.channel == Channel.COMPLAINTS
        and (until := zero_counts_until(run.store, key, points[-1].start + timedelta(seconds=key.bin_s), run.now))
    }
    intervals = spans(service.id, levels, alarms.read, run.now, alarms.alarm, zeros_until)
    updates = status_updates(run.store, service.page, since, run.now) if service.status_page else []
    provider_incidents = read_provider_incidents(updates, run.now, official_incidents(run.store, service.page, run.now))
    if not known and not intervals and not provider_incidents:
        return None
    read = reports(run.store, service.id, since, run.now) if intervals or provider_incidents else []
    inputs = IncidentInputs(
        intervals=intervals,
        provider_incidents=provider_incidents,
        reports=deduplicate_clearances(read),
        levels=levels,
        articles=[event for event in run.news_events if event.kind in ARTICLES],
    )
    recent = [i for i in known if i.end is None or i.end >= since - LATELY]
    alerts = run.config.alerts
    closing = ClosingRule(quiet=alerts.quiet_to_close, quiet_after_relapse=alerts.quiet_to_close_after_relapse)
    built, absorbed = build(service, inputs, recent, run.now, closing=closing, alerted=run.alerted)
    accounted = {i.id for i in built} | set(absorbed)
    gone = [withdrawn(i) for i in known if i.active and i.id not in accounted]
    return ServiceFindings(
        service=service,
        built=[*built, *gone],
        absorbed=absorbed,
        intervals=intervals,
        provider_incidents=provider_incidents,
        reports=inputs.reports,
    )
