"""Clocks that people live by and that change twice a year, which moves their day by an hour in UTC.

Which zone a series follows is not known. For three weeks after clocks changed somewhere, what the profile expects an
hour aside is expected, too; once the edges of the day have shown on which side they are, the profile is moved, or
nothing more is tolerated. `row`, `k` and what may be used here are as in `baseline`.
"""

from __future__ import annotations

import math

from detectors.seasonal.layout import CHANGE, CHANNELS, EDGES, MOVED, NEAR, SHIFT, KernelParams, Row

EDGE = 2.0  # ratio of the two expectations from which a bin says which of them is right
LEAST_EVIDENCE, SHARE = 4.0, 0.5  # nats, and the share of all evidence, from which it is decided


def hour_aside(row: Row, p: KernelParams, change: int) -> int:
    """Return how many slots aside the profile may be right, too; 0 where that is settled or no clock changed."""
    if change != int(row[CHANGE]):
        row[CHANGE] = float(change)
        row[MOVED] = 0.0
        row[EDGES] = 0.0
    if change == 0 or row[EDGES] < 0.0:
        return 0
    return p.hour_slots if change > 0 else -p.hour_slots


def note_edge(row: Row, x: float, due: float, aside: float) -> None:
    """Add what a bin says at an edge of the day, where the two expectations differ.

    Only what is as high as the higher of them says anything: low days are low at every hour, and in an outage both
    edges of the day are high.
    """
    low, high = min(due, aside), max(due, aside)
    if low <= 0.0 or high < EDGE * low:
        return
    gain = min(x, high) * math.log(high / low) - (high - low)
    if gain > 0.0:
        row[MOVED] += min(gain, 1.0) if aside > due else -min(gain, 1.0)
        row[EDGES] += min(gain, 1.0)


def settle_clock(row: Row, p: KernelParams) -> None:
    """Decide at the end of a day, where its edges are clear: the profile is moved by an hour, or it is right."""
    if row[CHANGE] == 0.0 or row[EDGES] < 0.0 or abs(row[MOVED]) < max(LEAST_EVIDENCE, SHARE * row[EDGES]):
        return
    if row[MOVED] > 0.0:
        row[SHIFT] += p.hour_slots if row[CHANGE] > 0.0 else -p.hour_slots
        for channel in range(p.channels):
            row[CHANNELS + channel * p.channel_width + NEAR] = -1e18
    row[EDGES] = -1.0
