"""What the times of bins say, the same for every series: the slots of the profile they lie in, days, blocks, clocks."""

from __future__ import annotations

import numpy as np

from detectors.seasonal.clock_changes import last_change
from detectors.seasonal.compiled import Integers, Numbers, TimeArrays
from detectors.seasonal.layout import BLOCK_S, KernelParams


def times_of(starts: Integers, params: KernelParams) -> TimeArrays:
    """Return what the kernel reads of the times of bins in order, given their starts in seconds of the epoch.

    The bins are equally wide. NumPy divides by one number much faster than it takes remainders, and numbers of 32 bits
    four times as fast as those of 64.
    """
    # the epoch was a Thursday; a week of slots may begin on any day as long as it always does
    shares = (starts + params.bin_s / 2) / params.slot_s - 0.5
    near = np.floor(shares)
    shares -= near
    slots = _slots_of(starts, params)
    guard = min(params.guard_bins, len(starts))  # what is learned lies so many bins back
    earlier = _slots_of(starts[:guard] - params.guard_bins * params.bin_s, params)
    learned = np.concatenate((earlier, slots[: len(slots) - guard]))
    week_slots = (learned - learned // params.week_slots * params.week_slots).astype(np.uint16)
    days = slots // params.day_slots  # a day is a whole number of slots
    whole_slots = BLOCK_S % params.slot_s == 0
    return TimeArrays(
        days=days,
        slots=slots,
        near=near.astype(np.int32),
        shares=shares,
        learned_day_slots=week_slots - week_slots // params.day_slots * params.day_slots,
        learned_week_slots=week_slots,
        blocks=slots // (BLOCK_S // params.slot_s) if whole_slots else (starts // BLOCK_S).astype(np.int32),
        changes=_changes(days) if params.hour_slots else np.zeros(len(days), np.int32),
    )


def _slots_of(starts: Integers, params: KernelParams) -> Numbers:
    return (starts // params.slot_s).astype(np.int32)


def _changes(days: Numbers) -> Numbers:
    first, last = (int(days[0]), int(days[-1])) if len(days) else (0, 0)
    return np.array([last_change(day) for day in range(first, last + 1)], dtype=np.int32).take(days - first)
