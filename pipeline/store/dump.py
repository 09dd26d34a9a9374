"""Everything collected in a span, read back as records for a recording."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime

from msgspec import structs

from pipeline.core.records import ChartRank, ComplaintCount, NewsItem, Post, Run
from pipeline.core.status_records import OfficialIncident, StatusUpdate
from pipeline.core.times import utc, utc_or_none
from pipeline.store import Store
from pipeline.store.counts import OF_SERIES, epoch, from_epoch
from pipeline.store.observations import news_of, post_of
from pipeline.store.official import incident_of, status_of


def _count(r: sqlite3.Row) -> ComplaintCount:
    return ComplaintCount(
        service=r["service"],
        source=r["source"],
        region=r["region"],
        indicator=r["indicator"],
        start=from_epoch(r["start"]),
        interval_s=r["interval_s"],
        total=r["total"],
        baseline=r["baseline"],
        window=r["window"],
        collected=from_epoch(r["collected"]),
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


def collected_posts(store: Store, since: datetime, until: datetime) -> Iterator[Post]:
    """Yield the posts created from `since` on that were collected by `until`, in a fixed order."""
    rows = store.conn.execute(
        "SELECT * FROM posts WHERE created >= ? AND collected <= ? ORDER BY created, source, native_id",
        (since, until),
    )
    return map(post_of, rows)


def collected_counts(store: Store, since: datetime, until: datetime) -> Iterator[ComplaintCount]:
    """Yield the complaint counts that start from `since` on that were collected by `until`, in a fixed order."""
    rows = store.conn.execute(
        f"SELECT * FROM {OF_SERIES} WHERE c.start >= ? AND c.collected <= ?"
        " ORDER BY source, start, service, region, indicator, interval_s, window",
        (epoch(since), epoch(until)),
    )
    return map(_count, rows)


def collected_news(store: Store, since: datetime, until: datetime) -> Iterator[NewsItem]:
    """Yield the news items published from `since` on that were collected by `until`, in a fixed order.

    Those of unknown time are taken by when they were collected.
    """
    rows = store.conn.execute(
        "SELECT * FROM news_items WHERE ifnull(published, collected) >= ? AND collected <= ?"
        " ORDER BY source, published, native_id",
        (since, until),
    )
    return map(news_of, rows)


def collected_updates(store: Store, since: datetime, until: datetime) -> Iterator[StatusUpdate]:
    """Yield the status updates posted from `since` on that were collected by `until`, in a fixed order."""
    rows = store.conn.execute(
        "SELECT * FROM status_updates WHERE displayed_at >= ? AND collected <= ? "
        "ORDER BY page, displayed_at, incident_id, update_id",
        (since, until),
    )
    return map(status_of, rows)


def collected_maintenance(store: Store, since: datetime, until: datetime) -> Iterator[OfficialIncident]:
    """Yield the planned maintenance that lasts beyond `since` and was announced by `until`, in a fixed order."""
    rows = store.conn.execute(
        "SELECT * FROM official_incidents WHERE scheduled_for IS NOT NULL AND collected <= ?"
        " AND ifnull(taken_back_at, '9999') > ? ORDER BY page, scheduled_for, incident_id",
        (until, until),
    )
    announced = map(incident_of, rows)
    return (row for row in announced if (span := row.maintenance_span) is not None and span.until > since)


def collected_withdrawals(store: Store, since: datetime, until: datetime) -> Iterator[OfficialIncident]:
    """Yield the incidents that their page took back in a span, in a fixed order, `taken_back_at` with them."""
    rows = store.conn.execute(
        "SELECT * FROM official_incidents WHERE taken_back_at BETWEEN ? AND ?"
        " ORDER BY page, taken_back_at, incident_id",
        (since, until),
    )
    return (structs.replace(incident_of(row), taken_back_at=utc(row["taken_back_at"])) for row in rows)


def collected_ranks(store: Store, since: datetime, until: datetime) -> Iterator[ChartRank]:
    """Yield the chart ranks observed from `since` on that were collected by `until`, in a fixed order."""
    rows = store.conn.execute(
        "SELECT * FROM chart_ranks WHERE observed >= ? AND collected <= ? "
        "ORDER BY observed, store, country, chart, rank, app",
        (since, until),
    )
    return map(_rank, rows)


def collect_runs(store: Store, since: datetime, until: datetime) -> list[Run]:
    """Return the runs of sources and imports in a span, oldest first."""
    runs = store.rows(
        "SELECT * FROM runs WHERE stage IN ('collect', 'import') AND started BETWEEN ? AND ? ORDER BY started, id",
        (since, until),
    )
    records = []
    for row in runs:
        begin, end = utc_or_none(row["covered_from"]), utc_or_none(row["covered_to"])
        covered = (begin, end) if begin and end else None
        records.append(
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
    return records
