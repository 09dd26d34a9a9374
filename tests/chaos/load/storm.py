"""A run with very many posts and services: each service is watched, is counted in a file, and has posts about it."""

from __future__ import annotations

import json
import random
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.core.times import iso, utc
from tests.chaos.load.measured import Cost, Result, count, measured
from tests.fakes.base import Fake, Reply, Request, as_json
from tests.fakes.recording import Recording

NOW = utc("2026-03-02T12:00:00Z")
BEGINS = re.findall(r"\w+", "bra cle dro fen gli hov jun kal lem mor nex olt pri quo rav sil tor ulm vex wyn")
MIDDLES = re.findall(r"\w+", "ba de fi go hu ka le mi no pu ra se ti vo zu")
ENDS = re.findall(r"\w+", "dex lix nova ptic rion sys tron vance wick zen plor gate hub ment kade dale forge pad wave")
TROUBLE = (
    "is down",
    "won't load for me",
    "login fails",
    "times out",
    "keeps showing a 503",
    "does not work",
)
TALK = [
    "has a new logo",
    "is what we use at work",
    "changed its prices",
    "hired my cousin",
    "has nice docs",
    "was in the news",
]
REST = [
    "since this morning",
    "here in Ohio",
    "on my phone and my laptop",
    "again",
    "after lunch",
    "and my boss is waiting",
]


def names(number: int) -> list[str]:
    """Return so many different names that are no words."""
    made = [f"{a}{b}{c}".capitalize() for a in BEGINS for b in MIDDLES for c in ENDS]
    assert number <= len(made)
    random.Random(1).shuffle(made)
    return made[:number]


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """So many services, of which `failing` fail: nine in ten posts are about those."""

    services: int
    failing: int

    @property
    def names(self) -> list[str]:
        """Return the names of the services; those that fail come first."""
        return names(self.services)

    def settings(self, hacker_news: str) -> str:
        """Return a configuration that watches every service and reads its posts and counts."""
        head = f"""
watch = [{", ".join(f'"{name.lower()}"' for name in self.names)}]
[sources]
statuspage = false
downstatus = false
news_desks = false
google_news = false
hacker_news_base = "{hacker_news}"
allow_hosts = ["127.0.0.1"]
counts = ["counts.csv"]
"""
        tables = [f'[services.{name.lower()}]\nname = "{name}"\naliases = ["{name.lower()}"]\n' for name in self.names]
        return head + "".join(tables)

    def write_counts(self, path: Path, since: datetime, until: datetime, *, troubled: bool) -> None:
        """Write a count a service and quarter of an hour; where `troubled`, those that fail have many complaints."""
        dice = random.Random(2)
        with path.open("w") as file:
            file.write("service,start_utc,interval_s,total\n")
            start = since
            while start < until:
                for place, name in enumerate(self.names):
                    total = dice.randrange(3, 9) + (200 if troubled and place < self.failing else 0)
                    file.write(f"{name.lower()},{iso(start)},900,{total}\n")
                start += timedelta(minutes=15)

    def hits(self, number: int, since: datetime, until: datetime) -> list[dict[str, object]]:
        """Return so many posts as Hacker News has them, newest first, spread evenly over a span."""
        dice = random.Random(3)
        own, gap = self.names, (until - since) / max(1, number)
        found: list[dict[str, object]] = []
        for place in range(number):
            about_failing = dice.random() < 0.9
            name = own[dice.randrange(self.failing)] if about_failing else dice.choice(own)
            words = dice.choice(TROUBLE if about_failing else TALK)
            at = until - gap * (place + 1)
            found.append(
                {
                    "objectID": str(10_000_000 + number - place),
                    "author": f"user{place}",
                    "created_at_i": int(at.timestamp()),
                    "title": f"{name} {words} {dice.choice(REST)} {place}",
                    "story_text": f"{name} {words}, {dice.choice(REST)}. I tried it {place % 97} times.",
                }
            )
        return found

    def write_posts(self, path: Path, number: int, since: datetime, until: datetime) -> None:
        """Write so many posts as an archive of Reddit has them."""
        with path.open("w") as file:
            for hit in self.hits(number, since, until):
                post = {
                    "id": f"r{hit['objectID']}",
                    "title": hit["title"],
                    "selftext": hit["story_text"],
                    "author": hit["author"],
                    "subreddit": "outages",
                    "created_utc": hit["created_at_i"],
                }
                file.write(json.dumps(post) + "\n")


