"""The first look: a linear model over words, runs of characters and cues; quick enough for every post there is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pipeline.text.cues import with_cues

FEW = 100  # up to so many texts, one at a time is quicker than as a matrix
SEED = 7


def build(seed: int = SEED) -> Any:
    """Return the untrained scikit-learn pipeline."""
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import FeatureUnion, Pipeline

    def hashed(size: int, **how: Any) -> Any:
        return HashingVectorizer(n_features=2**size, alternate_sign=False, lowercase=False, **how)

    def weighed(size: int, **how: Any) -> Any:
        return Pipeline([("count", hashed(size, norm=None, **how)), ("weigh", TfidfTransformer(sublinear_tf=True))])

    # hashed features need no vocabulary in the model file; cues keep weight one, whatever the text's length
    return Pipeline([
        ("features", FeatureUnion([
            ("words", weighed(15, ngram_range=(1, 2), token_pattern=r"(?u)\b(?!cue_)\w+\b|[?!]")),
            ("runs", weighed(16, analyzer="char_wb", ngram_range=(2, 4))),
            ("cues", hashed(8, norm=None, binary=True, token_pattern=r"cue_\w+")),
        ], transformer_weights={"words": 1.0, "runs": 0.8, "cues": 0.5})),
        ("model", LogisticRegression(C=4.0, max_iter=4000, random_state=seed)),
    ])  # fmt: skip


class Linear:
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
        self._parts: list[tuple[Any, int, list[float] | None, list[float]]] = []
        column = 0
        for name, part in features.transformer_list:
            weighed = hasattr(part, "steps")
            counter = part.steps[0][1] if weighed else part
            idf = [float(v) for v in part.steps[1][1].idf_] if weighed else None
            size = counter.n_features
            coef = [float(v) for v in model.coef_[0, column : column + size] * features.transformer_weights[name]]
            self._parts.append((counter.build_analyzer(), size, idf, coef))
            column += size
        self._slots: dict[tuple[int, str], int] = {}

    def margins(self, masked: Sequence[str]) -> list[float]:
        """Return the log odds of an outage of each masked text."""
        texts = [with_cues(text) for text in masked]
        if len(texts) > FEW:
            return [float(m) for m in self.pipeline.decision_function(texts)]
        return [self._margin(text) for text in texts]

    def _margin(self, text: str) -> float:
        margin = self._bias
        for number, (analyze, size, idf, coef) in enumerate(self._parts):
            counts: dict[int, int] = {}
            for token in analyze(text):
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
