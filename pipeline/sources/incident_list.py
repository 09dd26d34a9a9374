"""Incidents of several providers in one JSON list (status-quo: `dashboard-data/incidents.json`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from pipeline.core.catalogue import Service
from pipeline.core.errors import SourceError
from pipeline.core.records import Batch, RejectedRow
from pipeline.core.status_records import StatusUpdate
from pipeline.sources.parsing import plain, reject
from pipeline.sources.status.reader import PageContext
from pipeline.sources.status_archive import updates_of_row

AS_THE_PROVIDER_WROTE_IT = "none"  # the archive's `model_used` where no language model rewrote the texts


def parse_incident_list(body: bytes, *, service: Service, context: PageContext, name: str) -> Batch:
    """Parse the incidents of one service, which the archive names by its id, its name or its vendor.

    Each has `incident_id`, `provider_id`, `severity`, `created_at` (when it was posted) and `resolved_at`. When it
    began is not in the archive: it is taken for the time of posting, and times of an incident that was entered
    afterwards are doubtful. A language model writes titles and summaries after the end; they are then the text of the
    update that closes the incident, not its name. An incident that cannot be read is refused by its place in the list.
    Raises SourceError where the body is no such list, or has no incident of the service.
    """
    entries = _entries(body, name)
    names = {text.casefold() for text in (service.id, service.name, service.vendor) if text}
    rows: list[StatusUpdate] = []
    bad: list[RejectedRow] = []
    others: set[str] = set()
    for number, entry in enumerate(entries, 1):
        try:
            if not isinstance(entry, Mapping):
                raise TypeError("is not a JSON object")
            provider = plain(entry.get("provider_id"), 60)
            if not {provider.casefold(), plain(entry.get("provider_name"), 60).casefold()} & names:
                others.add(provider)
                continue
            rows += updates_of_row(dict(_cells(entry)), context.page, context.fetched_at)
        except (ValueError, TypeError) as error:
            bad.append(reject(f"{name}: incident {number}", error, json.dumps(entry, ensure_ascii=False)[:200]))
    if not rows and not bad:
        raise SourceError(f"no incident of {service.id}; it has {', '.join(sorted(others)) or 'none'}", source=name)
    return Batch(source=context.source, rows=tuple(rows), rejected=tuple(bad), outcome="ok" if rows else "empty")


def _entries(body: bytes, name: str) -> Sequence[object]:
    try:
        entries = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SourceError("is not JSON", source=name) from error
    if not isinstance(entries, list):
        raise SourceError("must be a JSON list of incidents", source=name)
    return entries


def _cells(entry: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the columns of the CSV form of an archive."""
    incident, title, summary = (plain(entry.get(key)) for key in ("incident_id", "title", "summary"))
    is_original = entry.get("model_used") == AS_THE_PROVIDER_WROTE_IT
    yield "id", incident
    yield "name", title if is_original else f"incident {incident}"
    yield "impact", plain(entry.get("severity"), 20)
    yield "started_at", plain(entry.get("created_at"), 40)
    yield "created_at", plain(entry.get("created_at"), 40)
    yield "resolved_at", plain(entry.get("resolved_at"), 40)
    yield "timing_ok", "false" if entry.get("is_retroactive") is True else ""
    yield "cause", "" if is_original else ". ".join(filter(None, (title, summary)))
