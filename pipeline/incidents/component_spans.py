"""When each component failed or worked: as the page lists it, and as people say. Pure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.core.catalogue import Service
from pipeline.core.incidents import ComponentSpan
from pipeline.core.reports import Report
from pipeline.core.vocabulary import ComponentStatus
from pipeline.incidents.episodes import WORKING, ProviderIncident
from pipeline.incidents.places import MIN_SHARE

RECENT = timedelta(minutes=60)
MIN_VOTES = 3


@dataclass(slots=True)
class _Open:
    since: datetime
    last: datetime
    detail: str


def official_components(service: Service, provider_incidents: Sequence[ProviderIncident]) -> list[ComponentSpan]:
    """Return when the page listed each component as failing, and when it took it back."""
    changes: dict[str, list[tuple[datetime, str, bool]]] = {}
    for provider_incident in provider_incidents:
        for update in provider_incident.updates:
            # what a look back lists is not failing again
            late = provider_incident.resolved is not None and update.displayed_at > provider_incident.resolved
            for name, _, new in update.components if not late else ():
                part = service.component_named(name) or name
                changes.setdefault(part, []).append((update.displayed_at, provider_incident.id, new not in WORKING))
        if provider_incident.resolved is not None:
            for rows in changes.values():
                rows.append((provider_incident.resolved, provider_incident.id, False))
    spans: list[ComponentSpan] = []
    for part, rows in sorted(changes.items()):
        failing: set[str] = set()
        since: datetime | None = None
        first = ""
        for moment, notice_id, fails in sorted(rows, key=lambda row: (row[0], row[1])):
            failing = failing | {notice_id} if fails else failing - {notice_id}
            if failing and since is None:
                since, first = moment, notice_id
            elif not failing and since is not None:
                spans.append(_official_span(part, since, moment, first))
                since = None
        if since is not None:
            spans.append(_official_span(part, since, None, first))
    return spans


def _official_span(part: str, since: datetime, until: datetime | None, provider_incident: str) -> ComponentSpan:
    return ComponentSpan(
        component=part,
        source="official",
        status=ComponentStatus.AFFECTED,
        since=since,
        until=until,
        detail=f"listed by the provider, incident {provider_incident}",
    )


def voted_components(reports: Sequence[Report], end: datetime | None, now: datetime) -> list[ComponentSpan]:
    """Return which components people say fail, and which they say work, and for how long.

    A component is affected from the third report that names it within an hour, if at least 15 % of those reports
    that name any component name it and fewer say it works; it is said to work from the second who says so. Either
    lasts until the votes turn, or until nobody has said so for an hour.
    """
    recent: deque[Report] = deque()
    tally: dict[ComponentStatus, Counter[str]] = {status: Counter() for status in ComponentStatus}
    naming = 0
    spans: dict[tuple[str, ComponentStatus], _Open] = {}
    found: list[ComponentSpan] = []

    def close(key: tuple[str, ComponentStatus], until: datetime | None) -> None:
        span = spans.pop(key)
        found.append(
            ComponentSpan(
                component=key[0],
                source="votes",
                status=key[1],
                since=span.since,
                until=None if until is None else max(until, span.since),
                detail=span.detail,
            )
        )

    # one that names no part changes nothing: the span that its time ends is ended there by the next one or below
    for report in (r for r in reports if r.working_components or (r.components and r.counted)):
        at = report.created
        for key in [key for key, span in spans.items() if at - span.last > RECENT]:
            close(key, spans[key].last + RECENT)
        recent.append(report)
        old = []
        while at - recent[0].created > RECENT:
            old.append(recent.popleft())
        for sign, moved in ((1, [report]), (-1, old)):
            for r in moved:
                counted = r.components if r.counted else ()
                naming += sign * bool(counted)
                for status, parts in (
                    (ComponentStatus.AFFECTED, counted),
                    (ComponentStatus.WORKS, r.working_components),
                ):
                    for part in parts:
                        tally[status][part] += sign
        for part in sorted({*(report.components if report.counted else ()), *report.working_components}):
            fails, works = tally[ComponentStatus.AFFECTED][part], tally[ComponentStatus.WORKS][part]
            verdict: ComponentStatus | None = None
            detail = ""
            if fails >= MIN_VOTES and fails >= MIN_SHARE * naming and fails > works:
                verdict, detail = ComponentStatus.AFFECTED, f"{fails} of {naming} reports name it"
            elif works >= 2 and works > fails:
                verdict, detail = ComponentStatus.WORKS, f"{people_say(works)} it works, {fails} that it fails"
            for status in ComponentStatus:
                key = (part, status)
                if status is verdict:
                    spans.setdefault(key, _Open(at, at, detail)).last = at
                elif key in spans and verdict:
                    close(key, at)
    for key in sorted(spans):
        over = spans[key].last + RECENT
        close(key, min(over, end) if end is not None else (over if over <= now else None))
    return sorted(found, key=lambda c: (c.component, c.status, c.since))


def people_say(number: int) -> str:
    return f"{number} {'person says' if number == 1 else 'people say'}"
