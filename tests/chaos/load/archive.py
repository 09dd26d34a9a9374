"""A database of a gigabyte: what a run and the questions of people cost beside so much history."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from pipeline.core.times import iso, utc
from tests.chaos.load.measured import Cost, Result, count, measured
from tests.fakes.recording import Recording
from tests.fakes.social import HackerNews

NOW = utc("2026-03-02T12:00:00Z")
DAYS = 365
SERVICES = ("claude", "github", "netflix", "slack", "discord", "zoom", "spotify", "aws", "cloudflare", "youtube")
SETTINGS = """
watch = ["claude", "github"]
[sources]
statuspage = false
downstatus = false
news_desks = false
google_news = false
allow_hosts = ["127.0.0.1"]
hacker_news_base = "{url}"
"""
ASK = """import sqlite3, sys, time
from contextlib import closing
slow = []
with closing(sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)) as conn:
    for view in sys.argv[2:]:
        begin = time.process_time()
        conn.execute(f'SELECT * FROM "{view}" LIMIT 100').fetchall()
        slow.append((time.process_time() - begin, view))
print(*(f"{view} {seconds:.2f}" for seconds, view in sorted(slow, reverse=True)[:3]), sep=", ")
"""


def fill(path: Path, megabytes: int) -> None:
    """Add posts of the last year, tagged and counted, and the runs that read them, until a database is that large."""
    dice = random.Random(4)
    words = ["".join(dice.choices("aaabcdeeefghiiklmnooprstuvw", k=dice.randrange(3, 10))) for _ in range(4000)]
    with closing(sqlite3.connect(path)) as conn:
        conn.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF")
        last = 0
        while path.stat().st_size + Path(f"{path}-wal").stat().st_size < megabytes << 20:
            posts, tags, votes, runs = [], [], [], []
            last += 5000
            for number in range(last - 5000, last):
                at = iso(NOW - timedelta(days=3) - timedelta(days=DAYS) * dice.random())
                key, service = f"p{number}", dice.choice(SERVICES)
                text = f"{service} {' '.join(dice.choices(words, k=40))}"
                posts.append((key, f"a{number % 90_000}", at, at, " ".join(dice.choices(words, k=8)), text))
                tags.append((key, service, at, 0.9 if number % 9 == 0 else 0.1))
                votes.append((key, service, at, float(number % 9 == 0), f"a{number % 90_000}", key))
                runs.append(("collect", "hacker_news", at))
            with conn:
                conn.executemany(
                    "INSERT INTO posts VALUES ('old',?,'post','HN',?,NULL,?,?,NULL,0,'',?,?,'','m')", posts
                )
                conn.executemany(
                    "INSERT INTO post_tags (source, native_id, service, created, p_outage, components, symptom, region,"
                    " language, anger, exonerates, model) VALUES ('old',?,?,?,?,'[]','','','en',0.1,'[]','m')",
                    tags,
                )
                conn.executemany("INSERT INTO votes VALUES ('old',?,?,?,?,'',?,?)", votes)
                conn.executemany(
                    "INSERT INTO runs (stage, subject, started, outcome, seen, new, rejected, error)"
                    " VALUES (?,?,?,'ok',1,1,0,'')",
                    runs,
                )
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def _hacker_news() -> Iterator[HackerNews]:
    """Yield a stand-in with a post a minute and a half before NOW."""
    recording = Recording()
    at = NOW.timestamp() - 90
    recording.posts_made.append({"id": "n1", "author": "x", "title": "Claude is down", "created_utc": at})
    fake = HackerNews(recording)
    fake.now = NOW - timedelta(minutes=5)
    fake.start()
    try:
        yield fake
    finally:
        fake.close()


def archive(folder: Path, *, megabytes: int = 1024) -> list[Result]:
    """Return what commands cost on a database so large; what is over is measured first without it."""
    found = []
    with _hacker_news() as fake:
        (folder / "groundswell.toml").write_text(SETTINGS.format(url=fake.url))
        measured(folder, "run", "--now", iso(NOW - timedelta(hours=1)))
        empty = measured(folder, "run", "--now", iso(NOW - timedelta(minutes=55)))
        fill(folder / "groundswell.db", megabytes)
        size = (folder / "groundswell.db").stat().st_size >> 20
        posts = count(folder, "posts")
        title = f"{size} MB, {posts:,} posts:"
        found.append(Result("a quiet run on an empty database", empty))
        measured(folder, "run", "--now", iso(NOW - timedelta(minutes=10)))  # once a day rows are counted
        quiet = measured(folder, "run", "--now", iso(NOW - timedelta(minutes=5)))
        found.append(Result(f"{title} a quiet run", quiet, wrong=_as_small_as(quiet, empty, 1)))
        fake.now = NOW
        new = measured(folder, "run", "--now", iso(NOW))
        stored = count(folder, "posts") - posts
        wrong = [f"{stored} posts were stored"] if stored != 1 else []
        found.append(Result(f"{title} a run with a new post", new, stored, wrong=wrong + _as_small_as(new, empty, 5)))
    later = iso(NOW + timedelta(minutes=1))
    for words in (["status"], ["status", "claude"], ["why", "claude"], ["doctor", "--offline"], ["publish"]):
        cost = measured(folder, *words, "--now", later)
        wrong = [] if cost.code in (0, 3) else [f"{words[0]} ended with {cost.code}: {cost.err}"]
        found.append(Result(f"{title} `{' '.join(words)}`", cost, wrong=wrong))
    views = _views(folder / "groundswell.db")
    asked = measured(folder, "groundswell.db", *views, program=("-c", ASK))
    found.append(
        Result(
            f"{title} 100 rows of each of {len(views)} views (slowest, s: {asked.out.strip()})",
            asked,
            wrong=[asked.err] if asked.code else [],
        )
    )
    repaired = measured(folder, "repair", "--now", later)
    wrong = [] if repaired.code == 0 else [f"repair ended with {repaired.code}: {repaired.err}"]
    found.append(Result(f"{title} `repair`", repaired, posts, wrong=wrong))
    return found


def _as_small_as(cost: Cost, empty: Cost, seconds: float) -> list[str]:
    """Return what a run costs beside history that it did not cost without: more seconds than so many, or memory."""
    checks = {
        f"it took {cost.cpu:.1f} s, {empty.cpu:.1f} on an empty database": cost.cpu < empty.cpu + seconds,
        f"it took {cost.memory:.0f} MB, {empty.memory:.0f} on an empty database": cost.memory < empty.memory + 200,
        f"it printed {cost.err!r}": not cost.err,
    }
    return [words for words, held in checks.items() if not held]


def _views(path: Path) -> list[str]:
    """Return the names of the views that people ask."""
    with closing(sqlite3.connect(path)) as conn:
        return [row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name")]
