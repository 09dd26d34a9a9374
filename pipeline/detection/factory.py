"""The configured detector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from detectors.contract import BinnedCounts, Detector, DetectorState
from detectors.count_kinds import CountKind
from detectors.registry import DETECTORS
from detectors.seasonal.detector import SeasonalNB
from detectors.seasonal.state import SeasonalState
from pipeline.config.settings import Config
from pipeline.core.records import KIND


def counts_kind(state: Mapping[str, str], usual: CountKind = CountKind.REPORTS) -> CountKind:
    """Return what a source counts, by its state: what sources of its kind do unless it says otherwise."""
    known = state.get(KIND, "")
    return CountKind(known) if known in set(CountKind) else usual


def make_detector(config: Config) -> Detector:
    """Return the configured detector; raises ConfigError on an unknown name, or a parameter that is wrong."""
    from pipeline.config.detector_checks import detector_reasons
    from pipeline.core.errors import ConfigError

    if wrong := "; ".join(detector_reasons(config.detector)):
        raise ConfigError(wrong)
    return DETECTORS[config.detector.name](**config.detector.params)


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
