"""What the program's alerts were worth: right, wrong, missed."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from pipeline.core.times import iso, utc
from pipeline.notify.digest import BlindHours, DigestFacts
from pipeline.store import Store
from pipeline.store.summary import BLIND_AFTER, failed_alerts

CONFIRMS = timedelta(hours=2)  # a notice so long after the first alert says it was right


def alert_record(store: Store, since: datetime, now: datetime) -> DigestFacts:
    """Return what a digest says of a span: alerts right, wrong or not known, misses, what is open, blindness, growth.

    Right: the page posted within two hours of the first alert, before or after, or a person said so; a person's word
    counts before the page's.
    """
    span = (iso(since), iso(now))
    alerted = store.rows(
        "SELECT i.id, i.official_first_at, min(a.sent_at) AS first, f.verdict FROM alerts a JOIN incidents i ON i.id = a.incident"
        " LEFT JOIN feedback f ON f.incident = i.id GROUP BY i.id HAVING first >= ? AND first < ?",
        span,
    )
    verdicts = [
        r["verdict"]
        or (
            "right" if r["official_first_at"] and abs(utc(r["official_first_at"]) - utc(r["first"])) <= CONFIRMS else ""
        )
        for r in alerted
    ]
    missed = store.rows(
        "SELECT id, onset, service FROM incidents WHERE official_first_at >= ? AND official_first_at < ? AND id NOT IN"
        ' (SELECT incident FROM alerts) AND part_of = \'\' AND ("end" IS NULL OR opened_at < "end") AND service IN (SELECT id FROM services WHERE watched) ORDER BY onset',
        span,
    )
    open_now = store.rows("SELECT id, onset, impact FROM incidents WHERE active AND part_of = '' ORDER BY onset")
    pages = store.rows("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
    (new_rows,) = store.rows(
        "SELECT ifnull(sum(new), 0) FROM runs WHERE stage='collect' AND started >= ? AND started < ?", span
    )[0]
    return DigestFacts(
        alerted=len(alerted),
        right=verdicts.count("right"),
        wrong=verdicts.count("wrong"),
        unknown=verdicts.count(""),
        missed=tuple(f"{r['id']}: on the page, never told" for r in missed),
        open_now=tuple(f"{r['id']}: since {r['onset']}, impact {r['impact']}" for r in open_now),
        failed=tuple(failed_alerts(store, since)),
        blind=tuple(blind_hours(store, since, now)),
        database_bytes=int(pages[0][0]),
        new_rows=int(new_rows),
    )


def blind_hours(store: Store, since: datetime, now: datetime) -> list[BlindHours]:
    """Return how many hours of a span each source gave no answer: between its good runs, what is beyond the usual pace."""
    rows = store.rows(
        "SELECT subject, started FROM runs WHERE stage='collect' AND started >= ? AND started < ? AND outcome IN ('ok', 'empty', 'not_modified')"
        " ORDER BY subject, started",
        (iso(since), iso(now)),
    )
    tried = {
        r[0]
        for r in store.rows(
            "SELECT DISTINCT subject FROM runs WHERE stage='collect' AND started >= ? AND started < ?",
            (iso(since), iso(now)),
        )
    }
    good: dict[str, list[datetime]] = {subject: [] for subject in tried}
    for subject, started in rows:
        good[subject].append(utc(started))
    found = []
    for subject, times in sorted(good.items()):
        marks = [since, *times, now]
        gaps = [b - a for a, b in pairwise(marks)]
        blind = sum((gap for gap in gaps if gap > BLIND_AFTER), timedelta(0))
        if blind:
            found.append(BlindHours(subject, blind / timedelta(hours=1)))
    return found
