"""What was done and what was truly read: runs, coverage, state of sources and stages, quarantine."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime

from pipeline.core.records import RejectedRow, Run
from pipeline.core.redaction import redacted
from pipeline.core.times import iso, utc
from pipeline.store import Store

QUARANTINE_LIMIT = 10_000


def record_run(store: Store, *runs: Run) -> None:
    """Append to the history of runs, a line each."""
    with store.transaction() as conn:
        conn.executemany(
            "INSERT INTO runs (stage, subject, started, outcome, seen, new, rejected, covered_from, covered_to, error)"
            " VALUES (?,?,?,?,?,?,?,?,?,?)",
            [
                (
                    run.stage,
                    run.subject,
                    run.started,
                    run.outcome,
                    run.seen,
                    run.new,
                    run.rejected,
                    *(run.covered or (None, None)),
                    run.error,
                )
                for run in runs
            ],
        )


def cover(conn: sqlite3.Connection, source: str, span: tuple[datetime, datetime]) -> None:
    """Note that a source was read in a span, growing the span before it when they touch."""
    since, until = iso(span[0]), iso(span[1])
    touching = conn.execute(
        "SELECT since, until FROM coverage WHERE source=? AND since <= ? AND until >= ? ORDER BY since",
        (source, until, since),
    ).fetchall()
    first = min([since, *(row[0] for row in touching)])
    last = max([until, *(row[1] for row in touching)])
    if [(first, last)] == [tuple(row) for row in touching]:
        return
    if [row[0] for row in touching] == [first]:
        conn.execute("UPDATE coverage SET until=? WHERE source=? AND since=?", (last, source, first))
        return
    conn.executemany("DELETE FROM coverage WHERE source=? AND since=?", [(source, row[0]) for row in touching])
    conn.execute("INSERT INTO coverage VALUES (?,?,?)", (source, first, last))


def coverage(store: Store, source: str) -> list[tuple[datetime, datetime]]:
    """Return the spans a source was read in, oldest first, apart from each other."""
    rows = store.rows("SELECT since, until FROM coverage WHERE source=? ORDER BY since", (source,))
    return [(utc(row[0]), utc(row[1])) for row in rows]


def heard(store: Store, stream: str) -> list[tuple[datetime, datetime]]:
    """Return the spans in which a stream of posts was read, from one place (`reddit`) or several (`mastodon:…`)."""
    rows = store.rows(
        # a range of names, ";" being what follows ":", is read from the key; each of thousands of sources asks this
        "SELECT since, until FROM coverage WHERE source = :s OR (source >= :s || ':' AND source < :s || ';')"
        " ORDER BY since",
        {"s": stream},
    )
    return joined((utc(row[0]), utc(row[1])) for row in rows)


def covered(store: Store, source: str) -> list[tuple[datetime, datetime]]:
    """Return the spans in which one source was read, oldest first, apart from each other."""
    rows = store.rows("SELECT since, until FROM coverage WHERE source = ?", (source,))
    return joined((utc(row[0]), utc(row[1])) for row in rows)


def run_times(store: Store, stage: str, until: datetime, limit: int) -> list[datetime]:
    """Return the different times at which a stage ran by a moment, newest first, at most `limit`."""
    rows = store.rows(
        "SELECT DISTINCT started FROM runs WHERE stage = ? AND started <= ? ORDER BY started DESC LIMIT ?",
        (stage, until, limit),
    )
    return [utc(row[0]) for row in rows]


def successful_reads(store: Store, since: datetime, until: datetime) -> dict[str, list[datetime]]:
    """Return when each source answered in [since, until), oldest first; a source that never did has none."""
    rows = store.rows(
        "SELECT subject, started, outcome IN ('ok', 'empty', 'not_modified') AS answered FROM runs"
        " WHERE stage = 'collect' AND started >= ? AND started < ? ORDER BY subject, started",
        (since, until),
    )
    reads_of_sources: dict[str, list[datetime]] = {row["subject"]: [] for row in rows}
    for row in rows:
        if row["answered"]:
            reads_of_sources[row["subject"]].append(utc(row["started"]))
    return reads_of_sources


def collected_row_count(store: Store, since: datetime, until: datetime) -> int:
    """Return how many rows were new in the runs of sources in [since, until)."""
    (row,) = store.rows(
        "SELECT ifnull(sum(new), 0) FROM runs WHERE stage = 'collect' AND started >= ? AND started < ?",
        (since, until),
    )
    return int(row[0])


def joined(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Return what spans cover together, oldest first, apart from each other."""
    joined_spans: list[tuple[datetime, datetime]] = []
    for since, until in sorted(spans):
        if joined_spans and since <= joined_spans[-1][1]:
            joined_spans[-1] = (joined_spans[-1][0], max(joined_spans[-1][1], until))
        else:
            joined_spans.append((since, until))
    return joined_spans


