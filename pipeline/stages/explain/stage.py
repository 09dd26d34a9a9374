"""Explain: build incidents from alarms and official updates, link them to news, write what is worth telling.

Incidents, their parts, links and the outbox rows that tell of them go into one transaction a service. What is
unchanged is not written, so running it again changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipeline.config.load import Config
from pipeline.config.paths import OUTAGES, PRESS
from pipeline.config.reference_data import known_outages, press_comparisons
from pipeline.core.catalogue import Service
from pipeline.core.incidents import Advisory, Incident, Link, NewsEvent
from pipeline.core.records import Run
from pipeline.core.reports import Report
from pipeline.core.series import Interval, Points, SeriesKey
from pipeline.core.times import floor_to, iso, utc
from pipeline.detection.alarm_intervals import Heard, spans
from pipeline.incidents.build import build, in_order, withdrawn
from pipeline.incidents.episodes import STORY_GAP, ProviderIncident, read_provider_incidents
from pipeline.incidents.news_links import link
from pipeline.incidents.scope import deduplicate_clearances
from pipeline.incidents.shared_dependency import groups
from pipeline.incidents.surge import update_advisory
from pipeline.stages.explain.alerts import AlertingContext, AlertInputs, plan_alerts
from pipeline.stages.explain.context import incident_history, link_context, supplementary_evidence, surge_inputs
from pipeline.stages.explain.surge import advisory_rows
from pipeline.store import Store
from pipeline.store.activity import advisories, put_advisories
from pipeline.store.incidents import anything_said, anything_to_explain, delete_incident, incidents, put_incident
from pipeline.store.news import links_of, news_events, put_claims, put_links, put_news_events
from pipeline.store.observations import news_items, pages_between, status_updates
from pipeline.store.outbox import move_alerts, put_alerts
from pipeline.store.reports import reports
from pipeline.store.runs import get_checkpoint, heard, record_run, set_checkpoint
from pipeline.store.verdicts import verdicts
from pipeline.text.claims import claims
from pipeline.text.models.kinds import NewsModel
from pipeline.text.news import fold_items
from pipeline.text.services import ServiceMatcher

LOOK_BACK = timedelta(hours=6)
NEWS_SPAN = timedelta(days=10)
LINK_FOR = timedelta(days=3)
SIGNALS = timedelta(days=11)  # as far back as signals of a surge are read
ARTICLES = ("service_outage", "outage_followup")


@dataclass(frozen=True, slots=True, kw_only=True)
class _ServiceFindings:
    """A service's story in this pass, with what its messages are made of."""

    service: Service
    built: Sequence[Incident]
    absorbed: Mapping[str, str]
    intervals: Sequence[Interval]
    provider_incidents: Sequence[ProviderIncident]
    reports: Sequence[Report]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """What one pass works with."""

    store: Store
    config: Config
    telling: AlertingContext
    known: Mapping[str, Incident]
    events: Sequence[tuple[NewsEvent, str]]
    now: datetime
    through: datetime | None
    late: datetime | None  # from when rows have been judged again


def run_explain(
    store: Store,
    config: Config,
    matcher: ServiceMatcher,
    news_model: Callable[[], NewsModel],
    telling: AlertingContext,
    now: datetime,
    *,
    alarm: float,
) -> Run:
    """Bring the incidents up to date; the run counts rows considered (seen) and incidents, links and advisories changed (new).

    `news_model` is asked for when new items are to be read: loading it costs seconds. `alarm` is the score from which
    the detector calls a bin an alarm.
    """
    through = get_checkpoint(store, "explain", "through")
    # rows of the past that came later are explained from where the story stands, not from where they lie
    now = max(now, utc(through)) if through else now
    surging = _surge_due(store, now)
    if through and not surging and not anything_to_explain(store, utc(through)):
        return _done(store, now, seen=1, new=0)
    events = _news(store, matcher, news_model, now)
    late = None
    if through and (get_checkpoint(store, "detect", "alarmed") or "") > through:
        late = utc(str(get_checkpoint(store, "detect", "alarmed_bin"))) - timedelta(hours=2)
    recent = now - LOOK_BACK - LINK_FOR
    known = incidents(store, recent)
    since = _since(known, utc(through) if through else None, late)
    if since < recent:
        known = incidents(store, since)
    alarms = verdicts(store, since, now, minimum=alarm)
    offered = sum(len(points) for points in alarms.values()) + len(events)
    pages = pages_between(store, since, now)
    stirred = {key.service for key in alarms} | {i.service for i in known if not i.is_group}
    stirred |= {s.id for s in config.catalogue.values() if s.status_page and s.page in pages}
    work = _Pass(
        store=store,
        config=config,
        telling=telling,
        known={i.id: i for i in known},
        events=events,
        now=now,
        through=utc(through) if through else None,
        late=late,
    )
    read = {key.source: heard(store, key.source) for key in alarms if key.channel == "votes"}
    told = [
        _story(work, config.catalogue[name], alarms, read, alarm) for name in sorted(stirred & set(config.catalogue))
    ]
    new = _write_all(work, [t for t in told if t is not None])
    if surging:
        new += _surge(work)
    return _done(store, now, seen=max(1, offered), new=new)


