"""How good probabilities of an outage are against labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Counts and rates at p >= 0.5; `auc` is NaN where one kind is missing, precision where nothing was said."""

    n: int
    outages: int
    precision: float
    recall: float
    f1: float
    auc: float
    calibration_error: float

    def __str__(self) -> str:
        """Return the figures as cells of a fixed width."""
        return (
            f"{self.n:5d} {self.outages:5d}   {self.precision:5.2f} {self.recall:5.2f} {self.f1:5.3f} "
            f"{self.auc:5.3f} {self.calibration_error:5.3f}"
        )


HEADER = "    n  outs   prec.   rec.    F1   AUC   ECE"


def figures(p: Sequence[float], truth: Sequence[bool]) -> Figures:
    """Measure probabilities against labels.

    The calibration error is the expected one of Naeini, Cooper and Hauskrecht (2015, "Obtaining well calibrated
    probabilities using Bayesian binning"), over ten bins of equal width; the AUC counts ties as half.
    """
    score, label = np.asarray(p, float), np.asarray(truth, bool)
    said = score >= 0.5
    hits = int((said & label).sum())
    precision = hits / said.sum() if said.any() else math.nan
    recall = hits / label.sum() if label.any() else math.nan
    f1 = 2 * hits / (said.sum() + label.sum()) if said.any() or label.any() else math.nan
    yes, no = score[label], score[~label]
    auc = math.nan
    if len(yes) and len(no):
        auc = float(((yes[:, None] > no[None, :]) + 0.5 * (yes[:, None] == no[None, :])).mean())
    error = sum(n * abs(said - seen) for n, said, seen in reliability(p, truth)) / max(1, len(score))
    return Figures(
        n=len(score),
        outages=int(label.sum()),
        precision=float(precision),
        recall=float(recall),
        f1=float(f1),
        auc=auc,
        calibration_error=float(error),
    )


def reliability(p: Sequence[float], truth: Sequence[bool]) -> list[tuple[int, float, float]]:
    """Return (texts, mean probability, share of outages) of each tenth of [0, 1] that holds any text."""
    score, label = np.asarray(p, float), np.asarray(truth, bool)
    tenth = np.minimum((score * BINS).astype(int), BINS - 1)
    return [
        (int((tenth == b).sum()), float(score[tenth == b].mean()), float(label[tenth == b].mean()))
        for b in range(BINS)
        if (tenth == b).any()
    ]
