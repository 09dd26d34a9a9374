"""Publish: write the report, the feed, and availability by month.

Each page is written atomically, so that a reader never sees half a page.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.config.load import Config
from pipeline.config.paths import DASHBOARDS, MODELS
from pipeline.core.catalogue import Service
from pipeline.core.files import write_atomically
from pipeline.core.records import NewsItem, Run
from pipeline.core.series import SeriesKey, VerdictPoint
from pipeline.core.times import floor_to, iso
from pipeline.render.atom import atom
from pipeline.render.formatting import file_of
from pipeline.render.report import ReportContext, gone_page, incident_page, index_page, service_page
from pipeline.reports.planned_maintenance import announcements
from pipeline.reports.reliability import put_availability
from pipeline.store import Store
from pipeline.store.activity import advisories, heard_since, last_read
from pipeline.store.availability import availability_of
from pipeline.store.incidents import incidents
from pipeline.store.news import links_of
from pipeline.store.observations import chart_ranks, news_of_unknown_time
from pipeline.store.outbox import alerts_of
from pipeline.store.runs import checkpoints, delete_checkpoints, get_checkpoint, record_run, set_checkpoint
from pipeline.store.summary import blind_sources, counts_of_rows, evidence_posts
from pipeline.store.verdicts import verdicts
from pipeline.text.models.outage import model_problems
from pipeline.text.services import ServiceMatcher

MANY_ROWS = 1_000_000
SPAN = timedelta(days=7)
SETTLED = timedelta(days=4)  # after that an incident's page does not change any more
LEARNING = timedelta(days=14)


def run_publish(store: Store, config: Config, folder: Path, now: datetime, *, simulated: bool, note: str = "") -> Run:
    """Write `index.html`, a page for each service and each incident, and the feed. Raises StoreError when it cannot."""
    found = [incident for incident in incidents(store) if incident.onset <= now]
    context = ReportContext(
        catalogue=config.catalogue,
        watched=config.watched,
        incidents=found,
        alerts=alerts_of(store),
        zone=config.display_timezone,
        now=now,
        simulated=simulated,
        note=note,
        read={},
    )
    context = replace(context, read={name: last_read(store, name) for name in context.services})
    _availability(store, config, now)
    learning = {name: _learning(store, config.catalogue[name], now) for name in context.services}
    again = {key.removeprefix("again:") for key in checkpoints(store, "publish") if key.startswith("again:")}
    noted, look = set(again), _look(config)
    if get_checkpoint(store, "publish", "look") != look:
        again = {incident.id for incident in found}
    pages = {
        "index.html": index_page(
            context,
            learning=learning,
            advisories=[a for a in advisories(store) if a.since <= now and (a.until is None or now - a.until < SPAN)],
            ranks=chart_ranks(
                store, [name for s in config.watched for name in config.catalogue[s].app_names], now - SPAN, now
            ),
            rows=_rows(store, now),
            blind=blind_sources(store, now),
            doubts=model_problems(MODELS),
        ),
        "incidents.xml": atom(
            [i for i in found if i.service in config.catalogue], config.catalogue, now, simulated=simulated
        ),
    }
    undated = _undated_news(store, config, now)
    for name in context.services:
        months = availability_of(store, name, 48)
        pages[file_of("service", name)] = service_page(
            context,
            config.catalogue[name],
            learning=learning[name],
            takes=_takes(store, name, now),
            months=months,
            undated=undated.get(name, ()),
            maintenance=announcements(store, config.catalogue[name], now),
        )
    for incident in found:
        file = file_of("incident", incident.id)
        settled = (
            incident.end is not None
            and now - incident.end > SETTLED
            and (folder / file).exists()
            and incident.id not in again
        )
        if incident.service in config.catalogue and not settled:
            series = verdicts(
                store,
                incident.onset - timedelta(hours=6),
                (incident.end or now) + timedelta(hours=3),
                service=incident.service,
            )
            pages[file] = incident_page(
                context,
                incident,
                series=series,
                links=links_of(store, incident.id),
                quotes=evidence_posts(store, incident.id),
            )
    known = {file_of("incident", incident.id) for incident in found}
    pages |= {path.name: gone_page(context) for path in folder.glob("incident-*.html") if path.name not in known}
    for file, text in pages.items():
        write_atomically(folder / file, text)
    if again:
        with store.transaction() as conn:
            delete_checkpoints(conn, "publish", [f"again:{incident}" for incident in noted])
            set_checkpoint(conn, "publish", "look", look)
    run = Run(stage="publish", subject=str(folder.name), started=now, outcome="ok", seen=len(found), new=0)
    record_run(store, run)
    return run


def _rows(store: Store, now: datetime) -> dict[str, int]:
    """Return how many rows the tables hold.

    They are counted once an hour, or once a day where they are many: counting reads them all.
    """
    at, _, counted = (get_checkpoint(store, "publish", "rows") or "").partition("Z")
    if counted:
        found: dict[str, int] = json.loads(counted)
        if iso(now) >= at + "Z" >= iso(floor_to(now, 3600 if sum(found.values()) < MANY_ROWS else 86400)):
            return found
    found = counts_of_rows(store)
    with store.transaction() as conn:
        set_checkpoint(conn, "publish", "rows", iso(now) + json.dumps(found))
    return found


def _undated_news(store: Store, config: Config, now: datetime) -> Mapping[str, Sequence[NewsItem]]:
    """Return the last days' news items of unknown time by the services they name, latest first."""
    items = news_of_unknown_time(store, now - SPAN, now)
    if not items:
        return {}
    matcher, found = ServiceMatcher(config.catalogue), defaultdict[str, list[NewsItem]](list)
    for item in reversed(items):
        for service in matcher.entities(f"{item.title}. {item.summary}"):
            found[service].append(item)
    return found


