"""Pages that list only the incidents that are open: that one is over is known by its absence, at the time of looking.

The open ones are remembered by id, name and impact, which the update that ends one repeats.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from pipeline.core.status_records import OfficialIncident, StatusUpdate
from pipeline.sources.status.present_state import OBSERVED
from pipeline.sources.status.reader import END, ENDED, PageContext, Reading

_NOT_OPEN = ("scheduled", "resolved", "completed")


class _Open(NamedTuple):
    """An incident that was open; as JSON it is the key of the memory."""

    id: str
    name: str
    impact: str


def close_absent(reading: Reading, context: PageContext) -> Reading:
    """Return the reading of a list of open incidents, with the ends of those that are no longer in it.

    While anything of the list is refused, nothing is concluded: what seems absent may be what could not be read.
    """
    read = {incident.incident_id for incident in reading.incidents}
    over = {update.incident_id for update in reading.updates if update.update_id in (END, ENDED)}
    memory = {
        json.dumps(_Open(incident.incident_id, incident.name, incident.impact)): _start(incident, reading, context)
        for incident in reading.incidents
        if incident.status not in _NOT_OPEN and incident.incident_id not in over
    }
    ended = []
    for key, began in context.seen_down.items():
        known = _remembered(key)
        if known is None or known.id in read:
            continue
        if reading.rejected:
            memory[key] = began
        else:
            ended.append(_end(known, context))
    return replace(reading, updates=(*reading.updates, *ended), seen_down=memory)


def _remembered(key: str) -> _Open | None:
    try:
        fields = json.loads(key)
    except ValueError:
        return None
    whole = isinstance(fields, list) and len(fields) == 3 and all(isinstance(item, str) for item in fields)
    return _Open(*fields) if whole else None


def _start(incident: OfficialIncident, reading: Reading, context: PageContext) -> datetime:
    times = [row.displayed_at for row in reading.updates if row.incident_id == incident.incident_id]
    return min(times, default=incident.started_at or context.fetched_at)


def _end(known: _Open, context: PageContext) -> StatusUpdate:
    return StatusUpdate(
        page=context.page,
        incident_id=known.id,
        update_id=END,
        name=known.name,
        status="completed" if known.impact == "maintenance" else "resolved",
        impact=known.impact,
        components=(),
        displayed_at=context.fetched_at,
        created_at=context.fetched_at,
        collected=context.fetched_at,
        timing=OBSERVED,
    )
