"""How long a service has been counted, and how much is posted about it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from pipeline.store import Store
from pipeline.store.counts import first_counted
from pipeline.store.detector_input import post_sources
from pipeline.store.runs import heard

WEEK = timedelta(days=7)
FRESH = timedelta(minutes=15)  # posts read up to so long ago would hold the report


class ServiceHistory(NamedTuple):
    """What is known of a service at a moment.

    counted_since: its first count, None where there is none. mentions: posts about it in the week before, of the
    sources that were read until FRESH ago at least. read_until: up to when any source of posts was read, None where
    none was.
    """

    counted_since: datetime | None
    mentions: int
    read_until: datetime | None


def service_history(store: Store, service: str, now: datetime) -> ServiceHistory:
    """Return what is known of a service at a moment."""
    ends = {
        source: min(now, [until for since, until in spans if since <= now][-1])
        for source in post_sources(store)
        if (spans := heard(store, source)) and spans[0][0] <= now
    }
    rows = store.rows(
        "SELECT source, count(*) AS n FROM post_tags WHERE service = ? AND created >= ? AND created < ?"
        " GROUP BY source",
        (service, now - WEEK, now),
    )
    mentions = sum(row["n"] for row in rows if row["source"] in ends and now - ends[row["source"]] <= FRESH)
    return ServiceHistory(first_counted(store, service), mentions, max(ends.values(), default=None))
