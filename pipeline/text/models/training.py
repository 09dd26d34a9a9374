"""Learning from labelled texts: the rows, what is held back of them, the fits, and how good a model is on the rest.

One row in ten, chosen by a hash of its text, is never trained on: the same rows every time, so that models made a
year apart can be compared.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.core.errors import StoreError
from pipeline.text.models.encoder import Encoder
from pipeline.text.models.kinds import KindClassifier, NewsModel, SymptomModel, headline_features, symptom_features
from pipeline.text.models.linear import SEED, LinearClassifier, LinearWeights, build, columns
from pipeline.text.models.outage import OutageModel, StackedClassifier, StackedWeights
from pipeline.text.news import KINDS
from pipeline.text.normalize import strip_to_words
from pipeline.text.services import ServiceMatcher
from pipeline.text.stances import reading
from pipeline.text.symptoms import symptom

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

FOLDS = 5
PLANES = 256  # principal axes of the vectors that are kept: as good as all 512 here, and half the file
Vectors = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A labelled post; `service` is what it is mostly about, empty where the catalogue has no name for it."""

    text: str
    masked: str
    language: str
    service: str
    outage: bool
    symptom: str = ""

    @property
    def is_holdout(self) -> bool:
        """Say whether it is kept from every training."""
        return is_holdout(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """A labelled headline."""

    title: str
    summary: str
    kind: str

    @property
    def is_holdout(self) -> bool:
        """Say whether it is kept from every training."""
        return is_holdout(self.title)


def is_holdout(text: str) -> bool:
    """Return whether a text belongs to the tenth that no model is trained on."""
    return hashlib.sha256(strip_to_words(text).encode("utf-8", "replace")).digest()[0] % 10 == 0


def _rows(folder: Path, pattern: str, column: str, allowed: Sequence[str]) -> Iterator[dict[str, str]]:
    for path in sorted(folder.glob(pattern)):
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            for row in reader:
                if row.get(column) not in allowed or not row.get("text"):
                    raise StoreError(
                        f"{path}:{reader.line_num}: needs a text and a {column}, one of {', '.join(allowed)}"
                    )
                yield row


def labelled(
    text: str, outage: bool, matcher: ServiceMatcher, *, language: str = "", service: str = "", fails: str = ""
) -> Labelled:
    """Return a row ready to learn from: as it is read, without what is said of other services."""
    service = service or next(iter(matcher.about(text)), "")
    return Labelled(
        text=text,
        masked=reading(matcher.masked(text, service)).text,
        language=language,
        service=service,
        outage=outage,
        symptom=fails,
    )


def read_labels(folder: Path, matcher: ServiceMatcher, pattern: str = "posts*.csv") -> list[Labelled]:
    """Read posts*.csv of a folder, or the files of another pattern.

    Raises StoreError with file and line on a bad row, or when one kind is missing.
    """
    rows = [
        labelled(
            row["text"], row["label"] == "outage", matcher, language=row.get("lang", ""), fails=row.get("symptom", "")
        )
        for row in _rows(folder, pattern, "label", ("outage", "not_outage"))
    ]
    if len({row.outage for row in rows}) < 2:
        raise StoreError(f"{folder}: no labelled posts of both kinds to learn from")
    return rows


def read_headlines(folder: Path) -> list[Headline]:
    """Read headlines*.csv of a folder, title and summary parted by a dash; raises StoreError with file and line."""
    headlines = []
    for row in _rows(folder, "headlines*.csv", "kind", KINDS):
        title, _, summary = row["text"].partition(" — ")
        headlines.append(Headline(title=title, summary=summary, kind=row["kind"]))
    return headlines


def fit_linear(rows: Sequence[Labelled]) -> Pipeline:
    """Return the trained first look; one thread, so that a machine gives the same bytes each time.

    Another processor may differ in the last digits: held to by a test of the scores, not of the bytes.
    """
    from threadpoolctl import threadpool_limits

    untrained = build()  # before the limit, which holds only for libraries that are loaded
    with threadpool_limits(1):
        return untrained.fit(columns([row.masked for row in rows]), [int(row.outage) for row in rows])


def fit_plain(texts: Sequence[str], outages: Sequence[bool]) -> Pipeline:
    """Return what anybody would try first, the baseline to beat: TF-IDF of words and pairs, logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    plain = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=10.0, max_iter=2000)
    )
    return plain.fit(list(texts), [int(outage) for outage in outages])


def vectors_of(rows: Iterable[Labelled], encoder: Encoder) -> Vectors:
    """Return the sentence vectors of rows, (rows, 512)."""
    return encoder.vectors([row.masked for row in rows]).astype(np.float64)


def fit_second(rows: Sequence[Labelled], vectors: Vectors) -> StackedWeights:
    """Return the trained second look: a machine over the vectors, and the mix of its distances and the first's odds.

    The mix learns from what both say of rows they were not trained on, in five folds: it is what makes the
    probabilities honest (Wolpert 1992, "Stacked generalization"; Platt 1999 for the sigmoid over distances).
    """
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import SVC
    from threadpoolctl import threadpool_limits

    truth = [int(row.outage) for row in rows]
    texts = columns([row.masked for row in rows])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    planes = min(PLANES, len(rows) * (FOLDS - 1) // FOLDS - 1)
    # processors round differently: at the usual tolerance of 1e-3, scores then differ by 1e-4, at this one by 4e-7
    machine = make_pipeline(PCA(planes, svd_solver="full"), SVC(C=2.0, gamma=2.0, tol=1e-7))
    with threadpool_limits(1):
        out_of_fold = np.column_stack(
            [
                cross_val_predict(build(), texts, truth, cv=folds, method="decision_function"),
                cross_val_predict(machine, vectors, truth, cv=folds, method="decision_function"),
            ]
        )
        return StackedWeights.of_fitted(machine.fit(vectors, truth), LogisticRegression().fit(out_of_fold, truth))


def fit_outage(rows: Sequence[Labelled], encoder: Encoder | None, vectors: Vectors | None = None) -> OutageModel:
    """Return a model trained on rows and not yet stored; `vectors` are theirs where somebody has them."""
    first = LinearClassifier(LinearWeights.of_fitted(fit_linear(rows)))
    if encoder is None:
        return OutageModel("fresh", "", first)
    second = fit_second(rows, vectors_of(rows, encoder) if vectors is None else vectors)
    return OutageModel("fresh", "", first, StackedClassifier(encoder, second))


def fit_news(rows: Sequence[Headline], encoder: Encoder) -> NewsModel:
    """Return a headline model trained on rows and not yet stored."""
    features = [headline_features(encoder, row.title, row.summary) for row in rows]
    return NewsModel("fresh", "", encoder, _regression(features, [row.kind for row in rows], 10.0))


def fit_symptoms(rows: Sequence[Labelled], encoder: Encoder) -> SymptomModel | None:
    """Return a symptom model trained on the rows that carry a symptom and not yet stored.

    None where the rows name fewer than two symptoms: there is nothing to tell apart.
    """
    with_symptom = [row for row in rows if row.symptom]
    if len({row.symptom for row in with_symptom}) < 2:
        return None
    vectors = encoder.vectors([row.masked for row in with_symptom])
    features = [symptom_features(row.masked, vector) for row, vector in zip(with_symptom, vectors, strict=True)]
    return SymptomModel(encoder, _regression(features, [row.symptom for row in with_symptom], 3.0))


def _regression(features: Sequence[Vectors], kinds: Sequence[str], trust: float) -> KindClassifier:
    """Return a logistic regression fitted on one thread; `trust` is its C."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        fitted = LogisticRegression(C=trust, max_iter=4000, random_state=SEED).fit(np.array(features), kinds)
    return KindClassifier.of_fitted(fitted)


def accuracy(model: NewsModel, rows: Sequence[Headline]) -> float:
    """Return the share of headlines whose kind a model tells; NaN of none."""
    return float(np.mean([model.kind(row.title, row.summary) == row.kind for row in rows]))


def symptom_accuracy(model: SymptomModel | None, rows: Sequence[Labelled]) -> float:
    """Return the share of reports whose symptom a model tells, or rules where there is none; NaN of none."""
    with_symptom = [row for row in rows if row.symptom]
    guesses = model.symptoms([r.masked for r in with_symptom]) if model else [symptom(r.text) for r in with_symptom]
    return float(np.mean([guess == row.symptom for guess, row in zip(guesses, with_symptom, strict=True)]))
