"""Detectors of spikes in counts: pure, causal, many series at once. Knows nothing of the pipeline.

`DETECTORS[name](**parameters)` makes one; `base` is the contract; `events` turns alarms into intervals; `simulate`
and `evaluate` say how good one is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from detectors.ears import Ears
from detectors.farrington import Farrington
from detectors.robust_z import RobustZ
from detectors.same_time_ratio import SameTimeRatio
from detectors.seasonal_nb import SeasonalNB
from detectors.stl import Stl

DETECTORS: dict[str, Callable[..., Any]] = {
    "seasonal_nb": SeasonalNB,
    "ears": Ears,
    "farrington": Farrington,
    "robust_z": RobustZ,
    "same_time_ratio": SameTimeRatio,
    "stl": Stl,
}
