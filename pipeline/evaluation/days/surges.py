"""The record of the surge watch's advisories over recorded days, compared with trivial rules."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from pipeline.core.incidents import Advisory
from pipeline.core.times import floor_to
from pipeline.evaluation.days.days import LoadedDay
from pipeline.evaluation.days.recording import ServiceRecording
from pipeline.reports.surge_record import (
    FLOOR_SETTLED,
    PROBABILITY,
    Conclusion,
    Forecast,
    Span,
    SurgeRecord,
    forecasts,
    settled_days,
    surge_record,
)

DAY = timedelta(days=1)
Outages = dict[str, list[tuple[datetime, datetime]]]


def mentions_stand_out(service: ServiceRecording, day: datetime) -> bool:
    """Return whether the mentions of the day before lie more than three deviations above the seven before it."""
    daily = [sum(day - n * DAY <= m.public < day - (n - 1) * DAY for m in service.mentions) for n in range(1, 9)]
    return daily[0] > statistics.mean(daily[1:]) + 3 * max(1.0, statistics.pstdev(daily[1:]))


def three_outlets(service: ServiceRecording, day: datetime) -> bool:
    """Return whether three outlets named it on the day before."""
    return len({outlet for at, outlet in service.outlets if day - DAY <= at < day}) >= 3


def first_in_chart(service: ServiceRecording, day: datetime) -> bool:
    """Return whether it climbed ten places in a chart on the day before, or took the first."""
    before = [rank for at, rank in service.ranks if at < day - DAY]
    lately = [rank for at, rank in service.ranks if day - DAY <= at < day]
    return bool(before and lately) and (before[-1] - lately[-1] >= 10 or lately[-1] == 1 < before[-1])


TRIVIAL: dict[str, Callable[[ServiceRecording, datetime], bool]] = {
    "mentions z > 3": mentions_stand_out,
    "three outlets a day": three_outlets,
    "chart only": first_in_chart,
    "never": lambda service, day: False,
}


def report(days: Sequence[LoadedDay], raised: Mapping[str, Sequence[Advisory]]) -> Iterator[str]:
    """Yield the record of the surge watch over days, `raised` being the advisories of each by its name."""
    made: list[Forecast] = []
    spans: list[Span] = []
    outages: Outages = {}
    recorded: dict[str, ServiceRecording] = {}
    for loaded in days:
        day = loaded.day
        known = {
            _key(day.name, s): [(o.onset, o.end) for o in day.truth.outages if o.service == s] for s in day.watched
        }
        outages |= known
        spans += [Span(service=_key(day.name, s), since=day.begin, until=day.until) for s in day.watched]
        recorded |= {_key(day.name, s): service for s, service in loaded.recorded.items()}
        mine = [a for a in raised.get(day.name, ()) if day.begin <= a.since <= day.until and a.service in day.watched]
        for forecast in forecasts(mine, {a.service: known[_key(day.name, a.service)] for a in mine}, day.until):
            made.append(_of_day(forecast, day.name))
    record = surge_record(made, spans, outages)
    yield from lines_of(record)
    yield from _compared_with_trivial(record, made, spans, outages, recorded)


def _key(day: str, service: str) -> str:
    """Return the name under which a service of a day is settled: the same service of two days is two."""
    return f"{day}/{service}"


def _of_day(forecast: Forecast, day: str) -> Forecast:
    return Forecast(
        service=_key(day, forecast.service),
        raised=forecast.raised,
        deadline=forecast.deadline,
        level=forecast.level,
        rule=forecast.rule,
        p=forecast.p,
        outcome=forecast.outcome,
    )


def lines_of(record: SurgeRecord) -> Iterator[str]:
    """Yield the record in words."""
    settled = record.hits + record.misses
    yield (
        f"surge watch: {record.forecasts} forecasts, {record.hits} hits, {record.misses} misses, {record.voids} void, "
        f"the rest open; {record.service_months} service-months, {_or_none(record.false_a_service_month)} false a month"
    )
    yield (
        f"base rate {_or_none(record.base_rate)}; Brier {_or_none(record.brier)}, of the base rate "
        f"{_or_none(record.brier_of_base_rate)}; hits on other dates {_or_none(record.placebo_dates)}, "
        f"of other services {_or_none(record.placebo_services)}; detectable from {_or_none(record.detectable)}"
    )
    yield f"{str(record.conclusion).upper()} (n {settled}; the floor is {FLOOR_SETTLED} settled forecasts)"
    if record.conclusion is not Conclusion.BETTER:
        yield "so that advisories are context, and no alarm"


def _compared_with_trivial(
    record: SurgeRecord,
    made: Sequence[Forecast],
    spans: Sequence[Span],
    outages: Outages,
    recorded: Mapping[str, ServiceRecording],
) -> Iterator[str]:
    """Yield each rule's Brier score over all settled service-days: 0.2 where it fires, the base rate elsewhere."""
    days = list(settled_days(spans, outages))
    raised = {(f.service, floor_to(f.raised, 86400) + DAY) for f in made}
    rules: dict[str, Callable[[str, datetime], bool]] = {"surge watch": lambda s, day: (s, day) in raised}
    for name, trivial in TRIVIAL.items():
        rules[name] = lambda s, day, rule=trivial: rule(recorded[s], day)  # type: ignore[misc]
    base = record.base_rate or 0.0
    for name, rule in rules.items():
        fired = [hit for service, day, hit in days if rule(service, day)]
        p = PROBABILITY["watch"]
        scores = [((p if rule(service, day) else base) - hit) ** 2 for service, day, hit in days]
        brier = statistics.mean(scores) if scores else None
        on = f"fires on {len(fired)} of {len(days)} service-days, {sum(fired)} hits"
        yield f"  {name:<22} {on}; Brier {_or_none(brier)}"


def _or_none(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
