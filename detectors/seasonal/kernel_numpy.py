"""The scan of `seasonal_nb` in NumPy, one bin after the other, all series at once.

`scan_compiled` is the same in compiled loops: the same operations in the same order, so that either may judge the next
bin. Logarithms are taken one by one, by the C library as compiled code does, and only where a window passes its gates.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from detectors.base import Floats
from detectors.seasonal.kernel_state import (
    ALPHA,
    BASELINE_ERROR,
    BIN,
    BURST,
    CLUMP,
    DAY,
    DAYS_KEPT,
    FAST,
    FREEZE,
    FROZEN_BINS,
    GUARD,
    HEAD,
    KEEP_DAY,
    KEEP_FAST,
    KEEP_NOISE,
    KEEP_OVERALL,
    KEEP_SLOW,
    KEEP_WEEK,
    KNOWN,
    MIN_COUNT,
    MIN_RATIO,
    MU,
    NEW,
    NEWS,
    NOISE_PRIOR,
    OVERALL,
    PENALTY,
    PRIOR_ALPHA,
    PRIOR_CLUMP,
    RATE,
    REPEATS,
    SEEN,
    SHAPE,
    SHARED,
    SHRINK,
    SLOT,
    SLOW,
    TALK_PRIOR,
    TALK_WEIGHT,
    TURN,
    UNSURE,
    WARM_UP_S,
    Memory,
    X,
)


def slot_rate(memory: Memory, p: Floats, slot: int) -> Floats:
    """Return the rate per second in a slot of the week, shrunk to the day's, shrunk to the overall."""
    k, overall = p[SHRINK], memory.slowly[RATE]
    day = memory.day[:, slot % memory.day.shape[1]]
    week = memory.week[:, slot % memory.week.shape[1]]
    rate: Floats = (week[0] + k * (day[0] + k * overall) / (day[1] + k)) / (week[1] + k)
    return rate


def baseline(memory: Memory, p: Floats, start: int) -> tuple[Floats, Floats]:
    """Return the profile's count in the bin that starts at `start` (seconds of the epoch), and that times the level."""
    # the epoch was a Thursday; a week of slots may begin on any day as long as it always does
    position = (start + p[BIN] / 2) / p[SLOT] - 0.5
    low = math.floor(position)
    share = position - low
    shape = ((1 - share) * slot_rate(memory, p, low) + share * slot_rate(memory, p, low + 1)) * p[BIN]
    means = memory.means
    slow = np.minimum(np.maximum((means[0, SLOW] + 2.0) / (means[1, SLOW] + 2.0), 0.3), 5.0)
    fast = (means[0, FAST] + 2.0 * slow) / (means[1, FAST] + 2.0)
    level = np.minimum(np.maximum(fast, 0.6 * slow), 1.7 * slow)
    return shape, shape * (1.0 + memory.slowly[KNOWN] * (level - 1.0))


def variance(memory: Memory, p: Floats) -> tuple[Floats, Floats]:
    """Return clump and alpha: the ridge regression of squared errors on mu and mu^2, kept where they can be.

    The prior counts as `noise_prior` observed bins would; neither part may be negative, the other then carries all.
    """
    a, b, c = memory.noise[0] + p[NOISE_PRIOR], memory.noise[1], memory.noise[2] + p[NOISE_PRIOR]
    u, v = memory.noise[3] + p[NOISE_PRIOR] * p[PRIOR_CLUMP], memory.noise[4] + p[NOISE_PRIOR] * p[PRIOR_ALPHA]
    det = a * c - b * b
    extra, alpha = (u * c - v * b) / det, (a * v - b * u) / det
    flat = alpha < 0.001
    extra = np.where(flat, (u - 0.001 * b) / a, extra)
    alpha = np.where(flat, 0.001, alpha)
    alpha = np.where(extra < 0, v / c, alpha)
    extra = np.where(extra < 0, 0.0, extra)
    return 1.0 + np.minimum(extra, 4.0), np.minimum(np.maximum(alpha, 0.001), 1.0) + p[BASELINE_ERROR]


def likelihood_ratio(x: float, m: float, size: float, clump: float) -> float:
    """Return the log likelihood ratio of a sum x against mean m, in clumps, negative binomial of that size."""
    r = size * clump
    # written so that large counts do not cancel
    return (x * math.log(x / m * ((m + r) / (x + r))) - r * math.log((x + r) / (m + r))) / clump


def likelihood_ratios(x: Floats, m: Floats, size: float) -> Floats:
    """Return the same of arrays, without clumps; 0 where nothing was counted."""
    some = np.maximum(x, 1e-9)
    ratio: Floats = np.where(x > 0, some * np.log(some / m) - (some + size) * np.log((some + size) / (m + size)), 0.0)
    return ratio


