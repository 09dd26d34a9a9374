"""Abuse: rings, copies, floods, old stories and jokes must not alert; outages among them must.

Also the smallest attack that alerts.

A case is one service with its hourly reports of two weeks, the posts of six hours, and a moment; its hours are spread
over their minutes, its posts read, counted, judged and explained as the stages do it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from detectors.events import find_events
from detectors.seasonal.detector import SeasonalNB
from pipeline.config.load import load_catalogue
from pipeline.config.paths import PLACES
from pipeline.core.catalogue import Service
from pipeline.core.incidents import Incident
from pipeline.core.records import Post
from pipeline.core.reports import Report
from pipeline.core.series import Interval, SeriesKey
from pipeline.core.vocabulary import Symptom
from pipeline.detection.alarm_intervals import interval_of
from pipeline.detection.report_counting import ReportCounter, is_first_copy
from pipeline.incidents.build import IncidentInputs, build
from pipeline.incidents.closing import ClosingRule
from pipeline.incidents.scope import deduplicate_clearances
from pipeline.notify.policy import NotificationPolicy, next_transition
from pipeline.sources.parsing import plain
from pipeline.text.extract import ExtractionRequest, extract
from pipeline.text.models.outage import OutageModel
from pipeline.text.normalize import text_fingerprint
from pipeline.text.services import ServiceMatcher

QUIET = timedelta(minutes=90)
SIZES = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 100, 200, 500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A service at a moment: its reports by hour of two weeks, and the posts of six hours as the files hold them.

    `expect` is alert or quiet, empty where nobody says.
    """

    service: str
    now: datetime
    hourly_reports: Sequence[int]
    posts: Sequence[Mapping[str, object]] = ()
    expect: str = ""


def read_case(path: Path) -> Case:
    """Read a case from its JSON file."""
    values = json.loads(path.read_text(encoding="utf-8"))
    return Case(
        service=values["service"],
        now=datetime.fromtimestamp(values["now_utc"], UTC),
        hourly_reports=values["baseline_hourly_14d"],
        posts=values["posts"],
        expect=values["expect"],
    )


def posts_of(case: Case) -> list[Post]:
    """Return a case's posts that were public at its moment, once each, as collecting leaves them."""
    now = case.now.timestamp()
    posts: dict[str, Post] = {}
    for row in case.posts:
        created, born = row["created_utc"], row.get("author_created_utc")
        if not isinstance(created, int | float) or not now - 7 * 86400 < created <= now:
            continue
        posts.setdefault(
            str(row["id"]),
            Post(
                source="x",
                native_id=str(row["id"]),
                kind="post",
                community=str(row.get("subreddit", "")),
                author_key=str(row["author"]),
                author_created=datetime.fromtimestamp(born, UTC)
                if isinstance(born, int | float) and 0 < born < 4e9
                else None,
                created=datetime.fromtimestamp(created, UTC),
                collected=case.now,
                deleted=bool(row.get("deleted")),
                text=plain(str(row["text"]), 20_000),
            ),
        )
    return sorted(posts.values(), key=lambda p: (p.created, p.native_id))


def reports_of(posts: Sequence[Post], matcher: ServiceMatcher, service: Service, model: OutageModel) -> list[Report]:
    """Return what the posts say of the service, each with its weight as a vote, oldest first."""
    asked = []
    for post in posts:
        matches = matcher.about(post.text, post.community).get(service.id)
        if matches is not None:
            asked.append(
                (post, ExtractionRequest(text=post.text, service=service.id, matches=matches, posted=post.created))
            )
    counter = ReportCounter()
    service_reports = []
    for (post, one), r in zip(asked, extract([a for _, a in asked], matcher, model, PLACES), strict=True):
        weight, reason = counter.count(service.id, post, text_fingerprint(one.text), r.p_outage)
        service_reports.append(
            Report(
                service=service.id,
                source="x",
                native_id=post.native_id,
                created=post.created,
                weight=weight,
                reason=reason,
                components=r.components,
                working_components=r.working_components,
                symptom=r.symptom,
                region=r.region,
                text=one.text,
                author_key=post.author_key,
                author_created=post.author_created,
                fingerprint=text_fingerprint(one.text),
            )
        )
    return deduplicate_clearances(service_reports)


