"""What `seasonal_nb` expects of a bin and how counts vary, and how both are learned: plain Python, a series at a time.

The baseline is a weekly profile times a level. The profile is the mean of each half-hour of the week, shrunk to that
half-hour of the day, shrunk to the overall mean, so that it is usable from the first hours of a new series and better
each week. The level is the ratio of observed to profile by two exponentially weighted means: the fast one follows a
day that is busier than its weekday, the slow one growth. The variance of a count of mean mu is clump * mu + alpha *
mu^2: people who report twice, and noise that all share (the sum of the first and second kind of negative binomial:
Cameron and Trivedi 1986, "Econometric models based on count data", section 3). All of these are learned from counts
cut at two standard deviations above what was expected: cut at more, a tenth of unusual bins would move the cut itself
(the breakdown point of winsorised estimates: Huber and Ronchetti 2009, "Robust statistics", section 1.4).

`row` is laid out as in `layout`; `k` is the place in it where a channel begins. Nothing in here and in `kernel` imports
or allocates, so that the plain and the compiled form do the same operations in the same order.
"""

from __future__ import annotations

import math

from detectors.seasonal.layout import (
    ALPHA,
    ASIDE,
    ASIDE_NEAR,
    ASIDE_NEXT,
    CHANNELS,
    CLUMP,
    FAST,
    KNOWN,
    NEAR,
    NOISE,
    RAISED,
    RATE,
    RATE_NEAR,
    RATE_NEXT,
    RINGS,
    SLOW,
    TOTAL,
    UNSURE,
    KernelParams,
    Row,
)

CUT = 2.0  # standard deviations above what is expected that a count is learned with at most
BASELINE_ERROR = 0.02  # relative variance of the expectation, whatever is known
# visits that the mean weighs: at least, at most, and how many counts a visit must have to stand for itself
LEAST_SHRUNK, MOST_SHRUNK, VISIT_COUNTS = 1.0, 4.0, 5.0
UNSEEN_S = 14 * 86400.0  # age until which there is room for days of the week not seen yet
VISITED = 0.7  # of a slot, from which its hour of the week was seen
TALK_PRIOR = 2.0  # mentions of evidence that more talk than usual needs


def error_weight(due: float) -> float:
    """Return what a squared error counts for: about the inverse of its variance."""
    return 1.0 / ((1.0 + 2.0 * due) * (1.0 + 0.1 * due) * (1.0 + 0.1 * due))


def refresh_slot(row: Row, p: KernelParams, k: int) -> None:
    """Refresh, at the first bin of a slot, what is taken as constant within it.

    Clump and alpha are the ridge regression of squared errors on mu and mu^2, the prior weighing as much as its number
    of bins; neither may be negative, the other then carries all.
    """
    n, w = k + NOISE, p.prior_bins
    age = row[k + TOTAL + 1]
    row[k + RATE] = (row[k + TOTAL] + 0.5) / (age + p.bin_s)
    # large counts say little of the clump each, and the prior as little
    usual = max(1.0, row[k + RATE] * p.bin_s)
    light = w * usual * error_weight(usual) / error_weight(1.0)
    a, b, c = row[n] + light, row[n + 1], row[n + 2] + w
    u, v = row[n + 3] + light * p.prior_excess, row[n + 4] + w * p.prior_dispersion
    det = a * c - b * b
    excess, alpha = (u * c - v * b) / det, (a * v - b * u) / det
    if alpha < 0.001:
        excess, alpha = (u - 0.001 * b) / a, 0.001
    if excess < 0.0:
        excess, alpha = 0.0, v / c
    row[k + CLUMP] = 1.0 + min(excess, 4.0)
    row[k + ALPHA] = min(max(alpha, 0.001), 1.0) + BASELINE_ERROR
    # what is younger than a day has told the profile all it tells the level: counting it twice would chase it
    known = age / (age + 86400.0)
    row[k + KNOWN] = known * known
    room = max(p.news, p.unseen * known * max(0.0, 1.0 - age / UNSEEN_S))
    row[k + UNSURE] = row[k + ALPHA] + room + 1.0 / (row[k + SLOW] + 1.0)


def shrink_weight(row: Row, p: KernelParams, k: int) -> float:
    """Return what the mean weighs, in seconds: as the noise of a visit (its own and that of few counts) to what slots
    differ by.
    """
    return p.slot_s * min(MOST_SHRUNK, LEAST_SHRUNK + VISIT_COUNTS / (row[k + RATE] * p.slot_s))


