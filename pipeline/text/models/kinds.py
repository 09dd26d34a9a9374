"""Of several kinds, which: what a headline is about, and how the thing fails that a report speaks of.

Both are logistic regressions over a text's sentence vector followed by the cues it shows at part of their weight;
without the encoder or the file, rules alone.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pipeline.text.cues import cue_names, lexicon_features
from pipeline.text.models.encoder import DIMENSIONS, Encoder, find_encoder
from pipeline.text.models.files import NEWS, SYMPTOM, ModelFileError, read
from pipeline.text.news import headline_cues, kind_of, says_down
from pipeline.text.normalize import normalize
from pipeline.text.symptoms import matched_symptoms, symptom_names

logger = logging.getLogger(__name__)

RULES = "rules"
NEWS_WEIGHT, SYMPTOM_WEIGHT = 0.5, 0.3  # of the cues beside the sentence vector
Features = NDArray[np.float64]


@runtime_checkable
class KindClassifier(Protocol):
    """What is used of scikit-learn's fitted logistic regression."""

    n_features_in_: int
    classes_: NDArray[np.str_]
    coef_: Features  # (kinds, inputs)
    intercept_: Features


def likeliest(regression: KindClassifier, features: Features) -> str:
    """Return the likeliest kind of one row of features, (inputs,)."""
    return str(regression.classes_[int((regression.coef_ @ features + regression.intercept_).argmax())])


@dataclass(frozen=True)
class NewsModel:
    """Tells kinds of news apart, or rules do."""

    id: str
    note: str
    encoder: Encoder | None = None
    regression: KindClassifier | None = None

    def kind(self, title: str, summary: str) -> str:
        """Return the kind of a news item."""
        if self.encoder is None or self.regression is None:
            return kind_of(title, summary)
        guess = likeliest(self.regression, headline_features(self.encoder, title, summary))
        # a headline that says outright that something is down is no business news
        plain = guess in ("company_business", "product", "other") and says_down(title)
        return "service_outage" if plain else guess


def headline_features(encoder: Encoder, title: str, summary: str) -> Features:
    """Return what the news model reads of a headline and its summary."""
    vector = encoder.vector(normalize(f"{title}. {summary}" if summary else title))
    return np.concatenate([vector, NEWS_WEIGHT * headline_cues(title, summary)])


def load_news(folder: Path) -> NewsModel:
    """Load the news model; where it is refused, rules alone, with the reason in `note`."""
    encoder, why = find_encoder()
    size = DIMENSIONS + len(headline_cues(""))
    if encoder is not None:
        try:
            name, regression = read(folder / NEWS, lambda stored: _with_inputs(stored, size))
        except ModelFileError as error:
            why = str(error)
        else:
            return NewsModel(name, "", encoder, regression)
    logger.info("news model: rules only: %s", why)
    return NewsModel(RULES, f"headlines by rules only: {why}")


@dataclass(frozen=True)
class SymptomModel:
    """Tells ways to fail apart."""

    encoder: Encoder
    regression: KindClassifier

    def symptoms(self, masked: Sequence[str]) -> list[str]:
        """Return the likeliest symptom of each masked report."""
        if not masked:
            return []
        vectors = self.encoder.vectors(masked)
        features = (symptom_features(text, vector) for text, vector in zip(masked, vectors, strict=True))
        guesses = [likeliest(self.regression, row) for row in features]
        # an error at the login is first of all a login that fails
        return [
            "login" if guess in ("error", "all", "no_response") and "login" in matched_symptoms(text) else guess
            for guess, text in zip(guesses, masked, strict=True)
        ]


def symptom_features(masked: str, vector: NDArray[np.float32]) -> Features:
    """Return what the symptom model reads of a masked report and its sentence vector."""
    symptoms, cues = set(matched_symptoms(masked)), set(lexicon_features(masked))
    features = [*(name in symptoms for name in symptom_names()), *(name in cues for name in cue_names())]
    return np.concatenate([vector, SYMPTOM_WEIGHT * np.array(features, np.float64)])


def load_symptoms(folder: Path, encoder: Encoder) -> tuple[str, SymptomModel]:
    """Return the symptom model and its id; raises ModelFileError."""
    size = DIMENSIONS + len(symptom_names()) + len(cue_names())
    name, regression = read(folder / SYMPTOM, lambda stored: _with_inputs(stored, size))
    return name, SymptomModel(encoder, regression)


def _with_inputs(stored: object, size: int) -> KindClassifier:
    """Return a stored regression that reads `size` inputs; raises ModelFileError of another."""
    if not isinstance(stored, KindClassifier) or stored.n_features_in_ != size:
        raise ModelFileError("made for other texts")
    return stored
