"""The configured detector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from inspect import signature

from detectors.contract import BinnedCounts, Detector, DetectorState
from detectors.count_kinds import CountKind
from detectors.registry import DETECTORS
from detectors.seasonal.detector import SeasonalNB
from detectors.seasonal.state import SeasonalState
from pipeline.config.settings import Config
from pipeline.config.validation_words import nearest
from pipeline.core.records import KIND


def counts_kind(state: Mapping[str, str], usual: CountKind = CountKind.REPORTS) -> CountKind:
    """Return what a source counts, by its state: what sources of its kind do unless it says otherwise."""
    known = state.get(KIND, "")
    return CountKind(known) if known in set(CountKind) else usual


def make_detector(config: Config) -> Detector:
    """Return the configured detector; raises ConfigError on an unknown name or parameter."""
    from pipeline.core.errors import ConfigError

    if config.detector.name not in DETECTORS:
        close = nearest(config.detector.name, DETECTORS)
        raise ConfigError(f"detector.name: {config.detector.name!r} is not one of {', '.join(DETECTORS)}{close}")
    known = list(signature(DETECTORS[config.detector.name]).parameters)
    for key in config.detector.params:
        if key not in known:
            raise ConfigError(
                f"detector.params.{key}: {config.detector.name} has no such parameter{nearest(key, known)}"
            )
    wrong = [key for key, value in config.detector.params.items() if isinstance(value, str)]
    if wrong:
        raise ConfigError(f"detector.params.{wrong[0]}: must be a number")
    try:
        return DETECTORS[config.detector.name](**config.detector.params)
    except TypeError as error:
        raise ConfigError(f"detector.params: {error}") from error


def detector_for_votes(detector: Detector) -> Detector:
    """Return the detector for votes, of which each person has one: nobody repeats a report, so none are discounted."""
    return replace(detector, repeats=0.0) if isinstance(detector, SeasonalNB) else detector


def detector_for_counts(detector: Detector, kind: CountKind) -> Detector:
    """Return the detector for counts of a kind."""
    return replace(detector, kind=kind) if isinstance(detector, SeasonalNB) else detector


def assume_baselines(state: DetectorState, baselines: Callable[[], BinnedCounts]) -> None:
    """Take what a source itself expects for the mean of series of which the detector knows nothing yet.

    `baselines` returns it as counts of the series of the state, NaN = not told; it is called where there is such a
    series.
    """
    if isinstance(state, SeasonalState) and state.unknown():
        state.assume(baselines())
