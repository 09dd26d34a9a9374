"""`kernel_numpy.scan` in loops, compiled by numba, for histories and for many series.

It does the same operations in the same order.

One pass over the bins, and inside it over the series, so that a bin's share of the state is read in one streak
whether there is one series or thirty thousand. The compiled code is cached beside this file.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numba
import numpy as np

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

compiled = numba.njit(cache=True, error_model="numpy", nogil=True)


@compiled
def _turn_day(day, state, params):  # type: ignore[no-untyped-def]
    daily, today, days, burst = state.daily, state.today, state.days, state.burst
    state.clock[DAY] = day
    for j in range(today.shape[0]):
        if today[j] >= 0:
            daily[int(days[j]) % DAYS_KEPT, j] = today[j]
            days[j] += 1
            today[j] = -1.0
            kept = min(int(days[j]), DAYS_KEPT)
            if kept >= 3:
                ordered = np.sort(daily[:kept, j])
                middle = 0.5 * (ordered[(kept - 1) // 2] + ordered[kept // 2])
                burst[j] = max(1.0, middle / params.usual_maximum)


@compiled
def _add_up(head, state, windows):  # type: ignore[no-untyped-def]
    ring, sums = state.ring, state.sums
    depth, m = ring.shape[1], ring.shape[2]
    for part in range(2):
        for k in range(len(windows)):
            for j in range(m):
                sums[part, k, j] = 0.0
            for back in range(windows[k]):
                place = (head - back) % depth
                for j in range(m):
                    sums[part, k, j] += ring[part, place, j]


@compiled
def _refresh_slot_stats(state, params):  # type: ignore[no-untyped-def]
    """Refresh the statistics of a slot, as `kernel_numpy.variance` and `refresh_slot_stats`."""
    means, noise, slot_stats, prior = state.means, state.noise, state.slot_stats, params.noise_prior
    for j in range(means.shape[2]):
        a, b, c = noise[0, j] + prior, noise[1, j], noise[2, j] + prior
        u, v = noise[3, j] + prior * params.prior_clump, noise[4, j] + prior * params.prior_dispersion
        det = a * c - b * b
        extra, shared = (u * c - v * b) / det, (a * v - b * u) / det
        if shared < 0.001:
            extra = (u - 0.001 * b) / a
            shared = 0.001
        if extra < 0:
            shared = v / c
            extra = 0.0
        slot_stats[CLUMP, j] = 1.0 + min(extra, 4.0)
        slot_stats[ALPHA, j] = min(max(shared, 0.001), 1.0) + params.baseline_error
        age = means[1, OVERALL, j] / 43200.0
        new = params.new_variance / (1.0 + age * age)
        slot_stats[UNSURE, j] = slot_stats[ALPHA, j] + params.news_variance + 1.0 / (means[0, SLOW, j] + 1.0) + new
        known = means[1, OVERALL, j] / (means[1, OVERALL, j] + 86400.0)
        slot_stats[KNOWN, j] = known * known
        slot_stats[RATE, j] = (means[0, OVERALL, j] + 0.5) / (means[1, OVERALL, j] + params.bin_s)


@compiled
def _expect(start, state, params, shape, mu):  # type: ignore[no-untyped-def]
    """Fill in the baseline of the bin, as `kernel_numpy.baseline`."""
    week, day, means, slot_stats = state.week, state.day, state.means, state.slot_stats
    position = (start + params.bin_s / 2) / params.slot_s - 0.5
    low = math.floor(position)
    share = position - low
    slots, hours = week.shape[1], day.shape[1]
    a, b, da, db = low % slots, (low + 1) % slots, low % hours, (low + 1) % hours
    k = params.shrink_s
    for j in range(mu.shape[0]):
        rate = slot_stats[RATE, j]
        one = (week[0, a, j] + k * (day[0, da, j] + k * rate) / (day[1, da, j] + k)) / (week[1, a, j] + k)
        two = (week[0, b, j] + k * (day[0, db, j] + k * rate) / (day[1, db, j] + k)) / (week[1, b, j] + k)
        shape[j] = ((1 - share) * one + share * two) * params.bin_s
        slow = min(max((means[0, SLOW, j] + 2.0) / (means[1, SLOW, j] + 2.0), 0.3), 5.0)
        fast = (means[0, FAST, j] + 2.0 * slow) / (means[1, FAST, j] + 2.0)
        level = min(max(fast, 0.6 * slow), 1.7 * slow)
        mu[j] = shape[j] * (1.0 + slot_stats[KNOWN, j] * (level - 1.0))


@compiled
def _learn(start, place, state, params):  # type: ignore[no-untyped-def]
    ring, week, day, means, noise = state.ring, state.week, state.day, state.means, state.noise
    slot_stats, calm = state.slot_stats, state.calm
    n, m, guard = calm.shape[0], ring.shape[2], params.guard_bins
    slot = start // params.slot_s
    w, d = slot % week.shape[1], slot % day.shape[1]
    for j in range(m):
        u = ring[MU, place, j]
        if u > 0 and calm[j if j < n else j - n] > guard:
            shape = ring[SHAPE, place, j]
            warm = means[1, OVERALL, j] >= params.warm_up_s
            x = ring[X, place, j]
            if warm:
                x = min(x, u + 3.5 * math.sqrt(slot_stats[CLUMP, j] * u + slot_stats[ALPHA, j] * u * u) + 2.0)
            week[0, w, j] = week[0, w, j] * params.keep_week + x
            week[1, w, j] = week[1, w, j] * params.keep_week + params.bin_s
            day[0, d, j] = day[0, d, j] * params.keep_day + x
            day[1, d, j] = day[1, d, j] * params.keep_day + params.bin_s
            means[0, OVERALL, j] = means[0, OVERALL, j] * params.keep_overall + x
            means[1, OVERALL, j] = means[1, OVERALL, j] * params.keep_overall + params.bin_s
            means[0, FAST, j] = means[0, FAST, j] * params.keep_fast + x
            means[1, FAST, j] = means[1, FAST, j] * params.keep_fast + shape
            means[0, SLOW, j] = means[0, SLOW, j] * params.keep_slow + x
            means[1, SLOW, j] = means[1, SLOW, j] * params.keep_slow + shape
            if not warm:  # what is not known yet errs, and says nothing of how counts vary
                continue
            off = x - u
            q = 1.0 / ((1.0 + 2.0 * u) * (1.0 + 0.1 * u) * (1.0 + 0.1 * u))
            error = off * off - u
            noise[0, j] = noise[0, j] * params.keep_noise + u * q
            noise[1, j] = noise[1, j] * params.keep_noise + u * u * q
            noise[2, j] = noise[2, j] * params.keep_noise + u * u * u * q
            noise[3, j] = noise[3, j] * params.keep_noise + error * q
            noise[4, j] = noise[4, j] * params.keep_noise + error * u * q


@compiled
def _scan(bins, params, state, output):  # type: ignore[no-untyped-def]
    starts, counts, other = bins
    windows, ring, sums, means, slot_stats = params.windows, state.ring, state.sums, state.means, state.slot_stats
    frozen, calm, empty, today, burst = state.frozen, state.calm, state.empty, state.today, state.burst
    clock, best_windows = state.clock, output.best_windows
    n, m, depth, guard = counts.shape[1], ring.shape[2], ring.shape[1], params.guard_bins
    talk, last = m > n, len(windows) - 1
    shape, mu, now, due = np.empty(m), np.empty(m), np.empty(m), np.empty(m)
    enough, hopeful, louder = np.empty(n), np.empty(n), np.empty(n)
    found, turn = 0, -1
    for t in range(len(starts)):
        start = starts[t]
        if start // 86400 != clock[DAY]:
            _turn_day(start // 86400, state, params)
        slot = start // params.slot_s
        if slot != clock[SLOT]:
            clock[SLOT] = slot
            _refresh_slot_stats(state, params)
        _expect(start, state, params, shape, mu)
        head = clock[HEAD] + 1 if clock[HEAD] + 1 < depth else 0
        clock[HEAD] = head
        for j in range(m):
            x = counts[t, j] if j < n else other[t, j - n]
            on = not math.isnan(x)
            now[j], due[j] = (x, mu[j]) if on else (0.0, 0.0)
        for k in range(len(windows)):
            gone = head - windows[k]
            if gone < 0:  # a remainder costs as much as all the rest
                gone += depth
            for j in range(m):
                sums[X, k, j] += now[j] - ring[X, gone, j]
                sums[MU, k, j] += due[j] - ring[MU, gone, j]
                sums[SEEN, k, j] += (1.0 if due[j] > 0 else 0.0) - (1.0 if ring[MU, gone, j] > 0 else 0.0)
        for j in range(m):
            ring[X, head, j], ring[MU, head, j], ring[SHAPE, head, j] = now[j], due[j], shape[j]
        if head == 0:
            _add_up(head, state, windows)
        if t == 0 or slot != starts[t - 1] // params.slot_s:
            turn += 1
            for j in range(n):
                output.slot_params[turn, 0, j] = slot_stats[UNSURE, j]
                output.slot_params[turn, 1, j] = slot_stats[CLUMP, j]
                output.slot_params[turn, 2, j] = burst[j]
        # most series have no window that could pass: they are found without a branch, and their windows left alone
        for j in range(n):
            enough[j], hopeful[j] = params.min_count * (1.0 + params.repeats * (slot_stats[CLUMP, j] - 1.0)), 0.0
        for k in range(len(windows)):
            for j in range(n):
                passes = (sums[X, k, j] >= enough[j]) & (sums[X, k, j] >= params.min_ratio * sums[MU, k, j])
                hopeful[j] = 1.0 if passes else hopeful[j]
        for j in range(n):
            louder[j] = 1.0
            if talk:
                more = (sums[X, 0, n + j] + params.talk_prior) / (max(sums[MU, 0, n + j], 0.0) + params.talk_prior)
                louder[j] = 1.0 + params.talk_weight * max(0.0, more - 1.0)
        for j in range(n):
            seen = not math.isnan(counts[t, j])
            total, clump, best = slot_stats[UNSURE, j], slot_stats[CLUMP, j], 0.0
            for k in range(len(windows) if seen and hopeful[j] > 0 else 0):
                M, some = max(sums[MU, k, j], 1e-9), sums[X, k, j]
                if talk:
                    more = (sums[X, k, n + j] + params.talk_prior) / (max(sums[MU, k, n + j], 0.0) + params.talk_prior)
                    M = M * (1.0 + params.talk_weight * max(0.0, more - 1.0))
                if some >= enough[j] and some >= params.min_ratio * M:
                    more_bins = sums[SEEN, k, j] - 1.0
                    size = (1.0 + more_bins / (1.0 + params.shared_noise * more_bins)) / total
                    r = size * clump
                    inner = some / M * ((M + r) / (some + r))
                    ratio = (some * math.log(inner) - r * math.log((some + r) / (M + r))) / clump - params.penalty
                    if ratio > best:
                        best = ratio
                        best_windows[found, 1], best_windows[found, 2], best_windows[found, 3] = some, M, size
            if best > 0:
                best_windows[found, 0] = t * n + j
                found += 1
            warm = means[1, OVERALL, j] >= params.warm_up_s
            if seen:
                today[j] = max(today[j], best) if warm else today[j]
                best = best / burst[j]
                frozen[j] = frozen[j] + 1.0 if best >= params.freeze else 0.0
                hole = sums[MU, last, j] > 12.0 and sums[X, last, j] == 0.0
                empty[j] = empty[j] + 1.0 if hole else 0.0
                hot = best >= params.freeze and frozen[j] <= params.frozen_bins
                still = hot or (hole and empty[j] <= params.frozen_bins)
                calm[j] = 0.0 if still and warm else calm[j] + 1.0
            output.expected[t, j] = mu[j] * louder[j]
            output.score[t, j] = best if seen and warm else np.nan
        _learn(start - guard * params.bin_s, (head - guard) % depth, state, params)
    return found


def scan(bins: KernelInput, params: Params, state: KernelState, output: KernelOutput) -> int:
    """Score and learn as `kernel_numpy.scan`, in compiled loops; compiles for some seconds the first time ever."""
    run: Callable[[KernelInput, Params, KernelState, KernelOutput], int] = _scan
    return run(bins, params, state, output)
