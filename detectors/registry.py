"""Every detector by its name."""

from __future__ import annotations

from collections.abc import Callable

from detectors.contract import Detector
from detectors.rolling.ears import Ears
from detectors.rolling.farrington import Farrington
from detectors.rolling.robust_z import RobustZ
from detectors.rolling.same_time_ratio import SameTimeRatio
from detectors.rolling.stl import Stl
from detectors.seasonal.detector import SeasonalNB

DETECTORS: dict[str, Callable[..., Detector]] = {
    "seasonal_nb": SeasonalNB,
    "ears": Ears,
    "farrington": Farrington,
    "robust_z": RobustZ,
    "same_time_ratio": SameTimeRatio,
    "stl": Stl,
}
