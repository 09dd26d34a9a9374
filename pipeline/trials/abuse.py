"""Abuse: rings, copies, floods, old stories and jokes must not alert; outages among them must. And the smallest attack that can.

A case is one service with its hourly reports of two weeks, the posts of six hours, and a moment; its hours are spread over
their minutes, its posts read, balloted, judged and explained as the stages do it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from detectors.events import find_events
from detectors.seasonal_nb import SeasonalNB
from pipeline.config import PLACES, load_catalogue
from pipeline.findings import Incident, Interval, SeriesKey
from pipeline.model import Post, Service
from pipeline.sources.reading import plain
from pipeline.story.incidents import build
from pipeline.text.classifier import OutageModel
from pipeline.text.reading import Asked, read_texts
from pipeline.text.services import ServiceMatcher
from pipeline.text.votes import Ballot, shape_of

QUIET = timedelta(minutes=90)
Case = Mapping[str, Any]


def posts_of(case: Case) -> list[Post]:
    """Return a case's posts that were public at its moment, once each, as collecting leaves them."""
    now = float(case["now_utc"])
    found: dict[str, Post] = {}
    for row in case["posts"]:
        created, born = row["created_utc"], row.get("author_created_utc")
        if not isinstance(created, int | float) or not now - 7 * 86400 < created <= now:
            continue
        plausible = isinstance(born, int | float) and 0 < born <= created
        found.setdefault(str(row["id"]), Post(
            source="x", native_id=str(row["id"]), kind="post", community=str(row.get("subreddit", "")), author_key=str(row["author"]),
            author_created=datetime.fromtimestamp(born, UTC) if plausible else None, created=datetime.fromtimestamp(created, UTC),
            collected=datetime.fromtimestamp(now, UTC), deleted=bool(row.get("deleted")), text=plain(str(row["text"]), 20_000),
        ))  # fmt: skip
    return sorted(found.values(), key=lambda p: (p.created, p.native_id))


def reports_of(
    posts: Sequence[Post], matcher: ServiceMatcher, service: Service, model: OutageModel
) -> list[dict[str, Any]]:
    """Return what the posts say of the service, each with its weight as a vote, oldest first."""
    asked = []
    for post in posts:
        hits = matcher.about(post.text, post.community).get(service.id)
        if hits is not None:
            asked.append((post, Asked(text=post.text, service=service.id, hits=hits, posted=post.created)))
    ballot = Ballot()
    found = []
    for (post, one), r in zip(asked, read_texts([a for _, a in asked], matcher, model, PLACES, 500), strict=True):
        weight, reason = ballot.judge(service.id, post, shape_of(one.text), r.p_outage)
        found.append({"created": post.created, "components": list(r.components), "exonerates": list(r.exonerates), "symptom": r.symptom,
                      "weight": weight, "reason": reason, "region": r.region, "source": "x", "native_id": post.native_id})  # fmt: skip
    return found


def decide(
    case: Case, matcher: ServiceMatcher, service: Service, model: OutageModel, seed: int = 0
) -> tuple[bool, Incident | None, int]:
    """Return whether an open incident would be told, the incident, and how many votes the six hours brought."""
    now = datetime.fromtimestamp(case["now_utc"], UTC)
    reports = reports_of(posts_of(case), matcher, service, model)
    rng = np.random.default_rng(seed)
    hours = [int(n) for n in case["baseline_hourly_14d"]]
    begin = now - timedelta(hours=6 + len(hours))
    size = (6 + len(hours)) * 60
    votes, talk = np.zeros(size), np.zeros(size)
    for hour, number in enumerate(hours):
        np.add.at(votes, hour * 60 + rng.integers(0, 60, number), 1.0)
    talk += votes
    for r in reports:
        slot = int((r["created"] - begin) / timedelta(minutes=1))
        if 0 <= slot < size:
            votes[slot] += r["weight"]
            talk[slot] += 1
    index = pd.date_range(begin, periods=size, freq="1min")
    frame = [pd.DataFrame({service.id: values}, index=index) for values in (votes, talk)]
    detector = replace(SeasonalNB(), repeats=0.0)
    verdicts = detector.detect(*frame)
    parts = [
        table.to_numpy()[:, 0] for table in (verdicts.observed, verdicts.expected, verdicts.upperbound, verdicts.score)
    ]
    events = find_events(parts[0], parts[1], parts[3], alarm=detector.alarm, quiet_bins=45, look_back=60)
    key = SeriesKey(service=service.id, channel="votes", source="x", bin_s=60)

    def moment(slot: int) -> datetime:
        return begin + timedelta(minutes=slot)

    intervals = [
        Interval(series=key, onset=moment(e.onset), alarmed_at=moment(e.alarmed + 1), peak=moment(e.peak), score=e.score, last_alarm=moment(e.last + 1),
                 end=None if e.quiet is None else moment(e.quiet), observed_peak=float(parts[0][e.peak]), expected_peak=float(parts[1][e.peak]))
        for e in events if moment(e.last) >= now - timedelta(hours=6)
    ]  # fmt: skip
    built, _ = build(service, intervals, [], reports, [], now, quiet_to_close=QUIET)
    last = next((i for i in reversed(built) if i.active and i.phases and i.phases[-1].phase != "over"), None)
    return last is not None, last, int(sum(r["weight"] for r in reports))


