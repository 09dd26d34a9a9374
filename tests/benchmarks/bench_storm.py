"""What a storm and an archive cost as users run them: CPU seconds and memory of whole processes, for `make bench`.

20,000 distinct posts that all name a service through `score-posts`, the tag stage with 5,000 of them, and `backfill`
over posts of which one in fifty names one: beside scikit-learn's words and runs of letters over every post, and beside
the same over what a search for all names leaves. BENCH_BEFORE names a folder with another version of this program, to
be measured in turns with this one.
"""

from __future__ import annotations

import csv
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from pipeline.config.load import load_catalogue
from pipeline.config.paths import LABELS
from pipeline.core.records import Batch, Post
from pipeline.core.times import utc
from pipeline.store import Store
from pipeline.store.observations import save_batch
from pipeline.text.models import training
from pipeline.text.services import ServiceMatcher
from tests.benchmarks.archives import write_posts
from tests.conftest import ROOT

STORM, ONE_RUN = int(os.environ.get("BENCH_STORM", "20000")), 5_000  # posts
ARCHIVE = int(os.environ.get("BENCH_POSTS", "100000"))
MORE_WORDS = 6  # of another row after one that names a service: about thirty tokens in all
BEGIN = utc("2026-03-02T11:40:00Z")
MATCHER = ServiceMatcher(load_catalogue())
TAG = """import sys, time
from datetime import timedelta
from pathlib import Path
from pipeline.config.load import load_catalogue
from pipeline.config.paths import MODELS
from pipeline.core.times import utc
from pipeline.stages.tag import run_tag
from pipeline.store import Store
from pipeline.text.models.outage import load
from pipeline.text.services import ServiceMatcher
with Store(Path(sys.argv[1])) as store:
    at = utc("2026-03-02T11:40:00Z")
    run_tag(store, ServiceMatcher(load_catalogue()), load(MODELS), at + timedelta(hours=1), since=at)
"""


class Judge(Protocol):
    """A fitted pipeline of scikit-learn."""

    def predict_proba(self, texts: Sequence[str]) -> object: ...


class Cost(NamedTuple):
    """CPU seconds of a process, user and system, and its largest size in MB."""

    seconds: float
    size: float


def cost_of(arguments: list[str], folder: Path = ROOT) -> Cost:
    """Run Python with the program of a folder, and return what it cost."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    process = subprocess.Popen([sys.executable, *arguments], cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def seconds_of(job: Callable[[], object]) -> float:
    """Return the CPU seconds of a job in this process."""
    begin = time.process_time()
    job()
    return time.process_time() - begin


@pytest.fixture(scope="module")
def rows() -> list[training.Labelled]:
    return training.read_labels(LABELS, MATCHER)


@pytest.fixture(scope="module")
def runs(rows: list[training.Labelled]) -> Judge:
    """Return scikit-learn's words, pairs and runs of letters, fitted."""
    kept = [row for row in rows if not row.is_holdout]
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True),
    )
    fitted: Judge = make_pipeline(features, LogisticRegression(C=10.0, max_iter=2000)).fit(
        [row.text for row in kept], [row.outage for row in kept]
    )
    return fitted


@pytest.fixture(scope="module")
def storm(rows: list[training.Labelled]) -> list[str]:
    """Return distinct posts that all name a service."""
    dice = random.Random(11)
    named = [row.text for row in rows if MATCHER.about(row.text)]
    rest = [row.text for row in rows if not MATCHER.about(row.text)]
    posts: dict[str, None] = {}
    while len(posts) < STORM:
        text = f"{dice.choice(named)} {' '.join(dice.choice(rest).split()[:MORE_WORDS])}"[:400]
        if MATCHER.about(text):
            posts[text] = None
    return list(posts)


def test_storm(storm: list[str], runs: Judge, tmp_path: Path) -> None:
    with (tmp_path / "posts.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "text"), *enumerate(storm)])
    command = ["-m", "pipeline", "score-posts", str(tmp_path / "posts.csv")]
    theirs = seconds_of(lambda: runs.predict_proba(storm))
    ours = cost_of(command)
    theirs = min(theirs, seconds_of(lambda: runs.predict_proba(storm)))
    print(
        f"\nstorm of {STORM} posts through score-posts: {ours.seconds:.1f} CPU seconds, {ours.size:.0f} MB; words and "
        f"runs of letters {theirs:.1f}: {theirs / ours.seconds:.2f} times the posts a second"
    )
    if before := os.environ.get("BENCH_BEFORE"):
        other = cost_of(command, Path(before))
        print(
            f"  as it was before: {other.seconds:.1f} CPU seconds, {other.size:.0f} MB: now "
            f"{other.seconds / ours.seconds:.1f} times the posts a second"
        )


def test_tag_stage_in_a_storm(storm: list[str], tmp_path: Path) -> None:
    posts = [
        Post(
            source="s",
            native_id=f"p{number}",
            kind="post",
            community="x",
            author_key=f"a{number}",
            author_created=None,
            created=BEGIN + timedelta(milliseconds=100 * number),
            collected=BEGIN,
            text=text,
        )
        for number, text in enumerate(storm[:ONE_RUN])
    ]
    with Store(tmp_path / "storm.db") as store:
        save_batch(store, Batch(source="s", rows=tuple(posts)), BEGIN)
    cost = cost_of(["-c", TAG, str(tmp_path / "storm.db")])
    print(f"\ntag stage with {len(posts)} posts of a storm: {cost.seconds:.1f} CPU seconds, {cost.size:.0f} MB")


def test_backfill(runs: Judge, tmp_path: Path) -> None:
    import duckdb

    archive = tmp_path / "posts.ndjson"
    write_posts(archive, ARCHIVE)
    command = ["-m", "pipeline", "backfill", str(tmp_path / "out"), "--posts", str(archive)]
    # before this process has grown, whose size others start with
    cost = cost_of([*command, "--db", str(tmp_path / "x.db"), "--now", "2026-03-05T00:00:00Z"])
    texts = [
        f"{post['title']}\n{post['selftext']}" for post in map(json.loads, archive.read_text("utf-8").splitlines())
    ]
    names = "|".join(
        sorted({re.escape(alias.casefold()) for service in MATCHER.catalogue.values() for alias in service.aliases})
    )
    search = f"SELECT title || selftext FROM read_json('{archive}') WHERE regexp_matches(lower(selftext), ?)"

    def filtered() -> None:
        with duckdb.connect() as database:
            database.execute("SET threads = 1")
            found = database.execute(search, [rf"(?:^|\W)(?:{names})(?:\W|$)"]).fetchall()
        runs.predict_proba([text for (text,) in found])

    every = ARCHIVE / 10 / seconds_of(lambda: runs.predict_proba(texts[: ARCHIVE // 10]))
    after_search = ARCHIVE / seconds_of(filtered)
    ours = ARCHIVE / cost.seconds
    print(
        f"\nbackfill of {ARCHIVE} posts, 1 in 50 names a service: {ours:,.0f} posts a CPU second, {cost.size:.0f} MB; "
        f"words and runs of letters over every post {every:,.0f} ({ours / every:.1f} times); after DuckDB's search for "
        f"names {after_search:,.0f} ({ours / after_search:.2f} times)"
    )
