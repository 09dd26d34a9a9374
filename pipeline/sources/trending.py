"""Google Trends' archive of trending searches, as its "Trending now" page exports it: when a crowd began to ask.

A trend that names a service and speaks of trouble ("netflix down") is kept as what somebody else's monitor says of it.
It never counts with reports: the search volume is a class ("200K+"), and the start is the trend's, not the outage's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from pipeline.core.errors import SourceError
from pipeline.core.records import Batch, ExternalStatus, RejectedRow
from pipeline.sources.delimited import CsvLine, as_utf8, csv_lines
from pipeline.sources.parsing import not_from_the_future, plain, reject
from pipeline.text.normalize import normalize
from pipeline.text.ordinary_names import speaks_of_trouble

NEEDED = {"trends", "search volume", "started"}
OFFSET = re.compile(r"(?:([+-]?)([0-9]{1,2})(?::([0-5][0-9]))?)?")
FORM = "%B %d, %Y at %I:%M:%S %p"


class Names(Protocol):
    """Finds the services that a text names."""

    def about(self, text: str, community: str = "") -> Iterable[str]:
        """Return their ids."""


def parse_trending(body: bytes, *, source: str, fetched_at: datetime, names: Names, name: str = "line") -> Batch:
    """Parse `Trends,Search volume,Started,Ended,Trend breakdown,…`; a service that a trend of trouble names has a row.

    A trend without trouble or without a service is left out, and a line that cannot be read is refused. Raises
    SourceError without the columns.
    """
    lines = csv_lines(as_utf8(body))
    columns = [cell.strip().lower() for cell in next(lines, CsvLine(1, [], "")).cells]
    if not set(columns) >= NEEDED:
        raise SourceError("needs the columns Trends, Search volume, Started", source=f"{name}:1")
    rows: dict[tuple[str, datetime], ExternalStatus] = {}
    bad: list[RejectedRow] = []
    for line, cells, problem in lines:
        try:
            if problem or len(cells) != len(columns):
                raise ValueError(problem or f"{len(cells)} cells where the header has {len(columns)}")
            row = dict(zip(columns, cells, strict=True))
            started = not_from_the_future(_time(row["started"]), fetched_at)
        except (ValueError, OverflowError) as error:
            bad.append(reject(f"{name}:{line}", error, ",".join(cells)))
            continue
        for text in (row["trends"], *row.get("trend breakdown", "").split(",")):
            normalized = normalize(text)
            if "down" not in normalized.split() and not speaks_of_trouble(normalized):
                continue
            verdict = f"trending search {plain(text, 80).strip()!r}, {plain(row['search volume'], 20)}"
            for service in names.about(text):
                rows.setdefault(
                    (service, started),
                    ExternalStatus(
                        source=source, service=service, verdict=verdict, observed=started, collected=fetched_at
                    ),
                )
    return Batch(source=source, rows=tuple(rows.values()), rejected=tuple(bad), outcome="ok" if rows else "empty")


def _time(text: str) -> datetime:
    """Read `November 18, 2025 at 1:10:00 PM UTC+1`; raises ValueError without a zone."""
    said, sign, zone = text.replace("\u202f", " ").strip().partition(" UTC")
    if not sign:
        raise ValueError(f"{plain(text, 60)!r} has no zone")
    offset = OFFSET.fullmatch(zone.replace("\u2212", "-").strip())
    ahead = timedelta(hours=int(offset[2] or 0), minutes=int(offset[3] or 0)) if offset else timedelta.max
    if offset is None or ahead > timedelta(hours=14):
        raise ValueError(f"{plain(text, 60)!r} has no such zone")
    ahead = -ahead if offset[1] == "-" else ahead
    moment = datetime.strptime(said, FORM).replace(tzinfo=UTC) - ahead
    if not 2000 <= moment.year < 2100:
        raise ValueError(f"{plain(text, 60)!r} is out of range")
    return moment
