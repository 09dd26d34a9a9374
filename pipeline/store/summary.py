"""What the report and the status command tell of the whole: row counts, sources that are silent, quoted posts."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from pipeline.store import Store
from pipeline.times import iso, utc

TOLD_TABLES = ("posts", "votes", "news_items", "complaint_counts", "status_updates", "chart_ranks", "verdicts",
               "incidents", "links", "alerts", "quarantine")  # fmt: skip
BLIND_AFTER = timedelta(hours=2)
DROPPED = timedelta(days=1)
CONFIRMS = timedelta(hours=2)  # a notice so long after the first alert says it was right


def counts_of_rows(store: Store) -> dict[str, int]:
    """Return how many rows the tables hold."""
    return {table: int(store.rows(f"SELECT count(*) FROM {table}")[0][0]) for table in TOLD_TABLES}


def blind_sources(store: Store, now: datetime) -> list[dict[str, Any]]:
    """Return sources whose last run failed, or that were not read for two hours, with the last error.

    What was not even tried for a day while others were is not configured any more.
    """
    rows = store.rows(
        "SELECT subject, max(CASE WHEN outcome IN ('ok', 'empty', 'not_modified') THEN started END) AS good,"
        " max(started) AS last FROM runs WHERE stage='collect' GROUP BY subject ORDER BY subject"
    )
    found = []
    newest = max((row["last"] for row in rows), default="")
    for row in rows:
        if utc(row["last"]) < utc(newest) - DROPPED:
            continue
        if row["good"] is not None and row["good"] >= row["last"] and utc(row["good"]) >= now - BLIND_AFTER:
            continue
        error = store.rows(
            "SELECT error FROM runs WHERE stage='collect' AND subject=? ORDER BY started DESC, id DESC LIMIT 1",
            (row["subject"],),
        )[0][0]
        found.append(
            {"source": row["subject"], "since": row["good"], "error": error.removeprefix(f"{row['subject']}: ")}
        )
    return found


def evidence_posts(store: Store, incident: str, limit: int = 4) -> list[dict[str, Any]]:
    """Return some posts that counted as votes in an incident, the surest first."""
    row = store.rows('SELECT service, onset, ifnull("end", ?) AS until FROM incidents WHERE id=?', (iso(datetime.max.replace(
        tzinfo=utc("2000-01-01T00:00:00Z").tzinfo, year=9998)), incident))  # fmt: skip
    if not row:
        return []
    rows = store.rows(
        "SELECT p.created, p.community, p.title, p.text, t.p_outage FROM votes v JOIN posts p USING (source, native_id)"
        " JOIN post_tags t USING (source, native_id, service) WHERE v.service=? AND v.weight > 0 AND v.created"
        " BETWEEN ? AND ? AND length(p.title) + length(p.text) BETWEEN 20 AND 240"
        " ORDER BY t.p_outage DESC, p.created, p.native_id LIMIT ?",
        (row[0]["service"], row[0]["onset"], row[0]["until"], limit),
    )
    return [dict(r) for r in rows]


def failed_alerts(store: Store, since: datetime) -> list[str]:
    """Return the subjects of alerts given up on since a moment, each with its error."""
    rows = store.rows(
        "SELECT subject, error FROM alerts WHERE failed = 1 AND created >= ? ORDER BY created", (iso(since),)
    )
    return [f"{r[0]}: {r[1]}" for r in rows]


def the_record(store: Store, since: datetime, now: datetime) -> dict[str, Any]:
    """Return what a digest tells of a span: alerts right, wrong or not known, misses, what is open, blindness, growth.

    Right: the page posted within two hours of the first alert, before or after, or a person said so; a person's word
    counts before the page's.
    """
    span = (iso(since), iso(now))
    alerted = store.rows(
        "SELECT i.id, i.official_first_at, min(a.sent_at) AS first, f.verdict FROM alerts a JOIN incidents i ON i.id = a.incident"
        " LEFT JOIN feedback f ON f.incident = i.id GROUP BY i.id HAVING first >= ? AND first < ?",
        span,
    )
    verdicts = [r["verdict"] or ("right" if r["official_first_at"] and abs(utc(r["official_first_at"]) - utc(r["first"])) <= CONFIRMS else "")
                for r in alerted]  # fmt: skip
    missed = store.rows(
        "SELECT id, onset, service FROM incidents WHERE official_first_at >= ? AND official_first_at < ? AND id NOT IN"
        ' (SELECT incident FROM alerts) AND part_of = \'\' AND ("end" IS NULL OR opened_at < "end") AND service IN (SELECT id FROM services WHERE watched) ORDER BY onset',
        span,
    )
    open_now = store.rows("SELECT id, onset, impact FROM incidents WHERE active AND part_of = '' ORDER BY onset")
    pages = store.rows("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
    return {
        "alerted": len(alerted), "right": verdicts.count("right"), "wrong": verdicts.count("wrong"), "unknown": verdicts.count(""),
        "missed": [f"{r['id']}: on the page, never told" for r in missed],
        "open": [f"{r['id']}: since {r['onset']}, impact {r['impact']}" for r in open_now], "failed": failed_alerts(store, since),
        "blind": blind_hours(store, since, now), "bytes": int(pages[0][0]),
        "new_rows": int(store.rows("SELECT ifnull(sum(new), 0) FROM runs WHERE stage='collect' AND started >= ? AND started < ?", span)[0][0]),
    }  # fmt: skip


def blind_hours(store: Store, since: datetime, now: datetime) -> list[tuple[str, float]]:
    """Return how many hours of a span each source gave no answer: between its good runs, what is beyond the usual pace."""
    rows = store.rows(
        "SELECT subject, started FROM runs WHERE stage='collect' AND started >= ? AND started < ? AND outcome IN ('ok', 'empty', 'not_modified')"
        " ORDER BY subject, started",
        (iso(since), iso(now)),
    )
    tried = {r[0] for r in store.rows("SELECT DISTINCT subject FROM runs WHERE stage='collect' AND started >= ? AND started < ?",
                                      (iso(since), iso(now)))}  # fmt: skip
    good: dict[str, list[datetime]] = {subject: [] for subject in tried}
    for subject, started in rows:
        good[subject].append(utc(started))
    found = []
    for subject, times in sorted(good.items()):
        marks = [since, *times, now]
        gaps = [b - a for a, b in pairwise(marks)]
        blind = sum((gap for gap in gaps if gap > BLIND_AFTER), timedelta(0))
        if blind:
            found.append((subject, blind / timedelta(hours=1)))
    return found
