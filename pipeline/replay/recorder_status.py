"""Write what status pages said in a span into the folder of a recording."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from xml.sax.saxutils import escape

from msgspec import structs

from pipeline.core.status_records import OfficialIncident, StatusUpdate
from pipeline.core.times import iso
from pipeline.replay.recorded_rows import key_of
from pipeline.replay.recording_folder import RecordingFolder
from pipeline.sources.status import statuspage_json
from pipeline.store import Store
from pipeline.store.dump import collected_maintenance, collected_updates, collected_withdrawals
from pipeline.store.official import key_of_update, wordings_until


def write_status(store: Store, out: RecordingFolder, since: datetime, until: datetime) -> int:
    """Write the updates of each page as a Statuspage body; return how many there are."""
    pages: dict[str, dict[str, list[StatusUpdate]]] = defaultdict(lambda: defaultdict(list))
    wordings = wordings_until(store, until)
    for update in collected_updates(store, since, until):
        if known_as := wordings.get(key_of_update(update)):
            update = structs.replace(update, body=known_as[-1].body)
        pages[update.page][update.incident_id].append(update)
    (out.path / "status").mkdir()
    for number, (page, incidents) in enumerate(sorted(pages.items()), 1):
        file = f"status/{number}.json"
        # the key of a service on a shared page, or of one with a port, is no host that the file could name
        known = "." in page and statuspage_json.host_without_www(f"https://{page}") == page
        told = [_statuspage_incident(incident, updates) for incident, updates in sorted(incidents.items())]
        body = {"page": {"name": page, **({"url": f"https://{page}"} if known else {})}, "incidents": told}
        (out.path / file).write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        for updates in incidents.values():
            for u in updates:
                # a page that told no address is known by its file's name there
                there = structs.replace(u, page=u.page if known else str(number))
                last = updates[-1]
                differs = {
                    name: getattr(u, name)
                    for name in ("name", "impact", "page")
                    if getattr(u, name) != getattr(structs.replace(last, page=there.page), name)
                }
                out.note(file, key_of(there), u.collected, other=differs)
                out.wordings += [
                    (file, key_of(there), iso(at), body) for at, body in wordings.get(key_of_update(u), ())
                ]
    return sum(len(updates) for incidents in pages.values() for updates in incidents.values())


def _statuspage_incident(incident: str, updates: Sequence[StatusUpdate]) -> dict[str, object]:
    """Return an incident as Statuspage's JSON has it, named as its last update names it."""
    return {
        "id": incident,
        "name": updates[-1].name,
        "impact": updates[-1].impact,
        "incident_updates": [
            {
                "id": u.update_id,
                "status": u.status,
                "body": escape(u.body),
                "display_at": iso(u.displayed_at),
                "created_at": iso(u.created_at),
                "affected_components": [
                    {"name": n, "old_status": old, "new_status": new} for n, old, new in u.components
                ],
            }
            for u in updates
        ],
    }


def write_maintenance(store: Store, out: RecordingFolder, since: datetime, until: datetime) -> int:
    """Write planned maintenance as it was announced; return how many there are."""
    # what became of it was not known when it was announced
    planned = [
        structs.replace(row, status="scheduled", started_at=None, resolved_at=None, collected=max(row.collected, since))
        for row in collected_maintenance(store, since, until)
    ]
    return _incidents(out, "maintenance", planned)


def write_withdrawn(store: Store, out: RecordingFolder, since: datetime, until: datetime) -> int:
    """Write incidents that their page took back; return how many there are."""
    withdrawn = collected_withdrawals(store, since, until)
    return _incidents(
        out, "taken_back", [structs.replace(row, collected=row.taken_back_at or row.collected) for row in withdrawn]
    )


def _incidents(out: RecordingFolder, name: str, rows: Sequence[OfficialIncident]) -> int:
    """Write incidents, each to be read from when it was collected, one JSON object a line; no file without any."""
    if rows:
        with (out.path / "status" / f"{name}.ndjson").open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(structs.asdict(row), ensure_ascii=False, default=iso) + "\n")
    return len(rows)
