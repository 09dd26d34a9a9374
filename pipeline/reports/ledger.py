"""The ledger of a service: how soon its page posts, and how long it is down by the page and by the crowd."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipeline.core.catalogue import Service
from pipeline.core.quantities import quantity
from pipeline.core.times import utc
from pipeline.incidents.reliability import (
    GRADED_FROM,
    REGIONS,
    ROLLING,
    Month,
    PostingDelay,
    acknowledgement,
    next_month,
    observed_until,
    posting_delay,
    working_minutes,
)
from pipeline.reports.reliability import by_crowd, by_page, records_with_crowd_onset, rounded
from pipeline.store import Store

MOSTLY = 0.95  # a month of which less was watched says so
LEGEND = (
    "grade: how soon the page speaks after the start: A in less than 15 min, B 30 min, C 2 h, D 4 h, else F."
    " nines: 3 are 99.9 % available. MTTR: mean time to repair; MTBF: mean time between failures."
    " by crowd: minutes down by reports. front - API: minutes that what people open was down longer than the API."
)
FRONT_ROLES, BACK_ROLES = frozenset({"web", "mobile", "desktop", "login"}), frozenset({"api"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgementLine:
    """The grade of the days since `since`, as pipeline.incidents.reliability.Acknowledgement describes it."""

    grade: str | None
    mean_minutes: float | None
    incidents: int
    began_with_notice: int
    left_out: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthLine:
    """A month (`2026-03`), of which `observed_minutes` were watched: availability is of these.

    `nines` is None when nothing was down, MTTR and MTBF without an incident.
    """

    month: str
    incidents: int
    down_minutes: float
    availability: float
    nines: float | None
    mttr_minutes: float | None
    mtbf_hours: float | None
    observed_minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthDifference:
    """By how many minutes of a month what people open was longer down than the API."""

    month: str
    minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLedger:
    """A service's ledger, as `groundswell ledger --json` prints it under the names of the fields.

    `components` holds the months of each component that the page named, `working_minutes_by_crowd` minutes by region.
    """

    service: str
    name: str
    provider: str
    page: str
    until: datetime
    acknowledgement: AcknowledgementLine
    posting_delay: PostingDelay
    incidents: int
    not_counted: int
    doubtful: int
    unknown_duration: int
    official: tuple[MonthLine, ...]
    components: Mapping[str, tuple[MonthLine, ...]]
    crowd: tuple[MonthLine, ...]
    front_minus_back: tuple[MonthDifference, ...]
    working_minutes_by_crowd: Mapping[str, float]


def service_ledger(store: Store, service: Service, now: datetime, month_count: int) -> ServiceLedger | None:
    """Return a service's ledger with its newest months; None where no incident is known."""
    page = service.page
    said_by_page, said_by_crowd = by_page(store, service, now), by_crowd(store, service, now)
    official, crowd = said_by_page.entries, said_by_crowd.entries
    if not official and not crowd:
        return None
    both = [*official, *crowd]
    graded_until = min(now, max(record.began for record in both))
    until = observed_until(both, now)
    # without a page there is nobody to own up
    grade = acknowledgement(records_with_crowd_onset(store, service, page, now) if page else [], graded_until)
    component_ids = [c.id for c in service.components if any(c.id in record.components for record in official)]
    front, back = (
        said_by_page.only([r for r in official if _roles(service, r.components) & roles]).months()
        for roles in (FRONT_ROLES, BACK_ROLES)
    )
    crowd_spans = [(record.began, record.ended or until) for record in crowd]
    return ServiceLedger(
        service=service.id,
        name=service.name,
        provider=service.vendor or service.name,
        page=page,
        until=until,
        acknowledgement=AcknowledgementLine(
            grade=grade.grade,
            mean_minutes=rounded(grade.mean_minutes),
            incidents=grade.incidents,
            began_with_notice=grade.began_with_notice,
            left_out=grade.left_out,
            since=graded_until - ROLLING,
        ),
        posting_delay=_rounded(posting_delay(official)),
        incidents=len(official),
        not_counted=sum(not record.counted for record in official),
        doubtful=sum(record.timing == "doubtful" for record in official),
        unknown_duration=sum(record.counted and not record.duration_known for record in official),
        official=_lines_of(said_by_page.months(), month_count),
        components={c: _lines_of(said_by_page.months(c), month_count) for c in component_ids},
        crowd=_lines_of(said_by_crowd.months(), month_count),
        front_minus_back=_differences(front, back)[-month_count:],
        working_minutes_by_crowd={
            region: round(working_minutes(crowd_spans, zone), 1) for region, zone in REGIONS.items()
        },
    )


def _rounded(delay: PostingDelay) -> PostingDelay:
    return replace(
        delay,
        minutes_after_shown_start=rounded(delay.minutes_after_shown_start),
        minutes_after_stated_start=rounded(delay.minutes_after_stated_start),
        minutes_between_starts=rounded(delay.minutes_between_starts),
    )


