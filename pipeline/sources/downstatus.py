"""DownStatus: free, without a key, one rolling hour of reports a service.

The rolling total is stored as what it is and never summed. What came in between two polls is worked out from how
the total changed: new = change + what left the window, and what left is what had come in an hour before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from pipeline.config.settings import Config
from pipeline.core.catalogue import Service
from pipeline.core.errors import Reason, SourceError
from pipeline.core.records import Batch, ComplaintCount, ExternalStatus, Record
from pipeline.core.times import Span
from pipeline.http.session import HttpClient
from pipeline.sources.parsing import plain, read_json
from pipeline.sources.spec import Coverage, DocsRow, ReadPlan, SourceSpec, first_reason, named_services, unnamed

WINDOW = 3600
BIN = 300
LONGEST_GAP = 1000  # seconds between polls; after a longer one the hour has to be learned again
DAY = 86400
SOURCE = "downstatus"
OFFICIAL = "downstatus:official"  # of the provider's page, as they read it


def parse_downstatus(body: bytes, *, source: str, fetched_at: datetime, service: str = "") -> Batch:
    """Parse `/api/v1/status/{slug}`: a rolling hour of reports, a rolling day where it is given, and two verdicts.

    The first row is the hour. A verdict of the source `downstatus` is their own; one of `downstatus:official` is what
    they read on the provider's page. Raises SourceError without a count of the hour.
    """
    answer = read_json(body, source)
    found = answer.get("data") if isinstance(answer, dict) else None
    data = found if isinstance(found, dict) else {}
    reports = data.get("report_count_1h")
    if not isinstance(reports, int) or isinstance(reports, bool) or not 0 <= reports < 10**9:
        raise SourceError("no report_count_1h in the answer", source=source, reason=Reason.REFUSED, head=body[:200])
    name = service or plain(data.get("slug"), 60)
    rows: list[Record] = [_rolling_count(name, WINDOW, reports, fetched_at)]
    day = data.get("report_count_24h")
    if isinstance(day, int) and not isinstance(day, bool) and reports <= day < 10**9:
        rows.append(_rolling_count(name, DAY, day, fetched_at))
    for origin, key in ((SOURCE, "status"), (OFFICIAL, "official_indicator")):
        if verdict := plain(data.get(key), 40):
            rows.append(
                ExternalStatus(source=origin, service=name, verdict=verdict, observed=fetched_at, collected=fetched_at)
            )
    return Batch(source=source, rows=tuple(rows))


def _rolling_count(service: str, seconds: int, reports: int, fetched_at: datetime) -> ComplaintCount:
    return ComplaintCount(
        service=service,
        source=SOURCE,
        region="",
        indicator="",
        start=fetched_at - timedelta(seconds=seconds),
        interval_s=seconds,
        total=reports,
        collected=fetched_at,
        window="rolling",
    )


@dataclass(slots=True)
class Rolling:
    """What is known of a rolling window: its last total, and what is still in it by when it came.

    `parts` are [from, until, reports]; in the first hour the window holds reports nobody saw arrive, and `changes`
    waits until the hour is full. Times are seconds of the epoch.
    """

    at: int = 0
    total: int = 0
    parts: list[list[int]] = field(default_factory=list)
    changes: list[list[int]] = field(default_factory=list)
    begun: int = 0
    bin: list[int] = field(default_factory=list)  # [start, reports, seconds watched] of the bin that is not over

    def poll(self, at: int, total: int) -> int | None:
        """Take a poll in; return the reports since the last one, None while that cannot be known."""
        step = at - self.at
        if step == 0:
            return None
        if not self.at or not 0 < step <= LONGEST_GAP:
            self._restart(at, total)
            return None
        if self._is_slip(at, total):
            return None  # as if it had not been asked; a lasting fall outlasts the longest gap and is learned anew
        change, fresh = total - self.total, None
        if self.changes or not self.parts:
            self.changes.append([self.at, at, change])
            if at - self.begun >= WINDOW:
                self._fill(total)
        else:
            fresh = self._step(at, change)
        self.at, self.total = at, total
        return fresh

    def _restart(self, at: int, total: int) -> None:
        self.parts, self.changes, self.begun, self.bin = [], [], at, []
        self.at, self.total = at, total

    def _is_slip(self, at: int, total: int) -> bool:
        """Return whether a total has fallen by far more than can have left the window since the last poll."""
        edge = at - WINDOW
        staying = sum(part[2] for part in self.parts if part[0] >= edge) if self.parts else self.total // 2
        return self.total >= 20 and total < staying // 2

    def _fill(self, total: int) -> None:
        """Share out the first full hour: what certainly came in each step, the rest evenly over time."""
        sure = [max(0, change) for _, _, change in self.changes]
        rest, span, given = max(0, total - sum(sure)), self.changes[-1][1] - self.changes[0][0], 0
        for (start, end, _), came in zip(self.changes, sure, strict=True):
            due = rest * (end - self.changes[0][0]) // span
            self.parts.append([start, end, came + due - given])
            given = due
        self.changes = []

    def _step(self, at: int, change: int) -> int:
        edge = at - WINDOW
        gone = sum(part[2] for part in self.parts if part[1] <= edge)
        usual = int(median(part[2] for part in self.parts))
        self.parts = [part for part in self.parts if part[1] > edge]
        # of the step that the window's edge lies in, take as many as make the newest step look like the others:
        # its reports may have come at either end of it
        cut = self.parts[0] if self.parts and self.parts[0][0] < edge else None
        if cut is not None:
            leaving = min(max(usual - change - gone, 0), cut[2])
            cut[2] -= leaving
            gone += leaving
        fresh = change + gone
        for part in self.parts:
            # fewer than thought are left: they went earlier, or were withdrawn
            if fresh >= 0:
                break
            taken = min(part[2], -fresh)
            part[2] -= taken
            fresh += taken
        fresh = max(0, fresh)
        self.parts.append([self.at, at, fresh])
        return fresh

    def to_json(self) -> str:
        """Return it as text for the source's state."""
        return json.dumps([self.at, self.total, self.parts, self.changes, self.begun, self.bin])

    @staticmethod
    def of(text: str) -> Rolling:
        """Read it back; an unreadable text starts anew."""
        try:
            return Rolling(*json.loads(text))
        except (ValueError, TypeError):
            return Rolling()


