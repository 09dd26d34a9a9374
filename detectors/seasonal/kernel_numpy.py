"""The scan of `seasonal_nb` in NumPy, one bin after the other, all series at once.

`kernel_numba` is the same in compiled loops: the same operations in the same order, so that either may judge the next
bin. Logarithms are taken one by one, by the C library as compiled code does, and only where a window passes its gates.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from detectors.contract import Floats
from detectors.seasonal.kernel_state import (
    ALPHA,
    CLUMP,
    DAY,
    DAYS_KEPT,
    FAST,
    HEAD,
    KNOWN,
    MU,
    OVERALL,
    RATE,
    SEEN,
    SHAPE,
    SLOT,
    SLOW,
    UNSURE,
    KernelInput,
    KernelOutput,
    KernelState,
    Params,
    X,
)


def slot_rate(state: KernelState, params: Params, slot: int) -> Floats:
    """Return the rate per second in a slot of the week, shrunk to the day's, shrunk to the overall."""
    k, overall = params.shrink_s, state.slot_stats[RATE]
    day = state.day[:, slot % state.day.shape[1]]
    week = state.week[:, slot % state.week.shape[1]]
    rate: Floats = (week[0] + k * (day[0] + k * overall) / (day[1] + k)) / (week[1] + k)
    return rate


def baseline(state: KernelState, params: Params, start: int) -> tuple[Floats, Floats]:
    """Return the profile's count in the bin that starts at `start` (seconds of the epoch), and that times the level."""
    # the epoch was a Thursday; a week of slots may begin on any day as long as it always does
    position = (start + params.bin_s / 2) / params.slot_s - 0.5
    low = math.floor(position)
    share = position - low
    shape = ((1 - share) * slot_rate(state, params, low) + share * slot_rate(state, params, low + 1)) * params.bin_s
    means = state.means
    slow = np.minimum(np.maximum((means[0, SLOW] + 2.0) / (means[1, SLOW] + 2.0), 0.3), 5.0)
    fast = (means[0, FAST] + 2.0 * slow) / (means[1, FAST] + 2.0)
    level = np.minimum(np.maximum(fast, 0.6 * slow), 1.7 * slow)
    return shape, shape * (1.0 + state.slot_stats[KNOWN] * (level - 1.0))


def variance(state: KernelState, params: Params) -> tuple[Floats, Floats]:
    """Return clump and alpha: the ridge regression of squared errors on mu and mu^2, kept where they can be.

    The prior counts as `noise_prior` observed bins would; neither part may be negative, the other then carries all.
    """
    a, b, c = state.noise[0] + params.noise_prior, state.noise[1], state.noise[2] + params.noise_prior
    u = state.noise[3] + params.noise_prior * params.prior_clump
    v = state.noise[4] + params.noise_prior * params.prior_dispersion
    det = a * c - b * b
    extra, alpha = (u * c - v * b) / det, (a * v - b * u) / det
    flat = alpha < 0.001
    extra = np.where(flat, (u - 0.001 * b) / a, extra)
    alpha = np.where(flat, 0.001, alpha)
    alpha = np.where(extra < 0, v / c, alpha)
    extra = np.where(extra < 0, 0.0, extra)
    return 1.0 + np.minimum(extra, 4.0), np.minimum(np.maximum(alpha, 0.001), 1.0) + params.baseline_error


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