def catalogue_with(name: str) -> tuple[ServiceMatcher, Service]:
    """Return a matcher that knows one service more, and the service."""
    service = Service(id="case", name=name, aliases=(name.lower(),), communities=(name.replace(" ", ""),))
    return ServiceMatcher({**load_catalogue(), "case": service}), service


def judged(folder: Path, model: OutageModel) -> Iterator[tuple[str, str, bool, Incident | None, int]]:
    """Yield (name, expected, alerted, incident, votes) of each case of a folder."""
    for path in sorted(folder.glob("*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        matcher, service = catalogue_with(case["service"])
        yield path.stem, case["expect"], *decide(case, matcher, service, model)


WORDS = (
    ("{s} is down", "{s} not loading", "cannot log in to {s}", "{s} gives me error 502", "{s} keeps timing out", "is {s} broken for anyone else?"),
    ("", " here in Leeds", " since this morning", " on my phone", " on two laptops", " at the office", " again", " in Lyon", ", tried three browsers", " for the whole team"),
)  # fmt: skip


def attack(authors: int, age_days: float, minutes: int, baseline: float, seed: int) -> Case:
    """Return a case in which `authors` accounts of an age each post one differently worded complaint within some minutes."""
    rng = random.Random(seed)
    now = 1_790_000_000 // 3600 * 3600
    texts = [head.format(s="Norvane") + tail for head in WORDS[0] for tail in WORDS[1]]
    rng.shuffle(texts)
    posts = [
        {"id": f"a{n}", "author": f"u{n}", "author_created_utc": now - age_days * 86400 * rng.uniform(1, 1.2), "created_utc": now - rng.uniform(1, minutes * 60),
         "text": f"{texts[n % len(texts)]}{'' if n < len(texts) else f' {n}'}", "subreddit": "technology", "deleted": False} for n in range(authors)
    ]  # fmt: skip
    quiet = np.random.default_rng(seed).poisson(baseline, 14 * 24).tolist()
    return {
        "scenario": "attack",
        "service": "Norvane",
        "now_utc": now,
        "expect": "",
        "baseline_hourly_14d": quiet,
        "posts": posts,
    }


def smallest(age_days: float, baseline: float, model: OutageModel, most: int = 500) -> int | None:
    """Return the least number of accounts of an age that alert in every one of three tries within ten minutes; None up to `most`."""
    matcher, service = catalogue_with("Norvane")

    def alerts(n: int) -> bool:
        return all(decide(attack(n, age_days, 10, baseline, seed), matcher, service, model)[0] for seed in range(3))

    if not alerts(most):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if alerts(middle) else (middle, high)
    return high


def report(folder: Path | None, model: OutageModel) -> Iterator[str]:
    """Yield the section, line by line."""
    if folder is None:
        yield "recorded cases: skipped: EVAL_DATA is not set"
    else:
        found = list(judged(folder / "bad" / "brigade", model))
        wrong = [f"{name} ({expect})" for name, expect, alerted, *_ in found if (expect == "alert") != alerted]
        real = [alerted for _, expect, alerted, *_ in found if expect == "alert"]
        quiet = [alerted for _, expect, alerted, *_ in found if expect != "alert"]
        yield f"cases: {sum(real)} of {len(real)} outages alert, {sum(quiet)} of {len(quiet)} quiet or abusive ones do; wrong: {', '.join(wrong) or 'none'}"
    yield "the smallest attack that alerts by itself: accounts with a complaint each, worded differently, within ten minutes"
    yield f"{'usual reports an hour':<24}" + "".join(f"{f'{age:g} days old':>16}" for age in (0.5, 3, 30))
    for baseline in (0.2, 2.0, 20.0):
        row = [smallest(age, baseline, model) for age in (0.5, 3.0, 30.0)]
        yield f"{baseline:<24g}" + "".join(f"{'none up to 500' if n is None else n:>16}" for n in row)