def _done(store: Store, now: datetime, *, seen: int, new: int) -> Run:
    with store.transaction() as conn:
        set_checkpoint(conn, "explain", "through", iso(now))
    run = Run(stage="explain", subject="incidents", started=now, outcome="ok", seen=seen, new=new)
    record_run(store, run)
    return run


def _since(known: Sequence[Incident], through: datetime | None, late: datetime | None) -> datetime:
    """Return from when rows matter: six hours back or what is judged again, and never into the middle of an incident."""
    if through is None:
        return datetime.fromisoformat("2000-01-01T00:00:00Z")
    # in whole hours, so that how often it is run does not matter
    since = min(floor_to(through, 3600) - LOOK_BACK, late or through)
    for incident in sorted(known, key=lambda i: i.onset, reverse=True):
        if (incident.end is None or incident.end + STORY_GAP >= since) and incident.onset - timedelta(hours=2) < since:
            since = incident.onset - timedelta(hours=2)
    return since


def _news(
    store: Store, matcher: ServiceMatcher, model: Callable[[], NewsModel], now: datetime
) -> list[tuple[NewsEvent, str]]:
    """Fold new items into events when any came; return the events of the last days with their text."""
    items = news_items(store, now - NEWS_SPAN, now)
    digest = hashlib.sha256(json.dumps([(i.source, i.native_id, i.title) for i in items]).encode()).hexdigest()
    known = news_events(store, now - NEWS_SPAN, now)
    if get_checkpoint(store, "explain", "news") != digest:
        ids = {event.id: event for event, _ in known}
        kinds = {event.id: event.kind for event, _ in known}
        fresh = [
            event
            for event in fold_items(items, matcher, lambda title, text: model().kind(title, text), kinds)
            if ids.get(event.id) != event
        ]
        with store.transaction() as conn:
            put_news_events(conn, fresh)
            told = {(i.source, i.native_id): i for i in items}
            put_claims(
                conn,
                [
                    (*key, claims(f"{told[key].title}. {told[key].summary}", told[key].published.date()))
                    for event in fresh
                    for key in event.items
                ],
            )
            set_checkpoint(conn, "explain", "news", digest)
        known = news_events(store, now - NEWS_SPAN, now)
    return known


def _story(
    work: _Pass, service: Service, alarms: Mapping[SeriesKey, Points], read: Heard, alarm: float
) -> _ServiceFindings | None:
    """Return a service's incidents as they stand now; nothing is written yet."""
    mine = [i for i in work.known.values() if i.service == service.id and not i.is_group]
    # as far back as this service's own story asks: what is long over elsewhere is not told anew
    since = _since(mine, work.through, work.late)
    levels = {
        key: kept
        for key, points in alarms.items()
        if key.service == service.id and key.is_total and (kept := [point for point in points if point[0] >= since])
    }
    intervals = spans(service.id, levels, read, work.now, alarm)
    updates = status_updates(work.store, service.page, since, work.now) if service.status_page else []
    provider_incidents = read_provider_incidents(updates, work.now)
    if not mine and not intervals and not provider_incidents:
        return None
    said = (
        deduplicate_clearances(reports(work.store, service.id, since, work.now))
        if intervals or provider_incidents
        else []
    )
    built, absorbed = build(
        service,
        intervals,
        provider_incidents,
        said,
        [k for k in mine if k.end is None or k.end >= since],
        work.now,
        quiet_to_close=work.config.alerts.quiet_to_close,
        levels=levels,
        articles=[event for event, _ in work.events if event.kind in ARTICLES],
    )
    accounted = {i.id for i in built} | set(absorbed)
    gone = [withdrawn(i) for i in mine if i.active and i.id not in accounted]
    return _ServiceFindings(
        service=service,
        built=[*built, *gone],
        absorbed=absorbed,
        intervals=intervals,
        provider_incidents=provider_incidents,
        reports=said,
    )


