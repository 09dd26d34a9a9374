"""What of a stored row cannot be true, and whether a database is damaged: SQLite itself keeps no checksums."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path

from pipeline.core.times import END, FIRST
from pipeline.core.vocabulary import (
    Channel,
    ComponentStatus,
    EvidenceKind,
    Impact,
    NewsKind,
    PhaseName,
    RunOutcome,
    State,
    Transition,
)
from pipeline.store.count_tables import VALUES
from pipeline.store.failures import damaged, is_damage, store_error

TIME_COLUMNS = frozenset(
    (
        *("at", "author_created", "began", "bin_start", "collected", "covered_from", "covered_to", "created"),
        *("created_at", "crowd_since", "crowd_until", "displayed_at", "due_at", "edited", "end", "first_seen", "hour"),
        *("labelled_at", "observed", "official_first_at", "onset", "opened_at", "peak", "published", "read_at"),
        *("replaced_at", "resolved_at", "said_at", "scheduled_for", "scheduled_until", "seen_at", "sent_at"),
        *("since", "start", "started", "started_at", "taken_back_at", "through", "until"),
    )
)
_TIME = re.compile(r"20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\dZ")
_SECONDS = range(int(FIRST.timestamp()), int(END.timestamp()))
_JSON = frozenset(("facts", "codes", "crowd_spans", "signals"))
_CLOSED: dict[tuple[str, str], type[StrEnum]] = {
    ("incidents", "state"): State,
    ("incidents", "impact"): Impact,
    ("incident_episodes", "impact"): Impact,
    ("incident_phases", "impact"): Impact,
    ("incident_phases", "phase"): PhaseName,
    ("incident_components", "status"): ComponentStatus,
    ("incident_evidence", "kind"): EvidenceKind,
    ("alerts", "transition"): Transition,
    ("series", "channel"): Channel,
    ("runs", "outcome"): RunOutcome,
    ("news_events", "kind"): NewsKind,
}
# all of ours are STRICT; what people have added to them may hold anything
_TABLES = """SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict
 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '%\\_fts%' ESCAPE '\\' ORDER BY name"""
# a WITHOUT ROWID table whose key does not stand first: SQLite 3.40.0 to 3.41.0 report NULL in it where there is none
_WRONGLY_CHECKED = """SELECT l.name FROM pragma_table_list AS l JOIN pragma_table_info(l.name) AS c
 WHERE l.schema = 'main' AND l.wr AND c.cid = 0 AND c.pk = 0"""
_CHECKED = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'shadow') ORDER BY name"


def value_fault(table: str, column: str, value: object) -> str:
    """Return why a stored value cannot be what was written; empty where nothing speaks against it.

    Text comes as bytes, as it is stored.
    """
    if table == VALUES and column in TIME_COLUMNS and isinstance(value, int):
        return "" if value in _SECONDS else "not a time"
    if not isinstance(value, bytes) or column in ("blob", "bytes"):
        return ""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return "not UTF-8"
    if column in TIME_COLUMNS and text and not _TIME.fullmatch(text):
        return "not a time"
    if column in _JSON or (table, column) == ("incident_episodes", "components"):
        try:
            json.loads(text)
        except ValueError:
            return "not JSON"
    closed = _CLOSED.get((table, column))
    return f"not one of {closed.__name__}" if closed is not None and text not in set(closed) else ""


def row_fault(table: str, columns: Sequence[str], row: Sequence[object]) -> str:
    """Return the first fault of a row's values, with its column; empty for a good row."""
    faults = ((column, value_fault(table, column, value)) for column, value in zip(columns, row, strict=True))
    return next((f"{table}.{column} is {fault}" for column, fault in faults if fault), "")


def page_faults(conn: sqlite3.Connection) -> Iterator[str]:
    """Yield what SQLite's own check reports of a database's pages; nothing where it is whole."""
    checks = ["PRAGMA quick_check"]
    if (3, 40, 0) <= sqlite3.sqlite_version_info <= (3, 41, 0):
        skipped = {row[0] for row in conn.execute(_WRONGLY_CHECKED)}
        checks = [f'PRAGMA quick_check("{row[0]}")' for row in conn.execute(_CHECKED) if row[0] not in skipped]
    states = (str(conn.execute(check).fetchone()[0]) for check in checks)
    return (state for state in states if state != "ok")


def damage_of(path: Path) -> str:
    """Return what is damaged in a database, in one line; empty where nothing was found, or where it is not there.

    Reads all of it: for when something has failed already.
    """
    if not path.is_file():
        return ""
    conn = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
    try:
        fault = next(page_faults(conn), "")
        if fault:
            return fault.splitlines()[-1]
        conn.text_factory = bytes
        for (raw,) in conn.execute(_TABLES).fetchall():
            table = raw.decode()
            cursor = conn.execute(f'SELECT * FROM "{table}"')
            columns = [column[0] for column in cursor.description]
            fault = next(filter(None, (row_fault(table, columns, row) for row in cursor)), "")
            if fault:
                return fault
    except (sqlite3.Error, UnicodeDecodeError) as error:
        return str(error) if is_damage(error) else ""
    finally:
        conn.close()
    return ""


def raise_for_damage(path: Path, error: Exception) -> None:
    """Raise StoreError where an unexpected error is the fault of the database; return where it is a bug."""
    if isinstance(error, BrokenPipeError):
        return
    fault = damage_of(path)
    if fault:
        raise damaged(str(path), fault) from error
    if isinstance(error, sqlite3.OperationalError):
        raise store_error(str(path), error) from error
