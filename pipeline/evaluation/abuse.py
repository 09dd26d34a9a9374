"""Abuse: rings, copies, floods, old stories and jokes must not alert; outages among them must.

Recorded cases, whose posts are read and counted as the stages do it, and the smallest attack that alerts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipeline.config.paths import PLACES
from pipeline.core.catalogue import Service
from pipeline.core.incidents import Incident
from pipeline.core.records import Post
from pipeline.core.reports import Report
from pipeline.detection.report_counting import ReportCounter
from pipeline.evaluation.abuse_case import Case, catalogue_with, decide
from pipeline.evaluation.smallest_attack import SIZES, attack_table
from pipeline.incidents.scope import deduplicate_clearances
from pipeline.sources.parsing import plain
from pipeline.text.extract import ExtractionRequest, extract
from pipeline.text.models.outage import OutageModel
from pipeline.text.normalize import text_fingerprint
from pipeline.text.services import ServiceMatcher


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
    yield from attack_table((0.5, 3.0, 30.0, 400.0), day_only=False)
    yield "the same where the source gives only the day an account was made on, and all were made on one day"
    yield from attack_table((0.5, 3.0, 30.0, 400.0), day_only=True)
