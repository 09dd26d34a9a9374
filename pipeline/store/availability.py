"""How available services were, by month, and the episodes that availability is worked out from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from pipeline.core.incidents import Episode
from pipeline.core.records import Availability
from pipeline.core.times import iso, utc, utc_or_none
from pipeline.store import Store


def replace_availability(store: Store, rows: Iterable[Availability]) -> None:
    """Write the months of all services in place of those stored."""
    with store.transaction() as conn:
        conn.execute("DELETE FROM availability")
        conn.executemany("INSERT INTO availability VALUES (?,?,?,?,?,?,?,?,?)", rows)


def availability_of(store: Store, service: str, limit: int) -> list[Availability]:
    """Return a service's newest months, at most `limit` rows, newest first."""
    rows = store.rows(
        f"SELECT {', '.join(Availability._fields)} FROM availability WHERE service = ? ORDER BY month DESC, said_by DESC"
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
        " AND e.onset <= ? AND i.id NOT LIKE '%-shared'"
        " AND (i.official_first_at IS NOT NULL OR ifnull(i.probability, 1) >= 0.5) ORDER BY e.onset",
        (service, iso(until)),
    )
    return [
        (
            r["incident"],
            Episode(
                number=r["number"],
                onset=utc(r["onset"]),
                end=utc_or_none(r["end"]),
                impact=r["impact"],
                components=tuple(json.loads(r["components"])),
                official_first_at=utc_or_none(r["official_first_at"]),
                by_crowd=bool(r["by_crowd"]),
                crowd_since=utc_or_none(r["crowd_since"]),
                crowd_until=utc_or_none(r["crowd_until"]),
            ),
        )
        for r in rows
    ]
