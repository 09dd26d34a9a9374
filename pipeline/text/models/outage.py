"""Is this text a report of an outage? Two looks, or rules where there is no model.

Every post gets a first look by a linear model; those it is unsure of, a second by a support vector machine over
sentence vectors, which knows wordings and languages the labelled texts lack. A missing, cut or foreign model file
means rules alone; a missing encoder, the first look alone. Either is said aloud by `note`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from pipeline.text.cues import FAILURES, lexicon_features
from pipeline.text.models.arrays import ArrayFile, Model
from pipeline.text.models.checks import FIRST, SECOND, ModelFileError
from pipeline.text.models.encoder import DIMENSIONS, Encoder, find_encoder
from pipeline.text.models.files import number, read
from pipeline.text.models.kinds import RULES, SymptomModel, load_symptoms
from pipeline.text.models.linear import LinearClassifier, LinearWeights, probability
from pipeline.text.models.tiles import single_thread, tiled_product
from pipeline.text.symptoms import symptom

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline

logger = logging.getLogger(__name__)

Floats = NDArray[np.float64]
FIRST_ONLY = "first look only, so more is missed and mistaken"
AT_ONCE = 48  # texts whose distances to all support vectors are in memory together
SURE = math.log(0.95 / 0.05)  # log odds beyond which the first look is believed
_SOUNDS_LIKE = {
    "cue_limit",
    "cue_howto",
    "cue_wish",
    "cue_past",
    "cue_mine",
    "cue_works",
    "cue_account",
    "cue_politics",
    "cue_joke",
}


def rule_score(masked: str) -> float:
    """Return a rough probability from cues alone: what rules-only mode uses, and the baseline to beat."""
    cues = set(lexicon_features(masked))
    if not cues & FAILURES:
        return 0.05
    return 0.4 if cues & _SOUNDS_LIKE else 0.75


class StackedWeights(NamedTuple):
    """The fitted second look: a support vector machine over principal axes, and what weighs both looks.

    mean (DIMENSIONS,) and axes (DIMENSIONS, axes) project a vector. support (axes, vectors), the squared lengths of
    these vectors and their weights, both (vectors,), bias and gamma are the machine's. mix: what the first look's log
    odds and the machine's distance weigh, and a bias.
    """

    mean: Floats
    axes: Floats
    support: Floats
    lengths: Floats
    weights: Floats
    bias: float
    gamma: float
    mix: tuple[float, float, float]

    @classmethod
    def of_fitted(cls, machine: Pipeline, mix: LogisticRegression) -> Self:
        """Return the weights of a fitted pipeline of PCA and SVC and of the regression that weighs both looks."""
        (_, axes), (_, svc) = machine.steps
        first, second = map(float, mix.coef_[0])
        return cls(
            mean=axes.mean_,
            axes=np.ascontiguousarray(axes.components_.T),
            support=np.ascontiguousarray(svc.support_vectors_.T),
            lengths=(svc.support_vectors_**2).sum(axis=1),
            weights=svc.dual_coef_[0],
            bias=float(svc.intercept_[0]),
            gamma=float(svc.gamma),
            mix=(first, second, float(mix.intercept_[0])),
        )

    @classmethod
    def of_stored(cls, stored: ArrayFile, first: str) -> Self:
        """Return stored weights; raises ModelFileError unless they belong to the first look's id, or ArraysError."""
        if stored.texts.get("first") != first:
            raise ModelFileError("made for another first look")
        if len(stored.doubles("mean", -1)) != DIMENSIONS:
            raise ModelFileError("made for another encoder")
        axes = stored.doubles("axes", DIMENSIONS, -1)
        support = stored.doubles("support", axes.shape[1], -1)
        bias, gamma = stored.doubles("bias", 1), stored.doubles("gamma", 1)
        mix = stored.doubles("mix", 3).tolist()
        return cls(
            mean=stored.doubles("mean", DIMENSIONS),
            axes=axes,
            support=support,
            lengths=stored.doubles("lengths", support.shape[1]),
            weights=stored.doubles("weights", support.shape[1]),
            bias=float(bias[0]),
            gamma=float(gamma[0]),
            mix=(mix[0], mix[1], mix[2]),
        )

    def to_model(self, first: str) -> Model:
        """Return what is stored of it, with the id of the first look that it belongs to."""
        return Model(
            {"model": "outage, second look", "first": first},
            {
                "mean": self.mean,
                "axes": self.axes,
                "support": self.support,
                "lengths": self.lengths,
                "weights": self.weights,
                "bias": number(self.bias),
                "gamma": number(self.gamma),
                "mix": np.array(self.mix),
            },
        )


