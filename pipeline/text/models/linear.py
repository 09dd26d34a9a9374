"""The first look: a linear model over words, runs of characters and cues; quick enough for every post there is."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain, count, pairwise
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.text.cues import lexicon_features
from pipeline.text.models.arrays import Array, ArrayFile, Model
from pipeline.text.models.files import number
from pipeline.text.models.hashing import slots

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

SEED = 7
WORDS, CUES = r"(?u)\b\w+\b|[?!]", r"cue_\w+"  # what a token of a kind looks like
RUNS = (2, 3, 4)  # characters
MOST_SLOTS = 50_000  # tokens of a kind whose slots are remembered, before those of a batch
AT_ONCE = 500  # texts

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


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
    letters = partial(hashed, analyzer="char_wb", ngram_range=(RUNS[0], RUNS[-1]))

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
                        ("runs", weighed(letters(n_features=2**16)), 0),
                        ("cues", hashed(n_features=2**8, binary=True, token_pattern=CUES), 1),
                    ],
                    transformer_weights={"words": 1.0, "runs": 0.8, "cues": 0.2},
                ),
            ),
            ("model", LogisticRegression(C=10.0, max_iter=4000, random_state=seed)),
        ]
    )


class _Found(NamedTuple):
    """The slots of all tokens of `size` texts, text after text: of each one the text, and the slot."""

    size: int
    texts: Places
    slots: Places


class FeatureWeights(NamedTuple):
    """What one group of hashed features weighs: by slot its coefficient, and its idf, None where slots count once."""

    coefficients: Floats
    idf: Floats | None

    def log_odds(self, found: _Found) -> Floats:
        """Return what each text's slots add to its log odds; each text is summed in the order of its slots."""
        width = len(self.coefficients)
        distinct, counts = np.unique(found.texts * width + found.slots, return_counts=True)
        texts, slots = np.divmod(distinct, width)
        coefficients = self.coefficients[slots]
        if self.idf is None:
            return np.bincount(texts, coefficients, found.size).astype(np.float64)
        most = int(counts.max(initial=1))
        damped = np.array([0.0, *(1.0 + math.log(n) for n in range(1, most + 1))])
        weights = damped[counts] * self.idf[slots]
        length = np.sqrt(np.bincount(texts, weights * weights, found.size))
        summed = np.bincount(texts, weights * coefficients, found.size)
        return np.divide(summed, length, out=np.zeros(found.size), where=length > 0)


class _Slots:
    """The slots of tokens met lately: what is not known yet is hashed all at once."""

    def __init__(self, size: int, parts: Callable[[str], Sequence[str]]) -> None:
        """Take how many slots there are and into which hashed parts a token falls."""
        self._size, self._parts = size, parts
        self._forget()

    def _forget(self) -> None:
        self._known: dict[str, int] = {}  # the place of each token among all of them
        self._slots = np.zeros(0, np.int64)  # of one token after the other
        self._ends = np.zeros(1, np.int64)  # where those of each token end among all, after a 0

    def found(self, texts: Sequence[Sequence[str]]) -> _Found:
        """Return the slots of all tokens of each text."""
        if len(self._known) > MOST_SLOTS:
            self._forget()
        tokens = list(chain.from_iterable(texts))
        if new := list(dict.fromkeys(token for token in tokens if token not in self._known)):
            parts = [self._parts(token) for token in new]
            self._known.update(zip(new, count(len(self._known))))
            self._slots = np.append(self._slots, slots(list(chain.from_iterable(parts)), self._size))
            self._ends = np.append(self._ends, self._ends[-1] + np.cumsum([len(each) for each in parts]))
        places = np.fromiter(map(self._known.__getitem__, tokens), np.int64, len(tokens))
        starts, ends = self._ends[places], self._ends[places + 1]
        lengths = ends - starts
        # of token after token, each of its slots: the places count on from where the token's begin
        at = np.arange(lengths.sum()) + np.repeat(ends - np.cumsum(lengths), lengths)
        of_token = np.repeat(np.arange(len(texts)), [len(each) for each in texts])
        return _Found(len(texts), np.repeat(of_token, lengths), self._slots[at])


