"""Publish: write the report, atomically, so that a reader never sees half a page."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.config import MODELS, Config
from pipeline.errors import StoreError
from pipeline.model import Run
from pipeline.render.report import render
from pipeline.store import Store
from pipeline.store.collected import chart_ranks
from pipeline.store.judged import verdicts
from pipeline.store.outbox import alerts_of
from pipeline.store.runs import record_run
from pipeline.store.story import incidents, links_of
from pipeline.store.summary import blind_sources, counts_of_rows, evidence_posts
from pipeline.store.talk import advisories
from pipeline.text.classifier import doubts

SPAN = timedelta(days=7)


def run_publish(store: Store, config: Config, folder: Path, now: datetime, *, simulated: bool, note: str = "") -> Run:
    """Write `index.html` into a folder. Raises StoreError when it cannot be written."""
    found = [incident for incident in incidents(store) if incident.onset <= now]
    shown = sorted(found, key=lambda i: i.onset, reverse=True)[:12]
    series = {
        incident.id: verdicts(store, incident.onset - timedelta(hours=6), (incident.end or now) + timedelta(hours=3),
                              service=incident.service)
        for incident in shown
    }  # fmt: skip
    page = render(
        catalogue=config.catalogue, watched=config.watched, incidents=found, shown=shown, series=series,
        links={incident.id: links_of(store, incident.id) for incident in shown}, alerts=alerts_of(store),
        advisories=[a for a in advisories(store) if a.since <= now and (a.until is None or now - a.until < SPAN)],
        quotes={incident.id: evidence_posts(store, incident.id) for incident in shown},
        ranks=chart_ranks(store, [name for s in config.watched for name in config.catalogue[s].app_names], now - SPAN, now),
        rows=counts_of_rows(store), blind=blind_sources(store, now), zone=config.display_timezone, now=now,
        simulated=simulated, note=note,
        doubts=doubts(MODELS),
    )  # fmt: skip
    write_atomically(folder / "index.html", page)
    run = Run(stage="publish", subject=str(folder.name), started=now, outcome="ok", seen=len(found), new=0)
    record_run(store, run)
    return run


def write_atomically(path: Path, text: str) -> None:
    """Write a file beside its place, sync it, and move it there. Raises StoreError in one line."""
    fresh = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from error
