"""How fresh each source's rows are: from publication to storage, and from there to the message that followed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.core.times import minutes_between, utc
from pipeline.store import Store

# each table's rows as (source, service or NULL, published, collected); of a count the end of its interval is published
_ROWS = """
SELECT p.source, t.service, p.created AS published, p.collected FROM posts p
  LEFT JOIN post_tags t USING (source, native_id) WHERE p.collected >= :since AND p.collected <= :now
UNION ALL
SELECT source, service, strftime('%Y-%m-%dT%H:%M:%SZ', unixepoch(start) + interval_s, 'unixepoch'), collected
  FROM complaint_counts WHERE region = '' AND indicator = '' AND collected >= :since AND collected <= :now
UNION ALL
SELECT page, NULL, max(displayed_at, created_at), collected FROM status_updates
  WHERE collected >= :since AND collected <= :now
UNION ALL
SELECT source, NULL, published, collected FROM news_items
  WHERE published IS NOT NULL AND collected >= :since AND collected <= :now
"""
_FIRST = """
SELECT source, min(collected) AS first FROM (
  SELECT source, collected FROM posts UNION ALL SELECT source, collected FROM complaint_counts
  UNION ALL SELECT page, collected FROM status_updates UNION ALL SELECT source, collected FROM news_items)
GROUP BY source
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Minutes over n cases: the p-quantiles by nearest rank, None without any."""

    n: int
    p50: float | None
    p90: float | None
    p95: float | None

    def __str__(self) -> str:
        """Return `1.0 min (p95 3.0, n 12)`, the median and p95."""
        if not self.n:
            return "- (n 0)"
        return f"{self.p50} min (p95 {self.p95}, n {self.n})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """A source (a status page by its host): minutes from publication to storage, and from storage to a message.

    The second are those of incidents' first messages: from the newest row about the service that the source had given
    by then, at most an hour old.
    """

    source: str
    stored: Spread
    alerted: Spread


def freshness(store: Store, since: datetime, now: datetime) -> list[Freshness]:
    """Return the freshness of each source over what was collected in [since, now], by name.

    What a source gave when it was first read is history and left out, and so is what was published before that.
    """
    begun = {row["source"]: row["first"] for row in store.rows(_FIRST)}
    rows = store.rows(_ROWS, {"since": since, "now": now})
    stored: dict[str, list[float]] = {}
    collected: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row["published"] is None or row["published"] < begun.get(row["source"], ""):
            continue
        minutes = minutes_between(utc(row["published"]), utc(row["collected"]))
        stored.setdefault(row["source"], []).append(max(0.0, minutes))
        if row["service"] is not None:
            collected.setdefault((row["source"], row["service"]), []).append(row["collected"])
    alerted = _alerted(store, since, now, collected)
    return [
        Freshness(source=source, stored=spread(minutes), alerted=spread(alerted.get(source, [])))
        for source, minutes in sorted(stored.items())
    ]


def _alerted(
    store: Store, since: datetime, now: datetime, collected: dict[tuple[str, str], list[str]]
) -> dict[str, list[float]]:
    """Return, for each source, the minutes from its newest row about a service to the first message of an incident."""
    first = store.rows(
        "SELECT i.service, min(a.sent_at) AS sent_at FROM alerts a JOIN incidents i ON i.id = a.incident"
        " WHERE a.sent_at BETWEEN ? AND ? GROUP BY a.incident",
        (since, now),
    )
    found: dict[str, list[float]] = {}
    for message in first:
        sent = utc(message["sent_at"])
        for (source, service), times in collected.items():
            before = max((at for at in times if at <= message["sent_at"]), default=None)
            if service == message["service"] and before is not None:
                minutes = minutes_between(utc(before), sent)
                if minutes <= 60:
                    found.setdefault(source, []).append(minutes)
    return found


def spread(minutes: Sequence[float]) -> Spread:
    """Return the quantiles of minutes."""
    ordered = sorted(minutes)
    p50, p90, p95 = (
        round(ordered[max(0, math.ceil(q * len(ordered)) - 1)], 1) if ordered else None for q in (0.5, 0.9, 0.95)
    )
    return Spread(n=len(ordered), p50=p50, p90=p90, p95=p95)
