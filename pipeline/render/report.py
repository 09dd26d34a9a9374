"""The report: self-contained pages, nothing fetched from anywhere, readable on a phone and in the dark."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipeline.core.alerts import Alert
from pipeline.core.catalogue import Catalogue, Service, names
from pipeline.core.incidents import Advisory, Evidence, Incident, LinkRow
from pipeline.core.records import Availability, SilentSource
from pipeline.core.series import Points, SeriesKey
from pipeline.render.charts import count_charts, parts_over_time
from pipeline.render.formatting import environment, in_percent, isolated, local
from pipeline.render.report_rows import AppPlace, IncidentRow, Statement, Topic

BASIS = ("complaints", "votes", "official", "shared")
TOPICS = (
    ("What is hit, and what is not", ("doors", "part", "differs", "unknown", "where", "region", "symptom")),
    ("Who said what, beside what was measured", ("disagreement", "figure", "comparison", "page")),
    ("Rivals", ("rival", "fallback")),
    ("Outages like this one", ("comparable", "outlook")),
    ("How sure, in parts (log-odds)", ("certainty",)),
)
LISTED, LINES = 40, 14
STALE = timedelta(hours=2)
_SPAN = re.compile(r"@[^/ ]+/\d{4}-")  # cites what lies between two times
RELATIONS = ("context_before", "reports", "follow_up", "other_incident", "shared_dependency")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLine:
    """A link as the page shows it; `p` is None where the history is too short to say."""

    title: str
    seen: str
    outlets: int
    p: float | None
    evidence_for: tuple[str, ...]
    evidence_against: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContext:
    """What the whole report is made of; `read` is when anything that could tell of a service was last read."""

    catalogue: Catalogue
    watched: Sequence[str]
    incidents: Sequence[Incident]
    alerts: Sequence[Alert]
    zone: str
    now: datetime
    simulated: bool
    note: str
    read: Mapping[str, datetime | None]

    def words(self) -> dict[str, object]:
        """Return what every page says."""
        return {"now": local(self.now, self.zone), "zone": self.zone, "simulated": self.simulated, "note": self.note}

    @property
    def services(self) -> list[str]:
        """Return the services that have a page: watched, when they are few, or with an incident."""
        known = {i.service for i in self.incidents} & set(self.catalogue)
        return sorted(known | set(self.watched)) if len(self.watched) < 20 else sorted(known)


def file_of(kind: str, name: str) -> str:
    """Return the file name of an incident's or a service's page."""
    return f"{kind}-{re.sub(r'[^A-Za-z0-9_-]', '_', name)}.html"


def index_page(
    context: ReportContext,
    *,
    learning: Mapping[str, str],
    advisories: Sequence[Advisory],
    ranks: Sequence[tuple[str, datetime, int]],
    rows: Mapping[str, int],
    blind: Sequence[SilentSource],
    doubts: Sequence[str] = (),
) -> str:
    """Return the first page: what is wrong now, surges, silent sources, incidents newest first."""
    newest = sorted(
        (i for i in context.incidents if i.service in context.catalogue), key=lambda i: (i.onset, i.id), reverse=True
    )
    return (
        environment()
        .get_template("index.html")
        .render(
            context.words(),
            services=[{**_now(context, s), "learning": learning.get(s, "")} for s in context.services],
            listed=_rows(context, newest[:LISTED]),
            rest=max(0, len(newest) - LISTED),
            total=len(context.incidents),
            rows=rows,
            doubts=doubts,
            ranks=_ranks(ranks, context.zone),
            blind=[b._replace(since=local(b.since, context.zone) if b.since else "never") for b in blind],
            advisories=[
                {
                    "name": context.catalogue[a.service].name,
                    "level": a.level,
                    "since": local(a.since, context.zone),
                    "until": local(a.until, context.zone) if a.until else "",
                    "reasons": a.reasons,
                }
                for a in advisories
                if a.service in context.catalogue
            ],
        )
    )


def incident_page(
    context: ReportContext,
    incident: Incident,
    *,
    series: Mapping[SeriesKey, Points],
    links: Sequence[LinkRow],
    quotes: Sequence[Mapping[str, Any]],
) -> str:
    """Return the page of one incident."""
    mine = _mine(context.alerts, incident)
    card = _card(context, incident, series, links, mine, quotes)
    return (
        environment()
        .get_template("incident.html")
        .render(context.words(), c={**card, "service_file": file_of("service", incident.service)})
    )


def service_page(
    context: ReportContext,
    service: Service,
    *,
    learning: str,
    takes: Sequence[str],
    months: Sequence[Availability],
) -> str:
    """Return the page of one service: now, what an alarm takes, availability, incidents, parts."""
    mine = sorted(
        (i for i in context.incidents if i.service == service.id), key=lambda i: (i.onset, i.id), reverse=True
    )
    card = {
        **_now(context, service.id),
        "vendor": service.vendor,
        "status_page": service.status_page,
        "learning": learning,
        "takes": takes,
        "months": months,
        "listed": _rows(context, mine[:LISTED]),
        "parts": [part.name for part in service.components],
    }
    return environment().get_template("service.html").render(context.words(), s=card)


def gone_page(context: ReportContext) -> str:
    """Return what stands where the page of an incident was that is none of its own any more."""
    return environment().get_template("gone.html").render(context.words())


def _now(context: ReportContext, service: str) -> dict[str, object]:
    """Return how a service stands; `unknown` in words where nothing that could tell was read lately."""
    read = context.read.get(service)
    unknown = (
        ""
        if read is not None and context.now - read <= STALE
        else f"not known: nothing was read {'since ' + local(read, context.zone) if read else 'yet'}"
    )
    active = next((i for i in reversed(context.incidents) if i.active and i.service == service), None)
    return {
        "name": context.catalogue[service].name,
        "file": file_of("service", service),
        "state": active.state if active else "quiet",
        "impact": active.impact if active else "none",
        "unknown": unknown,
        "incident": file_of("incident", active.id) if active else "",
        "count": sum(i.service == service for i in context.incidents),
    }


def _rows(context: ReportContext, incidents: Sequence[Incident]) -> list[IncidentRow]:
    found = []
    for i in incidents:
        service = context.catalogue[i.service]
        alerts = _mine(context.alerts, i)
        affected = sorted({c.component for c in i.components if c.status == "affected"})
        found.append(
            IncidentRow(
                file=file_of("incident", i.id),
                service=service.name,
                state=i.state,
                impact=i.impact,
                onset=local(i.onset, context.zone),
                end=local(i.end, context.zone) if i.end else "",
                first_alert=_first(alerts, context.zone),
                lead=_lead(alerts, i),
                parts=", ".join(names(affected, service)[:4]),
            )
        )
    return found


def _card(
    context: ReportContext,
    incident: Incident,
    series: Mapping[SeriesKey, Points],
    links: Sequence[LinkRow],
    alerts: Sequence[Alert],
    quotes: Sequence[Mapping[str, Any]],
) -> dict[str, object]:
    service, zone, now = context.catalogue[incident.service], context.zone, context.now
    grouped = [
        {
            "relation": relation.replace("_", " "),
            "links": [_link(k, zone) for k in links if k.relation == relation and k.shown],
        }
        for relation in RELATIONS
    ]
    return {
        "id": incident.id,
        "part_of": file_of("incident", incident.part_of) if incident.part_of else "",
        "service": service.name,
        "state": incident.state,
        "impact": incident.impact,
        "symptom": incident.symptom.replace("_", " "),
        "onset": local(incident.onset, zone),
        "end": local(incident.end, zone),
        "episodes": incident.episode_count,
        "charts": count_charts(incident, series, alerts, links, now, simulated=context.simulated),
        "parts_chart": parts_over_time(incident, service, now),
        "official": local(incident.official_first_at, zone, date=False) if incident.official_first_at else "",
        "first_alert": _first(alerts, zone, date=False),
        "lead": _lead(alerts, incident),
        "phases": [
            {
                "episode": p.episode,
                "phase": p.phase,
                "since": local(p.since, zone),
                "until": local(p.until, zone, date=False) if p.until else "",
                "impact": p.impact,
                "why": p.why,
            }
            for p in incident.phases
        ],
        "components": [
            {
                "name": names([c.component], service)[0],
                "status": c.status,
                "source": c.source,
                "since": local(c.since, zone),
                "until": local(c.until, zone) if c.until else "still",
                "detail": c.detail,
            }
            for c in sorted(incident.components, key=lambda c: (c.since, c.component, c.source))
        ],
        "topics": _topics(incident),
        "probability": in_percent(incident.probability) if incident.probability is not None else "",
        "hidden": sum(1 for k in links if not k.shown),
        "evidence": [
            {"at": local(e.at, zone), "kind": e.kind, "statement": isolated(e.statement), "rests_on": _rests_on(e)}
            for e in incident.evidence
            if e.kind in BASIS
        ],
        "quotes": [
            {
                "text": isolated(f"{q['title']} {q['text']}".strip()),
                "where": q["community"],
                "at": local(q["created"], zone),
            }
            for q in quotes
        ],
        "links": [group for group in grouped if group["links"]],
        "alerts": [
            {
                "at": local(a.created, zone),
                "transition": a.transition.replace("_", " "),
                "subject": isolated(a.subject),
                "sent": a.sent_at is not None,
                "error": a.error,
            }
            for a in alerts
        ],
    }


def _link(row: LinkRow, zone: str) -> LinkLine:
    return LinkLine(
        title=isolated(row.title),
        seen=local(row.first_seen, zone),
        outlets=row.outlets,
        p=row.p,
        evidence_for=row.evidence_for,
        evidence_against=row.evidence_against,
    )


def _topics(incident: Incident) -> list[Topic]:
    """Return what is told of an incident by topic, each statement with what it rests on, in the order of its kinds."""

    def place(e: Evidence, kinds: Sequence[str]) -> tuple[int, float]:
        alike = {"comparable": e.compared_with, "certainty": e.value, "part": e.value, "symptom": e.value}.get(e.kind)
        return kinds.index(e.kind), -(alike or 0.0)

    found = []
    for title, kinds in TOPICS:
        statements = sorted((e for e in incident.evidence if e.kind in kinds), key=lambda e: place(e, kinds))
        if statements:
            lines = tuple(Statement(isolated(e.statement), _rests_on(e)) for e in statements)
            found.append(Topic(title=title, lines=lines[:LINES], more=lines[LINES:], total=len(lines)))
    return found


def _rests_on(e: Evidence) -> str:
    rows = e.rows.split()
    if any(_SPAN.search(row) for row in rows):
        return "rests on all rows of a span"
    return f"rests on {len(rows)} row{'s' if len(rows) != 1 else ''}" if rows else ""


def _mine(alerts: Sequence[Alert], incident: Incident) -> list[Alert]:
    """Return an incident's messages, those of the failure it is part of among them."""
    return [a for a in alerts if a.incident and a.incident in (incident.id, incident.part_of)]