def _look(config: Config) -> str:
    """Return what all pages depend on beside their rows: templates and the reader's zone."""
    texts = [path.read_bytes() for path in sorted((DASHBOARDS / "templates").glob("*.html"))]
    return hashlib.sha256(b"\0".join([config.display_timezone.encode(), *texts])).hexdigest()[:16]


def _availability(store: Store, config: Config, now: datetime) -> None:
    hour = iso(floor_to(now, 3600))
    if get_checkpoint(store, "publish", "availability") != hour:
        put_availability(store, config.catalogue, now)
        with store.transaction() as conn:
            set_checkpoint(conn, "publish", "availability", hour)


def _learning(store: Store, service: Service, now: datetime) -> str:
    """Return how far a service's rhythm is learned and what can be seen meanwhile, empty once it is."""
    since = heard_since(store, service.id)
    if since is None:
        return "no counts and no posts about it were read yet"
    if now - since >= LEARNING:
        return ""
    limits = [
        f"{newest.upperbound:.0f} {'complaints' if key.channel == 'complaints' else f'reports on {key.source}'}"
        f" in {key.bin_s // 60} min"
        for key, newest in _newest(store, service.id, now)
    ]
    sees = f"; can see only outages above {' or '.join(limits)}" if limits else ""
    return f"learning: {(now - since) // timedelta(days=1)} of {LEARNING.days} days{sees}"


def _takes(store: Store, service: str, now: datetime) -> list[str]:
    """Return in words how many complaints stand out now, by the newest judged bin of each total."""
    return [
        f"{key.source}: {newest.expected:.1f} complaints in {key.bin_s // 60} min are usual at"
        f" {newest.start:%H:%M} UTC; more than {newest.upperbound:.0f} stand out"
        for key, newest in _newest(store, service, now)
        if key.channel == "complaints"
    ]


def _newest(store: Store, service: str, now: datetime) -> list[tuple[SeriesKey, VerdictPoint]]:
    """Return the newest judged bin of each total whose upper bound is known."""
    found = []
    judged = verdicts(store, now - timedelta(hours=6), now, service=service)
    for key, points in sorted(judged.items(), key=lambda pair: str(pair[0])):
        known = [point for point in points if not math.isnan(point.upperbound)]
        if known and key.is_total:
            found.append((key, known[-1]))
    return found
