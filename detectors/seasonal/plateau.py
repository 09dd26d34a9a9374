"""When a series has a new height for good, and when that was an outage after all; when a service begins to be used.

`row`, `k` and what may be used here are as in `baseline`.
"""

from __future__ import annotations

import math

from detectors.seasonal.layout import (
    ASIDE_NEAR,
    ASIDE_NEXT,
    BLOCK,
    BLOCK_MU,
    BLOCK_S,
    BLOCK_X,
    BLOCKS,
    BLOCKS_KEPT,
    CHANNELS,
    FAST,
    FROZEN,
    NOISE,
    RAISED,
    RATE,
    RATE_NEAR,
    RATE_NEXT,
    RINGS,
    RISE,
    SLOW,
    TOTAL,
    KernelParams,
    Row,
)

PLATEAU = 2.0  # factor within which the blocks of a new height agree
UNDO_BLOCKS = 84  # a week of calm blocks, after which a new height stays
IN_A_LONG_BLOCK = 3  # blocks
LONG_BLOCKS_A_DAY = 4
USED = 24.0  # reports a day of what begins to have habits


def add_to_block(row: Row, x: float, mu: float, block: int) -> int:
    """Add a bin to its block; return how many whole blocks came before it."""
    if block != int(row[BLOCK]):
        row[BLOCK] = float(block)
        row[BLOCKS] += 1.0
        at = int(row[BLOCKS]) % BLOCKS_KEPT
        row[BLOCK_X + at] = 0.0
        row[BLOCK_MU + at] = 0.0
    at = int(row[BLOCKS]) % BLOCKS_KEPT
    row[BLOCK_X + at] += x
    row[BLOCK_MU + at] += mu
    return int(row[BLOCKS]) - 1


def forget_blocks(row: Row) -> None:
    """Begin blocks afresh."""
    row[BLOCK] = -1.0
    row[BLOCKS] = 0.0


def scale_profile(row: Row, p: KernelParams, by: float) -> None:
    """Multiply what the profile of the counts expects, its shape kept."""
    k = CHANNELS
    row[k + TOTAL] *= by
    row[k + RATE_NEAR] *= by
    row[k + RATE_NEXT] *= by
    row[k + ASIDE_NEAR] *= by
    row[k + ASIDE_NEXT] *= by
    row[k + RATE] = (row[k + TOTAL] + 0.5) / (row[k + TOTAL + 1] + p.bin_s)
    for i in range(p.depth):
        row[k + RINGS + p.depth + i] *= by
        row[k + RINGS + 2 * p.depth + i] *= by
    for i in range(p.day_slots + p.week_slots):
        row[k + RINGS + 3 * p.depth + 2 * i] *= by
    row[FROZEN] = 0.0
    row[RAISED] = 0.0
    forget_blocks(row)


def begin_anew(row: Row, p: KernelParams, counted: float) -> None:
    """Forget the profile of the counts for the mean of the last day, as if that were all that is known."""
    k = CHANNELS
    for i in range(TOTAL, NOISE):
        row[k + i] = 0.0
    for i in range(2 * (p.day_slots + p.week_slots)):
        row[k + RINGS + 3 * p.depth + i] = 0.0
    row[k + TOTAL] = counted
    row[k + TOTAL + 1] = LONG_BLOCKS_A_DAY * IN_A_LONG_BLOCK * BLOCK_S
    row[k + RATE] = (row[k + TOTAL] + 0.5) / (row[k + TOTAL + 1] + p.bin_s)
    row[k + RATE_NEAR] = row[k + RATE]
    row[k + RATE_NEXT] = row[k + RATE]
    row[k + ASIDE_NEAR] = row[k + RATE]
    row[k + ASIDE_NEXT] = row[k + RATE]
    for i in range(p.depth):
        if row[k + RINGS + p.depth + i] > 0.0:
            row[k + RINGS + p.depth + i] = row[k + RATE] * p.bin_s
        row[k + RINGS + 2 * p.depth + i] = row[k + RATE] * p.bin_s
    row[FROZEN] = 0.0
    row[RAISED] = 0.0
    forget_blocks(row)


def accept_plateau(row: Row, p: KernelParams, x: float, mu: float, block: int) -> bool:
    """Take on a new height while the score is high: six long blocks running whose ratios agree within a factor."""
    if add_to_block(row, x, mu, block // IN_A_LONG_BLOCK) < BLOCKS_KEPT - 1:
        return False
    low, high, counted, due = 1e300, 0.0, 1.0, 1.0
    for back in range(1, BLOCKS_KEPT):
        at = (int(row[BLOCKS]) - back) % BLOCKS_KEPT
        ratio = (row[BLOCK_X + at] + 1.0) / (row[BLOCK_MU + at] + 1e-9)
        low, high = min(low, ratio), max(high, ratio)
        counted += row[BLOCK_X + at]
        due += row[BLOCK_MU + at]
    if high > PLATEAU * low:
        return False
    row[RISE] = counted / due
    scale_profile(row, p, row[RISE])
    return True


def awake(row: Row, p: KernelParams, x: float, mu: float, block: int) -> bool:
    """Begin anew where next to nothing was due and a day has had reports in each quarter of it, one an hour or more."""
    if add_to_block(row, x, mu, block // IN_A_LONG_BLOCK) < LONG_BLOCKS_A_DAY:
        return False
    counted, least = 0.0, 1e300
    for back in range(1, LONG_BLOCKS_A_DAY + 1):
        at = (int(row[BLOCKS]) - back) % BLOCKS_KEPT
        counted += row[BLOCK_X + at]
        least = min(least, row[BLOCK_X + at])
    if least == 0.0 or counted < USED:
        return False
    begin_anew(row, p, counted)
    return True


def undo_plateau(row: Row, p: KernelParams, x: float, mu: float, block: int) -> bool:
    """Give a new height up when a calm block is back half-way (in logs) or lower: it was an outage after all.

    Returns whether it was given up.
    """
    if add_to_block(row, x, mu, block) < 1:
        return False
    at = (int(row[BLOCKS]) - 1) % BLOCKS_KEPT
    if (row[BLOCK_X + at] + 1.0) * math.sqrt(row[RISE]) < row[BLOCK_MU + at] + 1.0:
        scale_profile(row, p, 1.0 / row[RISE])
        # what the levels learned since was the way back
        for at in range(p.depth):
            if row[CHANNELS + RINGS + p.depth + at] > 0.0:
                row[CHANNELS + RINGS + p.depth + at] = row[CHANNELS + RINGS + 2 * p.depth + at]
        for level in (CHANNELS + FAST, CHANNELS + SLOW):
            row[level + 1] /= row[RISE]
            row[level] = row[level + 1]
        row[RISE] = 1.0
        return True
    if int(row[BLOCKS]) > UNDO_BLOCKS:
        row[RISE] = 1.0
        forget_blocks(row)
    return False
