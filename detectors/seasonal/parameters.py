"""The parameters of `SeasonalNB`, and the name they give it."""

from __future__ import annotations

from dataclasses import dataclass

from detectors.validation import detector_id

VERSION = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonalParameters:
    """Parameters; scores in natural logs, half-lives in days, dispersions as shares of the squared mean.

    alarm, strong: thresholds. freeze, freeze_alone: scores from which nothing is learned, with and without a talk
    channel, for at most frozen_hours. guard_minutes: how old a bin must be to be learned from. min_ratio, min_count:
    gates of a window; repeats: how much more is asked for where people repeat themselves (0 where each counts once).
    talk_weight, talk_prior: how much of the extra talk passes into complaints, and how many
    mentions of evidence it needs. news_variance: what unseen news may do to one channel; usual_maximum: largest score
    of an ordinary day. prior_clump, prior_dispersion (with the weight of noise_prior bins), baseline_error,
    new_variance (in the first hours), shared_noise (between the bins of a window): parts of the variance.
    """

    alarm: float = 9.0
    strong: float = 14.0
    freeze: float = 4.0
    freeze_alone: float = 6.0
    frozen_hours: float = 6.0
    guard_minutes: float = 15.0
    warm_up_hours: float = 1.0
    warm_up_bins: float = 4.0
    min_ratio: float = 1.5
    min_count: float = 4.0
    repeats: float = 2.0
    talk_weight: float = 0.9
    talk_prior: float = 2.0
    news_variance: float = 0.5
    usual_maximum: float = 2.0
    week_half_life: float = 21.0
    day_half_life: float = 10.0
    fast_half_life: float = 0.25
    slow_half_life: float = 2.0
    noise_half_life: float = 7.0
    shrink_visits: float = 10.0 / 3.0
    prior_clump: float = 0.2
    prior_dispersion: float = 0.1
    noise_prior: float = 20.0
    baseline_error: float = 0.02
    new_variance: float = 0.1
    shared_noise: float = 0.2

    def __repr__(self) -> str:
        """Return what is stored with a verdict: the version and what differs from the defaults."""
        return detector_id(self, VERSION)
