"""Our incidents of one service as the files of Statuspage's API v2, which aggregators and our own reader poll.

Any page on Statuspage serves them below `/api/v2`. A planned maintenance is never ours to announce.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from pipeline.core.catalogue import Service, names
from pipeline.core.times import iso, iso_or_none
from pipeline.core.vocabulary import Impact
from pipeline.render.formatting import header_safe, page_url
from pipeline.render.summary import symptom_name
from pipeline.store.report_data import IncidentHead

MOST = 50
IMPACTS = {
    Impact.NONE: "none",
    Impact.LOW: "minor",
    Impact.MODERATE: "minor",
    Impact.HIGH: "major",
    Impact.CRITICAL: "critical",
}
_COMPONENT = {
    "none": "operational",
    "minor": "degraded_performance",
    "major": "partial_outage",
    "critical": "major_outage",
}
_DESCRIPTIONS = {
    "none": "All Systems Operational",
    "minor": "Minor Service Outage",
    "major": "Partial System Outage",
    "critical": "Major Service Outage",
}
Json = dict[str, object]


def status_files(
    service: Service, heads: Sequence[IncidentHead], public_url: str, began: datetime | None
) -> Mapping[str, str]:
    """Return the files below `api/v2/` by name; `heads` are the service's incidents, newest first.

    `began` is since when the service is watched, None where that is not known.
    """
    shown = [head for place, head in enumerate(heads) if place < MOST or head.active]  # one may last for weeks
    listed = [_incident(service, head, public_url) for head in shown]
    unresolved = [i for i, head in zip(listed, shown, strict=True) if head.active]
    changed = max((changed_at(head) for head in heads), default=began)
    page: Json = {
        "id": service.id,
        "name": service.name,
        "url": page_url(public_url, "service", service.id),
        "time_zone": "Etc/UTC",
        "updated_at": iso_or_none(changed),
    }
    worst = Impact.highest(head.impact for head in heads if head.active)
    status: Json = {"indicator": IMPACTS[worst], "description": _DESCRIPTIONS[IMPACTS[worst]]}
    parts: Json = {"page": page, "components": _components(service, heads, began)}
    files: dict[str, Json] = {
        "status.json": {"page": page, "status": status},
        "components.json": parts,
        "incidents.json": {"page": page, "incidents": listed},
        "incidents/unresolved.json": {"page": page, "incidents": unresolved},
        "scheduled-maintenances.json": {"page": page, "scheduled_maintenances": []},
        "summary.json": {**parts, "incidents": unresolved, "scheduled_maintenances": [], "status": status},
    }
    return {name: json.dumps(value, ensure_ascii=False, indent=1) + "\n" for name, value in files.items()}


def changed_at(head: IncidentHead) -> datetime:
    """Return when an incident last changed as far as its line tells."""
    spans = (moment for span in head.spans for moment in (span.since, span.until))
    return max(filter(None, (head.onset, head.official_first_at, head.end, *spans)))


def incident_title(service: Service, head: IncidentHead) -> str:
    """Return the name of an incident: its service, and what fails."""
    parts = names(head.affected, service)[:3]
    return header_safe(f"{service.name}: {symptom_name(head.symptom)}" + (f" ({', '.join(parts)})" if parts else ""))


def _components(service: Service, heads: Sequence[IncidentHead], began: datetime | None) -> list[Json]:
    failing: dict[str, str] = {}
    for head in heads:
        if head.active:
            for part in head.affected:
                failing[part] = max(failing.get(part, "none"), IMPACTS[head.impact], key=list(_COMPONENT).index)
    return [
        {
            "id": f"{service.id}-{part.id}",
            "name": part.name,
            "status": _COMPONENT[failing.get(part.id, "none")],
            "created_at": iso_or_none(began),
            "updated_at": iso_or_none(began),
            "position": position,
            "description": None,
            "showcase": False,
            "start_date": None,
            "group_id": None,
            "page_id": service.id,
            "group": False,
            "only_show_if_degraded": False,
        }
        for position, part in enumerate(service.components, 1)
    ]


def _incident(service: Service, head: IncidentHead, public_url: str) -> Json:
    title = incident_title(service, head)
    steps: list[tuple[str, datetime, str]] = [("investigating", head.onset, f"{title}, impact {head.impact}.")]
    if head.official_first_at is not None and (head.end is None or head.official_first_at < head.end):
        steps.append(("identified", max(head.onset, head.official_first_at), "The provider's own page lists it."))
    if head.end is not None:
        steps.append(("resolved", head.end, "Reports are back to normal and the provider lists nothing any more."))
    steps.sort(key=lambda step: step[1])
    return {
        "id": head.id,
        "name": title,
        "status": steps[-1][0],
        "created_at": iso(head.onset),
        "updated_at": iso(steps[-1][1]),
        "monitoring_at": None,
        "resolved_at": iso_or_none(head.end),
        "impact": IMPACTS[head.impact],
        "shortlink": page_url(public_url, "incident", head.id),
        "started_at": iso(head.onset),
        "page_id": service.id,
        "incident_updates": [
            _update(service, head, number, step) for number, step in reversed(list(enumerate(steps, 1)))
        ],
        "components": [{"id": f"{service.id}-{part}", "name": names([part], service)[0]} for part in head.affected],
        "reminder_intervals": None,
    }


def _update(service: Service, head: IncidentHead, number: int, step: tuple[str, datetime, str]) -> Json:
    status, at, body = step
    over, failing = status == "resolved", _COMPONENT[IMPACTS[head.impact]]
    changes = [
        {
            "code": f"{service.id}-{part}",
            "name": names([part], service)[0],
            "old_status": failing if over else "operational",
            "new_status": "operational" if over else failing,
        }
        for part in head.affected
    ]
    return {
        "id": f"{head.id}-{number}",
        "status": status,
        "body": body,
        "incident_id": head.id,
        "created_at": iso(at),
        "updated_at": iso(at),
        "display_at": iso(at),
        "affected_components": changes,
        "deliver_notifications": False,
        "custom_tweet": None,
        "tweet_id": None,
    }
