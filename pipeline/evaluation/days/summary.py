"""The figures of a system over many days: a row of the table, and the same as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from pipeline.core.times import iso
from pipeline.evaluation.days.scoring import DayFigures, FalseAlarm, Group, OutageFigures

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """Minutes over n outages; None: the outage at that rank was missed, or n is 0."""

    n: int
    missed: int
    p50: float | None
    p90: float | None

    def __str__(self) -> str:
        """Return `p50 / p90`, with the word for what was missed."""
        if self.n == 0:
            return "–"
        return " / ".join("missed" if value is None else f"{value:+.0f}" for value in (self.p50, self.p90))


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFigures:
    """A row: a system over all days of a sort. `serious` are major and critical outages; shares of 0 cases are None."""

    group: Group
    days: int
    outages: int
    serious: int
    serious_discovered: int
    other_discovered: int
    missed: tuple[str, ...]
    from_third_report: Quantiles
    from_onset: Quantiles
    from_notice: Quantiles
    service_weeks: float
    false_alarms: tuple[FalseAlarm, ...]
    false_alarms_a_service_week: float | None
    services_precision: float | None
    components_recall: float | None
    components_precision: float | None
    over_in_time: float | None
    over_after: Quantiles
    messages: int
    most_a_day: int
    links_found: int
    links_true: int
    links_wrong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemFigures:
    """A system's rows and days; `refused` are lines of its file that were not scored."""

    system: str
    groups: tuple[GroupFigures, ...]
    days: tuple[DayFigures, ...]
    refused: tuple[str, ...] = ()


def summarize(system: str, days: Sequence[DayFigures], refused: Sequence[str] = ()) -> SystemFigures:
    """Return a system's figures over days, for each sort of day by itself."""
    groups = [_group(group, [day for day in days if day.group is group]) for group in Group]
    return SystemFigures(
        system=system,
        groups=tuple(group for group in groups if group.days),
        days=tuple(days),
        refused=tuple(refused),
    )


def _group(group: Group, days: Sequence[DayFigures]) -> GroupFigures:
    outages = [outage for day in days for outage in day.outages]
    serious = [outage for outage in outages if outage.serious]
    discovered = [outage for outage in outages if outage.alert_at is not None]
    false_alarms = tuple(alarm for day in days for alarm in day.false_alarms)
    weeks = sum(day.service_weeks for day in days)
    right = sum(day.right_alarms for day in days)
    named = [outage for outage in discovered if outage.components_true]
    return GroupFigures(
        group=group,
        days=len(days),
        outages=len(outages),
        serious=len(serious),
        serious_discovered=sum(outage.alert_at is not None for outage in serious),
        other_discovered=len(discovered) - sum(outage.alert_at is not None for outage in serious),
        missed=tuple(_name(outage) for outage in outages if outage.alert_at is None),
        from_third_report=quantiles([o.from_third_report for o in serious if o.has_third_report]),
        from_onset=quantiles([o.from_onset for o in serious]),
        from_notice=quantiles([o.from_notice for o in serious if o.has_notice]),
        service_weeks=round(weeks, 2),
        false_alarms=false_alarms,
        false_alarms_a_service_week=_share(len(false_alarms), weeks),
        services_precision=_share(right, right + len(false_alarms)),
        components_recall=_share(sum(o.components_right for o in named), sum(o.components_true for o in named)),
        components_precision=_share(sum(o.components_right for o in named), sum(o.components_named for o in named)),
        over_in_time=_share(sum(outage.over_in_time for outage in discovered), len(discovered)),
        over_after=quantiles([outage.over_after for outage in discovered]),
        messages=sum(day.messages for day in days),
        most_a_day=max((day.most_a_day for day in days), default=0),
        links_found=sum(day.links_found for day in days),
        links_true=sum(day.links_true for day in days),
        links_wrong=sum(day.links_wrong for day in days),
    )


def quantiles(minutes: Sequence[float | None]) -> Quantiles:
    """Return p50 and p90 by nearest rank; None stands for a miss and counts as longer than any time."""
    ordered = sorted(math.inf if value is None else value for value in minutes)
    ranks = [ordered[max(0, math.ceil(q * len(ordered)) - 1)] if ordered else math.inf for q in (0.5, 0.9)]
    p50, p90 = (None if math.isinf(value) else value for value in ranks)
    return Quantiles(n=len(ordered), missed=sum(map(math.isinf, ordered)), p50=p50, p90=p90)


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 3) if whole else None


def _name(outage: OutageFigures) -> str:
    return f"{outage.service} {outage.onset:%Y-%m-%d %H:%M} ({outage.impact or 'impact unknown'})"


def to_json(systems: Sequence[SystemFigures]) -> str:
    """Return all figures as JSON, of the schema docs/benchmark.schema.json."""
    fields = {"schema": SCHEMA, "systems": [asdict(system) for system in systems]}
    return json.dumps(fields, indent=1, ensure_ascii=False, default=iso)


HEAD = (
    "system",
    "major and critical found",
    "others",
    "min from 3rd report p50 / p90",
    "from onset",
    "from notice",
    "false alarms",
    "a service-week",
    "services precision",
    "components recall / precision",
    "over in time, min after end",
    "messages (most a day)",
    "links found, wrong",
)


def table(systems: Sequence[SystemFigures]) -> Iterator[str]:
    """Yield a table in Markdown for each sort of day, a row a system, and below it what each system missed."""
    for group in Group:
        rows = [(system.system, row) for system in systems for row in system.groups if row.group is group]
        if not rows:
            continue
        first = rows[0][1]
        outages = f"{first.outages} outage{'' if first.outages == 1 else 's'}"
        yield f"{group}: {first.days}, with {outages}; {first.service_weeks:.1f} watched service-weeks"
        yield ""
        yield f"| {' | '.join(HEAD)} |"
        yield f"|{' --- |' * len(HEAD)}"
        for name, row in rows:
            yield f"| {' | '.join(_cells(name, row))} |"
        yield ""
        for name, row in rows:
            if row.missed:
                yield f"missed by {name}: {'; '.join(row.missed)}"
            if row.false_alarms and len(row.false_alarms) <= 12:
                named = "; ".join(f"{alarm.service} {alarm.at:%Y-%m-%d %H:%M}" for alarm in row.false_alarms)
                yield f"false alarms of {name}: {named}"
        yield ""


def _cells(name: str, row: GroupFigures) -> Iterator[str]:
    others = row.outages - row.serious
    yield name
    yield f"{row.serious_discovered} of {row.serious}" if row.serious else "–"
    yield f"{row.other_discovered} of {others}" if others else "–"
    yield from map(str, (row.from_third_report, row.from_onset, row.from_notice))
    yield str(len(row.false_alarms))
    yield _figure(row.false_alarms_a_service_week, "{:.2f}")
    yield _figure(row.services_precision)
    yield f"{_figure(row.components_recall)} / {_figure(row.components_precision)}"
    yield f"{_figure(row.over_in_time)}, {row.over_after}"
    yield f"{row.messages} ({row.most_a_day})"
    yield f"{row.links_found} of {row.links_true}, {row.links_wrong}" if row.links_true else "–"


def _figure(share: float | None, form: str = "{:.0%}") -> str:
    return "–" if share is None else form.format(share)
