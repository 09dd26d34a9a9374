"""The maintenance that providers have announced and that is not over, in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from pipeline.core.catalogue import Service
from pipeline.incidents.maintenance import announcement
from pipeline.store import Store
from pipeline.store.official import planned_maintenance


class PlannedMaintenance(NamedTuple):
    """A maintenance of a service; `under_way` says whether its planned time has begun."""

    service: str
    under_way: bool
    words: str


def announcements(store: Store, service: Service, now: datetime) -> list[str]:
    """Return what a service's page has planned and not yet ended, a line each, the next one first."""
    return [row.words for row in maintenance_of(store, [service], now)]


def maintenance_of(store: Store, services: Iterable[Service], now: datetime) -> list[PlannedMaintenance]:
    """Return what the pages of services have planned and not yet ended, by service, the next one first."""
    return [
        PlannedMaintenance(
            service=service.id,
            under_way=row.scheduled_for is not None and row.scheduled_for <= now,
            words=announcement(row),
        )
        for service in services
        if service.status_page
        for row in planned_maintenance(store, service.page, now, now)
    ]