def _write_all(work: _Pass, told: Sequence[_ServiceFindings]) -> int:
    """Name what failures share, add what each incident is told with, and write; return how much changed."""
    fresh = {i.id: i for t in told for i in t.built}
    current = {**{k: i for k, i in work.known.items() if not i.is_group}, **fresh}
    known_groups = [i for i in work.known.values() if i.is_group and i.service in work.config.catalogue]
    changed = 0
    part_of: dict[str, str] = {}
    everyone = list(current.values())
    for group, members in groups(everyone, work.config.catalogue, work.now, known_groups):
        part_of |= dict.fromkeys(members, group.id)
        alone = _ServiceFindings(
            service=work.config.catalogue[group.service],
            built=[group],
            absorbed={},
            intervals=[],
            provider_incidents=[],
            reports=[],
        )
        # who watches a member hears of the group; one without members any more is closed to whom it was told
        hit = tuple(dict.fromkeys(current[m].service for m in members))
        watched = not members or bool(set(hit) & set(work.config.watched))
        changed += _write(work, alone, group, [], watched=watched, hit=hit)
    news = [(e.id, e.outlets, e.kind) for e, _ in work.events]
    for t in told:
        history = None
        for incident in t.built:
            incident = replace(incident, part_of=part_of.get(incident.id, ""))
            # what is over changes with the news around it, and for a day with charts and rivals: looked at once an hour
            state = hashlib.sha256(repr((incident, floor_to(work.now, 3600), news)).encode()).hexdigest()
            before = work.known.get(incident.id)
            settled = before is not None and not before.active and incident.id not in t.absorbed.values()
            long_over = incident.end is not None and work.now - incident.end >= LINK_FOR
            quiet = long_over or get_checkpoint(work.store, "explain", f"seen:{incident.id}") == state
            if not incident.active and settled and quiet:
                continue
            history = history or incident_history(work.store, t.service, t.built, work.now)
            lies = link_context(
                work.store,
                t.service,
                incident,
                history,
                t.provider_incidents,
                _failing(incident, everyone, work.now),
                [event for event, _ in work.events],
                work.now,
            )
            links = link(incident, t.service, work.events, lies, work.now)
            more = supplementary_evidence(
                work.store,
                work.config.catalogue,
                t.service,
                incident,
                links,
                lies.provider_incidents,
                everyone,
                known_outages(OUTAGES),
                press_comparisons(PRESS),
                work.now,
            )
            incident = replace(incident, evidence=in_order([*incident.evidence, *more]))
            watched = t.service.id in work.config.watched and not incident.part_of
            changed += _write(work, t, incident, links, watched=watched, note="" if incident.active else state)
    return changed


def _failing(incident: Incident, others: Sequence[Incident], now: datetime) -> list[str]:
    """Return which other services had an incident while this one lasted."""
    begin, end = incident.onset - timedelta(minutes=15), incident.end or now
    return sorted({i.service for i in others if i.onset <= end and (i.end or now) >= begin} - {incident.service})


def _write(
    work: _Pass,
    told: _ServiceFindings,
    incident: Incident,
    links: Sequence[Link],
    *,
    watched: bool,
    note: str = "",
    hit: tuple[str, ...] = (),
) -> int:
    store = work.store
    strongest = links
    links = sorted((replace(k, score=round(k.score, 3)) for k in links), key=lambda k: k.news_event)
    links_changed = sorted((row.link for row in links_of(store, incident.id)), key=lambda k: k.news_event) != links
    inputs = AlertInputs(
        service=told.service,
        reports=told.reports,
        intervals=told.intervals,
        links=[k for k in strongest if k.shown],
        events=work.events,
        hit=hit,
    )
    alerts = plan_alerts(store, work.config, work.telling, incident, inputs, work.now, eligible=watched)
    before = work.known.get(incident.id)
    absorbed = [old for old, by in told.absorbed.items() if by == incident.id]
    if before == incident and not links_changed and not alerts and not absorbed and not note:
        return 0
    with store.transaction() as conn:
        for old in absorbed:
            move_alerts(conn, old, incident.id)
            delete_incident(conn, old)
        if before != incident:
            put_incident(conn, incident)
        if links_changed:
            put_links(conn, incident.id, links)
        put_alerts(conn, alerts)
        if note:
            set_checkpoint(conn, "explain", f"seen:{incident.id}", note)
    return int(before != incident) + int(links_changed)


def _surge_due(store: Store, now: datetime) -> bool:
    """Return whether the watch for surges has not looked since the hour began: its signals are those of whole hours."""
    return (get_checkpoint(store, "explain", "surge") or "") < iso(floor_to(now, 3600))


def _surge(work: _Pass) -> int:
    """Look once an hour at who is about to be overrun; return how many advisories changed."""
    store, hour = work.store, floor_to(work.now, 3600)
    lasting = {a.service: a for a in advisories(store, lasting=True)}
    events = [event for event, _ in work.events]
    fresh: list[Advisory] = []
    loud: dict[str, str] = {}
    mine = incidents(store, hour - timedelta(days=1))
    # without posts, ranks and news nothing can stand out
    heard_of = bool(events or lasting) or anything_said(store, hour - SIGNALS)
    for name in work.config.watched if heard_of else ():
        before = lasting.get(name)
        last = get_checkpoint(store, "explain", f"surge:{name}")
        broken = any(i.service == name and i.active and any(e.by_crowd for e in i.episodes) for i in mine)
        lies = surge_inputs(store, work.config.catalogue[name], events, hour)
        after, stands_out = update_advisory(name, lies, before, utc(last) if last else None, hour, broken=broken)
        if stands_out:
            loud[f"surge:{name}"] = iso(hour)
        if after is not None and after != before:
            fresh.append(after)
    fresh += [replace(a, until=hour) for name, a in lasting.items() if name not in work.config.watched]
    with store.transaction() as conn:
        put_advisories(conn, fresh)
        if work.telling.since is not None:
            put_alerts(conn, advisory_rows(work.config, fresh, work.now, simulated=work.telling.simulated))
        for key, at in {**loud, "surge": iso(hour)}.items():
            set_checkpoint(conn, "explain", key, at)
    return len(fresh)
