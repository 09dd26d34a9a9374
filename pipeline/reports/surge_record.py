"""The surge watch's record: each advisory is a forecast with a rule, a deadline and a probability, settled by the rule.

Pure. The rule and the probabilities were fixed before anything was settled; docs/benchmark.md prints what came of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from pipeline.core.incidents import Advisory
from pipeline.core.times import floor_to

RULE = "surge-1"
RULE_WORDS = "an outage of the service begins within 72 hours after the advisory; void where one is under way"
DEADLINE = timedelta(hours=72)
PROBABILITY = MappingProxyType({"watch": 0.2, "high": 0.4})
FLOOR_SETTLED = 20  # forecasts; with fewer nothing is concluded
DAY = timedelta(days=1)


class Outcome(StrEnum):
    """What came of a forecast: VOID where the rule cannot be applied, OPEN before its deadline."""

    HIT = "hit"
    MISS = "miss"
    VOID = "void"
    OPEN = "open"


class Conclusion(StrEnum):
    """Whether the forecasts are better than the base rate."""

    BETTER = "better than the base rate"
    NOT_BETTER = "not better than the base rate"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A forecast as it is written when it is raised, and its outcome."""

    service: str
    raised: datetime
    deadline: datetime
    level: str
    rule: str
    p: float
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span of a service in which it is known whether an outage began: for base rate, trivial rules and placebos."""

    service: str
    since: datetime
    until: datetime


def settle(raised: datetime, onsets: Sequence[tuple[datetime, datetime]], now: datetime) -> Outcome:
    """Return the outcome by the rule; `onsets` are the outages of the service as (onset, end)."""
    if any(onset <= raised <= end for onset, end in onsets):
        return Outcome.VOID
    if any(raised < onset <= min(raised + DEADLINE, now) for onset, _ in onsets):
        return Outcome.HIT
    return Outcome.MISS if raised + DEADLINE <= now else Outcome.OPEN


def forecasts(
    raised: Sequence[Advisory], outages: Mapping[str, Sequence[tuple[datetime, datetime]]], now: datetime
) -> list[Forecast]:
    """Return a forecast for each advisory, settled as of `now`."""
    return [
        Forecast(
            service=advisory.service,
            raised=advisory.since,
            deadline=advisory.since + DEADLINE,
            level=advisory.level,
            rule=RULE,
            p=PROBABILITY[advisory.level],
            outcome=settle(advisory.since, outages.get(advisory.service, ()), now),
        )
        for advisory in raised
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SurgeRecord:
    """What the forecasts were worth.

    base_rate: share of days of watched services after which an outage began within the deadline. Brier scores are of
    settled forecasts; None without any. placebo_dates, placebo_services: the share of hits where each forecast is put
    on every other day of its service, or on every other service of its day. detectable: the smallest hit rate that so
    many forecasts could distinguish from the base rate (one-sided, 5 %, power 80 %); None where they could not.
    """

    forecasts: int
    hits: int
    misses: int
    voids: int
    service_months: float
    false_a_service_month: float | None
    base_rate: float | None
    brier: float | None
    brier_of_base_rate: float | None
    placebo_dates: float | None
    placebo_services: float | None
    detectable: float | None
    conclusion: Conclusion


def surge_record(
    made: Sequence[Forecast], watched: Sequence[Span], outages: Mapping[str, Sequence[tuple[datetime, datetime]]]
) -> SurgeRecord:
    """Return the record over the spans that were watched."""
    settled = [f for f in made if f.outcome in (Outcome.HIT, Outcome.MISS)]
    hits = sum(f.outcome is Outcome.HIT for f in settled)
    days = list(settled_days(watched, outages))
    base = _mean([float(hit) for _, _, hit in days])
    months = sum((span.until - span.since) / timedelta(days=30) for span in watched)
    raised = [(f.service, floor_to(f.raised, 86400)) for f in settled]
    dates = [float(hit) for service, at in raised for s, day, hit in days if s == service and day != at]
    others = [float(hit) for service, at in raised for s, day, hit in days if s != service and day == at]
    detectable = _detectable(len(settled), base)
    return SurgeRecord(
        forecasts=len(made),
        hits=hits,
        misses=len(settled) - hits,
        voids=sum(f.outcome is Outcome.VOID for f in made),
        service_months=round(months, 2),
        false_a_service_month=round((len(settled) - hits) / months, 3) if months else None,
        base_rate=base,
        brier=_mean([(f.p - float(f.outcome is Outcome.HIT)) ** 2 for f in settled]),
        brier_of_base_rate=_mean([((base or 0.0) - float(f.outcome is Outcome.HIT)) ** 2 for f in settled]),
        placebo_dates=_mean(dates),
        placebo_services=_mean(others),
        detectable=detectable,
        conclusion=_conclusion(len(settled), hits, base),
    )


def settled_days(
    watched: Sequence[Span], outages: Mapping[str, Sequence[tuple[datetime, datetime]]]
) -> Iterator[tuple[str, datetime, bool]]:
    """Yield (service, midnight, whether an outage began within the deadline) where that can be settled."""
    for span in watched:
        day = floor_to(span.since + DAY, 86400)
        while day + DEADLINE <= span.until:
            outcome = settle(day, outages.get(span.service, ()), span.until)
            if outcome is not Outcome.VOID:
                yield span.service, day, outcome is Outcome.HIT
            day += DAY


def _detectable(n: int, base: float | None) -> float | None:
    from scipy.stats import binom

    if n == 0 or base is None:
        return None
    needed = int(binom.isf(0.05, n, base)) + 1
    rates = (rate / 100 for rate in range(int(base * 100) + 1, 101))
    return next((rate for rate in rates if needed <= n and binom.sf(needed - 1, n, rate) >= 0.8), None)


def _conclusion(n: int, hits: int, base: float | None) -> Conclusion:
    from scipy.stats import binomtest

    if n < FLOOR_SETTLED or base is None:
        return Conclusion.INCONCLUSIVE
    p = float(binomtest(hits, n, base, alternative="greater").pvalue)
    return Conclusion.BETTER if p < 0.05 else Conclusion.NOT_BETTER


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None
