"""The parameters of `SeasonalNB`, what is assumed of a young series, and the name they give it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from detectors import VERSIONS
from detectors.count_kinds import CountKind
from detectors.validation import detector_id

VERSION = VERSIONS["seasonal_nb"]


class Prior(NamedTuple):
    """What is taken to be so of a series until its own bins say otherwise.

    excess: variance over mean beyond 1 (people who report twice); dispersion: variance over squared mean (noise that
    all share); both with the weight of `bins` bins. news: what news that nobody sees may add to the dispersion,
    unseen: what days of the week not seen yet may.
    freeze: score from which nothing is learned. usual_maximum: largest score of an ordinary day. margin: nats taken off
    every ratio, so that one threshold means about as many false alarms whatever is counted.
    """

    excess: float
    dispersion: float
    bins: float
    news: float
    unseen: float
    freeze: float
    usual_maximum: float
    margin: float = 0.0


WITH_TALK = Prior(
    excess=0.2, dispersion=0.1, bins=20.0, news=0.0, unseen=0.0, freeze=4.0, usual_maximum=math.inf, margin=1.5
)
ALONE = {
    CountKind.REPORTS: Prior(
        excess=2.0, dispersion=0.03, bins=40.0, news=0.0, unseen=0.5, freeze=6.0, usual_maximum=1.3
    ),
    CountKind.TALK: Prior(excess=2.0, dispersion=0.03, bins=40.0, news=0.6, unseen=0.5, freeze=6.0, usual_maximum=1.7),
    CountKind.MEASURED: Prior(
        excess=2.0, dispersion=0.1, bins=40.0, news=0.1, unseen=0.5, freeze=6.0, usual_maximum=2.0
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonalParameters:
    """Parameters; scores in natural logs, half-lives in days.

    alarm, strong: thresholds. kind: what the values of a series without mentions count; it decides the `Prior`.
    defend_days: how long at most nothing is learned while something is broken, and at most half of what is known.
    min_ratio, min_count: gates of a window; repeats: how much more is asked for where people repeat themselves (0 where
    each counts once). talk_weight: how much of the extra talk passes into complaints. *_half_life: of the
    weekly profile, the two levels and the two variances.
    """

    alarm: float = 9.0
    strong: float = 14.0
    kind: CountKind = CountKind.REPORTS
    defend_days: float = 7.0
    min_ratio: float = 1.5
    min_count: float = 4.0
    repeats: float = 2.0
    talk_weight: float = 0.9
    profile_half_life: float = 21.0
    fast_half_life: float = 0.25
    slow_half_life: float = 1.0
    noise_half_life: float = 28.0

    def __repr__(self) -> str:
        """Return what is stored with a verdict: the version and what differs from the defaults."""
        return detector_id(self, VERSION)

    def prior(self, *, talk: bool) -> Prior:
        """Return what is assumed of young series, with or without mentions."""
        return WITH_TALK if talk else ALONE[self.kind]
