"""Explain: build incidents from alarms and official updates, link them to news, write what is worth telling.

Incidents, their parts, links and the outbox rows that tell of them go into one transaction a service. What is
unchanged is not written, so running it again changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from detectors import DETECTORS
from detectors.events import find_events
from pipeline.config import Config
from pipeline.facts import Points, facts, subject
from pipeline.findings import Incident, Interval, Link, NewsEvent, SeriesKey
from pipeline.model import Alert, Run, Service
from pipeline.store import Store
from pipeline.store.collected import news_items, pages_between, status_updates
from pipeline.store.judged import verdicts
from pipeline.store.outbox import alerts_of, move_alerts, put_alerts
from pipeline.store.runs import put_stage_note, record_run, stage_note
from pipeline.store.story import (
    anything_to_explain,
    delete_incident,
    incidents,
    links_of,
    news_events,
    put_claims,
    put_incident,
    put_links,
    put_news_events,
    reports,
)
from pipeline.story.episodes import STORY_GAP, officials
from pipeline.story.incidents import build
from pipeline.story.links import link
from pipeline.text.claims import claims
from pipeline.text.kinds import NewsModel
from pipeline.text.news import fold_items
from pipeline.text.services import ServiceMatcher
from pipeline.times import iso, utc
from pipeline.transitions import Rules, decide, next_gap

LOOK_BACK = timedelta(hours=6)
NEWS_SPAN = timedelta(days=10)
LINK_FOR = timedelta(days=3)
QUIET = timedelta(minutes=45)
ONSET_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Whether and how findings become alerts; `since` None stores and learns without telling anybody."""

    since: datetime | None
    channels: Sequence[str]
    simulated: bool = False


def run_explain(
    store: Store, config: Config, matcher: ServiceMatcher, news_model: NewsModel, telling: Telling, now: datetime
) -> Run:
    """Bring the story up to date; the run counts rows considered (seen) and incidents and links changed (new)."""
    through = stage_note(store, "explain", "through")
    # rows of the past that came later are explained from where the story stands, not from where they lie
    now = max(now, utc(through)) if through else now
    if through and not anything_to_explain(store, utc(through)):
        return _done(store, now, seen=1, new=0)
    events = _news(store, matcher, news_model, now)
    known = incidents(store, now - LOOK_BACK - LINK_FOR)
    since = _since(known, utc(through) if through else None)
    if through and (stage_note(store, "detect", "alarmed") or "") > through:
        since = min(since, utc(str(stage_note(store, "detect", "alarmed_bin"))) - timedelta(hours=2))
    alarm = float(DETECTORS[config.detector.name](**config.detector.params).alarm)
    alarms = verdicts(store, since, now, minimum=alarm)
    seen = sum(len(points) for points in alarms.values()) + len(events)
    new = 0
    pages = pages_between(store, since, now)
    stirred = {key.service for key in alarms} | {i.service for i in known}
    stirred |= {s.id for s in config.catalogue.values() if s.status_page and _page(s) in pages}
    for service in (config.catalogue[name] for name in sorted(stirred & set(config.catalogue))):
        new += _explain_service(store, config, service, alarms, alarm, known, events, telling, since, now)
    return _done(store, now, seen=max(1, seen), new=new)


def _done(store: Store, now: datetime, *, seen: int, new: int) -> Run:
    with store.transaction() as conn:
        put_stage_note(conn, "explain", "through", iso(now))
    run = Run(stage="explain", subject="incidents", started=now, outcome="ok", seen=seen, new=new)
    record_run(store, run)
    return run


def _since(known: Sequence[Incident], through: datetime | None) -> datetime:
    """Return from when rows matter: six hours back, and never into the middle of an incident."""
    if through is None:
        return datetime.fromisoformat("2000-01-01T00:00:00Z")
    since = through - LOOK_BACK
    for incident in sorted(known, key=lambda i: i.onset, reverse=True):
        if (incident.end is None or incident.end + STORY_GAP >= since) and incident.onset - timedelta(hours=2) < since:
            since = incident.onset - timedelta(hours=2)
    return since