def scan(
    starts: npt.NDArray[np.int64],
    counts: Floats,
    other: Floats,
    p: Floats,
    windows: npt.NDArray[np.int64],
    memory: Memory,
    out: Floats,
    turns: Floats,
    hits: Floats,
) -> int:
    """Judge bins in order and learn from them; return how many `hits` were filled.

    starts: seconds of the epoch. counts: (bins, n), NaN = gap. other: the rest of the talk, or (bins, 0) without a
    talk channel. out: (2, bins, n) expected, score (NaN = unknown). turns: (slots met, 3, n) alpha, clump and burst, which
    change with the slot of the profile only. hits: (bins * n, 4) place (bin * n + series), sum, expectation and size of
    the best window wherever a score is above 0; pages that no hit touches are never asked of the machine.
    """
    n, guard, depth = counts.shape[1], int(p[GUARD]), memory.ring.shape[1]
    talk = other.shape[1] > 0
    ring, sums, means = memory.ring, memory.sums, memory.means
    found, turn = 0, -1
    for t in range(len(starts)):
        start = int(starts[t])
        _turn_day(memory, p, start // 86400)
        x = np.concatenate((counts[t], other[t]))
        on = ~np.isnan(x)
        x = np.where(on, x, 0.0)
        if start // int(p[SLOT]) != memory.clock[TURN]:
            memory.clock[TURN] = start // int(p[SLOT])
            turn_slot(memory, p)
        clump, alpha = memory.slowly[CLUMP], memory.slowly[ALPHA]
        shape, mu = baseline(memory, p, start)
        head = memory.clock[HEAD] = (memory.clock[HEAD] + 1) % depth
        seen_mu = np.where(on, mu, 0.0)
        for k, width in enumerate(windows):
            gone = (head - width) % depth
            sums[X, k] += x - ring[X, gone]
            sums[MU, k] += seen_mu - ring[MU, gone]
            sums[SEEN, k] += on * 1.0 - (ring[MU, gone] > 0)
        ring[X, head], ring[MU, head], ring[SHAPE, head] = x, seen_mu, shape
        if head == 0:
            _add_up(memory, windows)
        seen = on[:n]
        total = memory.slowly[UNSURE, :n]
        if t == 0 or start // int(p[SLOT]) != int(starts[t - 1]) // int(p[SLOT]):
            turn += 1
            turns[turn] = total, clump[:n], memory.burst
        best, window = np.zeros(n), np.zeros((3, n))
        first_talk = np.ones(n)
        for k in range(len(windows)):
            M = np.maximum(sums[MU, k, :n], 1e-9)
            if talk:
                more = (sums[X, k, n:] + p[TALK_PRIOR]) / (np.maximum(sums[MU, k, n:], 0.0) + p[TALK_PRIOR])
                louder = 1.0 + p[TALK_WEIGHT] * np.maximum(0.0, more - 1.0)
                M = M * louder
                first_talk = louder if k == 0 else first_talk
            # four reports by four people: where people repeat themselves more are asked for
            enough = p[MIN_COUNT] * (1.0 + p[REPEATS] * (clump[:n] - 1.0))
            for j in np.flatnonzero(seen & (sums[X, k, :n] >= enough) & (sums[X, k, :n] >= p[MIN_RATIO] * M)):
                bins = sums[SEEN, k, j] - 1.0
                size = (1.0 + bins / (1.0 + p[SHARED] * bins)) / total[j]
                ratio = likelihood_ratio(sums[X, k, j], M[j], size, clump[j]) - p[PENALTY]
                if ratio > best[j]:
                    best[j] = ratio
                    window[:, j] = sums[X, k, j], M[j], size
        warm = means[1, OVERALL, :n] >= p[WARM_UP_S]
        memory.today = np.where(seen & warm, np.maximum(memory.today, best), memory.today)
        some = np.flatnonzero(best > 0)
        hits[found : found + len(some)] = np.column_stack((t * n + some, window[:, some].T))
        found += len(some)
        best = best / memory.burst
        hot = best >= p[FREEZE]
        last = len(windows) - 1
        hole = (sums[MU, last, :n] > 12.0) & (sums[X, last, :n] == 0.0)
        memory.frozen = np.where(seen, np.where(hot, memory.frozen + 1.0, 0.0), memory.frozen)
        memory.empty = np.where(seen, np.where(hole, memory.empty + 1.0, 0.0), memory.empty)
        still = (hot & (memory.frozen <= p[FROZEN_BINS])) | (hole & (memory.empty <= p[FROZEN_BINS]))
        # what is not judged yet is learned from whatever it is: there is nothing else to go by
        memory.calm = np.where(seen, np.where(still & warm, 0.0, memory.calm + 1.0), memory.calm)
        out[0, t] = mu[:n] * first_talk
        out[1, t] = np.where(seen & warm, best, np.nan)
        _learn(memory, p, start - guard * int(p[BIN]), (head - guard) % depth, alpha, clump, memory.calm > guard)
    return found


def turn_slot(memory: Memory, p: Floats) -> None:
    """Work out what changes slowly, once a slot of the profile."""
    means, slowly = memory.means, memory.slowly
    slowly[CLUMP], slowly[ALPHA] = variance(memory, p)
    age = means[1, OVERALL] / 43200.0
    slowly[UNSURE] = slowly[ALPHA] + p[NEWS] + 1.0 / (means[0, SLOW] + 1.0) + p[NEW] / (1.0 + age * age)
    # what is younger than a day has told the profile all it tells the level: counting it twice would chase it
    known = means[1, OVERALL] / (means[1, OVERALL] + 86400.0)
    slowly[KNOWN] = known * known
    slowly[RATE] = (means[0, OVERALL] + 0.5) / (means[1, OVERALL] + p[BIN])


def _turn_day(memory: Memory, p: Floats, day: int) -> None:
    """Put the day's largest scores away; a series whose days are often loud has its scores divided by how loud."""
    if day == memory.clock[DAY]:
        return
    memory.clock[DAY] = day
    for j in np.flatnonzero(memory.today >= 0):
        memory.daily[int(memory.days[j]) % DAYS_KEPT, j] = memory.today[j]
        memory.days[j] += 1
        memory.today[j] = -1.0
        kept = min(int(memory.days[j]), DAYS_KEPT)
        if kept >= 3:
            ordered = np.sort(memory.daily[:kept, j])
            middle = 0.5 * (ordered[(kept - 1) // 2] + ordered[kept // 2])
            memory.burst[j] = max(1.0, middle / p[BURST])


def _add_up(memory: Memory, windows: npt.NDArray[np.int64]) -> None:
    """Take the window sums afresh from the ring, so that rounding does not pile up."""
    depth, head = memory.ring.shape[1], int(memory.clock[HEAD])
    for k, width in enumerate(windows):
        memory.sums[:SEEN, k] = 0.0
        for back in range(width):
            memory.sums[:SEEN, k] += memory.ring[: MU + 1, (head - back) % depth]


def _learn(
    memory: Memory, p: Floats, start: int, place: int, alpha: Floats, clump: Floats, calm: npt.NDArray[np.bool_]
) -> None:
    """Take in the bin at `place` of the ring: old enough for an onset after it to have shown."""
    u, shape = memory.ring[MU, place], memory.ring[SHAPE, place]
    mask = (u > 0) & (np.concatenate((calm, calm)) if len(u) > len(calm) else calm)
    warm = memory.means[1, OVERALL] >= p[WARM_UP_S]
    highest = u + 3.5 * np.sqrt(memory.slowly[CLUMP] * u + memory.slowly[ALPHA] * u * u) + 2.0
    x = np.where(warm, np.minimum(memory.ring[X, place], highest), memory.ring[X, place])
    slot = start // int(p[SLOT])
    for table, keep in ((memory.week, p[KEEP_WEEK]), (memory.day, p[KEEP_DAY])):
        cell = table[:, slot % table.shape[1]]
        cell[0] = np.where(mask, cell[0] * keep + x, cell[0])
        cell[1] = np.where(mask, cell[1] * keep + p[BIN], cell[1])
    for row, keep, per in (
        (OVERALL, p[KEEP_OVERALL], p[BIN]),
        (FAST, p[KEEP_FAST], shape),
        (SLOW, p[KEEP_SLOW], shape),
    ):
        memory.means[0, row] = np.where(mask, memory.means[0, row] * keep + x, memory.means[0, row])
        memory.means[1, row] = np.where(mask, memory.means[1, row] * keep + per, memory.means[1, row])
    off = x - u
    # weights near the inverse of the variance of a squared error
    q = 1.0 / ((1.0 + 2.0 * u) * (1.0 + 0.1 * u) * (1.0 + 0.1 * u))
    error = off * off - u
    fresh = (u * q, u * u * q, u * u * u * q, error * q, error * u * q)
    for row, value in enumerate(fresh):
        memory.noise[row] = np.where(mask & warm, memory.noise[row] * p[KEEP_NOISE] + value, memory.noise[row])
