"""What SQLite knows of how rows are spread: by it, it finds rows by a later column of an index alone."""

from __future__ import annotations

from pipeline.store import Store

SAMPLE = 1_000  # entries of the index that are looked at, however many there are


def refresh_statistics(store: Store) -> None:
    """Let counts be found by their hour alone: the index by service and hour is then searched service by service.

    Takes a millisecond. Raises StoreError where the file cannot be written.
    """
    store.rows(f"PRAGMA analysis_limit={SAMPLE}")
    with store.transaction() as conn:
        conn.execute("ANALYZE complaint_counts_hour")
