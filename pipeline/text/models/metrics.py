"""How good probabilities of an outage are against labels: scikit-learn's metrics, and the calibration error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

BINS = 10
THRESHOLD = 0.5  # a probability from which on a text counts as an outage


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationScores:
    """Counts and rates at p >= 0.5; `auc` is NaN where one class is missing, `precision` where no text reaches 0.5."""

    n: int
    outages: int
    precision: float
    recall: float
    f1: float
    auc: float
    calibration_error: float

    def __str__(self) -> str:
        """Return the scores as cells of a fixed width."""
        return (
            f"{self.n:5d} {self.outages:5d}   {self.precision:5.2f} {self.recall:5.2f} {self.f1:5.3f} "
            f"{self.auc:5.3f} {self.calibration_error:5.3f}"
        )


HEADER = "    n  outs   prec.   rec.    F1   AUC   ECE"


class ReliabilityBin(NamedTuple):
    """How many texts got a probability of one tenth of [0, 1], its mean, and the share of outages among them."""

    texts: int
    mean_probability: float
    outage_share: float


def classification_scores(p: Sequence[float], truth: Sequence[bool]) -> ClassificationScores:
    """Measure probabilities against labels.

    The calibration error is the expected one of Naeini, Cooper and Hauskrecht (2015, "Obtaining well calibrated
    probabilities using Bayesian binning"), over ten bins of equal width.
    """
    from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

    score, label = np.asarray(p, float), np.asarray(truth, bool)
    precision, recall, f1, _ = precision_recall_fscore_support(
        label, score >= THRESHOLD, average="binary", zero_division=math.nan
    )
    error = sum(b.texts * abs(b.mean_probability - b.outage_share) for b in reliability(p, truth))
    return ClassificationScores(
        n=len(score),
        outages=int(label.sum()),
        precision=float(precision),
        recall=float(recall),
        f1=float(f1),
        auc=float(roc_auc_score(label, score)) if 0 < label.sum() < len(label) else math.nan,
        calibration_error=float(error / max(1, len(score))),
    )


def reliability(p: Sequence[float], truth: Sequence[bool]) -> list[ReliabilityBin]:
    """Return the reliability diagram: each tenth of [0, 1] that holds any text, from 0 up."""
    score, label = np.asarray(p, float), np.asarray(truth, bool)
    tenth = np.minimum((score * BINS).astype(int), BINS - 1)
    return [
        ReliabilityBin(int((tenth == b).sum()), float(score[tenth == b].mean()), float(label[tenth == b].mean()))
        for b in range(BINS)
        if (tenth == b).any()
    ]
