"""How fresh each source's rows are: from publication to storage, and from there to the message that followed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pipeline.core.times import minutes_between, utc
from pipeline.store import Store
from pipeline.store.count_tables import SECONDS

_TIME = "'%Y-%m-%dT%H:%M:%SZ'"
_BEGUN, _SINCE, _NOW, _SENT = (SECONDS.format(name) for name in (":begun", ":since", ":now", ":sent"))


class _Queries(NamedTuple):
    """How a table is asked for freshness.

    For its sources, for when a source began, for how many of its rows were collected so many seconds after publication,
    and for the newest row about a service that it had given when a message was sent, at most an hour old (empty: its
    rows are about no service).
    """

    sources: str
    begun: str
    seconds: str
    newest: str = ""


def _of(table: str, source: str, published: str, newest: str = "") -> _Queries:
    return _Queries(
        sources=f"SELECT DISTINCT {source} FROM {table}",
        begun=f"SELECT min(collected) FROM {table} WHERE {source} = :source",
        seconds=f"""SELECT max(0, {SECONDS.format("collected")} - {SECONDS.format(published)}) AS seconds, count(*) AS n
          FROM {table}
          WHERE {source} = :source AND collected BETWEEN :since AND :now AND {published} >= :begun
          GROUP BY 1 ORDER BY 1""",
        newest=newest,
    )


_POSTS = _of(
    "posts",
    "source",
    "created",
    f"""SELECT max(p.collected) FROM posts p JOIN post_tags t USING (source, native_id)
      WHERE p.source = :source AND t.service = :service AND p.created >= :begun
      AND p.collected BETWEEN strftime({_TIME}, :sent, '-1 hour') AND :sent""",
)
# of a count the end of its interval is when it was published
_COUNTS = _Queries(
    sources="SELECT DISTINCT source FROM count_series",
    begun=f"""SELECT strftime({_TIME}, min((SELECT min(collected) FROM count_values WHERE series = s.id)), 'unixepoch')
      FROM count_series s WHERE s.source = :source""",
    seconds=f"""SELECT max(0, c.collected - c.start - s.interval_s) AS seconds, count(*) AS n
      FROM count_series s CROSS JOIN count_values c ON c.series = s.id
      WHERE s.source = :source AND s.region = '' AND s.indicator = '' AND c.start + s.interval_s >= {_BEGUN}
      AND c.collected BETWEEN {_SINCE} AND {_NOW} GROUP BY 1 ORDER BY 1""",
    newest=f"""SELECT strftime({_TIME}, max(c.collected), 'unixepoch')
      FROM count_series s CROSS JOIN count_values c ON c.series = s.id
      WHERE s.source = :source AND s.service = :service AND s.region = '' AND s.indicator = ''
      AND c.start + s.interval_s >= {_BEGUN}
      AND c.collected BETWEEN {_SENT} - 3600 AND {_SENT}""",
)
_TABLES = (
    _POSTS,
    _COUNTS,
    _of("status_updates", "page", "max(displayed_at, created_at)"),
    _of("news_items", "source", "published"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Minutes over n cases: the p-quantiles by nearest rank, None without any."""

    n: int
    p50: float | None
    p90: float | None
    p95: float | None

    def __str__(self) -> str:
        """Return `1.0 min (p90 2.0, p95 3.0, n 12)`, the median first."""
        if not self.n:
            return "- (n 0)"
        return f"{self.p50} min (p90 {self.p90}, p95 {self.p95}, n {self.n})"


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

    What a source gave when it was first read is history and left out, and so is what was published before that. Rows
    are counted by the database: it reads those of the span by their index, however many are older.
    """
    first_messages = store.rows(
        "SELECT i.service, min(a.sent_at) AS sent FROM alerts a JOIN incidents i ON i.id = a.incident"
        " WHERE a.sent_at BETWEEN ? AND ? GROUP BY a.incident",
        (since, now),
    )
    found: dict[str, Freshness] = {}
    for table in _TABLES:
        for (source,) in store.rows(table.sources):
            begun = store.rows(table.begun, {"source": source})[0][0]
            values = {"source": source, "begun": begun}
            rows = store.rows(table.seconds, {**values, "since": since, "now": now})
            stored = spread([(row["seconds"] / 60, row["n"]) for row in rows])
            if not stored.n:
                continue
            alerted = []
            for message in first_messages if table.newest else ():
                of_message = {**values, "service": message["service"], "sent": message["sent"]}
                newest = store.rows(table.newest, of_message)[0][0]
                if newest is not None:
                    alerted.append((minutes_between(utc(newest), utc(message["sent"])), 1))
            found[source] = Freshness(source=source, stored=stored, alerted=spread(sorted(alerted)))
    return [found[source] for source in sorted(found)]


def spread(minutes: Sequence[tuple[float, int]]) -> Spread:
    """Return the quantiles of minutes, in order, each with how many cases have it."""
    ends, n = [], 0
    for value, cases in minutes:
        n += cases
        ends.append((n, value))
    p50, p90, p95 = (
        next((round(value, 1) for end, value in ends if end >= math.ceil(q * n)), None) for q in (0.5, 0.9, 0.95)
    )
    return Spread(n=n, p50=p50, p90=p90, p95=p95)