def scan(bins: KernelInput, params: Params, state: KernelState, output: KernelOutput) -> int:
    """Score bins in order and learn from them; return how many rows of `output.best_windows` were filled.

    `state` and `output` are changed in place.
    """
    starts, counts, other = bins
    windows, best_windows = params.windows, output.best_windows
    n, guard, depth = counts.shape[1], params.guard_bins, state.ring.shape[1]
    talk = other.shape[1] > 0
    ring, sums, means = state.ring, state.sums, state.means
    found, turn = 0, -1
    for t in range(len(starts)):
        start = int(starts[t])
        _turn_day(state, params, start // 86400)
        x = np.concatenate((counts[t], other[t]))
        on = ~np.isnan(x)
        x = np.where(on, x, 0.0)
        if start // params.slot_s != state.clock[SLOT]:
            state.clock[SLOT] = start // params.slot_s
            refresh_slot_stats(state, params)
        clump, alpha = state.slot_stats[CLUMP], state.slot_stats[ALPHA]
        shape, mu = baseline(state, params, start)
        head = state.clock[HEAD] = (state.clock[HEAD] + 1) % depth
        seen_mu = np.where(on, mu, 0.0)
        for k, width in enumerate(windows):
            gone = (head - width) % depth
            sums[X, k] += x - ring[X, gone]
            sums[MU, k] += seen_mu - ring[MU, gone]
            sums[SEEN, k] += on * 1.0 - (ring[MU, gone] > 0)
        ring[X, head], ring[MU, head], ring[SHAPE, head] = x, seen_mu, shape
        if head == 0:
            _add_up(state, windows)
        seen = on[:n]
        total = state.slot_stats[UNSURE, :n]
        if t == 0 or start // params.slot_s != int(starts[t - 1]) // params.slot_s:
            turn += 1
            output.slot_params[turn] = total, clump[:n], state.burst
        best, window = np.zeros(n), np.zeros((3, n))
        first_talk = np.ones(n)
        for k in range(len(windows)):
            M = np.maximum(sums[MU, k, :n], 1e-9)
            if talk:
                more = (sums[X, k, n:] + params.talk_prior) / (np.maximum(sums[MU, k, n:], 0.0) + params.talk_prior)
                louder = 1.0 + params.talk_weight * np.maximum(0.0, more - 1.0)
                M = M * louder
                first_talk = louder if k == 0 else first_talk
            # four reports by four people: where people repeat themselves more are asked for
            enough = params.min_count * (1.0 + params.repeats * (clump[:n] - 1.0))
            for j in np.flatnonzero(seen & (sums[X, k, :n] >= enough) & (sums[X, k, :n] >= params.min_ratio * M)):
                more_bins = sums[SEEN, k, j] - 1.0
                size = (1.0 + more_bins / (1.0 + params.shared_noise * more_bins)) / total[j]
                ratio = likelihood_ratio(sums[X, k, j], M[j], size, clump[j]) - params.penalty
                if ratio > best[j]:
                    best[j] = ratio
                    window[:, j] = sums[X, k, j], M[j], size
        warm = means[1, OVERALL, :n] >= params.warm_up_s
        state.today[:] = np.where(seen & warm, np.maximum(state.today, best), state.today)
        some = np.flatnonzero(best > 0)
        best_windows[found : found + len(some)] = np.column_stack((t * n + some, window[:, some].T))
        found += len(some)
        best = best / state.burst
        hot = best >= params.freeze
        last = len(windows) - 1
        hole = (sums[MU, last, :n] > 12.0) & (sums[X, last, :n] == 0.0)
        state.frozen[:] = np.where(seen, np.where(hot, state.frozen + 1.0, 0.0), state.frozen)
        state.empty[:] = np.where(seen, np.where(hole, state.empty + 1.0, 0.0), state.empty)
        still = (hot & (state.frozen <= params.frozen_bins)) | (hole & (state.empty <= params.frozen_bins))
        # what is not judged yet is learned from whatever it is: there is nothing else to go by
        state.calm[:] = np.where(seen, np.where(still & warm, 0.0, state.calm + 1.0), state.calm)
        output.expected[t] = mu[:n] * first_talk
        output.score[t] = np.where(seen & warm, best, np.nan)
        _learn(state, params, start - guard * params.bin_s, (head - guard) % depth, alpha, clump, state.calm > guard)
    return found


def refresh_slot_stats(state: KernelState, params: Params) -> None:
    """Refresh in `slot_stats`, at the first bin of a slot of the profile, what is taken as constant within it."""
    means, slot_stats = state.means, state.slot_stats
    slot_stats[CLUMP], slot_stats[ALPHA] = variance(state, params)
    age = means[1, OVERALL] / 43200.0
    new = params.new_variance / (1.0 + age * age)
    slot_stats[UNSURE] = slot_stats[ALPHA] + params.news_variance + 1.0 / (means[0, SLOW] + 1.0) + new
    # what is younger than a day has told the profile all it tells the level: counting it twice would chase it
    known = means[1, OVERALL] / (means[1, OVERALL] + 86400.0)
    slot_stats[KNOWN] = known * known
    slot_stats[RATE] = (means[0, OVERALL] + 0.5) / (means[1, OVERALL] + params.bin_s)


def _turn_day(state: KernelState, params: Params, day: int) -> None:
    """Put the day's largest scores away; a series whose days are often loud has its scores divided by how loud."""
    if day == state.clock[DAY]:
        return
    state.clock[DAY] = day
    for j in np.flatnonzero(state.today >= 0):
        state.daily[int(state.days[j]) % DAYS_KEPT, j] = state.today[j]
        state.days[j] += 1
        state.today[j] = -1.0
        kept = min(int(state.days[j]), DAYS_KEPT)
        if kept >= 3:
            ordered = np.sort(state.daily[:kept, j])
            middle = 0.5 * (ordered[(kept - 1) // 2] + ordered[kept // 2])
            state.burst[j] = max(1.0, middle / params.usual_maximum)


def _add_up(state: KernelState, windows: npt.NDArray[np.int64]) -> None:
    """Take the window sums afresh from the ring, so that rounding does not pile up."""
    depth, head = state.ring.shape[1], int(state.clock[HEAD])
    for k, width in enumerate(windows):
        state.sums[:SEEN, k] = 0.0
        for back in range(width):
            state.sums[:SEEN, k] += state.ring[: MU + 1, (head - back) % depth]


def _learn(
    state: KernelState,
    params: Params,
    start: int,
    place: int,
    alpha: Floats,
    clump: Floats,
    calm: npt.NDArray[np.bool_],
) -> None:
    """Take in the bin at `place` of the ring: old enough for an onset after it to have shown."""
    u, shape = state.ring[MU, place], state.ring[SHAPE, place]
    mask = (u > 0) & (np.concatenate((calm, calm)) if len(u) > len(calm) else calm)
    warm = state.means[1, OVERALL] >= params.warm_up_s
    highest = u + 3.5 * np.sqrt(state.slot_stats[CLUMP] * u + state.slot_stats[ALPHA] * u * u) + 2.0
    x = np.where(warm, np.minimum(state.ring[X, place], highest), state.ring[X, place])
    slot = start // params.slot_s
    for table, keep in ((state.week, params.keep_week), (state.day, params.keep_day)):
        cell = table[:, slot % table.shape[1]]
        cell[0] = np.where(mask, cell[0] * keep + x, cell[0])
        cell[1] = np.where(mask, cell[1] * keep + params.bin_s, cell[1])
    for row, keep, per in (
        (OVERALL, params.keep_overall, params.bin_s),
        (FAST, params.keep_fast, shape),
        (SLOW, params.keep_slow, shape),
    ):
        state.means[0, row] = np.where(mask, state.means[0, row] * keep + x, state.means[0, row])
        state.means[1, row] = np.where(mask, state.means[1, row] * keep + per, state.means[1, row])
    off = x - u
    # weights near the inverse of the variance of a squared error
    q = 1.0 / ((1.0 + 2.0 * u) * (1.0 + 0.1 * u) * (1.0 + 0.1 * u))
    error = off * off - u
    fresh = (u * q, u * u * q, u * u * u * q, error * q, error * u * q)
    for row, value in enumerate(fresh):
        state.noise[row] = np.where(mask & warm, state.noise[row] * params.keep_noise + value, state.noise[row])
