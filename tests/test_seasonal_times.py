"""Times of bins for the seasonal detector: what is worked out for many at once is what each bin alone says."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from detectors.seasonal.clock_changes import last_change
from detectors.seasonal.detector import SeasonalNB
from detectors.seasonal.layout import KernelParams
from detectors.seasonal.times import times_of
from detectors.validation import starts_of

BEGIN = int(pd.Timestamp("2026-03-01T00:00:00Z").timestamp())


@pytest.mark.parametrize("bin_s", [60, 300, 420, 900, 1800, 2400, 3600, 5400, 86400])
@pytest.mark.parametrize(("begin", "bins"), [(BEGIN, 2), (BEGIN + 1260, 700), (-86400 * 3 + 60, 700)])
def test_times_of_bins_are_those_of_each_bin_alone(bin_s: int, begin: int, bins: int) -> None:
    params = KernelParams.of(SeasonalNB(), bin_s, talk=False)
    starts = begin + bin_s * np.arange(bins)
    times, slot_s = times_of(starts, params), params.slot_s
    for at, start in enumerate(starts.tolist()):
        learned = (start - params.guard_bins * bin_s) // slot_s
        position = (start + bin_s / 2) / slot_s - 0.5
        expected = (
            start // 86400,
            start // slot_s,
            math.floor(position),
            position - math.floor(position),
            learned % params.day_slots,
            learned % params.week_slots,
            start // 7200,
            last_change(start // 86400) if params.hour_slots else 0,
        )
        assert tuple(values[at] for values in times) == expected


@pytest.mark.parametrize(("unit", "width"), [("s", "5min"), ("ms", "5min"), ("ns", "5min"), ("ms", "300500ms")])
@pytest.mark.parametrize("bins", [0, 1, 2, 9])
def test_starts_are_whole_seconds_whatever_the_unit(unit: str, width: str, bins: int) -> None:
    begin = pd.Timestamp("2026-03-01T00:00:00Z" if unit == "s" else "2026-03-01T00:00:00.25Z")
    index = pd.date_range(begin, periods=bins, freq=width, unit=unit)
    assert starts_of(index, 300).tolist() == [math.floor(moment.timestamp()) for moment in index]