class StackedClassifier:
    """A support vector machine over sentence vectors, weighed against the first look by a logistic regression.

    The machine's arithmetic is done here, in products whose rows do not depend on each other: scikit-learn's own path
    costs ten times the work, and may round a row differently among other rows; a test holds the two equal.
    """

    def __init__(self, encoder: Encoder, weights: StackedWeights) -> None:
        """Take the encoder of the vectors that the weights were fitted to."""
        self.encoder, self.weights = encoder, weights

    def distances(self, masked: Sequence[str]) -> NDArray[np.float64]:
        """Return how far on the side of outages each text lies, (texts,)."""
        vectors = self.encoder.vectors(masked)
        blocks = (vectors[start : start + AT_ONCE] for start in range(0, len(vectors), AT_ONCE))
        with single_thread():
            return np.concatenate([self._distances(block.astype(np.float64)) for block in blocks])

    def _distances(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        weights, gamma = self.weights, self.weights.gamma
        places = tiled_product(vectors - weights.mean, weights.axes)
        near = tiled_product(places * (2.0 * gamma), weights.support)
        near -= gamma * weights.lengths
        near -= gamma * np.vecdot(places, places)[:, None]
        np.exp(near, out=near)
        distances: NDArray[np.float64] = np.vecdot(near, weights.weights) + weights.bias
        return distances

    def scores(self, masked: Sequence[str], log_odds: Sequence[float]) -> list[float]:
        """Return the probability of each text, given the first look's log odds."""
        first, second, bias = self.weights.mix
        distances = self.distances(masked).tolist() if masked else []
        return [
            probability(float(first * one + second * other + bias))
            for one, other in zip(log_odds, distances, strict=True)
        ]


class OutageModel(Struct, frozen=True):
    """A loaded model, or rules; `id` is stored with every tag it gives."""

    id: str
    note: str
    linear: LinearClassifier | None = None
    second: StackedClassifier | None = None
    symptoms: SymptomModel | None = None

    def symptoms_of(self, texts: Sequence[str], masked: Sequence[str]) -> list[str]:
        """Return how the service fails in each report.

        Empty where its words do not say and no model guesses. `masked` are the masked texts.
        """
        return self.symptoms.symptoms(masked) if self.symptoms else [symptom(text) for text in texts]

    def scores(self, masked: Sequence[str]) -> list[float]:
        """Return the probability that each masked text reports an outage; a text read twice is computed once.

        A text's probability is the same to the last bit whatever it is asked for with.
        """
        distinct = list(dict.fromkeys(masked))
        if self.linear is None:
            of_text = {text: rule_score(text) for text in distinct}
        else:
            log_odds = dict(zip(distinct, self.linear.decision_function(distinct), strict=True))
            of_text = {text: probability(value) for text, value in log_odds.items()}
            if self.second is not None:
                unsure = [text for text, value in log_odds.items() if abs(value) <= SURE]
                second = self.second.scores(unsure, [log_odds[text] for text in unsure])
                of_text |= zip(unsure, second, strict=True)
        return [of_text[text] for text in masked]


def load(folder: Path) -> OutageModel:
    """Load the outage model; where a file is refused, what is left of it or rules alone, with the reason in `note`."""
    model = _load(folder)
    if model.note:
        logger.info("outage model %s: %s", model.id, model.note)
    return model


def _load(folder: Path) -> OutageModel:
    try:
        name, linear = read(folder / FIRST, lambda stored: LinearClassifier(LinearWeights.of_stored(stored)))
    except ModelFileError as error:
        return OutageModel(RULES, f"rules only: {error}")
    encoder, why = find_encoder()
    if encoder is None:
        return OutageModel(name, f"{FIRST_ONLY}: {why}", linear)
    try:
        second_name, second = read(
            folder / SECOND, lambda stored: StackedClassifier(encoder, StackedWeights.of_stored(stored, name))
        )
    except ModelFileError as error:
        return OutageModel(name, f"{FIRST_ONLY}: {error}", linear)
    name = f"{name}-{second_name}"
    try:
        symptom_name, symptoms = load_symptoms(folder, encoder)
    except ModelFileError as error:
        return OutageModel(name, f"symptoms by rules only: {error}", linear, second)
    return OutageModel(f"{name}-{symptom_name}", "", linear, second, symptoms)
