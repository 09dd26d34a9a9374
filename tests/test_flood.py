"""Floods that are written to look like many people, as a language model would: read, counted and judged as posts are.

The texts are composed here: 16 beginnings, 16 troubles and 16 ends make 4,096 different ones.
"""

from __future__ import annotations

import random
from itertools import product

import numpy as np
import pytest

from pipeline.config.paths import MODELS
from pipeline.core.times import utc
from pipeline.core.vocabulary import VoteReason
from pipeline.evaluation.abuse import posts_of, reports_of
from pipeline.evaluation.abuse_case import Case, catalogue_with, decide
from pipeline.text.models.outage import load

NOW = utc("2026-03-02T12:00:00Z")
SERVICE, USUAL = "Quillstack", 0.2  # reports an hour
BEGINNINGS = (
    "Is it only me or is {}",
    "Anyone else seeing {}",
    "So {} is",
    "Ugh, {} is",
    "Looks like {} is",
    "Third time today: {} is",
    "Can confirm, {} is",
    "From Lisbon here, {} is",
    "My whole team says {} is",
    "Great timing, {} is",
    "For the last ten minutes {} is",
    "On three machines {} is",
    "Since the coffee break {} is",
    "Reporting that {} is",
    "Not again, {} is",
    "Just as I had a deadline {} is",
)
TROUBLES = (
    "down",
    "down for me",
    "not loading at all",
    "giving error 503",
    "timing out",
    "refusing every login",
    "throwing error 500",
    "completely broken",
    "unreachable",
    "failing on every request",
    "stuck and not responding",
    "offline",
    "showing a blank page",
    "rejecting my password and then failing",
    "dropping every connection",
    "not working",
)
ENDS = (
    "",
    " on mobile too",
    " and support is silent",
    " in the browser and in the app",
    " even after a restart",
    " while everything else works",
    " here in the office",
    " with and without VPN",
    ", what is going on",
    ", second browser same thing",
    " no matter what I click",
    ", cannot get any work done",
    " since a few minutes",
    " for all of us",
    ", tried twice",
    " right now",
)
TEXTS = tuple("".join((a.format(SERVICE) + " ", b, c)) for a, b, c in product(BEGINNINGS, TROUBLES, ENDS))


def flood(accounts: int, texts: int, age_days: float, *, posts_each: int = 1, seed: int = 0) -> Case:
    """Return a case in which accounts of an age write in ten minutes, each `posts_each` times, from so many texts."""
    rng = random.Random(seed)
    chosen = rng.sample(TEXTS, texts)
    now = NOW.timestamp()
    rows = []
    for number in range(accounts * posts_each):
        created = now - rng.uniform(1, 600)
        rows.append(
            {
                "id": f"p{number}",
                "author": f"u{number % accounts}",
                "author_created_utc": created - age_days * 86400 - rng.uniform(0, 86400),
                "created_utc": created,
                "text": chosen[number % texts],
            }
        )
    quiet = np.random.default_rng(seed).poisson(USUAL, 14 * 24).tolist()
    return Case(service=SERVICE, now=NOW, hourly_reports=quiet, posts=rows)


def alerts(*cases: Case) -> list[bool]:
    """Return whether each case alerts by itself."""
    model = load(MODELS)
    read = [reports_of(posts_of(case), *catalogue_with(SERVICE), model) for case in cases]
    return [alerted for alerted, _ in decide(cases, read, catalogue_with(SERVICE)[1])]


def test_the_flood_is_convincing_enough_to_test_with() -> None:
    assert len(set(TEXTS)) == 4096
    case = flood(200, 200, 400.0)
    reports = reports_of(posts_of(case), *catalogue_with(SERVICE), load(MODELS))
    counted = sum(report.reason == VoteReason.COUNTED for report in reports)
    assert counted > 150, "most are read as reports of an outage"


@pytest.mark.parametrize(
    ("accounts", "texts", "age_days", "posts_each"),
    [
        pytest.param(500, 500, 0.5, 1, id="500 accounts made today, each with a text of its own"),
        pytest.param(500, 500, 5.0, 1, id="500 accounts made this week, each with a text of its own"),
        pytest.param(500, 3, 400.0, 1, id="500 old accounts with three texts"),
        pytest.param(3, 300, 400.0, 100, id="three old accounts with 300 texts"),
    ],
)
def test_a_flood_of_young_accounts_few_texts_or_few_people_does_not_alert(
    accounts: int, texts: int, age_days: float, posts_each: int
) -> None:
    assert alerts(flood(accounts, texts, age_days, posts_each=posts_each)) == [False]


def test_old_accounts_with_texts_of_their_own_do_alert_from_a_size_that_is_in_the_docs() -> None:
    assert alerts(flood(3, 3, 400.0), flood(12, 12, 400.0)) == [False, True]
