"""Everything collected in a span, read back as records for a recording."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime

from pipeline.core.records import ChartRank, ComplaintCount, Record, Run
from pipeline.core.times import utc, utc_or_none
from pipeline.store import Store
from pipeline.store.observations import news_of, post_of, status_of


def _count(r: sqlite3.Row) -> ComplaintCount:
    return ComplaintCount(
        service=r["service"],
        source=r["source"],
        region=r["region"],
        indicator=r["indicator"],
        start=utc(r["start"]),
        interval_s=r["interval_s"],
        total=r["total"],
        baseline=r["baseline"],
        window=r["window"],
        collected=utc(r["collected"]),
    )


def _rank(r: sqlite3.Row) -> ChartRank:
    return ChartRank(
        store=r["store"],
        country=r["country"],
        chart=r["chart"],
        app=r["app"],
        rank=r["rank"],
        observed=utc(r["observed"]),
        collected=utc(r["collected"]),
    )


_TABLES: dict[str, tuple[str, str, Callable[[sqlite3.Row], Record]]] = {
    "posts": ("created", "created, source, native_id", post_of),
    "complaint_counts": ("start", "source, start, service, region, indicator, interval_s, window", _count),
    "news_items": ("published", "source, published, native_id", news_of),
    "status_updates": ("displayed_at", "page, displayed_at, incident_id, update_id", status_of),
    "chart_ranks": ("observed", "observed, store, country, chart, rank, app", _rank),
}


def collected_rows(store: Store, table: str, since: datetime, until: datetime) -> Iterator[Record]:
    """Yield a table's records from `since` on that were collected by `until`, in a fixed order."""
    column, order, read = _TABLES[table]
    sql = f"SELECT * FROM {table} WHERE {column} >= ? AND collected <= ? ORDER BY {order}"
    for row in store.conn.execute(sql, (since, until)):
        yield read(row)


def collect_runs(store: Store, since: datetime, until: datetime) -> list[Run]:
    """Return the runs of sources and imports in a span, oldest first."""
    rows = store.rows(
        "SELECT * FROM runs WHERE stage IN ('collect', 'import') AND started BETWEEN ? AND ? ORDER BY started, id",
        (since, until),
    )
    found = []
    for row in rows:
        begin, end = utc_or_none(row["covered_from"]), utc_or_none(row["covered_to"])
        covered = (begin, end) if begin and end else None
        found.append(
            Run(
                stage="collect",
                subject=row["subject"],
                started=utc(row["started"]),
                outcome=row["outcome"],
                seen=row["seen"],
                new=row["new"],
                rejected=row["rejected"],
                covered=covered,
                error=row["error"],
            )
        )
    return found
