"""What the times of bins say, the same for every series: the slots of the profile they lie in, days, blocks, clocks."""

from __future__ import annotations

import numpy as np

from detectors.seasonal.clock_changes import last_change
from detectors.seasonal.compiled import Integers, TimeArrays
from detectors.seasonal.layout import BLOCK_S, KernelParams

DAY_S = 86400


def times_of(starts: Integers, params: KernelParams) -> TimeArrays:
    """Return what the kernel reads of the times of bins in order, given their starts in seconds of the epoch."""
    # the epoch was a Thursday; a week of slots may begin on any day as long as it always does
    position = (starts + params.bin_s / 2) / params.slot_s - 0.5
    near = np.floor(position)
    learned = (starts - params.guard_bins * params.bin_s) // params.slot_s
    days = starts // DAY_S
    first, last = (int(days[0]), int(days[-1])) if len(days) else (0, 0)
    if params.hour_slots:
        changes = np.array([last_change(day) for day in range(first, last + 1)], dtype=np.int64)[days - first]
    else:
        changes = np.zeros(len(days), dtype=np.int64)
    return TimeArrays(
        days=days,
        slots=starts // params.slot_s,
        near=near.astype(np.int64),
        shares=position - near,
        learned_day_slots=_remainders(learned, params.day_slots),
        learned_week_slots=_remainders(learned, params.week_slots),
        blocks=starts // BLOCK_S,
        changes=changes,
    )


def _remainders(numbers: Integers, divisor: int) -> Integers:
    """Return what `%` does: NumPy divides by one number much faster than it takes remainders."""
    remainders: Integers = numbers - numbers // divisor * divisor
    return remainders
