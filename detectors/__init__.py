"""Detectors of spikes in counts: pure, causal, many series at once. Knows nothing of the pipeline.

`DETECTORS[name](**parameters)` makes one; `base.py` is the contract; `events.py` turns alarms into intervals.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from detectors.robust_z import RobustZ
from detectors.seasonal_nb import SeasonalNB

DETECTORS: dict[str, Callable[..., Any]] = {
    "seasonal_nb": SeasonalNB,
    "robust_z": RobustZ,
}
