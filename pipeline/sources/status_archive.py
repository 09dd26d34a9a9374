"""Archives of official incidents as CSV: a line an incident, with when it started, was posted, watched and resolved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from pipeline.core.errors import SourceError
from pipeline.core.records import Batch, RejectedRow
from pipeline.core.status_records import ComponentChange, StatusUpdate
from pipeline.core.times import utc_or_none
from pipeline.sources.delimited import CsvLine, as_utf8, csv_lines
from pipeline.sources.parsing import TITLE_CAP, not_from_the_future, plain, reject
from pipeline.sources.status.statuspage_json import IMPACTS

SHORTEST = timedelta(seconds=2)
STEPS = (("investigating", "started_at"), ("monitoring", "monitoring_at"), ("resolved", "resolved_at"))


def parse_incident_archive(body: bytes, *, page: str, source: str, fetched_at: datetime, name: str = "line") -> Batch:
    """Parse `id,name,impact,started_at[,created_at][,monitoring_at][,resolved_at][,components][,cause]`.

    Components are apart by `|`; what was found to be the cause is the text of the update that closes the incident.

    Each line becomes an update a step that has a time. `created_at` is when the incident was posted; one posted
    after it was over keeps its times and is known as written after the fact; without the column the posting times are
    not known (`timing` unposted). A line whose times contradict each other (posted before it started, no duration), or
    that says so itself (`timing_ok` False), is kept as doubtful, its end no earlier than its start. A line without a
    readable start is refused. Raises SourceError without the columns.
    """
    lines = csv_lines(as_utf8(body))
    columns = [cell.strip().lower() for cell in next(lines, CsvLine(1, [], "")).cells]
    if not {"id", "name", "started_at"} <= set(columns):
        raise SourceError(
            "needs the columns id, name, started_at (and impact, created_at, resolved_at)", source=f"{name}:1"
        )
    rows: list[StatusUpdate] = []
    bad: list[RejectedRow] = []
    for line, cells, problem in lines:
        try:
            if problem or len(cells) != len(columns):
                raise ValueError(problem or f"{len(cells)} cells where the header has {len(columns)}")
            rows += updates_of_row(dict(zip(columns, cells, strict=True)), page, fetched_at)
        except (ValueError, TypeError, AttributeError) as error:
            bad.append(reject(f"{name}:{line}", error, ",".join(cells)))
    return Batch(source=source, rows=tuple(rows), rejected=tuple(bad), outcome="ok" if rows else "empty")


def updates_of_row(row: Mapping[str, str | None], page: str, fetched_at: datetime) -> list[StatusUpdate]:
    """Return the updates of an incident, one a step that has a time; `row` has the columns of the CSV form by name.

    Raises ValueError where its id, impact or start cannot be read, or a time is in the future.
    """
    impact = (row.get("impact") or "none").strip()
    if impact not in IMPACTS:
        raise ValueError(f"unknown impact {impact[:20]!r}")
    incident = plain(row.get("id"), 60)
    if not incident:
        raise ValueError("no id")
    times = {status: utc_or_none((row.get(column) or "").strip()) for status, column in STEPS}
    start, end = times["investigating"], times["resolved"]
    if start is None:
        raise ValueError("no started_at")
    created = utc_or_none((row.get("created_at") or "").strip())
    timing = "unposted" if "created_at" not in row else ""
    said = (row.get("timing_ok") or "").strip().lower()
    doubted = said == "false" if said else _doubtful(start, created, end)
    if doubted:
        timing = "doubtful"
    times["resolved"] = max(start, end) if end is not None else None
    posted = not_from_the_future(created or start, fetched_at)
    parts = tuple(plain(p, 120) for p in (row.get("components") or "").split("|") if p.strip())
    found = []
    for status, shown in times.items():
        if shown is None:
            continue
        # what is affected is given for the whole incident: from its first update on, back to normal at its end
        old, new = ("operational", "partial_outage") if status == "investigating" else ("partial_outage", "operational")
        components = () if status == "monitoring" else tuple(ComponentChange(part, old, new) for part in parts)
        found.append(
            StatusUpdate(
                page=page,
                incident_id=incident,
                update_id=status,
                name=plain(row.get("name"), TITLE_CAP),
                status=status,
                impact=impact,
                components=components,
                displayed_at=not_from_the_future(shown, fetched_at),
                created_at=max(posted, shown),
                collected=fetched_at,
                body=plain(row.get("cause")) if status == "resolved" else "",
                timing=timing,
            )
        )
    return found


def _doubtful(start: datetime, created: datetime | None, end: datetime | None) -> bool:
    """Return whether times contradict each other."""
    if created is not None and created < start:
        return True
    return end is not None and end - start < SHORTEST
