"""What the report and the status command tell of the whole: row counts, sources that are silent, quoted posts."""

from __future__ import annotations

from datetime import datetime, timedelta

from pipeline.core.records import QuotedPost, SilentSource
from pipeline.core.times import utc
from pipeline.store import Store
from pipeline.store.count_tables import COUNTS_VIEW, VALUES

COUNTED_TABLES = (
    "posts",
    "votes",
    "news_items",
    "complaint_counts",
    "status_updates",
    "chart_ranks",
    "verdicts",
    "incidents",
    "links",
    "alerts",
    "quarantine",
)
BLIND_AFTER = timedelta(hours=2)
_ANSWERED = "outcome IN ('ok', 'empty', 'not_modified')"


def counts_of_rows(store: Store) -> dict[str, int]:
    """Return how many rows the tables hold."""
    kept_in = {COUNTS_VIEW: VALUES}  # a view has no count of its rows: it would join them first
    return {
        table: int(store.rows(f"SELECT count(*) FROM {kept_in.get(table, table)}")[0][0]) for table in COUNTED_TABLES
    }


def database_bytes(store: Store) -> int:
    """Return the size of the database."""
    (row,) = store.rows("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
    return int(row[0])


def blind_sources(store: Store, now: datetime) -> list[SilentSource]:
    """Return sources whose last run failed, or that were not read for two hours, with the last error.

    What was not even tried for a day while others were is not configured any more.
    """
    # each source is looked up in the index: read row by row, the runs of a day would cost a replay's steps 3 %
    rows = store.rows(
        "WITH RECURSIVE sources (subject) AS (SELECT min(subject) FROM runs WHERE stage = 'collect' UNION ALL"
        " SELECT (SELECT min(subject) FROM runs WHERE stage = 'collect' AND subject > sources.subject)"
        " FROM sources WHERE subject IS NOT NULL), latest AS (SELECT subject,"
        f" (SELECT max(started) FROM runs WHERE stage = 'collect' AND subject = s.subject AND {_ANSWERED}) AS good,"
        " (SELECT max(started) FROM runs WHERE stage = 'collect' AND subject = s.subject) AS last"
        " FROM sources s WHERE subject IS NOT NULL)"
        " SELECT * FROM latest WHERE last >= (SELECT strftime('%Y-%m-%dT%H:%M:%SZ', max(last), '-1 day') FROM latest)"
        " ORDER BY subject"
    )
    silent = []
    for row in rows:
        good = row["good"]
        if good is not None and good >= row["last"] and utc(good) >= now - BLIND_AFTER:
            continue
        error = store.rows(
            "SELECT error FROM runs WHERE stage='collect' AND subject=? ORDER BY started DESC, id DESC LIMIT 1",
            (row["subject"],),
        )[0][0]
        silent.append(SilentSource(row["subject"], good, error))
    return silent


def evidence_posts(store: Store, incident: str, limit: int, language: str) -> list[QuotedPost]:
    """Return some posts that counted as votes in an incident: those in a language first, the surest before others."""
    stretch = store.rows(
        "SELECT service, onset, ifnull(\"end\", '9999') AS until FROM incidents WHERE id=?", (incident,)
    )
    if not stretch:
        return []
    posts = store.rows(
        "SELECT p.created, p.community, p.title, p.text, p.url, t.p_outage FROM votes v JOIN posts p"
        " USING (source, native_id)"
        " JOIN post_tags t USING (source, native_id, service) WHERE v.service=? AND v.weight > 0 AND v.created"
        " BETWEEN ? AND ? AND length(p.title) + length(p.text) BETWEEN 20 AND 240"
        " ORDER BY t.language != ?, round(t.p_outage, 2) DESC, p.created, p.native_id LIMIT ?",
        (*stretch[0], language, limit),
    )
    return [
        QuotedPost(utc(post["created"]), post["community"], post["title"], post["text"], post["url"]) for post in posts
    ]


def failed_alerts(store: Store, since: datetime) -> list[str]:
    """Return the subjects of alerts given up on since a moment, each with its error."""
    rows = store.rows("SELECT subject, error FROM alerts WHERE failed = 1 AND created >= ? ORDER BY created", (since,))
    return [f"{r[0]}: {r[1]}" for r in rows]
