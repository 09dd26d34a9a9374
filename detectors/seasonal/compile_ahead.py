"""`python -m detectors.seasonal.compile_ahead`: compile the detector before a replay needs it.

Without it the detector runs as plain Python, which takes 12 % more of a demo, until the counts of one process are worth
the ten seconds that compiling takes.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from detectors.seasonal.compiled import KERNELS
from detectors.seasonal.detector import SeasonalNB


def compile_ahead() -> bool:
    """Compile the kernel and keep it on disk for every process to come; return False where numba cannot be had."""
    if not KERNELS.use_compiled():
        return False
    times = pd.date_range("2026-01-01", periods=2, freq="5min", tz="UTC")
    SeasonalNB().detect(pd.DataFrame({"any": np.ones(len(times))}, index=times))
    return True


if __name__ == "__main__":
    compile_ahead()
