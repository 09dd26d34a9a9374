"""What the page of a service is made of."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from pipeline.config.settings import Config
from pipeline.core.catalogue import Service
from pipeline.core.records import Availability, NewsItem
from pipeline.core.series import SeriesKey, VerdictPoint
from pipeline.core.vocabulary import Channel
from pipeline.render.chart_view import ChartView, Counts, Step, panel, table
from pipeline.render.formatting import isolated, local, safe_link
from pipeline.render.report import LISTED, ReportContext, incident_rows
from pipeline.render.report_rows import HourBar, ServiceCard, UndatedNews
from pipeline.render.tiles import SPARK_SPAN, SPARK_STEP
from pipeline.render.time_axis import Axis
from pipeline.reports.planned_maintenance import announcements
from pipeline.stages.publish.facts import SPAN
from pipeline.store import Store
from pipeline.store.observations import news_of_unknown_time
from pipeline.store.report_data import all_availability, usual_by_hour
from pipeline.store.verdicts import verdicts

LEARNING = timedelta(days=14)
MONTHS = 48


class ServiceInputs(Struct, frozen=True, kw_only=True):
    """What the pages of services are made of, by service."""

    months: Mapping[str, Sequence[Availability]]
    usual: Mapping[str, Mapping[int, float]]
    undated: Mapping[str, Sequence[NewsItem]]
    maintenance: Mapping[str, Sequence[str]]


def service_inputs(store: Store, config: Config, context: ReportContext) -> ServiceInputs:
    """Return it; what is usual by hour is of the last seven whole days, so that it changes once a day."""
    midnight = context.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return ServiceInputs(
        months=all_availability(store),
        usual=usual_by_hour(store, midnight - SPAN, midnight),
        undated=_undated_news(store, config, context.now),
        maintenance={name: announcements(store, config.catalogue[name], context.now) for name in context.services},
    )


def service_card(context: ReportContext, inputs: ServiceInputs, service: Service) -> ServiceCard:
    """Return what the page of a service says beside its tile."""
    own = context.by_service.get(service.id, [])
    return ServiceCard(
        vendor=service.vendor,
        status_page=safe_link(service.status_page),
        chart=_last_day(context, service),
        months=inputs.months.get(service.id, ())[:MONTHS],
        listed=incident_rows(context, own[:LISTED]),
        older=max(0, len(own) - LISTED),
        hours=_hours(inputs.usual.get(service.id, {}), context),
        parts=[part.name for part in service.components],
        undated=[
            UndatedNews(
                isolated(item.title), isolated(item.outlet), local(item.collected, context.zone), safe_link(item.url)
            )
            for item in inputs.undated.get(service.id, ())[:LISTED]
        ],
        maintenance=[isolated(line) for line in inputs.maintenance.get(service.id, ())[:LISTED]],
    )


def _last_day(context: ReportContext, service: Service) -> ChartView | None:
    """Return the chart of the last 24 hours in whole half hours; None where nothing was counted."""
    counted = context.counts.get(service.id, {})
    last = int(context.now.timestamp()) // SPARK_STEP * SPARK_STEP
    time_axis = Axis(first=last - int(SPARK_SPAN.total_seconds()), last=last, step=SPARK_STEP, zone=context.zone)
    shown = []
    for channel, unit in ((Channel.COMPLAINTS, "complaints"), (Channel.VOTES, "reports")):
        known = {step.start: step for step in counted.get(channel, ())}
        if not any(step.observed for start, step in known.items() if start in time_axis.starts()):
            continue
        usual = channel is Channel.COMPLAINTS
        absent = Step(0, None if usual else 0.0)
        steps = [
            Step(start, known[start].observed, known[start].expected if usual else None)
            if start in known
            else absent._replace(start=start)
            for start in time_axis.starts()
        ]
        title = f"{unit} in {SPARK_STEP // 60} min{' (simulated)' if context.simulated else ''}"
        shown.append(Counts(title=title, unit=unit, steps=steps))
    if not shown:
        return None
    heads, rows = table(shown, time_axis)
    return ChartView(
        title=f"{service.name}, last 24 hours",
        panels=tuple(panel(counts, time_axis) for counts in shown),
        impact=(),
        lanes=(),
        marks=(),
        hours=time_axis.hours(),
        columns=heads,
        rows=rows,
    )


def _hours(usual: Mapping[int, float], context: ReportContext) -> list[HourBar]:
    """Return what is usual by hour of the reader's day, from midnight on; empty without any."""
    top = max(usual.values(), default=0.0)
    if top <= 0:
        return []
    here = ZoneInfo(context.zone)
    there = {
        (context.now.astimezone(UTC).replace(hour=hour, minute=0).astimezone(here).hour): value
        for hour, value in usual.items()
    }
    return [
        HourBar(f"{hour:02}:00", f"{there.get(hour, 0.0):.1f}", round(100 * there.get(hour, 0.0) / top))
        for hour in range(24)
    ]


def _undated_news(store: Store, config: Config, now: datetime) -> Mapping[str, Sequence[NewsItem]]:
    """Return the last days' news items of unknown time by the services they name, latest first."""
    items = news_of_unknown_time(store, now - SPAN, now)
    if not items:
        return {}
    from pipeline.text.services import ServiceMatcher

    matcher, found = ServiceMatcher(config.catalogue), defaultdict[str, list[NewsItem]](list)
    for item in reversed(items):
        for service in matcher.entities(f"{item.title}. {item.summary}"):
            found[service].append(item)
    return found


def learning_of(store: Store, service: str, since: datetime | None, now: datetime) -> str:
    """Return how far a service's daily pattern is learned and what can be seen meanwhile, empty once it is."""
    if since is None:
        return "no counts and no posts about it were read yet"
    if now - since >= LEARNING:
        return ""
    limits = [
        f"{newest.upperbound:.0f} {'complaints' if key.channel == Channel.COMPLAINTS else f'reports on {key.source}'}"
        f" in {key.bin_s // 60} min"
        for key, newest in _newest(store, service, now)
    ]
    sees = f"; can see only outages above {' or '.join(limits)}" if limits else ""
    return f"learning: {(now - since) // timedelta(days=1)} of {LEARNING.days} days{sees}"


def _newest(store: Store, service: str, now: datetime) -> list[tuple[SeriesKey, VerdictPoint]]:
    """Return the newest judged bin of each total whose upper bound is known."""
    found = []
    judged = verdicts(store, now - timedelta(hours=6), now, service=service)
    for key, points in sorted(judged.items(), key=lambda pair: str(pair[0])):
        known = [point for point in points if not math.isnan(point.upperbound)]
        if known and key.is_total:
            found.append((key, known[-1]))
    return found
