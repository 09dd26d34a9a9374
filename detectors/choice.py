"""Which detector is best for counts, by their width and history: `auto`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from detectors.contract import Detector
from detectors.count_kinds import CountKind
from detectors.rolling.farrington import Farrington
from detectors.seasonal.detector import SeasonalNB
from detectors.validation import bin_seconds, utc_index

if TYPE_CHECKING:
    import pandas as pd

DAY_S = 86400
ENOUGH_DAYS = 40


class Choice(NamedTuple):
    """A detector and why it was chosen."""

    detector: Detector
    reason: str


def choose_detector(counts: pd.DataFrame, kind: CountKind, *, mentions: bool) -> Choice:
    """Return the best detector for counts of a kind, shape (bins, series).

    A day as one bin has no hours to learn from, and a regression over four weeks of days sees far more doublings;
    docs/methods.md has the figures. Talk is left to the detector that knows of news, and all to it where what the
    regression needs is not installed. Raises ValueError as `detect`.
    """
    width = bin_seconds(utc_index(counts))
    observed = int(counts.notna().any(axis=1).sum())
    if width != DAY_S:
        reason = "for bins narrower than a day"
    elif observed < ENOUGH_DAYS:
        reason = f"for daily counts of fewer than {ENOUGH_DAYS} days"
    elif kind is CountKind.TALK or mentions:
        reason = "for talk"
    elif not Farrington.is_available():
        reason = "for daily counts where statsmodels, which farrington needs, is not installed"
    else:
        return Choice(Farrington(), f"farrington, for daily counts of {observed} days")
    return Choice(SeasonalNB(kind=kind), f"seasonal_nb, {reason}")