def slot_rate(row: Row, p: KernelParams, k: int, day_slot: int, week_slot: int, shrink: float) -> float:
    """Return the rate per second in a slot of the day and the week, shrunk to the day's, shrunk to the overall.

    An hour of the week that was not seen yet may have what that hour is sure to have had on another day.
    """
    day = k + RINGS + 3 * p.depth + 2 * day_slot
    week = k + RINGS + 3 * p.depth + 2 * p.day_slots + 2 * week_slot
    daily = (row[day] + shrink * row[k + RATE]) / (row[day + 1] + shrink)
    rate = (row[week] + shrink * daily) / (row[week + 1] + shrink)
    if row[week + 1] < VISITED * p.slot_s:
        for day in range(1, p.week_slots // p.day_slots):
            week = k + RINGS + 3 * p.depth + 2 * p.day_slots + 2 * ((week_slot + day * p.day_slots) % p.week_slots)
            if row[week + 1] >= VISITED * p.slot_s:
                rate = max(rate, (row[week] - math.sqrt(row[week])) / row[week + 1])
    return rate


def refresh_rates(row: Row, p: KernelParams, k: int, slot: int, kept: int) -> None:
    """Keep the rates of a slot and of the next at the place `kept` and behind it."""
    shrink, day_slot, week_slot = shrink_weight(row, p, k), slot % p.day_slots, slot % p.week_slots
    for place in (kept, kept + 1):
        row[place] = slot_rate(row, p, k, day_slot, week_slot, shrink)
        day_slot = day_slot + 1 if day_slot + 1 < p.day_slots else 0
        week_slot = week_slot + 1 if week_slot + 1 < p.week_slots else 0


def expect(row: Row, p: KernelParams, k: int, near: int, share: float, aside: int) -> float:
    """Return what the profile expects of a bin that lies `share` of a slot behind the middle of slot `near`.

    Keeps what it expects `aside` slots from there, if that is not 0.
    """
    if near != int(row[k + NEAR]) or aside != int(row[k + ASIDE]):
        row[k + NEAR] = float(near)
        row[k + ASIDE] = float(aside)
        refresh_rates(row, p, k, near, k + RATE_NEAR)
        if aside != 0:
            refresh_rates(row, p, k, near + aside, k + ASIDE_NEAR)
    return ((1.0 - share) * row[k + RATE_NEAR] + share * row[k + RATE_NEXT]) * p.bin_s


def expect_aside(row: Row, p: KernelParams, k: int, share: float) -> float:
    """Return what the profile expects of the bin `expect` was last called for, as many slots aside as it was told."""
    return ((1.0 - share) * row[k + ASIDE_NEAR] + share * row[k + ASIDE_NEXT]) * p.bin_s


def begin_to_judge(row: Row, p: KernelParams, head: int) -> None:
    """Expect of the bins before the first that is judged what is expected now: then next to nothing was known."""
    k = CHANNELS
    row[RAISED] = 0.0
    for _ in range(p.channels):
        due, shape = row[k + RINGS + p.depth + head], row[k + RINGS + 2 * p.depth + head]
        for at in range(p.depth):
            if row[k + RINGS + p.depth + at] > 0.0:
                row[k + RINGS + p.depth + at] = due
                row[k + RINGS + 2 * p.depth + at] = shape
        k += p.channel_width


def level_of(row: Row, k: int) -> float:
    """Return the level: the fast ratio of observed to profile, held near the slow one."""
    slow = min(max((row[k + SLOW] + 2.0) / (row[k + SLOW + 1] + 2.0), 0.3), 5.0)
    fast = (row[k + FAST] + 2.0 * slow) / (row[k + FAST + 1] + 2.0)
    return min(max(fast, 0.6 * slow), 1.7 * slow)


def louder(p: KernelParams, talked: float, due: float) -> float:
    """Return what the expectation is multiplied by for the talk of a window."""
    return 1.0 + p.talk_weight * max(0.0, (talked + TALK_PRIOR) / (due + TALK_PRIOR) - 1.0)


def learn(row: Row, p: KernelParams, k: int, at: int, day_slot: int, week_slot: int) -> None:
    """Take in the bin at `at` of the rings: old enough for an onset after it to have shown."""
    due = row[k + RINGS + p.depth + at]
    if due <= 0.0:
        return
    x, shape = row[k + RINGS + at], row[k + RINGS + 2 * p.depth + at]
    warm = row[k + TOTAL + 1] >= p.warm_up_s
    if warm:  # of what is not cut, too: a square root costs less than a guess of the processor that was wrong
        x = min(x, due + CUT * math.sqrt(row[k + CLUMP] * due + row[k + ALPHA] * due * due) + 2.0)
    day = k + RINGS + 3 * p.depth + 2 * day_slot
    week = k + RINGS + 3 * p.depth + 2 * p.day_slots + 2 * week_slot
    row[day] = row[day] * p.keep_profile_day + x
    row[day + 1] = row[day + 1] * p.keep_profile_day + p.bin_s
    row[week] = row[week] * p.keep_profile_week + x
    row[week + 1] = row[week + 1] * p.keep_profile_week + p.bin_s
    row[k + TOTAL] = row[k + TOTAL] * p.keep_total + x
    row[k + TOTAL + 1] = row[k + TOTAL + 1] * p.keep_total + p.bin_s
    row[k + FAST] = row[k + FAST] * p.keep_fast + x
    row[k + FAST + 1] = row[k + FAST + 1] * p.keep_fast + shape
    row[k + SLOW] = row[k + SLOW] * p.keep_slow + x
    row[k + SLOW + 1] = row[k + SLOW + 1] * p.keep_slow + shape
    if not warm:  # what is not known yet errs, and says nothing of how counts vary
        return
    off, n = x - due, k + NOISE
    error = off * off - due
    weight = error_weight(due)
    row[n] = row[n] * p.keep_noise + due * weight
    row[n + 1] = row[n + 1] * p.keep_noise + due * due * weight
    row[n + 2] = row[n + 2] * p.keep_noise + due * due * due * weight
    row[n + 3] = row[n + 3] * p.keep_noise + error * weight
    row[n + 4] = row[n + 4] * p.keep_noise + error * due * weight
