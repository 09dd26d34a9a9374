"""From bins above a threshold to intervals: onset, peak and end of what happened, with hysteresis.

An interval opens at an alarm and closes when the score has stayed below half the threshold for a quiet time. A gap
neither opens nor closes. The onset is estimated: the start of the run of bins that best explains the alarm, by the
Poisson likelihood of a change (Page 1954, "Continuous inspection schemes", section 2, run backwards from the alarm).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.base import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Bin numbers of an interval; `end` is None while it lasts. `last` is the last bin above half the threshold."""

    onset: int
    alarmed: int
    peak: int
    last: int
    end: int | None
    score: float


def find_events(
    observed: Floats, expected: Floats, score: Floats, *, alarm: float, quiet_bins: int, look_back: int
) -> list[Event]:
    """Return the intervals of one series, oldest first; arrays of one length, NaN = gap.

    `quiet_bins` bins observed below alarm/2 close an interval; its end is then the bin after the last hot one.
    `look_back` bounds how many bins before the alarm the onset may lie.
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
        end = onset + int(above[-1]) if len(above) else last
        found.append(
            Event(
                onset=onset, alarmed=alarmed, peak=onset + int(excess.argmax()), last=last,
                end=end + 1 if closed else None, score=float(np.nanmax(score[alarmed : last + 1])),
            )
        )  # fmt: skip
        position = cursor
    return found


def _onset(observed: Floats, expected: Floats, alarmed: int, floor: int) -> int:
    """Return the bin from which the counts up to the alarm are best explained by a change."""
    x = np.nan_to_num(observed[floor : alarmed + 1])[::-1]
    m = np.nan_to_num(np.where(np.isnan(observed[floor : alarmed + 1]), 0.0, expected[floor : alarmed + 1]))[::-1]
    total, mean = np.cumsum(x), np.maximum(np.cumsum(m), 1e-9)
    gain = np.where(total > mean, total * np.log(np.maximum(total, 1e-9) / mean) - (total - mean), 0.0)
    return alarmed - int(gain.argmax())
