"""`scan` in loops, compiled by numba: the same operations in the same order, for histories and for many series.

One pass over the bins, and inside it over the series, so that a bin's share of the state is read in one streak
whether there is one series or thirty thousand. The compiled code is cached beside this file.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

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

compiled = numba.njit(cache=True, error_model="numpy", nogil=True)


@compiled
def _turn_day(day, daily, today, days, burst, clock, p):  # type: ignore[no-untyped-def]
    clock[DAY] = day
    for j in range(today.shape[0]):
        if today[j] >= 0:
            daily[int(days[j]) % DAYS_KEPT, j] = today[j]
            days[j] += 1
            today[j] = -1.0
            kept = min(int(days[j]), DAYS_KEPT)
            if kept >= 3:
                ordered = np.sort(daily[:kept, j])
                middle = 0.5 * (ordered[(kept - 1) // 2] + ordered[kept // 2])
                burst[j] = max(1.0, middle / p[BURST])


@compiled
def _add_up(ring, sums, windows, head):  # type: ignore[no-untyped-def]
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
def _turn_slot(means, noise, slowly, p):  # type: ignore[no-untyped-def]
    """Work out what changes slowly, as `scan.variance` and `scan.turn_slot`."""
    prior = p[NOISE_PRIOR]
    for j in range(means.shape[2]):
        a, b, c = noise[0, j] + prior, noise[1, j], noise[2, j] + prior
        u, v = noise[3, j] + prior * p[PRIOR_CLUMP], noise[4, j] + prior * p[PRIOR_ALPHA]
        det = a * c - b * b
        extra, shared = (u * c - v * b) / det, (a * v - b * u) / det
        if shared < 0.001:
            extra = (u - 0.001 * b) / a
            shared = 0.001
        if extra < 0:
            shared = v / c
            extra = 0.0
        slowly[CLUMP, j] = 1.0 + min(extra, 4.0)
        slowly[ALPHA, j] = min(max(shared, 0.001), 1.0) + p[BASELINE_ERROR]
        age = means[1, OVERALL, j] / 43200.0
        slowly[UNSURE, j] = slowly[ALPHA, j] + p[NEWS] + 1.0 / (means[0, SLOW, j] + 1.0) + p[NEW] / (1.0 + age * age)
        known = means[1, OVERALL, j] / (means[1, OVERALL, j] + 86400.0)
        slowly[KNOWN, j] = known * known
        slowly[RATE, j] = (means[0, OVERALL, j] + 0.5) / (means[1, OVERALL, j] + p[BIN])


@compiled
def _expect(start, week, day, means, slowly, p, shape, mu):  # type: ignore[no-untyped-def]
    """Baseline of the bin, as `scan.baseline`."""
    position = (start + p[BIN] / 2) / p[SLOT] - 0.5
    low = math.floor(position)
    share = position - low
    slots, hours = week.shape[1], day.shape[1]
    a, b, da, db = low % slots, (low + 1) % slots, low % hours, (low + 1) % hours
    k = p[SHRINK]
    for j in range(mu.shape[0]):
        rate = slowly[RATE, j]
        one = (week[0, a, j] + k * (day[0, da, j] + k * rate) / (day[1, da, j] + k)) / (week[1, a, j] + k)
        two = (week[0, b, j] + k * (day[0, db, j] + k * rate) / (day[1, db, j] + k)) / (week[1, b, j] + k)
        shape[j] = ((1 - share) * one + share * two) * p[BIN]
        slow = min(max((means[0, SLOW, j] + 2.0) / (means[1, SLOW, j] + 2.0), 0.3), 5.0)
        fast = (means[0, FAST, j] + 2.0 * slow) / (means[1, FAST, j] + 2.0)
        level = min(max(fast, 0.6 * slow), 1.7 * slow)
        mu[j] = shape[j] * (1.0 + slowly[KNOWN, j] * (level - 1.0))


@compiled
def _learn(start, place, ring, week, day, means, noise, slowly, p, calm):  # type: ignore[no-untyped-def]
    n, m, guard = calm.shape[0], ring.shape[2], p[GUARD]
    slot = start // int(p[SLOT])
    w, d = slot % week.shape[1], slot % day.shape[1]
    for j in range(m):
        u = ring[MU, place, j]
        if u > 0 and calm[j if j < n else j - n] > guard:
            shape = ring[SHAPE, place, j]
            warm = means[1, OVERALL, j] >= p[WARM_UP_S]
            x = ring[X, place, j]
            if warm:
                x = min(x, u + 3.5 * math.sqrt(slowly[CLUMP, j] * u + slowly[ALPHA, j] * u * u) + 2.0)
            week[0, w, j] = week[0, w, j] * p[KEEP_WEEK] + x
            week[1, w, j] = week[1, w, j] * p[KEEP_WEEK] + p[BIN]
            day[0, d, j] = day[0, d, j] * p[KEEP_DAY] + x
            day[1, d, j] = day[1, d, j] * p[KEEP_DAY] + p[BIN]
            means[0, OVERALL, j] = means[0, OVERALL, j] * p[KEEP_OVERALL] + x
            means[1, OVERALL, j] = means[1, OVERALL, j] * p[KEEP_OVERALL] + p[BIN]
            means[0, FAST, j] = means[0, FAST, j] * p[KEEP_FAST] + x
            means[1, FAST, j] = means[1, FAST, j] * p[KEEP_FAST] + shape
            means[0, SLOW, j] = means[0, SLOW, j] * p[KEEP_SLOW] + x
            means[1, SLOW, j] = means[1, SLOW, j] * p[KEEP_SLOW] + shape
            if not warm:  # what is not known yet errs, and says nothing of how counts vary
                continue
            off = x - u
            q = 1.0 / ((1.0 + 2.0 * u) * (1.0 + 0.1 * u) * (1.0 + 0.1 * u))
            error = off * off - u
            noise[0, j] = noise[0, j] * p[KEEP_NOISE] + u * q
            noise[1, j] = noise[1, j] * p[KEEP_NOISE] + u * u * q
            noise[2, j] = noise[2, j] * p[KEEP_NOISE] + u * u * u * q
            noise[3, j] = noise[3, j] * p[KEEP_NOISE] + error * q
            noise[4, j] = noise[4, j] * p[KEEP_NOISE] + error * u * q


@compiled
def _scan(  # type: ignore[no-untyped-def]
    starts,
    counts,
    other,
    p,
    windows,
    week,
    day,
    means,
    noise,
    slowly,
    ring,
    sums,
    frozen,
    calm,
    empty,
    daily,
    today,
    days,
    burst,
    clock,
    out,
    turns,
    hits,
):
    n, m, depth, guard = counts.shape[1], ring.shape[2], ring.shape[1], int(p[GUARD])
    talk, last = m > n, len(windows) - 1
    shape, mu, now, due = np.empty(m), np.empty(m), np.empty(m), np.empty(m)
    enough, hopeful, louder = np.empty(n), np.empty(n), np.empty(n)
    found, turn = 0, -1
    for t in range(len(starts)):
        start = starts[t]
        if start // 86400 != clock[DAY]:
            _turn_day(start // 86400, daily, today, days, burst, clock, p)
        slot = start // int(p[SLOT])
        if slot != clock[TURN]:
            clock[TURN] = slot
            _turn_slot(means, noise, slowly, p)
        _expect(start, week, day, means, slowly, p, shape, mu)
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
            _add_up(ring, sums, windows, head)
        if t == 0 or slot != starts[t - 1] // int(p[SLOT]):
            turn += 1
            for j in range(n):
                turns[turn, 0, j], turns[turn, 1, j], turns[turn, 2, j] = slowly[UNSURE, j], slowly[CLUMP, j], burst[j]
        # most series have no window that could pass: they are found without a branch, and their windows left alone
        for j in range(n):
            enough[j], hopeful[j] = p[MIN_COUNT] * (1.0 + p[REPEATS] * (slowly[CLUMP, j] - 1.0)), 0.0
        for k in range(len(windows)):
            for j in range(n):
                passes = (sums[X, k, j] >= enough[j]) & (sums[X, k, j] >= p[MIN_RATIO] * sums[MU, k, j])
                hopeful[j] = 1.0 if passes else hopeful[j]
        for j in range(n):
            louder[j] = 1.0
            if talk:
                more = (sums[X, 0, n + j] + p[TALK_PRIOR]) / (max(sums[MU, 0, n + j], 0.0) + p[TALK_PRIOR])
                louder[j] = 1.0 + p[TALK_WEIGHT] * max(0.0, more - 1.0)
        for j in range(n):
            seen = not math.isnan(counts[t, j])
            total, clump, best = slowly[UNSURE, j], slowly[CLUMP, j], 0.0
            for k in range(len(windows) if seen and hopeful[j] > 0 else 0):
                M, some = max(sums[MU, k, j], 1e-9), sums[X, k, j]
                if talk:
                    more = (sums[X, k, n + j] + p[TALK_PRIOR]) / (max(sums[MU, k, n + j], 0.0) + p[TALK_PRIOR])
                    M = M * (1.0 + p[TALK_WEIGHT] * max(0.0, more - 1.0))
                if some >= enough[j] and some >= p[MIN_RATIO] * M:
                    bins = sums[SEEN, k, j] - 1.0
                    size = (1.0 + bins / (1.0 + p[SHARED] * bins)) / total
                    r = size * clump
                    inner = some / M * ((M + r) / (some + r))
                    ratio = (some * math.log(inner) - r * math.log((some + r) / (M + r))) / clump - p[PENALTY]
                    if ratio > best:
                        best = ratio
                        hits[found, 1], hits[found, 2], hits[found, 3] = some, M, size
            if best > 0:
                hits[found, 0] = t * n + j
                found += 1
            warm = means[1, OVERALL, j] >= p[WARM_UP_S]
            if seen:
                today[j] = max(today[j], best) if warm else today[j]
                best = best / burst[j]
                frozen[j] = frozen[j] + 1.0 if best >= p[FREEZE] else 0.0
                hole = sums[MU, last, j] > 12.0 and sums[X, last, j] == 0.0
                empty[j] = empty[j] + 1.0 if hole else 0.0
                still = (best >= p[FREEZE] and frozen[j] <= p[FROZEN_BINS]) or (hole and empty[j] <= p[FROZEN_BINS])
                calm[j] = 0.0 if still and warm else calm[j] + 1.0
            out[0, t, j] = mu[j] * louder[j]
            out[1, t, j] = best if seen and warm else np.nan
        _learn(start - guard * int(p[BIN]), (head - guard) % depth, ring, week, day, means, noise, slowly, p, calm)
    return found


def scan(
    starts: Any, counts: Any, other: Any, p: Any, windows: Any, memory: Memory, out: Any, turns: Any, hits: Any
) -> int:
    """Judge and learn as `scan.scan`, in compiled loops; compiles for some seconds the first time ever."""
    run: Callable[..., int] = _scan
    return run(starts, counts, other, p, windows, *memory.arrays().values(), out, turns, hits)
