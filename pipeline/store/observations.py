"""What the sources said: posts, news, counts, chart ranks; official.py keeps what status pages say."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from pipeline.core.records import Batch, ChartRank, ComplaintCount, ExternalStatus, NewsItem, Post
from pipeline.core.times import utc, utc_or_none
from pipeline.store import Store
from pipeline.store.counts import count_key, from_epoch, put_columns, put_counts
from pipeline.store.kept_rows import SECOND
from pipeline.store.official import save_official
from pipeline.store.runs import cover, quarantine, save_source_state

_POST = """INSERT INTO posts (source, native_id, kind, community, author_key, author_created, created, collected,
 edited, deleted, parent_id, title, text, url) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)
 ON CONFLICT (source, native_id) DO UPDATE SET title=excluded.title, text=excluded.text, edited=excluded.edited,
 deleted=excluded.deleted, author_key=iif(excluded.deleted, '', author_key), url=iif(excluded.deleted, '', url),
 tagged_by=NULL
 WHERE deleted=0 AND (excluded.deleted=1 OR ((excluded.title, excluded.text) != (title, text)
 AND ifnull(excluded.edited, '') >= ifnull(edited, '')))"""
_NEWS = """INSERT INTO news_items (source, native_id, outlet, published, collected, title, summary, url)
 VALUES (?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET title=excluded.title, summary=excluded.summary,
 published=ifnull(published, excluded.published) WHERE (excluded.title, excluded.summary) != (title, summary)
 OR (published IS NULL AND excluded.published IS NOT NULL)"""
_REVISION = """INSERT OR IGNORE INTO item_revisions SELECT source, native_id, ?, title, summary FROM news_items
 WHERE source=? AND native_id=? AND (title, summary) != (?, ?)"""
_OUTSIDE = "INSERT INTO outside_verdicts VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING"
_RANK = "INSERT INTO chart_ranks VALUES (?,?,?,?,?,?,?) ON CONFLICT DO NOTHING"


def _post_row(p: Post) -> tuple[object, ...]:
    return (
        p.source,
        p.native_id,
        p.kind,
        p.community,
        p.author_key,
        p.author_created,
        p.created,
        p.collected,
        p.edited,
        int(p.deleted),
        p.parent_id,
        p.title,
        p.text,
        p.url,
    )


def _kind_of(row: Post | ComplaintCount) -> tuple[str | int, ...]:
    """Return what a row is of: the columns that are asked for their distinct values."""
    if isinstance(row, Post):
        return (row.source,)
    return count_key(row)


def _news_row(n: NewsItem) -> tuple[object, ...]:
    return (n.source, n.native_id, n.outlet, n.published, n.collected, n.title, n.summary, n.url)


def _rank_row(r: ChartRank) -> tuple[object, ...]:
    return (r.store, r.country, r.chart, r.app, r.rank, r.observed, r.collected)


def _outside_row(v: ExternalStatus) -> tuple[object, ...]:
    return (v.source, v.service, v.verdict, v.observed, v.collected)


def _known_news(conn: sqlite3.Connection, news: Sequence[NewsItem]) -> set[tuple[str, str]]:
    """Return which of some items are stored: only these may be about to be rewritten."""
    changed_posts: set[tuple[str, str]] = set()
    by_source: dict[str, list[str]] = {}
    for item in news:
        by_source.setdefault(item.source, []).append(item.native_id)
    for source, ids in by_source.items():
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500]
            marks = ",".join("?" * len(some))
            rows = conn.execute(
                f"SELECT native_id FROM news_items WHERE source = ? AND native_id IN ({marks})", (source, *some)
            )
            changed_posts |= {(source, row[0]) for row in rows}
    return changed_posts


def save_batch(store: Store, batch: Batch, now: datetime) -> int:
    """Store a batch's rows, rejects and state in one transaction; return how many rows were new or changed."""
    news = [row for row in batch.rows if isinstance(row, NewsItem)]
    counts = [row for row in batch.rows if isinstance(row, ComplaintCount)]
    store.kept.note_kinds({_kind_of(row) for row in batch.rows if isinstance(row, Post | ComplaintCount)})
    if posts := [row for row in batch.rows if isinstance(row, Post)]:
        store.kept.note_reports(min(post.created for post in posts))
    if news:
        store.kept.forget_news()
    # in the order of descending starts the oldest of each service stands last, and stays
    by_start = sorted(counts, key=lambda row: row.start, reverse=True)
    store.kept.note_counts({row.service: row.start for row in by_start})
    if batch.columns is not None:
        oldest = from_epoch(int(batch.columns.start.min()))
        store.kept.note_kinds(set(batch.columns.keys))
        store.kept.note_counts(dict.fromkeys((key.service for key in batch.columns.keys), oldest))
    with store.transaction() as conn:
        if known := _known_news(conn, news):
            conn.executemany(
                _REVISION,
                [(now, n.source, n.native_id, n.title, n.summary) for n in news if (n.source, n.native_id) in known],
            )
        # a cursor's rowcount leaves out what triggers did, and rows an upsert found unchanged
        new = sum(
            max(0, conn.executemany(sql, rows).rowcount)
            for sql, rows in (
                (_POST, [_post_row(post) for post in posts]),
                (_RANK, [_rank_row(row) for row in batch.rows if isinstance(row, ChartRank)]),
                (_OUTSIDE, [_outside_row(row) for row in batch.rows if isinstance(row, ExternalStatus)]),
                (_NEWS, [_news_row(row) for row in news]),
            )
            if rows
        )
        new += put_counts(conn, counts)
        if batch.columns is not None:
            new += put_columns(conn, batch.columns)
        new += save_official(conn, batch)
        quarantine(conn, batch.source, batch.rejected, now)
        save_source_state(conn, batch.source, batch.state)
        for span in batch.coverage:
            cover(conn, batch.source, span)
    return new


def untagged_posts(store: Store, model: str, since: datetime, limit: int = 50_000) -> list[Post]:
    """Return posts not read yet, or read by another model since a moment, oldest first."""
    read_by_one = store.kept.read_by_one
    if model not in read_by_one or read_by_one[model] > since:
        others = store.rows("SELECT 1 FROM posts WHERE created >= ? AND tagged_by != ? LIMIT 1", (since, model))
        if not others:
            read_by_one[model] = since
    else:
        others = []
    # of the unread ones alone there is an index
    where = "tagged_by IS NULL" + (" OR (tagged_by != :model AND created >= :since)" if others else "")
    rows = store.rows(
        f"SELECT * FROM posts WHERE {where} ORDER BY created, source, native_id LIMIT :limit",
        {"model": model, "since": since, "limit": limit},
    )
    return [post_of(row) for row in rows]


def post_of(row: sqlite3.Row) -> Post:
    """Read a stored post back."""
    return Post(
        source=row["source"],
        native_id=row["native_id"],
        kind=row["kind"],
        community=row["community"],
        author_key=row["author_key"],
        author_created=utc_or_none(row["author_created"]),
        created=utc(row["created"]),
        collected=utc(row["collected"]),
        edited=utc_or_none(row["edited"]),
        deleted=bool(row["deleted"]),
        parent_id=row["parent_id"],
        title=row["title"],
        text=row["text"],
        url=row["url"],
    )


def news_of(r: sqlite3.Row) -> NewsItem:
    """Read a stored news item back."""
    return NewsItem(
        source=r["source"],
        native_id=r["native_id"],
        outlet=r["outlet"],
        published=utc_or_none(r["published"]),
        collected=utc(r["collected"]),
        title=r["title"],
        summary=r["summary"],
        url=r["url"],
    )


def has_untagged(store: Store) -> bool:
    """Return whether any post waits to be read."""
    return bool(store.rows("SELECT 1 FROM posts WHERE tagged_by IS NULL LIMIT 1"))


def count_posts(store: Store, since: datetime, until: datetime) -> int:
    """Return how many posts were created in [since, until)."""
    return int(store.rows("SELECT count(*) FROM posts WHERE created >= ? AND created < ?", (since, until))[0][0])


def news_items(store: Store, since: datetime, until: datetime) -> list[NewsItem]:
    """Return items published in [since, until], oldest first; those of unknown time are not among them."""
    return store.kept.spans.news_items.rows("", since, until + SECOND, partial(_read_news, store))


def _read_news(store: Store, since: datetime, until: datetime) -> list[NewsItem]:
    rows = store.rows(
        "SELECT * FROM news_items WHERE published >= ? AND published < ? ORDER BY published, source, native_id",
        (since, until),
    )
    return [news_of(row) for row in rows]


def news_of_unknown_time(store: Store, since: datetime, until: datetime) -> list[NewsItem]:
    """Return items collected in [since, until] whose time of publication is unknown, in order of collection."""
    rows = store.rows(
        "SELECT * FROM news_items WHERE published IS NULL AND collected BETWEEN ? AND ?"
        " ORDER BY collected, source, native_id",
        (since, until),
    )
    return [news_of(row) for row in rows]


class AppRank(NamedTuple):
    """The place of an app in a chart; 1 is the first."""

    app: str
    observed: datetime
    rank: int


def chart_ranks(store: Store, apps: Iterable[str], since: datetime, until: datetime) -> list[AppRank]:
    """Return the ranks of the named apps in [since, until], oldest first."""
    wanted = sorted(apps)
    marks = ",".join("?" * len(wanted))
    rows = store.rows(
        f"SELECT app, observed, rank FROM chart_ranks WHERE app IN ({marks}) AND observed BETWEEN ? AND ?"
        " ORDER BY observed, app",
        (*wanted, since, until),
    )
    return [AppRank(r["app"], utc(r["observed"]), int(r["rank"])) for r in rows]
