"""How available services were, by month, and the episodes that availability is worked out from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pipeline.core.incidents import GROUP_PATTERN, Episode
from pipeline.core.records import Availability
from pipeline.store import Store
from pipeline.store.incidents import episode_of


def replace_availability(store: Store, rows: Iterable[Availability]) -> None:
    """Write the months of all services in place of those stored."""
    with store.transaction() as conn:
        conn.execute("DELETE FROM availability")
        conn.executemany("INSERT INTO availability VALUES (?,?,?,?,?,?,?,?,?)", rows)


def availability_of(store: Store, service: str, limit: int) -> list[Availability]:
    """Return a service's newest months, at most `limit` rows, newest first."""
    rows = store.rows(
        f"SELECT {', '.join(Availability._fields)} FROM availability WHERE service = ?"
        " ORDER BY month DESC, said_by DESC"
        " LIMIT ?",
        (service, limit),
    )
    return [Availability(*row) for row in rows]


def crowd_episodes(store: Store, service: str, until: datetime) -> list[tuple[str, Episode]]:
    """Return (incident id, episode) of a service's episodes in which reports or complaints rose, oldest first.

    Left out are groups of shared failures, and incidents that are doubtful and never were on the status page.
    """
    rows = store.rows(
        "SELECT e.* FROM incident_episodes e JOIN incidents i ON i.id = e.incident WHERE i.service = ? AND e.by_crowd"
        " AND e.onset <= ? AND i.id NOT LIKE ?"
        " AND (i.official_first_at IS NOT NULL OR ifnull(i.probability, 1) >= 0.5) ORDER BY e.onset",
        (service, until, GROUP_PATTERN),
    )
    return [(row["incident"], episode_of(row)) for row in rows]
