"""The charts of an incident's page: counts with what was usual, phases, notices, news; parts over time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pipeline.core.alerts import Alert
from pipeline.core.catalogue import Service, names
from pipeline.core.incidents import Incident, LinkRow
from pipeline.core.series import Points, SeriesKey
from pipeline.render.formatting import isolated
from pipeline.render.svg import Bar, CountChart, Mark, count_chart, parts_chart

BEFORE, AFTER, LONGEST = timedelta(hours=3), timedelta(hours=3), timedelta(hours=30)
LANES = 16  # parts drawn; the table beside has all


def count_charts(
    incident: Incident,
    series: Mapping[SeriesKey, Points],
    alerts: Sequence[Alert],
    links: Sequence[LinkRow],
    now: datetime,
    *,
    simulated: bool,
) -> list[str]:
    """Return complaint counts in their bins, with the most that was usual, and reports in five-minute steps."""
    since, until = incident.onset - BEFORE, _until(incident, now)
    marks = _marks(incident, alerts, links)
    phases = [
        Bar(_s(p.since), _s(p.until or until), p.impact, f"{p.phase}, impact {p.impact}, from {p.since:%H:%M} UTC")
        for p in incident.phases
        if p.phase != "over"
    ]
    charts = []
    for channel, width, unit in (("complaints", 0, "complaints"), ("votes", 300, "reports")):
        key = min((k for k in series if k.channel == channel and k.is_total), key=str, default=None)
        if key is None:
            continue
        step = width or key.bin_s
        cells: dict[int, list[float]] = {}
        for point in series[key]:
            if since <= point.start < until:
                cell = cells.setdefault(_s(point.start) // step * step, [0.0, 0.0, 0.0])
                cell[0] += point.observed
                cell[1] += point.expected
                cell[2] = max(cell[2], point.upperbound)  # of one bin; only drawn where a step is one bin
        if not cells:
            continue
        times = list(range(_s(since) // step * step, _s(until), step))
        quiet = [None] * len(times)
        with_usual = channel == "complaints"
        charts.append(
            CountChart(
                label=f"{unit} in {step // 60} min, UTC, from {since:%-d %B}"
                f"{', the first 30 hours' if until - incident.onset >= LONGEST else ''}"
                f"{', simulated' if simulated else ''}",
                times=times,
                observed=[_cell(cells.get(t), 0, 0.0 if channel == "votes" else None) for t in times],
                expected=[_cell(cells.get(t), 1) for t in times] if with_usual else quiet,
                marks=marks,
                upper=[_cell(cells.get(t), 2) for t in times] if with_usual else (),
                phases=phases,
                description=f"most at {_peak(cells)} UTC; "
                f"{'; '.join(mark.title for mark in marks if mark.css in ('official', 'alert'))}",
            )
        )
    return [count_chart(chart) for chart in charts]


def parts_over_time(incident: Incident, service: Service, now: datetime) -> str:
    """Return which part failed or worked from when to when, by people and by the provider; empty without any."""
    until = _until(incident, now)
    lanes: dict[str, list[Bar]] = {}
    for c in sorted(incident.components, key=lambda c: (c.since, c.component, c.source)):
        name = names([c.component], service)[0]
        who = "people say it" if c.source == "votes" else "the provider says it"
        title = f"{name}: {who} {'works' if c.status == 'works' else 'fails'} from {c.since:%H:%M}"
        css = f"{'votes' if c.source == 'votes' else 'official'} {c.status}"
        lanes.setdefault(name, []).append(Bar(_s(c.since), _s(c.until or until), css, title))
    if not lanes:
        return ""
    first = _s(min(incident.onset, *(c.since for c in incident.components)))
    return parts_chart(list(lanes.items())[:LANES], first, _s(until), "parts over time, UTC")


def _until(incident: Incident, now: datetime) -> datetime:
    return min(now, (incident.end or now) + AFTER, incident.onset + LONGEST)


def _marks(incident: Incident, alerts: Sequence[Alert], links: Sequence[LinkRow]) -> list[Mark]:
    marks = [
        Mark(_s(k.first_seen), "news", f"news {k.first_seen:%H:%M} UTC: {isolated(k.title)}") for k in links if k.shown
    ]
    for e in incident.evidence:
        if e.kind == "official":
            marks.append(Mark(_s(e.at), "update", f"{e.at:%H:%M} UTC, {isolated(e.statement)}"))
    if incident.official_first_at:
        at = incident.official_first_at
        marks.append(Mark(_s(at), "official", f"first official notice {at:%H:%M} UTC"))
    sent = [a.sent_at for a in alerts if a.sent_at is not None]
    if sent:
        at = min(sent)
        marks.append(Mark(_s(at), "alert", f"first alert {at:%H:%M} UTC"))
    return marks


def _peak(cells: Mapping[int, Sequence[float]]) -> str:
    at = max(cells, key=lambda t: (0.0 if math.isnan(cells[t][0]) else cells[t][0], -t))
    return datetime.fromtimestamp(at, tz=UTC).strftime("%Y-%m-%d %H:%M")


def _s(moment: datetime) -> int:
    return int(moment.timestamp())


def _cell(cell: Sequence[float] | None, place: int, empty: float | None = None) -> float | None:
    if cell is None:
        return empty
    return None if math.isnan(cell[place]) else cell[place]
