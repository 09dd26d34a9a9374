"""Reads one file of a recorded day as the batch of rows that a source would have brought."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from msgspec import structs

from pipeline.core.catalogue import Catalogue
from pipeline.core.errors import SourceError
from pipeline.core.records import Batch, NewsItem, Post
from pipeline.replay.provenance import (
    parse_items,
    parse_official,
)
from pipeline.sources import charts, counts, feed
from pipeline.sources.archive import read_archive
from pipeline.sources.count_columns import parse_count_columns
from pipeline.sources.delimited import read_capped
from pipeline.sources.status import statuspage_json
from pipeline.sources.status.reader import Answer, PageContext


def read_recorded_file(kind: str, path: Path, name: str, end: datetime, salt: bytes, catalogue: Catalogue) -> Batch:
    """Read one file of a scenario; raises SourceError that names it."""
    if kind == "posts":
        return _joined(list(read_archive(path, source="reddit", fetched_at=end, salt=salt)))
    body = read_capped(path)
    if kind == "complaints":
        clean = parse_count_columns(body, source="complaints", fetched_at=end)
        if clean is not None:
            return clean
        return counts.parse_counts(body, source="complaints", fetched_at=end, name=name)
    if kind == "feeds" and path.suffix == ".ndjson":
        return parse_items(body, fetched_at=end, name=name)
    if kind == "feeds":
        return _placed(_named_by_content(feed.parse_feed(body, source=name, fetched_at=end)), name)
    if kind == "charts":
        return charts.parse_charts(body, source="charts", fetched_at=end, name=name)
    if path.suffix == ".ndjson":
        return parse_official(body, fetched_at=end, name=name)
    try:
        return _placed(_recorded_page(body, path.stem, end, catalogue), name)
    except SourceError as error:
        # a page is read under its own name, which is not the file's
        raise SourceError(str(error), source=str(path), reason=error.reason) from error


def _recorded_page(body: bytes, name: str, end: datetime, catalogue: Catalogue) -> Batch:
    """Read a recorded incidents.json; its rows belong to the page it names, or to the file's name where it names none.

    What it says of an incident as a whole is left out: it is what was known at the end of the recording.
    """
    page = statuspage_json.host_without_www(statuspage_json.page_address(body)) or name
    service = catalogue.get(name)
    if service is not None and service.page.startswith(f"{page}/"):
        context = PageContext(
            page=service.page, source=name, fetched_at=end, components=tuple(service.status_components)
        )
    else:
        context = PageContext(page=page, source=name, fetched_at=end)
    reading = statuspage_json.read(Answer(body=body), context)
    outcome = "ok" if reading.updates else "empty"
    return Batch(source=name, rows=reading.updates, rejected=reading.rejected, outcome=outcome)


def _joined(batches: list[Batch]) -> Batch:
    """Return the pieces of a file as one batch."""
    rows = {(row.source, row.native_id): row for batch in batches for row in batch.rows if isinstance(row, Post)}
    bad = tuple(bad for batch in batches for bad in batch.rejected)
    return Batch(source="reddit", rows=tuple(rows.values()), rejected=bad, outcome="ok" if rows else "empty")


def _placed(batch: Batch, name: str) -> Batch:
    """Say of each refused row which file it lies in."""
    rejected = tuple(structs.replace(bad, where=f"{name}: {bad.where}") for bad in batch.rejected)
    return structs.replace(batch, rejected=rejected)


def _named_by_content(batch: Batch) -> Batch:
    """Name items by what they say, not by the file they lie in: a file cut in two gives the same rows."""
    rows = tuple(structs.replace(row, source="feeds") for row in batch.rows if isinstance(row, NewsItem))
    return structs.replace(batch, source="feeds", rows=rows)
