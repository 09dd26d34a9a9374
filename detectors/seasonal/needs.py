"""Which figures of a table of series the kernel reads or writes while it judges bins: those that have to be in memory.

Whatever else it changes is all of the profile or the rings at once, and is rare: the kernel then says so
(`KernelOutput.reshaped`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.contract import Floats
from detectors.seasonal.baseline import VISITED
from detectors.seasonal.compiled import TimeArrays
from detectors.seasonal.layout import (
    ASIDE,
    BLOCK,
    BLOCK_X,
    BURST,
    CHANNELS,
    CLUMP,
    COOL,
    DAILY,
    DAY,
    HEAD,
    HOUR_X,
    NEAR,
    RINGS,
    SHIFT,
    TOTAL,
    KernelParams,
    row_length,
)
from detectors.seasonal.table import FigureTable

Places = npt.NDArray[np.int64]
PART_FLOATS = 4096  # floats a part holds at most, unless they are of one figure or change together
# figures of a series, and of a channel, that are read and mostly changed together
_TOGETHER = ((HEAD, BURST), (BLOCK, DAILY), (DAILY, BLOCK_X), (BLOCK_X, CHANNELS))
_TOGETHER_IN_CHANNEL = ((TOTAL, CLUMP), (CLUMP, RINGS))


@lru_cache(maxsize=16)
def part_bounds(params: KernelParams, series: int) -> Places:
    """Return the first figure of each part that figures of so many series are stored in, then how many there are."""
    figures = row_length(params)
    together = [*_TOGETHER, *((k + begin, k + end) for k in _channels(params) for begin, end in _TOGETHER_IN_CHANNEL)]
    inner = {place for begin, end in together for place in range(begin + 1, end)}
    begins = [place for place in range(figures) if place not in inner]
    bounds = [0]
    for begin, end in zip(begins, [*begins[1:], figures], strict=True):
        if begin > bounds[-1] and (end - bounds[-1]) * series > PART_FLOATS:
            bounds.append(begin)
    return np.array([*bounds, figures])


def read_needed(table: FigureTable, params: KernelParams, times: TimeArrays) -> Places:
    """Read what judging bins of these times needs; return what it may change. Raises IncompatibleStateError."""
    table.read(always_needed(params))
    figures, days = table.figures, times.days
    if days[0] != days[-1] or (figures[DAY] != days[0]).any():  # clocks may be found to have changed
        table.read_all()
        return table.places
    shifts = np.arange(int(figures[SHIFT].min(initial=0.0)), int(figures[SHIFT].max(initial=0.0)) + 1)
    day, week = _every(times.learned_day_slots, shifts), _every(times.learned_week_slots, shifts)
    met = _slots_met(table, params, times, shifts)
    table.read(_cells(params, day, week))
    table.read(_cells(params, met, met))
    seconds = _cells(params, met[:0], met)[1::2]
    if len(met) and (figures[seconds] < VISITED * params.slot_s).any():  # other days stand in for what was not seen
        others = np.arange(params.week_slots // params.day_slots) * params.day_slots
        table.read(_cells(params, met[:0], _every(met, others)))
    return np.concatenate((_changing(params, figures[HEAD], len(days)), _cells(params, day, week)))


def always_needed(params: KernelParams) -> Places:
    """Return the figures that every bin needs: all but the profile and what is kept of days, which a new day needs."""
    return _own(params, np.arange(RINGS + 3 * params.depth))


def _changing(params: KernelParams, heads: Floats, bins: int) -> Places:
    """Return those of them that so many bins may change: of the rings the places behind `heads`, those of the last."""
    # series that came later have another
    behind = _every(np.flatnonzero(np.bincount(heads.astype(np.int64))), range(1, min(bins, params.depth) + 1))
    behind %= params.depth
    rings = np.add.outer(RINGS + params.depth * np.arange(3), behind).ravel()
    return _own(params, np.concatenate((np.arange(RINGS), rings)))


def _own(params: KernelParams, of_a_channel: Places) -> Places:
    """Return the figures of a series but for what is kept of days, then some of each channel."""
    figures = np.concatenate((np.arange(HOUR_X + 1), np.arange(COOL, DAILY), np.arange(BLOCK_X, CHANNELS)))
    return np.concatenate([figures, *(start + of_a_channel for start in _channels(params))])


def _channels(params: KernelParams) -> list[int]:
    return [CHANNELS + channel * params.channel_width for channel in range(params.channels)]


def _every(slots: npt.NDArray[np.integer[Any]], shifts: Places | Iterable[int]) -> Places:
    """Return each slot moved by each shift."""
    every: Places = np.add.outer(slots, np.asarray(list(shifts), dtype=np.int64)).ravel()
    return every


def _slots_met(table: FigureTable, params: KernelParams, times: TimeArrays, shifts: Places) -> Places:
    """Return the slots whose rates are worked out afresh, each with the one behind it."""
    near, changes = times.near.astype(np.int64), times.changes
    if near[0] == near[-1] and not changes.any():
        shifted = near[0] + table.figures[SHIFT]
        if not any(
            (table.figures[k + NEAR] != shifted).any() or table.figures[k + ASIDE].any() for k in _channels(params)
        ):
            return near[:0]
    aside = {0} | {change * params.hour_slots for change in np.sign(changes).tolist()}
    return _every(_every(near, shifts), {hours + behind for hours in aside for behind in (0, 1)})


def _cells(params: KernelParams, day_slots: Places, week_slots: Places) -> Places:
    """Return the places of counts and seconds of slots of the day and of the week, in every channel."""
    places = np.concatenate((day_slots % params.day_slots, params.day_slots + week_slots % params.week_slots))
    cells = RINGS + 3 * params.depth + np.add.outer(2 * places, (0, 1)).ravel()
    return np.concatenate([start + cells for start in _channels(params)])
