"""Speed of reading posts against scikit-learn over every post, in one run, as ratios; `make bench` prints it.

A million posts of which one in fifty names a service, by the first look alone and as shipped, and posts that all name
one. F1 is that of
posts held back from training, each pipeline judging all of them.
"""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from pipeline.config.load import load_catalogue
from pipeline.config.paths import LABELS, MODELS, PLACES
from pipeline.text.extract import ExtractionRequest, extract, masked_for
from pipeline.text.language import languages_of
from pipeline.text.models import outage as classifier
from pipeline.text.models import training
from pipeline.text.models.cache import kept_arrays
from pipeline.text.models.encoder import find_encoder
from pipeline.text.models.linear import LinearClassifier
from pipeline.text.models.metrics import classification_scores
from pipeline.text.models.network import Network, weights_of
from pipeline.text.models.tiles import single_thread
from pipeline.text.normalize import normalize
from pipeline.text.services import ServiceMatcher

POSTS, CHUNK, NAMED, LENGTH = 1_000_000, 5_000, 0.02, 3
MATCHER = ServiceMatcher(load_catalogue())


def posts(rows: list[training.Labelled], number: int) -> Iterator[str]:
    """Yield texts of a usual post's length, made of labelled ones; one in fifty names a service."""
    rng = random.Random(7)
    named = [row.text for row in rows if MATCHER.about(row.text)]
    rest = [row.text for row in rows if not MATCHER.name_matches(normalize(row.text))]
    for i in range(number):
        first = rng.choice(named if rng.random() < NAMED else rest)
        yield " ".join([first, *rng.choices(rest, k=LENGTH - 1), str(i)])[:600]


def tag(texts: list[str], model: classifier.OutageModel) -> int:
    asked = [
        ExtractionRequest(text=t, service=s, matches=matches) for t in texts for s, matches in MATCHER.about(t).items()
    ]
    return len(extract(asked, MATCHER, model, PLACES))


def microseconds(job: Callable[[], Any], number: int) -> float:
    least = float("inf")
    for _ in range(3):
        begin = time.process_time()
        job()
        least = min(least, time.process_time() - begin)
    return least / number * 1e6


def test_reading() -> None:
    rows = training.read_labels(LABELS, MATCHER)
    kept, rest = [r for r in rows if not r.is_holdout], [r for r in rows if r.is_holdout]
    outages = [r.outage for r in kept]
    words = training.fit_plain([r.text for r in kept], outages)
    runs = make_pipeline(
        make_union(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True),
        ),
        LogisticRegression(C=10.0, max_iter=2000),
    ).fit([r.text for r in kept], outages)
    stored = classifier.load(MODELS)
    assert stored.linear is not None
    model = classifier.OutageModel(stored.id, "", LinearClassifier(stored.linear.weights))
    storm = [f"{row.text} {i}" for i, row in enumerate(rows) if MATCHER.about(row.text)]
    sample = list(posts(rows, CHUNK))
    tag(sample, model)
    truth = [r.outage for r in rest]
    f1 = {
        "words and pairs": classification_scores(words.predict_proba([r.text for r in rest])[:, 1], truth).f1,
        "words and runs of letters": classification_scores(runs.predict_proba([r.text for r in rest])[:, 1], truth).f1,
        "this program, first look": classification_scores(model.scores([r.masked for r in rest]), truth).f1,
    }
    times = count()

    def unseen(texts: list[str]) -> list[str]:
        """Return texts of the same cost that no model remembers."""
        mark = next(times)
        return [f"{text} {mark}" for text in texts]

    mine = microseconds(lambda: tag(sample, model), CHUNK)
    costs = {
        "words and pairs": microseconds(lambda: words.predict_proba(sample), CHUNK),
        "words and runs of letters": microseconds(lambda: runs.predict_proba(sample), CHUNK),
        "this program, first look": mine,
        "this program, as shipped": microseconds(lambda: tag(unseen(sample), stored), CHUNK),
    }
    f1["this program, as shipped"] = classification_scores(stored.scores([r.masked for r in rest]), truth).f1
    print(f"\n{'posts, 1 in 50 names a service':<32}{'us a post':>10}{'times':>8}{'F1':>7}")
    for name, cost in costs.items():
        print(f"{name:<32}{cost:>10.1f}{cost / mine:>8.1f}{f1[name]:>7.3f}")
    runs_storm = microseconds(lambda: runs.predict_proba(storm), len(storm))
    mine_storm = microseconds(lambda: tag(unseen(storm), stored), len(storm))
    print(
        f"posts that all name a service, as shipped: {mine_storm:.0f} us a post, words and runs of letters "
        f"{runs_storm:.0f}: {runs_storm / mine_storm:.2f} times the posts a second"
    )
    named = [t for t in sample if MATCHER.about(t)]
    normalized = [normalize(t) for t in sample]
    about = {t: next(iter(MATCHER.about(t))) for t in named}
    masked = [masked_for(t, about[t], MATCHER) for t in named]
    steps: dict[str, tuple[Callable[[], Any], int]] = {
        "every post: normalize": (lambda: [normalize(t) for t in sample], CHUNK),
        "every post: names": (lambda: [MATCHER.name_matches(t) for t in normalized], CHUNK),
        "every post: normalize, names, homographs": (lambda: [MATCHER.about(t) for t in sample], CHUNK),
        "named: mask": (lambda: [masked_for(t, about[t], MATCHER) for t in named], len(named)),
        "named: first look": (lambda: model.scores(masked), len(named)),
        "named: language": (lambda: languages_of(named), len(named)),
        "named: all of it": (lambda: tag(named, model), len(named)),
    }
    encoder = find_encoder()[0]
    if encoder is not None:
        network = Network(kept_arrays("encoder-4", encoder.folder / "weights.npz", weights_of))
        steps["named: encoder"] = (lambda: network.vectors(encoder.tokens(masked)), len(masked))
    for name, (job, number) in steps.items():
        with single_thread():
            print(f"  {name:<36}{microseconds(job, number):>10.1f} us")


def test_memory_is_flat() -> None:
    rows = training.read_labels(LABELS, MATCHER)
    stored = classifier.load(MODELS)
    assert stored.linear is not None
    model = classifier.OutageModel(stored.id, "", stored.linear)
    chunk: list[str] = []
    peaks = []
    begin = time.perf_counter()
    for number, text in enumerate(posts(rows, POSTS), 1):
        chunk.append(text)
        if len(chunk) == CHUNK:
            tag(chunk, model)
            chunk = []
        if number in (POSTS // 10, POSTS):
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(
        f"\na million posts in {time.perf_counter() - begin:.0f} s with making them; peak {peaks[0]:.0f} MB after "
        f"a tenth, {peaks[1]:.0f} MB at the end"
    )
    assert peaks[1] < 1.1 * peaks[0]
