"""Is this text a report of an outage? Two looks, or rules where there is no model.

Every post gets a first look by a linear model; those it is unsure of, a second by a support vector machine over
sentence vectors, which knows wordings and languages the labelled texts lack. A missing, cut or foreign model file
means rules alone; a missing encoder, the first look alone. Either is said aloud by `note`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.text.cues import FAILURES, lexicon_features
from pipeline.text.models.encoder import DIMENSIONS, Encoder, find_encoder
from pipeline.text.models.files import FIRST, NEWS, SECOND, SYMPTOM, ModelFileError, read, read_verified
from pipeline.text.models.kinds import RULES, SymptomModel, load_symptoms
from pipeline.text.models.linear import LinearClassifier, probability
from pipeline.text.models.tiles import single_thread, tiled_product
from pipeline.text.symptoms import symptom

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline

logger = logging.getLogger(__name__)

FIRST_ONLY = "first look only, so more is missed and mistaken"
AT_ONCE = 240  # texts whose distances to all support vectors are in memory together
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


class StackedParts(NamedTuple):
    """The fitted parts of the second look: `machine` is a pipeline of PCA and SVC, `mix` weighs both looks."""

    machine: Pipeline
    mix: LogisticRegression

    @classmethod
    def from_stored(cls, stored: object, first: str) -> Self:
        """Return the parts as `train` stores them; raises ModelFileError unless they belong to the first look's id."""
        if not isinstance(stored, dict) or stored.get("first") != first or not {"machine", "mix"} <= stored.keys():
            raise ModelFileError("made for another first look")
        return cls(stored["machine"], stored["mix"])


class StackedClassifier:
    """A support vector machine over sentence vectors, weighed against the first look by a logistic regression.

    The machine's arithmetic is done here, in products whose rows do not depend on each other: scikit-learn's own path
    costs ten times the work, and may round a row otherwise beside other rows; a test holds the two equal.
    """

    def __init__(self, encoder: Encoder, parts: StackedParts) -> None:
        """Take the fitted parts; raises ModelFileError when they read something else than sentence vectors."""
        machine, mix = parts
        (_, axes), (_, svc) = machine.steps
        if axes.n_features_in_ != DIMENSIONS or mix.coef_.shape != (1, 2):
            raise ModelFileError("made for another encoder")
        self.encoder, self.machine, self.mix = encoder, machine, mix
        self._mean, self._axes = axes.mean_, np.ascontiguousarray(axes.components_.T)
        self._support, self._weights = np.ascontiguousarray(svc.support_vectors_.T), svc.dual_coef_[0]
        self._lengths = (svc.support_vectors_**2).sum(axis=1)
        self._bias, self._gamma = float(svc.intercept_[0]), float(svc.gamma)

    def distances(self, masked: Sequence[str]) -> NDArray[np.float64]:
        """Return how far on the side of outages each text lies, (texts,)."""
        vectors = self.encoder.vectors(masked).astype(np.float64)
        with single_thread():
            return np.concatenate(
                [self._distances(vectors[start : start + AT_ONCE]) for start in range(0, len(vectors), AT_ONCE)]
            )

    def _distances(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        places = tiled_product(vectors - self._mean, self._axes)
        near = tiled_product(places, self._support)
        near *= 2.0
        near -= self._lengths
        near -= np.einsum("ij,ij->i", places, places)[:, None]
        near *= self._gamma
        np.exp(near, out=near)
        near *= self._weights
        distances: NDArray[np.float64] = near.sum(axis=1) + self._bias
        return distances

    def scores(self, masked: Sequence[str], log_odds: Sequence[float]) -> list[float]:
        """Return the probability of each text, given the first look's log odds."""
        first, second = self.mix.coef_[0]
        bias = float(self.mix.intercept_[0])
        distances = self.distances(masked).tolist() if masked else []
        return [
            probability(float(first * one + second * other + bias))
            for one, other in zip(log_odds, distances, strict=True)
        ]


@dataclass(frozen=True)
class OutageModel:
    """A loaded model, or rules; `id` is stored with every tag it gives."""

    id: str
    note: str
    linear: LinearClassifier | None = None
    second: StackedClassifier | None = None
    symptoms: SymptomModel | None = None

    def symptoms_of(self, texts: Sequence[str], masked: Sequence[str]) -> list[str]:
        """Return how the thing fails that each report speaks of.

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


def model_problems(folder: Path) -> list[str]:
    """Return what keeps the models of a folder from being used whole, without loading them; mostly nothing."""
    problems = [find_encoder()[1]]
    for name in (FIRST, SECOND, SYMPTOM, NEWS):
        try:
            read_verified(folder / name)
        except ModelFileError as error:
            problems.append(str(error))
    return [problem for problem in problems if problem]


def load(folder: Path) -> OutageModel:
    """Load the outage model; where a file is refused, what is left of it or rules alone, with the reason in `note`."""
    model = _load(folder)
    if model.note:
        logger.info("outage model %s: %s", model.id, model.note)
    return model


def _load(folder: Path) -> OutageModel:
    try:
        name, linear = read(folder / FIRST, LinearClassifier)
    except ModelFileError as error:
        return OutageModel(RULES, f"rules only: {error}")
    encoder, why = find_encoder()
    if encoder is None:
        return OutageModel(name, f"{FIRST_ONLY}: {why}", linear)
    try:
        second_name, second = read(
            folder / SECOND, lambda stored: StackedClassifier(encoder, StackedParts.from_stored(stored, name))
        )
    except ModelFileError as error:
        return OutageModel(name, f"{FIRST_ONLY}: {error}", linear)
    name = f"{name}-{second_name}"
    try:
        symptom_name, symptoms = load_symptoms(folder, encoder)
    except ModelFileError as error:
        return OutageModel(name, f"symptoms by rules only: {error}", linear, second)
    return OutageModel(f"{name}-{symptom_name}", "", linear, second, symptoms)
