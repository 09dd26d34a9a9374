"""The first look: a linear model over words, runs of characters and cues; quick enough for every post there is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.text.cues import lexicon_features

FEW = 100  # up to so many texts, one at a time is quicker than as a matrix
SEED = 7


def columns(masked: Sequence[str]) -> NDArray[np.object_]:
    """Return what the pipeline reads of masked texts: each text and its cues, (texts, 2)."""
    return np.array([[text, " ".join(lexicon_features(text))] for text in masked], object).reshape(-1, 2)


def build(seed: int = SEED) -> Any:
    """Return the untrained scikit-learn pipeline."""
    from sklearn.compose import ColumnTransformer
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline

    def hashed(size: int, **how: Any) -> Any:
        return HashingVectorizer(n_features=2**size, alternate_sign=False, lowercase=False, norm=None, **how)

    def weighed(size: int, **how: Any) -> Any:
        return Pipeline([("count", hashed(size, **how)), ("weigh", TfidfTransformer(sublinear_tf=True))])

    # hashed features need no vocabulary in the model file; cues keep their weight whatever the text's length
    return Pipeline(
        [
            (
                "features",
                ColumnTransformer(
                    [
                        ("words", weighed(15, ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b|[?!]"), 0),
                        ("runs", weighed(16, analyzer="char_wb", ngram_range=(2, 4)), 0),
                        ("cues", hashed(8, binary=True, token_pattern=r"cue_\w+"), 1),
                    ],
                    transformer_weights={"words": 1.0, "runs": 0.8, "cues": 0.2},
                ),
            ),
            ("model", LogisticRegression(C=10.0, max_iter=4000, random_state=seed)),
        ]
    )


class LinearClassifier:
    """A fitted pipeline, with its arithmetic for one text at a time.

    For the handful of posts of a run, scikit-learn's own path costs ten times the work it does; a test holds the two
    equal.
    """

    def __init__(self, pipeline: Any) -> None:
        from sklearn.utils import murmurhash3_32

        self.pipeline = pipeline
        self._hash = murmurhash3_32
        features, model = pipeline.steps[0][1], pipeline.steps[1][1]
        self._bias = float(model.intercept_[0])
        self._parts: list[tuple[Any, int, list[float] | None, list[float], int]] = []
        column = 0
        for name, part, source in features.transformers_:
            weighed = hasattr(part, "steps")
            counter = part.steps[0][1] if weighed else part
            idf = [float(v) for v in part.steps[1][1].idf_] if weighed else None
            size = counter.n_features
            coef = [float(v) for v in model.coef_[0, column : column + size] * features.transformer_weights[name]]
            self._parts.append((counter.build_analyzer(), size, idf, coef, source))
            column += size
        self._slots: dict[tuple[int, str], int] = {}

    def decision_function(self, masked: Sequence[str]) -> list[float]:
        """Return the log odds of an outage of each masked text."""
        read = columns(masked)
        if len(read) > FEW:
            return [float(m) for m in self.pipeline.decision_function(read)]
        return [self._margin(row) for row in read]

    def _margin(self, row: Sequence[str]) -> float:
        margin = self._bias
        for number, (analyze, size, idf, coef, source) in enumerate(self._parts):
            counts: dict[int, int] = {}
            for token in analyze(row[source]):
                slot = self._slots.get((number, token))
                if slot is None:
                    slot = abs(self._hash(token, seed=0)) % size
                    if len(self._slots) < 500_000:
                        self._slots[number, token] = slot
                counts[slot] = counts.get(slot, 0) + 1
            if idf is None:
                margin += sum(coef[slot] for slot in counts)
                continue
            weights = {slot: (1.0 + math.log(n)) * idf[slot] for slot, n in counts.items()}
            length = math.sqrt(sum(w * w for w in weights.values()))
            if length:
                margin += sum(w * coef[slot] for slot, w in weights.items()) / length
        return margin


def probability(margin: float) -> float:
    """Return the probability of log odds, of any size."""
    return 1.0 / (1.0 + math.exp(-margin)) if margin > -700 else 0.0
