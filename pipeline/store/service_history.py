"""How long a service has been counted, and how much is posted about it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from pipeline.store import Store
from pipeline.store.counts import first_counted
from pipeline.store.runs import heard
from pipeline.store.verdicts import post_sources

WEEK = timedelta(days=7)


class ServiceHistory(NamedTuple):
    """What is known of a service at a moment.

    counted_since: its first count, None where there is none. mentions: posts about it in the week before. read_until:
    up to when any source of posts was read, None where none was.
    """

    counted_since: datetime | None
    mentions: int
    read_until: datetime | None


def service_history(store: Store, service: str, now: datetime) -> ServiceHistory:
    """Return what is known of a service at a moment."""
    (row,) = store.rows(
        "SELECT count(*) AS n FROM post_tags WHERE service = ? AND created >= ? AND created < ?",
        (service, now - WEEK, now),
    )
    ends = [span[1] for source in post_sources(store) for span in heard(store, source)[-1:]]
    return ServiceHistory(first_counted(store, service), int(row["n"]), max(ends, default=None))
