"""Everything a message about an incident says, as plain values fixed when its row is written. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pipeline.core.catalogue import Service, names
from pipeline.core.incidents import Incident
from pipeline.core.series import Interval, Points, SeriesKey
from pipeline.core.times import iso
from pipeline.text.normalize import strip_to_words

QUOTES = 3
CHART_SPAN = timedelta(hours=8)


def facts(
    incident: Incident,
    service: Service,
    transition: str,
    reports: Sequence[Mapping[str, Any]],
    intervals: Sequence[Interval],
    series: Mapping[SeriesKey, Points],
    links: Sequence[Mapping[str, Any]],
    news: Mapping[str, tuple[str, str, int]],
    now: datetime,
    *,
    next_after: datetime,
    simulated: bool,
) -> dict[str, Any]:
    """Return the facts. `news` maps an event id to (title, first seen, outlets); `series` holds recent verdicts."""
    votes = [r for r in reports if r["weight"] > 0 and r["created"] >= incident.onset - timedelta(minutes=5)]
    affected = incident.affected(now)
    works = {c.component for c in incident.components if c.status == "works" and c.component not in affected}
    kinds = sorted({_source_name(i.series) for i in intervals})
    return {
        "service": service.name,
        "service_id": service.id,
        "transition": transition,
        "state": incident.state,
        "impact": incident.impact,
        "symptom": incident.symptom,
        "onset": iso(incident.onset),
        "peak": iso(incident.peak) if incident.peak else None,
        "end": iso(incident.end) if incident.end else None,
        "at": iso(now),
        "official_first_at": iso(incident.official_first_at) if incident.official_first_at else None,
        "affected": list(affected),
        "affected_names": names(affected, service),
        "works_names": names(sorted(works), service),
        "components": [
            {
                "name": names([c.component], service)[0],
                "source": c.source,
                "status": c.status,
                "since": iso(c.since),
                "until": iso(c.until) if c.until else None,
                "detail": c.detail,
            }
            for c in sorted(incident.components, key=lambda c: (c.since, c.component, c.source))
        ],
        "evidence": [e.statement for e in incident.evidence if e.kind in ("complaints", "votes", "shared", "doors")][
            -5:
        ],
        "official": [[iso(e.at), e.statement] for e in incident.evidence if e.kind == "official"][-4:],
        "sources": kinds,
        "votes": len(votes),
        "refused": _refused(reports, incident),
        "quotes": quotes(votes),
        "episodes": incident.episode_count,
        "probability": incident.probability,
        "where": _first(incident, "where"),
        "fallback": _first(incident, "fallback"),
        "comparable": [
            e.statement
            for e in sorted(
                (e for e in incident.evidence if e.kind == "comparable"), key=lambda e: -(e.compared_with or 0.0)
            )
        ][:3],
        "differs": [e.statement for e in incident.evidence if e.kind == "differs"][:2],
        "links": [
            {
                "relation": k["relation"],
                "title": news[k["news_event"]][0],
                "seen": news[k["news_event"]][1],
                "outlets": news[k["news_event"]][2],
                "for": list(k["evidence_for"]),
                "against": list(k["evidence_against"]),
            }
            for k in links
            if k["news_event"] in news
        ][:3],
        "next_after": iso(next_after),
        "simulated": simulated,
        "chart": chart(service, series, incident, now),
    }


def _first(incident: Incident, kind: str) -> str:
    return next((e.statement for e in incident.evidence if e.kind == kind), "")


def _refused(reports: Sequence[Mapping[str, Any]], incident: Incident) -> dict[str, int]:
    """Return how many reports of the incident were not counted, by why, most first."""
    begin = incident.onset - timedelta(minutes=5)
    why = Counter(
        str(r["reason"])
        for r in reports
        if r["weight"] <= 0 and r["created"] >= begin and r.get("reason", "") not in ("", "not about an outage")
    )
    return dict(sorted(why.items(), key=lambda pair: (-pair[1], pair[0])))


def _source_name(series: SeriesKey) -> str:
    return {"complaints": "complaint counts"}.get(series.channel, f"posts on {series.source}")


def quotes(votes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return at most three short reports in people's own words: the surest, each worded differently."""
    chosen: list[str] = []
    shapes: list[set[str]] = []
    for report in sorted(votes, key=lambda r: (-round(r["p_outage"], 2), r["created"], r["native_id"])):
        text = " ".join(f"{report['title']}. {report['text']}".strip(". ").split())
        words = set(strip_to_words(text).split())
        if not 20 <= len(text) <= 220 or any(len(words & other) > len(words) / 2 for other in shapes):
            continue
        chosen.append(text)
        shapes.append(words)
        if len(chosen) == QUOTES:
            break
    return chosen


