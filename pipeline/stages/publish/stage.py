"""Publish: write the report, its feeds and status files, metrics, and availability by month.

Only files whose facts changed are written, each atomically, so that a reader never sees half a page.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import structs

from pipeline.config.paths import MODELS
from pipeline.config.settings import Config
from pipeline.core.catalogue import Service
from pipeline.core.errors import StoreError
from pipeline.core.names import file_stem
from pipeline.core.records import Run
from pipeline.core.times import floor_to, iso
from pipeline.core.vocabulary import RunOutcome
from pipeline.render.feeds import atom, json_feed
from pipeline.render.formatting import file_of, local
from pipeline.render.incident_card import incident_card
from pipeline.render.report import (
    LISTED,
    IndexFacts,
    ReportContext,
    advisory_rows,
    app_places,
    digest_of,
    fresh_sources,
    gone_page,
    incident_page,
    incident_rows,
    index_page,
    service_page,
    tile,
)
from pipeline.render.report_rows import ServiceTile
from pipeline.render.status_json import status_files
from pipeline.render.tiles import SPARK_SPAN, SPARK_STEP
from pipeline.reports.reliability import put_availability
from pipeline.stages.publish.facts import feed_of, incident_context, metrics_of, run_metrics
from pipeline.stages.publish.metrics import write_metrics
from pipeline.stages.publish.service_facts import ServiceInputs, learning_of, service_card, service_inputs
from pipeline.stages.publish.writer import ReportWriter
from pipeline.store import Store
from pipeline.store.advisories import advisories
from pipeline.store.freshness import freshness
from pipeline.store.incidents import incidents
from pipeline.store.isolation import Isolation
from pipeline.store.observation_times import last_read, reported_since
from pipeline.store.observations import chart_ranks
from pipeline.store.report_data import counts_by_step, incident_heads
from pipeline.store.runs import checkpoints, delete_checkpoints, get_checkpoint, record_run, set_checkpoint
from pipeline.store.summary import blind_sources, counts_of_rows
from pipeline.text.models.checks import model_problems

logger = logging.getLogger(__name__)
MANY_ROWS = 1_000_000
SPAN, DAY = timedelta(days=7), timedelta(days=1)
SETTLED = timedelta(days=4)  # after that an incident's page does not change any more


def run_publish(store: Store, config: Config, folder: Path, now: datetime, *, simulated: bool, note: str = "") -> Run:
    """Write `index.html`, a page for each service and each incident, and the feeds. Raises StoreError when it cannot.

    The run's `seen` counts incidents, its `new` the files that were written.
    """
    _availability(store, config, now)
    all_heads = incident_heads(store, now)
    heads = [head for head in all_heads if head.service in config.catalogue]
    context = ReportContext(
        catalogue=config.catalogue,
        watched=config.watched,
        heads=heads,
        sentences={},
        counts=counts_by_step(store, now - SPARK_SPAN - timedelta(seconds=SPARK_STEP), now, SPARK_STEP),
        read={},
        since={},
        learning={},
        zone=config.display_timezone,
        now=now,
        simulated=simulated,
        note=note,
        public_url=config.report.public_url,
        language=config.alerts.language,
    )
    context = structs.replace(
        context,
        read={name: last_read(store, name) for name in context.services},
        since={name: reported_since(store, name) for name in context.services},
    )
    context = structs.replace(
        context, learning={n: learning_of(store, n, context.since[n], now) for n in context.services}
    )
    writer, isolation = ReportWriter(folder), Isolation(store)
    context = structs.replace(context, sentences=_incident_pages(store, context, writer, isolation))
    known = {file_of("incident", head.id) for head in all_heads}
    for path in folder.glob("incident-*.html"):
        if path.name not in known:
            writer.page(path.name, "gone", gone_page(context))
    tiles: dict[str, ServiceTile] = {}
    for name in context.services:
        with isolation.of(name):
            tiles[name] = tile(context, name)
    inputs = service_inputs(store, config, context)
    for name, shown in tiles.items():
        with isolation.of(name):
            _write_service(context, inputs, config.catalogue[name], shown, writer)
    well = [head for head in heads if not isolation.failed & {head.id, head.service}]
    newest = sorted(well, key=lambda head: (head.onset, head.id), reverse=True)
    ranks = chart_ranks(store, [a for s in config.watched for a in config.catalogue[s].app_names], now - SPAN, now)
    facts = IndexFacts(
        tiles=list(tiles.values()),
        listed=incident_rows(context, newest[:LISTED]),
        total=len(heads),
        advisories=advisory_rows(
            context, [a for a in advisories(store) if a.since <= now and (a.until is None or now - a.until < SPAN)]
        ),
        ranks=app_places(ranks, context.zone),
        rows=_rows(store, now),
        fresh=fresh_sources(freshness(store, now - DAY, now)),
        blind=[
            b._replace(since=local(b.since, context.zone) if b.since else "never") for b in blind_sources(store, now)
        ],
        doubts=model_problems(MODELS),
    )
    digest = digest_of(facts, *_everywhere(context), iso(now))
    writer.page("index.html", digest, index_page(context, facts, digest))
    feed = feed_of(context, newest)
    writer.data("incidents.xml", atom(feed))
    writer.data("incidents.json", json_feed(feed))
    trouble = ""
    if config.report.metrics:
        try:
            write_metrics(Path(config.report.metrics), metrics_of(store, context), run_metrics(store, now))
        except (StoreError, ModuleNotFoundError) as error:  # the report stands without it
            trouble = f"the metrics were not written: {error}"
            logger.warning("%s", trouble)
    trouble = "; ".join(filter(None, (trouble, isolation.error)))
    run = Run(
        stage="publish",
        subject=str(folder.name),
        started=now,
        outcome=RunOutcome.ERROR if trouble else RunOutcome.OK,
        seen=len(heads),
        new=writer.written,
        error=trouble,
    )
    record_run(store, run)
    return run


def _everywhere(context: ReportContext) -> tuple[str, ...]:
    """Return what all pages depend on beside their own facts."""
    return context.zone, context.note, str(context.simulated), context.public_url


def _incident_pages(store: Store, context: ReportContext, writer: ReportWriter, isolation: Isolation) -> dict[str, str]:
    """Write the pages of incidents that may have changed; return the sentences of those that are active.

    A page of an incident that is long over is made again where it is missing, was made by other templates, or where
    something of its story came in late.
    """
    again = {key.removeprefix("again:") for key in checkpoints(store, "publish") if key.startswith("again:")}
    now = context.now
    settings = digest_of(*_everywhere(context))[:16]
    all_again = get_checkpoint(store, "publish", "look") != settings
    changing = {
        head.id
        for head in context.heads
        if all_again
        or head.end is None
        or now - head.end <= SETTLED
        or head.id in again
        or not writer.digest_of(file_of("incident", head.id))
    }
    sentences = {}
    for incident in incidents(store, ids=changing):
        with isolation.of(incident.id):
            card = incident_card(incident_context(store, context, incident))
            digest, file = digest_of(card, *_everywhere(context)), file_of("incident", incident.id)
            if writer.digest_of(file) != digest:
                writer.page(file, digest, incident_page(context, card, digest))
            if incident.active:
                sentences[incident.id] = card.sentence
    if again or all_again:
        with store.transaction() as conn:
            delete_checkpoints(conn, "publish", [f"again:{incident}" for incident in again])
            set_checkpoint(conn, "publish", "look", settings)
    return sentences


def _write_service(
    context: ReportContext, inputs: ServiceInputs, service: Service, shown: ServiceTile, writer: ReportWriter
) -> None:
    """Write a service's page, feeds and status files; the page comes last, since its digest stands for all.

    A service of which nothing was read lately has no status files.
    """
    own = context.by_service.get(service.id, [])
    card, file = service_card(context, inputs, service), file_of("service", service.id)
    digest = digest_of(shown, card, own[:LISTED], *_everywhere(context))
    folder = f"service-{file_stem(service.id)}/api/v2"
    is_whole = shown.unknown or (writer.folder / folder / "summary.json").exists()
    if writer.digest_of(file) == digest and is_whole:
        return
    feed = feed_of(context, own, service)
    writer.data(f"{feed.file}.xml", atom(feed))
    writer.data(f"{feed.file}.json", json_feed(feed))
    for path, text in status_files(service, own, context.public_url, context.since.get(service.id)).items():
        if shown.unknown:  # Statuspage has no word for it, and "operational" would be untrue
            writer.remove(f"{folder}/{path}")
        else:
            writer.data(f"{folder}/{path}", text)
    writer.page(file, digest, service_page(context, shown, card, digest))


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


def _availability(store: Store, config: Config, now: datetime) -> None:
    hour = iso(floor_to(now, 3600))
    if get_checkpoint(store, "publish", "availability") != hour:
        put_availability(store, config.catalogue, now)
        with store.transaction() as conn:
            set_checkpoint(conn, "publish", "availability", hour)
