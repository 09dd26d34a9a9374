"""The scan of `seasonal_nb`: one bin of one series at a time, in plain Python that `compiled` also compiles.

What is expected is in `baseline`. Here is what is compared with it, what may be learned, and the step that does both.
`row` and `k` are as there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from detectors.seasonal.baseline import (
    begin_to_judge,
    expect,
    expect_aside,
    learn,
    level_of,
    louder,
    refresh_slot,
)
from detectors.seasonal.clocks import hour_aside, note_edge, settle_clock
from detectors.seasonal.layout import (
    BURST,
    CALM,
    CHANNELS,
    CLUMP,
    COOL,
    DAILY,
    DAY,
    DAYS,
    DAYS_KEPT,
    EMPTY,
    FROZEN,
    HEAD,
    HOUR_X,
    KNOWN,
    MOST_BINS,
    RAISED,
    RINGS,
    RISE,
    SHIFT,
    SLOT,
    TODAY,
    TOTAL,
    UNSURE,
    BinTimes,
    KernelInput,
    KernelOutput,
    KernelParams,
    Row,
    Rows,
)
from detectors.seasonal.plateau import accept_plateau, awake, forget_blocks, undo_plateau

SHARED = 0.2  # of the noise, between the bins of a window
COOL_S = 2 * 3600.0  # for so long what has lasted for hours must be weak to be over
DAY_S = 86400.0
# more than the rounding of a sum, as a share of it; the bound where no window can pass
ROUNDING, LEAST_EXCESS = 1e-9, 1e-300
NO_RISE = -LEAST_EXCESS
UNUSED = 4.0  # reports a day of what has no habits yet


class Window(NamedTuple):
    """A window of bins: log likelihood ratio, 0 where none passes, sum, expectation and size of the distribution."""

    ratio: float
    x: float
    mu: float
    size: float


class JudgedBin(NamedTuple):
    """Expectation, score (NaN = unknown), whether all of the profile or the rings was changed, and the best window."""

    expected: float
    score: float
    reshaped: bool
    window: Window


NO_WINDOW = Window(0.0, 0.0, 0.0, 0.0)


def turn_day(row: Row, p: KernelParams) -> None:
    """Put the day's largest score away; a series whose days are often loud has its scores divided by how loud.

    How loud says the lower median of the days, so that two outages in a series' first four days do not count as usual.
    """
    if row[TODAY] < 0.0:
        return
    row[DAILY + int(row[DAYS]) % DAYS_KEPT] = row[TODAY]
    row[DAYS] += 1.0
    row[TODAY] = -1.0
    kept = int(min(row[DAYS], float(DAYS_KEPT)))
    median = 0.0
    for i in range(kept):
        one, rank = row[DAILY + i], 0
        for j in range(kept):
            other = row[DAILY + j]
            if other < one or (other == one and j < i):
                rank += 1
        if rank == (kept - 1) // 2:
            median = one
    row[BURST] = max(1.0, median / p.usual_maximum)


def judge(row: Row, p: KernelParams, windows: Sequence[int], head: int, due_now: float) -> Window:
    """Return the window that ends at `head` with the largest log likelihood ratio.

    Sets EMPTY: how long not one report came where many were due.
    """
    k = CHANNELS
    ring, other = k + RINGS, k + p.channel_width + RINGS
    depth, clump, unsure = p.depth, row[k + CLUMP], row[k + UNSURE]
    enough = p.min_count * (1.0 + p.repeats * (clump - 1.0))
    # a source once dead is dead until a report comes, though few be due by night; what never reported is not dead:
    # before it is known how many are due, a number is only assumed
    known = row[k + TOTAL + 1] >= p.warm_up_s
    empty = known and row[HOUR_X] == 0.0 and (row[EMPTY] > 0.0 or due_now * p.hour_bins > 6.0)
    best, best_x, best_mu, best_size = 0.0, 0.0, 0.0, 0.0
    x, mu, shape, bins, talked, talk_due = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    at, added = head, 0
    # most bins of most series end here: no sum is high enough for any window
    worth = row[HOUR_X] >= enough and row[RAISED] != NO_RISE
    for window in range(len(windows) if worth or empty else 0):
        for _ in range(windows[window] - added):
            x += row[ring + at]
            mu += row[ring + depth + at]
            shape += row[ring + 2 * depth + at]
            if row[ring + depth + at] > 0.0:
                bins += 1.0
            if p.channels == 2:
                talked += row[other + at]
                talk_due += row[other + depth + at]
            at = at - 1 if at > 0 else depth - 1
        added = windows[window]
        if x < enough or x < p.min_ratio * mu:
            continue
        # after a low day or a hole the profile is the memory: a return to it is no rise
        m = max(mu, shape * row[k + KNOWN], 1e-9)
        if p.channels == 2:
            m *= louder(p, talked, talk_due)
        if x >= p.min_ratio * m:
            size = (1.0 + (bins - 1.0) / (1.0 + SHARED * (bins - 1.0))) / unsure
            r = size * clump
            # written so that large counts do not cancel
            ratio = (x * math.log(x / m * ((m + r) / (x + r))) - r * math.log((x + r) / (m + r))) / clump - p.penalty
            if ratio > best:
                best, best_x, best_mu, best_size = ratio, x, m, size
    row[EMPTY] = row[EMPTY] + 1.0 if empty and (row[EMPTY] > 0.0 or mu > 12.0) else 0.0
    return Window(best, best_x, best_mu, best_size)


def hold(row: Row, p: KernelParams, best: float, x: float, mu: float, block: int, warm: bool) -> bool:
    """Decide whether anything may be learned: CALM is how many bins ago it last could not.

    Nothing is learned while the score is high, for as long as half of what is known of the series or until its height
    is a plateau, nor, from an hour in which not one report came where many were due, until the next report. What is not
    judged yet is learned from whatever it is: there is nothing else to go by.

    Returns whether the whole profile was changed.
    """
    row[COOL] = 0.0 if best >= p.freeze else min(row[COOL] + 1.0, MOST_BINS)
    # what has lasted for hours is not over in its first weak hour, as at night
    hot = best >= p.freeze or (row[FROZEN] > p.short_bins and row[COOL] * p.bin_s <= COOL_S)
    k = CHANNELS
    unused = warm and row[RISE] == 1.0 and row[k + TOTAL] * DAY_S < UNUSED * row[k + TOTAL + 1]
    if hot != (row[FROZEN] > 0.0) and not unused:
        forget_blocks(row)
    # what nobody used is not learned by night while it is high by day
    stays = hot or (unused and row[COOL] * p.bin_s < DAY_S)
    row[FROZEN] = row[FROZEN] + 1.0 if stays else 0.0
    risen, undone, longest = False, False, 0.0
    if stays:
        longest = max(p.short_bins, min(p.defend_bins, 0.5 * row[k + TOTAL + 1] / p.bin_s))
    if unused:
        risen = awake(row, p, x, mu, block)
    elif hot:
        risen = accept_plateau(row, p, x, mu, block)
    elif row[RISE] > 1.0:
        undone = undo_plateau(row, p, x, mu, block)
    held = stays and not risen and row[FROZEN] <= longest
    row[CALM] = 0.0 if (held or row[EMPTY] > 0.0) and warm else min(row[CALM] + 1.0, MOST_BINS)
    return risen or undone


def excess_bound(p: KernelParams, x: float, mu: float) -> float:
    """Return at most how much a count exceeds the least ratio by, with more room than the rounding of sums takes."""
    return x * (1.0 + ROUNDING) - p.min_ratio * mu * (1.0 - ROUNDING)


def sum_up_hour(row: Row, p: KernelParams, head: int) -> None:
    """Work the sums of the last hour out afresh, so that no rounding is left of what went by."""
    k = CHANNELS + RINGS
    count, excess, largest = 0.0, 0.0, LEAST_EXCESS
    for back in range(p.hour_bins):
        place = head - back
        place = k + (place if place >= 0 else place + p.depth)
        count += row[place]
        excess += excess_bound(p, row[place], row[place + p.depth])
        largest = max(largest, excess)
    row[HOUR_X] = count
    row[RAISED] = -largest


def step(row: Row, p: KernelParams, windows: Sequence[int], times: BinTimes, t: int, x: float, y: float) -> JudgedBin:
    """Judge bin number t, x counts and y other talk (NaN = not observed), and learn."""
    day, slot, near, share = times.days[t], times.slots[t], times.near[t], times.shares[t]
    if day != int(row[DAY]):
        row[DAY] = float(day)
        turn_day(row, p)
        settle_clock(row, p)
    turned = slot != int(row[SLOT])
    row[SLOT] = float(slot)
    aside, shift = hour_aside(row, p, times.changes[t]), int(row[SHIFT])
    depth = p.depth
    head = int(row[HEAD]) + 1
    if head >= depth:
        head = 0
    row[HEAD] = float(head)
    k, mu, more = CHANNELS, 0.0, 1.0
    for channel in range(p.channels):
        if turned:
            refresh_slot(row, p, k)
        value = x if channel == 0 else y
        level = 1.0 + row[k + KNOWN] * (level_of(row, k) - 1.0)
        shape = expect(row, p, k, near + shift, share, aside)
        if aside != 0:
            other = expect_aside(row, p, k, share)
            if channel == 0 and x == x:
                note_edge(row, x, shape * max(1.0, level), other * max(1.0, level))
            shape = max(shape, other)
        due = shape * level
        place = k + RINGS + head
        if channel == 0:
            mu = due
            gone = head - p.hour_bins
            row[HOUR_X] += (value if value == value else 0.0) - row[k + RINGS + (gone if gone >= 0 else gone + depth)]
        elif value == value:
            more = louder(p, value, due)
        row[place] = value if value == value else 0.0
        row[place + depth] = due if value == value else 0.0
        row[place + 2 * depth] = shape
        k += p.channel_width
    if turned:
        sum_up_hour(row, p, head)
    elif x == x and row[RAISED] < 0.0:
        row[RAISED] = -max(excess_bound(p, x, mu) - row[RAISED], LEAST_EXCESS)
    score, reshaped, window = math.nan, False, NO_WINDOW
    if x == x:
        warm = row[CHANNELS + TOTAL + 1] >= p.warm_up_s
        begins = warm and row[DAYS] == 0.0 and row[TODAY] < 0.0
        if begins:
            begin_to_judge(row, p, head)
        window = judge(row, p, windows, head, mu)
        best = window.ratio
        if warm:
            row[TODAY] = max(row[TODAY], best)
        if best > 0.0:
            best = best / row[BURST]
        reshaped = hold(row, p, best, x, mu, times.blocks[t], warm) or begins
        if warm:
            score = best
    if row[CALM] > p.guard_bins:
        old = head - p.guard_bins
        old = old if old >= 0 else old + depth
        day_slot, week_slot = times.learned_day_slots[t], times.learned_week_slots[t]
        if shift != 0:  # a division costs as much as the rest
            day_slot, week_slot = (day_slot + shift) % p.day_slots, (week_slot + shift) % p.week_slots
        learn(row, p, CHANNELS, old, day_slot, week_slot)
        if p.channels == 2:
            learn(row, p, CHANNELS + p.channel_width, old, day_slot, week_slot)
    return JudgedBin(mu * more, score, reshaped, window)


def run(rows: Rows, p: KernelParams, windows: Sequence[int], bins: KernelInput, output: KernelOutput) -> int:
    """Judge the bins of each series in order; return how many rows of `output.best_windows` were filled.

    A series' row stays in the processor's cache while its bins are judged.
    """
    found, times = 0, bins.times
    for j in range(len(bins.counts)):
        row, counts, other = rows[j], bins.counts[j], bins.other[j]
        expected, score = output.expected[j], output.score[j]
        slot, turn = -1, -1
        for t in range(len(counts)):
            judged = step(row, p, windows, times, t, counts[t], other[t])
            expected[t], score[t] = judged.expected, judged.score
            if judged.reshaped:
                output.reshaped[j] = 1.0
            if times.slots[t] != slot:
                slot = times.slots[t]
                turn += 1
                slot_params = output.slot_params[turn][j]
                slot_params[0] = row[CHANNELS + UNSURE]
                slot_params[1] = row[CHANNELS + CLUMP]
                slot_params[2] = row[BURST]
            if judged.score > 0.0:
                best = output.best_windows[found]
                best[0] = j * len(counts) + t
                best[1] = judged.window.x
                best[2] = judged.window.mu
                best[3] = judged.window.size
                found += 1
    return found