def chart(
    service: Service, series: Mapping[SeriesKey, Points], incident: Incident, now: datetime
) -> dict[str, Any] | None:
    """Return the points of the chart that shows the incident best: complaints, else reports in 5-minute steps."""
    mine = [key for key in series if key.service == service.id and key.is_total]
    since = max(incident.onset - timedelta(hours=3), now - CHART_SPAN * 2)
    for channel, step in (("complaints", 0), ("votes", 300)):
        keys = sorted((key for key in mine if key.channel == channel), key=str)
        points = [point for point in series[keys[0]] if point[0] >= since] if keys else []
        if not points or not any(point[1] > 0 for point in points):
            continue
        if channel == "complaints" and max(p[0] for p in points) < incident.onset:
            continue
        width = step or keys[0].bin_s
        unit = "complaints" if channel == "complaints" else f"reports on {keys[0].source}"
        merged = _merged(points, width, since, now, dense=channel == "complaints")
        return {"label": f"{unit} in {width // 60} min", **merged}
    return None


def _merged(points: Points, width: int, since: datetime, now: datetime, *, dense: bool) -> dict[str, list[Any]]:
    """Sum points into steps of `width` seconds; a step without any is 0, or unknown in a channel that tells zeros."""
    steps: dict[int, list[float]] = {}
    for start, observed, expected, upper, _, _ in points:
        slot = int(start.timestamp()) // width * width
        cell = steps.setdefault(slot, [0.0, 0.0, 0.0])
        cell[0] += observed
        cell[1] += expected
        cell[2] = max(cell[2], upper)
    first, last = int(since.timestamp()) // width * width, int(now.timestamp()) // width * width
    if dense:
        first, last = min(steps), max(steps) + width
    moments = list(range(first, last, width))
    empty = [math.nan] * 3 if dense else [0.0, math.nan, math.nan]
    rows = [steps.get(moment, empty) for moment in moments]
    return {
        "t": moments,
        "observed": [_number(r[0]) for r in rows],
        "expected": [_number(r[1]) for r in rows],
        "upper": [_number(r[2]) for r in rows],
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 2)


_WORDS = {
    "opened": "possible outage",
    "under_way": "already under way when we began",
    "confirmed": "confirmed by the provider",
    "worse": "getting worse",
    "component_added": "more parts affected",
    "easing": "easing",
    "over": "over",
    "reopened": "back again",
    "reminder": "still going on",
}


def subject(told: Mapping[str, Any]) -> str:
    """Return the subject line: service, what changed, what fails, impact."""
    opened = {"likely": "likely outage", "confirmed": "outage, confirmed by the provider"}
    words = (
        opened.get(told["state"], _WORDS["opened"]) if told["transition"] == "opened" else _WORDS[told["transition"]]
    )
    parts = ", ".join(str(name)[:40] for name in told["affected_names"][:3]) + (
        " and more" if len(told["affected_names"]) > 3 else ""
    )
    about = [parts] if parts else []
    if told["symptom"] and told["transition"] not in ("over", "easing"):
        about.append(told["symptom"].replace("_", " "))
    if told["transition"] != "over":
        about.append(f"impact {told['impact']}")
    simulated = "[simulated] " if told["simulated"] else ""
    return f"{simulated}{told['service']}: {words}" + (f" ({'; '.join(about)})" if about else "")
