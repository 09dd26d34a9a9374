"""Status pages of the Statuspage kind: `/api/v2/incidents.json`, every update kept with its own time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from pipeline.errors import SourceError
from pipeline.fetch import Fetcher
from pipeline.model import Batch, Reject, StatusUpdate, utc
from pipeline.sources.reading import TITLE_CAP, not_from_the_future, plain, read_json, reject, unmarked

IMPACTS = ("none", "minor", "major", "critical", "maintenance")


def page_key(url: str) -> str:
    """Return the name a page is stored under: its host."""
    try:
        return (urlsplit(url).hostname or url).removeprefix("www.")
    except ValueError:
        return plain(url, 120)


def _moment(value: object) -> datetime:
    return utc(str(value))


def _components(update: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (plain(part["name"], 120), plain(part.get("old_status"), 40), plain(part.get("new_status"), 40))
        for part in update.get("affected_components") or []
    )


def parse_incidents(body: bytes, *, source: str, fetched_at: datetime) -> Batch:
    """Parse incidents.json; `source` is used as the page's name when the answer does not tell its address.

    Raises SourceError when it is not such an answer; a bad incident or update is refused alone.
    """
    answer = read_json(body, source)
    if not isinstance(answer, dict) or not isinstance(answer.get("incidents"), list):
        raise SourceError(f"{source}: not a Statuspage answer: no list of incidents")
    head = answer.get("page")
    page = page_key(plain(head.get("url"), 300)) if isinstance(head, dict) and head.get("url") else source
    rows: dict[tuple[str, str], StatusUpdate] = {}
    bad: list[Reject] = []
    for number, incident in enumerate(answer["incidents"]):
        try:
            impact = plain(incident.get("impact"), 20) or "none"
            if impact not in IMPACTS:
                raise ValueError(f"unknown impact {impact!r}")
            updates = incident["incident_updates"]
            common: dict[str, Any] = {"page": page, "incident_id": plain(incident["id"], 60), "impact": impact,
                      "name": plain(incident.get("name"), TITLE_CAP), "collected": fetched_at}  # fmt: skip
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            bad.append(reject(f"incident {number}", error, incident))
            continue
        for place, update in enumerate(updates if isinstance(updates, list) else []):
            try:
                created = _moment(update.get("created_at") or update["display_at"])
                shown = not_from_the_future(_moment(update.get("display_at") or created.isoformat()), fetched_at)
                row = StatusUpdate(
                    **common, update_id=plain(update["id"], 60), status=plain(update["status"], 40),
                    components=_components(update), displayed_at=shown, created_at=created,
                    body=unmarked(update.get("body"), 2000),
                )  # fmt: skip
                rows[row.incident_id, row.update_id] = row
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                bad.append(reject(f"incident {number} update {place}", error, update))
    return Batch(source=source, rows=tuple(rows.values()), rejected=tuple(bad), outcome="ok" if rows else "empty")


class StatuspageSource:
    """One provider's page."""

    def __init__(self, service: str, url: str, fetcher: Fetcher) -> None:
        """`url` is the page's base address."""
        self.name = f"status:{service}"
        self._url = url.rstrip("/") + "/api/v2/incidents.json"
        self._fetcher = fetcher

    def fetch(self, since: datetime, now: datetime, memory: Mapping[str, str]) -> Batch:
        """Read the latest fifty incidents; unchanged since last time is `not_modified`. Raises SourceError."""
        answer = self._fetcher.get(self._url, source=self.name, memory=memory, now=now)
        if answer.body is None:
            return Batch(source=self.name, rows=(), outcome="not_modified", covered=(since, now), memory=answer.memory)
        batch = parse_incidents(answer.body, source=self.name, fetched_at=now)
        return Batch(source=self.name, rows=batch.rows, rejected=batch.rejected, covered=(since, now),
                     outcome=batch.outcome, memory=answer.memory)  # fmt: skip