def save_source_state(conn: sqlite3.Connection, source: str, state: Mapping[str, str]) -> None:
    """Keep what a source wants to know next time (cursors, etags, retry-after), as it gave it."""
    conn.executemany(
        "INSERT INTO source_memory VALUES (?,?,?) ON CONFLICT DO UPDATE SET value=excluded.value",
        [(source, key, value) for key, value in sorted(state.items())],
    )


def load_source_state(store: Store, source: str) -> dict[str, str]:
    """Return what a source asked to have remembered."""
    return {row[0]: row[1] for row in store.rows("SELECT key, value FROM source_memory WHERE source=?", (source,))}


def remembered(store: Store, key: str) -> list[tuple[str, str]]:
    """Return what sources asked to have remembered under one key, each with its value, by source."""
    rows = store.rows("SELECT source, value FROM source_memory WHERE key = ? ORDER BY source", (key,))
    return [(row[0], row[1]) for row in rows]


def get_checkpoint(store: Store, stage: str, key: str) -> str | None:
    """Return a stage's note to itself."""
    rows = store.rows("SELECT value FROM stage_memory WHERE stage=? AND key=?", (stage, key))
    return str(rows[0][0]) if rows else None


def mark_simulated(store: Store, note: str) -> None:
    """Note that rows of the database are simulated, and around what: reports and messages say so from then on."""
    with store.transaction() as conn:
        set_checkpoint(conn, "store", "simulated", note or "Rows of this database are simulated.")


def simulated(store: Store) -> str | None:
    """Return what is to be said of simulated rows; None where all are real."""
    return get_checkpoint(store, "store", "simulated")


def checkpoints(store: Store, stage: str) -> dict[str, str]:
    """Return all of a stage's notes to itself."""
    return {row[0]: row[1] for row in store.rows("SELECT key, value FROM stage_memory WHERE stage=?", (stage,))}


def delete_checkpoints(conn: sqlite3.Connection, stage: str, keys: Iterable[str]) -> None:
    """Forget notes, inside the caller's transaction."""
    conn.executemany("DELETE FROM stage_memory WHERE stage=? AND key=?", [(stage, key) for key in keys])


def set_checkpoint(conn: sqlite3.Connection, stage: str, key: str, value: str) -> None:
    """Keep a stage's note to itself."""
    conn.execute(
        "INSERT INTO stage_memory VALUES (?,?,?) ON CONFLICT DO UPDATE SET value=excluded.value", (stage, key, value)
    )


def quarantine(conn: sqlite3.Connection, source: str, rejected: Iterable[RejectedRow], now: datetime) -> None:
    """Keep refused rows with their reasons, each once, without credentials; beyond a limit only `runs` counts them."""
    rejected = list(rejected)
    if not rejected:
        return
    room = QUARANTINE_LIMIT - conn.execute("SELECT count(*) FROM quarantine").fetchone()[0]
    rows = [
        (
            source,
            hashlib.sha256(f"{r.reason}\0{r.head}".encode("utf-8", "replace")).hexdigest()[:16],
            redacted(clean(r.where)),
            redacted(r.reason),
            redacted(clean(r.head))[:200],
            now,
        )
        for r in rejected
    ]
    conn.executemany("INSERT OR IGNORE INTO quarantine VALUES (?,?,?,?,?,?)", rows[: max(0, room)])


def clean(text: str) -> str:
    """Make outside text fit for UTF-8 storage: lone surrogates become replacement characters, NUL is dropped."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
