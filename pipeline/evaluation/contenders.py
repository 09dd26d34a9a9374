"""What is compared: every detector, with the kind of counts that it is given, and two rules of one line each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from detectors.choice import choose_detector
from detectors.contract import Verdicts
from detectors.count_kinds import CountKind
from detectors.registry import DETECTORS
from detectors.seasonal.detector import SeasonalNB

BINS = 24


class Contender(Protocol):
    """What scores counts and says from which score on it alarms."""

    @property
    def alarm(self) -> float:
        """Score from which a bin alarms."""
        ...

    def detect(self, counts: pd.DataFrame) -> Verdicts:
        """Score a history, shape (bins, series)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MedianRule:
    """Alarms from `factor` times the median of the last day's 24 bins and `extra` on, and from `least` counts on."""

    least: float
    factor: float
    extra: float
    alarm: float = 1.0

    def __str__(self) -> str:
        """Return the rule."""
        return f"max({self.least:g}, {self.factor:g} x median + {self.extra:g})"

    def detect(self, counts: pd.DataFrame) -> Verdicts:
        """Score a history by the share of the bound that a count reaches; unknown before the first count."""
        median = counts.shift(1).rolling(BINS, min_periods=1).median().to_numpy()
        values = counts.to_numpy(dtype=np.float64)
        score = values / np.maximum(self.least, self.factor * median + self.extra)
        return Verdicts(
            pd.DatetimeIndex(counts.index), counts.columns, observed=values, expected=median, score=score + 0.0 * median
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The detector that is chosen by width and history, its scores in shares of its threshold."""

    kind: CountKind
    alarm: float = 1.0

    def detect(self, counts: pd.DataFrame) -> Verdicts:
        """Score a history with the detector that is chosen for the whole of it."""
        detector = choose_detector(counts, self.kind, mentions=False).detector
        found = detector.detect(counts)
        return Verdicts(
            found.index,
            found.columns,
            observed=found.observed.to_numpy(),
            expected=found.expected.to_numpy(),
            score=found.score.to_numpy() / detector.alarm,
        )


RULES = (MedianRule(least=12, factor=5, extra=8), MedianRule(least=10, factor=3, extra=8))


def contenders(kind: CountKind) -> Mapping[str, Contender]:
    """Return every detector at its own thresholds, for counts of a kind, and the two rules."""
    found: dict[str, Contender] = {name: make() for name, make in DETECTORS.items()}
    found["seasonal_nb"] = SeasonalNB(kind=kind)
    found["auto"] = Chosen(kind=kind)
    return found | {str(rule): rule for rule in RULES}
