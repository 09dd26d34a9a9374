"""What every detector checks of the counts it is given, and how it names itself and its levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from detectors.contract import BinnedCounts, Floats, LateBinError, Levels

if TYPE_CHECKING:
    import pandas as pd
    from _typeshed import DataclassInstance

LARGEST = float(2**53)


def bin_seconds(index: pd.DatetimeIndex, known: int = 0) -> int:
    """Return the bin width; raises ValueError unless bins are equal, in order, in UTC and 1 minute to 1 day wide.

    One bin alone has the width its index says (`freq`), or the one `known`.
    """
    import pandas as pd

    if not isinstance(index, pd.DatetimeIndex) or str(index.tz) not in ("UTC", "UTC+00:00"):
        raise ValueError("counts need a DatetimeIndex of bin starts in UTC")
    if known and len(index) == 1:
        return known
    if index.freq is not None:
        width = pd.Timedelta(cast(pd.offsets.Tick, index.freq)).total_seconds()
    elif len(index) < 2:
        raise ValueError("one bin has no width; give its index a freq, as in pd.date_range(..., freq='15min')")
    else:
        width = float(_equal_step(index.as_unit("s").asi8))
    return supported_width(width)


def _equal_step(starts: npt.NDArray[np.int64]) -> int:
    """Return the seconds between starts; raises ValueError unless they are in order and equally far apart."""
    steps = np.diff(starts)
    if steps.min() <= 0:
        raise ValueError("bins must be in order and come once")
    if (steps != steps[0]).any():
        raise ValueError("bins are not equally wide; put absent bins in as NaN")
    return int(steps[0])


def supported_width(width: float) -> int:
    """Return a bin width in whole seconds; raises ValueError unless it is 1 minute to 1 day."""
    if not 60 <= width <= 86400:
        raise ValueError(f"bins of {width:g} s: from 1 minute to 1 day is supported")
    return int(width)


def validate_bins(bins: BinnedCounts, bin_s: int, series: int) -> BinnedCounts:
    """Return bins as they are; raises ValueError as `validate_values`, and on another width or number of series."""
    if len(bins.starts) > 1 and _equal_step(bins.starts) != bin_s:
        raise ValueError(f"bins are not {bin_s} s wide")
    if bins.counts.shape != (len(bins.starts), series):
        raise ValueError(f"one count for each of the {series} series is needed")
    validate_values(bins.counts)
    if bins.mentions is not None:
        if bins.mentions.shape != bins.counts.shape:
            raise ValueError("mentions must have the shape of counts")
        validate_values(bins.mentions)
    return bins


def starts_of(index: pd.DatetimeIndex, bin_s: int) -> npt.NDArray[np.int64]:
    """Return the starts of equal bins of `bin_s` seconds, of whatever unit, in whole seconds of the epoch."""
    ends = [int(end.as_unit("s").asi8[0]) for end in (index[:1], index[-1:]) if len(end)]
    if not ends or ends[1] - ends[0] != (len(index) - 1) * bin_s:  # of bins with parts of a second, too
        return index.as_unit("s").asi8
    return np.arange(ends[0], ends[1] + bin_s, bin_s)  # takes a tenth of dividing each


def index_of(starts: npt.NDArray[np.int64], bin_s: int) -> pd.DatetimeIndex:
    """Return starts of equal bins, seconds of the epoch, as the index of a frame."""
    import pandas as pd

    return pd.DatetimeIndex(starts.astype("datetime64[s]"), tz="UTC", freq=f"{bin_s}s")


def divides_a_day(bin_s: int) -> None:
    """Raise ValueError unless a day is a whole number of bins, without which an hour of the day is no bin of it."""
    if 86400 % bin_s:
        raise ValueError(f"bins of {bin_s} s: a day is no whole number of them")


def utc_index(counts: pd.DataFrame) -> pd.DatetimeIndex:
    """Return the frame's index; raises ValueError unless it is one of times."""
    import pandas as pd

    if not isinstance(counts.index, pd.DatetimeIndex):
        raise ValueError("counts need a DatetimeIndex of bin starts in UTC")
    return counts.index


def validate_counts(counts: pd.DataFrame, like: pd.DataFrame | None = None) -> Floats:
    """Return the values of a frame as floats, shape (bins, series).

    Raises ValueError on negative or infinite values and on values above 2**53, and unless index and columns are those
    of `like`, where it is given.
    """
    if like is not None and (not counts.columns.equals(like.columns) or not counts.index.equals(like.index)):
        raise ValueError("mentions must have the index and the columns of counts")
    return validate_values(counts.to_numpy(dtype=np.float64))


def validate_values(values: Floats) -> Floats:
    """Return the values; raises ValueError on negative or infinite ones and on those above 2**53. NaN is a gap."""
    low, high = (
        (float(np.fmin.reduce(values, None)), float(np.fmax.reduce(values, None))) if values.size else (0.0, 0.0)
    )
    if low < 0 or high == np.inf:
        raise ValueError("counts must be finite and not negative; use NaN for what was not observed")
    if high > LARGEST:
        raise ValueError("counts beyond 2**53 cannot be told apart")
    return values


def alarm_levels(score: Floats, alarm: float, strong: float) -> Callable[[], Levels]:
    """Return a function that returns the level of each score: 1 from `alarm`, 2 from `strong`, 0 below and for NaN."""
    return lambda: (score >= alarm).astype(np.int8) + (score >= strong).astype(np.int8)


def detector_id(detector: DataclassInstance, version: int) -> str:
    """Return a name to store with verdicts: the class, its version and the parameters that are not the default."""
    values = {f.name: getattr(detector, f.name) for f in fields(detector) if getattr(detector, f.name) != f.default}
    own = [f"{name}={value.value if isinstance(value, Enum) else value!r}" for name, value in values.items()]
    return f"{type(detector).__name__}/{version}({', '.join(own)})"


def missing_bins(last: int | None, starts: npt.NDArray[np.int64], bin_s: int) -> int:
    """Return how many bins lie between the last one scored and `starts`, all in seconds of the epoch.

    `last` is None before the first bin. Raises LateBinError when the first start is not after `last`, and ValueError
    when it is not a whole number of bins after it.
    """
    if last is None or not len(starts):
        return 0
    if int(starts[0]) <= last:
        raise LateBinError(f"bin {datetime.fromtimestamp(int(starts[0]), UTC)} was already judged")
    if (int(starts[0]) - last) % bin_s:
        raise ValueError("bins are not in step with those judged before")
    return (int(starts[0]) - last) // bin_s - 1
