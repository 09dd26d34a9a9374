"""Surge watch: a service is about to be overrun, said before anything breaks. Pure.

Four signals, each against the service's own week before: outlets that name it or its vendor in political or business
news, posts about it, how angry they are, and its place in the app chart. Two that stand out make a watch, three a high
one; it lasts while one of them does, and for a day after. What people say of an outage is no surge: none is raised
while one lasts. Whether it foretells outages is for a record of real episodes to say, and there are few.
"""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import structs

from pipeline.core.alert_facts import AdvisoryFacts, SignalFacts
from pipeline.core.incidents import Advisory
from pipeline.core.news_events import NewsEvent
from pipeline.incidents.news_links import CONTEXT_KINDS

DAY = timedelta(days=1)
OUTLETS, BURST = 4.0, 3.0  # at least so many outlets a day, and so many times the usual
GROWTH = 2.0  # times the median day's posts
ANGER = 0.08  # more than the median day's mean
CLIMB = 10  # places in two days, or first place newly reached
ENDS_AFTER = DAY
LEAST_HOURS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SurgeInputs:
    """What is stored about a service: posts and their mean anger by hour, places in the chart, news events.

    `read` are the hours in which posts were read and no crowd said that it is out; None: all hours.
    """

    posts: Mapping[datetime, tuple[int, float]]
    ranks: Sequence[tuple[datetime, int]]
    events: Sequence[NewsEvent]
    read: Collection[datetime] | None = None


class SurgeSignal(NamedTuple):
    """A signal's value in the last day, what is usual, whether it stands out, and all that in words."""

    value: float
    usual: float
    stands_out: bool
    statement: str


def signals(service: str, seen: SurgeInputs, now: datetime) -> dict[str, SurgeSignal]:
    """Return each signal that can be judged, by name: news, mentions, anger, chart."""
    judged: dict[str, SurgeSignal] = {}
    named = [
        (e.first_seen, o) for e in seen.events if e.kind in CONTEXT_KINDS and service in e.services for o in e.outlets
    ]
    fresh = {o for at, o in named if now - DAY < at <= now}
    usual = len([1 for at, _ in named if now - 8 * DAY < at <= now - DAY]) / 7
    if seen.events:
        loud = len(fresh) >= OUTLETS and len(fresh) >= BURST * max(usual, 0.5)
        judged["news"] = SurgeSignal(
            float(len(fresh)),
            round(usual, 2),
            loud,
            f"{len(fresh)} outlets wrote about it in a day, {usual:.1f} a day in the week before",
        )
    hours = [
        h
        for n in range(24)
        if seen.posts and (h := now - timedelta(hours=n + 1)) in (seen.read if seen.read is not None else (h,))
    ]
    days = [_day(seen, hours, n) for n in range(8)] if len(hours) >= LEAST_HOURS else [None]
    known = [d for d in days[1:] if d is not None and d[0] > 0]
    if len(known) >= 3 and days[0] is not None and days[0][0] > 0:
        span = "a day" if len(hours) == 24 else f"{len(hours)} hours of a day"
        median = statistics.median_high(d[0] for d in known)
        judged["mentions"] = SurgeSignal(
            float(days[0][0]),
            float(median),
            days[0][0] >= GROWTH * median and days[0][0] >= 30,
            f"{days[0][0]:.0f} posts about it in {span}, {median:.0f} usual",
        )
        mood = statistics.median_high(d[1] for d in known)
        judged["anger"] = SurgeSignal(
            round(days[0][1], 3),
            round(mood, 3),
            days[0][1] - mood >= ANGER and days[0][0] >= 30,
            f"anger {days[0][1]:.2f} on average, {mood:.2f} usual",
        )
    placed = [(at, rank) for at, rank in seen.ranks if at <= now]
    before = [rank for at, rank in placed if at <= now - 2 * DAY]
    if placed and before:
        last, then = placed[-1][1], before[-1]
        week = [rank for at, rank in placed if now - 8 * DAY < at <= now - 2 * DAY]
        judged["chart"] = SurgeSignal(
            float(last),
            float(then),
            then - last >= CLIMB or (last == 1 and min(week, default=1) > 1),
            f"place {last} in the app chart, {then} two days before",
        )
    return judged


def _day(seen: SurgeInputs, hours: Sequence[datetime], back: int) -> tuple[float, float] | None:
    """Return (posts, mean anger) of the same hours so many days back, None where a fifth of them was not read.

    Posts are scaled to all of the hours.
    """
    there = [h - back * DAY for h in hours if seen.read is None or h - back * DAY in seen.read]
    if len(there) < 0.8 * len(hours):
        return None
    rows = [seen.posts[h] for h in there if h in seen.posts]
    total = sum(n for n, _ in rows)
    anger = sum(n * anger for n, anger in rows) / total if total else 0.0
    return total * len(hours) / len(there), anger


def update_advisory(
    service: str,
    seen: SurgeInputs,
    open_now: Advisory | None,
    last_loud: datetime | None,
    now: datetime,
    *,
    broken: bool,
) -> tuple[Advisory | None, bool]:
    """Return the advisory as it stands now (None for none) and whether any signal stands out.

    `open_now` is the one that lasts, `last_loud` when a signal last stood out; `broken` that a crowd says it is
    out now.
    """
    judged = signals(service, seen, now)
    out = {name: signal for name, signal in judged.items() if signal.stands_out}
    if open_now is not None and not out and last_loud is not None and now - last_loud >= ENDS_AFTER:
        return structs.replace(open_now, until=now), False
    if len(out) < 2 or broken:
        return open_now, bool(out)
    level = "high" if len(out) >= 3 or (open_now is not None and open_now.level == "high") else "watch"
    if open_now is not None and open_now.level == level:
        return open_now, True  # what was said when it was raised stays said
    return Advisory(
        service=service,
        since=open_now.since if open_now else now,
        until=None,
        level=level,
        reasons=tuple(signal.statement for signal in out.values()),
        signals=tuple((name, signal.value, signal.usual) for name, signal in judged.items()),
    ), True


def advisory_facts(advisory: Advisory, name: str, *, simulated: bool) -> AdvisoryFacts:
    """Return what a program that scales capacity is told of an advisory on the service called `name`."""
    return AdvisoryFacts(
        service=advisory.service,
        name=name,
        level=advisory.level,
        since=advisory.since,
        until=advisory.until,
        reasons=tuple(advisory.reasons),
        signals=tuple(SignalFacts(name=n, value=v, usual=u) for n, v, u in advisory.signals),
        simulated=simulated,
    )
