"""Archives of official incidents that others keep, a JSON object a line.

Two forms are read, a line at a time: an incident as Statuspage's API gives it, with `incident_updates`
(claude-statuses: `data/incidents.jsonl`), and one with `updates` of `at`, `status` and `message` (github-statuses:
`parsed/incidents.jsonl`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pipeline.core.errors import SourceError
from pipeline.core.records import Batch, RejectedRow
from pipeline.core.status_records import ComponentChange, StatusUpdate
from pipeline.core.times import utc
from pipeline.sources.parsing import MOST_ROWS, TITLE_CAP, not_from_the_future, plain, reject
from pipeline.sources.status import statuspage_json
from pipeline.sources.status.reader import Answer, PageContext

STATES = (
    "investigating",
    "identified",
    "monitoring",
    "resolved",
    "postmortem",
    "scheduled",
    "in_progress",
    "completed",
)
SAME_AS_BEFORE = "update"  # says more, and changes nothing of the state


def parse_incident_lines(body: bytes, *, context: PageContext, name: str = "line") -> Batch:
    """Parse an archive; a line that is no incident is refused by its number, and the rest is kept.

    An archive has no posting times apart from those shown: the updates' `timing` is unposted. Raises SourceError where
    no line is an incident.
    """
    rows: list[StatusUpdate] = []
    bad: list[RejectedRow] = []
    for number, line in enumerate(body.decode("utf-8", "replace").split("\n"), 1):
        if not line.strip():
            continue
        try:
            rows += _incident(line, context)
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError, SourceError) as error:
            bad.append(reject(f"{name}:{number}", error, line[:200]))
    if not rows:
        raise SourceError("no line is an incident with updates", source=name)
    return Batch(source=context.source, rows=tuple(rows), rejected=tuple(bad))


def _incident(line: str, context: PageContext) -> Iterator[StatusUpdate]:
    entry = json.loads(line)
    if not isinstance(entry, dict):
        raise TypeError("is not a JSON object")
    if isinstance(entry.get("updates"), list):
        yield from _plain_updates(entry, context)
        return
    if not isinstance(entry.get("incident_updates"), list):
        raise KeyError("incident_updates")
    answer = json.dumps({"page": {"id": "archive"}, "incidents": [entry]}).encode()
    reading = statuspage_json.read(Answer(body=answer), context)
    if reading.rejected:
        raise ValueError(reading.rejected[0].reason)
    yield from reading.updates


def _plain_updates(entry: Mapping[str, object], context: PageContext) -> Iterator[StatusUpdate]:
    incident, impact = plain(entry["id"], 60), plain(entry.get("impact"), 20).lower() or "none"
    if not incident or impact not in statuspage_json.IMPACTS:
        raise ValueError("no id, or an unknown impact")
    updates, parts = entry["updates"], entry.get("components") or []
    if not isinstance(updates, list) or not isinstance(parts, list):
        raise TypeError("updates and components must be lists")
    state, components = STATES[0], tuple(_component(part) for part in parts)
    for number, (at, update) in enumerate(_oldest_first(updates)[:MOST_ROWS]):
        said = plain(update["status"], 20).lower().replace(" ", "_")
        state = state if said == SAME_AS_BEFORE else said
        if state not in STATES:
            raise ValueError(f"unknown status {said!r}")
        not_from_the_future(at, context.fetched_at)
        first, last = number == 0, state in ("resolved", "completed")
        old, new = ("partial_outage", "operational") if last else ("operational", "partial_outage")
        yield StatusUpdate(
            page=context.page,
            incident_id=incident,
            update_id=f"u{number:03}",
            name=plain(entry.get("title"), TITLE_CAP),
            status=state,
            impact=impact,
            components=tuple(ComponentChange(part, old, new) for part in components) if first or last else (),
            displayed_at=at,
            created_at=at,
            collected=context.fetched_at,
            body=plain(update.get("message")),
            timing="unposted",
        )


def _oldest_first(updates: Sequence[Any]) -> list[tuple[datetime, Any]]:
    """Return updates with their times; of the same time the order is the archive's, turned where it is newest first."""
    timed = [(utc(plain(update["at"], 40)), update) for update in updates]
    if timed and timed[0][0] > timed[-1][0]:
        timed.reverse()
    return sorted(timed, key=lambda pair: pair[0])


def _component(part: object) -> str:
    """Return the name of a component, given as a text or as an object that has one."""
    name = part.get("name") if isinstance(part, Mapping) else part
    if not isinstance(name, str) or not plain(name, 120):
        raise TypeError("a component is neither a name nor an object with one")
    return plain(name, 120)
