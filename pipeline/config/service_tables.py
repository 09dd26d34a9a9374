"""The `[services.<id>]` tables of a file: services of the catalogue, and what a user adds or changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.core.catalogue import Service
from pipeline.core.errors import SettingsError
from pipeline.core.names import SERVICE_ID


def read_services(path: Path, tables: object, into: dict[str, Service]) -> Iterator[str]:
    """Add or override catalogue entries from `[services.<id>]` tables; yield `key: reason` for what is wrong."""
    if not isinstance(tables, Mapping):
        yield "services: must be tables, as [services.mine]"
        return
    for service_id, table in tables.items():
        try:
            into[service_id] = _service(path, service_id, table, into.get(service_id))
        except SettingsError as error:
            yield from error.reasons


def _service(path: Path, service_id: str, table: object, known: Service | None) -> Service:
    """Return the service of a table, over what is known of it; raises SettingsError."""
    from pipeline.config.validation import validated

    where = f"services.{service_id}"
    if not SERVICE_ID.fullmatch(service_id):
        raise SettingsError(path, [f"{where}: an id has only a-z, 0-9 and _"])
    if not isinstance(table, Mapping):
        raise SettingsError(path, [f"{where}: must be a table: write [{where}]"])
    if "id" in table:
        raise SettingsError(path, [f"{where}.id: unknown key"])
    base = asdict(known) if known else {"id": service_id}
    service = validated(Service, base | _page_of_their_own(base, table) | dict(table), path, where)
    if wrong := [f"{where}.{reason}" for reason in _service_reasons(service)]:
        raise SettingsError(path, wrong)
    return service


def _service_reasons(service: Service) -> Iterator[str]:
    """Yield `key: reason` for what is wrong with a service whose types are right."""
    for key, names in _names(service):
        if not all(name.strip() for name in names):  # it would fit every text, or none
            yield f"{key}: is empty, or holds an empty name"
    for number, part in enumerate(service.components):
        if not SERVICE_ID.fullmatch(part.id):
            yield f"components.{number}.id: an id has only a-z, 0-9 and _"
    if not all(name.strip() for name in service.status_components):
        yield "status_components: an empty name"
    if service.status_page and not re.fullmatch(r"https?://\S+", service.status_page):
        yield f"status_page: {service.status_page!r} is not an address as https://…"


def _names(service: Service) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield what people call a service and its parts, by key."""
    yield "name", (service.name,)
    for key in ("aliases", "joined_aliases", "vendor_aliases", "named_by", "app_names", "communities"):
        yield key, getattr(service, key)
    for number, part in enumerate(service.components):
        yield f"components.{number}.name", (part.name,)
        yield f"components.{number}.official", part.official
        yield f"components.{number}.aliases", part.aliases


def _page_of_their_own(base: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of the catalogue does not hold for another status page than the catalogue's."""
    if table.get("status_page", base.get("status_page")) == base.get("status_page"):
        return {}
    paths = tuple(path for path in base.get("status_data", ()) if "://" not in path)
    return {"status_data": paths, **({"status_format": "auto"} if base.get("status_format") == "none" else {})}
