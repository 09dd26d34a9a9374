"""Status pages of the Statuspage kind: `/api/v2/incidents.json`, or `/history.atom`, which tells neither impact nor parts.

Every update is kept with its own time, so that the cadence of a page is in the data.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pipeline.core.errors import Reason, SourceError
from pipeline.core.records import Batch, RejectedRow, Span, StatusUpdate
from pipeline.core.times import iso, utc
from pipeline.http.session import HttpClient
from pipeline.sources.feed import moment, read_feed
from pipeline.sources.parsing import (
    FUTURE,
    MOST_ROWS,
    TITLE_CAP,
    is_page,
    not_from_the_future,
    plain,
    read_json,
    reject,
    unmarked,
)
from pipeline.text.clock_times import times_of_day

IMPACTS = ("none", "minor", "major", "critical", "maintenance")
MAINTENANCE = ("scheduled", "in_progress", "verifying", "completed")
PHASES = ("investigating", "identified", "monitoring", "update", "resolved", "postmortem", *MAINTENANCE)
_MONTHS = {
    name: n
    for n, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
_PIECE = re.compile(
    r"(?is)<small>(?P<when>.{1,300}?)</small>.{0,40}?<strong>(?P<phase>[^<]{1,40})</strong>(?P<body>.*?)(?=<small>|\Z)"
)
_DAY = re.compile(r"(?i)\b(?P<month>[a-z]{3})[a-z]*\.? +(?P<day>\d{1,2}) *,? *(?P<clock>\d.*)")


def page_key(url: str) -> str:
    """Return the name a page is stored under: its host."""
    try:
        return (urlsplit(url).hostname or url).removeprefix("www.")
    except ValueError:
        return plain(url, 120)


def _components(update: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (plain(part["name"], 120), plain(part.get("old_status"), 40), plain(part.get("new_status"), 40))
        for part in update.get("affected_components") or []
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
        try:
            impact = plain(incident.get("impact"), 20) or "none"
            if impact not in IMPACTS:
                raise ValueError(f"unknown impact {impact!r}")
            updates = incident["incident_updates"]
            if not isinstance(updates, list):
                raise TypeError
            common: dict[str, Any] = {
                "page": page,
                "incident_id": plain(incident["id"], 60),
                "impact": impact,
                "name": plain(incident.get("name"), TITLE_CAP),
                "collected": fetched_at,
            }
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            bad.append(reject(f"incident {number}", error, incident))
            continue
        for place, update in enumerate(updates):
            try:
                created = not_from_the_future(utc(str(update.get("created_at") or update["display_at"])), fetched_at)
                shown = not_from_the_future(utc(str(update.get("display_at") or created.isoformat())), fetched_at)
                row = StatusUpdate(
                    **common,
                    update_id=plain(update["id"], 60),
                    status=plain(update["status"], 40),
                    components=_components(update),
                    displayed_at=shown,
                    created_at=created,
                    body=unmarked(update.get("body"), 2000),
                )
                rows[row.incident_id, row.update_id] = row
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                bad.append(reject(f"incident {number} update {place}", error, update))
    return Batch(source=source, rows=tuple(rows.values()), rejected=tuple(bad), outcome="ok" if rows else "empty")


def parse_history(body: bytes, *, source: str, fetched_at: datetime) -> Batch:
    """Parse history.atom: one entry an incident, rewritten in place, its updates newest first and without a year.

    The feed does not tell an impact: an incident counts as minor, a maintenance as maintenance. An update is known
    by its time and phase. Raises SourceError when the bytes are no feed; an entry without a readable update is
    refused alone.
    """
    found = read_feed(body, source)
    rows: dict[tuple[str, str], StatusUpdate] = {}
    bad: list[RejectedRow] = []
    for number, entry in enumerate(found["entries"]):
        link = plain(entry.get("link"), 300)
        latest = moment(entry.get("updated"), fetched_at) or moment(entry.get("published"), fetched_at)
        published = moment(entry.get("published"), fetched_at)
        incident = plain(urlsplit(link).path.rsplit("/", 1)[-1], 60) or plain(entry.get("id"), 60)
        updates = _pieces(str(entry.get("content") or entry.get("summary") or ""), latest or fetched_at)
        ahead = [update for update in updates if update[0] > fetched_at + FUTURE]
        bad += [reject(f"entry {number}", f"time {iso(shown)} lies in the future", words) for shown, _, words in ahead]
        updates = [update for update in updates if update not in ahead]
        if not incident or not updates:
            why = "no update with a phase and a time whose zone means one thing" if incident else "neither link nor id"
            bad.append(reject(f"entry {number}", why, entry.get("content") or entry.get("title")))
            continue
        impact = "maintenance" if any(phase in MAINTENANCE for _, phase, _ in updates) else "minor"
        for place, (shown, phase, words) in enumerate(updates):
            first = place == len(updates) - 1
            row = StatusUpdate(
                page=page_key(link) or source,
                incident_id=incident,
                update_id=f"{shown:%Y%m%dT%H%M}-{phase}",
                name=unmarked(entry.get("title"), TITLE_CAP),
                status=phase,
                impact=impact,
                components=(),
                displayed_at=shown,
                created_at=max(shown, published) if first and published else shown,
                collected=fetched_at,
                body=words,
            )
            rows[incident, row.update_id] = row
    detail = "ill-formed, salvaged" if found["bozo"] else ""
    return Batch(
        source=source, rows=tuple(rows.values()), rejected=tuple(bad), detail=detail, outcome="ok" if rows else "empty"
    )


def _pieces(content: str, latest: datetime) -> list[tuple[datetime, str, str]]:
    """Return (time, phase, words) of each update in an entry, newest first; one that cannot be read is left out."""
    found = []
    for match in _PIECE.finditer(content[:200_000]):
        phase = "_".join(unmarked(match["phase"], 40).lower().split())
        shown = _shown(unmarked(match["when"], 80), latest)
        if shown is not None and phase in PHASES:
            words = unmarked(match["body"], 2000).removeprefix("-").strip()
            found.append((shown, phase, words))
    return found


def _shown(text: str, latest: datetime) -> datetime | None:
    """Read `Feb 24, 20:01 UTC`; the year is the one that puts it last before the entry's own time, with a day's room."""
    match = _DAY.search(html.unescape(text))
    if match is None or match["month"].lower() not in _MONTHS:
        return None
    for year in (latest.year + 1, latest.year, latest.year - 1):
        try:
            day = datetime(year, _MONTHS[match["month"].lower()], int(match["day"]), tzinfo=UTC).date()
        except ValueError:
            continue
        clock = match["clock"].lower()
        moments = [found for _, _, found in times_of_day(clock, match["clock"], day)]
        if moments and moments[0] <= latest + timedelta(days=1):
            return moments[0]
    return None


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