def _news(store: Store, matcher: ServiceMatcher, model: NewsModel, now: datetime) -> list[tuple[NewsEvent, str]]:
    """Fold new items into events when any came; return the events of the last days with their text."""
    items = news_items(store, now - NEWS_SPAN, now)
    digest = hashlib.sha256(json.dumps([(i.source, i.native_id, i.title) for i in items]).encode()).hexdigest()
    known = news_events(store, now - NEWS_SPAN, now)
    if stage_note(store, "explain", "news") != digest:
        ids = {event.id: event for event, _ in known}
        kinds = {event.id: event.kind for event, _ in known}
        fresh = [event for event in fold_items(items, matcher, model.kind, kinds) if ids.get(event.id) != event]
        with store.transaction() as conn:
            put_news_events(conn, fresh)
            told = {(i.source, i.native_id): i for i in items}
            put_claims(conn, [
                (*key, claims(f"{told[key].title}. {told[key].summary}", told[key].published.date()))
                for event in fresh for key in event.items
            ])  # fmt: skip
            put_stage_note(conn, "explain", "news", digest)
        known = news_events(store, now - NEWS_SPAN, now)
    return known


def _intervals(service: Service, alarms: Mapping[SeriesKey, Points], now: datetime, alarm: float) -> list[Interval]:
    """Return the spans in which the service's totals were above what was expected."""
    found = []
    for key, points in sorted(alarms.items(), key=lambda pair: str(pair[0])):
        if key.service != service.id or key.indicator or key.region:
            continue
        first = int(points[0][0].timestamp())
        size = (int(now.timestamp()) - first) // key.bin_s + 1
        observed, expected, score = np.zeros(size), np.full(size, np.nan), np.zeros(size)
        level = {int(start.timestamp() - first) // key.bin_s: row for start, *row in points}
        for slot, (x, m, _, s, _) in level.items():
            observed[slot], expected[slot], score[slot] = x, m, s
        if key.channel == "complaints":
            observed[max(level) + 1 :] = np.nan
        _carry(expected)
        events = find_events(
            observed, expected, score, alarm=alarm, quiet_bins=max(2, int(QUIET.total_seconds()) // key.bin_s),
            look_back=int(ONSET_WITHIN.total_seconds()) // key.bin_s,
        )  # fmt: skip

        def moment(slot: int, first: int = first, width: int = key.bin_s) -> datetime:
            return datetime.fromtimestamp(first + slot * width, tz=now.tzinfo)

        for event in events:
            found.append(Interval(
                series=key, onset=moment(event.onset), alarmed_at=moment(event.alarmed + 1), peak=moment(event.peak),
                end=None if event.quiet is None else moment(event.quiet), last_alarm=moment(event.last + 1),
                score=round(event.score, 1), observed_peak=float(observed[event.peak]),
                expected_peak=float(expected[event.peak]),
                expected_total=round(float(np.nansum(expected[event.onset : event.last + 1])), 1),
            ))  # fmt: skip
    return found


def _carry(expected: np.ndarray[Any, Any]) -> None:
    """Fill bins whose expectation was not kept with the one before (the one after, at the beginning)."""
    known = np.flatnonzero(~np.isnan(expected))
    if len(known):
        place = np.maximum.accumulate(np.where(~np.isnan(expected), np.arange(len(expected)), 0))
        expected[:] = expected[place]
        expected[: known[0]] = expected[known[0]]


def _explain_service(
    store: Store, config: Config, service: Service, alarms: Mapping[SeriesKey, Points], alarm: float,
    known: Sequence[Incident],
    events: Sequence[tuple[NewsEvent, str]], telling: Telling, since: datetime, now: datetime,
) -> int:  # fmt: skip
    mine = [incident for incident in known if incident.service == service.id]
    intervals = _intervals(service, alarms, now, alarm)
    notices = officials(status_updates(store, _page(service), since, now)) if service.status_page else []
    if not mine and not intervals and not notices:
        return 0
    said = reports(store, service.id, since, now) if intervals or notices else []
    built, absorbed = build(
        service, intervals, notices, said, [k for k in mine if k.end is None or k.end >= since], now,
        quiet_to_close=config.alerts.quiet_to_close,
        levels={key: points for key, points in alarms.items() if key.service == service.id and not key.indicator and not key.region},
        articles=[event for event, _ in events if event.kind in ("service_outage", "outage_followup")],
    )  # fmt: skip
    # an incident of ours that the page also names counts once, by its notice
    unseen = {i.onset for i in [*mine, *built] if i.official_first_at is None}
    history = sorted(unseen | {n.posted for n in notices} | set(_earlier(store, service, now)))
    changed = 0
    before = {incident.id: incident for incident in mine}
    for incident in built:
        recent = incident.end is None or now - incident.end < LINK_FOR
        if before.get(incident.id) == incident and not recent:
            continue
        inside = [n for n in notices if incident.onset - timedelta(hours=3) <= n.posted <= (incident.end or now)]
        links = link(incident, service, events, [h for h in history if h < incident.onset], inside, now)
        changed += _write(store, config, service, incident, before.get(incident.id), links, absorbed, intervals, said,
                          events, telling, now)  # fmt: skip
    return changed


def _page(service: Service) -> str:
    return service.status_page.split("//")[-1].split("/")[0].removeprefix("www.")


def _earlier(store: Store, service: Service, now: datetime) -> list[datetime]:
    """Return when the provider posted incidents in the last ten days: the base rate a link is held against."""
    updates = status_updates(store, _page(service), now - NEWS_SPAN, now) if service.status_page else []
    return [notice.posted for notice in officials(updates)]


def _write(
    store: Store, config: Config, service: Service, incident: Incident, before: Incident | None, links: Sequence[Link],
    absorbed: Sequence[str], intervals: Sequence[Interval],
    said: Sequence[Mapping[str, Any]], events: Sequence[tuple[NewsEvent, str]], telling: Telling, now: datetime,
) -> int:  # fmt: skip
    rows = [{"relation": k.relation, "news_event": k.news_event, "score": round(k.score, 3),
             "evidence_for": list(k.evidence_for), "evidence_against": list(k.evidence_against)} for k in links]  # fmt: skip
    keys = ("relation", "news_event", "score", "evidence_for", "evidence_against")
    stored = sorted(
        ({k: row[k] for k in keys} for row in links_of(store, incident.id)), key=lambda r: str(r["news_event"])
    )
    links_changed = stored != sorted(rows, key=lambda r: str(r["news_event"]))
    alerts = _alerts(store, config, service, incident, rows, intervals, said, events, telling, now)
    if before == incident and not links_changed and not alerts and not absorbed:
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
    return int(before != incident) + int(links_changed)


def _alerts(
    store: Store, config: Config, service: Service, incident: Incident, links: Sequence[Mapping[str, Any]],
    intervals: Sequence[Interval], said: Sequence[Mapping[str, Any]],
    events: Sequence[tuple[NewsEvent, str]], telling: Telling, now: datetime,
) -> list[Alert]:  # fmt: skip
    if telling.since is None or service.id not in config.watched or not telling.channels:
        return []
    first = telling.channels[0]
    told = [alert for alert in alerts_of(store, incident.id) if alert.channel == first]
    rules = Rules(from_state=config.alerts.from_state, min_gap=config.alerts.min_gap, max_gap=config.alerts.max_gap,
                  alerting_since=telling.since)  # fmt: skip
    transition = decide(incident, told, rules, now)
    if transition is None:
        return []
    news = {event.id: (event.title, iso(event.first_seen), len(event.outlets)) for event, _ in events}
    mine = [i for i in intervals if i.span_end(now) >= incident.onset]
    series = verdicts(store, incident.onset - timedelta(hours=4), now, service=service.id)
    facts_now = facts(
        incident, service, transition, said, mine, series, links, news, now,
        next_after=now + next_gap(len(told) + 1, rules), simulated=telling.simulated,
    )  # fmt: skip
    found = []
    for channel in telling.channels:
        digest = hashlib.sha256(f"{incident.id}\0{transition}\0{len(told)}\0{channel}".encode()).hexdigest()[:24]
        found.append(Alert(
            message_id=f"<{digest}@groundswell>", incident=incident.id, service=service.id, transition=transition,
            channel=channel, created=now, due_at=now, subject=subject(facts_now), facts=facts_now,
        ))  # fmt: skip
    return found
