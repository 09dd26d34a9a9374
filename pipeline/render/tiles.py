"""Small drawings of a service: the counts of the last 24 hours, and a bar a day for 90 days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from msgspec import Struct

from pipeline.core.vocabulary import Channel, Impact
from pipeline.render.summary import duration
from pipeline.store.report_data import CountStep, ImpactSpan

DAYS = 90
SPARK_STEP = 1800  # seconds
SPARK_SPAN = timedelta(hours=24)
SPARK_WIDTH, SPARK_HEIGHT = 48, 20


class Spark(NamedTuple):
    """The line of a day and what it says; an empty path: nothing was counted."""

    path: str
    limit: str
    words: str


class DayRun(NamedTuple):
    """Days in a row that are alike: from which day on (0 the oldest), how many, CSS class, and a title of a bad day."""

    first: int
    days: int
    css: str
    title: str


class DayLine(NamedTuple):
    """A day on which something was wrong, in words."""

    day: str
    impact: Impact
    lasted: str


class DayBars(Struct, frozen=True, kw_only=True):
    """90 days: runs of like days, the bad days newest first, and all of it in words."""

    runs: tuple[DayRun, ...]
    bad: tuple[DayLine, ...]
    words: str


def spark(counts: Mapping[Channel, Sequence[CountStep]], now: datetime) -> Spark:
    """Return the line of the last 24 hours: complaints where any are counted, else reports."""
    channel = next((c for c in (Channel.COMPLAINTS, Channel.VOTES) if any(s.observed for s in counts.get(c, ()))), None)
    if channel is None:
        return Spark("", "", "")
    unit = "complaints" if channel is Channel.COMPLAINTS else "reports"
    last = int(now.timestamp()) // SPARK_STEP * SPARK_STEP
    known = {step.start: step for step in counts[channel]}
    empty = None if channel is Channel.COMPLAINTS else CountStep(0, 0.0, None, None)
    steps = [known.get(last - n * SPARK_STEP, empty) for n in range(SPARK_WIDTH, 0, -1)]
    values = [step.observed if step is not None else None for step in steps]
    usual = [step.expected if step is not None and channel is Channel.COMPLAINTS else None for step in steps]
    top = max([4.0, *(v for v in (*values, *usual) if v is not None)])
    observed = [v for v in values if v is not None]
    words = f"{sum(observed):,.0f} {unit} in 24 h, most {max(observed):,.0f} in 30 min" if observed else ""
    return Spark(_path(values, top), _path(usual, top), words)


def _path(values: Sequence[float | None], top: float) -> str:
    path, pen = "", "M"
    for place, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        path += f"{pen}{place} {SPARK_HEIGHT - 1 - value / top * (SPARK_HEIGHT - 2):.0f}"
        pen = "L"
    return path


def day_bars(spans: Iterable[ImpactSpan], known_since: datetime | None, now: datetime) -> DayBars:
    """Return the last 90 days of UTC, today last; days before `known_since` (None: all) are unknown."""
    today = now.astimezone(UTC).date()
    first = today - timedelta(days=DAYS - 1)
    worst: dict[date, Impact] = {}
    minutes: dict[date, timedelta] = {}
    for since, until, impact in spans:
        end = min(until or now, now)
        day = max(since.astimezone(UTC).date(), first)
        while day <= min(end.astimezone(UTC).date(), today):
            begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
            inside = min(end, begin + timedelta(days=1)) - max(since, begin)
            if inside >= timedelta(0):
                worst[day] = Impact.highest([impact, worst.get(day, Impact.NONE)])
                minutes[day] = minutes.get(day, timedelta(0)) + inside
            day += timedelta(days=1)
    known = known_since.astimezone(UTC).date() if known_since is not None else None
    if known is None and worst:
        known = min(worst)
    runs: list[DayRun] = []
    for place in range(DAYS):
        day = first + timedelta(days=place)
        if day in worst:
            title = f"{day:%-d %B}: {worst[day]} impact, {duration(min(minutes[day], timedelta(days=1)))}"
            runs.append(DayRun(place, 1, f"i-{worst[day]}", title))
            continue
        css = "ok" if known is not None and day >= known else "unknown"
        if runs and runs[-1].css == css and not runs[-1].title:
            runs[-1] = runs[-1]._replace(days=runs[-1].days + 1)
        else:
            runs.append(DayRun(place, 1, css, ""))
    bad = tuple(
        DayLine(f"{day:%-d %B %Y}", worst[day], duration(min(minutes[day], timedelta(days=1))))
        for day in sorted(worst, reverse=True)
    )
    observed = DAYS if known is None or known <= first else max(0, (today - known).days + 1)
    if known is None:
        return DayBars(runs=tuple(runs), bad=bad, words="not observed yet")
    words = f"incidents on {len(bad)} of {min(observed, DAYS)} days"
    return DayBars(runs=tuple(runs), bad=bad, words=words)