_WORDS = re.compile(WORDS)


def words_and_pairs(text: str) -> list[str]:
    """Return the words of a text and its pairs of neighbouring words."""
    words = _WORDS.findall(text)
    return [*words, *map(" ".join, pairwise(words))]


def runs(word: str) -> list[str]:
    """Return the runs of two to four characters of a word between spaces; a word too short for a length ends them."""
    padded = f" {word} "
    found: list[str] = []
    for length in RUNS:
        found += [padded[start : start + length] for start in range(max(1, len(padded) - length + 1))]
        if len(padded) <= length:
            break
    return found


class LinearWeights(NamedTuple):
    """All that is kept of a fitted pipeline of `build`: the weights of its three groups of features, and the bias."""

    words: FeatureWeights
    runs: FeatureWeights
    cues: FeatureWeights
    bias: float

    @classmethod
    def of_fitted(cls, pipeline: Pipeline) -> Self:
        """Return the weights of a fitted pipeline of `build`."""
        features, model = pipeline.steps[0][1], pipeline.steps[1][1]
        groups: dict[str, FeatureWeights] = {}
        column = 0
        for name, part, _ in features.transformers_:
            weighed = hasattr(part, "steps")
            end = column + (part.steps[0][1] if weighed else part).n_features
            idf = np.asarray(part.steps[1][1].idf_, np.float64) if weighed else None
            groups[name] = FeatureWeights(model.coef_[0, column:end] * features.transformer_weights[name], idf)
            column = end
        return cls(groups["words"], groups["runs"], groups["cues"], float(model.intercept_[0]))

    @classmethod
    def of_stored(cls, stored: ArrayFile) -> Self:
        """Return the weights of a stored model; raises ArraysError of another."""

        def weighed(name: str) -> FeatureWeights:
            coefficients = stored.doubles(name, -1)
            return FeatureWeights(coefficients, stored.doubles(f"{name}.idf", len(coefficients)))

        cues = FeatureWeights(stored.doubles("cues", -1), None)
        return cls(weighed("words"), weighed("runs"), cues, float(stored.doubles("bias", 1)[0]))

    def to_model(self) -> Model:
        """Return what is stored of it."""
        arrays: dict[str, Array] = {"bias": number(self.bias)}
        for name, group in (("words", self.words), ("runs", self.runs), ("cues", self.cues)):
            arrays[name] = group.coefficients
            if group.idf is not None:
                arrays[f"{name}.idf"] = group.idf
        return Model({"model": "outage, first look"}, arrays)


class LinearClassifier:
    """The arithmetic of a fitted pipeline of `build`, for many texts at once; a test holds the two equal.

    scikit-learn's own path costs several times as much, and for the handful of posts of a run ten times. What a text
    gets is the same to the last bit whatever it is asked for with.
    """

    def __init__(self, weights: LinearWeights) -> None:
        """Take what a fitted pipeline of `build` weighs."""
        self.weights = weights
        self._words = _Slots(len(weights.words.coefficients), lambda token: [token])
        self._runs = _Slots(len(weights.runs.coefficients), runs)
        self._cues = _Slots(len(weights.cues.coefficients), lambda token: [token])

    def decision_function(self, masked: Sequence[str]) -> list[float]:
        """Return the log odds of an outage of each masked text."""
        log_odds: list[float] = []
        for start in range(0, len(masked), AT_ONCE):
            some = masked[start : start + AT_ONCE]
            words = self.weights.words.log_odds(self._words.found([words_and_pairs(text) for text in some]))
            parts = self.weights.runs.log_odds(self._runs.found([text.split() for text in some]))
            cues = self.weights.cues.log_odds(self._cues.found([lexicon_features(text) for text in some]))
            log_odds += (words + parts + cues + self.weights.bias).tolist()
        return log_odds


def probability(log_odds: float) -> float:
    """Return the probability of log odds."""
    try:
        return 1 / (1 + math.exp(-log_odds))
    except OverflowError:  # below -709
        return 0.0