def decide(
    cases: Sequence[Case], reports: Sequence[Sequence[Report]], service: Service
) -> list[tuple[bool, Incident | None]]:
    """Return for each case whether an open incident would be told at its moment, and the incident.

    `reports` are what each case's posts say, as reports_of returns them. All cases are judged at once, as if their
    moments were one.
    """
    hours = len(cases[0].hourly_reports)
    size = (6 + hours) * 60
    votes, talk = np.zeros((size, len(cases))), np.zeros((size, len(cases)))
    end = cases[0].now
    begin = end - timedelta(minutes=size)
    shifted = []
    for column, (case, said) in enumerate(zip(cases, reports, strict=True)):
        numbers = np.asarray(case.hourly_reports, dtype=np.int64)
        minutes = np.random.default_rng(column).integers(0, 60, numbers.sum())
        votes[:, column] = np.bincount(np.repeat(np.arange(hours) * 60, numbers) + minutes, minlength=size)
        talk[:, column] = votes[:, column]
        off = end - case.now
        shifted.append([replace(r, created=r.created + off) for r in said])
        heard: dict[str, datetime] = {}
        for r in shifted[-1]:
            slot = int((r.created - begin) / timedelta(minutes=1))
            if 0 <= slot < size:
                votes[slot, column] += r.weight
                talk[slot, column] += r.counted or is_first_copy(heard, r.fingerprint, r.created)
    index = pd.date_range(begin, periods=size, freq="1min")
    detector = replace(SeasonalNB(), repeats=0.0)
    verdicts = detector.detect(pd.DataFrame(votes, index=index), pd.DataFrame(talk, index=index))
    tables = [t.to_numpy() for t in (verdicts.observed, verdicts.expected, verdicts.score)]
    policy = NotificationPolicy(
        from_state="possible", group_interval=QUIET, max_group_interval=QUIET, alerting_since=begin
    )
    decisions: list[tuple[bool, Incident | None]] = []
    for column, said in enumerate(shifted):
        intervals = _intervals(tables, column, begin, end, detector, service.id)
        built, _ = build(
            service, IncidentInputs(intervals=intervals, reports=said), [], end, closing=ClosingRule(quiet=QUIET)
        )
        last = built[-1] if built else None
        decisions.append((last is not None and next_transition(last, [], policy, end) is not None, last))
    return decisions


def _intervals(
    tables: Sequence[npt.NDArray[np.float64]],
    column: int,
    begin: datetime,
    end: datetime,
    detector: SeasonalNB,
    service: str,
) -> list[Interval]:
    observed, expected, score = (table[:, column] for table in tables)
    key = SeriesKey(service=service, channel="votes", source="x", bin_s=60)

    events = find_events(observed, expected, score, alarm=detector.alarm, quiet_bins=45, look_back=60)
    intervals = [interval_of(event, key, begin, observed, expected) for event in events]
    return [i for i in intervals if i.last_alarm > end - timedelta(hours=6)]


def catalogue_with(name: str) -> tuple[ServiceMatcher, Service]:
    """Return a matcher that knows one service more, and the service."""
    service = Service(id="case", name=name, aliases=(name.lower(),), communities=(name.replace(" ", ""),))
    return ServiceMatcher({**load_catalogue(), "case": service}), service


def judged(folder: Path, model: OutageModel) -> Iterator[tuple[str, str, bool, Incident | None, int]]:
    """Yield (name, expected, alerted, incident, votes) of each case of a folder."""
    cases, reports_of_cases = [], []
    for path in sorted(folder.glob("*.json")):
        case = read_case(path)
        cases.append((path.stem, case))
        reports_of_cases.append(reports_of(posts_of(case), *catalogue_with(case.service), model))
    decisions = decide([case for _, case in cases], reports_of_cases, catalogue_with("case")[1])
    for (name, case), reports, (alerted, incident) in zip(cases, reports_of_cases, decisions, strict=True):
        yield name, case.expect, alerted, incident, int(sum(r.weight for r in reports))


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


def report(folder: Path | None, model: OutageModel) -> Iterator[str]:
    """Yield the section, line by line."""
    if folder is None:
        yield "recorded cases: skipped: EVAL_DATA is not set"
    else:
        judged_cases = list(judged(folder / "bad" / "brigade", model))
        wrong = [f"{name} ({expect})" for name, expect, alerted, *_ in judged_cases if (expect == "alert") != alerted]
        real = [alerted for _, expect, alerted, *_ in judged_cases if expect == "alert"]
        quiet = [alerted for _, expect, alerted, *_ in judged_cases if expect != "alert"]
        yield (
            f"cases: {sum(real)} of {len(real)} outages alert, {sum(quiet)} of {len(quiet)} quiet or abusive ones do; "
            f"wrong: {', '.join(wrong) or 'none'}"
        )
    yield (
        f"the smallest attack that alerts by itself (sizes tried: {', '.join(map(str, SIZES))}), "
        "one new and convincing complaint an account in ten minutes"
    )
    yield from _table((0.5, 3.0, 30.0, 400.0), day_only=False)
    yield "the same where the source gives only the day an account was made on, and all were made on one day"
    yield from _table((0.5, 3.0, 30.0, 400.0), day_only=True)


def _table(ages: Sequence[float], *, day_only: bool) -> Iterator[str]:
    baselines = (0.2, 2.0, 20.0)
    least = smallest(ages, baselines, day_only=day_only)
    yield f"{'usual reports an hour':<24}" + "".join(f"{f'{age:g} days old':>16}" for age in ages)
    for base in baselines:
        yield f"{base:<24g}" + "".join(f"{least[age, base] or f'none to {SIZES[-1]}':>16}" for age in ages)
