"""The series that a message's chart shows: what was counted and what was expected, around the incident."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from pipeline.core.alert_facts import ChartFacts
from pipeline.core.catalogue import Service
from pipeline.core.incidents import Incident
from pipeline.core.series import Points, SeriesKey

CHART_SPAN = timedelta(hours=8)


def chart(service: Service, series: Mapping[SeriesKey, Points], incident: Incident, now: datetime) -> ChartFacts | None:
    """Return the points of the chart that shows the incident best: complaints, else reports in 5-minute steps."""
    mine = [key for key in series if key.service == service.id and key.is_total]
    since = max(incident.onset - timedelta(hours=3), now - CHART_SPAN * 2)
    for channel, step in (("complaints", 0), ("votes", 300)):
        keys = sorted((key for key in mine if key.channel == channel), key=str)
        points = [point for point in series[keys[0]] if point.start >= since] if keys else []
        if not points or not any(point.observed > 0 for point in points):
            continue
        if channel == "complaints" and max(point.start for point in points) < incident.onset:
            continue
        width = step or keys[0].bin_s
        unit = "complaints" if channel == "complaints" else f"reports on {keys[0].source}"
        label = f"{unit} in {width // 60} min"
        return _merged(label, points, width, (since, now), dense=channel == "complaints")
    return None


def _merged(label: str, points: Points, width: int, span: tuple[datetime, datetime], *, dense: bool) -> ChartFacts:
    """Sum points into steps of `width` seconds; a step without any is 0, or unknown in a channel that tells zeros."""
    steps: dict[int, list[float]] = {}
    for point in points:
        slot = int(point.start.timestamp()) // width * width
        cell = steps.setdefault(slot, [0.0, 0.0, 0.0])
        cell[0] += point.observed
        cell[1] += point.expected
        cell[2] = max(cell[2], point.upperbound)
    first, last = (int(moment.timestamp()) // width * width for moment in span)
    if dense:
        first, last = min(steps), max(steps) + width
    moments = list(range(first, last, width))
    empty = [math.nan] * 3 if dense else [0.0, math.nan, math.nan]
    rows = [steps.get(moment, empty) for moment in moments]
    return ChartFacts(
        label=label,
        times=tuple(moments),
        observed=tuple(_number(r[0]) for r in rows),
        expected=tuple(_number(r[1]) for r in rows),
        upper=tuple(_number(r[2]) for r in rows),
    )


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 2)