def recover(rolling: Rolling, at: datetime, total: int) -> list[tuple[datetime, int]]:
    """Take a poll in; return (start, reports) of every bin of five minutes that it completes.

    What came between two polls is spread over the bins they span, evenly over time. A bin of which less than four
    fifths were watched is not given: it is a gap.
    """
    before = rolling.at
    fresh = rolling.poll(int(at.timestamp()), total)
    if fresh is None:
        return []
    found, given, span = [], 0, rolling.at - before
    for start in range(before // BIN * BIN, rolling.at, BIN):
        end = min(start + BIN, rolling.at)
        watched, due = end - max(start, before), fresh * (end - before) // span
        known = rolling.bin if rolling.bin and rolling.bin[0] == start else [start, 0, 0]
        rolling.bin = [start, known[1] + due - given, known[2] + watched]
        given = due
        if end == start + BIN and rolling.bin[2] >= 0.8 * BIN:
            found.append((datetime.fromtimestamp(start, tz=UTC), rolling.bin[1]))
    return found


class DownStatusSource:
    """One service's count of reports in the last hour."""

    def __init__(self, service: str, slug: str, client: HttpClient, base: str) -> None:
        """`slug` is the service's name there."""
        self.name = f"downstatus:{service}"
        self._service, self._url, self._client = service, f"{base.rstrip('/')}/api/v1/status/{slug}", client

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        """Read the count and work out what is new in it. Raises SourceError."""
        with self._client.session_for(self.name, state, now) as session:
            answer = session.fetch(self._url)
        batch = parse_downstatus(answer.body or b"", source=self.name, fetched_at=now, service=self._service)
        rolling = Rolling.of(state.get("rolling", ""))
        hour = batch.rows[0]
        assert isinstance(hour, ComplaintCount)
        counts = tuple(
            ComplaintCount(
                service=self._service,
                source=SOURCE,
                region="",
                indicator="",
                start=start,
                interval_s=BIN,
                total=reports,
                collected=now,
                window="recovered",
            )
            for start, reports in recover(rolling, now, hour.total)
        )
        span = Span(max(since, now - timedelta(seconds=WINDOW)), now)
        return Batch(
            source=self.name,
            rows=(*batch.rows, *counts),
            coverage=(span,),
            state={"retry_after": "", "rolling": rolling.to_json()},
        )


def _build(config: Config, client: HttpClient, config_path: Path | None) -> list[DownStatusSource]:
    return [
        DownStatusSource(s.id, s.downstatus, client, config.sources.downstatus_base)
        for s in named_services(config)
        if config.sources.downstatus and s.downstatus
    ]


def _covers(plan: ReadPlan, service: Service) -> Coverage:
    return first_reason(
        f"downstatus:{service.id}" in plan.built,
        f"reports an hour, {service.downstatus}",
        unnamed(plan, service),
        "" if service.downstatus else "no slug in the catalogue",
    )


SPEC = SourceSpec(
    kind="downstatus",
    label="DownStatus",
    build=_build,
    covers=_covers,
    remedy="see whether services.<id>.downstatus is its slug on isitdownstatus.com",
    docs=DocsRow(
        "DownStatus (`downstatus`)",
        "reports in a rolling hour and day, what came between two polls worked out from it, and two verdicts",
        "none",
        "one number a service",
        "at the next poll",
    ),
)
