"""The smallest attack that alerts: how many accounts must report, by their age and by what is usual."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from pipeline.core.records import Post
from pipeline.core.reports import Report
from pipeline.core.vocabulary import Symptom
from pipeline.detection.report_counting import ReportCounter
from pipeline.evaluation.abuse_case import Case, catalogue_with, decide

SIZES = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 100, 200, 500)


def attack(
    authors: int, age_days: float, baseline: float, seed: int, *, day_only: bool = False
) -> tuple[Case, list[Report]]:
    """Return a case of `authors` accounts of an age that complain once each in ten minutes, convincingly and anew.

    `day_only`: the source gives only the day on which an account was made, and all were made on one.
    """
    rng = random.Random(seed)
    now = 1_790_000_000 // 3600 * 3600
    counter, reports = ReportCounter(), []
    for n, seconds in enumerate(sorted((rng.uniform(1, 600) for _ in range(authors)), reverse=True)):
        created = datetime.fromtimestamp(now - seconds, UTC)
        made = created - timedelta(days=age_days)
        post = Post(
            source="mastodon" if day_only else "x",
            native_id=f"a{n}",
            kind="post",
            community="",
            author_key=f"u{n}",
            author_created=made.replace(hour=0, minute=0, second=0, microsecond=0) if day_only else made,
            created=created,
            collected=created,
        )
        weight, reason = counter.count("case", post, f"text {n}", 1.0)
        reports.append(
            Report(
                service="case",
                source="x",
                native_id=f"a{n}",
                created=created,
                weight=weight,
                reason=reason,
                symptom=Symptom.ALL,
                fingerprint=f"text {n}",
            )
        )
    quiet = np.random.default_rng(seed).poisson(baseline, 14 * 24).tolist()
    case = Case(service="case", now=datetime.fromtimestamp(now, UTC), hourly_reports=quiet)
    return case, reports


def smallest(
    ages: Sequence[float], baselines: Sequence[float], *, day_only: bool = False
) -> dict[tuple[float, float], int | None]:
    """Return for each (age in days, usual reports an hour) the fewest accounts tried that alert in all three tries.

    `day_only` as in attack.
    """
    grid = [(age, base, n, seed) for age in ages for base in baselines for n in SIZES for seed in range(3)]
    pairs = [attack(n, age, base, seed, day_only=day_only) for age, base, n, seed in grid]
    told_of = decide([case for case, _ in pairs], [said for _, said in pairs], catalogue_with("case")[1])
    by_size: dict[tuple[float, float, int], bool] = {}
    for (age, base, n, _), (alerted, _) in zip(grid, told_of, strict=True):
        by_size[age, base, n] = by_size.get((age, base, n), True) and alerted
    return {(age, base): next((n for n in SIZES if by_size[age, base, n]), None) for age in ages for base in baselines}


def attack_table(ages: Sequence[float], *, day_only: bool) -> Iterator[str]:
    baselines = (0.2, 2.0, 20.0)
    least = smallest(ages, baselines, day_only=day_only)
    yield f"{'usual reports an hour':<24}" + "".join(f"{f'{age:g} days old':>16}" for age in ages)
    for base in baselines:
        yield f"{base:<24g}" + "".join(f"{least[age, base] or f'none to {SIZES[-1]}':>16}" for age in ages)
