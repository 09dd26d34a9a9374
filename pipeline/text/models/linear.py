"""The first look: a linear model over words, runs of characters and cues; quick enough for every post there is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.text.cues import lexicon_features

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

FEW = 100  # up to so many texts, one at a time is quicker than as a matrix
SEED = 7
WORDS, CUES = r"(?u)\b\w+\b|[?!]", r"cue_\w+"  # what a token of a kind looks like
MOST_SLOTS = 500_000  # tokens of a kind whose slots are remembered


def columns(masked: Sequence[str]) -> NDArray[np.object_]:
    """Return what the pipeline reads of masked texts: each text and its cues, (texts, 2)."""
    return np.array([[text, " ".join(lexicon_features(text))] for text in masked], object).reshape(-1, 2)


def build(seed: int = SEED) -> Pipeline:
    """Return the untrained scikit-learn pipeline."""
    from sklearn.compose import ColumnTransformer
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline

    hashed = partial(HashingVectorizer, alternate_sign=False, lowercase=False, norm=None)

    def weighed(counter: HashingVectorizer) -> Pipeline:
        return Pipeline([("count", counter), ("weigh", TfidfTransformer(sublinear_tf=True))])

    # hashed features need no vocabulary in the model file; cues keep their weight whatever the text's length
    return Pipeline(
        [
            (
                "features",
                ColumnTransformer(
                    [
                        ("words", weighed(hashed(n_features=2**15, ngram_range=(1, 2), token_pattern=WORDS)), 0),
                        ("runs", weighed(hashed(n_features=2**16, analyzer="char_wb", ngram_range=(2, 4))), 0),
                        ("cues", hashed(n_features=2**8, binary=True, token_pattern=CUES), 1),
                    ],
                    transformer_weights={"words": 1.0, "runs": 0.8, "cues": 0.2},
                ),
            ),
            ("model", LogisticRegression(C=10.0, max_iter=4000, random_state=seed)),
        ]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Features:
    """One group of hashed features of a fitted pipeline: how a text becomes tokens, and the weights of their slots.

    `source` is the column of the text that it reads; `idf` is None where tokens count once and unweighted. `slots`
    remembers the slots of tokens met, up to `MOST_SLOTS` of them.
    """

    analyze: Callable[[str], Iterable[str]]
    slot_of: Callable[[str], int]
    idf: Sequence[float] | None
    coefficients: Sequence[float]
    source: int
    slots: dict[str, int] = field(default_factory=dict)

    def counts(self, text: str) -> dict[int, int]:
        """Return how many tokens of a text fall into each slot."""
        counts: dict[int, int] = {}
        for token in self.analyze(text):
            slot = self.slots.get(token)
            if slot is None:
                slot = self.slot_of(token)
                if len(self.slots) < MOST_SLOTS:
                    self.slots[token] = slot
            counts[slot] = counts.get(slot, 0) + 1
        return counts

    def log_odds(self, text: str) -> float:
        """Return what a text's tokens add to the log odds of an outage."""
        counts = self.counts(text)
        if self.idf is None:
            return sum(self.coefficients[slot] for slot in counts)
        weights = {slot: (1.0 + math.log(n)) * self.idf[slot] for slot, n in counts.items()}
        length = math.sqrt(sum(w * w for w in weights.values()))
        return sum(w * self.coefficients[slot] for slot, w in weights.items()) / length if length else 0.0


class LinearClassifier:
    """A fitted pipeline, with its arithmetic for one text at a time.

    For the handful of posts of a run, scikit-learn's own path costs ten times the work it does; a test holds the two
    equal.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        """Take the fitted pipeline of `build`; raises an error of some kind when it is another."""
        self.pipeline = pipeline
        features, model = pipeline.steps[0][1], pipeline.steps[1][1]
        self._bias = float(model.intercept_[0])
        self._features: list[_Features] = []
        column = 0
        for name, part, source in features.transformers_:
            weighed = hasattr(part, "steps")
            counter = part.steps[0][1] if weighed else part
            end = column + counter.n_features
            self._features.append(
                _Features(
                    analyze=counter.build_analyzer(),
                    slot_of=_hashed(counter.n_features),
                    idf=[float(v) for v in part.steps[1][1].idf_] if weighed else None,
                    coefficients=[float(v) for v in model.coef_[0, column:end] * features.transformer_weights[name]],
                    source=source,
                )
            )
            column = end

    def decision_function(self, masked: Sequence[str]) -> list[float]:
        """Return the log odds of an outage of each masked text."""
        table = columns(masked)
        if len(table) > FEW:
            return [float(log_odds) for log_odds in self.pipeline.decision_function(table)]
        return [sum((f.log_odds(row[f.source]) for f in self._features), self._bias) for row in table]


def _hashed(size: int) -> Callable[[str], int]:
    """Return the slot of a token among `size`, as scikit-learn's HashingVectorizer chooses it."""
    from sklearn.utils import murmurhash3_32

    return lambda token: abs(int(murmurhash3_32(token, seed=0))) % size


def probability(log_odds: float) -> float:
    """Return the probability of log odds."""
    from scipy.special import expit

    return float(expit(log_odds))
