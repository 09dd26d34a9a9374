"""What the kernel of `seasonal_nb` reads and writes: parameters in the units of its bins, and a row of floats a series.

A row is all that is remembered of a series: its own figures first, then a block for its counts and, with mentions, an
equal block for the rest of the talk.
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from detectors.contract import Floats
from detectors.seasonal.parameters import SeasonalParameters

HORIZONS_S = (60, 120, 180, 300, 600, 900, 1800, 3600)
DAYS_KEPT = 14
MOST_BINS = 1e6  # counted: what no longer changes need not be written
BLOCK_S = 2 * 3600
BLOCKS_KEPT = 7
GUARD_S = 900
SHORT_S = 6 * 3600  # for so long at least nothing is learned from an outage
HALF_HOUR = 1800
ASSUMED_VISITS, ASSUMED_LEVEL = 3.0, 20.0  # days of an hour, and counts of a level, that an assumption weighs
# half-lives of wide bins are at least so many bins
FAST_BINS, SLOW_BINS, PROFILE_BINS = 7.0, 14.0, 56.0

# Figures of a series. HEAD: place in the rings. SLOT, DAY: numbers of those the last bin lay in. FROZEN: bins learning
# has been stopped for. CALM: bins since it last was, up to MOST_BINS. EMPTY: bins without one report where many were
# due. TODAY: largest score of the day, -1 = not observed; DAYS: how many days were; BURST: what scores are divided by;
# DAILY: the largest scores of the last days. BLOCK: number of the block the last bin was added to; BLOCKS: how many
# there are since it got hot or calm; BLOCK_X, BLOCK_MU: counts and expectations of the last ones. RISE: factor the
# profile was lifted by a while ago, 1 = it was not. HOUR_X: counts of the last hour. COOL: bins running that it was not
# high, up to MOST_BINS. RAISED: minus a bound on by how much any window that ends at the last bin exceeds the least
# ratio, 0 or more = not known. SHIFT: slots the profile was moved by when clocks changed. CHANGE: the day of the last
# change, as a run has it; MOVED: evidence since that the profile has to be moved for it; EDGES: how much there is of
# it, -1 = decided. Three places between HOUR_X and COOL are no longer used.
(
    HEAD,
    SLOT,
    DAY,
    FROZEN,
    CALM,
    EMPTY,
    TODAY,
    DAYS,
    BURST,
    BLOCK,
    BLOCKS,
    RISE,
    HOUR_X,
    _,
    _,
    _,
    COOL,
    RAISED,
    SHIFT,
    CHANGE,
    MOVED,
    EDGES,
) = range(22)
DAILY = 22
BLOCK_X = DAILY + DAYS_KEPT
BLOCK_MU = BLOCK_X + BLOCKS_KEPT
CHANNELS = BLOCK_MU + BLOCKS_KEPT

# Figures of a channel, from its first place on. TOTAL, FAST, SLOW: decayed counts, each followed by what they are
# divided by: seconds of exposure, and what the profile expects, for the levels. NOISE: five sums of the regression for
# clump and alpha. CLUMP, ALPHA, UNSURE, KNOWN, RATE: refreshed once a slot. NEAR: number of the slot interpolated from;
# RATE_NEAR, RATE_NEXT: rates of the profile there and in the next; ASIDE: by how many slots it may have moved, and
# ASIDE_NEAR, ASIDE_NEXT: its rates there. Behind them rings of counts, expectations (0 = not observed) and the profile,
# then counts and seconds of each slot of the day, then of the week.
(
    TOTAL,
    FAST,
    SLOW,
    NOISE,
    CLUMP,
    ALPHA,
    UNSURE,
    KNOWN,
    RATE,
    NEAR,
    RATE_NEAR,
    RATE_NEXT,
    ASIDE,
    ASIDE_NEAR,
    ASIDE_NEXT,
    RINGS,
) = (
    0,
    2,
    4,
    6,
    11,
    12,
    13,
    14,
    15,
    16,
    17,
    18,
    19,
    20,
    21,
    22,
)


Row = MutableSequence[float]
Rows = Sequence[Row]


class BinTimes(NamedTuple):
    """What the time of each bin says, the same for every series.

    days, slots, blocks: numbers of those it lies in, since the epoch. near: number of the slot that is interpolated
    from; shares: how far behind the middle of that it lies, in slots. learned_day_slots, learned_week_slots: slots of
    the day and of the week that are learned into. changes: `last_change` of clocks.
    """

    days: Sequence[int]
    slots: Sequence[int]
    near: Sequence[int]
    shares: Sequence[float]
    learned_day_slots: Sequence[int]
    learned_week_slots: Sequence[int]
    blocks: Sequence[int]
    changes: Sequence[int]


class KernelInput(NamedTuple):
    """Bins in order. counts, other: (series, bins) counts and the rest of the talk, NaN = not observed; other is not
    read where there is no talk channel.
    """

    times: BinTimes
    counts: Sequence[Sequence[float]]
    other: Sequence[Sequence[float]]


class KernelOutput(NamedTuple):
    """Places that the kernel fills.

    expected, score: (series, bins), score NaN = unknown. slot_params: (slots met, series, 3) dispersion, clump and
    burst, which change with the slot of the profile only. best_windows: (series * bins, 4) place (series * number of
    bins + bin), sum, expectation and size of the best window wherever a score is above 0. reshaped: (series,) 1 where
    all of the profile or the rings was changed, else as it was.
    """

    expected: Rows
    score: Rows
    slot_params: Sequence[Rows]
    best_windows: Rows
    reshaped: Row


class KernelParams(NamedTuple):
    """The detector's parameters in the units of its bins.

    *_s: seconds; *_slots, *_bins: so many; keep_*: share of a sum that is left after a bin (after a visit, of the
    profile's slots). hour_slots: slots an hour, 0 where they do not divide it. depth: length of the rings;
    channel_width: floats a channel. penalty: nats taken off every ratio.
    """

    bin_s: int
    slot_s: int
    week_slots: int
    day_slots: int
    hour_slots: int
    depth: int
    hour_bins: int
    guard_bins: int
    channels: int
    channel_width: int
    keep_profile_week: float
    keep_profile_day: float
    keep_total: float
    keep_fast: float
    keep_slow: float
    keep_noise: float
    warm_up_s: float
    freeze: float
    short_bins: float
    defend_bins: float
    min_ratio: float
    min_count: float
    repeats: float
    talk_weight: float
    usual_maximum: float
    prior_excess: float
    prior_dispersion: float
    prior_bins: float
    news: float
    unseen: float
    penalty: float

    @classmethod
    @lru_cache(maxsize=16)  # a few kinds of series
    def of(cls, detector: SeasonalParameters, bin_s: int, *, talk: bool) -> Self:
        """Return the parameters for bins of `bin_s` seconds, with or without a talk channel."""
        slot = max(HALF_HOUR, bin_s)
        week, day = 604800 // slot, max(1, 86400 // slot)
        hour = int(windows_of(bin_s).max())
        guard = GUARD_S // bin_s
        depth = max(hour, guard + 1) + 1
        visits = max(1.0, slot / bin_s)  # a slot is visited once a week (or day), for so many bins
        prior = detector.prior(talk=talk)
        wide = bin_s / 86400

        def keep(half_life: float, days: float, least: float = 0.0) -> float:
            return float(0.5 ** (days / max(half_life, least * wide)))

        return cls(
            bin_s=bin_s,
            slot_s=slot,
            week_slots=week,
            day_slots=day,
            hour_slots=0 if 3600 % slot else 3600 // slot,
            depth=depth,
            hour_bins=hour,
            guard_bins=guard,
            channels=2 if talk else 1,
            channel_width=RINGS + 3 * depth + 2 * (day + week),
            keep_profile_week=keep(detector.profile_half_life, 7.0 / visits, PROFILE_BINS),
            keep_profile_day=keep(detector.profile_half_life, 1.0 / visits, PROFILE_BINS),
            keep_total=keep(detector.profile_half_life, wide, PROFILE_BINS),
            keep_fast=keep(detector.fast_half_life, wide, FAST_BINS),
            keep_slow=keep(detector.slow_half_life, wide, SLOW_BINS),
            keep_noise=keep(detector.noise_half_life, wide, PROFILE_BINS),
            warm_up_s=max(3600.0, 4.0 * bin_s) * 0.999,
            freeze=prior.freeze,
            short_bins=float(SHORT_S / bin_s),
            defend_bins=float(detector.defend_days * 86400 / bin_s),
            min_ratio=float(detector.min_ratio),
            min_count=float(detector.min_count),
            repeats=float(detector.repeats),
            talk_weight=float(detector.talk_weight),
            usual_maximum=prior.usual_maximum,
            prior_excess=prior.excess,
            prior_dispersion=prior.dispersion,
            prior_bins=prior.bins,
            news=prior.news,
            unseen=prior.unseen,
            # the threshold means as many false alarms a week in narrower bins, which are tested more often
            penalty=max(0.0, float(np.log(300 / bin_s))) + prior.margin,
        )


def windows_of(bin_s: int) -> npt.NDArray[np.int64]:
    """Return the window lengths in bins: one minute to one hour, or one and two bins where an hour is less."""
    lengths = {max(1, horizon // bin_s) for horizon in HORIZONS_S} if bin_s < 3600 else {1, 2}
    return np.array(sorted(lengths), dtype=np.int64)


def row_length(params: KernelParams) -> int:
    """Return how many floats a row holds."""
    return CHANNELS + params.channels * params.channel_width


def fill_blank(rows: Floats, params: KernelParams) -> None:
    """Fill rows of zeros, shape (series, floats a row), with what is true of series that nothing is known of."""
    rows[:, [SLOT, DAY, TODAY, BLOCK]] = -1.0
    rows[:, [BURST, RISE]] = 1.0
    rows[:, [CALM, COOL]] = MOST_BINS
    rows[:, [CHANNELS + channel * params.channel_width + NEAR for channel in range(params.channels)]] = -1e18


def exposure_places(params: KernelParams) -> npt.NDArray[np.int64]:
    """Return the places in a row that hold seconds of exposure of the profile, which no count is needed for."""
    cells = RINGS + 3 * params.depth + 1 + 2 * np.arange(params.day_slots + params.week_slots)
    own = np.concatenate(([TOTAL + 1], cells))
    return np.concatenate([CHANNELS + channel * params.channel_width + own for channel in range(params.channels)])


def assumed_cells(row: Row, params: KernelParams, starts: Sequence[int], counts: Sequence[float]) -> None:
    """Fill the row of a series of which nothing is known as if counts of those bins had been its mean for a day.

    Each hour of the day that is told weighs as much as `ASSUMED_VISITS` days of it.
    """
    cells = CHANNELS + RINGS + 3 * params.depth
    weight = ASSUMED_VISITS * params.bin_s
    for start, count in zip(starts, counts, strict=True):
        at = cells + 2 * (start // params.slot_s % params.day_slots)
        row[at] += count * ASSUMED_VISITS
        row[at + 1] += weight
    row[CHANNELS + TOTAL] = sum(counts) / len(counts) * 86400.0 / params.bin_s
    row[CHANNELS + TOTAL + 1] = 86400.0
    for level in (CHANNELS + FAST, CHANNELS + SLOW):
        row[level] = row[level + 1] = min(ASSUMED_LEVEL, row[CHANNELS + TOTAL])
