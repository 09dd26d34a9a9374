"""Status pages of the Statuspage kind: `/api/v2/incidents.json`, or `/history.atom` without impact and parts.

Every update is kept with its own time, so that the cadence of a page is in the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.config.load import Config
from pipeline.core.catalogue import Service
from pipeline.core.errors import Reason, SourceError
from pipeline.core.records import Batch, ComponentChange, RejectedRow, Span, StatusUpdate
from pipeline.core.times import utc
from pipeline.http.session import HttpClient
from pipeline.sources.parsing import (
    MOST_ROWS,
    TITLE_CAP,
    is_page,
    not_from_the_future,
    plain,
    read_json,
    reject,
    unmarked,
)
from pipeline.sources.spec import Coverage, DocsRow, SourceSpec, first_reason, unnamed
from pipeline.sources.status_history import page_key, parse_history

__all__ = ["IMPACTS", "SPEC", "StatuspageSource", "page_key", "parse_history", "parse_incidents"]

IMPACTS = ("none", "minor", "major", "critical", "maintenance")


def _components(update: Mapping[str, object]) -> tuple[ComponentChange, ...]:
    parts = update.get("affected_components") or []
    if not isinstance(parts, list):
        raise TypeError
    return tuple(
        ComponentChange(plain(part["name"], 120), plain(part.get("old_status"), 40), plain(part.get("new_status"), 40))
        for part in parts
    )


def parse_incidents(body: bytes, *, source: str, fetched_at: datetime) -> Batch:
    """Parse incidents.json; `source` is used as the page's name when the answer does not tell its address.

    Raises SourceError when it is not such an answer; a bad incident or update is refused alone. An impact that is
    not one of the five is refused, an absent one is `none`.
    """
    answer = read_json(body, source)
    if not isinstance(answer, dict) or not isinstance(answer.get("incidents"), list):
        raise SourceError("not a Statuspage answer: no list of incidents", source=source, head=body[:200])
    head = answer.get("page")
    page = page_key(plain(head.get("url"), 300)) if isinstance(head, dict) and head.get("url") else source
    rows: dict[tuple[str, str], StatusUpdate] = {}
    bad: list[RejectedRow] = []
    for number, incident in enumerate(answer["incidents"][:MOST_ROWS]):
        for row in _incident_rows(incident, f"incident {number}", page, fetched_at):
            if isinstance(row, RejectedRow):
                bad.append(row)
            else:
                rows[row.incident_id, row.update_id] = row
    return Batch(source=source, rows=tuple(rows.values()), rejected=tuple(bad), outcome="ok" if rows else "empty")


def _incident_rows(incident: Any, where: str, page: str, fetched_at: datetime) -> Iterator[StatusUpdate | RejectedRow]:
    """Yield an incident's updates, and what of it is refused and why; `incident` is whatever stood in the list."""
    try:
        impact = plain(incident.get("impact"), 20) or "none"
        if impact not in IMPACTS:
            raise ValueError(f"unknown impact {impact!r}")
        updates = incident["incident_updates"]
        if not isinstance(updates, list):
            raise TypeError
        incident_id, name = plain(incident["id"], 60), plain(incident.get("name"), TITLE_CAP)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        yield reject(where, error, incident)
        return
    for place, update in enumerate(updates):
        try:
            created = not_from_the_future(utc(str(update.get("created_at") or update["display_at"])), fetched_at)
            shown = not_from_the_future(utc(str(update.get("display_at") or created.isoformat())), fetched_at)
            row = StatusUpdate(
                page=page,
                incident_id=incident_id,
                update_id=plain(update["id"], 60),
                name=name,
                status=plain(update["status"], 40),
                impact=impact,
                components=_components(update),
                displayed_at=shown,
                created_at=created,
                collected=fetched_at,
                body=unmarked(update.get("body"), 2000),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            yield reject(f"{where} update {place}", error, update)
        else:
            yield row


class StatuspageSource:
    """One provider's page."""

    def __init__(self, service: str, url: str, client: HttpClient, *, atom: bool = False) -> None:
        """`url` is the page's base address; `atom` reads its history feed instead of its API."""
        self.name = f"status:{service}"
        self._url = url.rstrip("/") + ("/history.atom" if atom else "/api/v2/incidents.json")
        self._client, self._parse = client, parse_history if atom else parse_incidents

    def fetch(self, since: datetime, now: datetime, state: Mapping[str, str]) -> Batch:
        """Read the latest fifty incidents; unchanged since last time is `not_modified`. Raises SourceError."""
        with self._client.session_for(self.name, state, now) as session:
            answer = session.fetch(self._url, conditional=True)
        if answer.body is None:
            return Batch(
                source=self.name, rows=(), outcome="not_modified", coverage=(Span(since, now),), state=answer.state
            )
        batch = self._parse(answer.body, source=self.name, fetched_at=now)
        if not batch.rows and batch.rejected and is_page(answer.body):
            raise SourceError("a web page", source=self.name, reason=Reason.REFUSED, head=answer.body[:200])
        return Batch(
            source=self.name,
            rows=batch.rows,
            rejected=batch.rejected,
            outcome=batch.outcome,
            coverage=() if batch.detail else (Span(since, now),),
            detail=batch.detail,
            state={} if batch.detail else answer.state,
        )


def _build(config: Config, client: HttpClient, config_path: Path | None) -> list[StatuspageSource]:
    chosen = [config.catalogue[service] for service in config.watched]
    base = config.sources.statuspage_base.rstrip("/")
    return [
        StatuspageSource(s.id, f"{base}/{s.id}" if base else s.status_page, client, atom=s.status_format == "atom")
        for s in chosen
        if config.sources.statuspage and s.status_format
    ]


def _covers(config: Config, service: Service, built: frozenset[str]) -> Coverage:
    return first_reason(
        f"status:{service.id}" in built,
        service.status_page,
        "" if service.status_format else "the catalogue knows no page that speaks Statuspage",
        "" if service.id in config.watched else unnamed(config, service),
    )


SPEC = SourceSpec(
    kind="statuspage",
    prefix="status",
    label="status page",
    build=_build,
    covers=_covers,
    remedy='see whether the page opens in a browser; services.<id>.status_format = "atom" reads its feed instead',
    docs=DocsRow(
        "status pages (`statuspage`)",
        "every update of a provider's incidents with both its times, `/api/v2/incidents.json`, or `/history.atom` where"
        ' the catalogue says `status_format = "atom"`',
        "none",
        "the latest 50 incidents; unchanged: nothing",
        "at once",
    ),
    enabled=lambda config: config.sources.statuspage,
)
