"""Of several kinds, which: what a headline is about, and how a reported service fails.

Both are logistic regressions over a text's sentence vector followed by the cues it shows at part of their weight;
without the encoder or the file, rules alone.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from pipeline.text.cues import cue_names, lexicon_features
from pipeline.text.models.arrays import ArrayFile, Model
from pipeline.text.models.checks import NEWS, SYMPTOM, ModelFileError
from pipeline.text.models.encoder import DIMENSIONS, Encoder, find_encoder
from pipeline.text.models.files import read
from pipeline.text.news import headline_cues, kind_of, says_down
from pipeline.text.normalize import normalize
from pipeline.text.symptoms import matched_symptoms, symptom_names

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

logger = logging.getLogger(__name__)

RULES = "rules"
NEWS_WEIGHT, SYMPTOM_WEIGHT = 0.5, 0.3  # of the cues in addition to the sentence vector
Features = NDArray[np.float64]


class KindClassifier(NamedTuple):
    """A fitted logistic regression over several kinds: coefficients (kinds, inputs) and intercepts (kinds,)."""

    kinds: tuple[str, ...]
    coefficients: Features
    intercepts: Features

    @classmethod
    def of_fitted(cls, regression: LogisticRegression) -> Self:
        """Return what is used of scikit-learn's fitted regression."""
        return cls(tuple(map(str, regression.classes_)), regression.coef_, regression.intercept_)

    @classmethod
    def of_stored(cls, stored: ArrayFile, inputs: int) -> Self:
        """Return a stored regression; raises ArraysError of another model, ModelFileError of one of other inputs."""
        names = tuple(stored.text("kinds").split("\n"))
        coefficients = stored.doubles("coefficients", len(names), -1)
        if coefficients.shape[1] != inputs:
            raise ModelFileError("made for other texts")
        return cls(names, coefficients, stored.doubles("intercepts", len(names)))

    def to_model(self, name: str) -> Model:
        """Return what is stored of it."""
        texts = {"model": name, "kinds": "\n".join(self.kinds)}
        return Model(texts, {"coefficients": self.coefficients, "intercepts": self.intercepts})

    def likeliest(self, features: Features) -> str:
        """Return the likeliest kind of one row of features, (inputs,)."""
        return self.kinds[int((self.coefficients @ features + self.intercepts).argmax())]


class NewsModel(Struct, frozen=True):
    """Tells kinds of news apart, or rules do."""

    id: str
    note: str
    encoder: Encoder | None = None
    regression: KindClassifier | None = None

    def kind(self, title: str, summary: str) -> str:
        """Return the kind of a news item."""
        if self.encoder is None or self.regression is None:
            return kind_of(title, summary)
        guess = self.regression.likeliest(headline_features(self.encoder, title, summary))
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
            name, regression = read(folder / NEWS, lambda stored: KindClassifier.of_stored(stored, size))
        except ModelFileError as error:
            why = str(error)
        else:
            return NewsModel(name, "", encoder, regression)
    logger.info("news model: rules only: %s", why)
    return NewsModel(RULES, f"headlines by rules only: {why}")


class SymptomModel(Struct, frozen=True):
    """Tells ways to fail apart."""

    encoder: Encoder
    regression: KindClassifier

    def symptoms(self, masked: Sequence[str]) -> list[str]:
        """Return the likeliest symptom of each masked report."""
        if not masked:
            return []
        vectors = self.encoder.vectors(masked)
        features = (symptom_features(text, vector) for text, vector in zip(masked, vectors, strict=True))
        guesses = [self.regression.likeliest(row) for row in features]
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
    name, regression = read(folder / SYMPTOM, lambda stored: KindClassifier.of_stored(stored, size))
    return name, SymptomModel(encoder, regression)
