"""The chart of an incident: counts with what is usual, impact, parts, alerts, notices and news over one time axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from pipeline.core.catalogue import Catalogue, Service, names
from pipeline.core.incidents import Incident
from pipeline.core.news_events import LinkRow
from pipeline.core.series import Points, SeriesKey
from pipeline.core.vocabulary import Channel, ComponentStatus, PhaseName
from pipeline.render.chart_view import Bar, ChartView, Counts, Lane, Mark, Step, marked, panel, placed, summed, table
from pipeline.render.formatting import isolated, local
from pipeline.render.summary import PeakCount
from pipeline.render.time_axis import Axis, axis
from pipeline.store.report_data import IncidentHead

BEFORE, AFTER = timedelta(hours=2), timedelta(hours=1)
REPORT_STEP = 300  # seconds; reports are counted by the minute, which is too fine to look at
LANES = 16  # parts drawn; the table has all
MEMBERS = 4  # services of a shared failure whose counts are drawn
_UNITS = {Channel.COMPLAINTS: "complaints", Channel.VOTES: "reports"}


class ChartContext(Struct, frozen=True, kw_only=True):
    """What the chart shows. `series` are verdicts of the incident's service, or of a shared failure's members."""

    incident: Incident
    service: Service
    catalogue: Catalogue
    series: Mapping[SeriesKey, Points]
    links: Sequence[LinkRow]
    members: Sequence[IncidentHead]
    first_alert_at: datetime | None
    zone: str
    now: datetime
    simulated: bool


def incident_chart(context: ChartContext) -> ChartView:
    """Return the chart; without any counts it has no panels."""
    incident = context.incident
    shown = list(_shown(context.series))
    begin = min([incident.onset, *(c.since for c in incident.components)])
    until = min(context.now, (incident.end or context.now) + AFTER)
    time_axis = axis(begin - BEFORE, until, max([REPORT_STEP, *(key.bin_s for key in shown)]), context.zone)
    counts = [_counts(key, context, time_axis, several=len({k.service for k in shown}) > 1) for key in shown]
    counts = [c for c in counts if any(step.observed for step in c.steps)]
    heads, rows = table(counts, time_axis)
    lanes = _lanes(context, time_axis)
    return ChartView(
        title=f"{context.service.name}, {time_axis.time(time_axis.first)} to {time_axis.time(time_axis.last)}",
        panels=tuple(panel(c, time_axis) for c in counts),
        impact=placed(_impact(context), time_axis),
        lanes=lanes[:LANES],
        more_lanes=max(0, len(lanes) - LANES),
        marks=marked(_marks(context), time_axis),
        hours=time_axis.hours(),
        columns=heads,
        rows=rows if counts else (),
    )


def peak_of(series: Mapping[SeriesKey, Points], incident: Incident) -> PeakCount | None:
    """Return the highest count while an incident lasted: complaints, else reports in five minutes; None without any."""
    for channel, unit in _UNITS.items():
        key = next(iter(_of(series, channel)), None)
        if key is None:
            continue
        steps = _in_steps(series[key], max(key.bin_s, REPORT_STEP), incident)
        best = max(steps, key=lambda s: (s.observed or 0.0, -s.start), default=None)
        if best is not None and best.observed:
            minutes = max(key.bin_s, REPORT_STEP) // 60
            expected = best.expected if channel is Channel.COMPLAINTS else None
            return PeakCount(best.observed, expected, unit, minutes)
    return None


def highest_peak(
    series: Mapping[SeriesKey, Points], incident: Incident, service_names: Mapping[str, str]
) -> PeakCount | None:
    """Return the peak of the service of a shared failure that is furthest above what is usual; None without any."""
    peaks = []
    for service, name in sorted(service_names.items()):
        peak = peak_of({key: points for key, points in series.items() if key.service == service}, incident)
        if peak is not None:
            peaks.append(peak._replace(service=name))
    return max(peaks, key=lambda peak: peak.observed - (peak.expected or 0.0), default=None)


def _in_steps(points: Points, width: int, incident: Incident) -> list[Step]:
    cells: dict[int, Step] = {}
    for point in points:
        if point.start < incident.onset - timedelta(seconds=width) or (incident.end and point.start > incident.end):
            continue
        slot = int(point.start.timestamp()) // width * width
        known = cells.get(slot, Step(slot, 0.0, 0.0))
        observed = (known.observed or 0.0) + (_known(point.observed) or 0.0)
        expected = (known.expected or 0.0) + (_known(point.expected) or 0.0)
        cells[slot] = Step(slot, observed, expected)
    return list(cells.values())


def _of(series: Mapping[SeriesKey, Points], channel: Channel) -> list[SeriesKey]:
    return sorted((k for k in series if k.channel == channel and k.is_total), key=str)


def _shown(series: Mapping[SeriesKey, Points]) -> Iterable[SeriesKey]:
    """Yield the totals that are drawn: of one service complaints and reports, of several the loudest of each."""
    services = sorted({key.service for key in series})
    if len(services) <= 1:
        for channel in _UNITS:
            yield from _of(series, channel)[:1]
        return
    first = {}
    for service in services:
        own = {key: points for key, points in series.items() if key.service == service}
        for channel in _UNITS:
            if (keys := _of(own, channel)) and service not in first:
                first[service] = keys[0]
    loudest = sorted(first.values(), key=lambda k: (-max((p.score for p in series[k]), default=0.0), str(k)))
    yield from loudest[:MEMBERS]


def _counts(key: SeriesKey, context: ChartContext, time_axis: Axis, *, several: bool) -> Counts:
    channel = Channel(key.channel)
    with_usual = channel is Channel.COMPLAINTS
    bins = (
        Step(
            int(point.start.timestamp()),
            _known(point.observed),
            _known(point.expected) if with_usual else None,
            _known(point.upperbound) if with_usual else None,
        )
        for point in context.series[key]
    )
    unit = _UNITS[channel]
    name = f"{context.catalogue[key.service].name}: " if several and key.service in context.catalogue else ""
    return Counts(
        title=f"{name}{unit} in {_width(time_axis.step)}{' (simulated)' if context.simulated else ''}",
        unit=f"{name}{unit}",
        # where nobody reported there is no row; complaints have a row for each bin that was counted
        steps=summed(bins, time_axis, bin_s=key.bin_s, empty=None if with_usual else 0.0),
    )


def _width(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def _impact(context: ChartContext) -> Iterable[Bar]:
    until = context.incident.end or context.now
    for p in context.incident.phases:
        if p.phase is not PhaseName.OVER and not context.members:
            title = f"{p.phase}, impact {p.impact}, from {local(p.since, context.zone)}"
            yield Bar(_s(p.since), _s(p.until or until), f"i-{p.impact}", title)


def _lanes(context: ChartContext, time_axis: Axis) -> tuple[Lane, ...]:
    """Return what failed or worked from when to when: components by who says so, or members of a shared failure."""
    bars: dict[str, list[Bar]] = {}
    until = context.incident.end or context.now
    for m in context.members:
        name = context.catalogue[m.service].name if m.service in context.catalogue else m.service
        title = f"impact {m.impact} from {local(m.onset, context.zone)}"
        bars.setdefault(name, []).append(Bar(_s(m.onset), _s(m.end or until), f"people i-{m.impact}", title))
    own = () if context.members else context.incident.components
    for c in sorted(own, key=lambda c: (c.since, c.component, c.source)):
        name = names([c.component], context.service)[0]
        by_people = c.source == Channel.VOTES
        who = "users say it" if by_people else "the provider says it"
        verb = "works" if c.status is ComponentStatus.WORKS else "fails"
        css = f"{'people' if by_people else 'official'} {c.status}"
        bars.setdefault(name, []).append(
            Bar(_s(c.since), _s(c.until or until), css, f"{who} {verb} from {local(c.since, context.zone)}")
        )
    return tuple(Lane(name=name, bars=placed(of, time_axis)) for name, of in bars.items())


def _marks(context: ChartContext) -> Iterable[Mark]:
    incident, zone = context.incident, context.zone
    for link in context.links:
        if link.shown and link.link.better_than_chance:
            yield Mark(_s(link.first_seen), "news", f"news {local(link.first_seen, zone)}: {isolated(link.title)}")
    if incident.official_first_at:
        at = incident.official_first_at
        yield Mark(_s(at), "notice", f"first notice of the provider {local(at, zone)}")
    if context.first_alert_at is not None:
        yield Mark(_s(context.first_alert_at), "alert", f"first alert {local(context.first_alert_at, zone)}")


def _s(moment: datetime) -> int:
    return int(moment.timestamp())


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