class ManyHits(Fake):
    """Hacker News' search over made posts, newest first: all of the span that is asked for."""

    def __init__(self, hits: list[dict[str, object]]) -> None:
        super().__init__(Recording())
        self.hits = hits
        self.moments = [-int(str(hit["created_at_i"])) for hit in hits]

    def reply(self, request: Request) -> Reply:
        """Answer a search: the newest thousand of the span asked for."""
        low, high = map(int, re.findall(r"[<>]=?(\d+)", request.one("numericFilters")))
        found = self.hits[bisect_right(self.moments, -high) : bisect_right(self.moments, -low)]
        return as_json({"hits": found[: int(request.one("hitsPerPage"))], "nbHits": len(found)})


def storm(folder: Path, *, services: int = 5000, posts: int = 100_000, failing: int = 100) -> list[Result]:
    """Return what a run costs with so many posts and services, and what comes before and after it.

    At most 15,000 are read from Hacker News, as many as its turn is sure to take; the others are imported just before,
    and the run has them to read.
    """
    plan, hour = Storm(services=services, failing=failing), timedelta(hours=1)
    read = min(posts // 5, 15_000)
    fake = ManyHits(plan.hits(read, NOW - hour, NOW - timedelta(minutes=1)))
    fake.start()
    found: list[Result] = []

    def ran(what: str, *words: str, now: datetime, rows: int = 0, wrong: Sequence[str] = ()) -> Cost:
        cost = measured(folder, *words, "--now", iso(now))
        problems = [*wrong, *([] if cost.code in (0, 3) and "Traceback" not in cost.err else [cost.err])]
        found.append(Result(what, cost, rows, wrong=problems))
        return cost

    title = f"{services:,} services"
    try:
        (folder / "groundswell.toml").write_text(plan.settings(fake.url))
        plan.write_counts(folder / "counts.csv", NOW - 7 * hour, NOW - hour, troubled=False)
        ran(f"{title}: the first run, with six hours of counts", "run", now=NOW - hour, rows=services * 24)
        plan.write_posts(folder / "posts.ndjson", posts - read, NOW - hour, NOW)
        ran(f"`import posts` of {posts - read:,}", "import", "posts", "posts.ndjson", now=NOW, rows=posts - read)
        plan.write_counts(folder / "counts.csv", NOW - hour, NOW, troubled=True)
        cost = measured(folder, "run", "--now", iso(NOW))
        tagged = count(folder, "posts WHERE tagged_by IS NOT NULL")
        seen = count(folder, "(SELECT DISTINCT service FROM incidents)")
        messages = len(list((folder / "mail").glob("*.eml")))
        checks = {
            f"it ended with {cost.code}: {cost.err[:500]}": cost.code == 0 and not cost.err,
            f"{tagged} posts were read": tagged == posts,
            f"{seen} of {failing} failing services were found": seen >= failing,
            f"{messages} messages": messages == 1,
            f"it took {cost.memory:.0f} MB": cost.memory < 2000,
        }
        wrong = [words for words, held in checks.items() if not held]
        what = f"{title} and {posts:,} posts in one run, {failing} services fail"
        found.append(Result(what, cost, posts, messages, wrong))
        after = NOW + timedelta(minutes=5)
        ran("the next run", "run", now=after)
        ran(f"{title}: `status`", "status", now=after)
        ran(f"{title}: `doctor --offline`", "doctor", "--offline", now=after)
        ran(f"{title}: `publish`, nothing new", "publish", now=after)
    finally:
        fake.close()
    return found