def heard_at(alerts: Sequence[Alert]) -> datetime | None:
    """Return when the first of some messages arrived; None while none did."""
    return min((a.sent_at for a in alerts if a.sent_at is not None), default=None)


def _first(alerts: Sequence[Alert], zone: str, *, date: bool = True) -> str:
    at = heard_at(alerts)
    return local(at, zone, date=date) if at else ("written, not sent" if alerts else "")


def _lead(alerts: Sequence[Alert], incident: Incident) -> str:
    at = heard_at(alerts)
    if at is None or incident.official_first_at is None:
        return ""
    minutes = (incident.official_first_at - at) / timedelta(minutes=1)
    return f"{abs(minutes):.0f} min {'before' if minutes >= 0 else 'after'} the provider"


def _ranks(ranks: Sequence[tuple[str, datetime, int]], zone: str) -> list[AppPlace]:
    """Return the latest and the best place of each app in the span."""
    by_app: dict[str, list[tuple[datetime, int]]] = {}
    for app, observed, rank in ranks:
        by_app.setdefault(app, []).append((observed, rank))
    found = []
    for app, places in sorted(by_app.items()):
        best = min(rank for _, rank in places)
        since = next(at for at, rank in places if rank == best)
        found.append(
            AppPlace(app=app, first=places[0][1], last=places[-1][1], best=best, best_since=local(since, zone))
        )
    return found