def _roles(service: Service, component_ids: frozenset[str]) -> set[str]:
    return {component.role for component in service.components if component.id in component_ids}


def _differences(front: Sequence[Month], back: Sequence[Month]) -> tuple[MonthDifference, ...]:
    down_of_back = {m.month: m.down_minutes for m in back}
    return tuple(
        MonthDifference(month=m.month, minutes=round(m.down_minutes - down_of_back.get(m.month, 0.0), 1)) for m in front
    )


def _lines_of(all_months: Sequence[Month], month_count: int) -> tuple[MonthLine, ...]:
    return tuple(
        MonthLine(
            month=m.month,
            incidents=m.incidents,
            down_minutes=round(m.down_minutes, 1),
            availability=round(m.availability, 6),
            nines=None if math.isinf(m.nines) else round(m.nines, 2),
            mttr_minutes=rounded(m.mttr),
            mtbf_hours=rounded(m.mtbf, 60),
            observed_minutes=round(m.observed_minutes, 1),
        )
        for m in all_months[-month_count:]
    )


def ledger_lines(ledger: ServiceLedger) -> Iterator[str]:
    """Yield a ledger as lines of text: the grade, then a table by month."""
    grade = ledger.acknowledgement
    provider = f"{ledger.name} ({ledger.provider})"
    if grade.grade:
        yield (
            f"{provider}: {grade.grade}, the page speaks {grade.mean_minutes:g} min after the start on average"
            f" ({quantity(grade.incidents, 'incident')} whose start is known,"
            f" in the 90 days from {grade.since:%Y-%m-%d};"
            f" of {grade.began_with_notice} more only the notice is known; {grade.left_out} left out)"
        )
    elif not ledger.page:
        yield f"{provider}: no grade, no status page is known"
    else:
        yield (
            f"{provider}: no grade, of {grade.incidents or 'no'} incident{'s' * (grade.incidents > 1)}"
            f" in the last 90 days both a start and a posting time are known, {GRADED_FROM} are needed"
            f" ({grade.began_with_notice} began with their notices)"
        )
    yield (
        f"  {quantity(ledger.incidents, 'incident')} on the page, {ledger.not_counted} not counted"
        f" (maintenance, no impact, {ledger.doubtful} of doubtful timing)"
        + (f", {ledger.unknown_duration} of unknown duration" if ledger.unknown_duration else "")
    )
    if ledger.posting_delay.incidents:
        yield f"  {_delay_in_words(ledger.posting_delay)}"
    yield (
        f"  {'month':<9}{'incidents':>10}{'down min':>10}{'available':>11}{'nines':>7}{'MTTR min':>10}{'MTBF h':>8}"
        f"{'by crowd min':>14}{'front - API':>13}"
    )
    by_page = {m.month: m for m in ledger.official}
    down_by_crowd = {m.month: m.down_minutes for m in ledger.crowd}
    difference = {m.month: m.minutes for m in ledger.front_minus_back}
    for month in sorted({*by_page, *down_by_crowd}):
        yield (
            f"  {month:<9}{_page_columns(by_page.get(month))}{_or_dash(down_by_crowd.get(month)):>14}"
            f"{_or_dash(difference.get(month)):>13}"
        )
    for month, line in sorted(by_page.items()):
        watched, whole = timedelta(minutes=line.observed_minutes), _length(month)
        if watched < MOSTLY * whole:
            days = watched / timedelta(days=1)
            yield f"  of {month} {days:.1f} of {whole.days} days were watched; what is available is of these"
    if ledger.crowd:
        hours = ", ".join(f"{region} {minutes:.0f}" for region, minutes in ledger.working_minutes_by_crowd.items())
        yield f"  minutes measured by crowds that fell into working hours (Monday to Friday, 9 to 17): {hours}"


def _length(month: str) -> timedelta:
    """Return how long a month such as `2026-03` is."""
    begin = utc(f"{month}-01T00:00:00Z")
    return next_month(begin) - begin


def _delay_in_words(delay: PostingDelay) -> str:
    shown = (
        f"first posts come {delay.minutes_after_shown_start:g} min after the start that the page shows"
        f" (median of {quantity(delay.incidents, 'incident')})"
    )
    if delay.minutes_after_stated_start is None:
        return f"{shown}; no root cause states a start"
    return (
        f"{shown}, {delay.minutes_after_stated_start:g} min after the start that the root cause states"
        f" (median of {delay.with_stated_start}; the two starts are {delay.minutes_between_starts:g} min apart)"
    )


def _page_columns(m: MonthLine | None) -> str:
    if m is None:
        return f"{'-':>10}{'-':>10}{'-':>11}{'-':>7}{'-':>10}{'-':>8}"
    nines = "all" if m.nines is None else f"{m.nines:.2f}"
    return (
        f"{m.incidents:>10}{m.down_minutes:>10.0f}{m.availability:>11.3%}{nines:>7}"
        f"{_or_dash(m.mttr_minutes):>10}{_or_dash(m.mtbf_hours):>8}"
    )


def _or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
