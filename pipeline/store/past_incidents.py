"""Earlier incidents, as a new one is compared with them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from pipeline.core.incidents import GROUP_PATTERN, OURS, PastOutage
from pipeline.core.times import utc, utc_or_none
from pipeline.core.vocabulary import Impact
from pipeline.store import Store


class IncidentSpan(NamedTuple):
    """When an incident began and ended (None: it lasts), and how bad it is."""

    onset: datetime
    end: datetime | None
    impact: Impact


def incident_spans(store: Store, service: str, since: datetime) -> list[IncidentSpan]:
    """Return a service's incidents since a moment, oldest first; groups of shared failures are left out."""
    rows = store.rows(
        'SELECT onset, "end", impact FROM incidents WHERE service = ? AND onset >= ? AND id NOT LIKE ? ORDER BY onset',
        (service, since, GROUP_PATTERN),
    )
    return [IncidentSpan(utc(r[0]), utc_or_none(r[1]), Impact(r[2])) for r in rows]


def past_outages(store: Store, until: datetime) -> list[PastOutage]:
    """Return our incidents that were over by a moment in the form outages are compared in, oldest first."""
    rows = store.rows(
        'SELECT i.id, i.service, s.vendor, s.name, i.onset, i."end", i.impact, i.symptom, '
        "ifnull(group_concat(DISTINCT k.role), '') AS roles"
        " FROM incidents i JOIN services s ON s.id = i.service LEFT JOIN incident_components c ON c.incident = i.id"
        " AND c.status = 'affected'"
        ' LEFT JOIN components k ON k.service = i.service AND k.id = c.component WHERE NOT i.active AND i."end" <= ?'
        " GROUP BY i.id ORDER BY i.onset",
        (until,),
    )
    return [
        PastOutage(
            id=r["id"],
            provider=r["vendor"] or r["name"],
            service=r["service"],
            began=utc(r["onset"]),
            impact=Impact(r["impact"]),
            minutes=(utc(r["end"]) - utc(r["onset"])).total_seconds() / 60,
            roles=frozenset(filter(None, r["roles"].split(","))),
            symptom=r["symptom"],
            steps=(),
            source=OURS,
        )
        for r in rows
    ]
