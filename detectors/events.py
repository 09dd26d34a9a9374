"""From bins above a threshold to intervals: onset, peak and end of what happened, with hysteresis.

An interval opens at an alarm and closes when the score has stayed below half the threshold for a quiet time. A gap
neither opens nor closes. The onset is estimated: the start of the run of bins that best explains the alarm, by the
Poisson likelihood of a change (Page 1954, "Continuous inspection schemes", section 2, run backwards from the alarm).
So is the end: complaints trail an outage by an hour and more, fading as fewer and fewer hear of it, and what is looked
for is the last bin in which the excess held half of its largest of the past hour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from detectors.contract import Floats

HELD = 0.5  # of the past hour's largest excess: less than that is complaints fading, not the outage going on


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Bin numbers of an interval.

    end: the bin after the last in which the thing was broken, an estimate; quiet: the one after the last in which
    complaints were above what is usual; both None while it lasts. last: the last bin above half the threshold.
    """

    onset: int
    alarmed: int
    peak: int
    last: int
    end: int | None
    quiet: int | None
    score: float


def find_events(
    observed: Floats, expected: Floats, score: Floats, *, alarm: float, quiet_bins: int, look_back: int
) -> list[Event]:
    """Return the intervals of one series, oldest first; arrays of one length, NaN = gap.

    `quiet_bins` bins observed below alarm/2 close an interval.
    `look_back` bounds how many bins before the alarm the onset may lie, and is the hour the end is estimated by.
    """
    found: list[Event] = []
    hot = np.nan_to_num(score) >= alarm
    warm = np.nan_to_num(score) >= alarm / 2
    seen = ~np.isnan(observed)
    position, n = 0, len(observed)
    while position < n:
        ahead = np.flatnonzero(hot[position:])
        if not len(ahead):
            break
        alarmed = position + int(ahead[0])
        last, quiet, cursor = alarmed, 0, alarmed + 1
        while cursor < n and quiet < quiet_bins:
            if warm[cursor]:
                last, quiet = cursor, 0
            elif seen[cursor]:
                quiet += 1
            cursor += 1
        closed = quiet >= quiet_bins
        floor = found[-1].last + 1 if found else 0
        onset = _onset(observed, expected, alarmed, max(floor, alarmed - look_back))
        inside = slice(onset, last + 1)
        excess = np.nan_to_num(observed[inside] - expected[inside], nan=-np.inf)
        # the scan's windows remember: the end is the last bin that was itself above expectation
        above = np.flatnonzero(np.nan_to_num(observed[inside]) > np.maximum(expected[inside] * 1.5, 0.5))
        over = onset + int(above[-1]) if len(above) else last
        peak = onset + int(excess.argmax())
        found.append(
            Event(
                onset=onset,
                alarmed=alarmed,
                peak=peak,
                last=last,
                quiet=over + 1 if closed else None,
                end=_end(observed, expected, onset, peak, over, look_back) + 1 if closed else None,
                score=float(np.nanmax(score[alarmed : last + 1])),
            )
        )
        position = cursor
    return found


def _onset(observed: Floats, expected: Floats, alarmed: int, floor: int) -> int:
    """Return the bin from which the counts up to the alarm are best explained by a change."""
    x = np.nan_to_num(observed[floor : alarmed + 1])[::-1]
    m = np.nan_to_num(np.where(np.isnan(observed[floor : alarmed + 1]), 0.0, expected[floor : alarmed + 1]))[::-1]
    total, mean = np.cumsum(x), np.maximum(np.cumsum(m), 1e-9)
    gain = np.where(total > mean, total * np.log(np.maximum(total, 1e-9) / mean) - (total - mean), 0.0)
    return alarmed - int(gain.argmax())


def _end(observed: Floats, expected: Floats, onset: int, peak: int, over: int, hour: int) -> int:
    """Return the last bin of the outage: the last in which the excess held half of its largest of the past hour.

    Where complaints only fade, what is left is a small part of what was an hour before. Sums of three bins are
    compared; what is below a twentieth of the peak is no longer the outage, whatever it does.
    """
    excess = np.nan_to_num(np.maximum(observed[onset : over + 1] - expected[onset : over + 1], 0.0))
    total = np.cumsum(np.concatenate(([0.0], excess)))
    place = np.arange(len(excess))
    held = total[np.minimum(place + 2, len(excess))] - total[np.maximum(place - 1, 0)]
    before = sliding_window_view(np.concatenate((np.full(hour, -np.inf), held)), hour + 1).max(axis=1)
    strong = np.flatnonzero((held >= HELD * before) & (held >= held.max() / 20))
    return max(peak, onset + int(strong[-1])) if len(strong) else over
