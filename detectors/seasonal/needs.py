"""Which figures of a table of series the kernel reads or writes while it judges bins: those that have to be in memory.

Whatever else it changes is all of the profile at once, and is rare: the kernel then says so (`KernelOutput.reshaped`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.seasonal.baseline import VISITED
from detectors.seasonal.compiled import TimeArrays
from detectors.seasonal.layout import (
    ASIDE,
    BLOCK_X,
    CHANNELS,
    COOL,
    DAILY,
    DAY,
    HOUR_X,
    NEAR,
    RINGS,
    SHIFT,
    KernelParams,
)
from detectors.seasonal.table import FigureTable

Places = npt.NDArray[np.int64]


def read_needed(table: FigureTable, params: KernelParams, times: TimeArrays) -> None:
    """Read what judging bins of these times needs; raises IncompatibleStateError."""
    table.read(always_needed(params))
    figures, days = table.figures, times.days
    if days[0] != days[-1] or (figures[DAY] != days[0]).any():  # clocks may be found to have changed
        table.read_all()
        return
    shifts = np.unique(figures[SHIFT]).astype(np.int64)
    day, week = _every(times.learned_day_slots, shifts), _every(times.learned_week_slots, shifts)
    met = _slots_met(table, params, times, shifts)
    table.read(_cells(params, day, week))
    table.read(_cells(params, met, met))
    seconds = _cells(params, met[:0], met)[1::2]
    if len(met) and (figures[seconds] < VISITED * params.slot_s).any():  # other days stand in for what was not seen
        others = np.arange(params.week_slots // params.day_slots) * params.day_slots
        table.read(_cells(params, met[:0], _every(met, others)))


def always_needed(params: KernelParams) -> Places:
    """Return the figures that every bin needs: all but the profile and what is kept of days, which a new day needs."""
    own = np.arange(RINGS + 3 * params.depth)
    figures = np.concatenate((np.arange(HOUR_X + 1), np.arange(COOL, DAILY), np.arange(BLOCK_X, CHANNELS)))
    return np.concatenate([figures, *(start + own for start in _channels(params))])


def _channels(params: KernelParams) -> list[int]:
    return [CHANNELS + channel * params.channel_width for channel in range(params.channels)]


def _every(slots: npt.NDArray[np.integer[Any]], shifts: Places | Iterable[int]) -> Places:
    """Return each slot moved by each shift."""
    return np.unique(np.add.outer(np.unique(slots), np.asarray(list(shifts), dtype=np.int64)))


def _slots_met(table: FigureTable, params: KernelParams, times: TimeArrays, shifts: Places) -> Places:
    """Return the slots whose rates are worked out afresh, each with the one behind it."""
    near, changes = np.unique(times.near).astype(np.int64), np.unique(times.changes)
    if len(near) == 1 and not changes.any():
        shifted = near[0] + table.figures[SHIFT]
        if not any(
            (table.figures[k + NEAR] != shifted).any() or table.figures[k + ASIDE].any() for k in _channels(params)
        ):
            return near[:0]
    aside = {0} | {int(np.sign(change)) * params.hour_slots for change in changes}
    return _every(_every(near, shifts), {hours + behind for hours in aside for behind in (0, 1)})


def _cells(params: KernelParams, day_slots: Places, week_slots: Places) -> Places:
    """Return the places of counts and seconds of slots of the day and of the week, in every channel."""
    places = np.concatenate((day_slots % params.day_slots, params.day_slots + week_slots % params.week_slots))
    cells = RINGS + 3 * params.depth + np.add.outer(2 * places, (0, 1)).ravel()
    return np.concatenate([start + cells for start in _channels(params)])
