"""What provider's pages told and what crowds measured, as entries of the ledger."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from typing import Any

from pipeline.core.catalogue import Catalogue, Service
from pipeline.core.records import Availability, StatusUpdate
from pipeline.core.times import iso
from pipeline.incidents.episodes import closed_at, in_order
from pipeline.incidents.reliability import ReliabilityRecord, months, observed_until
from pipeline.incidents.scope import WORKING
from pipeline.store import Store
from pipeline.store.availability import crowd_episodes, replace_availability
from pipeline.store.observations import updates_of_page
from pipeline.store.runs import heard, joined, last_covered
from pipeline.store.verdicts import series_sources

FRONT_ROLES, BACK_ROLES = ("web", "mobile", "desktop", "login"), ("api",)


def official_entries(store: Store, service: Service, page: str, until: datetime) -> list[ReliabilityRecord]:
    """Return every incident of a page up to a moment, maintenance and doubtful ones among them, oldest first."""
    grouped: dict[str, list[StatusUpdate]] = {}
    for update in updates_of_page(store, page, until):
        grouped.setdefault(update.incident_id, []).append(update)
    found = []
    for incident_id, told in sorted(grouped.items()):
        updates = in_order(told)
        hit = {name for u in updates for name, _, new in u.components if new not in WORKING}
        timing = max(u.timing for u in updates)
        found.append(
            ReliabilityRecord(
                id=incident_id,
                began=updates[0].displayed_at,
                ended=closed_at(updates),
                impact=updates[-1].impact,
                timing=timing,
                posted=None if timing == "unposted" else min(u.created_at for u in updates),
                components=frozenset(service.component_named(name) or name for name in hit),
            )
        )
    return sorted(found, key=lambda e: (e.began, e.id))


def crowd_entries(store: Store, service: Service, until: datetime) -> list[ReliabilityRecord]:
    """Return the episodes in which reports rose, oldest first, each as an incident; doubtful ones are left out."""
    return [
        ReliabilityRecord(
            id=f"{incident}/{e.number}",
            began=e.crowd_since or e.onset,
            ended=e.crowd_until if e.crowd_since else e.end,
            posted=e.official_first_at,
            impact="major",
            components=frozenset(e.components),
            crowd=e.crowd_since or e.onset,
            by="crowd",
        )
        for incident, e in crowd_episodes(store, service.id, until)
    ]


def records_with_crowd_onset(store: Store, service: Service, page: str, until: datetime) -> list[ReliabilityRecord]:
    """Return the page's incidents, each with the crowd's onset where one rose, and crowds the page never spoke of."""
    official = official_entries(store, service, page, until) if page else []
    crowds = crowd_entries(store, service, until)
    found: list[ReliabilityRecord] = []
    heard: set[str] = set()
    for entry in official:
        if not entry.counted:
            found.append(entry)
            continue
        near = [c for c in crowds if c.began <= (entry.ended or until) and (c.ended or until) >= entry.began]
        first = next((c for c in near if c.id not in heard), None)
        heard |= {c.id for c in near}
        found.append(entry if first is None else replace(entry, crowd=first.began))
    return sorted([*found, *(c for c in crowds if c.id not in heard)], key=lambda e: (e.began, e.id))


def observed_spans(store: Store, service: str) -> list[tuple[datetime, datetime]]:
    """Return the spans in which any source of complaints or posts about a service was read, apart from each other."""
    return joined(span for source in series_sources(store, service) for span in heard(store, source))


def put_availability(store: Store, catalogue: Catalogue, now: datetime) -> int:
    """Work out availability by month of every service of which anything is known; return how many rows there are."""
    rows: list[Availability] = []
    read_last = last_covered(store)
    for service in catalogue.values():
        page = service.page
        for said_by, entries, watched in (
            ("page", official_entries(store, service, page, now) if page else [], None),
            ("crowd", crowd_entries(store, service, now), observed_spans(store, service.id)),
        ):
            # what was not read since then is not known, be it by a clock or by an archive that ended
            until = (
                min(observed_until(entries, now), read_last)
                if read_last and said_by == "page"
                else observed_until(entries, now)
            )
            rows += [
                Availability(
                    service=service.id,
                    month=m.month,
                    said_by=said_by,
                    incidents=m.incidents,
                    down_minutes=round(m.down_minutes, 1),
                    availability=round(m.availability, 6),
                    mttr_minutes=_round(m.mttr),
                    mtbf_hours=_round(m.mtbf, 60),
                    observed_minutes=round(m.observed_minutes, 1),
                )
                for m in months(entries, until, watched=watched or None)
            ]
    replace_availability(store, rows)
    return len(rows)


def _sheet(store: Store, service: Service, now: datetime, how_many: int) -> dict[str, Any] | None:
    from pipeline.incidents import reliability as ledger

    page = service.page
    official = official_entries(store, service, page, now) if page else []
    crowd = crowd_entries(store, service, now)
    if not official and not crowd:
        return None
    everything = [*official, *crowd]
    last = max(e.began for e in everything)
    until = ledger.observed_until(everything, now)
    # without a page there is nobody to own up
    told = ledger.acknowledgement(records_with_crowd_onset(store, service, page, now) if page else [], min(now, last))
    parts = [p.id for p in service.components if any(p.id in e.components for e in official)]
    spans = [(e.began, e.ended or until) for e in crowd]
    by_role = {
        role: ledger.months([e for e in official if _roles(service, e.components) & set(roles)] or [], until)
        for role, roles in (("front", FRONT_ROLES), ("back", BACK_ROLES))
    }
    return {
        "service": service.id,
        "name": service.name,
        "provider": service.vendor or service.name,
        "page": page,
        "until": iso(until),
        "acknowledgement": {
            "grade": told.grade,
            "mean_minutes": _round(told.mean_minutes),
            "incidents": told.incidents,
            "left_out": told.left_out,
            "since": iso(min(now, last) - ledger.ROLLING),
        },
        "incidents": len(official),
        "not_counted": sum(not e.counted for e in official),
        "doubtful": sum(e.timing == "doubtful" for e in official),
        "official": [_month(m) for m in ledger.months(official, until)][-how_many:],
        "components": {part: [_month(m) for m in ledger.months(official, until, part)][-how_many:] for part in parts},
        "crowd": [_month(m) for m in ledger.months(crowd, until)][-how_many:],
        "front_minus_back": _gap(by_role["front"], by_role["back"])[-how_many:],
        "working_minutes_by_crowd": {
            region: round(ledger.working_minutes(spans, zone), 1) for region, zone in ledger.REGIONS.items()
        },
    }


def _roles(service: Service, parts: frozenset[str]) -> set[str]:
    return {part.role for part in service.components if part.id in parts}


def _gap(front: list[Any], back: list[Any]) -> list[dict[str, Any]]:
    """Return minutes down of what people open less those of the API, by month."""
    other = {m.month: m.down_minutes for m in back}
    return [{"month": m.month, "minutes": round(m.down_minutes - other.get(m.month, 0.0), 1)} for m in front]


def _month(m: Any) -> dict[str, Any]:
    return {
        "month": m.month,
        "incidents": m.incidents,
        "down_minutes": round(m.down_minutes, 1),
        "availability": round(m.availability, 6),
        "nines": None if math.isinf(m.nines) else round(m.nines, 2),
        "mttr_minutes": _round(m.mttr),
        "mtbf_hours": _round(m.mtbf, 60),
    }


def _round(value: float | None, by: float = 1.0) -> float | None:
    return None if value is None else round(value / by, 1)
